//! Opening and making the store's file.

#![expect(clippy::disallowed_methods, reason = "driver: it makes the store's own file and folder")]

use std::cmp::Ordering;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection, SqliteExecutor};

use super::commit::TURN;
use super::file::{self, Found};
use super::lock::Lock;
use super::migrate::{VERSION, migrate};
use super::read::{check_end, gone, prove_open};
use super::still::{Still, has_wal, is_writable};
use super::trouble::trouble;
use crate::journal::Head;
use crate::port::{Store as _, StoreError};
use crate::types::Epoch;

/// The store's file, in the state folder.
pub const FILE: &str = "nightrun.db";

/// How long SQLite waits for another connection's lock; only readers and a checkpoint can be in the way.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// The store of the one supervisor of this state folder.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) reader: SqliteReader,
    /// Taken out for each write. Not put back after one that failed or was given up: the next makes it anew, so that
    /// nothing of the failure hangs on.
    pub(super) writer: Option<Writer>,
    path: PathBuf,
    max_pages: Option<u32>,
    /// Last: freed after the connections.
    _lock: Lock,
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: SqliteConnection,
    /// Where the journal stands and who leads, as its last write left it.
    pub(super) known: Option<(Head, Epoch)>,
}

/// Reads a store, its own supervisor's or from another process.
#[derive(Debug, Clone)]
pub struct SqliteReader {
    pub(super) pool: SqlitePool,
    /// Of a store that is read as it lies: held as long as it is.
    _still: Option<Arc<Still>>,
}

impl SqliteStore {
    /// Opens the store of a state folder, and makes both where there are none. Refuses a store in use, one that is
    /// newer, and one that cannot be trusted, which it leaves as it is.
    pub async fn open(state: &Path) -> Result<Self, StoreError> {
        let store = Self::open_wherever_it_goes_on(state).await?;
        match gone(&store.reader).await? {
            None => Ok(store),
            Some(place) => {
                let path = store.path.clone();
                store.close().await;
                Err(StoreError::Elsewhere(format!(
                    "the history of {} goes on in {place}: name that one with --store or NIGHTRUN_STORE",
                    path.display()
                )))
            }
        }
    }

    /// As [`open`](Self::open), also of a store whose history was moved.
    pub(super) async fn open_wherever_it_goes_on(state: &Path) -> Result<Self, StoreError> {
        let lock = lock_state(state)?;
        let path = state.join(FILE);
        match file::examine(&path, VERSION)? {
            Found::Nothing => make(&path).await?,
            Found::Store { .. } => check(&path).await?,
        }
        let mut conn = connect(&path).await?;
        if user_version(&mut conn).await? < VERSION {
            migrate(&mut conn).await?;
        }
        let writer = Writer::on(conn, None).await?;
        let reader = SqliteReader::beside_writer(&path, false);
        Ok(Self { reader, writer: Some(writer), path, max_pages: None, _lock: lock })
    }

    /// Lets the file grow to at most so many pages of 4 KiB, to rehearse a full disk; `None`: as far as the disk goes.
    pub async fn limit_pages(&mut self, pages: Option<u32>) -> Result<(), StoreError> {
        self.max_pages = pages;
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
        Ok(())
    }

    /// Writes the file anew without the room that archived entries have left amid others. It takes as much room again while
    /// it lasts, and holds up every write.
    pub async fn compact(&mut self) -> Result<(), StoreError> {
        let doing = trouble("compacting the store");
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
        // Not the writer's: what that one needs beside the file it keeps in memory.
        let mut conn = connect(&self.path).await?;
        conn.execute("VACUUM").await.map_err(&doing)?;
        conn.close().await.map_err(doing)
    }

    /// The writer, to be put back when what it was taken for is done.
    pub(super) async fn take_writer(&mut self) -> Result<Writer, StoreError> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => Writer::on(connect(&self.path).await?, self.max_pages).await,
        }
    }
}

impl Writer {
    async fn on(mut conn: SqliteConnection, max_pages: Option<u32>) -> Result<Self, StoreError> {
        let doing = trouble("opening the store");
        // What is only of this connection is kept out of the disk, which may be full.
        let turn = format!("PRAGMA temp_store = MEMORY; {TURN}");
        conn.execute(sqlx::raw_sql(AssertSqlSafe(turn))).await.map_err(&doing)?;
        if let Some(pages) = max_pages {
            let limit = format!("PRAGMA max_page_count = {pages}");
            conn.execute(AssertSqlSafe(limit)).await.map_err(doing)?;
        }
        Ok(Self { conn, known: None })
    }

    pub(super) async fn close(self) {
        // An error here is of a connection that nobody uses any more; SQLite undoes what it left open.
        self.conn.close().await.ok();
    }
}

impl SqliteReader {
    /// Opens a store for reading, whether a supervisor uses it or not; `None`: there is none.
    pub async fn open(state: &Path) -> Result<Option<Self>, StoreError> {
        let path = state.join(FILE);
        match file::examine(&path, VERSION)? {
            Found::Nothing => Ok(None),
            Found::Store { .. } => {
                let reader = match Still::of(state) {
                    Some(still) => {
                        let options = options(&path).read_only(true).immutable(true);
                        Self { pool: pool(options), _still: Some(Arc::new(still)) }
                    }
                    None => Self::beside_writer(&path, has_wal(&path)),
                };
                let version = user_version(&reader.pool).await;
                let version = version.map_err(|why| unreadable(untouched(why, &path), state))?;
                // Not as the file alone has it: a supervisor that has just brought it up to date left that in the WAL.
                match version.cmp(&VERSION) {
                    Ordering::Less => Err(StoreError::Trouble(format!(
                        "{} has the older schema version {version}: start the supervisor once to bring it up to date",
                        path.display()
                    ))),
                    Ordering::Equal => Ok(Some(reader)),
                    Ordering::Greater => Err(file::newer(&path.display().to_string(), version)),
                }
            }
        }
    }

    /// Of a store that somebody may be writing.
    fn beside_writer(path: &Path, read_only: bool) -> Self {
        Self { pool: pool(options(path).read_only(read_only)), _still: None }
    }

    /// Of a file that nobody writes.
    pub(super) fn alone(path: &Path) -> Self {
        Self::beside_writer(path, true)
    }

    /// Proves the end of the journal, as a supervisor does when it starts, and gives the schema's version with it.
    pub async fn check_end(&self) -> Result<(i32, Head), StoreError> {
        let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(&self.pool).await;
        let version = version.map_err(trouble("opening the store"))?;
        Ok((version, check_end(self).await?))
    }
}

/// One supervisor a state folder, which is made where there is none.
pub(super) fn lock_state(state: &Path) -> Result<Lock, StoreError> {
    make_folder(state)?;
    Lock::take(state)
}

fn make_folder(state: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(|why| StoreError::Trouble(format!("{}: {why}", state.display())))
}

/// Makes a new store beside its place and moves it there whole: a crash leaves no half-made one.
pub(super) async fn make(path: &Path) -> Result<(), StoreError> {
    let new = file::beside(path, ".new");
    let trouble_at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", new.display()));
    let beside = ["-journal", "-wal", "-shm"].map(|suffix| file::beside(&new, suffix));
    for leftover in beside.into_iter().chain([new.clone()]) {
        match std::fs::remove_file(leftover) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(trouble_at(why)),
            _ => {}
        }
    }
    // SQLite gives the files beside it the mode of this one.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(trouble_at)?;
    // Synced once, when it is whole: until it is moved to its place nobody relies on it.
    let mut conn = options(&new)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Off)
        .connect()
        .await
        .map_err(trouble("making the store"))?;
    migrate(&mut conn).await?;
    // Here too: in its place the change would be synced four times.
    conn.execute("PRAGMA journal_mode = WAL").await.map_err(trouble("making the store"))?;
    conn.close().await.map_err(trouble("making the store"))?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(trouble_at)?;
    std::fs::rename(&new, path).map_err(trouble_at)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(trouble_at)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = options(path).journal_mode(SqliteJournalMode::Wal);
    options.connect().await.map_err(trouble("opening the store"))
}

/// Connections are made when first asked for. The last one that may write folds the WAL into the file when it closes.
fn pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.pragma("query_only", "ON"))
}

async fn user_version(executor: impl SqliteExecutor<'_>) -> Result<i32, StoreError> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(executor)
        .await
        .map_err(trouble("opening the store"))
}

/// Looks at a store before anything may write to it: one that cannot be trusted stays as it is, its WAL too.
async fn check(path: &Path) -> Result<(), StoreError> {
    let reader = SqliteReader::beside_writer(path, has_wal(path));
    let checked = check_in(path, &reader).await;
    reader.pool.close().await;
    checked.map_err(|why| untouched(why, path))
}

/// What a folder that cannot be written does to a reader: SQLite makes a file (`-shm`) to read what lies in a WAL.
fn unreadable(why: StoreError, state: &Path) -> StoreError {
    match why {
        StoreError::Trouble(why) if !is_writable(state) => StoreError::Trouble(format!(
            "{why}; {} cannot be written, and its store was left with a WAL that cannot be read without: copy {FILE} \
             and {FILE}-wal to a folder that can be written, and read them there (--state DIR)",
            state.display()
        )),
        other => other,
    }
}

/// Says which file it is, and what to do.
fn untouched(why: StoreError, path: &Path) -> StoreError {
    match why {
        StoreError::Damaged(why) => StoreError::Damaged(format!(
            "{why}; {} was not touched: restore it from a copy, or move it away to begin anew",
            path.display()
        )),
        other => other,
    }
}

async fn check_in(path: &Path, reader: &SqliteReader) -> Result<(), StoreError> {
    // Asked again: what the WAL holds counts, and the look at the main file could not see it.
    let version = user_version(&reader.pool).await?;
    if version > VERSION {
        return Err(file::newer(&path.display().to_string(), version));
    }
    check_end(reader).await?;
    prove_open(reader).await
}
