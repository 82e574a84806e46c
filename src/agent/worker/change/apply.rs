//! Verification before the change, then marker, backup, change and guards in one transaction.

use super::marker::{self, Applied, History};
use super::scripts::Scripts;
use super::verify::{self, Verdict};
use super::{Attempt, Stop, say};
use crate::agent::worker::log::count;
use crate::agent::worker::sqlite::{Access, CommitError, Db, DbError};
use crate::agent::worker::statement::{self, Failed, Ran};
use crate::agent::worker::steps::Step;
use crate::fault;
use crate::sql::lint::Part;

/// What the transaction holds before COMMIT.
struct Held {
    changed: Ran,
    /// Rows that triggers and foreign keys touched besides.
    besides: u64,
    backup_rows: u64,
}

impl Attempt<'_> {
    /// Applies the change; `Ok` only when it is proven to be committed.
    pub(super) async fn apply(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Applied, Stop> {
        let before = self.verify_before(scripts, elsewhere).await?;
        self.steps.record(Step::Started)?;
        let mut db = Db::open(self.target, Access::Write).await.map_err(at("open"))?;
        let held = self.hold(&mut db, scripts, &before).await;
        let committed = match &held {
            Ok(_) => db.commit().await,
            // Whatever ROLLBACK answers: the connection lets nothing but our own COMMIT commit.
            Err(_) => {
                db.rollback().await;
                Ok(())
            }
        };
        // A fresh connection judges what became of it.
        db.close().await;
        let held = held?;
        if let Err(error) = committed {
            self.settle(error).await?;
        }
        say!("COMMIT");
        fault::point("worker.commit-answered");
        self.note_after(Step::Committed);
        self.work.rows = held.changed.changed;
        self.work.backup_rows = held.backup_rows;
        Ok(Applied {
            attempt: self.id.to_string(),
            rows: held.changed.changed,
            backup_rows: held.backup_rows,
            before: before.checks,
        })
    }

    async fn verify_before(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Verdict, Stop> {
        let before = verify::before(self.target, scripts.text(Part::Verify))
            .await
            .map_err(|error| Stop::clean(format!("verify.sql cannot be run: {error}")))?;
        before.tell("before the change (it must not pass yet)", "not yet");
        self.work.before = before.checks.clone();
        self.steps.record(Step::Before { checks: before.checks.clone() })?;
        if before.passed
            && let Some((attempt, at)) = elsewhere
        {
            return Err(Stop::guard(format!(
                "verification proves nothing: it passed before the change; {attempt} has applied the same content at {at}"
            )));
        }
        Ok(before)
    }

    /// Everything from BEGIN to before COMMIT.
    async fn hold(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        before: &Verdict,
    ) -> Result<Held, Stop> {
        db.begin().await.map_err(at("BEGIN"))?;
        say!("BEGIN IMMEDIATE");
        let id = self.id.to_string();
        let checks = serde_json::to_string(&before.checks).unwrap_or_default();
        marker::prepare(db).await.map_err(at("marker"))?;
        self.mark(db, &id, marker::STARTED, None, "started").await?;
        self.mark(db, &id, marker::BEFORE, None, &checks).await?;
        fault::point("worker.marker");
        self.steps.record(Step::Backup)?;
        let backup_rows = self.script(db, scripts, Part::Backup).await?.kept;
        self.mark(db, &id, marker::BACKUP, Some(backup_rows), "kept").await?;
        let total = "SELECT total_changes()";
        let so_far = db.number(total).await.map_err(at("counting"))?;
        let changed = self.script(db, scripts, Part::Change).await?;
        let touched = db.number(total).await.map_err(at("counting"))?.saturating_sub(so_far);
        let held = Held { changed, besides: touched.saturating_sub(changed.changed), backup_rows };
        self.guards(&held)?;
        self.differs(db, scripts, before).await?;
        self.steps.record(Step::Guards { rows: changed.changed, backup_rows })?;
        self.mark(db, &id, marker::READY, Some(changed.changed), "ready").await?;
        self.steps.record(Step::Precommit { rows: changed.changed })?;
        Ok(held)
    }

    /// Runs a script in the open transaction, each statement announced first.
    pub(super) async fn script(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        part: Part,
    ) -> Result<Ran, Stop> {
        let script = scripts.split(part);
        let mut all = Ran::default();
        for statement in &script.statements {
            let (number, line) = (statement.number, statement.line);
            let step = Step::Statement { script: part.file().to_owned(), number, line };
            if part == Part::Rollback {
                // A full disk must not keep anyone from going back.
                self.note_after(step);
            } else {
                self.steps.record(step)?;
            }
            all += statement::run(db, part.file(), &script, statement).await?;
            if part == Part::Change {
                fault::point(&format!("worker.statement-{number}"));
            }
        }
        Ok(all)
    }

    fn guards(&self, held: &Held) -> Result<(), Stop> {
        let limits = self.task.rows;
        let rows = held.changed.changed;
        let touched = rows + held.besides;
        let besides = if held.besides == 0 {
            String::new()
        } else {
            format!(" and {} by triggers or foreign keys", held.besides)
        };
        say!(
            "guards: {}{besides} changed ({} to {} declared), {} kept by the backup",
            count(rows, "row"),
            limits.min,
            limits.max,
            count(held.backup_rows, "row")
        );
        if rows < limits.min {
            return Err(Stop::guard(format!(
                "{} changed, and the change declares at least {}",
                count(rows, "row"),
                limits.min
            )));
        }
        if touched > limits.max {
            return Err(Stop::guard(format!(
                "{}{besides} changed, and the change declares at most {}",
                count(rows, "row"),
                limits.max
            )));
        }
        if held.changed.overwritten > held.backup_rows {
            return Err(Stop::guard(format!(
                "{} updated or deleted, but the backup kept only {}",
                count(held.changed.overwritten, "row"),
                held.backup_rows
            )));
        }
        Ok(())
    }

    /// A verification that passed before the change must at least say something else now.
    async fn differs(&self, db: &mut Db, scripts: &Scripts, before: &Verdict) -> Result<(), Stop> {
        if !before.passed {
            return Ok(());
        }
        let now = verify::on(db, scripts.text(Part::Verify)).await.map_err(at("verify.sql"))?;
        if now == *before {
            return Err(Stop::guard(
                "verification proves nothing: it passed before the change and says the same after it",
            ));
        }
        Ok(())
    }

    /// COMMIT was not answered with yes: a fresh connection looks at what is there.
    async fn settle(&mut self, error: CommitError) -> Result<(), Stop> {
        let why = format!("COMMIT: {}", error.why);
        if error.undone {
            return Err(Stop::clean(why));
        }
        match self.examine().await {
            Ok(History::Applied(applied)) if applied.attempt == self.id.to_string() => Ok(()),
            Ok(History::Fresh { .. }) => Err(Stop::clean(why)),
            Ok(_) => Err(Stop::in_doubt(format!("{why}; the marker says something else"))),
            Err(unread) => {
                Err(Stop::in_doubt(format!("{why}; the marker cannot be read: {unread}")))
            }
        }
    }
}

/// Names what the database refused.
pub(super) fn at(what: &'static str) -> impl Fn(DbError) -> Stop {
    move |error| Stop::clean(format!("{what}: {error}"))
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        if failed.expectation { Self::guard(failed.words) } else { Self::clean(failed.words) }
    }
}
