//! A connection to a SQLite target whose transactions only nightrun ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::log::complain;
use futures_util::TryStreamExt;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Decode, Either, Executor, Row};
use sqlx::{TypeInfo, ValueRef};

/// How long a statement waits for another writer.
const BUSY: Duration = Duration::from_secs(10);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Writes; the file is made where it is missing.
    Create,
    /// Writes to a file that is there.
    Write,
    /// `query_only`: a write is an error.
    Read,
}

/// The database said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(super) struct DbError {
    pub(super) words: String,
}

impl DbError {
    /// What a statement names is not there (yet).
    pub(super) fn is_missing(&self) -> bool {
        ["no such table", "no such column"].iter().any(|start| self.words.starts_with(start))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        let words = match &error {
            sqlx::Error::Database(said) => {
                let code = said.code().and_then(|code| code.parse::<u32>().ok());
                // The low byte is SQLite's primary code: 5 is BUSY, 19 a constraint, 531 our commit hook.
                match code {
                    Some(531) => "a COMMIT in the script was refused".to_owned(),
                    Some(code) if code & 0xff == 5 => {
                        format!(
                            "{}: another program kept writing for {} s",
                            said.message(),
                            BUSY.as_secs()
                        )
                    }
                    _ => said.message().to_owned(),
                }
            }
            other => other.to_string(),
        };
        Self { words }
    }
}

/// COMMIT did not succeed.
#[derive(Debug)]
pub(super) struct CommitError {
    pub(super) why: DbError,
    /// Proven that nothing of the transaction stays.
    pub(super) undone: bool,
}

/// What one statement gave.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) columns: Vec<String>,
    /// The first rows, as many as were asked for.
    pub(super) rows: Vec<Vec<Cell>>,
    /// All rows.
    pub(super) count: u64,
    /// SQLite's `changes()`; stale after a statement that is not INSERT, UPDATE or DELETE.
    pub(super) changes: u64,
    /// Statements that SQLite saw in the text.
    pub(super) statements: u32,
    pub(super) took: Duration,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    /// Not NULL, not zero (as text either), not empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Integer(number) => *number != 0,
            Self::Real(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty() && text.trim().parse() != Ok(0.0),
            Self::Blob(bytes) => !bytes.is_empty(),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Text(text) => f.write_str(text),
            Self::Blob(bytes) => {
                f.write_str("x'")?;
                for byte in bytes.iter().take(100) {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(if bytes.len() > 100 { "…'" } else { "'" })
            }
        }
    }
}

/// What SQLite's hooks watch, so that no statement of a script ends the transaction unseen.
#[derive(Debug)]
struct Gate {
    may_commit: AtomicBool,
    rolled_back: AtomicBool,
}

/// An open target.
pub(super) struct Db {
    pub(super) conn: SqliteConnection,
    gate: Arc<Gate>,
}

impl Db {
    pub(super) async fn open(path: &Path, access: Access) -> Result<Self, DbError> {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY);
        let options = match access {
            Access::Read => options.pragma("query_only", "on"),
            Access::Create | Access::Write => options
                .create_if_missing(access == Access::Create)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full),
        };
        let mut conn = options.foreign_keys(true).disable_statement_logging().connect().await?;
        let gate = Arc::new(Gate {
            may_commit: AtomicBool::new(true),
            rolled_back: AtomicBool::new(false),
        });
        let mut handle = conn.lock_handle().await?;
        let at_commit = Arc::clone(&gate);
        handle.set_commit_hook(move || at_commit.may_commit.load(Ordering::SeqCst));
        let at_rollback = Arc::clone(&gate);
        handle.set_rollback_hook(move || at_rollback.rolled_back.store(true, Ordering::SeqCst));
        drop(handle);
        Ok(Self { conn, gate })
    }

    /// Runs one statement of a script and keeps its first rows.
    #[expect(clippy::disallowed_methods, reason = "the log tells how long a statement took")]
    pub(super) async fn run(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        let clock = Instant::now();
        let mut answer = Answer::default();
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let mut stream = (&mut self.conn).fetch_many(query);
        while let Some(item) = stream.try_next().await? {
            match item {
                Either::Left(done) => {
                    answer.statements += 1;
                    answer.changes = done.rows_affected();
                }
                Either::Right(row) => {
                    if answer.count == 0 {
                        answer.columns =
                            row.columns().iter().map(|c| c.name().to_owned()).collect();
                    }
                    if answer.rows.len() < keep {
                        answer.rows.push(cells(&row)?);
                    }
                    answer.count += 1;
                }
            }
        }
        drop(stream);
        answer.took = clock.elapsed();
        Ok(answer)
    }

    /// One number that the query gives.
    pub(super) async fn number(&mut self, sql: &str) -> Result<u64, DbError> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let row = (&mut self.conn).fetch_one(query).await?;
        let number: i64 = row.try_get_unchecked(0)?;
        Ok(number.unsigned_abs())
    }

    /// Closes the file. The last one to do so folds the write-ahead log into it, so that a copy of the file is whole.
    pub(super) async fn close(self) {
        if let Err(error) = self.conn.close().await {
            complain!("the target could not be closed cleanly: {error}");
        }
    }

    /// BEGIN IMMEDIATE. From here on only [`Db::commit`] can commit.
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        self.run("BEGIN IMMEDIATE", 0).await?;
        self.gate.rolled_back.store(false, Ordering::SeqCst);
        self.gate.may_commit.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), CommitError> {
        // A rollback that nobody asked for has ended the transaction: there is nothing that a COMMIT could mean.
        if self.gate.rolled_back.load(Ordering::SeqCst) {
            let words = "the database rolled the transaction back by itself".to_owned();
            return Err(CommitError { why: DbError { words }, undone: true });
        }
        self.gate.may_commit.store(true, Ordering::SeqCst);
        match self.run("COMMIT", 0).await {
            Ok(_) => Ok(()),
            Err(why) => {
                let undone = self.rollback().await;
                Err(CommitError { why, undone })
            }
        }
    }

    /// ROLLBACK; true where it is proven that nothing of the transaction stays.
    pub(super) async fn rollback(&mut self) -> bool {
        let asked = self.run("ROLLBACK", 0).await.is_ok();
        asked || self.gate.rolled_back.load(Ordering::SeqCst)
    }
}

fn cells(row: &SqliteRow) -> Result<Vec<Cell>, DbError> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let info = value.type_info();
            let wrong = |error| DbError::from(sqlx::Error::Decode(error));
            Ok(match info.name() {
                "INTEGER" => Cell::Integer(<i64 as Decode<Sqlite>>::decode(value).map_err(wrong)?),
                "REAL" => Cell::Real(<f64 as Decode<Sqlite>>::decode(value).map_err(wrong)?),
                "TEXT" => {
                    let bytes = <Vec<u8> as Decode<Sqlite>>::decode(value).map_err(wrong)?;
                    Cell::Text(String::from_utf8_lossy(&bytes).into_owned())
                }
                _ => Cell::Blob(<Vec<u8> as Decode<Sqlite>>::decode(value).map_err(wrong)?),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
    }

    #[test]
    fn only_nightrun_ends_its_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        on(async {
            let mut db = Db::open(&path, Access::Create).await.unwrap();
            db.run("create table t (x)", 0).await.unwrap();
            // The lint refuses these; should one slip past it, SQLite's hooks do not.
            for hidden in ["COMMIT", "END TRANSACTION"] {
                db.begin().await.unwrap();
                db.run("insert into t values (1)", 0).await.unwrap();
                let refused = db.run(hidden, 0).await.unwrap_err();
                assert_eq!(refused.words, "a COMMIT in the script was refused");
                // Outside of the transaction nothing else gets in either.
                assert!(db.run("insert into t values (2)", 0).await.is_err());
                assert!(db.commit().await.unwrap_err().undone);
            }
            db.begin().await.unwrap();
            db.run("insert into t values (3)", 0).await.unwrap();
            db.run("ROLLBACK", 0).await.unwrap();
            assert!(db.run("insert into t values (4)", 0).await.is_err());
            assert!(db.commit().await.unwrap_err().undone);
            db.begin().await.unwrap();
            db.run("insert into t values (5)", 0).await.unwrap();
            db.commit().await.unwrap();
            let answer = db.run("select x from t", 9).await.unwrap();
            assert_eq!(answer.rows, [[Cell::Integer(5)]]);
            db.close().await;
            let mut reader = Db::open(&path, Access::Read).await.unwrap();
            let refused = reader.run("delete from t", 0).await.unwrap_err();
            assert!(refused.words.contains("readonly"), "{refused}");
        });
    }
}
