//! The store of a site wherever it is kept: one type for both databases.

#![expect(clippy::disallowed_methods, reason = "driver: it reads the name of this host")]

use std::path::Path;

use futures_util::TryStreamExt;
use futures_util::future::Either;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::lock::Lock;
use super::open::{SqliteReader, SqliteStore, lock_state};
use super::postgres::{LeaseTimes, PostgresAddress, PostgresReader, PostgresStore};
use super::read::gone;
use super::statement::{Asks, Statement};
use super::text::Columns;
use crate::driver::witness;
use crate::journal::Head;
use crate::port::{Commit, Pulse, Store, StoreError, StoreReader};
use crate::types::{AttemptId, Epoch};

/// Where the store of a site is.
#[derive(Debug, Clone, Default)]
pub enum StoreAddress {
    /// A file in the state folder.
    #[default]
    Folder,
    Postgres(PostgresAddress),
}

/// The store of the one supervisor that leads.
#[derive(Debug)]
pub struct StateStore {
    reader: StateReader,
    writes: Writes,
}

#[derive(Debug)]
enum Writes {
    Sqlite(SqliteStore),
    Postgres {
        store: Box<PostgresStore>,
        /// The agent, the copies and the socket of the state folder have one supervisor too.
        _lock: Lock,
    },
}

/// Reads it, whoever leads.
#[derive(Debug, Clone)]
pub enum StateReader {
    Sqlite(SqliteReader),
    Postgres(PostgresReader),
}

impl StateStore {
    /// Opens the store for a supervisor of this state folder, and makes both where there are none. A store that was restored
    /// is `Behind`, and one that never gave the epoch that the agent in `agent` has obeyed, or never meant what runs there.
    pub async fn open(
        address: &StoreAddress,
        state: &Path,
        agent: &Path,
    ) -> Result<Self, StoreError> {
        let io = |why: std::io::Error| StoreError::Trouble(format!("the agent's folder: {why}"));
        // Before the store: what it has given or meant since, the agent may have heard of by then.
        let (obeyed, live) =
            (witness::epoch(agent).map_err(io)?, witness::live(agent).map_err(io)?);
        let store = Self::open_behind(address, state).await?;
        match behind(&store.reader, obeyed, &live).await? {
            None => Ok(store),
            Some(why) => {
                store.close().await;
                Err(StoreError::Behind(why))
            }
        }
    }

    /// Gives the room back that archived runs have left, where the database does not see to that itself.
    pub async fn compact(&mut self) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.compact().await,
            Writes::Postgres { .. } => Ok(()),
        }
    }

    /// Marks it as restored, where it is not: an older file that was put back by hand. Whatever interrupts the taking in of
    /// what it lacks, nobody leads with it before that is done.
    pub async fn mark_behind(&mut self, made: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let text =
            "INSERT INTO restoration (id, made, at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";
        let mark = Statement::new("marking the store as restored", text);
        let mark = mark.number(made.as_microsecond()).number(now.as_microsecond());
        self.execute(mark).await
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.execute(statement).await.map(|_| ()),
            Writes::Postgres { store, .. } => store.execute(statement).await.map(|_| ()),
        }
    }

    /// Never leads again under an epoch that a host has obeyed.
    pub async fn raise_epoch(&mut self, obeyed: Epoch) -> Result<(), StoreError> {
        // The next lead on PostgreSQL counts from its lease.
        for text in [
            "UPDATE site_head SET epoch = $1 WHERE epoch < $1",
            "UPDATE lease SET epoch = $1 WHERE epoch < $1",
        ] {
            self.execute(Statement::new("raising the epoch", text).count(obeyed.0)).await?;
        }
        Ok(())
    }

    /// As [`open`](Self::open), also of a store that is behind what has run: for whoever takes in what it lacks.
    pub async fn open_behind(address: &StoreAddress, state: &Path) -> Result<Self, StoreError> {
        let (reader, writes) = match address {
            StoreAddress::Folder => {
                let store = SqliteStore::open(state).await?;
                (StateReader::Sqlite(store.reader.clone()), Writes::Sqlite(store))
            }
            StoreAddress::Postgres(address) => {
                let lock = lock_state(state)?;
                let times = LeaseTimes::default();
                let store = Box::new(PostgresStore::open(address, this_process(), times).await?);
                let reader = StateReader::Postgres(store.reader().clone());
                (reader, Writes::Postgres { store, _lock: lock })
            }
        };
        Ok(Self { reader, writes })
    }
}

/// Why nobody may lead with this store yet.
async fn behind(
    reader: &StateReader,
    obeyed: Epoch,
    live: &[AttemptId],
) -> Result<Option<String>, StoreError> {
    if let Some(restored) = reader.restoration().await? {
        return Ok(Some(format!("it was restored from a backup of {}", restored.made)));
    }
    let given = reader.epoch().await?;
    if given < obeyed {
        let (given, obeyed) = (given.0, obeyed.0);
        let why = format!("its last leadership is {given}, and the agent has obeyed {obeyed}");
        return Ok(Some(why));
    }
    for attempt in live {
        if !reader.knows(attempt).await? {
            return Ok(Some(format!("the agent has {attempt}, which it does not know")));
        }
    }
    Ok(None)
}

/// Who leads, for people.
fn this_process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "a host without a name" } else { host.trim() };
    format!("process {} on {host}", std::process::id())
}

impl StateReader {
    /// Opens a store for reading; `None`: there is none.
    pub async fn open(address: &StoreAddress, state: &Path) -> Result<Option<Self>, StoreError> {
        Ok(match address {
            StoreAddress::Folder => SqliteReader::open(state).await?.map(Self::Sqlite),
            StoreAddress::Postgres(address) => {
                PostgresReader::open(address).await?.map(Self::Postgres)
            }
        })
    }

    /// Proves the end of the journal, as a supervisor does when it starts, and gives the schema's version with it.
    pub async fn check_end(&self) -> Result<(i32, Head), StoreError> {
        match self {
            Self::Sqlite(reader) => reader.check_end().await,
            Self::Postgres(reader) => reader.check_end().await,
        }
    }

    /// Where the history goes on, if it was moved.
    pub async fn gone(&self) -> Result<Option<String>, StoreError> {
        gone(self).await
    }
}

/// A row of either.
#[derive(Debug)]
pub enum StateRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Asks for StateReader {
    type Row = StateRow;

    fn stream(&self, statement: Statement) -> BoxStream<'_, Result<StateRow, StoreError>> {
        match self {
            Self::Sqlite(reader) => Box::pin(reader.stream(statement).map_ok(StateRow::Sqlite)),
            Self::Postgres(reader) => Box::pin(reader.stream(statement).map_ok(StateRow::Postgres)),
        }
    }
}

impl Columns for StateRow {
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(row) => row.text(column),
            Self::Postgres(row) => row.text(column),
        }
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => row.number(column),
            Self::Postgres(row) => row.number(column),
        }
    }

    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.maybe_number(column),
            Self::Postgres(row) => row.maybe_number(column),
        }
    }

    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(row) => row.maybe_text(column),
            Self::Postgres(row) => row.maybe_text(column),
        }
    }
}

impl Store for StateStore {
    type Reader = StateReader;

    fn reader(&self) -> &StateReader {
        &self.reader
    }

    /// Ends the lead where it has it, and all connections.
    async fn close(self) {
        match self.writes {
            Writes::Sqlite(store) => store.close().await,
            Writes::Postgres { store, .. } => store.close().await,
        }
    }

    async fn claim_epoch(&mut self) -> Result<Epoch, StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.claim_epoch().await,
            Writes::Postgres { store, .. } => store.claim_epoch().await,
        }
    }

    async fn still_leads(&mut self) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.still_leads().await,
            Writes::Postgres { store, .. } => store.still_leads().await,
        }
    }

    fn pulse(&self) -> Option<Pulse> {
        match &self.writes {
            Writes::Sqlite(store) => store.pulse(),
            Writes::Postgres { store, .. } => store.pulse(),
        }
    }

    fn overtaken(&self) -> impl Future<Output = StoreError> + Send + 'static {
        match &self.writes {
            Writes::Sqlite(store) => Either::Left(store.overtaken()),
            Writes::Postgres { store, .. } => Either::Right(store.overtaken()),
        }
    }

    async fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.commit(commit).await,
            Writes::Postgres { store, .. } => store.commit(commit).await,
        }
    }

    async fn outbox_sent(&mut self, id: u64, at: Timestamp, reply: &str) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.outbox_sent(id, at, reply).await,
            Writes::Postgres { store, .. } => store.outbox_sent(id, at, reply).await,
        }
    }

    async fn outbox_failed(
        &mut self,
        id: u64,
        why: &str,
        next_try: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.outbox_failed(id, why, next_try).await,
            Writes::Postgres { store, .. } => store.outbox_failed(id, why, next_try).await,
        }
    }

    async fn blob_put(&mut self, bytes: &[u8]) -> Result<String, StoreError> {
        match &mut self.writes {
            Writes::Sqlite(store) => store.blob_put(bytes).await,
            Writes::Postgres { store, .. } => store.blob_put(bytes).await,
        }
    }
}
