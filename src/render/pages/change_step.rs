//! Before a step with a change is taken: what it is, what comes of it, what it takes, and why it is done.

use askama::Template;

use super::change_turns::{SEEN, address, signs, step, turn};
use crate::core::change::{ChangeStep, Wish};
use crate::render::change;
use crate::render::table::harmless;
use crate::render::words::{ChangePages, Pages};
use crate::types::{Lang, Zone};
use crate::view::change_desk::{OfferLine, SecondLine, Then};

#[derive(Template)]
#[template(path = "pages/change_step.html")]
struct Page {
    lang: Lang,
    heading: String,
    button: String,
    /// Back to the page of the change.
    back: String,
    /// Where the form goes, from its own page.
    action: String,
    lines: Vec<String>,
    then: Vec<(String, String)>,
    hidden: Vec<(&'static str, String)>,
    /// What the asks are about: `tick` of signatures, `confirm` of a submission.
    ask: &'static str,
    asks: Vec<(String, String)>,
    warnings: Vec<String>,
    /// Id and name of everybody whom it may be assigned to.
    people: Vec<(String, String)>,
    /// A day that the form asks for, with what it is, what it is called, and whether it must be said.
    day: Option<(&'static str, String, bool)>,
    token: String,
}

impl Page {
    fn say(&self, words: ChangePages<'_>) -> String {
        words.say(self.lang)
    }

    fn of_pages(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }
}

pub fn title(lang: Lang, change: &str, offer: &OfferLine) -> String {
    let what = step(lang, &offer.wish, offer.title.as_ref()).unwrap_or_default();
    ChangePages::Step { what: &what, change }.say(lang)
}

/// The middle of the page. `seen`: the digest of the scripts that were read. `people`: whom a change may be given to. `then`: how it
/// would stand.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, zone, token): (Lang, &Zone, &str),
    (change, seen): (&str, &str),
    (offer, then): (&OfferLine, &Then),
    people: &[(String, String)],
) -> Result<String, askama::Error> {
    let (word, mut hidden) = address(&offer.wish).unwrap_or_default();
    hidden.extend(signs(&offer.wish).then(|| (SEEN, seen.to_owned())));
    let assigns = matches!(offer.wish, Wish::Assign { .. });
    let page = Page {
        heading: title(lang, change, offer),
        button: step(lang, &offer.wish, offer.title.as_ref()).unwrap_or_default(),
        back: format!("../{change}"),
        action: word.to_owned(),
        lines: lines(lang, zone, offer, then),
        then: then.turns.iter().map(|of| turn(lang, of)).collect(),
        hidden,
        ask: if matches!(offer.wish, Wish::Submit { .. }) { "confirm" } else { "tick" },
        asks: offer
            .asks
            .iter()
            .map(|(name, text)| (name.to_string(), text.get(lang).to_owned()))
            .collect(),
        warnings: offer.warnings.clone(),
        people: if assigns { people.to_vec() } else { Vec::new() },
        day: match &offer.wish {
            // A fact that its author answers for: no day is proposed (D11).
            Wish::Submit { accepted: Some(_), .. } => {
                Some(("accepted", ChangePages::Accepted.say(lang), true))
            }
            Wish::Schedule { .. } => Some(("on", ChangePages::OnDay.say(lang), false)),
            _ => None,
        },
        token: token.to_owned(),
        lang,
    };
    Ok(harmless(&page.render()?))
}

fn lines(lang: Lang, zone: &Zone, offer: &OfferLine, then: &Then) -> Vec<String> {
    if matches!(offer.wish, Wish::Assign { .. }) {
        return Vec::new();
    }
    let mut becomes = offer.step.clone();
    if let ChangeStep::Submitted { accepted, .. } = &mut becomes {
        *accepted = None;
    }
    let what = &change::step(lang, zone, &becomes);
    let mut lines = vec![ChangePages::Becomes { what }.say(lang)];
    if matches!(offer.wish, Wish::Decide { .. }) {
        lines.push(ChangePages::TakesSecond.say(lang));
        return lines;
    }
    let stage = &change::stage(lang, then.stage);
    lines.push(ChangePages::StageThen { stage }.say(lang));
    lines.extend((offer.wish == Wish::Return).then(|| ChangePages::StartsAgain.say(lang)));
    lines
}

/// The yes of a second person to what another has said.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn second(
    (lang, zone, token): (Lang, &Zone, &str),
    change: &str,
    of: &SecondLine,
) -> Result<String, askama::Error> {
    let what = &step(lang, &of.wish, None).unwrap_or_default();
    let (who, at) = (of.by.name.get(lang), &change::minute(zone, of.until));
    let said = ChangePages::SecondWanted { who, what, at }.say(lang);
    let page = Page {
        heading: second_title(lang, change),
        button: ChangePages::SayYes.say(lang),
        back: format!("../../{change}"),
        action: of.request.to_string(),
        lines: vec![said, of.reason.clone()],
        then: Vec::new(),
        hidden: Vec::new(),
        ask: "tick",
        asks: Vec::new(),
        warnings: Vec::new(),
        people: Vec::new(),
        day: None,
        token: token.to_owned(),
        lang,
    };
    Ok(harmless(&page.render()?))
}

pub fn second_title(lang: Lang, change: &str) -> String {
    ChangePages::Step { what: &ChangePages::SayYes.say(lang), change }.say(lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::Stage;

    #[test]
    fn the_day_of_an_acceptance_is_asked_for_and_not_proposed() {
        let day = jiff::civil::date(2026, 10, 27);
        let wish = Wish::Submit { environment: None, accepted: Some(day), confirm: Vec::new() };
        let step = ChangeStep::Submitted {
            content: "c".into(),
            scripts: Vec::new(),
            environment: None,
            authors: Vec::new(),
            accepted: Some(day),
            confirmed: Vec::new(),
            in_git: Vec::new(),
        };
        let offer = OfferLine { wish, step, title: None, asks: Vec::new(), warnings: Vec::new() };
        let then = Then { stage: Stage::Draft, turns: Vec::new() };
        let around = (Lang::En, &Zone::utc(), "token");
        let page = middle(around, ("fix", ""), (&offer, &then), &[]).unwrap();
        assert!(page.contains(r#"type="date" name="accepted" required>"#), "{page}");
        assert!(!page.contains("2026"), "{page}");
    }
}
