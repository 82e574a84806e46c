//! From a fact to the one line that a run prints of it.

use std::time::Duration;

use jiff::Timestamp;

use super::Who;
use super::event::{Event, EventLine};
use super::of_incident;
use super::of_job::{blocked_by, left_out, took};
use super::report::Act;
use crate::core::fact::{Action, Fact, Why};
use crate::core::state::{Attempt, Run, State};
use crate::definition::site::{Kind, Site};
use crate::types::{AttemptId, JobName, Outcome, PersonId, Span};

/// The line of a fact, from the state right after it. `None` for facts that need none of their own: the intent (its
/// start follows), an outcome that the ending just told, knowledge of other runs.
pub fn event(after: &State, at: Timestamp, fact: &Fact) -> Option<EventLine> {
    let run = after.runs.get(fact.run()?)?;
    let what = match fact {
        Fact::RunOpened(opened) => Event::RunOpened {
            run: opened.run.clone(),
            business_date: opened.business_date,
            jobs: run.jobs.len() as u32,
            trial: opened.trial,
        },
        Fact::RunResumed { run: id, .. } => {
            Event::RunResumed { run: id.clone(), running: run.in_flight as u32 }
        }
        Fact::RunReopened { run } => Event::RunReopened { run: run.clone() },
        Fact::RunEnded { run: id, result } => Event::RunEnded {
            run: id.clone(),
            result: *result,
            took: between(run.opened_at, at),
            exit_code: result.exit_code(),
        },
        Fact::Asked { job, .. } => match &run.job(run.index(job)?).kind {
            Kind::Confirm { question, .. } => {
                Event::WaitsForPerson { job: job.clone(), question: question.clone() }
            }
            Kind::WaitEvent { event, .. } => {
                Event::WaitsForEvent { job: job.clone(), awaited: event.clone() }
            }
            _ => return None,
        },
        Fact::Stopping { how, .. } => Event::Stopping { how: *how, running: run.in_flight as u32 },
        Fact::AttemptStarted { attempt: id, .. } => Event::Started {
            job: id.job.clone(),
            attempt: id.number,
            examine: attempt(run, id).is_some_and(|attempt| attempt.examine),
        },
        Fact::AttemptEnded { ended, good } => Event::Ended {
            job: ended.attempt.job.clone(),
            attempt: ended.attempt.number,
            ending: ended.ending.clone(),
            good: *good,
            took: attempt(run, &ended.attempt).and_then(took),
        },
        Fact::RetryPlanned { job, wait, .. } => {
            let next = run.jobs.get(run.index(job)?)?.attempts.len() as u32 + 1;
            Event::RetryPlanned {
                job: job.clone(),
                attempt: next,
                wait: *wait,
                stopping: run.stopping.is_some(),
            }
        }
        Fact::Settled { job, outcome, why, .. } => settled(run, job, *outcome, why)?,
        Fact::Reopened { job, .. } => Event::Reopened { job: job.clone() },
        Fact::InDoubt { job, why, .. } => Event::InDoubt { job: job.clone(), why: why.clone() },
        Fact::DeadlineMissed { job, deadline, due, .. } => {
            Event::DeadlineMissed { job: job.clone(), deadline: *deadline, due: *due }
        }
        Fact::IncidentOpened(opened) => Event::IncidentOpened {
            incident: opened.incident,
            job: opened.job.clone(),
            fault: opened.fault.clone(),
            blocks: u32::try_from(opened.blocks.len()).unwrap_or(u32::MAX),
            told: opened.notify.iter().map(|id| Who::of(&run.site, id)).collect(),
        },
        Fact::IncidentMoved(moved) => Event::IncidentMoved {
            incident: moved.incident,
            step: Box::new(of_incident::step(&run.site, at, moved)),
        },
        Fact::IncidentClosed { incident, job, .. } => {
            Event::IncidentClosed { incident: *incident, job: job.clone() }
        }
        Fact::Acted { by, reason, action, second, .. } => Event::Acted {
            by: Who::of(&run.site, by),
            act: act_of(&run.site, action, second.as_ref()),
            reason: reason_besides(action, reason),
        },
        Fact::AttemptIntended { .. }
        | Fact::ReportTold { .. }
        | Fact::AcrossKnown { .. }
        | Fact::ScheduleTaken { .. }
        | Fact::DefinitionsTaken { .. }
        | Fact::DefinitionsRefused { .. }
        | Fact::StartsMissed { .. }
        | Fact::Frozen { .. }
        | Fact::Unfrozen { .. }
        | Fact::PoolSized { .. }
        | Fact::PoolBack { .. }
        | Fact::HostDrained { .. }
        | Fact::HostUndrained { .. }
        | Fact::SecondAsked { .. }
        | Fact::SecondGiven { .. }
        | Fact::SecondUsed { .. }
        | Fact::PasswordSet { .. }
        | Fact::TokenMade { .. }
        | Fact::TokenRevoked { .. }
        | Fact::LoggedIn { .. }
        | Fact::LoginRefused { .. }
        | Fact::StoreRestored { .. }
        | Fact::AttemptRecovered { .. }
        | Fact::RunLost(_)
        | Fact::RunArchived(_)
        | Fact::ChangeMoved { .. }
        | Fact::EventReceived(_)
        | Fact::EventForgotten { .. }
        | Fact::WeeklyTold(_)
        | Fact::BulletinTold(_)
        | Fact::RoundInspected(_)
        | Fact::InspectionsCounted(_)
        | Fact::FigureEntered(_)
        | Fact::HandOverOpened(_)
        | Fact::HandOverMoved(_)
        | Fact::HandOverForgotten { .. } => return None,
    };
    Some(EventLine { at, what })
}

/// What one person did, or two.
pub(super) fn act_of(site: &Site, action: &Action, second: Option<&PersonId>) -> Act {
    let action = action.clone();
    match second {
        None => Act::Do(action),
        Some(second) => Act::ByTwo { action, second: Who::of(site, second) },
    }
}

/// The reason, where it says more than the action does: a note is its own reason.
pub(super) fn reason_besides(action: &Action, reason: &str) -> String {
    match action {
        Action::Note { text, .. } if text == reason => String::new(),
        _ => reason.to_owned(),
    }
}

fn settled(run: &Run, job: &JobName, outcome: Outcome, why: &Why) -> Option<Event> {
    let index = run.index(job)?;
    if outcome == Outcome::Succeeded && matches!(why, Why::Attempt { .. }) {
        return None;
    }
    let left_out = left_out(run, index, why).filter(|_| outcome == Outcome::NotScheduled);
    let blocked_by = if outcome == Outcome::Blocked { blocked_by(run, index) } else { Vec::new() };
    Some(Event::Settled { job: job.clone(), outcome, left_out, blocked_by })
}

fn attempt<'a>(run: &'a Run, id: &AttemptId) -> Option<&'a Attempt> {
    let job = run.jobs.get(run.index(&id.job)?)?;
    job.attempts.iter().find(|attempt| attempt.number == id.number)
}

fn between(from: Timestamp, to: Timestamp) -> Span {
    Span::of(Duration::try_from(to.duration_since(from)).unwrap_or_default())
}
