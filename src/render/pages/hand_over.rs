//! A shift hand-over: what it leaves to the next shift, what the inspections of the shift found, the last bulletin, and what
//! whoever looks may do about it now; beside it the others.

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::of_run;
use crate::core::hand_over::HandOverWish;
use crate::render::clock::Clock;
use crate::render::report_html::Tone;
use crate::render::sectioned::Section;
use crate::render::table::harmless;
use crate::render::words::{Fault, HandOvers, Incidents, Label, Pages};
use crate::render::{bulletin, hand_over, inspection};
use crate::types::{IncidentId, Lang, RunId, Zone};
use crate::view::bulletin::BulletinView;
use crate::view::hand_over::{HandOverLine, HandOverState, HandOverView};
use crate::view::inspection::InspectionsView;

/// Hand-overs that are listed at the most.
pub const MOST: usize = 30;

/// The one that is shown, with what stands beside it.
#[derive(Debug)]
pub struct Shown {
    pub view: HandOverView,
    /// Of the days of its shift.
    pub inspections: InspectionsView,
    /// The last one, while it is open: whoever comes reads that first (E5).
    pub bulletin: Option<BulletinView>,
    pub asker: Asker,
}

/// What whoever looks may do.
#[derive(Debug, Default)]
pub struct Asker {
    pub steps: Vec<HandOverWish>,
    /// What a form must send back, where this asker can send one.
    pub token: Option<String>,
    /// Why nobody can do anything here: another supervisor leads.
    pub stands_by: Option<String>,
}

/// All there are: the one that ends last first.
#[derive(Debug, Clone, Copy)]
pub struct Others<'a> {
    pub lines: &'a [HandOverLine],
    /// Whether the site hands shifts over.
    pub declared: bool,
}

#[derive(Template)]
#[template(path = "pages/hand_over.html")]
struct Page {
    lang: Lang,
    up: String,
    none: String,
    shown: Option<Part>,
    others: Vec<Other>,
    left_out: Option<String>,
}

struct Part {
    id: String,
    title: String,
    tone: Tone,
    state: String,
    standing: String,
    people: Vec<String>,
    next: Option<String>,
    as_of: String,
    open: Vec<Section>,
    rounds: Vec<Round>,
    bulletin: Option<Bulletin>,
    steps: Vec<(String, String, String)>,
    forms: Vec<StepForm>,
    token: String,
    no_forms: Option<String>,
}

/// A day of inspections, with what was not well.
struct Round {
    heading: String,
    is_missed: bool,
    lines: Vec<String>,
}

struct Bulletin {
    title: String,
    lead: String,
    counts: String,
    sections: Vec<Section>,
}

struct StepForm {
    word: &'static str,
    button: String,
    label: String,
    required: bool,
}

struct Other {
    id: String,
    shift: String,
    here: bool,
    ends: String,
    tone: Tone,
    state: String,
    from: String,
    to: String,
}

impl Page {
    fn say(&self, words: HandOvers<'_>) -> String {
        words.say(self.lang)
    }

    /// A line that begins with an incident or a run leads there.
    fn linked<'l>(&self, line: &'l str) -> (Option<String>, &'l str, &'l str) {
        let end = line.find([' ', ',', '，', ':', '：']).unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let place = match (word.parse::<IncidentId>(), word.parse::<RunId>()) {
            (Ok(incident), _) => Some(format!("incidents/{incident}")),
            (_, Ok(run)) => Some(of_run(&run)),
            _ => None,
        };
        (place.map(|place| format!("{}{place}", self.up)), word, rest)
    }
}

pub fn title(lang: Lang, shown: Option<&Shown>) -> String {
    let of_one = |shown: &Shown| hand_over::title(lang, &shown.view.line);
    shown.map_or_else(|| HandOvers::Page.say(lang), of_one)
}

/// The middle of the page. `shown`: `None` where none is open.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up): (Lang, &str),
    (zone, now): (&Zone, Timestamp),
    shown: Option<&Shown>,
    others: Others<'_>,
) -> Result<String, askama::Error> {
    // Half a day to each side is told by the clock time alone; what is further off carries its date.
    let clock = Clock::new(zone, now - SignedDuration::from_hours(12));
    let left_out = u32::try_from(others.lines.len().saturating_sub(MOST)).unwrap_or(u32::MAX);
    let here = shown.map(|shown| &shown.view.line.id);
    let page = Page {
        lang,
        up: up.to_owned(),
        none: match others.declared {
            true => HandOvers::NoneOpen.say(lang),
            false => HandOvers::NotDeclared.say(lang),
        },
        shown: shown.map(|shown| part(lang, &clock, now, shown)),
        others: others
            .lines
            .iter()
            .take(MOST)
            .map(|line| other(lang, &clock, line, here == Some(&line.id)))
            .collect(),
        left_out: (left_out > 0).then(|| Fault::AndMore { more: left_out }.say(lang)),
    };
    Ok(harmless(&page.render()?))
}

fn part(lang: Lang, clock: &Clock<'_>, now: Timestamp, shown: &Shown) -> Part {
    let Shown { view, asker, .. } = shown;
    let open = hand_over::handed_over(lang, clock, view).into_iter();
    let at = &clock.full(now);
    Part {
        id: view.line.id.to_string(),
        title: hand_over::title(lang, &view.line),
        tone: tone(view.line.state),
        state: hand_over::state(lang, &view.line),
        standing: hand_over::standing(lang, clock, view),
        people: hand_over::people(lang, view),
        next: view.next.map(|next| Incidents::NextAt { at: &clock.full(next) }.say(lang)),
        as_of: match view.line.accepted_by {
            Some(_) => HandOvers::AsAccepted.say(lang),
            None => HandOvers::AsOf { at }.say(lang),
        },
        open: open.filter(|section| !section.lines.is_empty()).collect(),
        rounds: rounds(lang, &shown.inspections),
        bulletin: shown.bulletin.as_ref().map(|view| last_bulletin(lang, view)),
        steps: view
            .steps
            .iter()
            .map(|line| {
                let who = line.by.as_ref().map(|who| who.name.get(lang).to_owned());
                (clock.exactly(line.at), who.unwrap_or_default(), hand_over::step(lang, line))
            })
            .collect(),
        forms: forms(lang, asker),
        token: asker.token.clone().unwrap_or_default(),
        no_forms: no_forms(lang, clock, view, asker),
    }
}

pub(super) fn tone(state: HandOverState) -> Tone {
    match state {
        HandOverState::Open => Tone::RUN,
        HandOverState::Given => Tone::WARN,
        HandOverState::Late => Tone::BAD,
        HandOverState::Accepted | HandOverState::Same => Tone::WELL,
    }
}

fn rounds(lang: Lang, view: &InspectionsView) -> Vec<Round> {
    let round = |day: inspection::DayPart| Round {
        heading: day.heading,
        is_missed: day.is_missed,
        lines: day
            .rounds
            .into_iter()
            .flat_map(|round| {
                std::iter::once(format!("{} {}", round.at, round.sum)).chain(round.findings)
            })
            .collect(),
    };
    inspection::parts(lang, view).into_iter().map(round).collect()
}

fn last_bulletin(lang: Lang, view: &BulletinView) -> Bulletin {
    let sections = bulletin::told(lang, view).into_iter();
    Bulletin {
        title: bulletin::title(lang, view),
        lead: bulletin::lead(lang, view),
        counts: bulletin::counts(lang, view),
        sections: sections.filter(|section| !section.lines.is_empty()).collect(),
    }
}

fn forms(lang: Lang, asker: &Asker) -> Vec<StepForm> {
    let form = |wish: &HandOverWish| {
        let (button, required) = match wish {
            HandOverWish::Accept => (HandOvers::Accept, false),
            HandOverWish::Give => (HandOvers::Give, false),
            HandOverWish::Note => (HandOvers::Note, true),
        };
        let label = match required {
            true => HandOvers::NoteWords.say(lang),
            false => Incidents::Words.say(lang),
        };
        StepForm { word: wish.word(), button: button.say(lang), label, required }
    };
    let can_send = asker.token.is_some() && asker.stands_by.is_none();
    asker.steps.iter().filter(|_| can_send).map(form).collect()
}

/// Why there is no form.
fn no_forms(lang: Lang, clock: &Clock<'_>, view: &HandOverView, asker: &Asker) -> Option<String> {
    match (&asker.stands_by, asker.steps.is_empty()) {
        _ if view.line.closed.is_some() => Some(HandOvers::OverAlready.say(lang)),
        (Some(why), _) => Some(Pages::StandsBy { why }.say(lang)),
        (None, true) => Some(HandOvers::Yours { at: &clock.full(view.line.ends) }.say(lang)),
        (None, false) => None,
    }
}

fn other(lang: Lang, clock: &Clock<'_>, line: &HandOverLine, here: bool) -> Other {
    Other {
        id: line.id.to_string(),
        shift: format!("{} {}", line.shift.get(lang), line.id.date),
        here,
        ends: clock.minute(line.ends),
        tone: tone(line.state),
        state: hand_over::state(lang, line),
        from: hand_over::names(lang, &line.outgoing),
        to: hand_over::names(lang, &line.incoming),
    }
}
