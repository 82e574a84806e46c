//! What operators do. Each action is checked against its rule ([`super::allowed`]) before anything changes.

use super::allowed::{allowed, needs_two};
use super::fact::{Action, Fact, Proposed, RunResult, Why};
use super::night::{Command, Mover, StepError};
use super::phase::Phase;
use super::refused::{Refused, Rule};
use super::select::{Deed, Which};
use super::state::{Run, Unfit};
use crate::types::{JobName, Outcome, PersonId, RunId};

/// Who acts, and why.
#[derive(Debug, Clone)]
pub(super) struct By {
    pub(super) person: PersonId,
    pub(super) reason: String,
    /// The second person, once there is one.
    pub(super) second: Option<PersonId>,
}

impl By {
    pub(super) fn alone(person: PersonId, reason: String) -> Self {
        Self { person, reason, second: None }
    }
}

impl Mover<'_> {
    /// Does to each of what is selected what is asked, as far as it is allowed; what is not is named with its rule. It is
    /// refused where nothing of it is allowed.
    pub(super) fn act_on(
        &mut self,
        run: &RunId,
        by: By,
        which: &Which,
        deed: &Deed,
    ) -> Result<(), StepError> {
        let actions = deed.actions(self.known_run(run)?, which)?;
        self.acts(run, &by, actions)
    }

    pub(super) fn acts(
        &mut self,
        run: &RunId,
        by: &By,
        actions: Vec<Action>,
    ) -> Result<(), StepError> {
        let state = self.known_run(run)?;
        let (mut wanted, mut left) = (Vec::new(), Vec::new());
        for action in actions {
            match allowed(self, state, &action, &by.person) {
                Ok(()) => wanted.push(action),
                Err(refused) => left.push((action, refused)),
            }
        }
        if wanted.is_empty() {
            return Err(none_of(left).into());
        }
        if by.second.is_none() && wanted.iter().any(|action| needs_two(state, action)) {
            let acts = Proposed::Acts { run: run.clone(), actions: wanted };
            self.turn.left.extend(left);
            return self.ask_second(by, acts);
        }
        for action in wanted {
            // What was done before it may have taken care of it.
            match allowed(self, self.known_run(run)?, &action, &by.person) {
                Ok(()) => self.carry_out(run, by, action)?,
                Err(refused) => left.push((action, refused)),
            }
        }
        self.turn.left.extend(left);
        Ok(())
    }

    fn known_run(&self, run: &RunId) -> Result<&Run, Refused> {
        let known = self.core.state.runs.get(run);
        known.ok_or_else(|| {
            Refused::by(Rule::NoSuchRun, format!("no run {run} is known here"))
                .hint("`nightrun runs` lists them")
        })
    }

    pub(super) fn carry_out(
        &mut self,
        run: &RunId,
        by: &By,
        action: Action,
    ) -> Result<(), StepError> {
        let state = self.core.state.run(run)?;
        let index = action.job().and_then(|job| state.index(job));
        let action = match action {
            Action::Deadline { job, deadline, to, .. } => {
                let from = state.deadline(index, deadline);
                Action::Deadline { job, deadline, from, to }
            }
            other => other,
        };
        self.emit(Fact::Acted {
            run: run.clone(),
            by: by.person.clone(),
            reason: by.reason.clone(),
            action: action.clone(),
            second: by.second.clone(),
        })?;
        let why = || Why::Person { by: by.person.clone(), reason: by.reason.clone() };
        match (action, index) {
            (Action::Cancel, _) => self.cancel(run)?,
            (Action::ReleaseChanges { .. } | Action::WatchChanges, _) => self.manned(run)?,
            (Action::Rerun { jobs }, _) => {
                let state = self.core.state.run(run)?;
                let over = jobs.iter().filter_map(|job| state.index(job));
                let over: Vec<usize> =
                    over.filter(|index| !state.jobs[*index].phase.is_open()).collect();
                self.again(run, &over)?;
            }
            (Action::Deadline { deadline, .. }, index) => {
                let state = self.core.state.run(run)?;
                self.core.agenda.watch_moved(state, index, deadline);
            }
            (Action::Priority { .. }, Some(index)) => {
                self.core.agenda.leave_queue(run, index);
                self.core.agenda.touch(run, index);
            }
            (Action::Release { .. }, Some(index)) => self.core.agenda.touch(run, index),
            (Action::Skip { .. }, Some(index)) => {
                self.decide(run, index, Outcome::Skipped, why())?;
            }
            (Action::Force { .. }, Some(index)) => {
                self.decide(run, index, Outcome::Forced, why())?;
            }
            (Action::Confirm { .. }, Some(index)) => {
                self.decide(run, index, Outcome::Succeeded, why())?;
            }
            (Action::Retry { .. }, Some(index)) => self.again(run, &[index])?,
            (Action::Kill { .. }, Some(index)) => {
                let state = self.core.state.run(run)?;
                if let Some(attempt) = super::progress::flying(state, index) {
                    self.command(Command::Kill { attempt, now: false });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing of the run starts any more: what waits is settled as cancelled when it is looked at, what runs is ended.
    fn cancel(&mut self, run: &RunId) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let flying: Vec<_> = state
            .flying()
            .map(|(index, attempt)| state.attempt_id(index, attempt.number))
            .collect();
        self.core.agenda.reconsider(state);
        self.core.agenda.maybe_over.insert(run.clone());
        for attempt in flying {
            self.command(Command::Kill { attempt, now: false });
        }
        Ok(())
    }

    pub(super) fn decide(
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

    pub(super) fn rerun(&mut self, run: &RunId, jobs: &[JobName], by: By) -> Result<(), StepError> {
        self.acts(run, &by, vec![Action::Rerun { jobs: jobs.to_vec() }])
    }
}

/// One refusal is the answer as it is; of several each is named.
fn none_of(left: Vec<(Action, Refused)>) -> Refused {
    let mut refusals = left.into_iter().map(|(_, refused)| refused);
    let Some(first) = refusals.next() else {
        return Refused::by(Rule::NoSuchJob, "no job is meant");
    };
    let more: Vec<String> = refusals.map(|refused| refused.what).collect();
    if more.is_empty() {
        return first;
    }
    Refused {
        what: format!("nothing of it is allowed: {}, {}", first.what, more.join(", ")),
        ..first
    }
}
