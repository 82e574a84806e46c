//! The `change` task on a SQLite target, in the order that `src/docs/format.md` gives: look at the marker,
//! verification must not pass yet, one transaction of marker, backup, change and guards, verification in a fresh read,
//! and on failure the rollback script and the proof of the former state.

mod apply;
mod lock;
mod marker;
mod rollback;
mod scripts;
mod verify;

use std::path::Path;

use jiff::Timestamp;

use super::Exit;
use super::log::{complain, count, say};
use super::sqlite::{Access, Db, DbError};
use super::steps::{Step, StepError, Steps};
use crate::definition::site::Engine;
use crate::sql::lint::Part;
use crate::types::AttemptId;
use crate::wire::{ChangeState, ChangeTask, ChangeWork, Check};
use marker::{Applied, History};
use scripts::Scripts;
use verify::Verdict;

/// A change that did not end in `Done`.
#[derive(Debug)]
struct Stop {
    state: ChangeState,
    why: String,
    /// A script was refused before anything was touched.
    refused: bool,
}

impl Stop {
    fn new(state: ChangeState, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), refused: false }
    }

    fn clean(why: impl Into<String>) -> Self {
        Self::new(ChangeState::FailedClean, why)
    }

    fn guard(why: impl Into<String>) -> Self {
        Self::new(ChangeState::FailedGuard, why)
    }

    fn in_doubt(why: impl Into<String>) -> Self {
        Self::new(ChangeState::InDoubt, why)
    }

    fn refused(why: impl Into<String>) -> Self {
        Self { refused: true, ..Self::clean(why) }
    }
}

/// Steps that cannot be made durable stop a change as long as it is not committed.
impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        Self::clean(error.to_string())
    }
}

/// One attempt at a change.
struct Attempt<'a> {
    task: &'a ChangeTask,
    id: AttemptId,
    target: &'a Path,
    steps: Steps,
    work: ChangeWork,
}

pub(super) async fn run(task: &ChangeTask, id: AttemptId, steps: Steps) -> (Exit, ChangeWork) {
    let Engine::Sqlite { path: target } = &task.engine;
    let work = ChangeWork {
        state: ChangeState::FailedClean,
        rows: 0,
        backup_rows: 0,
        before: Vec::new(),
        after: Vec::new(),
        why: None,
    };
    let mut attempt = Attempt { task, id, target, steps, work };
    say!("change {} on {}, attempt {}", task.change, target.display(), attempt.id);
    let exit = match attempt.go().await {
        Ok(()) => {
            attempt.work.state = ChangeState::Done;
            say!("done: applied and verified, {}", count(attempt.work.rows, "row"));
            Exit::Good
        }
        Err(stop) => {
            complain!("{}", stop.why);
            complain!("{}", meaning(stop.state));
            attempt.work.state = stop.state;
            attempt.work.why = Some(stop.why);
            exit_of(stop.state, stop.refused)
        }
    };
    let state = attempt.work.state;
    attempt.note_after(Step::Ended { state });
    (exit, attempt.work)
}

fn exit_of(state: ChangeState, refused: bool) -> Exit {
    match state {
        ChangeState::Done => Exit::Good,
        ChangeState::FailedClean if refused => Exit::Refused,
        ChangeState::FailedClean => Exit::Failed,
        ChangeState::FailedGuard => Exit::FailedGuard,
        ChangeState::RolledBack => Exit::RolledBack,
        ChangeState::RollbackFailed => Exit::RollbackFailed,
        ChangeState::InDoubt => Exit::InDoubt,
    }
}

/// What a state means for the operator.
fn meaning(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Done => "applied and verified",
        ChangeState::FailedClean => "nothing was applied: the target is as it was",
        ChangeState::FailedGuard => "a guard refused before COMMIT: nothing was applied",
        ChangeState::RolledBack => "the change was rolled back and the former state is proven",
        ChangeState::RollbackFailed => {
            "THE FORMER STATE IS NOT RESTORED: the backup tables hold the rows; call the author"
        }
        ChangeState::InDoubt => {
            "WHETHER IT WAS APPLIED CANNOT BE KNOWN HERE: look at nightrun_change_run and the data, then decide"
        }
    }
}

impl Attempt<'_> {
    async fn go(&mut self) -> Result<(), Stop> {
        let scripts = self.scripts()?;
        if !self.target.is_file() {
            return Err(Stop::clean(format!(
                "the target {} is not there: a change does not make one",
                self.target.display()
            )));
        }
        // Held to the end of this function.
        let _lock = lock::take(self.target).map_err(|why| self.unproven(why))?;
        let history = self.examine().await.map_err(|error| {
            self.unproven(format!(
                "the marker in {} cannot be read: {error}",
                self.target.display()
            ))
        })?;
        let applied = match history {
            History::Fresh { elsewhere } => self.apply(&scripts, elsewhere).await?,
            History::Applied(applied) => {
                say!(
                    "marker: {} has committed this change already; it is not applied again",
                    applied.attempt
                );
                self.take_up(&applied);
                applied
            }
            History::RolledBack(applied) => {
                say!(
                    "marker: {} has rolled this change back; the former state is to be proven",
                    applied.attempt
                );
                self.take_up(&applied);
                let why = "its verification failed after the change".to_owned();
                return Err(self.prove_former(&scripts, &applied, why).await);
            }
            History::Conflict(why) => return Err(Stop::in_doubt(why)),
        };
        self.verify(&scripts, &applied).await
    }

    /// Reads and checks the scripts; nothing is touched.
    fn scripts(&mut self) -> Result<Scripts, Stop> {
        let scripts = Scripts::read(&self.task.folder).map_err(|e| Stop::refused(e.to_string()))?;
        if scripts.refused() {
            return Err(Stop::refused("the scripts break the rules above"));
        }
        for part in Part::ALL {
            let statements = scripts.split(part).statements.len() as u64;
            say!("      {}: {}", part.file(), count(statements, "statement"));
        }
        self.steps.record(Step::Intent {
            what: self.task.change.to_string(),
            target: self.target.to_owned(),
            content_digest: Some(self.task.content_digest.clone()),
        })?;
        Ok(scripts)
    }

    /// A failure before the marker was read. A first attempt has applied nothing; before a later one, an earlier
    /// attempt may have.
    fn unproven(&self, why: String) -> Stop {
        if self.id.number == 1 {
            return Stop::clean(why);
        }
        Stop::in_doubt(format!(
            "{why}; so whether an earlier attempt applied the change is not known"
        ))
    }

    async fn examine(&mut self) -> Result<History, DbError> {
        let mut db = Db::open(self.target, Access::Read).await?;
        let rows = marker::read(&mut db, &self.task.change).await;
        db.close().await;
        Ok(marker::history(&rows?, &self.id, &self.task.content_digest))
    }

    /// Writes a marker row in the name of `attempt`.
    async fn mark(
        &self,
        db: &mut Db,
        attempt: &str,
        step: &str,
        rows: Option<u64>,
        outcome: &str,
    ) -> Result<(), Stop> {
        let entry = marker::Entry {
            attempt: attempt.to_owned(),
            content_digest: self.task.content_digest.clone(),
            step: step.to_owned(),
            at: now().to_string(),
            rows: rows.and_then(|rows| i64::try_from(rows).ok()),
            outcome: Some(outcome.to_owned()),
        };
        marker::write(db, &self.task.change, &entry)
            .await
            .map_err(|error| Stop::clean(format!("marker: {error}")))
    }

    /// Goes on from what an earlier attempt committed.
    fn take_up(&mut self, applied: &Applied) {
        self.work.rows = applied.rows;
        self.work.backup_rows = applied.backup_rows;
        self.work.before = applied.before.clone();
        self.note_after(Step::Found { attempt: applied.attempt.clone() });
    }

    /// Verification after COMMIT, in a fresh read; the rollback where it fails.
    async fn verify(&mut self, scripts: &Scripts, applied: &Applied) -> Result<(), Stop> {
        let verdict = verify::fresh(self.target, scripts.text(Part::Verify)).await;
        verdict.tell("after the change", "FAILED");
        self.work.after = verdict.checks.clone();
        self.note_after(Step::Verify { checks: verdict.checks.clone() });
        let before = Verdict::of(applied.before.clone());
        if verdict.passed && !(before.passed && before == verdict) {
            return Ok(());
        }
        let why = if verdict.passed {
            "the verification proves nothing: it says the same before and after the change"
                .to_owned()
        } else {
            format!("the verification failed after the change: {}", verdict.failures())
        };
        Err(self.roll_back(scripts, applied, why).await)
    }

    /// A step after COMMIT: what is done is done, so a step that cannot be written stops nothing.
    fn note_after(&mut self, step: Step) {
        if let Err(error) = self.steps.record(step) {
            complain!(
                "{error}; going on, because the target already holds the change or is untouched"
            );
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the marker carries the real time, in a trial too")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Same answers, whatever the order of the rows.
fn same(before: &[Check], now: &Verdict) -> bool {
    Verdict::of(before.to_vec()).checks == now.checks
}
