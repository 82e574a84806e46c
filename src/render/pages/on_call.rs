//! Incidents and who is on call: what is open with its running limits, who is on shift now and next.

use askama::Template;
use jiff::Timestamp;

use super::hand_over::tone;
use super::tonight::{Shift, next_shift, shifts};
use crate::render::clock::{Clock, between, took};
use crate::render::hand_over;
use crate::render::incident::title;
use crate::render::incident_words::clock_name;
use crate::render::phrase;
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::words::{Fault, HandOvers, Incidents, Label, Pages, pair};
use crate::types::{Lang, Zone};
use crate::view::hand_over::HandOverLine;
use crate::view::incident::{ClockLine, IncidentView, Which};
use crate::view::roster::RosterView;

/// Incidents of the page at the most.
pub const MOST: usize = 100;

/// Who is on shift, and what waits between shifts.
#[derive(Debug, Clone, Copy)]
pub struct Duty<'a> {
    pub roster: &'a RosterView,
    /// The site hands shifts over.
    pub hands_over: bool,
    /// Those that nobody has accepted.
    pub hand_overs: &'a [HandOverLine],
}

#[derive(Template)]
#[template(path = "pages/on_call.html")]
struct Page {
    lang: Lang,
    up: String,
    tabs: Vec<(String, &'static str, bool)>,
    none: String,
    incidents: Vec<Incident>,
    left_out: Option<String>,
    shifts: Vec<Shift>,
    next_shift: Option<String>,
    hands_over: bool,
    /// Hand-overs that nobody has accepted: name, class and sign, words.
    hand_overs: Vec<(String, Tone, String)>,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

struct Incident {
    id: String,
    class: &'static str,
    grade: &'static str,
    title: String,
    opened: String,
    standing: String,
    unowned: bool,
    told: String,
    /// Class and words of each limit that is not met.
    limits: Vec<(&'static str, String)>,
}

/// The middle of the page. `all`: how many there are of which these are the newest.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up, now): (Lang, &str, Timestamp),
    which: Which,
    (incidents, all): (&[IncidentView], usize),
    duty: &Duty<'_>,
    zone: &Zone,
) -> Result<String, askama::Error> {
    let clock = Clock::new(zone, now - jiff::SignedDuration::from_hours(12));
    let tabs = [
        (Which::Open, Pages::OnlyOpen),
        (Which::Unfinished, Pages::Unfinished),
        (Which::All, Pages::GroupAll),
    ];
    let left_out = u32::try_from(all.saturating_sub(incidents.len())).unwrap_or(u32::MAX);
    let page = Page {
        lang,
        up: up.to_owned(),
        tabs: tabs.map(|(of, words)| (words.say(lang), of.word(), of == which)).into(),
        none: match which {
            Which::Open => Incidents::NoneOpen.say(lang),
            Which::Unfinished | Which::All => Incidents::NoneSuch.say(lang),
        },
        left_out: (left_out > 0).then(|| Fault::AndMore { more: left_out }.say(lang)),
        incidents: incidents.iter().map(|one| incident(lang, &clock, now, one)).collect(),
        shifts: shifts(lang, &clock, &duty.roster.on),
        next_shift: next_shift(lang, &clock, duty.roster),
        hands_over: duty.hands_over,
        hand_overs: duty
            .hand_overs
            .iter()
            .map(|line| {
                let state = hand_over::state(lang, line);
                let words = pair(lang, &hand_over::title(lang, line), &state);
                (line.id.to_string(), tone(line.state), words)
            })
            .collect(),
    };
    Ok(harmless(&page.render()?))
}

fn incident(lang: Lang, clock: &Clock<'_>, now: Timestamp, view: &IncidentView) -> Incident {
    let line = &view.line;
    let owner = line.owner.as_ref().map(|who| who.name.get(lang).to_owned());
    let unowned = owner.is_none() && line.closed.is_none();
    let standing = match (line.closed, owner) {
        (Some(at), _) => Incidents::Over { at: &clock.minute(at) }.say(lang),
        (None, Some(who)) => Incidents::TakesCare { who: &who }.say(lang),
        (None, None) => Incidents::NobodyYet.say(lang),
    };
    let class = match (line.closed, unowned) {
        (Some(_), _) => "ok",
        (None, true) => "bad",
        (None, false) => "warn",
    };
    let open = view.clocks.iter().filter(|limit| limit.met.is_none());
    Incident {
        id: line.id.to_string(),
        class,
        grade: line.severity.name(),
        title: title(lang, clock, line),
        opened: clock.minute(line.opened),
        standing,
        unowned,
        told: phrase::people(lang, &line.told),
        limits: open.map(|limit| running(lang, clock, now, limit)).collect(),
    }
}

/// How long there still is, or by how much it has passed.
fn running(
    lang: Lang,
    clock: &Clock<'_>,
    now: Timestamp,
    limit: &ClockLine,
) -> (&'static str, String) {
    let (what, due) = (&clock_name(lang, limit.kind), &clock.minute(limit.due));
    match now <= limit.due {
        true => {
            let left = &took(lang, between(now, limit.due));
            ("soft", Pages::LimitLeft { what, due, left }.say(lang))
        }
        false => {
            let by = &took(lang, between(limit.due, now));
            ("bad", Pages::LimitOver { what, due, by }.say(lang))
        }
    }
}
