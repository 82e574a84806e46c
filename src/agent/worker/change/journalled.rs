//! Journalled mode: each statement commits by itself, with a row of the marker before it and one after it. What was cut off
//! is looked at and told; it goes on only where people have said so.

use std::time::Duration;

use super::apply::at;
use super::marker::{self, Applied, Cut, UNDO, done_step, started_step};
use super::scripts::Scripts;
use super::{Attempt, Stop, say};
use crate::agent::worker::db::{Access, Db, DbError};
use crate::agent::worker::statement::{self, Failed, Within};
use crate::agent::worker::steps::Step;
use crate::sql::lint::Part;
use crate::sql::{Dialect, Statement, done_when};
use crate::wire::{ChangeState, CutDecision, Progress};

/// How long a statement that says CONCURRENTLY waits for the transactions that are older than itself.
const OLDER: Duration = Duration::from_secs(600);

/// Whether a statement that nobody has seen the end of is done.
enum Probed {
    Done,
    NotDone,
    Unknown(String),
}

impl Attempt<'_> {
    /// Applies the change statement by statement; `Ok` only when all of them are done.
    pub(super) async fn apply_journalled(
        &mut self,
        scripts: &Scripts,
        elsewhere: Option<(String, String)>,
    ) -> Result<Applied, Stop> {
        let before = self.verify_before(scripts, elsewhere).await?;
        self.steps.record(Step::Started)?;
        let mut held = self.held().await.map_err(at("open"))?;
        let id = self.id.to_string();
        let checks = serde_json::to_string(&before.checks).unwrap_or_default();
        let prepared = async {
            let db = &mut held.db;
            marker::prepare(db).await.map_err(at("marker"))?;
            self.mark(db, &id, marker::STARTED, None, marker::JOURNALLED).await?;
            self.mark(db, &id, marker::BEFORE, None, &checks).await?;
            self.mark_rehearsed(db, &id).await?;
            self.steps.record(Step::Marker { xid: None })?;
            self.steps.record(Step::Backup)?;
            let kept = self.script(db, scripts, Part::Backup, Within::Nothing).await?.kept;
            self.mark(db, &id, marker::BACKUP, Some(kept), "kept").await?;
            Ok::<u64, Stop>(kept)
        }
        .await;
        self.held = Some(held);
        let (backup_rows, before) = (prepared?, before.checks);
        let so_far = Applied { backup_rows, before, ..Applied::none(id, self.pass) };
        self.work.backup_rows = so_far.backup_rows;
        self.rest(scripts, Cut { so_far, done: 0, open: None }).await
    }

    /// What an earlier attempt has left half done: evidence first, then what people have decided.
    pub(super) async fn cut_off(&mut self, scripts: &Scripts, cut: Cut) -> Result<Applied, Stop> {
        let of = scripts.split(Part::Change).statements.len();
        say!(
            "marker: {} was cut off: {} of {of} statements are known to be done",
            cut.so_far.attempt,
            cut.done
        );
        self.take_up(&cut.so_far);
        let cut = self.judged(scripts, cut).await?;
        if self.task.cut == Some(CutDecision::RollBack) {
            let why = format!("people have decided, after {} of {of} statements", cut.done);
            if cut.done == 0 {
                return Err(Stop::clean(why));
            }
            self.came(cut.done, of);
            return Err(self.roll_back(scripts, &cut.so_far, why).await);
        }
        if cut.done == 0 {
            // Nothing of it stays, so it is applied as if it had never been begun.
            return self.apply_journalled(scripts, None).await;
        }
        if cut.done as usize == of {
            return self.ready(scripts, cut).await;
        }
        if self.task.cut.is_none() {
            return Err(self.partial(&cut, of, "people decide how it goes on".to_owned()));
        }
        say!("people have decided: the rest is done");
        self.rest(scripts, cut).await
    }

    /// Everything after what is done.
    async fn rest(&mut self, scripts: &Scripts, mut cut: Cut) -> Result<Applied, Stop> {
        let script = scripts.split(Part::Change);
        let of = script.statements.len();
        let done = cut.done as usize;
        for statement in script.statements.iter().skip(done) {
            let halted = self.target.halt.asked().or_else(|| self.window.closed());
            if let Some(why) = halted {
                return Err(self.stopped(cut, of, why.to_owned()).await);
            }
            let mut held = self.held().await.map_err(at("open"))?;
            let ran = self.one(&mut held.db, scripts, &cut, statement).await;
            match ran {
                Ok((rows, wrong)) => {
                    self.held = Some(held);
                    cut = Cut { done: statement.number, open: None, ..cut };
                    cut.so_far.rows += rows;
                    self.work.rows = cut.so_far.rows;
                    if let Some(wrong) = wrong {
                        return Err(self.partial(&cut, of, wrong));
                    }
                }
                Err(stop) => {
                    let lost = stop.unsettled;
                    if lost {
                        held.close().await;
                    } else {
                        self.held = Some(held);
                    }
                    cut.open = Some(statement.number);
                    let cut = self.judged(scripts, cut).await?;
                    if lost && cut.done as usize == of {
                        return self.ready(scripts, cut).await;
                    }
                    let why = self.with_leftovers(stop.why, statement).await;
                    return Err(self.stopped(cut, of, why).await);
                }
            }
        }
        self.ready(scripts, cut).await
    }

    /// One statement between its two rows: the rows that it changed, and what is wrong with them.
    async fn one(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        cut: &Cut,
        statement: &Statement<'_>,
    ) -> Result<(u64, Option<String>), Stop> {
        let script = scripts.split(Part::Change);
        let (number, line) = (statement.number, statement.line);
        let attempt = cut.so_far.attempt.clone();
        if cut.open != Some(number) {
            self.mark(db, &attempt, &started_step(number), None, "started").await?;
        }
        self.steps.record(Step::Statement { script: Part::Change.file().into(), number, line })?;
        self.make_ready(db, statement).await.map_err(at("limits"))?;
        let file = Part::Change.file();
        let (rows, wrong) =
            match statement::run(db, file, &script, statement, Within::Nothing).await {
                Ok(ran) => (ran.changed, None),
                Err(Failed { words, expectation: true, changed, .. }) => (changed, Some(words)),
                Err(failed) => return Err(failed.into()),
            };
        self.steps.point(&format!("statement-{number}"));
        self.mark(db, &attempt, &done_step(number), Some(rows), "done").await?;
        self.steps.point(&format!("done-{number}"));
        Ok((rows, wrong))
    }

    /// Sets the limits of a statement. One that says CONCURRENTLY waits for every older transaction of the database: they
    /// are shown.
    async fn make_ready(&mut self, db: &mut Db, statement: &Statement<'_>) -> Result<(), DbError> {
        const OLD: &str = "SELECT pid::text, application_name, extract(epoch FROM now() - xact_start)::bigint::text \
             FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND xact_start < now() - interval '5 seconds' ORDER BY xact_start LIMIT 5";
        let patient = is_concurrent(db.dialect(), statement);
        let left = self.target.halt.left().unwrap_or(OLDER);
        db.set_lock_wait(if patient { OLDER.min(left) } else { self.target.lock_wait });
        db.settle().await?;
        if patient {
            for row in db.ask(OLD, &[]).await? {
                let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
                say!(
                    "      it waits for session {} ({}), in its transaction for {} s",
                    text(0),
                    text(1),
                    text(2)
                );
            }
        }
        Ok(())
    }

    /// All statements are done: what is left is to say so, and to look at the rows.
    async fn ready(&mut self, scripts: &Scripts, cut: Cut) -> Result<Applied, Stop> {
        let of = scripts.split(Part::Change).statements.len();
        self.came(cut.done, of);
        let applied = cut.so_far;
        let limits = self.task.rows;
        let mut held = self.held().await.map_err(at("open"))?;
        let rows = Some(applied.rows);
        let marked = self.mark(&mut held.db, &applied.attempt, marker::READY, rows, "ready").await;
        self.held = Some(held);
        marked.map_err(|stop| Stop::in_doubt(format!("all statements are done; {}", stop.why)))?;
        self.note_after(Step::Committed);
        if (limits.min..=limits.max).contains(&applied.rows) {
            return Ok(applied);
        }
        let why = format!(
            "{} rows changed, and the change declares {} to {}",
            applied.rows, limits.min, limits.max
        );
        Err(self.roll_back(scripts, &applied, why).await)
    }

    /// Finds out whether the statement that was begun is done, by its probe.
    async fn judged(&mut self, scripts: &Scripts, mut cut: Cut) -> Result<Cut, Stop> {
        let Some(number) = cut.open.take() else { return Ok(cut) };
        // Whatever was at work before is over: this session has the lock.
        let mut held = self.held_at_last().await.map_err(|error| {
            Stop::in_doubt(format!("statement {number} was begun, and nobody can look: {error}"))
        })?;
        match self.probe(scripts, number).await {
            Probed::Done => {
                say!("statement {number} was begun, and its probe says that it is done");
                let step = done_step(number);
                let marked =
                    self.mark(&mut held.db, &cut.so_far.attempt, &step, None, "found done").await;
                self.held = Some(held);
                marked?;
                Ok(Cut { done: number, ..cut })
            }
            Probed::NotDone => {
                say!("statement {number} was begun, and its probe says that it is not done");
                self.held = Some(held);
                Ok(Cut { open: Some(number), ..cut })
            }
            Probed::Unknown(why) => {
                self.held = Some(held);
                Err(Stop::in_doubt(format!("statement {number} was begun, and {why}")))
            }
        }
    }

    async fn probe(&self, scripts: &Scripts, number: u32) -> Probed {
        let script = scripts.split(Part::Change);
        let statement = script.statements.iter().find(|statement| statement.number == number);
        let Some(probe) = statement.and_then(|statement| done_when::of(&script, statement)) else {
            return Probed::Unknown("it has no probe".to_owned());
        };
        let asked = async {
            let mut db = self.target.open(Access::Read).await?;
            let answer = db.run(probe, 1).await;
            db.close().await;
            answer
        };
        match asked.await {
            Ok(answer) => match answer.rows.first().and_then(|row| row.first()) {
                Some(cell) if cell.is_true() => Probed::Done,
                _ => Probed::NotDone,
            },
            // What it would have made is not there.
            Err(error) if error.is_missing() => Probed::NotDone,
            Err(error) => Probed::Unknown(format!("its probe cannot be asked: {error}")),
        }
    }

    /// It stops between two statements, or at one that is known not to be done.
    async fn stopped(&mut self, cut: Cut, of: usize, why: String) -> Stop {
        if cut.done > 0 {
            return self.partial(&cut, of, why);
        }
        // So that a later attempt need not look for what is not there.
        let Ok(mut held) = self.held().await else { return Stop::clean(why) };
        let marked =
            self.mark(&mut held.db, &cut.so_far.attempt, marker::FORMER, None, "nothing done");
        let marked = marked.await;
        self.held = Some(held);
        match marked {
            Ok(()) => Stop::clean(why),
            Err(stop) => Stop::clean(format!("{why}; {}", stop.why)),
        }
    }

    /// How far it came, for whoever decides.
    fn came(&mut self, done: u32, of: usize) {
        let of = u32::try_from(of).unwrap_or(u32::MAX);
        self.work.progress = Some(Progress { done, of });
    }

    fn partial(&mut self, cut: &Cut, of: usize, why: String) -> Stop {
        let done = cut.done;
        self.came(done, of);
        Stop::new(ChangeState::Partial, format!("{done} of {of} statements are done: {why}"))
    }

    /// An index that was built CONCURRENTLY and failed is there all the same, and of no use. Those that the statement says
    /// nothing of are somebody else's, and may be under way.
    async fn with_leftovers(&mut self, why: String, statement: &Statement<'_>) -> String {
        const INVALID: &str = "SELECT i.indexrelid::regclass::text, c.relname FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid";
        if !is_concurrent(self.target.dialect(), statement) {
            return why;
        }
        let Ok(mut held) = self.held().await else { return why };
        let found = held.db.ask(INVALID, &[]).await.unwrap_or_default();
        self.held = Some(held);
        let names = found.into_iter().filter_map(|row| match row.as_slice() {
            [Some(whole), Some(name)] if names(statement.text, name) => Some(whole.clone()),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return why;
        }
        let drop: Vec<String> =
            names.iter().map(|name| format!("DROP INDEX CONCURRENTLY {name}")).collect();
        format!("{why}; an invalid index is left: {}", drop.join("; "))
    }

    /// The way back of a journalled change, statement by statement too.
    pub(super) async fn roll_back_journalled(
        &mut self,
        scripts: &Scripts,
        applied: &Applied,
        why: String,
    ) -> Stop {
        say!("rolling back: {why}");
        let failed = |what: String| {
            Stop::new(ChangeState::RollbackFailed, format!("{why}; the rollback failed: {what}"))
        };
        self.note_after(Step::RollingBack);
        let mut held = match self.held().await {
            Ok(held) => held,
            Err(error) => return failed(error.to_string()),
        };
        held.db.set_unstoppable();
        let undone = self.undo_each(&mut held.db, scripts, applied).await;
        self.held = Some(held);
        match undone {
            Ok(rows) => {
                self.rolled_back(rows);
                self.prove_former(scripts, applied, why).await
            }
            Err(stop) => failed(stop.why),
        }
    }

    async fn undo_each(
        &mut self,
        db: &mut Db,
        scripts: &Scripts,
        applied: &Applied,
    ) -> Result<u64, Stop> {
        let script = scripts.split(Part::Rollback);
        let file = Part::Rollback.file();
        let mut rows = 0;
        for statement in &script.statements {
            let (number, line) = (statement.number, statement.line);
            let begun = format!("{UNDO}{}", started_step(number));
            self.mark(db, &applied.attempt, &begun, None, "started").await?;
            self.note_after(Step::Statement { script: file.into(), number, line });
            self.make_ready(db, statement).await.map_err(at("limits"))?;
            rows += statement::run(db, file, &script, statement, Within::Nothing).await?.changed;
            self.steps.point(&format!("undone-{number}"));
            let done = format!("{UNDO}{}", done_step(number));
            self.mark(db, &applied.attempt, &done, None, "done").await?;
        }
        self.mark(db, &applied.attempt, marker::ROLLBACK, Some(rows), "rolled-back").await?;
        Ok(rows)
    }
}

fn is_concurrent(dialect: Dialect, statement: &Statement<'_>) -> bool {
    dialect == Dialect::Postgres
        && statement.code(dialect).iter().any(|token| token.is("concurrently"))
}
/// Whether a statement has a name as a word of its own, whatever its case.
fn names(statement: &str, name: &str) -> bool {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.into_iter().any(|word| word.eq_ignore_ascii_case(name))
}
