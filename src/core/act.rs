//! What operators may do, and when. Each action is checked against its rule before anything changes.

use super::fact::{Action, Fact, RunResult, Why};
use super::gate;
use super::needs::Verdict;
use super::night::{Command, Mover, StepError};
use super::phase::Phase;
use super::refused::Refused;
use super::state::{Run, Unfit};
use crate::definition::site::Kind;
use crate::types::{JobName, Outcome, PersonId, RunId};

impl Mover<'_> {
    pub(super) fn act(
        &mut self,
        run: &RunId,
        by: PersonId,
        reason: String,
        action: Action,
    ) -> Result<(), StepError> {
        let state = self.core.state.runs.get(run).ok_or_else(|| {
            StepError::from(Refused::new(format!("no run {run} is under way here")))
        })?;
        not_stopped(state, &action)?;
        let index = match job_of(&action) {
            Some(job) => Some(state.index(job).ok_or_else(|| no_such_job(state, job))?),
            None => None,
        };
        if let Some(index) = index {
            allowed(self, state, index, &action, &by)?;
        }
        let fact = Fact::Acted {
            run: run.clone(),
            by: by.clone(),
            reason: reason.clone(),
            action: action.clone(),
        };
        self.emit(fact)?;
        let Some(index) = index else { return Ok(()) };
        let why = Why::Person { by, reason };
        match action {
            Action::Hold { .. } | Action::Note { .. } => {}
            Action::Release { .. } => self.core.agenda.touch(run, index),
            Action::Skip { .. } => self.decide(run, index, Outcome::Skipped, why)?,
            Action::Force { .. } => self.decide(run, index, Outcome::Forced, why)?,
            Action::Confirm { .. } => self.decide(run, index, Outcome::Succeeded, why)?,
            Action::Retry { .. } => self.again(run, &[index])?,
            Action::Kill { .. } => {
                let state = self.core.state.run(run)?;
                if let Some(attempt) = super::progress::flying(state, index) {
                    self.command(Command::Kill { attempt, now: false });
                }
            }
        }
        Ok(())
    }

    fn decide(
        &mut self,
        run: &RunId,
        index: usize,
        outcome: Outcome,
        why: Why,
    ) -> Result<(), StepError> {
        self.reopen_run(run)?;
        self.settle(run, index, outcome, why)?;
        self.reopen_blocked(run, index)?;
        Ok(())
    }

    /// Jobs that have come to an end (or to a doubt) wait again, and what was blocked behind them too.
    pub(super) fn again(&mut self, run: &RunId, indices: &[usize]) -> Result<(), Unfit> {
        self.reopen_run(run)?;
        for index in indices {
            let job = self.core.state.run(run)?.job(*index).name.clone();
            if self.core.state.run(run)?.jobs[*index].phase != Phase::Waiting {
                self.move_job(run, *index, Fact::Reopened { run: run.clone(), job })?;
            }
            self.reopen_blocked(run, *index)?;
        }
        Ok(())
    }

    fn reopen_run(&mut self, run: &RunId) -> Result<(), Unfit> {
        // What was stopped goes on when it is resumed, not before.
        let result = self.core.state.run(run)?.result;
        if result.is_some_and(|result| result != RunResult::Stopped) {
            self.emit(Fact::RunReopened { run: run.clone() })?;
            self.core.agenda.enlist(self.core.state.run(run)?);
        }
        Ok(())
    }

    /// Everything that was settled only because of what stood before it.
    fn reopen_blocked(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        let mut todo: Vec<usize> = vec![index];
        while let Some(index) = todo.pop() {
            let state = self.core.state.run(run)?;
            let because: Vec<usize> = state
                .graph
                .successors(index)
                .map(|(successor, _)| successor)
                .filter(|successor| {
                    matches!(
                        state.jobs[*successor].phase,
                        Phase::Settled { why: Why::Need { .. }, .. }
                    )
                })
                .collect();
            for successor in because {
                let job = self.core.state.run(run)?.job(successor).name.clone();
                self.move_job(run, successor, Fact::Reopened { run: run.clone(), job })?;
                todo.push(successor);
            }
        }
        Ok(())
    }

    pub(super) fn rerun(
        &mut self,
        run: &RunId,
        jobs: &[JobName],
        by: PersonId,
        reason: &str,
    ) -> Result<(), StepError> {
        let state = self
            .core
            .state
            .runs
            .get(run)
            .ok_or_else(|| Refused::new(format!("no run {run} is known here")))?;
        if state.result == Some(RunResult::Stopped) {
            return Err(stopped(state).into());
        }
        let mut indices = Vec::new();
        for job in jobs {
            let index = state.index(job).ok_or_else(|| no_such_job(state, job))?;
            if state.jobs[index].phase.in_flight() {
                let hint = format!("wait for it, or `nightrun kill {}.{job}` first", run.batch);
                return Err(Refused::new(format!("{job} is running")).hint(hint).into());
            }
            indices.push(index);
        }
        for job in jobs {
            self.emit(Fact::Acted {
                run: run.clone(),
                by: by.clone(),
                reason: reason.to_owned(),
                action: Action::Retry { job: job.clone() },
            })?;
        }
        // From the end of the graph to its beginning: each is open before what it needs is opened again.
        Ok(self.again(run, &indices)?)
    }
}

fn job_of(action: &Action) -> Option<&JobName> {
    match action {
        Action::Hold { job }
        | Action::Release { job }
        | Action::Skip { job }
        | Action::Force { job }
        | Action::Retry { job }
        | Action::Kill { job }
        | Action::Confirm { job } => Some(job),
        Action::Note { job, .. } => job.as_ref(),
    }
}

fn no_such_job(run: &Run, job: &JobName) -> StepError {
    let refused = Refused::new(format!("batch {} has no job {job}", run.batch.id));
    let known = run.batch.jobs.iter().map(|job| job.name.as_str());
    match crate::definition::nearest::hint(job.as_str(), known) {
        Some(hint) => refused.hint(hint).into(),
        None => refused.into(),
    }
}

/// A stopped run is not set going again by an action on one of its jobs.
fn not_stopped(run: &Run, action: &Action) -> Result<(), Refused> {
    let moves =
        !matches!(action, Action::Hold { .. } | Action::Release { .. } | Action::Note { .. });
    if moves && run.result == Some(RunResult::Stopped) {
        return Err(stopped(run));
    }
    Ok(())
}

fn stopped(run: &Run) -> Refused {
    Refused::new(format!("run {} was stopped", run.id())).hint("resume it first: `nightrun resume`")
}

/// The rules: which action each phase allows.
fn allowed(
    mover: &Mover<'_>,
    run: &Run,
    index: usize,
    action: &Action,
    by: &PersonId,
) -> Result<(), Refused> {
    let state = &run.jobs[index];
    let name = &run.job(index).name;
    let is = |what: &str| Refused::new(format!("{name} {what}"));
    let now = word(&state.phase);
    match action {
        Action::Hold { .. } if state.held.is_some() => Err(is("is held already")),
        Action::Hold { .. } => match state.phase {
            Phase::Waiting | Phase::RetryWait { .. } => Ok(()),
            _ => Err(is(now).hint("only a job that has not started can be held")),
        },
        Action::Release { .. } if state.held.is_none() => Err(is("is not held")),
        Action::Release { .. } | Action::Note { .. } => Ok(()),
        Action::Skip { .. } | Action::Force { .. } => match &state.phase {
            Phase::Starting | Phase::Running => {
                Err(is(now).hint(format!("`nightrun kill {}.{name}` ends it", run.batch.id)))
            }
            Phase::Settled { outcome: Outcome::Failed | Outcome::Blocked, .. }
            | Phase::Waiting
            | Phase::RetryWait { .. }
            | Phase::InDoubt { .. } => Ok(()),
            Phase::Settled { .. } => Err(is(now)),
        },
        Action::Retry { .. } => match &state.phase {
            Phase::Settled { outcome: Outcome::Failed, .. }
            | Phase::RetryWait { .. }
            | Phase::InDoubt { .. } => Ok(()),
            Phase::Settled { outcome: Outcome::Blocked, .. } => {
                Err(is(now).hint("retry the job that it waits for"))
            }
            Phase::Settled { .. } => Err(is(now)
                .hint(format!("`nightrun run {} --from {name}` runs it again", run.batch.id))),
            _ => Err(is(now)),
        },
        Action::Kill { .. } if state.phase.in_flight() => Ok(()),
        Action::Kill { .. } => Err(is(now).hint("only a running job can be killed")),
        Action::Confirm { .. } => confirmable(mover, run, index, by),
    }
}

fn confirmable(mover: &Mover<'_>, run: &Run, index: usize, by: &PersonId) -> Result<(), Refused> {
    let name = &run.job(index).name;
    let Kind::Confirm { role, .. } = &run.job(index).kind else {
        return Err(Refused::new(format!("{name} asks for no confirmation")));
    };
    if let Some(role) = role
        && !run.site.people.get(by).is_some_and(|person| person.roles.contains(role))
    {
        return Err(Refused::new(format!(
            "{name} is confirmed by somebody with the role `{role}`"
        ))
        .hint(format!("{by} has not that role in people.yaml")));
    }
    if run.jobs[index].phase != Phase::Waiting {
        return Err(Refused::new(format!("{name} {}", word(&run.jobs[index].phase))));
    }
    let ready = gate::needs_verdict(&mover.core.state, run, index) == Verdict::Go;
    if !ready {
        return Err(Refused::new(format!("it is too early to confirm {name}"))
            .hint("what it needs is not done yet"));
    }
    if run.jobs[index].held.is_some() {
        return Err(Refused::new(format!("{name} is held")).hint("release it first"));
    }
    Ok(())
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting => "has not started",
        Phase::Starting => "is being started",
        Phase::Running => "is running",
        Phase::RetryWait { .. } => "waits for its next try",
        Phase::InDoubt { .. } => "is in doubt",
        Phase::Settled { outcome, .. } => match outcome {
            Outcome::Succeeded => "has ended well",
            Outcome::Failed => "has failed",
            Outcome::Skipped => "was skipped",
            Outcome::NotScheduled => "takes no part in this run",
            Outcome::Forced => "was forced complete",
            Outcome::Blocked => "is blocked",
        },
    }
}
