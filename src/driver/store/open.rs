//! Opening and making the store's file.

#![expect(clippy::disallowed_methods, reason = "driver: it makes the store's own file and folder")]

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};

use super::file::{self, Found};
use super::lock::Lock;
use super::migrate::{VERSION, migrate};
use super::trouble::trouble;
use crate::journal::Head;
use crate::port::{StoreError, StoreReader};

/// The store's file, in the state folder.
pub const FILE: &str = "nightrun.db";

/// How long SQLite waits for another connection's lock; only readers and a checkpoint can be in the way.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// The store of the one supervisor of this state folder.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) reader: SqliteReader,
    /// Given up after a failed write and made anew for the next, so that nothing of the failure hangs on.
    writer: Option<SqliteConnection>,
    path: PathBuf,
    max_pages: Option<u32>,
    /// Last: freed after the connections.
    _lock: Lock,
}

/// Reads a store, its own supervisor's or from another process.
#[derive(Debug, Clone)]
pub struct SqliteReader {
    pub(super) pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the store of a state folder, and makes both where there are none. Refuses a store in use, one that is
    /// newer, and one that cannot be trusted, which it leaves as it is.
    pub async fn open(state: &Path) -> Result<Self, StoreError> {
        make_folder(state)?;
        let lock = Lock::take(state)?;
        let path = state.join(FILE);
        if file::examine(&path, VERSION)? == Found::Nothing {
            make(&path).await?;
        }
        let mut writer = connect(&path).await?;
        // Asked again: what the WAL holds counts, and the look at the main file could not see it.
        let version = user_version(&mut writer).await?;
        if version > VERSION {
            return Err(file::newer(&path.display().to_string(), version));
        }
        if version < VERSION {
            migrate(&mut writer).await?;
        }
        let reader = SqliteReader { pool: pool(&path) };
        check_end(&reader).await?;
        Ok(Self { reader, writer: Some(writer), path, max_pages: None, _lock: lock })
    }

    /// Closes it so that the file is whole by itself, without a WAL beside it.
    pub async fn close(mut self) {
        self.reader.pool.close().await;
        self.give_up_writer().await;
    }

    /// Lets the file grow to at most so many pages of 4 KiB, to rehearse a full disk; `None`: as far as the disk goes.
    pub async fn limit_pages(&mut self, pages: Option<u32>) -> Result<(), StoreError> {
        self.max_pages = pages;
        self.give_up_writer().await;
        self.writer().await.map(|_| ())
    }

    pub(super) async fn writer(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let conn = match self.writer.take() {
            Some(conn) => conn,
            None => {
                let mut conn = connect(&self.path).await?;
                if let Some(pages) = self.max_pages {
                    let limit = format!("PRAGMA max_page_count = {pages}");
                    conn.execute(AssertSqlSafe(limit)).await.map_err(trouble("limiting"))?;
                }
                conn
            }
        };
        Ok(self.writer.insert(conn))
    }

    pub(super) async fn give_up_writer(&mut self) {
        if let Some(conn) = self.writer.take() {
            // An error here is of a connection that nobody uses any more; SQLite undoes what it left open.
            conn.close().await.ok();
        }
    }
}

impl SqliteReader {
    /// Opens a store for reading, whether a supervisor uses it or not; `None`: there is none.
    pub async fn open(state: &Path) -> Result<Option<Self>, StoreError> {
        let path = state.join(FILE);
        match file::examine(&path, VERSION)? {
            Found::Nothing => Ok(None),
            Found::Store { version } if version < VERSION => Err(StoreError::Trouble(format!(
                "{} has the older schema version {version}: start the supervisor once to bring it up to date",
                path.display()
            ))),
            Found::Store { .. } => Ok(Some(Self { pool: pool(&path) })),
        }
    }

    /// Proves the end of the journal, as a supervisor does when it starts, and gives the schema's version with it.
    pub async fn check_end(&self) -> Result<(i32, Head), StoreError> {
        let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(&self.pool).await;
        let version = version.map_err(trouble("opening the store"))?;
        Ok((version, check_end(self).await?))
    }
}

fn make_folder(state: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(|why| StoreError::Trouble(format!("{}: {why}", state.display())))
}

/// Makes a new store beside its place and moves it there whole: a crash leaves no half-made one.
async fn make(path: &Path) -> Result<(), StoreError> {
    let new = file::beside(path, ".new");
    let trouble_at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", new.display()));
    for leftover in [new.clone(), file::beside(&new, "-journal")] {
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

async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = options(path).journal_mode(SqliteJournalMode::Wal);
    options.connect().await.map_err(trouble("opening the store"))
}

/// Connections are made when first asked for. Not `read_only`: a reader alone on a WAL must be able to make its index.
fn pool(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options(path).pragma("query_only", "ON"))
}

async fn user_version(conn: &mut SqliteConnection) -> Result<i32, StoreError> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(conn)
        .await
        .map_err(trouble("opening the store"))
}

/// The end of the journal proves itself: a start reads no more of it than the runs that are open.
async fn check_end(reader: &SqliteReader) -> Result<Head, StoreError> {
    let stored = reader.head().await?;
    let last = reader.all_entries(stored.seq.saturating_sub(2), 3).await?;
    let mut head = match last.split_first() {
        None => Head::default(),
        Some((first, _)) if first.seq == 1 => Head::default(),
        Some((first, _)) => Head { seq: first.seq, hash: first.hash.clone() },
    };
    let known = usize::from(head.seq > 0);
    for entry in last.iter().skip(known) {
        head = head.check(entry).map_err(|why| StoreError::Damaged(why.to_string()))?.0;
    }
    if head != stored {
        return Err(StoreError::Damaged(format!(
            "the journal should end with entry {} and ends with entry {}",
            stored.seq, head.seq
        )));
    }
    Ok(head)
}
