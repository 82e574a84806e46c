//! The made-up targets of changes: what was really done to them, whatever anybody hears of it.

use std::collections::BTreeMap;

use super::agent::Lot;
use crate::types::{AttemptId, Ending, JobName, RunId};
use crate::wire::{ChangeState, CutDecision, Work};

/// What the worker of a change does at its target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch {
    /// It was told to look only.
    pub(super) examines: bool,
    /// It comes as far as COMMIT, where it is not told so.
    pub(super) applies: bool,
    /// What people have said of the attempt before, which stopped half way.
    pub(super) cut: Option<CutDecision>,
}

#[derive(Debug, Default)]
pub(super) struct Targets {
    /// By the job of a run, whose work is there.
    applied: BTreeMap<(RunId, JobName), AttemptId>,
    /// Workers apply whatever they are told: to see that it would be noticed.
    heedless: bool,
    /// Each change stops half way when it is applied first.
    cuts: bool,
}

impl Targets {
    #[cfg(test)]
    pub(super) fn heed_nothing(&mut self) {
        self.heedless = true;
    }

    #[cfg(test)]
    pub(super) fn cut_off(&mut self) {
        self.cuts = true;
    }

    pub(super) fn applied_by(&self, run: &RunId, job: &JobName) -> Option<&AttemptId> {
        self.applied.get(&(run.clone(), job.clone()))
    }

    /// A worker comes to its target; what it will say follows from what is there then.
    pub(super) fn worked_on(&mut self, id: &AttemptId, lot: &mut Lot) {
        let Some(touch) = lot.touch else { return };
        let key = (id.run.clone(), id.job.clone());
        let looks = touch.examines && !self.heedless;
        let applies = touch.applies && !looks;
        let stops = self.cuts && applies && id.number == 1;
        if applies {
            // The marker of an earlier attempt keeps it from doing so twice.
            self.applied.entry(key.clone()).or_insert_with(|| id.clone());
        }
        let takes_back = touch.cut == Some(CutDecision::RollBack) && !looks;
        let Some(Work::Change(work)) = &mut lot.work else { return };
        work.state = match (work.state, self.applied.contains_key(&key)) {
            (ChangeState::InDoubt, _) => ChangeState::InDoubt,
            _ if stops => ChangeState::Partial,
            (ChangeState::RollbackFailed, true) => ChangeState::RollbackFailed,
            (state, true) if state == ChangeState::RolledBack || takes_back => {
                self.applied.remove(&key);
                ChangeState::RolledBack
            }
            (ChangeState::Partial, true) if !looks => ChangeState::Partial,
            (_, true) => ChangeState::Done,
            (ChangeState::FailedGuard, false) if !looks => ChangeState::FailedGuard,
            (_, false) => ChangeState::FailedClean,
        };
        work.unread = looks && work.state == ChangeState::InDoubt;
        let done = work.state == ChangeState::Done;
        lot.line_found |= done;
        lot.ending = Ending::Exited { code: i32::from(!done) };
    }
}
