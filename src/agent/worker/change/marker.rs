//! The marker: what the target itself says about a change, written in the same transaction as the change.

use crate::agent::worker::db::{Db, DbError};
use crate::agent::worker::ledger::{self, Ledger};
use crate::sql::Dialect;
use crate::sql::lint::Part;
use crate::types::ChangeId;

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
/// Before the steps of a rollback whose statements commit by themselves.
const UNDO: &str = "undo-";

/// Which script of a journalled change is gone through, statement by statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    There,
    Back,
}

impl Way {
    pub(super) fn part(self) -> Part {
        match self {
            Self::There => Part::Change,
            Self::Back => Part::Rollback,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::There => "",
            Self::Back => UNDO,
        }
    }

    /// Before a statement is tried for the `nth` time.
    pub(super) fn started(self, number: u32, nth: u32) -> String {
        self.tried("started", number, nth)
    }

    /// The database has refused the statement then: it is not done, whatever its probe says later.
    pub(super) fn refused(self, number: u32, nth: u32) -> String {
        self.tried("refused", number, nth)
    }

    pub(super) fn done(self, number: u32) -> String {
        self.tried("done", number, 1)
    }

    /// No step stands twice in the table.
    fn tried(self, step: &str, number: u32, nth: u32) -> String {
        let again = if nth > 1 { format!(".{nth}") } else { String::new() };
        format!("{}{step}-{number}{again}", self.prefix())
    }

    /// Whether a row is of its statements.
    pub(super) fn has(self, step: &str) -> bool {
        ["started-", "refused-", "done-"]
            .iter()
            .any(|of| step.strip_prefix(self.prefix()).is_some_and(|step| step.starts_with(of)))
    }
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
