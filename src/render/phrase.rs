//! Phrases that report, mail, status and events share: how a run stands, how an attempt ended, why a job stands as it
//! does, what a person did.

use crate::core::fact::{Action, Deadline, RunResult};
use crate::render::clock::{Clock, between, took};
use crate::render::day_words;
use crate::render::incident_words;
use crate::render::inspection;
use crate::render::why::{self, Place};
use crate::render::words::{
    Because, Deed, Fault, Label, Listed, Planned, Verdict, list, paragraph, sentence,
};
use crate::types::{CheckVerdict, Ending, JobName, Lang};
use crate::view::Who;
use crate::view::job::{AttemptLine, JobLine, JobState, Late, LeftOut};
use crate::view::report::{Act, OpenPoint};
use crate::view::run::{DeadlineState, RunHead, Totals};

/// `Done on time at 05:12, limit 06:30. 24 of 25 jobs ended well; 1 non-critical failed.`
pub fn verdict(lang: Lang, head: &RunHead, totals: &Totals) -> String {
    let mut sentences = vec![standing(lang, head)];
    if totals.taking_part > 0 {
        sentences.push(numbers(lang, totals));
    } else if head.list.as_ref().is_some_and(|view| view.list.changes.is_empty()) {
        sentences.push(Listed::NothingOnIt.say(lang));
    }
    if matches!(head.result, Some(RunResult::Failed | RunResult::Stopped)) {
        let clock = Clock::of_run(head);
        match head.deadline() {
            DeadlineState::Overdue { due, by } => sentences.push(
                Verdict::LimitPassed { limit: &clock.minute(due), by: &took(lang, by) }.say(lang),
            ),
            DeadlineState::AtRisk { due } => {
                sentences.push(Verdict::LimitAtRisk { limit: &clock.minute(due) }.say(lang));
            }
            _ => {}
        }
    }
    paragraph(lang, &sentences)
}

/// The first sentence of the verdict.
pub fn standing(lang: Lang, head: &RunHead) -> String {
    let clock = Clock::of_run(head);
    let title = head.title.get(lang);
    let at = &clock.at(head.ended.unwrap_or(head.now));
    let say = |verdict: Verdict<'_>| verdict.say(lang);
    match (head.result, head.deadline()) {
        (Some(RunResult::Failed), _) => say(Verdict::Failed { title, at }),
        (Some(RunResult::Stopped), _) => say(Verdict::Stopped { title, at }),
        (Some(RunResult::Cancelled), _) => say(Verdict::Cancelled { title, at }),
        (Some(RunResult::Lost), _) => say(Verdict::Lost { title, at }),
        (Some(RunResult::Well), DeadlineState::Kept { due }) => {
            say(Verdict::DoneOnTime { title, at, limit: &clock.minute(due) })
        }
        (Some(RunResult::Well), DeadlineState::Missed { due, by }) => {
            say(Verdict::DoneLate { title, at, limit: &clock.minute(due), by: &took(lang, by) })
        }
        (Some(RunResult::Well), _) => say(Verdict::Done { title, at }),
        (None, DeadlineState::ExpectedKept { due, end }) => {
            say(Verdict::RunningOnTime { title, end: &clock.at(end), limit: &clock.minute(due) })
        }
        (None, DeadlineState::ExpectedMissed { due, end, by }) => say(Verdict::RunningLate {
            title,
            end: &clock.at(end),
            limit: &clock.minute(due),
            by: &took(lang, by),
        }),
        (None, DeadlineState::Overdue { due, by }) => {
            say(Verdict::RunningOverdue { title, limit: &clock.minute(due), by: &took(lang, by) })
        }
        (None, DeadlineState::AtRisk { due }) => {
            say(Verdict::RunningAtRisk { title, limit: &clock.minute(due) })
        }
        (None, _) => match head.expected_end {
            Some(end) => say(Verdict::RunningUntil { title, end: &clock.at(end) }),
            None => say(Verdict::Running { title }),
        },
    }
}

/// `24 of 25 ended well; 1 non-critical failed.`
pub fn numbers(lang: Lang, totals: &Totals) -> String {
    let jobs = totals.taking_part;
    let first = if totals.well == jobs {
        Verdict::AllWell { jobs }
    } else {
        Verdict::WellOf { well: totals.well, jobs }
    };
    let some = |jobs: u32, what: Verdict<'_>| (jobs > 0).then(|| what.say(lang));
    let t = totals;
    let other = t.failed - t.failed_critical;
    let counted = [
        some(t.failed_critical, Verdict::FailedCritical { jobs: t.failed_critical }),
        some(other, Verdict::FailedOther { jobs: other }),
        some(t.unknown, Verdict::Unknown { jobs: t.unknown }),
        some(t.blocked, Verdict::Blocked { jobs: t.blocked }),
        some(t.cancelled, Verdict::NotStarted { jobs: t.cancelled }),
        some(t.held, Verdict::Held { jobs: t.held }),
        some(t.forced, Verdict::Forced { jobs: t.forced }),
        some(t.skipped, Verdict::Skipped { jobs: t.skipped }),
        some(t.running, Verdict::NowRunning { jobs: t.running }),
        some(t.waiting, Verdict::Waiting { jobs: t.waiting }),
    ];
    let mut parts = vec![first.say(lang)];
    parts.extend(counted.into_iter().flatten());
    sentence(lang, &parts)
}

/// How an attempt ended, in words.
pub fn ending(lang: Lang, ending: &Ending, good: bool) -> String {
    match ending {
        Ending::Exited { code: 0 } if !good => Fault::RuleRefused { code: 0 },
        Ending::Exited { code } => Fault::Exited { code: *code },
        Ending::Signalled { signal } => {
            Fault::Signalled { signal: *signal, name: signal_name(*signal) }
        }
        Ending::TimedOut => Fault::TimedOut,
        Ending::Killed => Fault::Killed,
        Ending::TakenBack { .. } => Fault::TakenBack,
        Ending::OutputLimit => Fault::OutputLimit,
        Ending::CouldNotStart { why } => Fault::CouldNotStart { why },
        Ending::Lost { why } => Fault::Lost { why },
        Ending::Unknown { why } => Fault::EndUnknown { why },
    }
    .say(lang)
}

/// The names of Linux's signals that end programs; the number says the rest.
fn signal_name(signal: i32) -> &'static str {
    const NAMES: [(i32, &str); 12] = [
        (1, "HUP"),
        (2, "INT"),
        (3, "QUIT"),
        (4, "ILL"),
        (6, "ABRT"),
        (7, "BUS"),
        (8, "FPE"),
        (9, "KILL"),
        (11, "SEGV"),
        (13, "PIPE"),
        (14, "ALRM"),
        (15, "TERM"),
    ];
    NAMES.iter().find(|(number, _)| *number == signal).map_or("?", |(_, name)| name)
}

/// `attempt 2 at 21:34:10, 4.2s: exit code 3`.
pub fn attempt(lang: Lang, clock: &Clock<'_>, line: &AttemptLine) -> String {
    let number = line.number;
    let how = line.ending.as_ref().map(|how| ending(lang, how, line.good)).unwrap_or_default();
    match (line.started, line.ended) {
        (Some(from), Some(to)) => Fault::AttemptWas {
            number,
            at: &clock.exactly(from),
            took: &took(lang, between(from, to)),
            ending: &how,
        }
        .say(lang),
        (Some(from), None) => Fault::AttemptRuns { number, at: &clock.exactly(from) }.say(lang),
        (None, _) => Fault::AttemptNever { number, ending: &how }.say(lang),
    }
}

/// What is wrong with a job in trouble: `Failed at 02:14:10 after 3 attempts; the last: exit code 3.`
pub fn trouble(lang: Lang, clock: &Clock<'_>, head: &RunHead, job: &JobLine) -> String {
    if let JobState::Unknown { why } = &job.state {
        return Fault::NotKnown { why }.say(lang);
    }
    let last = job.last_failed();
    let Some((last, how)) = last.and_then(|last| Some((last, last.ending.as_ref()?))) else {
        return standing_of(lang, clock, head, job);
    };
    let at = last.ended.or(job.ended).unwrap_or(head.now);
    let attempts = u32::try_from(job.attempts.len()).unwrap_or(u32::MAX);
    let ending = &ending(lang, how, last.good);
    Fault::FailedAt { at: &clock.exactly(at), ending, attempts }.say(lang)
}

/// Why a job stands as it does; empty where the state says it all.
pub fn standing_of(lang: Lang, clock: &Clock<'_>, head: &RunHead, job: &JobLine) -> String {
    let place = Place { lang, clock, batch: &head.batch, job: &job.name, date: head.business_date };
    match &job.state {
        JobState::Waiting { reasons } => {
            let why =
                reasons.first().map(|reason| why::sentence(place, reason)).unwrap_or_default();
            // One remark among others: without the full stop.
            why.trim_end_matches(['.', '。']).to_owned()
        }
        JobState::Held { by, reason }
        | JobState::Skipped { by, reason }
        | JobState::Forced { by, reason }
        | JobState::Cancelled { by, reason } => {
            Deed::By { who: by.name.get(lang), reason }.say(lang)
        }
        JobState::RetryWait { at } => {
            let attempt = job.attempts.last().map_or(1, |last| last.number + 1);
            if head.result.is_some() {
                return Because::RetryLater { attempt }.say(lang);
            }
            Because::RetryAt { attempt, at: &clock.exactly(*at) }.say(lang)
        }
        JobState::NotScheduled { why } => left_out(lang, why),
        JobState::Blocked { by } => list(lang, by),
        JobState::Unknown { why } => why.clone(),
        JobState::Failed => how_it_failed(lang, job).unwrap_or_default(),
        JobState::Starting | JobState::Running | JobState::Succeeded => String::new(),
    }
}

/// How the last attempt of a job ended, or what did not come that it waited for.
pub fn how_it_failed(lang: Lang, job: &JobLine) -> Option<String> {
    if let Some(missing) = &job.no_event {
        let (event, limit) = (missing.awaited.as_str(), &took(lang, missing.limit.get()));
        return Some(Because::NoEvent { event, limit }.say(lang));
    }
    let last = job.last_failed()?;
    Some(ending(lang, last.ending.as_ref()?, last.good))
}

/// Why a job takes no part, in a few words.
pub fn left_out(lang: Lang, why: &LeftOut) -> String {
    match why {
        LeftOut::NotItsDay(not) => match &not.rule {
            Some(rule) => Planned::OtherDays { rule: &day_words::say(lang, rule) }.say(lang),
            None => not.reason.clone(),
        },
        LeftOut::NotAsked => Planned::NotAsked.say(lang),
        LeftOut::Need { job, when, .. } => Planned::OnlyWhen { job, when: *when }.say(lang),
    }
}

pub fn late(lang: Lang, clock: &Clock<'_>, late: &Late) -> String {
    let due = &clock.minute(late.due);
    match late.deadline {
        Deadline::MustStartBy => Fault::MissedStart { due }.say(lang),
        Deadline::MustCompleteBy => Fault::MissedComplete { due }.say(lang),
    }
}

pub fn deed(lang: Lang, act: &Act) -> String {
    match act {
        Act::Do(action) => action_done(lang, action),
        Act::ByTwo { action, second } => {
            let (what, who) = (&action_done(lang, action), second.name.get(lang));
            Deed::ByTwo { what, who }.say(lang)
        }
        Act::WindowOverride => Deed::Override.say(lang),
        Act::OverrideByTwo { second } => {
            let (what, who) = (&Deed::Override.say(lang), second.name.get(lang));
            Deed::ByTwo { what, who }.say(lang)
        }
        Act::Stop => Deed::Stop.say(lang),
        Act::Resume => Deed::Resume.say(lang),
    }
}

fn action_done(lang: Lang, action: &Action) -> String {
    match action {
        Action::Hold { job } => Deed::Hold { job: job.as_str() },
        Action::Release { job } => Deed::Release { job: job.as_str() },
        Action::Skip { job } => Deed::Skip { job: job.as_str() },
        Action::Force { job } => Deed::Force { job: job.as_str() },
        Action::Retry { job } => Deed::Retry { job: job.as_str() },
        Action::Kill { job } => Deed::Kill { job: job.as_str() },
        Action::Confirm { job } => Deed::Confirm { job: job.as_str() },
        Action::Note { job: None, text } => Deed::Note { text },
        Action::Note { job: Some(job), text } => Deed::NoteOn { job: job.as_str(), text },
        Action::Cancel => Deed::Cancel,
        Action::ReleaseChanges { shifts } => {
            return Deed::ReleaseChanges { shifts: &list(lang, shifts) }.say(lang);
        }
        Action::WatchChanges => Deed::WatchChanges,
        Action::Sign { shifts } if shifts.is_empty() => Deed::Sign,
        Action::Sign { shifts } => return Deed::SignOn { shifts: &list(lang, shifts) }.say(lang),
        Action::Priority { job, priority } => {
            Deed::Priority { job: job.as_str(), priority: *priority }
        }
        Action::Rerun { jobs } => {
            return Deed::Rerun { jobs: &list(lang, jobs) }.say(lang);
        }
        Action::Deadline { job, deadline, from, to } => {
            return deadline_moved(lang, (job.as_ref(), *deadline), (*from, *to));
        }
    }
    .say(lang)
}

fn deadline_moved(
    lang: Lang,
    (job, deadline): (Option<&JobName>, Deadline),
    (from, to): (Option<jiff::civil::Time>, jiff::civil::Time),
) -> String {
    let written = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    let from = &from.map(written).unwrap_or_default();
    let to = &written(to);
    match (job.map(JobName::as_str), deadline) {
        (None, Deadline::MustStartBy) => Deed::MoveStart { from, to },
        (None, Deadline::MustCompleteBy) => Deed::MoveComplete { from, to },
        (Some(job), Deadline::MustStartBy) => Deed::MoveStartOf { job, from, to },
        (Some(job), Deadline::MustCompleteBy) => Deed::MoveCompleteOf { job, from, to },
    }
    .say(lang)
}

pub fn open_point(lang: Lang, clock: &Clock<'_>, point: &OpenPoint) -> String {
    match point {
        OpenPoint::Unknown { job } => Fault::OpenUnknown { job: job.as_str() }.say(lang),
        OpenPoint::Held { job } => Fault::OpenHeld { job: job.as_str() }.say(lang),
        OpenPoint::ChangePartial { change } => {
            Fault::OpenChangePartial { change: change.as_str() }.say(lang)
        }
        OpenPoint::ChangeInDoubt { change } => {
            Fault::OpenChangeInDoubt { change: change.as_str() }.say(lang)
        }
        OpenPoint::RollbackFailed { change } => {
            Fault::OpenRollbackFailed { change: change.as_str() }.say(lang)
        }
        OpenPoint::Incident(line) => {
            let job = &incident_words::of_run(lang, clock, line);
            Fault::OpenIncident { incident: &line.id.to_string(), job }.say(lang)
        }
        OpenPoint::StartsMissed(missed) => super::starts::missed(lang, missed),
        OpenPoint::UnsentMail { count } => Fault::OpenUnsentMail { mails: *count }.say(lang),
    }
}

/// `Li Wei, Zhang Min`.
pub fn people(lang: Lang, people: &[Who]) -> String {
    list(lang, people.iter().map(|who| who.name.get(lang)))
}

/// When a job that did something ended; what waited for a time has no start, and ends when its time has come.
pub fn ended(job: &JobLine) -> Option<jiff::Timestamp> {
    let did = job.started.is_some() || matches!(job.state, JobState::Succeeded);
    job.ended.filter(|_| did)
}

/// From the first start to the end of the last attempt, or to now while it runs.
pub fn duration(head: &RunHead, job: &JobLine) -> Option<std::time::Duration> {
    job.started.map(|from| between(from, job.ended.unwrap_or(head.now)))
}

/// What else is to be said of a job in a table: why it stands so, what it missed, how long it took against its habit,
/// what its attempts left to note.
pub fn remarks(lang: Lang, clock: &Clock<'_>, head: &RunHead, job: &JobLine) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    let standing = standing_of(lang, clock, head, job);
    if !standing.is_empty() {
        remarks.push(standing);
    }
    if !job.critical {
        remarks.push(Label::NotCritical.say(lang).to_owned());
    }
    remarks.extend(job.late.iter().map(|missed| late(lang, clock, missed)));
    if let Some(long) = &job.ran_long {
        let (actual, usual) = (took(lang, long.actual.get()), took(lang, long.usual_p95.get()));
        remarks.push(Fault::TookLong { actual: &actual, usual: &usual }.say(lang));
    }
    remarks.extend(job.attempts.iter().flat_map(|attempt| attempt.notes.iter().cloned()));
    let not_well = job.checks.iter().filter(|check| check.verdict != CheckVerdict::Ok);
    remarks.extend(not_well.map(|check| inspection::finding(lang, check)));
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{after, running_night};

    /// A verdict of its own for each way that a run stands to its limit.
    #[test]
    fn verdicts() {
        let mut out = String::new();
        let limit = Some(after(540.0));
        let cases = [
            ("kept", Some(RunResult::Well), Some(462.0), None, limit),
            ("missed", Some(RunResult::Well), Some(551.0), None, limit),
            ("no limit", Some(RunResult::Well), Some(462.0), None, None),
            ("failed", Some(RunResult::Failed), Some(199.0), None, limit),
            ("failed, limit passed", Some(RunResult::Failed), Some(199.0), Some(600.0), limit),
            ("stopped", Some(RunResult::Stopped), Some(199.0), None, limit),
            ("running in time", None, None, Some(500.0), limit),
            ("running late", None, None, Some(560.0), limit),
            ("running, no forecast", None, None, None, limit),
            ("running, no limit", None, None, Some(500.0), None),
        ];
        for (what, result, ended, other, limit) in cases {
            let mut night = running_night();
            night.head.result = result;
            night.head.ended = ended.map(after);
            night.head.now = after(ended.unwrap_or(84.0));
            night.head.must_complete_by = limit;
            night.head.expected_end = if result.is_none() { other.map(after) } else { None };
            if result.is_some()
                && let Some(now) = other
            {
                night.head.now = after(now);
            }
            for lang in Lang::ALL {
                let verdict = verdict(lang, &night.head, &night.totals);
                out.push_str(&format!("{what}: {verdict}\n"));
            }
        }
        insta::assert_snapshot!(out);
    }
}
