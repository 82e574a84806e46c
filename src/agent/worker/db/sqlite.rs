//! A connection to a SQLite target whose transactions only nightrun ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Decode, Executor, Row};
use sqlx::{TypeInfo, ValueRef};

use super::answer::{Answer, Cell, CommitError, DbError, Kind};
use super::{Access, sent};
use crate::agent::worker::halt::Halt;
use crate::agent::worker::log::complain;

/// How long a statement waits for another writer.
const BUSY: Duration = Duration::from_secs(10);
/// Instructions of SQLite's machine between two looks at whether the work has to end.
const STEPS: i32 = 100_000;

/// SQLite's words for what a statement names and is not there.
const MISSING: [&str; 2] = ["no such table", "no such column"];

fn said(error: sqlx::Error) -> DbError {
    let words = match &error {
        sqlx::Error::Database(said) => {
            let code = said.code().and_then(|code| code.parse::<u32>().ok());
            // The low byte is SQLite's primary code: 5 is BUSY, 19 a constraint, 531 our commit hook.
            match code {
                Some(531) => "a COMMIT in the script was refused".to_owned(),
                Some(code) if code & 0xff == 5 => {
                    let waited = BUSY.as_secs();
                    format!("{}: another program kept writing for {waited} s", said.message())
                }
                _ => said.message().to_owned(),
            }
        }
        other => other.to_string(),
    };
    let missing = MISSING.iter().any(|start| words.starts_with(start));
    DbError { words, kind: if missing { Kind::Missing } else { Kind::Refused } }
}

/// What SQLite's hooks watch, so that no statement of a script ends the transaction unseen.
#[derive(Debug)]
struct Gate {
    may_commit: AtomicBool,
    rolled_back: AtomicBool,
    /// No statement is interrupted.
    unstoppable: AtomicBool,
}

/// An open target.
pub(in crate::agent::worker) struct Session {
    conn: SqliteConnection,
    gate: Arc<Gate>,
    halt: Halt,
}

impl Session {
    /// What is begun from here on is brought to its end.
    pub(super) fn set_unstoppable(&mut self) {
        self.halt = Halt::never();
        self.gate.unstoppable.store(true, Ordering::SeqCst);
    }

    pub(super) async fn open(path: &Path, access: Access, halt: &Halt) -> Result<Self, DbError> {
        // What looks is short, and looks to the end: what is there must be known above all.
        let halt = if access == Access::Read { Halt::never() } else { halt.clone() };

        let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY);
        let options = match access {
            Access::Read => options.pragma("query_only", "on"),
            Access::Create | Access::Write => options
                .create_if_missing(access == Access::Create)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full),
        };
        let mut conn =
            options.foreign_keys(true).disable_statement_logging().connect().await.map_err(said)?;
        let gate = Arc::new(Gate {
            may_commit: AtomicBool::new(true),
            rolled_back: AtomicBool::new(false),
            unstoppable: AtomicBool::new(false),
        });
        let mut handle = conn.lock_handle().await.map_err(said)?;
        let at_commit = Arc::clone(&gate);
        handle.set_commit_hook(move || at_commit.may_commit.load(Ordering::SeqCst));
        let at_rollback = Arc::clone(&gate);
        handle.set_rollback_hook(move || at_rollback.rolled_back.store(true, Ordering::SeqCst));
        let (asked, at_work) = (halt.clone(), Arc::clone(&gate));
        handle.set_progress_handler(STEPS, move || {
            asked.asked().is_none() || at_work.unstoppable.load(Ordering::SeqCst)
        });
        drop(handle);
        Ok(Self { conn, gate, halt })
    }

    /// Runs one statement of a script and keeps its first rows.
    pub(super) async fn run(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        let ends = |halt: &Halt| halt.asked().map(DbError::halted);
        if let Some(halted) = ends(&self.halt) {
            return Err(halted);
        }
        let ran = self.execute(sql, keep).await;
        // The progress handler has interrupted it.
        ran.map_err(|error| match ends(&self.halt) {
            Some(halted) if error.words == "interrupted" => halted,
            _ => error,
        })
    }

    async fn execute(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let stream = (&mut self.conn).fetch_many(query).map_err(said);
        Answer::read::<Sqlite>(stream, keep, |done| done.rows_affected(), cells).await
    }

    pub(super) async fn ask(
        &mut self,
        sql: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let mut query = sqlx::query(sql);
        for parameter in parameters {
            query = query.bind(*parameter);
        }
        let rows = query.fetch_all(&mut self.conn).await.map_err(said)?;
        let texts = |row: &SqliteRow| (0..row.len()).map(|at| row.try_get(at)).collect();
        rows.iter().map(texts).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// Rows of a table that was just made: SQLite does not count them as changes.
    pub(super) async fn rows_of(&mut self, path: &[String]) -> Result<u64, DbError> {
        let quoted: Vec<String> =
            path.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
        let query = format!("SELECT count(*) FROM {}", quoted.join("."));
        let answer = self.run(&query, 1).await?;
        match answer.rows.first().and_then(|row| row.first()) {
            Some(Cell::Integer(count)) => Ok(count.unsigned_abs()),
            other => Err(DbError::refused(format!("{other:?} is no count"))),
        }
    }

    /// Number of rows, and SHA-256 over the first text of each.
    pub(super) async fn digest(&mut self, sql: &str) -> Result<(u64, String), DbError> {
        use sha2::{Digest, Sha256};
        if let Some(halted) = self.halt.asked().map(DbError::halted) {
            return Err(halted);
        }
        let mut rows = (&mut self.conn).fetch(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())));
        let (mut count, mut digest) = (0, Sha256::new());
        while let Some(row) = rows.try_next().await.map_err(said)? {
            let text: Vec<u8> = row.try_get_unchecked(0).map_err(said)?;
            count += 1;
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        Ok((count, digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Closes the file. The last one to do so folds the write-ahead log into it, so that a copy of the file is whole.
    pub(super) async fn close(self) {
        if let Err(error) = self.conn.close().await {
            complain!("the target could not be closed cleanly: {error}");
        }
    }

    /// BEGIN IMMEDIATE. From here on only [`Db::commit`] can commit.
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        self.execute("BEGIN IMMEDIATE", 0).await?;
        self.gate.rolled_back.store(false, Ordering::SeqCst);
        self.gate.may_commit.store(false, Ordering::SeqCst);
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), CommitError> {
        // A rollback that nobody asked for has ended the transaction: there is nothing that a COMMIT could mean.
        if self.gate.rolled_back.load(Ordering::SeqCst) {
            let why = DbError::refused("the database rolled the transaction back by itself");
            return Err(CommitError { why, undone: true });
        }
        self.gate.may_commit.store(true, Ordering::SeqCst);
        let asked = self.gate.unstoppable.swap(true, Ordering::SeqCst);
        let committed = sent("worker.commit-sent", self.execute("COMMIT", 0)).await;
        self.gate.unstoppable.store(asked, Ordering::SeqCst);
        match committed {
            Ok(_) => Ok(()),
            Err(why) => {
                let undone = self.rollback().await;
                Err(CommitError { why, undone })
            }
        }
    }

    /// ROLLBACK; true where it is proven that nothing of the transaction stays.
    pub(super) async fn rollback(&mut self) -> bool {
        let asked = self.execute("ROLLBACK", 0).await.is_ok();
        asked || self.gate.rolled_back.load(Ordering::SeqCst)
    }
}

fn cells(row: &SqliteRow) -> Result<Vec<Cell>, DbError> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).map_err(said)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let info = value.type_info();
            let wrong = |error| said(sqlx::Error::Decode(error));
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
            let mut db = Session::open(&path, Access::Create, &Halt::never()).await.unwrap();
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
            let mut reader = Session::open(&path, Access::Read, &Halt::never()).await.unwrap();
            let refused = reader.run("delete from t", 0).await.unwrap_err();
            assert!(refused.words.contains("readonly"), "{refused}");
        });
    }
}
