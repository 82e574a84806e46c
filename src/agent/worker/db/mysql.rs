//! A session of MariaDB or MySQL: a plain connection of its own, with limits for everything that it may wait for.

use std::time::Duration;

use futures_util::{TryStreamExt, pin_mut};
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use sqlx::{TypeInfo, ValueRef};

use super::answer::{Answer, Cell, CommitError, DbError, Kind};
use super::limits::{Limits, LockWait};
use super::secret::{password, trusted};
use super::{ANSWER, Access, CONNECT, SessionId, Target, YIELD, sent};
use crate::agent::worker::halt::Halt;
use crate::agent::worker::log::say;
use crate::definition::site::{Server, ServerTls};

/// A savepoint that is there as long as the transaction is the one in which it was made.
const HOLDS: &str = "nightrun_holds";

/// An open session.
pub(in crate::agent::worker) struct Session {
    conn: MySqlConnection,
    options: MySqlConnectOptions,
    pub(super) id: SessionId,
    pub(super) identity: String,
    maria: bool,
    halt: Halt,
    lock_wait: LockWait,
    told: Limits,
}

impl Session {
    pub(super) fn set_halt(&mut self, halt: Halt) {
        self.halt = halt;
    }

    pub(super) fn set_lock_wait(&mut self, wait: LockWait) {
        self.lock_wait = wait;
    }

    pub(super) fn limits(&self) -> Limits {
        self.told
    }

    /// Ends the statement of another session, or the whole session.
    pub(super) async fn kill(&self, number: i64, whole: bool) {
        kill(&self.options, if whole { "CONNECTION" } else { "QUERY" }, number).await;
    }

    pub(super) async fn open(
        server: &Server,
        target: &Target<'_>,
        access: Access,
    ) -> Result<Self, DbError> {
        // What looks, looks to the end: what is there must be known above all.
        let halt = if access == Access::Read { Halt::never() } else { target.halt.clone() };
        let options = options(server)?;
        let conn = enter(&options).await?;
        let (id, identity) = (SessionId { number: 0, began: String::new() }, String::new());
        let lock_wait = target.lock_wait;
        let told = Limits::of(lock_wait, halt.left());
        let mut session = Self { conn, options, id, identity, maria: false, halt, lock_wait, told };
        session.introduce(server).await?;
        session.set_limits().await?;
        if access == Access::Read {
            session.execute("SET SESSION TRANSACTION READ ONLY", 0).await?;
        }
        Ok(session)
    }

    /// Who is at the other end. Refuses another server than the site names.
    async fn introduce(&mut self, server: &Server) -> Result<(), DbError> {
        const WHO: &str = "SELECT CAST(CONNECTION_ID() AS CHAR), VERSION(), \
             CAST(UNIX_TIMESTAMP(NOW(6)) AS CHAR), CONCAT(@@hostname, ':', @@port)";
        let row = self.ask(WHO, &[]).await?.pop().unwrap_or_default();
        let [Some(number), Some(version), Some(now), Some(place)] = row.as_slice() else {
            return Err(DbError::refused("the server does not say which session this is"));
        };
        self.maria = version.contains("MariaDB");
        let uid = if self.maria { "SELECT @@server_uid" } else { "SELECT @@server_uuid" };
        // Older servers have no name of their own.
        let uid = match self.ask(uid, &[]).await {
            Ok(mut rows) => rows.pop().unwrap_or_default().pop().flatten(),
            Err(_) => None,
        };
        self.identity = format!("{}/{}", uid.as_ref().unwrap_or(place), server.database);
        self.id = SessionId {
            number: number
                .parse()
                .map_err(|_| DbError::refused(format!("{number}: no session")))?,
            began: now.clone(),
        };
        match server.identity.as_ref().filter(|wanted| **wanted != self.identity) {
            None => Ok(()),
            Some(wanted) => Err(DbError::refused(format!(
                "this is the database {}, and site.yaml names {wanted}",
                self.identity
            ))),
        }
    }

    /// Strict, in utf8mb4, each wait with a limit. A script may have set them otherwise.
    pub(super) async fn set_limits(&mut self) -> Result<(), DbError> {
        const ALIKE: &str = "SET SESSION autocommit = 1, \
             sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_ALL_TABLES')";
        self.own(ALIKE).await?;
        self.limit().await
    }

    /// Sets those that follow from what is left. Nothing here ends a transaction.
    async fn limit(&mut self) -> Result<(), DbError> {
        let limits = Limits::of(self.lock_wait, self.halt.left());
        let wait = limits.lock_wait.as_secs().max(1);
        let mut text =
            format!("SET SESSION lock_wait_timeout = {wait}, innodb_lock_wait_timeout = {wait}");
        // The statement is cancelled by this process; MariaDB stops it by itself where this one is gone.
        if self.maria {
            let statement = limits.statement.map_or(0, |statement| statement.as_secs() + 1);
            text = format!("{text}, max_statement_time = {statement}");
        }
        self.own(&text).await?;
        self.told = limits;
        Ok(())
    }

    /// Something of nightrun's own that gives nothing.
    async fn own(&mut self, sql: &str) -> Result<(), DbError> {
        let asked = tokio::time::timeout(ANSWER, self.execute(sql, 0)).await;
        asked.unwrap_or_else(|_| Err(DbError::lost(late()))).map(drop)
    }

    /// Runs one statement. Where the work has to end meanwhile, it is cancelled; where it does not yield, its session is
    /// ended.
    pub(super) async fn run(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        // Less is left than the server was told.
        if !Limits::of(self.lock_wait, self.halt.left()).is_as_good_as(&self.told) {
            self.limit().await?;
        }
        let (halt, options, number) = (self.halt.clone(), self.options.clone(), self.id.number);
        let runs = self.execute(sql, keep);
        pin_mut!(runs);
        let why = tokio::select! {
            answer = &mut runs => return answer,
            why = halt.comes() => why,
        };
        kill(&options, "QUERY", number).await;
        match tokio::time::timeout(YIELD, &mut runs).await {
            // It was done before it could be cancelled; what comes next is not begun.
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.kind != Kind::Lost => return Err(DbError::halted(why)),
            Ok(Err(error)) => return Err(error),
            Err(_) => {}
        }
        kill(&options, "CONNECTION", number).await;
        match tokio::time::timeout(YIELD, runs).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(DbError::lost(format!(
                "{why}: the statement did not yield within {} s, and its session was ended",
                YIELD.as_secs()
            ))),
        }
    }

    async fn execute(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let stream = (&mut self.conn).fetch_many(query).map_err(said);
        Answer::read::<MySql>(stream, keep, |done| done.rows_affected(), cells).await
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
        rows.iter().map(texts).collect()
    }

    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        self.own("START TRANSACTION").await?;
        self.own(&format!("SAVEPOINT {HOLDS}")).await
    }

    /// Locking reads of the server's default level hold on to what they have read.
    pub(super) async fn begin_steady(&mut self) -> Result<(), DbError> {
        self.own("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        self.begin().await
    }

    /// A savepoint goes with its transaction: with a COMMIT in a procedure, and with all that commits by the way.
    pub(super) async fn intact(&mut self) -> Result<(), DbError> {
        let held = self.own(&format!("RELEASE SAVEPOINT {HOLDS}; SAVEPOINT {HOLDS}")).await;
        held.map_err(|error| match error.kind {
            Kind::Lost => error,
            _ => DbError::broken(
                "the statement has ended the transaction that nightrun holds: a hidden COMMIT or ROLLBACK, or a statement that commits by the way",
            ),
        })
    }

    pub(super) async fn commit(&mut self) -> Result<(), CommitError> {
        let committed = sent("worker.commit-sent", self.own("COMMIT")).await;
        committed.map_err(|why| {
            let undone = why.kind != Kind::Lost;
            CommitError { why, undone }
        })
    }

    pub(super) async fn rollback(&mut self) -> bool {
        self.own("ROLLBACK").await.is_ok()
    }

    pub(super) async fn close(self) {
        // A server that does not answer any more ends it by itself.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.conn.close()).await;
    }
}

fn late() -> String {
    format!("no answer in {} s", ANSWER.as_secs())
}

fn options(server: &Server) -> Result<MySqlConnectOptions, DbError> {
    let mut options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .charset("utf8mb4")
        // What the server has set stays: a script means the same here as in the author's client.
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .ssl_mode(match server.tls {
            ServerTls::None => MySqlSslMode::Disabled,
            ServerTls::Require => MySqlSslMode::VerifyIdentity,
        });
    if let Some(file) = &server.ca {
        trusted(file)?;
        options = options.ssl_ca(file);
    }
    if let Some(password) = password(server)? {
        options = options.password(&password);
    }
    Ok(options.disable_statement_logging())
}

async fn enter(options: &MySqlConnectOptions) -> Result<MySqlConnection, DbError> {
    let entered = tokio::time::timeout(CONNECT, options.connect()).await;
    let entered = entered.map_err(|_| {
        DbError::refused(format!(
            "the server did not let nightrun in within {} s",
            CONNECT.as_secs()
        ))
    })?;
    entered.map_err(|error| DbError::refused(said(error).words))
}

/// `KILL QUERY` or `KILL CONNECTION`, from another session.
async fn kill(options: &MySqlConnectOptions, what: &str, number: i64) {
    let killed = async {
        let mut control = enter(options).await?;
        let sql = AssertSqlSafe(format!("KILL {what} {number}"));
        (&mut control).execute(sqlx::raw_sql(sql)).await.map_err(said)?;
        Ok::<(), DbError>(())
    };
    let what = what.to_ascii_lowercase();
    match tokio::time::timeout(ANSWER, killed).await {
        Ok(Ok(())) => say!("the {what} of session {number} is being ended"),
        Ok(Err(why)) => say!("the {what} of session {number} could not be ended: {why}"),
        Err(_) => say!("the {what} of session {number} could not be ended: no answer"),
    }
}

fn texts(row: &MySqlRow) -> Result<Vec<Option<String>>, DbError> {
    let text = |at: usize| {
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(at).map_err(said)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    (0..row.len()).map(text).collect()
}

/// The server tells all values as text; their type says what they are.
fn cells(row: &MySqlRow) -> Result<Vec<Cell>, DbError> {
    let texts = texts(row)?;
    let cell = |(at, text): (usize, Option<String>)| {
        let Some(text) = text else { return Ok(Cell::Null) };
        let value = row.try_get_raw(at).map_err(said)?;
        let name = value.type_info().name().to_owned();
        let plain = |text: String| Cell::Text(text);
        Ok(if name.contains("INT") || name == "BOOLEAN" {
            text.parse().map_or_else(|_| plain(text), Cell::Integer)
        } else if name == "DOUBLE" || name == "FLOAT" {
            text.parse().map_or_else(|_| plain(text), Cell::Real)
        } else if name.contains("BLOB") || name.contains("BINARY") {
            let bytes: Vec<u8> = row.try_get_unchecked(at).map_err(said)?;
            Cell::Blob(bytes)
        } else {
            plain(text)
        })
    };
    texts.into_iter().enumerate().map(cell).collect()
}

/// The server's words with its number; what is no word of the server leaves the session lost.
fn said(error: sqlx::Error) -> DbError {
    let sqlx::Error::Database(db) = &error else {
        return DbError::lost(error.to_string());
    };
    let number = db.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|db| db.number());
    let words = format!("{} ({})", db.message(), number.unwrap_or_default());
    let kind = match number {
        // Unknown table, column, database, routine.
        Some(1146 | 1054 | 1049 | 1305 | 1109) => Kind::Missing,
        Some(1205 | 1213) => Kind::GaveWay,
        // Shut down, or killed as a whole.
        Some(1053 | 1927 | 1159 | 1161) => Kind::Lost,
        _ => Kind::Refused,
    };
    DbError { words, kind }
}
