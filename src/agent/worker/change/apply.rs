//! Verification before the change, then marker, backup, change and guards in one transaction.

use super::history::{Applied, History};
use super::marker;
use super::scripts::Scripts;
use super::verify::{self, Verdict};
use super::{Attempt, Stop, say};
use crate::agent::worker::db::{CommitError, Db, DbError, Kind};
use crate::agent::worker::log::count;
use crate::agent::worker::statement::{self, Failed, Ran, Within};
use crate::agent::worker::steps::Step;
use crate::sql::Dialect;
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
        self.all_transactional(scripts).await?;
        let mut lock = self.held().await.map_err(at("open"))?;
        if let Err(stop) = self.make_room(&mut lock.db).await {
            self.give_back_room(&mut lock.db).await;
            self.held = Some(lock);
            return Err(stop);
        }
        let held = self.hold(&mut lock.db, scripts, &before).await;
        let (held, ended) = match held {
            Ok(held) => (Ok(held), lock.db.commit().await),
            Err(stop) => {
                let undone = lock.db.rollback().await && !stop.unsettled;
                self.work.kept.clear();
                if undone {
                    self.give_back_room(&mut lock.db).await;
                }
                // The hooks of SQLite let nothing but our own COMMIT commit.
                let ended = if undone || !lock.db.is_of_server() {
                    Ok(())
                } else {
                    Err(CommitError { why: DbError::refused(stop.why.clone()), undone: false })
                };
                (Err(stop), ended)
            }
        };
        match ended {
            Ok(()) => self.held = Some(lock),
            Err(error) if error.undone => {
                self.held = Some(lock);
                self.nothing_kept().await;
                return Err(Stop::clean(format!("COMMIT: {}", error.why)));
            }
            // A fresh session judges what became of it, once this one is over.
            Err(error) => {
                lock.close().await;
                if let Err(stop) = &held
                    && stop.outside
                {
                    return Err(Stop::in_doubt(stop.why.clone()));
                }
                self.settle(error.why, held.is_ok()).await?;
            }
        }
        let held = held?;
        say!("COMMIT");
        self.steps.point("commit-answered");
        self.note_after(Step::Committed);
        self.work.rows = held.changed.changed;
        self.work.backup_rows = held.backup_rows;
        Ok(Applied {
            rows: held.changed.changed,
            backup_rows: held.backup_rows,
            before: before.checks,
            kept: self.work.kept.clone(),
            ..Applied::none(self.id.to_string(), self.pass)
        })
    }

    pub(super) async fn verify_before(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Verdict, Stop> {
        // Everything that applies a change comes by here first.
        if self.task.examine {
            return Err(Self::never_applied());
        }
        let before = verify::before(&self.target, scripts.text(Part::Verify))
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

    /// Tables of MySQL that keep what was done to them, whatever becomes of the transaction.
    async fn all_transactional(&mut self, scripts: &Scripts) -> Result<(), Stop> {
        const OTHERS: &str = "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'";
        if self.target.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let mut held = self.held().await.map_err(at("open"))?;
        let rows = held.db.ask(OTHERS, &[]).await;
        self.held = Some(held);
        for row in rows.map_err(at("tables"))? {
            if let [Some(table), Some(engine)] = row.as_slice()
                && scripts.name(table)
            {
                return Err(Stop::refused(format!(
                    "the table {table} is of the engine {engine}, which has no transactions: convert it to InnoDB, or use `mode: journalled`"
                )));
            }
        }
        Ok(())
    }

    /// Everything from BEGIN to before COMMIT.
    async fn hold(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        before: &Verdict,
    ) -> Result<Held, Stop> {
        db.settle().await.map_err(at("limits"))?;
        self.tell_limits(db)?;
        match &self.task.backup {
            Some(_) => db.begin_steady().await,
            None => db.begin().await,
        }
        .map_err(at("BEGIN"))?;
        say!("{}", db.begin_words());
        let id = self.id.to_string();
        let checks = serde_json::to_string(&before.checks).unwrap_or_default();
        marker::prepare(db).await.map_err(at("marker"))?;
        self.mark(db, &id, marker::STARTED, None, "started").await?;
        self.mark(db, &id, marker::BEFORE, None, &checks).await?;
        self.mark_rehearsed(db, &id).await?;
        let xid = db.name_transaction().await.map_err(at("marker"))?;
        self.steps.record(Step::Marker { xid })?;
        self.steps.record(Step::Backup)?;
        let (backup_rows, what) = match &self.task.backup {
            Some(backup) => {
                self.work.kept = self.keep(db, backup).await?;
                let kept = serde_json::to_string(&self.work.kept).unwrap_or_default();
                (self.work.kept.iter().map(|kept| kept.rows).sum(), kept)
            }
            None => {
                let ran = self.script(db, scripts, Part::Backup, Within::Transaction).await?;
                (ran.into_iter().sum::<Ran>().kept, "kept".to_owned())
            }
        };
        self.mark(db, &id, marker::BACKUP, Some(backup_rows), &what).await?;
        let so_far = db.touched().await.map_err(at("counting"))?;
        let each = self.script(db, scripts, Part::Change, Within::Transaction).await?;
        let changed: Ran = each.iter().copied().sum();
        let now = db.touched().await.map_err(at("counting"))?;
        let touched = now.zip(so_far).map(|(now, so_far)| now.saturating_sub(so_far));
        let besides = touched.map_or(0, |touched| touched.saturating_sub(changed.changed));
        let held = Held { changed, besides, backup_rows };
        self.guards(&held)?;
        if let Some(backup) = &self.task.backup {
            self.remember(db, backup, &self.of_tables(scripts, backup, &each)).await?;
        }
        self.differs(db, scripts, before).await?;
        self.steps.record(Step::Guards { rows: changed.changed, backup_rows })?;
        self.mark(db, &id, marker::READY, Some(changed.changed), "ready").await?;
        self.steps.record(Step::Precommit { rows: changed.changed })?;
        Ok(held)
    }

    /// Runs a script in the open transaction, each statement announced first: what each did.
    pub(super) async fn script(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        part: Part,
        within: Within,
    ) -> Result<Vec<Ran>, Stop> {
        let script = scripts.split(part);
        let mut all = Vec::new();
        for statement in &script.statements {
            let (number, line) = (statement.number, statement.line);
            let step = Step::Statement { script: part.file().to_owned(), number, line };
            if part == Part::Rollback {
                // A full disk must not keep anyone from going back.
                self.note_after(step);
            } else if within == Within::Transaction {
                self.steps.note(step)?;
            } else {
                self.steps.record(step)?;
            }
            all.push(statement::run(db, part.file(), &script, statement, within).await?);
            if part == Part::Change {
                self.steps.point(&format!("statement-{number}"));
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
        let exact = self.task.backup.as_ref().is_some_and(|backup| backup.exact);
        if exact && held.changed.overwritten != held.backup_rows {
            return Err(Stop::guard(format!(
                "{} updated or deleted, and `exact` says that all {} kept rows are",
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

    /// Nobody has said what became of the transaction: a fresh session looks at what is there. `asked`: COMMIT was on its
    /// way.
    async fn settle(&mut self, why: DbError, asked: bool) -> Result<(), Stop> {
        let why = if asked { format!("COMMIT: {why}") } else { why.words };
        match self.examine().await {
            Ok(History::Applied(applied)) if asked && self.is_mine(&applied) => {
                say!("{why}; the marker says that it is committed");
                Ok(())
            }
            // The session that had the lock is over, and the marker would be there.
            Ok(History::Fresh { .. }) => {
                self.nothing_kept().await;
                Err(Stop::clean(why))
            }
            Ok(_) => Err(Stop::in_doubt(format!("{why}; the marker says something else"))),
            Err(unread) => {
                Err(Stop::in_doubt(format!("{why}; the marker cannot be read: {unread}")))
            }
        }
    }
}

/// Names what the database refused.
pub(super) fn at(what: &'static str) -> impl Fn(DbError) -> Stop {
    move |error| Stop {
        unsettled: error.leaves_doubt(),
        outside: error.kind == Kind::Broken,
        ..Stop::clean(format!("{what}: {error}"))
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        if failed.expectation {
            Self::guard(failed.words)
        } else {
            let Failed { words, doubt, outside, said_no, .. } = failed;
            Self { unsettled: doubt, outside, said_no, ..Self::clean(words) }
        }
    }
}
