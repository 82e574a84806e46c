//! The marker: what the target itself says about a change, written in the same transaction as the change.

use jiff::Timestamp;

use super::rehearsal::Pass;
use crate::agent::worker::db::{Db, DbError};
use crate::agent::worker::ledger::{self, Ledger};
use crate::sql::Dialect;
use crate::types::{AttemptId, ChangeId};
use crate::wire::{Check, KeptRows, RehearsalStep};

/// Steps as the table names them.
pub(super) const STARTED: &str = "started";
/// `outcome` is the verification before the change, as JSON.
pub(super) const BEFORE: &str = "before";
pub(super) const BACKUP: &str = "backup";
/// The last row of the change's transaction: whoever sees it sees the whole change.
pub(super) const READY: &str = "ready";
pub(super) const ROLLBACK: &str = "rollback";
/// After the rollback the former state was proven.
pub(super) const FORMER: &str = "former";
/// `outcome` is what was rehearsed before, as JSON.
pub(super) const REHEARSED: &str = "rehearsed";

/// `outcome` of [`STARTED`] where each statement commits by itself.
pub(super) const JOURNALLED: &str = "journalled";
/// Before each statement of a rollback that commits by itself.
pub(super) const UNDO: &str = "undo-";

/// Before a statement that commits by itself.
pub(super) fn started_step(number: u32) -> String {
    format!("started-{number}")
}

/// After it.
pub(super) fn done_step(number: u32) -> String {
    format!("done-{number}")
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) attempt: String,
    pub(super) content_digest: String,
    pub(super) step: String,
    pub(super) at: String,
    pub(super) rows: Option<i64>,
    pub(super) outcome: Option<String>,
}

impl Entry {
    /// In one line, for people.
    pub(super) fn line(&self) -> String {
        let rows = self.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        format!("{} {} at {}{rows}", self.attempt, self.step, self.at)
    }
}

/// What the target says about a change in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum History {
    /// Not applied in this run. `elsewhere`: when and by which attempt of another run the same content was applied.
    /// `seen`: which attempts of this run have left rows all the same, of what was undone or never begun.
    Fresh { elsewhere: Option<(String, String)>, seen: Vec<(String, Pass)> },
    /// Applied and committed by this attempt.
    Applied(Applied),
    /// Applied and rolled back, and nobody has proven the former state yet.
    RolledBack(Applied),
    /// Journalled, and cut off before its last statement was known to be done.
    Cut(Cut),
    /// The rows contradict each other or the task.
    Conflict(String),
}

/// A committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) attempt: String,
    /// A rehearsal is taken back whatever its verification says.
    pub(super) pass: Pass,
    /// As the marker has it; `None`: just now.
    pub(super) at: Option<Timestamp>,
    pub(super) rows: u64,
    pub(super) backup_rows: u64,
    pub(super) before: Vec<Check>,
    /// Rows that nightrun itself has kept.
    pub(super) kept: Vec<KeptRows>,
    /// What was rehearsed before.
    pub(super) rehearsal: Vec<RehearsalStep>,
}

impl Applied {
    /// No rows yet.
    pub(super) fn none(attempt: String, pass: Pass) -> Self {
        let (before, kept, rehearsal) = (Vec::new(), Vec::new(), Vec::new());
        Self { attempt, pass, at: None, rows: 0, backup_rows: 0, before, kept, rehearsal }
    }
}

/// A journalled change as far as its rows say that it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// As if it had been applied: what rows say of it so far.
    pub(super) so_far: Applied,
    /// Statements that are done, from the first on.
    pub(super) done: u32,
    /// One that was begun and not said to be done.
    pub(super) open: Option<u32>,
}

/// The rows of a change, oldest first. Where the table is missing: none of a file, whose table comes with its first
/// change; a refusal of a server, where an administrator makes it.
pub(super) async fn read(db: &mut Db, change: &ChangeId) -> Result<Vec<Entry>, DbError> {
    let Ledger { exists, select, .. } = ledger::of(db.dialect());
    if db.number(exists).await? == 0 {
        return match db.dialect() {
            Dialect::Sqlite => Ok(Vec::new()),
            Dialect::Postgres | Dialect::Mysql => Err(DbError::refused(ledger::MISSING)),
        };
    }
    let rows = db.ask(select, &[Some(change.as_str())]).await?;
    let read = |row: Vec<Option<String>>| {
        let [attempt, content_digest, step, at, rows, outcome] = row.try_into().ok()?;
        let rows = rows.map(|rows| rows.parse()).transpose().ok()?;
        let (attempt, content_digest) = (attempt?, content_digest?);
        Some(Entry { attempt, content_digest, step: step?, at: at?, rows, outcome })
    };
    let entries: Option<Vec<Entry>> = rows.into_iter().map(read).collect();
    entries.ok_or_else(|| DbError::refused("nightrun_change_run holds what nightrun never wrote"))
}

/// Makes the table of a SQLite target where it is missing, in the transaction that is open.
pub(super) async fn prepare(db: &mut Db) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Sqlite => db.ask(ledger::SQLITE, &[]).await.map(drop),
        Dialect::Postgres | Dialect::Mysql => Ok(()),
    }
}

pub(super) async fn write(db: &mut Db, change: &ChangeId, entry: &Entry) -> Result<(), DbError> {
    let rows = entry.rows.map(|rows| rows.to_string());
    let identity = db.identity().map(str::to_owned);
    let mut values = vec![
        Some(change.as_str()),
        Some(&entry.attempt),
        Some(&entry.content_digest),
        Some(&entry.step),
        Some(&entry.at),
        rows.as_deref(),
        entry.outcome.as_deref(),
    ];
    if db.dialect() != Dialect::Sqlite {
        values.push(identity.as_deref());
    }
    db.ask(ledger::of(db.dialect()).insert, &values).await.map(drop)
}

/// Reads the state of a change from its rows, for an attempt of a run.
pub(super) fn history(rows: &[Entry], attempt: &AttemptId, digest: &str) -> History {
    let of_run =
        |row: &&Entry| row.attempt.parse().is_ok_and(|id: AttemptId| id.run == attempt.run);
    let ours: Vec<&Entry> = rows.iter().filter(of_run).collect();
    if let Some(row) = ours.iter().find(|row| row.content_digest != digest) {
        return History::Conflict(format!(
            "the marker of {} names other content ({}…) than this run's ({}…)",
            row.attempt,
            head(&row.content_digest),
            head(digest)
        ));
    }
    // Rows are in the order they were written, so the last execution that began is the one that counts.
    let begun = ours.iter().rev().find_map(|row| {
        let (pass, step) = Pass::of(&row.step);
        (step == STARTED).then_some((*row, pass))
    });
    let Some((begun, pass)) = begun else {
        if let Some(row) = ours.first() {
            return History::Conflict(incomplete(&row.attempt));
        }
        let ready = rows.iter().rev().find(|r| r.step == READY && r.content_digest == digest);
        return History::Fresh {
            elsewhere: ready.map(|row| (row.attempt.clone(), row.at.clone())),
            seen: Vec::new(),
        };
    };
    let execution = Execution::of(&ours, begun, pass);
    let history = match begun.outcome.as_deref() {
        Some(JOURNALLED) => journalled(&execution),
        _ => transactional(&execution),
    };
    match history {
        History::Fresh { .. } => History::Fresh { elsewhere: None, seen: seen(&ours) },
        other => other,
    }
}

/// Which attempts have begun which pass.
fn seen(ours: &[&Entry]) -> Vec<(String, Pass)> {
    let begun = ours.iter().filter_map(|row| {
        let (pass, step) = Pass::of(&row.step);
        (step == STARTED).then(|| (row.attempt.clone(), pass))
    });
    begun.collect()
}

/// The rows of one pass of an attempt, by their steps without the prefix of a rehearsal.
struct Execution<'r> {
    attempt: &'r str,
    pass: Pass,
    rows: Vec<(&'r str, &'r Entry)>,
}

impl<'r> Execution<'r> {
    fn of(ours: &[&'r Entry], begun: &'r Entry, pass: Pass) -> Self {
        let own = ours.iter().filter(|row| row.attempt == begun.attempt).filter_map(|row| {
            let (of, step) = Pass::of(&row.step);
            (of == pass).then_some((step, *row))
        });
        Self { attempt: &begun.attempt, pass, rows: own.collect() }
    }

    fn row(&self, step: &str) -> Option<&'r Entry> {
        self.rows.iter().find(|(name, _)| *name == step).map(|(_, row)| *row)
    }

    fn count(&self, step: &str) -> Option<u64> {
        u64::try_from(self.row(step)?.rows?).ok()
    }

    /// What a row holds besides, where it is that.
    fn json<T: serde::de::DeserializeOwned>(&self, step: &str) -> Option<T> {
        serde_json::from_str(self.row(step)?.outcome.as_deref()?).ok()
    }

    /// As far as the rows tell of it; `rows` are counted otherwise in each mode.
    fn applied(&self, rows: u64) -> Applied {
        Applied {
            at: self.row(READY).and_then(|row| row.at.parse().ok()),
            rows,
            backup_rows: self.count(BACKUP).unwrap_or_default(),
            before: self.json(BEFORE).unwrap_or_default(),
            // What a script has kept only it knows.
            kept: self.json(BACKUP).unwrap_or_default(),
            rehearsal: self.json(REHEARSED).unwrap_or_default(),
            ..Applied::none(self.attempt.to_owned(), self.pass)
        }
    }
}

const UNDONE: History = History::Fresh { elsewhere: None, seen: Vec::new() };

fn transactional(rows: &Execution<'_>) -> History {
    let whole = rows.count(BACKUP).is_some() && rows.json::<Vec<Check>>(BEFORE).is_some();
    let Some(changed) = rows.count(READY).filter(|_| whole) else {
        return History::Conflict(incomplete(rows.attempt));
    };
    let applied = rows.applied(changed);
    match (rows.row(ROLLBACK), rows.row(FORMER)) {
        (None, None) => History::Applied(applied),
        (Some(_), None) => History::RolledBack(applied),
        (Some(_), Some(_)) => UNDONE,
        (None, Some(_)) => History::Conflict(incomplete(rows.attempt)),
    }
}

/// Each row is committed by itself, so any number of the last ones may be missing.
fn journalled(rows: &Execution<'_>) -> History {
    let mut done = 0;
    let mut changed = 0;
    while let Some(row) = rows.row(&done_step(done + 1)) {
        done += 1;
        changed += row.rows.map_or(0, i64::unsigned_abs);
    }
    let open = rows.row(&started_step(done + 1)).map(|_| done + 1);
    let so_far = rows.applied(changed);
    if rows.row(FORMER).is_some() {
        return UNDONE;
    }
    if rows.row(ROLLBACK).is_some() {
        return History::RolledBack(so_far);
    }
    if rows.rows.iter().any(|(step, _)| step.starts_with(UNDO)) {
        let attempt = &so_far.attempt;
        return History::Conflict(format!("{attempt} was cut off while it rolled the change back"));
    }
    if rows.row(READY).is_some() {
        return History::Applied(so_far);
    }
    if done == 0 && open.is_none() {
        return UNDONE;
    }
    History::Cut(Cut { so_far, done, open })
}

fn incomplete(attempt: &str) -> String {
    // They are written in one transaction: whatever is missing was never written or taken away.
    format!(
        "the marker rows of {attempt} are not complete: a statement has ended its transaction, or someone has edited nightrun_change_run"
    )
}

fn head(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempt: &str, step: &str, rows: Option<i64>) -> Entry {
        Entry {
            attempt: attempt.into(),
            content_digest: "d1".into(),
            step: step.into(),
            at: "2026-10-30T21:00:00Z".into(),
            rows,
            outcome: Some("[]".into()),
        }
    }

    fn applied(attempt: &str) -> Vec<Entry> {
        vec![
            row(attempt, STARTED, None),
            row(attempt, BEFORE, None),
            row(attempt, BACKUP, Some(3)),
            row(attempt, READY, Some(2)),
        ]
    }

    const FIRST: &str = "eod@2026-10-30#1/fee/1";

    fn read(rows: &[Entry]) -> History {
        history(rows, &"eod@2026-10-30#1/fee/2".parse().unwrap(), "d1")
    }

    fn fresh(seen: &[(&str, Pass)]) -> History {
        let seen = seen.iter().map(|(attempt, pass)| ((*attempt).to_owned(), *pass)).collect();
        History::Fresh { elsewhere: None, seen }
    }

    fn known(pass: Pass, rows: u64) -> Applied {
        Applied { rows, backup_rows: 3, ..Applied::none(FIRST.to_owned(), pass) }
    }

    #[test]
    fn the_rows_say_how_far_a_change_came() {
        assert_eq!(read(&[]), fresh(&[]));
        let at = "2026-10-30T21:00:00Z".parse().ok();
        let known = Applied { at, ..known(Pass::Change, 2) };
        let mut rows = applied(FIRST);
        assert_eq!(read(&rows), History::Applied(known.clone()));
        rows.push(row(FIRST, ROLLBACK, Some(2)));
        assert_eq!(read(&rows), History::RolledBack(known));
        rows.push(row(FIRST, FORMER, None));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Change)]));
        // A third attempt applied it after the rollback of the first was proven.
        rows.extend(applied("eod@2026-10-30#1/fee/3"));
        assert!(matches!(read(&rows), History::Applied(a) if a.attempt.ends_with("/3")));
    }

    #[test]
    fn another_run_is_fresh_and_other_content_is_not() {
        let other = applied("eod@2026-10-30#2/fee/1");
        assert!(
            matches!(read(&other), History::Fresh { elsewhere: Some((by, _)), .. } if by.contains("#2"))
        );
        let mut rows = applied(FIRST);
        rows[0].content_digest = "d2".into();
        assert!(matches!(read(&rows), History::Conflict(words) if words.contains("other content")));
        for missing in 0..4 {
            let mut rows = applied(FIRST);
            rows.remove(missing);
            assert!(matches!(read(&rows), History::Conflict(_)), "without row {missing}");
        }
    }

    #[test]
    fn a_journalled_change_came_as_far_as_its_rows() {
        let begun = Entry { outcome: Some(JOURNALLED.into()), ..row(FIRST, STARTED, None) };
        let mut rows = vec![begun, row(FIRST, BEFORE, None), row(FIRST, BACKUP, Some(3))];
        // Nothing of the change itself was begun.
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Change)]));
        let cut = |changed: u64, done: u32, open: Option<u32>| {
            History::Cut(Cut { so_far: known(Pass::Change, changed), done, open })
        };
        rows.push(row(FIRST, "started-1", None));
        assert_eq!(read(&rows), cut(0, 0, Some(1)));
        rows.push(row(FIRST, "done-1", Some(2)));
        assert_eq!(read(&rows), cut(2, 1, None));
        rows.push(row(FIRST, "started-2", None));
        assert_eq!(read(&rows), cut(2, 1, Some(2)));
        rows.extend([row(FIRST, "done-2", Some(5)), row(FIRST, READY, Some(7))]);
        assert!(matches!(read(&rows), History::Applied(applied) if applied.rows == 7));
        rows.push(row(FIRST, "undo-started-1", None));
        assert!(matches!(read(&rows), History::Conflict(words) if words.contains("rolled")));
        rows.push(row(FIRST, ROLLBACK, None));
        assert!(matches!(read(&rows), History::RolledBack(_)));
    }
    /// Rows of a pass of attempt 1, each with its prefix.
    fn of_pass(pass: Pass, rows: Vec<Entry>) -> Vec<Entry> {
        let named = |row: Entry| Entry { step: pass.step(&row.step), ..row };
        rows.into_iter().map(named).collect()
    }

    #[test]
    fn a_rehearsal_is_not_the_change_that_stays() {
        let mut rows = of_pass(Pass::Rehearsal, applied(FIRST));
        assert!(matches!(read(&rows), History::Applied(a) if a.pass == Pass::Rehearsal));
        rows.extend(of_pass(Pass::Rehearsal, vec![row(FIRST, ROLLBACK, Some(2))]));
        assert!(matches!(read(&rows), History::RolledBack(a) if a.pass == Pass::Rehearsal));
        rows.extend(of_pass(Pass::Rehearsal, vec![row(FIRST, FORMER, None)]));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Rehearsal)]));
        // What is rehearsed elsewhere has applied nothing there.
        let other = history(&rows, &OTHER.parse().unwrap(), "d1");
        assert_eq!(other, fresh(&[]));
        rows.extend(applied(FIRST));
        assert!(matches!(read(&rows), History::Applied(a) if a.pass == Pass::Change));
        rows.push(row(FIRST, ROLLBACK, Some(2)));
        rows.push(row(FIRST, FORMER, None));
        assert_eq!(read(&rows), fresh(&[(FIRST, Pass::Rehearsal), (FIRST, Pass::Change)]));
    }

    const OTHER: &str = "eod@2026-10-30#2/fee/1";
}
