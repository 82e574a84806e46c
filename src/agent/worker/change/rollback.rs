//! The way back: the author's rollback script or the rows that were kept, and the proof of the former state.

use super::apply::at;
use super::history::{Applied, History};
use super::marker;
use super::scripts::Scripts;
use super::{Attempt, Stop, complain, same, say, verify};
use crate::agent::worker::db::{CommitError, Db, DbError};
use crate::agent::worker::statement::{Ran, Within};
use crate::agent::worker::steps::Step;
use crate::definition::site::ChangeMode;
use crate::sql::lint::Part;
use crate::wire::{ChangeState, Did};

impl Attempt<'_> {
    /// Rolls a committed change back. `why` is what made it necessary.
    pub(super) async fn roll_back(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
        why: String,
    ) -> Stop {
        if self.task.mode == ChangeMode::Journalled {
            return self.roll_back_journalled(scripts, applied, why).await;
        }
        say!("rolling back: {why}");
        let failed = |what: String| {
            Stop::new(ChangeState::RollbackFailed, format!("{why}; the rollback failed: {what}"))
        };
        self.note_after(Step::RollingBack);
        let mut held = match self.held().await {
            Ok(held) => held,
            Err(error) => return failed(error.to_string()),
        };
        // What is applied and not good is taken back, whatever time is left.
        held.db.set_unstoppable();
        let undone = self.undo(&mut held.db, scripts, applied).await;
        let (rows, ended) = match undone {
            Ok(rows) => (rows, held.db.commit().await),
            Err(stop) => {
                let undone = held.db.rollback().await && !stop.unsettled;
                if undone || !held.db.is_of_server() {
                    self.held = Some(held);
                    return failed(stop.why);
                }
                (0, Err(CommitError { why: DbError::refused(stop.why), undone: false }))
            }
        };
        if let Err(error) = ended {
            let refused = format!("COMMIT: {}", error.why);
            if error.undone {
                self.held = Some(held);
                return failed(refused);
            }
            held.close().await;
            match self.examine().await {
                Ok(History::RolledBack(_)) => {}
                Ok(_) => return failed(refused),
                Err(unread) => {
                    return Stop::in_doubt(format!(
                        "{why}; whether the rollback was committed is not known: {refused}; {unread}"
                    ));
                }
            }
        } else {
            self.held = Some(held);
        }
        say!("COMMIT, {rows} rows rolled back");
        self.rolled_back(rows);
        self.prove_former(scripts, applied, why).await
    }

    /// Everything from BEGIN to before COMMIT.
    async fn undo(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        applied: &Applied,
    ) -> Result<u64, Stop> {
        match &self.task.backup {
            Some(_) => db.begin_steady().await,
            None => db.begin().await,
        }
        .map_err(at("BEGIN"))?;
        say!("{}, rollback", db.begin_words());
        if let Some(backup) = &self.task.backup {
            self.unchanged_since(db, backup, applied).await?;
        }
        let rows = match &self.task.backup {
            Some(backup) if !scripts.is_there(Part::Rollback) => {
                self.put_back(db, backup, applied).await?
            }
            _ => {
                let each = self.script(db, scripts, Part::Rollback, Within::Transaction).await?;
                each.into_iter().sum::<Ran>().changed
            }
        };
        self.mark(db, &applied.attempt, marker::ROLLBACK, Some(rows), "rolled-back").await?;
        self.steps.point("rollback-held");
        Ok(rows)
    }

    /// Whether verification says again what it said before the change.
    pub(super) async fn prove_former(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
        why: String,
    ) -> Stop {
        let now = verify::fresh(&self.target, scripts.text(Part::Verify)).await;
        now.tell("after the rollback (it must say what it said before the change)", "not good");
        let same = same(&applied.before, &now);
        self.note_after(Step::Former { same, checks: now.checks.clone() });
        if !same {
            let why = format!(
                "{why}; the rollback ran, but the verification does not say what it said before the change: {}",
                now.failures()
            );
            return Stop::new(ChangeState::RollbackFailed, why);
        }
        self.did_in_rehearsal(Did::FormerVerified, 0, now.checks.len());
        if let Err(stop) = self.close(applied).await {
            complain!("{}; the next attempt proves the former state again", stop.why);
        }
        Stop::new(ChangeState::RolledBack, why)
    }

    /// The last marker row: from here on the change may be tried again.
    async fn close(&mut self, applied: &Applied) -> Result<(), Stop> {
        let mut held = self.held().await.map_err(at("marker"))?;
        let db = &mut held.db;
        let marked = self.mark(db, &applied.attempt, marker::FORMER, None, "proven").await;
        self.held = Some(held);
        marked
    }
}
