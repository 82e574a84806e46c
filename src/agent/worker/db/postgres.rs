//! A session of PostgreSQL: its own connection, direct to the server, with limits for everything that it may wait for.

mod connect;

use std::time::Instant;

use futures_util::{StreamExt, pin_mut};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::answer::{Answer, Cell, CommitError, DbError, Kind};
use super::limits::{Limits, LockWait};
use super::{ANSWER, Access, SessionId, Target, YIELD, sent};
use crate::agent::worker::halt::Halt;
use crate::agent::worker::log::complain;
use crate::definition::site::Server;
use connect::Connected;

/// What triggers and foreign keys touch counts too, and so would nightrun's own tables.
pub(super) const TOUCHED: &str = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text \
     FROM pg_stat_xact_user_tables";

/// A transaction, as the server tells it.
struct Transaction {
    began: String,
    xid: Option<String>,
    limits: String,
}

/// An open session.
pub(in crate::agent::worker) struct Session {
    client: Client,
    connected: Connected,
    pub(super) id: SessionId,
    pub(super) identity: String,
    /// When the open transaction began, which names it: a script cannot set it.
    began: Option<String>,
    /// Its number, once it has written and was asked for it.
    xid: Option<String>,
    /// The limits as they were set last in this transaction, by the server's own word.
    limits: Option<String>,
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

    pub(super) async fn open(
        server: &Server,
        target: &Target<'_>,
        access: Access,
    ) -> Result<Self, DbError> {
        // What looks, looks to the end: what is there must be known above all.
        let halt = if access == Access::Read { Halt::never() } else { target.halt.clone() };
        let (client, connected) = connect::connect(server, &target.session, access).await?;
        let (id, identity) = connect::introduce(&client, server).await?;
        let lock_wait = target.lock_wait;
        let told = Limits::of(lock_wait, halt.left());
        let (began, xid, limits) = (None, None, None);
        let mut session =
            Self { client, connected, id, identity, began, xid, limits, halt, lock_wait, told };
        session.set_limits().await?;
        Ok(session)
    }

    /// Runs one statement. Where the work has to end meanwhile, it is cancelled; where it does not yield, its session is
    /// ended.
    pub(super) async fn run(&mut self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        self.tell_what_is_left().await?;
        let halt = self.halt.clone();
        let runs = self.execute(sql, keep);
        pin_mut!(runs);
        let why = tokio::select! {
            answer = &mut runs => return answer,
            why = halt.comes() => why,
        };
        self.connected.cancel().await;
        match tokio::time::timeout(YIELD, &mut runs).await {
            // It was done before it could be cancelled; what comes next is not begun.
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.kind != Kind::Lost => return Err(DbError::halted(why)),
            Ok(Err(error)) => return Err(error),
            Err(_) => {}
        }
        self.connected.terminate(&self.id).await;
        match tokio::time::timeout(YIELD, runs).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(DbError::lost(format!(
                "{why}: the statement did not yield within {} s, and its session was ended",
                YIELD.as_secs()
            ))),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the log tells how long a statement took")]
    async fn execute(&self, sql: &str, keep: usize) -> Result<Answer, DbError> {
        let clock = Instant::now();
        let types = if keep > 0 { self.types(sql).await? } else { Vec::new() };
        let mut answer = Answer::default();
        let stream = self.client.simple_query_raw(sql).await.map_err(said)?;
        pin_mut!(stream);
        while let Some(message) = stream.next().await {
            match message.map_err(said)? {
                SimpleQueryMessage::RowDescription(columns) => {
                    answer.columns = columns.iter().map(|c| c.name().to_owned()).collect();
                }
                SimpleQueryMessage::Row(row) => {
                    answer.count += 1;
                    if answer.rows.len() < keep {
                        let cell = |at: usize| cell(row.get(at), types.get(at));
                        answer.rows.push((0..row.len()).map(cell).collect());
                    }
                }
                SimpleQueryMessage::CommandComplete(rows) => {
                    answer.statements += 1;
                    answer.changes = rows;
                }
                _ => {}
            }
        }
        answer.took = clock.elapsed();
        Ok(answer)
    }

    /// The types of what a statement gives, where it begins as one that gives rows.
    async fn types(&self, sql: &str) -> Result<Vec<Type>, DbError> {
        const GIVES: [&str; 5] = ["select", "with", "values", "table", "show"];
        let word: String = sql.chars().take_while(char::is_ascii_alphabetic).collect();
        if !GIVES.iter().any(|gives| word.eq_ignore_ascii_case(gives)) {
            return Ok(Vec::new());
        }
        let statement = self.client.prepare(sql).await.map_err(said)?;
        Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
    }

    pub(super) async fn ask(
        &mut self,
        sql: &'static str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<Vec<Option<String>>>, DbError> {
        let typed: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> =
            parameters.iter().map(|p| (p as _, Type::TEXT)).collect();
        let rows = self.client.query_typed(sql, &typed).await.map_err(said)?;
        let texts = |row: &tokio_postgres::Row| (0..row.len()).map(|at| row.try_get(at)).collect();
        rows.iter().map(texts).collect::<Result<_, Error>>().map_err(said)
    }

    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        self.begin_by("BEGIN").await
    }

    pub(super) async fn begin_steady(&mut self) -> Result<(), DbError> {
        if let Some(why) = self.halt.asked() {
            return Err(DbError::halted(why));
        }
        self.begin_by("BEGIN ISOLATION LEVEL REPEATABLE READ").await
    }

    async fn begin_by(&mut self, sql: &str) -> Result<(), DbError> {
        self.command(sql).await?;
        self.began = Some(self.transaction().await?.began);
        (self.xid, self.limits) = (None, None);
        Ok(())
    }

    /// Its number is from here on part of what must stay the same.
    pub(super) async fn name_transaction(&mut self) -> Result<String, DbError> {
        let xid = self.transaction().await?.xid;
        let xid = xid.ok_or_else(|| DbError::broken("the transaction has written nothing"))?;
        self.xid = Some(xid.clone());
        Ok(xid)
    }

    async fn transaction(&mut self) -> Result<Transaction, DbError> {
        const WHICH: &str = "SELECT extract(epoch FROM transaction_timestamp())::text, \
             pg_current_xact_id_if_assigned()::text, \
             current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' ' || \
             current_setting('client_connection_check_interval') || ' ' || \
             current_setting('idle_in_transaction_session_timeout')";
        let mut rows = self.ask(WHICH, &[]).await?;
        match rows.pop().unwrap_or_default().as_mut_slice() {
            [Some(began), xid, Some(limits)] => Ok(Transaction {
                began: std::mem::take(began),
                xid: xid.take(),
                limits: std::mem::take(limits),
            }),
            other => Err(DbError::refused(format!("{other:?} names no transaction"))),
        }
    }

    pub(super) async fn intact(&mut self) -> Result<(), DbError> {
        let Transaction { began, xid, limits } = self.transaction().await?;
        let same = self.began.as_ref() == Some(&began) && (self.xid.is_none() || self.xid == xid);
        if !same {
            return Err(DbError::broken(
                "the statement has ended the transaction that nightrun holds: a hidden COMMIT or ROLLBACK",
            ));
        }
        if self.limits.as_ref() == Some(&limits) {
            return Ok(());
        }
        self.limit("SET LOCAL").await?;
        self.limits = Some(self.transaction().await?.limits);
        Ok(())
    }

    pub(super) async fn set_limits(&mut self) -> Result<(), DbError> {
        self.limit("SET").await
    }

    /// Less is left than the server was told.
    async fn tell_what_is_left(&mut self) -> Result<(), DbError> {
        if Limits::of(self.lock_wait, self.halt.left()).is_as_good_as(&self.told) {
            return Ok(());
        }
        if self.began.is_none() {
            return self.set_limits().await;
        }
        self.limit("SET LOCAL").await?;
        self.limits = Some(self.transaction().await?.limits);
        Ok(())
    }

    /// A script may have set them, or RESET ALL.
    async fn limit(&mut self, set: &str) -> Result<(), DbError> {
        let limits = Limits::of(self.lock_wait, self.halt.left());
        // The statement is cancelled by this process; the server stops it by itself where this one is gone.
        let statement = limits.statement.map_or(0, |statement| statement.as_millis() + 1_000);
        self.command(&format!(
            "{set} lock_timeout = {}; {set} statement_timeout = {statement}; \
             {set} client_connection_check_interval = 2000; \
             {set} idle_in_transaction_session_timeout = 60000",
            limits.lock_wait.as_millis()
        ))
        .await?;
        self.told = limits;
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), CommitError> {
        let unknown = |why| CommitError { why, undone: false };
        match sent("worker.commit-sent", self.command("COMMIT")).await {
            Ok(()) => {}
            // The server has an answer for a transaction that it could not commit.
            Err(why) if why.kind != Kind::Lost => return Err(CommitError { why, undone: true }),
            Err(why) => return Err(unknown(why)),
        }
        self.began = None;
        let Some(xid) = self.xid.take() else { return Ok(()) };
        match status(&self.client, &xid).await {
            Ok(Some(status)) if status == "committed" => Ok(()),
            Ok(Some(status)) if status == "aborted" => {
                let why = DbError::refused("the server has rolled the transaction back");
                Err(CommitError { why, undone: true })
            }
            Ok(status) => Err(unknown(DbError::lost(format!("its status is {status:?}")))),
            Err(why) => Err(unknown(why)),
        }
    }

    pub(super) async fn status(&self, xid: &str) -> Result<Option<String>, DbError> {
        status(&self.client, xid).await
    }

    pub(super) async fn rollback(&mut self) -> bool {
        let undone = self.command("ROLLBACK").await.is_ok();
        if undone {
            self.began = None;
        }
        undone
    }

    /// A few words of nightrun's own.
    async fn command(&self, sql: &str) -> Result<(), DbError> {
        match tokio::time::timeout(ANSWER, self.client.batch_execute(sql)).await {
            Ok(done) => done.map_err(said),
            Err(_) => Err(DbError::lost(late())),
        }
    }

    pub(super) async fn close(self) {
        drop(self.client);
        if !self.connected.closed().await {
            complain!("the server did not take leave");
        }
    }
}

fn late() -> String {
    format!("no answer in {} s", ANSWER.as_secs())
}

/// The number of a transaction that the server has not given yet: it fell before it had written anything durably.
pub(in crate::agent::worker) const NEVER_BEGUN: &str = "never begun";

/// What became of a transaction: `in progress`, `committed`, `aborted`, [`NEVER_BEGUN`]; `None`: too long ago.
async fn status(client: &Client, xid: &str) -> Result<Option<String>, DbError> {
    const STATUS: &str = "SELECT pg_xact_status($1::text::xid8)::text";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&xid, Type::TEXT)];
    let asked = client.query_typed(STATUS, &parameters);
    let rows = tokio::time::timeout(ANSWER, asked).await.map_err(|_| DbError::lost(late()))?;
    match rows {
        Err(error) if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
            Ok(Some(NEVER_BEGUN.to_owned()))
        }
        rows => rows.map_err(said)?.first().map_or(Ok(None), |row| row.try_get(0)).map_err(said),
    }
}

/// A value as the server writes it, by its type.
fn cell(text: Option<&str>, of: Option<&Type>) -> Cell {
    let Some(text) = text else { return Cell::Null };
    let plain = || Cell::Text(text.to_owned());
    match of {
        Some(&Type::BOOL) => Cell::Integer(i64::from(text == "t")),
        Some(&Type::INT2 | &Type::INT4 | &Type::INT8 | &Type::OID) => {
            text.parse().map_or_else(|_| plain(), Cell::Integer)
        }
        Some(&Type::FLOAT4 | &Type::FLOAT8) => text.parse().map_or_else(|_| plain(), Cell::Real),
        _ => plain(),
    }
}

/// The server's words, with what it adds to them.
fn said(error: Error) -> DbError {
    let Some(db) = error.as_db_error() else {
        use std::error::Error as _;
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        return DbError::lost(format!("{error}{cause}"));
    };
    let mut words = format!("{} ({})", db.message(), db.code().code());
    for more in [db.detail(), db.hint(), db.where_()].into_iter().flatten() {
        words.push_str("; ");
        words.push_str(&more.replace('\n', " "));
    }
    let missing = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    let kind = if db.severity() == "FATAL" || db.severity() == "PANIC" {
        Kind::Lost
    } else if missing.contains(db.code()) {
        Kind::Missing
    } else {
        Kind::Refused
    };
    DbError { words, kind }
}
