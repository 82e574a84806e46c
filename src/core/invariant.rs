//! What must be true of every fact before it is taken in: always on, in production as in plans and made-up nights.
//!
//! Each rule is read from the [`State`] and the run's definition anew, and not from the [agenda](super::agenda), whose
//! books are what a defect would have put wrong. A broken rule ends the step: nothing of it is stored or acted upon.
//! A check costs what its own job has (its needs, its resources and those who hold them), never what the night has.

mod change;
mod given;
mod hand_overs;
mod hosts;
mod incidents;
mod inspections;
mod over;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::day_rule::Part;
use super::deadline::first_at_or_after;
use super::fact::{Fact, RunResult, Why};
use super::holders::Holders;
use super::needs::{self, Verdict};
use super::phase::Phase;
use super::received;
use super::rules::Rules;
use super::state::{Run, State, Unfit};
use crate::definition::site::{Kind, NeedOf};
use crate::types::{AttemptId, BatchId, BootId, HostName, JobName, Now, Outcome, RunId};

/// A fact that a rule forbids: a defect of nightrun, found before anything came of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{of}: `{fact}` was decided though {though}")]
pub struct Broken {
    /// The attempt, the job of a run, or the run.
    pub of: String,
    /// [`Fact::kind`].
    pub fact: &'static str,
    pub though: String,
}

impl From<Broken> for Unfit {
    fn from(broken: Broken) -> Self {
        Self::Broken(Box::new(broken))
    }
}

/// What a check looks at besides the fact.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) state: &'a State,
    pub(super) rules: &'a BTreeMap<String, Arc<Rules>>,
    pub(super) hosts: &'a BTreeMap<HostName, BootId>,
    pub(super) now: Now,
    /// In a look ahead nobody has approved or released what starts.
    pub(super) people_assumed: bool,
}

/// What the checks must find quickly. It only says where to look; the state says what is so.
#[derive(Debug, Default)]
pub(super) struct Watch {
    holders: Holders,
    /// Attempts that ended in this step, until it is decided what follows.
    without_verdict: Vec<(RunId, JobName)>,
}

impl Watch {
    /// For a state that was not built by checked facts.
    pub(super) fn of(state: &State) -> Self {
        Self { holders: Holders::of(state), without_verdict: Vec::new() }
    }

    /// Says no to a fact that a rule forbids. Called for each fact of a live step before it is applied, and not when
    /// history is taken in again.
    pub(super) fn check(&mut self, around: Around<'_>, fact: &Fact) -> Result<(), Broken> {
        let broken = |of: String, though: String| Broken { of, fact: fact.kind(), though };
        hand_overs::may(around.state, fact).map_err(|(of, why)| broken(of, why))?;
        incidents::may(around.state, fact).map_err(|(of, why)| broken(of, why))?;
        inspections::may(around.state, fact, around.now.wall)
            .map_err(|(of, why)| broken(of, why.to_owned()))?;
        match fact {
            Fact::AttemptIntended { attempt, host, boot, examine } => {
                let not = |why| broken(attempt.to_string(), why);
                let (run, index) = found(around.state, &attempt.run, &attempt.job).map_err(not)?;
                hosts::next_attempt(around, run, index, (attempt, host, boot)).map_err(not)?;
                if *examine {
                    change::examinable(run, index).map_err(not)?;
                } else {
                    startable(around, run, index, host).map_err(not)?;
                    self.holders.room(around.state, run, index, host).map_err(not)?;
                }
                self.holders.add(run, index, attempt.number, host);
            }
            Fact::AttemptStarted { attempt, .. } => {
                flying(around.state, attempt, &[Phase::Starting])
                    .map_err(|why| broken(attempt.to_string(), why))?;
            }
            Fact::AttemptEnded { ended, good } => {
                let id = &ended.attempt;
                let not = |why| broken(id.to_string(), why);
                let (run, index) =
                    flying(around.state, id, &[Phase::Starting, Phase::Running]).map_err(not)?;
                if run.jobs[index].attempts.last().is_some_and(|last| last.ended.is_some()) {
                    return Err(not("it has ended already".to_owned()));
                }
                if *good && !ended.ending.is_certain() {
                    return Err(not("nobody knows how it ended".to_owned()));
                }
                self.without_verdict.push((id.run.clone(), id.job.clone()));
            }
            Fact::RetryPlanned { run, job, .. }
            | Fact::Settled { run, job, .. }
            | Fact::InDoubt { run, job, .. }
            | Fact::Asked { run, job }
            | Fact::Reopened { run, job } => {
                let not = |why| broken(format!("{run} {job}"), why);
                let (of, index) = found(around.state, run, job).map_err(not)?;
                moved(around, of, index, fact).map_err(not)?;
                self.without_verdict.retain(|known| known.0 != *run || known.1 != *job);
            }
            Fact::DeadlineMissed { run, job, deadline, due } => {
                let not = |why: &str| broken(run.to_string(), why.to_owned());
                let of = around.state.runs.get(run).ok_or_else(|| not("there is no such run"))?;
                let same = |m: &super::state::Missed| m.deadline == *deadline && m.due == *due;
                if of.missed.iter().any(|m| m.job == *job && same(m)) {
                    return Err(not("it was noted before"));
                }
            }
            Fact::RunEnded { run, result } => {
                let not = |why| broken(run.to_string(), why);
                over::over(around.state, run, *result).map_err(not)?;
            }
            Fact::RunReopened { run } => {
                let result = around.state.runs.get(run).and_then(|run| run.result);
                if !matches!(
                    result,
                    Some(RunResult::Well | RunResult::Failed | RunResult::Cancelled)
                ) {
                    return Err(broken(run.to_string(), "it is not over".to_owned()));
                }
            }
            Fact::RunOpened(opened) => {
                if let Some(scheduled) = opened.scheduled {
                    undecided(around.state, &opened.batch, scheduled)
                        .map_err(|why| broken(opened.run.to_string(), why))?;
                }
                change::sealed(around.state, opened)
                    .map_err(|why| broken(opened.run.to_string(), why))?;
            }
            Fact::StartsMissed { batch, first, .. } => {
                undecided(around.state, batch, *first)
                    .map_err(|why| broken(batch.to_string(), why))?;
            }
            Fact::Frozen { .. }
            | Fact::SecondAsked { .. }
            | Fact::TokenMade { .. }
            | Fact::FigureEntered(_) => {
                if let Some(number) = given::before(&around.state.standing, fact) {
                    return Err(broken(number, "that number was given before".to_owned()));
                }
            }
            Fact::EventReceived(received)
                if around.state.standing.events.contains_key(&received.key) =>
            {
                return Err(broken(received.key.to_string(), "the key is known".to_owned()));
            }
            Fact::ChangeMoved { change, number, by, second, step, .. } => {
                change::next_step(around.state, change, *number, (by, second.as_ref()), step)
                    .map_err(|why| broken(change.to_string(), why))?;
            }
            Fact::SecondGiven { request, by, .. } => {
                let asked = around.state.standing.requests.get(request);
                if asked.is_none_or(|asked| asked.by == *by || asked.until <= around.now.wall) {
                    let why = "nobody else has asked for it, or no longer".to_owned();
                    return Err(broken(request.to_string(), why));
                }
            }
            // Meant by a supervisor whose journal is lost, and checked by it.
            Fact::AttemptRecovered { attempt, host, .. } => {
                let not = |why| broken(attempt.to_string(), why);
                let (run, index) = found(around.state, &attempt.run, &attempt.job).map_err(not)?;
                if run.jobs[index].phase.in_flight() {
                    return Err(not("the attempt before it has not ended".to_owned()));
                }
                self.holders.add(run, index, attempt.number, host);
            }
            Fact::RunLost(lost) if around.state.runs.contains_key(&lost.run) => {
                return Err(broken(lost.run.to_string(), "the journal has it".to_owned()));
            }
            Fact::RunArchived(archived) if around.state.runs.contains_key(&archived.run) => {
                return Err(broken(archived.run.to_string(), "it is at hand".to_owned()));
            }
            Fact::RunLost(_)
            | Fact::RunArchived(_)
            | Fact::StoreRestored { .. }
            | Fact::Unfrozen { .. }
            | Fact::PoolSized { .. }
            | Fact::PoolBack { .. }
            | Fact::HostDrained { .. }
            | Fact::HostUndrained { .. }
            | Fact::SecondUsed { .. }
            | Fact::PasswordSet { .. }
            | Fact::TokenRevoked { .. }
            | Fact::LoggedIn { .. }
            | Fact::LoginRefused { .. }
            | Fact::EventReceived(_)
            | Fact::EventForgotten { .. }
            | Fact::RunResumed { .. }
            | Fact::ScheduleTaken { .. }
            | Fact::DefinitionsTaken { .. }
            | Fact::DefinitionsRefused { .. }
            | Fact::AcrossKnown { .. }
            | Fact::Acted { .. }
            | Fact::ReportTold { .. }
            | Fact::IncidentOpened(_)
            | Fact::IncidentMoved(_)
            | Fact::IncidentClosed { .. }
            | Fact::RoundInspected(_)
            | Fact::InspectionsCounted(_)
            | Fact::HandOverOpened(_)
            | Fact::HandOverMoved(_)
            | Fact::HandOverForgotten { .. }
            | Fact::BulletinTold(_)
            | Fact::WeeklyTold(_)
            | Fact::Stopping { .. } => {}
        }
        Ok(())
    }

    /// At the end of a step: each ending has its verdict.
    pub(super) fn end_of_step(&mut self) -> Result<(), Broken> {
        match self.without_verdict.pop() {
            None => Ok(()),
            Some((run, job)) => Err(Broken {
                of: format!("{run} {job}"),
                fact: "attempt-ended",
                though: "nothing was decided about it in the same step".to_owned(),
            }),
        }
    }
}

/// A start of a schedule is made once or told as missed, and no earlier one after it. A plan makes starts of schedules
/// that it does not serve.
fn undecided(state: &State, batch: &BatchId, scheduled: Timestamp) -> Result<(), String> {
    match state.decided(batch) {
        None => Ok(()),
        Some(decided) if scheduled <= decided => {
            Err(format!("its starts up to {decided} have been decided"))
        }
        Some(_) => Ok(()),
    }
}

fn found<'a>(state: &'a State, run: &RunId, job: &JobName) -> Result<(&'a Run, usize), String> {
    let run = state.runs.get(run).ok_or("there is no such run")?;
    let index = run.index(job).ok_or("there is no such job")?;
    Ok((run, index))
}

/// Whether everything else that a start asks for is so.
fn startable(around: Around<'_>, run: &Run, index: usize, host: &HostName) -> Result<(), String> {
    match run.jobs[index].phase {
        Phase::Waiting => {}
        Phase::RetryWait { due, .. } if due <= around.now.since_boot => {}
        Phase::RetryWait { .. } => return Err("its wait is not over".to_owned()),
        ref phase => return Err(format!("the job does not wait: {phase:?}")),
    }
    going(around, run, index)?;
    match change::under_rules(run, index) {
        Some(of) => change::may_begin(around, (run, index), of, host),
        None => windows::window_open(around, run, index, host),
    }
}

/// Nothing that people or other jobs decide keeps the job: needs, day, holds; and nobody stops its run.
fn going(around: Around<'_>, run: &Run, index: usize) -> Result<(), String> {
    if run.stopping.is_some() {
        return Err("its run is being stopped".to_owned());
    }
    if run.cancelled.is_some() {
        return Err("its run was cancelled".to_owned());
    }
    free(around, run, index)
}

/// The same in a run that is being stopped: a person may still say yes there.
fn free(around: Around<'_>, run: &Run, index: usize) -> Result<(), String> {
    let job = &run.jobs[index];
    if let Some(result) = run.result {
        return Err(format!("its run is over: {result:?}"));
    }
    if job.held.is_some() {
        return Err("it is held".to_owned());
    }
    if !job.asked {
        return Err("nobody asked for it".to_owned());
    }
    let verdict = needs(around.state, run, index);
    if verdict != Verdict::Go {
        return Err(format!("its needs are not fulfilled: {verdict:?}"));
    }
    match day(around, run, index)? {
        Part::Yes => Ok(()),
        Part::No { reason } => Err(format!("it takes no part on that day: {reason}")),
        Part::Unknown { why } => Err(format!("it is not known whether it is its day: {why}")),
    }
}

/// All needs of a job together, from the words of the definition.
fn needs(state: &State, run: &Run, index: usize) -> Verdict {
    let one = |need: &crate::definition::site::Need| match &need.of {
        NeedOf::Job(name) => {
            let Some(before) = run.index(name) else { return Verdict::Wait };
            let outcome = run.jobs[before].phase.outcome();
            needs::verdict(outcome, run.job(before).critical, need.when)
        }
        NeedOf::Across { .. } if run.opened.trial => Verdict::Go,
        NeedOf::Across { job, offset } => {
            let same =
                |known: &&super::fact::AcrossNeed| known.job == *job && known.offset == *offset;
            match run.opened.across.iter().find(same) {
                // An order without it was one for which it means nothing.
                None => Verdict::Go,
                Some(known) if known.counts_as_done => Verdict::Go,
                Some(known) => {
                    let stands = state.across.get(&(job.clone(), known.date)).copied().flatten();
                    needs::verdict(stands, true, need.when)
                }
            }
        }
    };
    needs::together(run.job(index).needs.iter().map(one))
}

fn day(around: Around<'_>, run: &Run, index: usize) -> Result<Part, String> {
    let Some(rule) = &run.job(index).days else { return Ok(Part::Yes) };
    let rules = rules(around, run)?;
    let date = run.opened.business_date.0;
    Ok(rules.calendars.takes_part(rule, run.batch.calendar.as_ref(), date))
}

fn rules<'a>(around: Around<'a>, run: &Run) -> Result<&'a Rules, String> {
    let known = around.rules.get(&run.opened.definition);
    known.map(|rules| &**rules).ok_or_else(|| "its run's definition is not known".to_owned())
}

/// A job moves otherwise than by starting.
fn moved(around: Around<'_>, run: &Run, index: usize, fact: &Fact) -> Result<(), String> {
    let job = &run.jobs[index];
    let ended = job.attempts.last().filter(|last| job.phase.in_flight() && last.ended.is_some());
    match fact {
        Fact::RetryPlanned { .. } | Fact::InDoubt { .. } => match ended {
            None => Err("no attempt of it has ended just now".to_owned()),
            Some(last) if last.good == Some(true) => Err("its attempt ended well".to_owned()),
            Some(_) => Ok(()),
        },
        Fact::Settled { outcome, why, .. } => settled(around, run, index, (*outcome, why)),
        Fact::Asked { .. }
            if !matches!(run.job(index).kind, Kind::Confirm { .. } | Kind::WaitEvent { .. }) =>
        {
            Err("it asks for no confirmation, and for no event".to_owned())
        }
        Fact::Asked { .. } if job.phase != Phase::Waiting || job.asked_at.is_some() => {
            Err("it does not begin to wait for a person, or for its event".to_owned())
        }
        Fact::Asked { .. } => going(around, run, index),
        Fact::Reopened { .. } if job.phase.in_flight() => {
            Err("an attempt of it may be running".to_owned())
        }
        _ => Ok(()),
    }
}

fn settled(
    around: Around<'_>,
    run: &Run,
    index: usize,
    (outcome, why): (Outcome, &Why),
) -> Result<(), String> {
    let job = &run.jobs[index];
    if let Some(result) = run.result {
        return Err(format!("its run is over: {result:?}"));
    }
    if job.phase.outcome().is_some() && !matches!(why, Why::Person { .. }) {
        return Err("it is settled already, and only a person changes that".to_owned());
    }
    if job.phase.in_flight() != matches!(why, Why::Attempt { .. }) {
        return Err(format!("{why:?} decides nothing about a job that is {:?}", job.phase));
    }
    let waited = matches!(why, Why::NoEvent { .. });
    // Of a change that waits to go on two people may still say that it is not applied.
    let decided = matches!(why, Why::Person { .. })
        && matches!(run.job(index).kind, Kind::Change { .. })
        && !job.attempts.is_empty();
    let failed = outcome == Outcome::Failed;
    if job.phase == Phase::Waiting && failed != waited && !(failed && decided) {
        return Err(format!("it waits, and {why:?} does not make that {outcome:?}"));
    }
    match why {
        Why::Attempt { attempt } => {
            let last = job.attempts.last().filter(|last| last.number == attempt.number);
            let good = last.and_then(|last| last.ended.as_ref().and(last.good));
            let wanted = good.map(|good| if good { Outcome::Succeeded } else { Outcome::Failed });
            if wanted != Some(outcome) {
                return Err(format!("{attempt} does not say so"));
            }
            Ok(())
        }
        Why::TimeCame => {
            let Kind::WaitUntil { time } = run.job(index).kind else {
                return Err("it does not wait for a time".to_owned());
            };
            let due = first_at_or_after(run.opened.anchor, time, &run.batch.zone);
            if due > around.now.wall {
                return Err(format!("its time comes at {due}"));
            }
            going(around, run, index)
        }
        Why::EventCame { event, .. } | Why::NoEvent { event, .. } => {
            received::holds(around.state, (run, index), (event, why), around.now.wall)?;
            going(around, run, index)
        }
        Why::NotItsDay { .. } => match day(around, run, index)? {
            Part::Yes => Err("it is its day".to_owned()),
            _ => Ok(()),
        },
        Why::NotAsked if job.asked => Err("it was asked for".to_owned()),
        Why::NotAsked => Ok(()),
        Why::Need { .. } => {
            let verdict = needs(around.state, run, index);
            match (verdict, outcome) {
                (Verdict::Blocked, Outcome::Blocked)
                | (Verdict::LeftOut, Outcome::NotScheduled) => Ok(()),
                _ => Err(format!("its needs say {verdict:?}")),
            }
        }
        Why::Person { .. } if outcome == Outcome::Succeeded => {
            if !matches!(run.job(index).kind, Kind::Confirm { .. }) {
                return Err("it asks for no confirmation".to_owned());
            }
            free(around, run, index)
        }
        Why::Person { .. } if outcome == Outcome::Cancelled && run.cancelled.is_none() => {
            Err("nobody has cancelled its run".to_owned())
        }
        Why::Person { .. } => Ok(()),
    }
}

/// The latest attempt of its job, in one of the phases.
fn flying<'a>(
    state: &'a State,
    attempt: &AttemptId,
    phases: &[Phase],
) -> Result<(&'a Run, usize), String> {
    let (run, index) = found(state, &attempt.run, &attempt.job)?;
    let job = &run.jobs[index];
    if job.attempts.last().is_none_or(|last| last.number != attempt.number) {
        return Err("it is not the latest attempt of its job".to_owned());
    }
    if !phases.contains(&job.phase) {
        return Err(format!("its job is {:?}", job.phase));
    }
    Ok((run, index))
}

#[cfg(test)]
#[path = "invariant_tests.rs"]
mod tests;
