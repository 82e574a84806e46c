//! Phrases that report, mail, status and events share: how a run stands, how an attempt ended, why a job stands as it
//! does, what a person did.

use crate::core::fact::{Action, Deadline, RunResult};
use crate::render::clock::{Clock, between, took};
use crate::render::day_words;
use crate::render::why::{self, Place};
use crate::render::words::{Because, Deed, Fault, Label, Planned, Verdict, list, paragraph, sentence};
use crate::types::{Ending, Lang};
use crate::view::Who;
use crate::view::job::{AttemptLine, JobLine, JobState, Late, LeftOut};
use crate::view::report::{Act, OpenPoint};
use crate::view::run::{DeadlineState, RunHead, Totals};

/// `Done on time at 05:12, limit 06:30. 24 of 25 jobs ended well; 1 non-critical failed.`
pub fn verdict(lang: Lang, head: &RunHead, totals: &Totals) -> String {
    let mut sentences = vec![standing(lang, head)];
    if totals.taking_part > 0 {
        sentences.push(numbers(lang, totals));
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

fn numbers(lang: Lang, totals: &Totals) -> String {
    let jobs = totals.taking_part;
    let first = if totals.well == jobs {
        Verdict::AllWell { jobs }
    } else {
        Verdict::WellOf { well: totals.well, jobs }
    };
    let other = totals.failed - totals.failed_critical;
    let counts: [(u32, fn(u32) -> Verdict<'static>); 9] = [
        (totals.failed_critical, |jobs| Verdict::FailedCritical { jobs }),
        (other, |jobs| Verdict::FailedOther { jobs }),
        (totals.unknown, |jobs| Verdict::Unknown { jobs }),
        (totals.blocked, |jobs| Verdict::Blocked { jobs }),
        (totals.held, |jobs| Verdict::Held { jobs }),
        (totals.forced, |jobs| Verdict::Forced { jobs }),
        (totals.skipped, |jobs| Verdict::Skipped { jobs }),
        (totals.running, |jobs| Verdict::NowRunning { jobs }),
        (totals.waiting, |jobs| Verdict::Waiting { jobs }),
    ];
    let mut parts = vec![first.say(lang)];
    parts.extend(counts.iter().filter(|(n, _)| *n > 0).map(|(n, say)| say(*n).say(lang)));
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
        (Some(from), None) => {
            Fault::AttemptRuns { number, at: &clock.exactly(from) }.say(lang)
        }
        (None, _) => Fault::AttemptNever { number, ending: &how }.say(lang),
    }
}

/// `Failed at 02:14:10 after 3 attempts; the last: exit code 3.`
pub fn failed(lang: Lang, clock: &Clock<'_>, job: &JobLine) -> Option<String> {
    let last = job.last_failed()?;
    let how = ending(lang, last.ending.as_ref()?, last.good);
    let at = clock.exactly(last.ended.or(job.ended)?);
    let attempts = u32::try_from(job.attempts.len()).unwrap_or(u32::MAX);
    Some(Fault::FailedAt { at: &at, ending: &how, attempts }.say(lang))
}

/// Why a job stands as it does; empty where the state says it all.
pub fn standing_of(lang: Lang, clock: &Clock<'_>, head: &RunHead, job: &JobLine) -> String {
    let place = Place {
        lang,
        clock,
        batch: &head.batch,
        job: &job.name,
        date: head.business_date,
    };
    match &job.state {
        JobState::Waiting { reasons } => {
            reasons.first().map(|reason| why::sentence(place, reason)).unwrap_or_default()
        }
        JobState::Held { by, reason }
        | JobState::Skipped { by, reason }
        | JobState::Forced { by, reason } => {
            Deed::By { who: by.name.get(lang), reason }.say(lang)
        }
        JobState::RetryWait { at } => {
            let attempt = job.attempts.last().map_or(1, |last| last.number + 1);
            Because::RetryAt { attempt, at: &clock.exactly(*at) }.say(lang)
        }
        JobState::NotScheduled { why } => left_out(lang, why),
        JobState::Blocked { by } => list(lang, by),
        JobState::Unknown { why } => why.clone(),
        JobState::Failed => job
            .last_failed()
            .and_then(|last| Some(ending(lang, last.ending.as_ref()?, last.good)))
            .unwrap_or_default(),
        JobState::Starting | JobState::Running | JobState::Succeeded => String::new(),
    }
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
        Act::Do(action) => match action {
            Action::Hold { job } => Deed::Hold { job: job.as_str() },
            Action::Release { job } => Deed::Release { job: job.as_str() },
            Action::Skip { job } => Deed::Skip { job: job.as_str() },
            Action::Force { job } => Deed::Force { job: job.as_str() },
            Action::Retry { job } => Deed::Retry { job: job.as_str() },
            Action::Kill { job } => Deed::Kill { job: job.as_str() },
            Action::Confirm { job } => Deed::Confirm { job: job.as_str() },
            Action::Note { job: None, text } => Deed::Note { text },
            Action::Note { job: Some(job), text } => Deed::NoteOn { job: job.as_str(), text },
        },
        Act::WindowOverride => Deed::Override,
        Act::Stop => Deed::Stop,
        Act::Resume => Deed::Resume,
    }
    .say(lang)
}

pub fn open_point(lang: Lang, point: &OpenPoint) -> String {
    match point {
        OpenPoint::Unknown { job } => Fault::OpenUnknown { job: job.as_str() }.say(lang),
        OpenPoint::Held { job } => Fault::OpenHeld { job: job.as_str() }.say(lang),
        OpenPoint::ChangeInDoubt { change } => {
            Fault::OpenChangeInDoubt { change: change.as_str() }.say(lang)
        }
        OpenPoint::RollbackFailed { change } => {
            Fault::OpenRollbackFailed { change: change.as_str() }.say(lang)
        }
        OpenPoint::Incident { id, job } => {
            Fault::OpenIncident { incident: &id.to_string(), job: job.as_str() }.say(lang)
        }
        OpenPoint::UnsentMail { count } => Fault::OpenUnsentMail { mails: *count }.say(lang),
    }
}

/// `Li Wei, Zhang Min`.
pub fn people(lang: Lang, people: &[Who]) -> String {
    list(lang, people.iter().map(|who| who.name.get(lang)))
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
    remarks
}
