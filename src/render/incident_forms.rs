//! The forms of an incident's page: one for each step that the incident takes from whoever looks, with what that step asks
//! for. Without scripts: a step that is seldom taken opens when its name is pressed.

use jiff::Timestamp;

use super::clock::took;
use super::words::Incidents;
use crate::core::incident::Wanted;
use crate::types::{Lang, Severity, Span, Zone};
use crate::view::incident::IncidentView;

/// For how long an incident is muted from its page; the first but one is chosen where nobody chooses.
const MUTES: [u64; 6] = [30, 60, 120, 240, 480, 1_440];

/// A step as a form: where it goes, what its button says, what it asks for.
pub(super) struct StepForm {
    pub(super) word: &'static str,
    pub(super) button: String,
    pub(super) fields: Vec<Field>,
    /// What is done first, or often, is there at once.
    pub(super) at_once: bool,
}

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) asks: Asks,
    pub(super) required: bool,
}

pub(super) enum Asks {
    Words,
    Line,
    /// A time of the site's wall clock, as it stands there before somebody writes another.
    Time(String),
    /// Values with what they are called, and whether one is chosen.
    Choice(Vec<(String, String, bool)>),
}

/// The form of a step; it is read by `http/incident_page.rs`.
pub(super) fn form(lang: Lang, view: &IncidentView, step: &Wanted) -> StepForm {
    let zone = &view.zone;
    let field = |name, label: Incidents<'_>, asks| Field {
        name,
        label: label.say(lang),
        asks,
        required: true,
    };
    let reason = || Field { required: false, ..field("reason", Incidents::Words, Asks::Words) };
    let why = || field("reason", Incidents::Why, Asks::Words);
    let (button, fields) = match step {
        Wanted::Acknowledge => (Incidents::Acknowledge, vec![reason()]),
        Wanted::TakeOver => (Incidents::TakeOver, vec![reason()]),
        Wanted::Note => (Incidents::Note, vec![field("reason", Incidents::NoteWords, Asks::Words)]),
        Wanted::OnSite => (Incidents::OnSiteNow, vec![reason()]),
        Wanted::ThirdParty { .. } => {
            let whom = field("whom", Incidents::CalledWhom, Asks::Line);
            (Incidents::ThirdPartyCalled, vec![whom, reason()])
        }
        Wanted::Mute { .. } => {
            let lasts = field("lasts", Incidents::MuteFor, Asks::Choice(mutes(lang)));
            (Incidents::Mute, vec![lasts, why()])
        }
        Wanted::Unmute => (Incidents::Unmute, vec![reason()]),
        Wanted::Grade { .. } => {
            let grades = Asks::Choice(grades(view.line.severity));
            (Incidents::Grade, vec![field("severity", Incidents::NewGrade, grades), why()])
        }
        Wanted::Interruption { from, to, .. } => {
            let of = |at| Asks::Time(local(zone, at));
            let zone = &zone.to_string();
            let service = field("service", Incidents::Service, Asks::Line);
            let from = field("from", Incidents::From { zone }, of(*from));
            let to = field("to", Incidents::To { zone }, of(*to));
            let outside = field("outside", Incidents::OutsideCause, Asks::Line);
            let outside = Field { required: false, ..outside };
            (Incidents::Interruption, vec![service, from, to, outside])
        }
        Wanted::Resolve { .. } => {
            let cause = field("cause", Incidents::CauseWords, Asks::Words);
            let measure = field("measure", Incidents::MeasureWords, Asks::Words);
            (Incidents::Resolve, vec![cause, measure])
        }
        Wanted::Report => (Incidents::HandIn, vec![reason()]),
    };
    let at_once = matches!(step, Wanted::Acknowledge | Wanted::TakeOver | Wanted::Note);
    StepForm { word: step.word(), button: button.say(lang), fields, at_once }
}

fn mutes(lang: Lang) -> Vec<(String, String, bool)> {
    let lengths = MUTES.map(|minutes| Span::seconds(minutes * 60));
    let choice =
        |(index, length): (usize, Span)| (length.to_string(), took(lang, length.get()), index == 1);
    lengths.into_iter().enumerate().map(choice).collect()
}

/// Those that it does not have yet.
fn grades(now: Severity) -> Vec<(String, String, bool)> {
    let others = Severity::ALL.iter().filter(|severity| **severity != now);
    others.map(|other| (other.name().to_owned(), other.name().to_uppercase(), false)).collect()
}

/// As a browser's field for a time has it, to the minute.
fn local(zone: &Zone, at: Timestamp) -> String {
    zone.tz().to_datetime(at).strftime("%Y-%m-%dT%H:%M").to_string()
}
