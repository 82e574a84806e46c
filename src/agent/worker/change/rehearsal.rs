//! A change with rehearsal (D6): it is executed, verified, taken back and its former state proven, and only then executed to
//! stay. All of it in one attempt; each pass has a session and marker rows of its own.

use jiff::Timestamp;

use super::history::{Applied, History};
use super::marker;
use super::scripts::Scripts;
use super::verify::Verdict;
use super::{Attempt, Stop, apply::at, now, say};
use crate::agent::worker::db::Db;
use crate::agent::worker::steps::Step;
use crate::definition::site::ChangeMode;
use crate::sql::lint::Part;
use crate::wire::{ChangeState, ChangeWork, Did, MarkerRow, RehearsalStep};

/// What an execution is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// It is taken back.
    Rehearsal,
    /// It stays.
    Change,
}

impl Pass {
    /// Before the names of its marker rows and fault points.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Rehearsal => MarkerRow::REHEARSAL,
            Self::Change => "",
        }
    }

    pub(super) fn step(self, step: &str) -> String {
        format!("{}{step}", self.prefix())
    }

    /// Which pass a marker row is of, and its step.
    pub(super) fn of(step: &str) -> (Self, &str) {
        match step.strip_prefix(MarkerRow::REHEARSAL) {
            Some(step) => (Self::Rehearsal, step),
            None => (Self::Change, step),
        }
    }
}

/// The steps of an attempt, pass by pass.
pub(super) fn passes(steps: &[Step]) -> Vec<(Pass, &[Step])> {
    match steps.iter().rposition(|step| matches!(step, Step::Rehearsed { .. })) {
        Some(at) => {
            let (before, after) = steps.split_at(at);
            vec![(Pass::Rehearsal, before), (Pass::Change, after)]
        }
        None if steps.contains(&Step::Rehearsing) => vec![(Pass::Rehearsal, steps)],
        None => vec![(Pass::Change, steps)],
    }
}

/// One more step of a rehearsal, where it is one.
pub(super) fn did(work: &mut ChangeWork, step: RehearsalStep) {
    let checks = match step.checks {
        0 => format!("{} rows", step.rows),
        checks => format!("{checks} checks"),
    };
    say!("rehearsal: {}, {checks}", step.did.name());
    work.rehearsal.push(step);
}

/// What was found out in the rehearsal says nothing of the change that follows.
pub(super) fn begin_anew(work: &mut ChangeWork) {
    let rehearsal = std::mem::take(&mut work.rehearsal);
    let evidence = std::mem::take(&mut work.evidence);
    *work = ChangeWork { rehearsal, evidence, ..ChangeWork::none(ChangeState::FailedClean) };
}

/// Why something ended, where that was in the rehearsal.
pub(super) fn in_rehearsal(stop: Stop) -> Stop {
    Stop { why: format!("in the rehearsal: {}", stop.why), ..stop }
}

/// Why a rehearsal is taken back where nothing is wrong with it.
pub(super) const ONLY: &str = "what was rehearsed is taken back";
pub(super) const CUT_OFF: &str = "its rehearsal was cut off: what it had applied is taken back, and the change itself was not begun";

impl Attempt<'_> {
    /// From here on marker rows, kept rows and fault points are those of this pass.
    pub(super) fn of_pass(&mut self, pass: Pass) {
        self.pass = pass;
        self.steps.of_pass(pass.prefix());
    }

    /// Executes the change in the present pass; `Ok` only when it is proven to be committed.
    pub(super) async fn execute(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Applied, Stop> {
        match self.task.mode {
            ChangeMode::Transactional => self.apply(scripts, elsewhere).await,
            ChangeMode::Journalled => self.apply_journalled(scripts, elsewhere).await,
        }
    }

    /// Executes the change to take it back. `Ok` as of [`take_back`](Self::take_back).
    pub(super) async fn rehearse(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Option<(String, String)>, Stop> {
        self.of_pass(Pass::Rehearsal);
        say!("rehearsal: change, verification, rollback, former state; then the change itself");
        self.steps.record(Step::Rehearsing)?;
        let applied = self.execute(scripts, elsewhere).await.map_err(in_rehearsal)?;
        self.take_back(scripts, &applied).await
    }

    /// The way of a rehearsal back. `Ok`: it was whole, and the change itself comes next; with what the marker knows of
    /// other runs now.
    pub(super) async fn take_back(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
    ) -> Result<Option<(String, String)>, Stop> {
        self.did(Did::Changed, applied.at, applied.rows, 0);
        if let Err(why) = self.verified(scripts, applied).await {
            return Err(in_rehearsal(self.roll_back(scripts, applied, why).await));
        }
        self.did(Did::Verified, None, 0, self.work.after.len());
        let why = if self.task.examine { CUT_OFF } else { ONLY };
        let stop = self.roll_back(scripts, applied, why.to_owned()).await;
        match (stop.state, self.task.examine) {
            (ChangeState::RolledBack, false) => {}
            (ChangeState::RolledBack, true) => return Err(stop),
            _ => return Err(in_rehearsal(stop)),
        }
        self.steps.record(Step::Rehearsed { did: self.work.rehearsal.clone() })?;
        begin_anew(&mut self.work);
        self.of_pass(Pass::Change);
        self.renewed().await
    }

    /// A session that has seen nothing of the rehearsal, as the change will have it where it is not rehearsed. The lock was
    /// free for a moment, so what the marker says is read again.
    async fn renewed(&mut self) -> Result<Option<(String, String)>, Stop> {
        if let Some(held) = self.held.take() {
            held.close().await;
        }
        let mut held = self.held().await.map_err(at("open"))?;
        let history = self.history(&mut held.db).await;
        self.held = Some(held);
        match history.map_err(at("marker"))? {
            History::Fresh { elsewhere, .. } => Ok(elsewhere),
            _ => Err(Stop::in_doubt(
                "somebody else has worked on the change between its rehearsal and itself",
            )),
        }
    }

    fn did(&mut self, did: Did, at: Option<Timestamp>, rows: u64, checks: usize) {
        let checks = u32::try_from(checks).unwrap_or(u32::MAX);
        let step = RehearsalStep { did, at: at.unwrap_or_else(now), rows, checks };
        self::did(&mut self.work, step);
    }

    /// As [`did`](Self::did), where it is a rehearsal.
    pub(super) fn did_in_rehearsal(&mut self, did: Did, rows: u64, checks: usize) {
        if self.pass == Pass::Rehearsal {
            self.did(did, None, rows, checks);
        }
    }

    /// The rollback is committed.
    pub(super) fn rolled_back(&mut self, rows: u64) {
        self.note_after(Step::RolledBack { rows });
        self.did_in_rehearsal(Did::RolledBack, rows, 0);
    }

    /// Says in the target what was rehearsed before, together with the change: whoever takes it up knows it from there.
    pub(super) async fn mark_rehearsed(&self, db: &mut Db, attempt: &str) -> Result<(), Stop> {
        if self.pass == Pass::Rehearsal || self.work.rehearsal.is_empty() {
            return Ok(());
        }
        let rehearsal = serde_json::to_string(&self.work.rehearsal).unwrap_or_default();
        self.mark(db, attempt, marker::REHEARSED, None, &rehearsal).await
    }

    /// Whether this execution has applied it.
    pub(super) fn is_mine(&self, applied: &Applied) -> bool {
        applied.attempt == self.id.to_string() && applied.pass == self.pass
    }

    /// Verification after COMMIT, in a fresh read: why the change does not stand, where it does not.
    pub(super) async fn verified(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
    ) -> Result<(), String> {
        let verdict = super::verify::fresh(&self.target, scripts.text(Part::Verify)).await;
        verdict.tell("after the change", "FAILED");
        self.work.after = verdict.checks.clone();
        self.note_after(Step::Verify { checks: verdict.checks.clone() });
        let before = Verdict::of(applied.before.clone());
        if !verdict.passed {
            let failures = verdict.failures();
            return Err(format!("the verification failed after the change: {failures}"));
        }
        if before.passed && before == verdict {
            return Err(
                "the verification proves nothing: it says the same before and after the change"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_row_is_of_one_pass() {
        for pass in [Pass::Rehearsal, Pass::Change] {
            for step in [marker::STARTED, marker::READY, marker::REHEARSED, "undo-started-1"] {
                assert_eq!(Pass::of(&pass.step(step)), (pass, step));
            }
        }
    }

    #[test]
    fn steps_are_of_the_pass_that_they_lie_in() {
        use Step::{Committed, Rehearsing, Started};
        let rehearsed = Step::Rehearsed { did: Vec::new() };
        let steps = [Rehearsing, Started, Committed, rehearsed, Started];
        assert_eq!(passes(&steps[3..]), [(Pass::Rehearsal, &[][..]), (Pass::Change, &steps[3..])]);
        assert_eq!(passes(&steps[..3]), [(Pass::Rehearsal, &steps[..3])]);
        assert_eq!(passes(&steps), [(Pass::Rehearsal, &steps[..3]), (Pass::Change, &steps[3..])]);
        assert_eq!(passes(&steps[1..3]), [(Pass::Change, &steps[1..3])]);
    }
}
