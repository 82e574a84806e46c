//! A change in doubt is looked at without being asked for: an examining attempt reads what the target itself says about it.
//! It applies nothing, so that windows, freezes, holds and approvals do not bind it.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use crate::core::night::{Core, Mover};
use crate::core::phase::Phase;
use crate::core::state::{Attempt, JobState, Run, Unfit};
use crate::definition::site::Kind;
use crate::types::RunId;
use crate::wire::{ChangeState, ChangeWork, Ended, Work};

/// Between two looks at a target that could not be asked; after [`OFTEN`] of them.
const SOON: SignedDuration = SignedDuration::from_mins(1);
const LATER: SignedDuration = SignedDuration::from_mins(10);
const OFTEN: usize = 10;

/// When the change of a job in doubt is to be looked at. `None`: a look would say nothing new, or nobody is to move the run;
/// people decide.
pub(in crate::core) fn due(run: &Run, index: usize) -> Option<Timestamp> {
    let job = &run.jobs[index];
    let doubted = matches!(job.phase, Phase::InDoubt { .. })
        && matches!(run.job(index).kind, Kind::Change { .. });
    if !doubted || run.result.is_some() || run.cancelled.is_some() {
        return None;
    }
    let last = job.attempts.last()?;
    match told(last) {
        // How far it came is known: that alone says not what is to be done.
        Some(work) if work.state != ChangeState::InDoubt => None,
        Some(work) if last.examine && !work.unread => None,
        _ if !last.examine => Some(last.intended),
        _ => {
            let looks = job.attempts.iter().rev().take_while(|attempt| attempt.examine).count();
            let pause = if looks < OFTEN { SOON } else { LATER };
            last.intended.checked_add(pause).ok()
        }
    }
}

/// Whether that time has come.
pub(in crate::core) fn is_due(run: &Run, index: usize, now: Timestamp) -> bool {
    let last = run.jobs[index].attempts.last();
    // After the clock was set back the time that was waited for means nothing.
    let set_back = last.is_some_and(|last| now < last.intended);
    due(run, index).is_some_and(|due| due <= now || set_back)
}

/// Whether the attempts before the last one have, or may have, left something at the target: then one that did not even
/// start says nothing of the change. People may have decided meanwhile: looking again does no harm.
pub(in crate::core) fn left_something(job: &JobState) -> bool {
    let last = before_last(job).find_map(|(attempt, ended)| match told(attempt) {
        Some(work) => Some(work.state),
        None if ended.started.is_none() => None,
        None if attempt.good == Some(true) => Some(ChangeState::Done),
        None => Some(ChangeState::InDoubt),
    });
    let clean = [ChangeState::FailedClean, ChangeState::FailedGuard, ChangeState::RolledBack];
    last.is_some_and(|last| !clean.contains(&last))
}

/// What the last attempt before this one that did begin has told, where it left what is neither applied nor taken back.
pub(super) fn left_between(job: &JobState) -> Option<&ChangeWork> {
    let begun = before_last(job).find(|(_, ended)| ended.started.is_some());
    begun.and_then(|(attempt, _)| told(attempt)).filter(|work| work.state.stays_between())
}

/// What ended before the last attempt, the latest first.
fn before_last(job: &JobState) -> impl Iterator<Item = (&Attempt, &Ended)> {
    let before = job.attempts.iter().rev().skip(1);
    before.filter_map(|attempt| Some((attempt, attempt.ended.as_deref()?)))
}

fn told(attempt: &Attempt) -> Option<&ChangeWork> {
    match &attempt.ended.as_ref()?.work {
        Some(Work::Change(work)) => Some(work),
        _ => None,
    }
}

impl Mover<'_> {
    /// Queues a look at a change in doubt, or wakes up when it is due.
    pub(in crate::core) fn consider_doubt(
        &mut self,
        run: &RunId,
        index: usize,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let Some(due) = due(state, index) else { return Ok(()) };
        if self.core.startable(run, index, self.now)? {
            let place = (Reverse(state.priority(index)), run.clone(), index);
            self.core.agenda.ready.entry(None).or_default().insert(place);
        } else if state.stopping.is_none() {
            self.core.agenda.wake_at(due, run, index);
        }
        Ok(())
    }
}

impl Core {
    /// Whether what starts of it only looks at what became of the last attempt.
    pub(in crate::core) fn examines(&self, run: &RunId, index: usize) -> Result<bool, Unfit> {
        Ok(matches!(self.state.run(run)?.jobs[index].phase, Phase::InDoubt { .. }))
    }
}

impl JobState {
    /// The last attempt that did more than look.
    pub fn last_worked(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| !attempt.examine)
    }

    /// Whether its attempt in flight only looks.
    pub fn is_examined(&self) -> bool {
        self.phase.in_flight() && self.attempts.last().is_some_and(|last| last.examine)
    }
}
