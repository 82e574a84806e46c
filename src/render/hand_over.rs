//! Hand-overs of shifts (交接): the list, all of one, and the mails about it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::clock::Clock;
use super::command::on_hand_over;
use super::incident_words::{about, clock_name, headline};
use super::mail::MailText;
use super::sectioned::{Section, Sectioned, push, sections};
use super::table::Table;
use super::words::{Drills, HandOvers, Incidents, aside, list, pair, remarks};
use crate::core::hand_over::{AtRisk, CalendarEnd, DrillAhead, Note, OpenIncident, Running};
use crate::core::incident::Fault;
use crate::core::night::HandOverNotice;
use crate::types::{Lang, Zone};
use crate::view::Who;
use crate::view::hand_over::{
    HandOverDeed, HandOverLine, HandOverState, HandOverStepLine, HandOverView,
};

/// `nightrun hand-over list`.
pub fn list_text(
    lang: Lang,
    (zone, now): (&Zone, Timestamp),
    all: bool,
    lines: &[HandOverLine],
) -> String {
    if lines.is_empty() {
        return if all { HandOvers::NoneKnown.say(lang) } else { HandOvers::NoneOpen.say(lang) };
    }
    let clock = Clock::new(zone, now);
    let mut table = Table::new(&["", "", "", "", ""], &[], 0);
    for line in lines {
        table.row(vec![
            line.id.to_string(),
            clock.full(line.ends),
            state(lang, line),
            names(lang, &line.outgoing),
            names(lang, &line.incoming),
        ]);
    }
    let mut out = String::new();
    table.write(&mut out);
    out.trim_end().to_owned()
}

/// `nightrun hand-over show`.
pub fn text(lang: Lang, view: &HandOverView) -> String {
    let clock = Clock::new(&view.zone, view.line.ends);
    let mut out = String::new();
    push(&mut out, 0, &pair(lang, &view.line.id.to_string(), &title(lang, &view.line)));
    push(&mut out, 0, &standing(lang, &clock, view));
    people(lang, view).iter().for_each(|line| push(&mut out, 0, line));
    if let Some(next) = view.next {
        push(&mut out, 0, &Incidents::NextAt { at: &clock.full(next) }.say(lang));
    }
    out.push_str(&sections(&handed_over(lang, &clock, view)));
    if !view.steps.is_empty() {
        let _ = writeln!(out, "\n{}", HandOvers::HeadSteps.say(lang));
        let mut table = Table::new(&["", "", ""], &[], 2);
        for line in &view.steps {
            let who = line.by.as_ref().map(|who| who.name.get(lang).to_owned());
            table.row(vec![clock.full(line.at), who.unwrap_or_default(), step(lang, line)]);
        }
        table.write(&mut out);
    }
    out.trim_end().to_owned()
}

/// The mail as one of its readers gets it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(
    lang: Lang,
    view: &HandOverView,
    notice: HandOverNotice,
) -> Result<MailText, askama::Error> {
    let clock = Clock::new(&view.zone, view.line.ends);
    let ends = &clock.full(view.line.ends);
    let over = view.line.closed.is_some();
    Sectioned {
        lang,
        mark: if over { "[OK] " } else { "" },
        good: over,
        title: title(lang, &view.line),
        lead: match notice {
            HandOverNotice::Begins => HandOvers::Begins { ends }.say(lang),
            HandOverNotice::Ends => HandOvers::Ends { ends }.say(lang),
            HandOverNotice::Reminder => HandOvers::Reminder { ends }.say(lang),
            HandOverNotice::Given | HandOverNotice::Accepted => standing(lang, &clock, view),
        },
        facts: people(lang, view),
        sections: handed_over(lang, &clock, view),
        commands: commands(lang, view),
        site: view.site.get(lang).to_owned(),
    }
    .mail()
}

pub(super) fn title(lang: Lang, line: &HandOverLine) -> String {
    let (shift, date) = (line.shift.get(lang), &line.id.date.to_string());
    HandOvers::Title { shift, date }.say(lang)
}

/// How it stands, as a sentence.
pub(super) fn standing(lang: Lang, clock: &Clock<'_>, view: &HandOverView) -> String {
    let by = |deed| view.steps.iter().find(|line| line.step == deed);
    let who = |line: &HandOverStepLine| {
        line.by.as_ref().map(|who| who.name.get(lang).to_owned()).unwrap_or_default()
    };
    let found =
        [HandOverDeed::Accepted, HandOverDeed::Same, HandOverDeed::Late, HandOverDeed::Given];
    let Some(line) = found.into_iter().find_map(by) else { return HandOvers::OpenYet.say(lang) };
    let (who, at) = (&who(line), &clock.full(line.at));
    match line.step {
        HandOverDeed::Accepted => HandOvers::AcceptedBy { who, at }.say(lang),
        HandOverDeed::Same => HandOvers::SameAt { at }.say(lang),
        HandOverDeed::Late => HandOvers::LateSince { at }.say(lang),
        HandOverDeed::Given => HandOvers::GivenBy { who, at }.say(lang),
        HandOverDeed::Told | HandOverDeed::Noted => HandOvers::OpenYet.say(lang),
    }
}

pub(super) fn people(lang: Lang, view: &HandOverView) -> Vec<String> {
    let shifts = &list(lang, view.to.iter().map(|shift| shift.get(lang)));
    let to = match view.line.incoming.is_empty() {
        true => HandOvers::ToNobody { shifts }.say(lang),
        false => HandOvers::To { shifts, who: &names(lang, &view.line.incoming) }.say(lang),
    };
    vec![HandOvers::From { who: &names(lang, &view.line.outgoing) }.say(lang), to]
}

pub(super) fn names(lang: Lang, people: &[Who]) -> String {
    list(lang, people.iter().map(|who| who.name.get(lang)))
}

pub(super) fn state(lang: Lang, line: &HandOverLine) -> String {
    match line.state {
        HandOverState::Open => HandOvers::StateOpen.say(lang),
        HandOverState::Given => HandOvers::StateGiven.say(lang),
        HandOverState::Late => HandOvers::StateLate.say(lang),
        HandOverState::Same => HandOvers::StateSame.say(lang),
        HandOverState::Accepted => {
            let who = line.accepted_by.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
            HandOvers::StateAccepted { who }.say(lang)
        }
    }
}

/// A step without who, when, and whom it told.
pub(super) fn deed(lang: Lang, deed: HandOverDeed) -> String {
    match deed {
        HandOverDeed::Told => HandOvers::StepTold { people: "" }.say(lang).trim_end().to_owned(),
        HandOverDeed::Noted => HandOvers::StepNoted.say(lang),
        HandOverDeed::Given => HandOvers::StepGiven.say(lang),
        HandOverDeed::Accepted => HandOvers::StepAccepted.say(lang),
        HandOverDeed::Same => HandOvers::StepSame.say(lang),
        HandOverDeed::Late => HandOvers::StepLate.say(lang),
    }
}

pub(super) fn step(lang: Lang, line: &HandOverStepLine) -> String {
    let said = match line.step {
        HandOverDeed::Told => HandOvers::StepTold { people: &names(lang, &line.told) }.say(lang),
        other => deed(lang, other),
    };
    match line.words.is_empty() {
        true => said,
        false => pair(lang, &said, &line.words),
    }
}

/// What people said comes first, then what is open, then what is to come.
pub(super) fn handed_over(lang: Lang, clock: &Clock<'_>, view: &HandOverView) -> Vec<Section> {
    let draft = &view.draft;
    let head = |words: HandOvers<'_>| words.say(lang);
    let name = |id| view.name(id).get(lang).to_owned();
    let said = view.steps.iter().filter(|line| !line.words.is_empty()).map(|line| {
        let who = line.by.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
        pair(lang, who, &line.words)
    });
    let words = Section::new(head(HandOvers::HeadWords), said);
    let open = vec![
        Section::new(
            head(HandOvers::HeadIncidents),
            draft.incidents.iter().map(|known| incident(lang, clock, view, known)),
        ),
        Section::new(
            head(HandOvers::HeadDoubts),
            draft.doubts.iter().map(|d| pair(lang, &format!("{} {}", d.run, d.job), &d.why)),
        ),
        Section::new(
            head(HandOvers::HeadAtRisk),
            draft.at_risk.iter().map(|risk| at_risk(lang, clock, risk)),
        ),
        Section::new(
            head(HandOvers::HeadRunning),
            draft.running.iter().map(|run| running(lang, clock, view, run)),
        ),
        Section::new(
            head(HandOvers::HeadHolds),
            draft.holds.iter().map(|hold| {
                let (what, who) = (&format!("{} {}", hold.run, hold.job), &name(&hold.by));
                HandOvers::Held { what, who, reason: &hold.reason }.say(lang)
            }),
        ),
        Section::new(
            head(HandOvers::HeadFreezes),
            draft.freezes.iter().map(|freeze| {
                let declared = || super::words::Stands::Declared.say(lang);
                let id = &freeze.freeze.map_or_else(declared, |id| id.to_string());
                let (from, to) = (&clock.full(freeze.from), &clock.full(freeze.to));
                HandOvers::Frozen { id, from, to, reason: freeze.reason.get(lang) }.say(lang)
            }),
        ),
        Section::new(head(HandOvers::HeadRequests), draft.requests.iter().map(ToString::to_string)),
        Section::new(
            head(HandOvers::HeadAhead),
            draft.ahead.iter().map(|start| format!("{} {}", clock.full(start.at), start.batch)),
        ),
        Section::new(Drills::Head.say(lang), draft.drills.iter().map(|known| drill(lang, known))),
        Section::new(
            head(HandOvers::HeadCalendars),
            draft.calendars.iter().map(|end| calendar(lang, clock, end)),
        ),
        Section::new(
            head(HandOvers::HeadNotes),
            draft.notes.iter().map(|known| note(lang, clock, view, known)),
        ),
    ];
    let mut all = vec![words];
    match open.iter().all(|section| section.lines.is_empty()) {
        true => all.push(Section::new(head(HandOvers::HeadOpen), [head(HandOvers::NothingOpen)])),
        false => all.extend(open),
    }
    all
}

fn incident(lang: Lang, clock: &Clock<'_>, view: &HandOverView, known: &OpenIncident) -> String {
    let what = about(known.run.as_ref().map(|run| &run.batch), known.job.as_ref());
    let what = &headline(lang, clock, &what, &known.fault);
    let (incident, severity) = (&known.incident.to_string(), &known.severity.name().to_uppercase());
    let since = &clock.full(known.opened);
    let mut about = vec![match &known.owner {
        Some(owner) => HandOvers::TakenCareOf { who: view.name(owner).get(lang) }.say(lang),
        None => HandOvers::NobodyCares.say(lang),
    }];
    about.extend(
        known.muted.map(|until| HandOvers::MutedUntil { until: &clock.full(until) }.say(lang)),
    );
    about.extend(known.clocks.iter().map(|due| {
        let (what, due) = (&clock_name(lang, due.kind), &clock.full(due.due));
        Incidents::DueBy { what, due }.say(lang)
    }));
    let line = HandOvers::Incident { incident, severity, what, since }.say(lang);
    aside(lang, &line, &remarks(lang, &about))
}

fn running(lang: Lang, clock: &Clock<'_>, view: &HandOverView, run: &Running) -> String {
    let line = HandOvers::Running { run: &run.run.to_string(), jobs: run.open_jobs }.say(lang);
    let mut about = vec![match run.expected_end {
        Some(end) => HandOvers::ExpectedBy { end: &clock.full(end) }.say(lang),
        None => HandOvers::NoEnd.say(lang),
    }];
    about.extend(run.due.map(|due| HandOvers::DueBy { due: &clock.full(due) }.say(lang)));
    let reason = run.window_override.as_ref();
    about.extend(reason.map(|reason| HandOvers::Overridden { reason }.say(lang)));
    let released = run.released_by.as_ref();
    about.extend(
        released.map(|who| HandOvers::Released { who: view.name(who).get(lang) }.say(lang)),
    );
    aside(lang, &line, &remarks(lang, &about))
}

fn at_risk(lang: Lang, clock: &Clock<'_>, risk: &AtRisk) -> String {
    let what = about(Some(&risk.run.batch), risk.job.as_ref());
    let (deadline, due, expected) = (risk.deadline, risk.due, risk.expected);
    headline(lang, clock, &what, &Fault::WillBeLate { deadline, due, expected })
}

fn drill(lang: Lang, known: &DrillAhead) -> String {
    let (title, due) = (known.title.get(lang), &known.due.to_string());
    match known.overdue {
        true => Drills::AheadOverdue { title, due }.say(lang),
        false => Drills::Ahead { title, due }.say(lang),
    }
}

fn calendar(lang: Lang, clock: &Clock<'_>, end: &CalendarEnd) -> String {
    let (calendar, last) = (end.calendar.clone(), end.last);
    headline(lang, clock, "", &Fault::CalendarEnds { calendar, last })
}

fn note(lang: Lang, clock: &Clock<'_>, view: &HandOverView, note: &Note) -> String {
    let who = view.name(&note.by);
    let head = format!("{} {} {}", clock.full(note.at), note.on, who.get(lang));
    pair(lang, &head, &note.text)
}

fn commands(lang: Lang, view: &HandOverView) -> Vec<(String, String)> {
    let id = &view.line.id;
    let mut commands = Vec::new();
    if view.line.closed.is_none() {
        commands.push((HandOvers::CanNote.say(lang), on_hand_over("note", id, " \"...\"")));
        if view.line.given.is_none() {
            commands.push((HandOvers::CanGive.say(lang), on_hand_over("give", id, "")));
        }
        commands.push((HandOvers::CanAccept.say(lang), on_hand_over("accept", id, "")));
    }
    commands.push((HandOvers::CanShow.say(lang), on_hand_over("show", id, "")));
    commands
}

#[cfg(test)]
#[path = "hand_over_tests.rs"]
pub(super) mod tests;
