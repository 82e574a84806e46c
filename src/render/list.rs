//! A sealed list: on the pages of its run, in the plan, and as the mail of its seal.

use super::change::head;
use super::clock::Clock;
use super::mail::MailText;
use super::notice::Notice;
use super::why::lacks;
use super::words::{Listed, list, pair};
use crate::core::change::{LeftOffList, ListedChange};
use crate::types::Lang;
use crate::view::list::{ListTold, ListView};

/// Heads and values: what is on it, what is left out, what it is sealed by.
pub fn facts(lang: Lang, clock: &Clock<'_>, view: &ListView) -> Vec<(String, String)> {
    let mut facts = vec![(Listed::List.say(lang), on(lang, view))];
    let changes = view.list.changes.iter();
    facts.extend(changes.map(|of| (of.change.to_string(), entry(lang, clock, of))));
    let left_out = view.list.left_out.iter();
    facts.extend(left_out.map(|of| (Listed::LeftOff.say(lang), left_off(lang, clock, of))));
    if let Some(seal) = seal(lang, view) {
        facts.push((Listed::Seal.say(lang), seal));
    }
    facts
}

/// The same as lines.
pub fn lines(lang: Lang, clock: &Clock<'_>, view: &ListView) -> Vec<String> {
    let facts = facts(lang, clock, view).into_iter();
    facts.map(|(head, value)| pair(lang, &head, &value)).collect()
}

fn count(view: &ListView) -> u32 {
    u32::try_from(view.list.changes.len()).unwrap_or(u32::MAX)
}

/// How many there are, or that there is none.
pub fn on(lang: Lang, view: &ListView) -> String {
    let environment = view.list.environment.as_str();
    match count(view) {
        0 => Listed::Empty { environment }.say(lang),
        count => Listed::On { environment, count }.say(lang),
    }
}

fn entry(lang: Lang, clock: &Clock<'_>, of: &ListedChange) -> String {
    let (content, digest) = (head(&of.content), head(&of.digest));
    let mut text = Listed::Entry { target: of.target.as_str(), content, digest }.say(lang);
    if let Some((opens, closes)) = of.window {
        let (opens, closes) = (&clock.minute(opens), &clock.minute(closes));
        text.push_str(&Listed::ForWindow { opens, closes }.say(lang));
    }
    text
}

/// A change that is not in the run, with everything that keeps it out.
pub fn left_off(lang: Lang, clock: &Clock<'_>, of: &LeftOffList) -> String {
    let why: Vec<String> =
        of.why.iter().map(|missing| lacks(lang, clock, missing, &|_| String::new())).collect();
    pair(lang, of.change.as_str(), &list(lang, why))
}

fn seal(lang: Lang, view: &ListView) -> Option<String> {
    let journal = view.list.journal.as_ref()?;
    let commit = view.commit.as_deref().unwrap_or_default();
    Some(Listed::SealOf { commit, number: journal.number, hash: &journal.hash }.say(lang))
}

/// The mail of a seal.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(lang: Lang, told: &ListTold) -> Result<MailText, askama::Error> {
    let clock = Clock::new(&told.zone, told.at);
    let title = told.title.get(lang);
    let environment = told.view.list.environment.as_str();
    let advice = (!told.view.list.changes.is_empty()).then(|| {
        let command = format!("nightrun change release {}", told.run.batch);
        Listed::SealRelease { command: &command }.say(lang)
    });
    Notice {
        lang,
        mark: "",
        title: Listed::SealSubject { list: title, environment, count: count(&told.view) }.say(lang),
        lead: Listed::SealLead.say(lang),
        lines: lines(lang, &clock, &told.view),
        said: String::new(),
        advice: advice.into_iter().collect(),
        site: told.site.get(lang).to_owned(),
    }
    .mail()
}
