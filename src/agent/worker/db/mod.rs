//! A session with a target, whatever its engine: one statement at a time, and transactions that only nightrun ends.

mod answer;
mod limits;
mod mysql;
mod postgres;
mod secret;
mod sqlite;

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(super) use answer::{Answer, Cell, CommitError, DbError, Kind};
pub(super) use limits::{Limits, LockWait};
pub(super) use postgres::NEVER_BEGUN;

use super::halt::Halt;
use crate::definition::site::Engine;
use crate::sql::Dialect;
use crate::types::AttemptId;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Writes; a SQLite file is made where it is missing.
    Create,
    /// Writes to what is there.
    Write,
    /// A write is an error.
    Read,
}

/// How long nightrun's own questions to a server may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a server may take to let somebody in.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a statement that was cancelled has to yield; then its session is ended.
const YIELD: Duration = Duration::from_secs(3);

/// Why no session is opened.
pub(super) const BY_CLIENT: &str = "only its client program speaks with this database";

/// A database, and how the worker comes to it.
pub(super) struct Target<'a> {
    pub(super) engine: &'a Engine,
    /// By which its sessions are known on the server.
    pub(super) session: String,
    pub(super) halt: Halt,
    /// How long a statement waits for a lock that somebody else holds.
    pub(super) lock_wait: LockWait,
}

impl<'a> Target<'a> {
    pub(super) fn new(engine: &'a Engine, attempt: Option<&AttemptId>, halt: Halt) -> Self {
        let lock_wait = LockWait::OF_SCRIPT;
        Self { engine, session: session_name(attempt), halt, lock_wait }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    /// As the log calls it.
    pub(super) fn name(&self) -> String {
        match self.engine {
            Engine::Sqlite { path } => super::source::short_name(path),
            server => server.place(),
        }
    }

    pub(super) async fn open(&self, access: Access) -> Result<Db, DbError> {
        Ok(match self.engine {
            Engine::Sqlite { path } => {
                Db::Sqlite(sqlite::Session::open(path, access, &self.halt).await?)
            }
            Engine::Client(_) => return Err(DbError::refused(BY_CLIENT)),
            Engine::Postgres(server) => {
                Db::Postgres(Box::new(postgres::Session::open(server, self, access).await?))
            }
            Engine::Mysql(server) => {
                Db::Mysql(Box::new(mysql::Session::open(server, self, access).await?))
            }
        })
    }
}

/// `nightrun/<run>/<job>/<attempt>`, of at most the 63 bytes that PostgreSQL keeps.
pub(super) fn session_name(attempt: Option<&AttemptId>) -> String {
    use sha2::{Digest, Sha256};
    const LONGEST: usize = 63;
    let Some(attempt) = attempt else { return "nightrun".to_owned() };
    let name = format!("nightrun/{attempt}");
    if name.len() <= LONGEST {
        return name;
    }
    // What is cut off is told apart by what it was.
    let digest: String =
        Sha256::digest(&name).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(LONGEST - 1 - digest.len()).collect();
    format!("{kept}~{digest}")
}

/// A session of a server, as the server knows it: told apart from a later one with the same number by when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionId {
    /// The server process of PostgreSQL, the connection's number of MySQL.
    pub number: i64,
    pub began: String,
}

/// An open session.
pub(super) enum Db {
    Sqlite(sqlite::Session),
    Postgres(Box<postgres::Session>),
    Mysql(Box<mysql::Session>),
}

/// The same for each engine.
macro_rules! each {
    ($db:expr, $session:ident => $work:expr) => {
        match $db {
            Db::Sqlite($session) => $work,
            Db::Postgres($session) => $work,
            Db::Mysql($session) => $work,
        }
    };
}

impl Db {
    /// Runs one statement of a script and keeps its first rows.
    pub(super) async fn run(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        each!(self, db => db.run(sql, keep).await)
    }

    /// Asks something of nightrun's own: all parameters and all columns are text.
    pub(super) async fn ask(
        &mut self,
        sql: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let asked = async { each!(self, db => db.ask(sql, parameters).await) };
        let late = || DbError::lost(format!("no answer in {} s", ANSWER.as_secs()));
        tokio::time::timeout(ANSWER, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// From here on only [`Db::commit`] commits.
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        each!(self, db => db.begin().await)
    }

    /// As [`Db::begin`]: what is read stays as it is, so that what somebody else changes meanwhile makes this transaction
    /// fail, or waits for it.
    pub(super) async fn begin_steady(&mut self) -> Result<(), DbError> {
        match self {
            Self::Postgres(db) => db.begin_steady().await,
            Self::Mysql(db) => db.begin_steady().await,
            // One writer at a time.
            Self::Sqlite(db) => db.begin().await,
        }
    }

    /// Number and checksum of rows: on a server of two texts that the query gives, in a file of each row's first one.
    pub(super) async fn sum(&mut self, sql: &str) -> Result<(u64, String), DbError> {
        if let Self::Sqlite(db) = self {
            return db.digest(sql).await;
        }
        let answer = self.run(sql, 1).await?;
        match answer.rows.first().map(Vec::as_slice) {
            Some([count, sum]) => Ok((as_number(Some(count.to_string()))?, sum.to_string())),
            other => Err(DbError::refused(format!("{other:?} is no checksum"))),
        }
    }

    /// After a statement of a script: the transaction is still the one that nightrun began, and its limits hold.
    pub(super) async fn intact(&mut self) -> Result<(), DbError> {
        match self {
            // Its hooks let nobody else commit.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db) => db.intact().await,
            Self::Mysql(db) => db.intact().await,
        }
    }

    /// After a statement that failed: what a procedure of MySQL committed before it failed stays, and nobody says so. In
    /// PostgreSQL nothing commits inside of a transaction.
    pub(super) async fn intact_after(&mut self, error: DbError) -> DbError {
        match self {
            Self::Mysql(db) if matches!(error.kind, Kind::Refused | Kind::Missing) => {
                match db.intact().await {
                    Ok(()) => error,
                    Err(broken) => DbError { words: format!("{error}; {broken}"), ..broken },
                }
            }
            _ => error,
        }
    }

    /// Outside of a transaction: limits are set anew, whatever a statement has made of them.
    pub(super) async fn settle(&mut self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db) => db.set_limits().await,
            Self::Mysql(db) => db.set_limits().await,
        }
    }

    /// What is begun from here on is brought to its end, whatever time is left.
    pub(super) fn set_unstoppable(&mut self) {
        match self {
            Self::Sqlite(db) => db.set_unstoppable(),
            Self::Postgres(db) => db.set_halt(Halt::never()),
            Self::Mysql(db) => db.set_halt(Halt::never()),
        }
    }

    /// How long statements wait for locks from the next [`Db::settle`] on.
    pub(super) fn set_lock_wait(&mut self, wait: LockWait) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(db) => db.set_lock_wait(wait),
            Self::Mysql(db) => db.set_lock_wait(wait),
        }
    }

    /// The limits that the server was told last; none of a file.
    pub(super) fn limits(&self) -> Option<Limits> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db) => Some(db.limits()),
            Self::Mysql(db) => Some(db.limits()),
        }
    }

    /// What became of a transaction that has a name; `None`: the engine does not tell, or it was too long ago.
    pub(super) async fn status(&mut self, xid: &str) -> Result<Option<String>, DbError> {
        match self {
            Self::Postgres(db) => db.status(xid).await,
            Self::Sqlite(_) | Self::Mysql(_) => Ok(None),
        }
    }

    /// Ends what another session does, or the whole session.
    pub(super) async fn end(&mut self, of: &SessionId, whole: bool) -> Result<(), DbError> {
        const CANCEL: &str = "SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity \
             WHERE pid = $1::int AND extract(epoch FROM backend_start)::text = $2";
        const TERMINATE: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
             WHERE pid = $1::int AND extract(epoch FROM backend_start)::text = $2";
        match self {
            Self::Sqlite(_) => {}
            Self::Mysql(db) => db.kill(of.number, whole).await,
            Self::Postgres(_) => {
                let sql = if whole { TERMINATE } else { CANCEL };
                self.ask(sql, &[Some(&of.number.to_string()), Some(&of.began)]).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), CommitError> {
        each!(self, db => db.commit().await)
    }

    /// ROLLBACK; true where it is proven that nothing of the transaction stays.
    pub(super) async fn rollback(&mut self) -> bool {
        each!(self, db => db.rollback().await)
    }

    pub(super) async fn close(self) {
        each!(self, db => db.close().await)
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Whether the other end may be gone, or may outlive this process.
    pub(super) fn is_of_server(&self) -> bool {
        self.dialect() != Dialect::Sqlite
    }

    /// How BEGIN reads in the log.
    pub(super) fn begin_words(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) | Self::Mysql(_) => "BEGIN",
        }
    }

    /// The server and database that this is, by its own word; none of a file.
    pub(super) fn identity(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db) => Some(&db.identity),
            Self::Mysql(db) => Some(&db.identity),
        }
    }

    pub(super) fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db) => Some(&db.id),
            Self::Mysql(db) => Some(&db.id),
        }
    }

    /// Remembers which transaction this is; once it has written something. What the server can be asked about later.
    pub(super) async fn name_transaction(&mut self) -> Result<Option<String>, DbError> {
        match self {
            Self::Postgres(db) => db.name_transaction().await.map(Some),
            Self::Sqlite(_) | Self::Mysql(_) => Ok(None),
        }
    }

    /// Rows that this transaction has touched so far, by triggers and foreign keys too; `None` where the engine does not
    /// count them.
    pub(super) async fn touched(&mut self) -> Result<Option<u64>, DbError> {
        match self {
            Self::Sqlite(_) => self.number("SELECT CAST(total_changes() AS text)").await.map(Some),
            Self::Postgres(_) => self.number(postgres::TOUCHED).await.map(Some),
            Self::Mysql(_) => Ok(None),
        }
    }

    /// Rows of a table that was just made and filled.
    pub(super) async fn filled(
        &mut self,
        path: &[String],
        answer: &Answer,
    ) -> Result<u64, DbError> {
        match self {
            // It does not count them as changes.
            Self::Sqlite(db) => db.rows_of(path).await,
            Self::Postgres(_) | Self::Mysql(_) => Ok(answer.changes),
        }
    }

    /// One number that the query gives.
    pub(super) async fn number(&mut self, sql: &'static str) -> Result<u64, DbError> {
        let rows = self.ask(sql, &[]).await?;
        as_number(rows.first().and_then(|row| row.first()).cloned().flatten())
    }

    /// As [`Db::number`], of a query made for the tables at hand, which may take as long as statements of a script.
    pub(super) async fn counted(&mut self, sql: &str) -> Result<u64, DbError> {
        let answer = self.run(sql, 1).await?;
        as_number(answer.rows.first().and_then(|row| row.first()).map(ToString::to_string))
    }
}

fn as_number(cell: Option<String>) -> Result<u64, DbError> {
    let number = cell.as_deref().and_then(|text| text.parse::<i64>().ok());
    number.map(i64::unsigned_abs).ok_or_else(|| DbError::refused(format!("{cell:?} is no number")))
}

/// Waits for an answer, past the point at which what asks for it has been sent.
async fn sent<T>(point: &str, asks: impl Future<Output = T>) -> T {
    let mut asks = pin!(asks);
    let first = std::future::poll_fn(|context| Poll::Ready(asks.as_mut().poll(context))).await;
    // Whoever carries it to the server has its turn.
    tokio::task::yield_now().await;
    crate::fault::point(point);
    match first {
        Poll::Ready(answer) => answer,
        Poll::Pending => asks.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_its_attempt() {
        let attempt: AttemptId = "eod@2026-10-30#1/fee/2".parse().unwrap();
        assert_eq!(session_name(Some(&attempt)), "nightrun/eod@2026-10-30#1/fee/2");
        let long = |number: u32| {
            let attempt = format!("{}@2026-10-30#1/{}/{number}", "b".repeat(60), "j".repeat(60));
            session_name(Some(&attempt.parse().unwrap()))
        };
        assert_eq!((long(1).len(), long(1) == long(2)), (63, false));
    }
}
