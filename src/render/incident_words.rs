//! Incidents in words: what is wrong, what it means, what was done.

use jiff::Timestamp;

use super::clock::Clock;
use super::words::{Drills, Incidents, aside, list, paragraph};
use crate::core::fact::Deadline;
use crate::core::incident::{DrillTerms, Fault, IncidentStep, Telling};
use crate::types::{BatchId, ChannelName, ClockKind, IncidentKind, JobName, Lang, Zone};
use crate::view::incident::{ClockLine, IncidentLine, IncidentView, StepLine};

/// What is wrong, as a headline. `what`: the job with its batch, or the batch; nothing where it is about neither.
pub(super) fn headline(lang: Lang, clock: &Clock<'_>, what: &str, fault: &Fault) -> String {
    let start = |deadline: &Deadline| *deadline == Deadline::MustStartBy;
    let words = match fault {
        Fault::Failed => Incidents::Failed { what },
        Fault::InDoubt => Incidents::InDoubt { what },
        Fault::Waits => Incidents::Waits { what },
        Fault::Late { deadline, due } if start(deadline) => {
            return Incidents::LateStart { what, due: &clock.minute(*due) }.say(lang);
        }
        Fault::Late { due, .. } => {
            return Incidents::LateEnd { what, due: &clock.minute(*due) }.say(lang);
        }
        Fault::WillBeLate { deadline, due, expected } => {
            let (due, expected) = (&clock.minute(*due), &clock.minute(*expected));
            return match start(deadline) {
                true => Incidents::WillStartLate { what, due, expected }.say(lang),
                false => Incidents::WillEndLate { what, due, expected }.say(lang),
            };
        }
        Fault::WindowCloses { closes, expected: Some(expected) } => {
            let (closes, expected) = (&clock.minute(*closes), &clock.minute(*expected));
            return Incidents::WindowCloses { what, closes, expected }.say(lang);
        }
        Fault::WindowCloses { closes, expected: None } => {
            return Incidents::WindowOfList { what, closes: &clock.minute(*closes) }.say(lang);
        }
        Fault::RunsOver { closed } => {
            return Incidents::RunsOver { what, closed: &clock.minute(*closed) }.say(lang);
        }
        Fault::HostAway { host, title: None } => Incidents::HostAway { host: host.as_str() },
        Fault::HostAway { host, title: Some(title) } => {
            let (host, title) = (host.as_str(), title.get(lang));
            return Incidents::HostAwayTitled { host, title }.say(lang);
        }
        Fault::CalendarEnds { calendar, last: Some(last) } => {
            let calendar = calendar.as_str();
            return Incidents::CalendarEnds { calendar, last: &last.to_string() }.say(lang);
        }
        Fault::CalendarEnds { calendar, last: None } => {
            Incidents::CalendarEmpty { calendar: calendar.as_str() }
        }
        Fault::MessageRefused { to, .. } => Incidents::MessageRefused { to },
        Fault::StoreAway { since, .. } => {
            return Incidents::StoreAway { since: &clock.minute(*since) }.say(lang);
        }
        Fault::HandOver { hand_over, ended } => {
            let (hand_over, ended) = (&hand_over.to_string(), &clock.full(*ended));
            return Incidents::HandOverLate { hand_over, ended }.say(lang);
        }
        Fault::Unconfirmed { change, environment, item, due } => {
            let (change, item, due) = (change.as_str(), item.as_str(), &clock.full(*due));
            return Incidents::Unconfirmed { change, environment, item, due }.say(lang);
        }
        Fault::RoundsMissed { batch, date, wanted, done } => {
            let (batch, date) = (batch.as_str(), &date.to_string());
            return Incidents::RoundsMissed { batch, date, wanted: *wanted, done: *done }.say(lang);
        }
        Fault::Drill { terms, .. } => {
            return Drills::Headline { title: terms.title.get(lang) }.say(lang);
        }
        Fault::DrillOverdue { title, due, .. } => {
            return Drills::Overdue { title: title.get(lang), due: &due.to_string() }.say(lang);
        }
        Fault::Told { title } => return title.clone(),
    };
    words.say(lang)
}

/// What it is about: `eod.load-rates`, `eod`, or nothing.
pub(super) fn about(batch: Option<&BatchId>, job: Option<&JobName>) -> String {
    match (batch, job) {
        (Some(batch), Some(job)) => format!("{batch} {job}"),
        (Some(batch), None) => batch.to_string(),
        _ => String::new(),
    }
}

/// In the lists of one run: the job, with what is wrong where it is no failure.
pub(super) fn of_run(lang: Lang, clock: &Clock<'_>, line: &IncidentLine) -> String {
    match (&line.fault, &line.job) {
        (Fault::Failed, Some(job)) => job.to_string(),
        (fault, job) => {
            let what = job.as_ref().map(JobName::as_str);
            let batch = line.run.as_ref().map(|run| run.batch.as_str());
            headline(lang, clock, what.or(batch).unwrap_or_default(), fault)
        }
    }
}

pub(super) fn kind(lang: Lang, kind: IncidentKind) -> String {
    match kind {
        IncidentKind::Fault => Incidents::KindFault.say(lang),
        IncidentKind::Request => Incidents::KindRequest.say(lang),
        IncidentKind::Problem => Incidents::KindProblem.say(lang),
        IncidentKind::Drill => Drills::HeadDrill.say(lang),
    }
}

/// What it means where no job tells more.
pub(super) fn meaning(lang: Lang, view: &IncidentView) -> Option<String> {
    Some(match &view.line.fault {
        Fault::Late { .. } => Incidents::MeansLate.say(lang),
        Fault::WillBeLate { .. } => Incidents::MeansWillBeLate.say(lang),
        Fault::WindowCloses { expected: Some(_), .. } => Incidents::MeansWindowCloses.say(lang),
        Fault::WindowCloses { expected: None, .. } => Incidents::MeansWindowOfList.say(lang),
        Fault::RunsOver { .. } => Incidents::MeansRunsOver.say(lang),
        Fault::HostAway { .. } => Incidents::MeansHostAway.say(lang),
        Fault::CalendarEnds { .. } => Incidents::MeansCalendarEnds.say(lang),
        Fault::MessageRefused { why, .. } => Incidents::MeansMessageRefused { why }.say(lang),
        Fault::StoreAway { why, .. } => Incidents::MeansStoreAway { why }.say(lang),
        Fault::HandOver { .. } => Incidents::MeansHandOver.say(lang),
        Fault::Unconfirmed { change, environment, item, .. } => {
            let (change, item) = (change.as_str(), item.as_str());
            Incidents::MeansUnconfirmed { change, environment, item }.say(lang)
        }
        Fault::RoundsMissed { .. } => Incidents::MeansRoundsMissed.say(lang),
        Fault::Drill { terms, .. } => drill(lang, view, terms),
        Fault::DrillOverdue { drill, .. } => {
            Drills::MeansOverdue { drill: drill.as_str() }.say(lang)
        }
        Fault::Told { .. } => {
            let by = view.by.as_ref().map(|who| who.name.get(lang).to_owned())?;
            Incidents::MeansTold { by: &by }.say(lang)
        }
        Fault::Failed | Fault::InDoubt | Fault::Waits => return None,
    })
}

/// That it is a drill, who holds it what for, and what is to be done.
fn drill(lang: Lang, view: &IncidentView, terms: &DrillTerms) -> String {
    let why = &terms.why;
    let by = view.by.as_ref().map(|who| who.name.get(lang));
    let mut said = vec![
        Drills::Means.say(lang),
        match by {
            Some(who) => Drills::Why { who, why }.say(lang),
            None => Drills::WhyNobody { why }.say(lang),
        },
    ];
    let runbook = terms.runbook.as_ref().map(|text| text.get(lang));
    said.extend(runbook.map(|text| Drills::Runbook { text }.say(lang)));
    paragraph(lang, &said)
}

pub(super) fn room_name(lang: Lang, room: &ChannelName) -> String {
    Incidents::Room { name: room.as_str() }.say(lang)
}

pub(super) fn clock_name(lang: Lang, kind: ClockKind) -> String {
    match kind {
        ClockKind::Response => Incidents::Response.say(lang),
        ClockKind::ThirdParty => Incidents::ThirdParty.say(lang),
        ClockKind::OnSite => Incidents::OnSite.say(lang),
        ClockKind::Solution => Incidents::Solution.say(lang),
        ClockKind::Report => Incidents::Report.say(lang),
    }
}

/// A limit, and how it stands.
pub(super) fn limit(lang: Lang, clock: &Clock<'_>, line: &ClockLine) -> String {
    let (what, due) = (&clock_name(lang, line.kind), &clock.full(line.due));
    match (line.met.map(|at| clock.full(at)), line.missed) {
        (Some(at), false) => Incidents::DoneAt { what, at: &at }.say(lang),
        (Some(at), true) => Incidents::DoneLate { what, at: &at, due }.say(lang),
        (None, true) => Incidents::Missed { what, due }.say(lang),
        (None, false) => Incidents::DueBy { what, due }.say(lang),
    }
}

/// That it is over, and by whom: of one that a person resolved with what it was and what was done.
pub(super) fn over(lang: Lang, clock: &Clock<'_>, view: &IncidentView) -> String {
    let resolved = view.steps.iter().find_map(|line| match &line.step {
        IncidentStep::Resolved { cause, measure } => Some((line, cause, measure)),
        _ => None,
    });
    match resolved {
        Some((line, cause, measure)) => {
            let who = line.by.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
            Incidents::ResolvedBy { who, at: &clock.full(line.at), cause, measure }.say(lang)
        }
        None => {
            let at = &clock.full(view.line.closed.unwrap_or(view.line.opened));
            Incidents::Over { at }.say(lang)
        }
    }
}

/// What somebody did, by the clock of a zone: without who, when and why.
pub(super) fn deed(lang: Lang, zone: &Zone, step: &IncidentStep) -> String {
    let (at, by, reason, told) = (Timestamp::UNIX_EPOCH, None, String::new(), Vec::new());
    let line = StepLine { at, by, reason, step: step.clone(), told };
    self::step(lang, &Clock::new(zone, at), &line)
}

/// What somebody, or nightrun, did: without who and when.
pub(super) fn step(lang: Lang, clock: &Clock<'_>, line: &StepLine) -> String {
    let clocks = |kinds: &[ClockKind]| list(lang, kinds.iter().map(|kind| clock_name(lang, *kind)));
    let rooms = match &line.step {
        IncidentStep::Told { rooms, .. } => rooms.as_slice(),
        _ => &[],
    };
    let people = || {
        let people = line.told.iter().map(|who| who.name.get(lang).to_owned());
        list(lang, people.chain(rooms.iter().map(|room| room_name(lang, room))))
    };
    let words = match &line.step {
        IncidentStep::Told { .. } if line.told.is_empty() && rooms.is_empty() => {
            Incidents::ToldNobody.say(lang)
        }
        IncidentStep::Told { why: Telling::Step, .. } => {
            Incidents::ToldPeople { people: &people() }.say(lang)
        }
        IncidentStep::Told { why: Telling::Reminder, .. } => {
            Incidents::ToldAgain { people: &people() }.say(lang)
        }
        IncidentStep::Warned { clocks: kinds } => {
            Incidents::WarnedOf { clocks: &clocks(kinds) }.say(lang)
        }
        IncidentStep::Breached { clocks: kinds } => {
            Incidents::BreachedOf { clocks: &clocks(kinds) }.say(lang)
        }
        IncidentStep::Repeated { job, fault, .. } => {
            let what = job.as_ref().map(JobName::as_str).unwrap_or_default();
            Incidents::Again { what: headline(lang, clock, what, fault).trim() }.say(lang)
        }
        IncidentStep::Acknowledged => Incidents::Acknowledged.say(lang),
        IncidentStep::TakenOver => Incidents::TookOver.say(lang),
        IncidentStep::Noted => Incidents::Noted.say(lang),
        IncidentStep::OnSite => Incidents::IsOnSite.say(lang),
        IncidentStep::ThirdParty { whom } => Incidents::CalledThirdParty { whom }.say(lang),
        IncidentStep::Muted { until } => {
            Incidents::MutedUntil { until: &clock.full(*until) }.say(lang)
        }
        IncidentStep::Unmuted => Incidents::Unmuted.say(lang),
        IncidentStep::Graded { severity, .. } => {
            Incidents::GradedAs { severity: &severity.name().to_uppercase() }.say(lang)
        }
        IncidentStep::Interruption { service, from, to, outside } => {
            let (from, to) = (&clock.full(*from), &clock.full(*to));
            Incidents::Interrupted { service, from, to, outside }.say(lang)
        }
        IncidentStep::Resolved { cause, measure } => {
            Incidents::ResolvedAs { cause, measure }.say(lang)
        }
        IncidentStep::Reported => Incidents::HandedIn.say(lang),
    };
    match line.reason.is_empty() {
        true => words,
        false => aside(lang, &words, &line.reason),
    }
}
