//! A copy of a store that is whole by itself, whoever is at work on it; and such a copy in the place of a store.
//!
//! The copy is a SQLite file whatever database the store is in, so that it is restored into a state folder; `store copy` takes
//! it on into a database. Beside it lies what it is: its head, its epoch and its digest.

#![expect(clippy::disallowed_methods, reason = "driver: it makes and moves files of its own")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor};

use super::file;
use super::open::{FILE, SqliteReader, connect, lock_state, make};
use super::postgres;
use super::read::gone;
use super::trouble::trouble;
use super::{StoreAddress, migrate};
use crate::fault;
use crate::journal::{Head, hex};
use crate::port::{StoreError, StoreReader};
use crate::types::Epoch;

const DOING: &str = "copying the store";

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    /// The site's title.
    pub site: String,
    pub made: Timestamp,
    /// The last entry.
    pub seq: u64,
    pub head: String,
    pub epoch: Epoch,
    /// Of the store's schema.
    pub schema: i32,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    pub bytes: u64,
}

/// The newest backup, as the state folder remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// Where it was written; it may have been carried elsewhere since.
    pub file: PathBuf,
    pub made: Timestamp,
    /// The last entry that is in it.
    pub seq: u64,
}

/// In the state folder: the newest backup.
const LAST: &str = "last-backup.json";

/// Remembers that a backup was made.
pub fn remember(state: &Path, file: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let last = LastBackup { file, made: manifest.made, seq: manifest.seq };
    let text =
        serde_json::to_string(&last).map_err(|why| StoreError::Contradiction(why.to_string()))?;
    let aside = state.join(format!("{LAST}.new"));
    write(&aside, text.as_bytes())?;
    move_to(&aside, &state.join(LAST))
}

/// The newest backup that was made from this state folder; `None`: none was.
pub fn last_backup(state: &Path) -> Result<Option<LastBackup>, StoreError> {
    let path = state.join(LAST);
    let text = match std::fs::read(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|why| StoreError::Trouble(format!("{}: {why}", path.display())))?,
    };
    let last = serde_json::from_slice(&text);
    last.map(Some).map_err(|why| StoreError::Damaged(format!("{}: {why}", path.display())))
}

/// Where the manifest of a backup lies.
fn manifest_of(file: &Path) -> PathBuf {
    file::beside(file, ".json")
}

/// Copies a store into a file that is not there yet. `made`: now.
pub async fn backup(
    address: &StoreAddress,
    state: &Path,
    to: &Path,
    (site, made): (&str, Timestamp),
) -> Result<Manifest, StoreError> {
    for path in [to.to_owned(), manifest_of(to)] {
        if path.exists() {
            let what = format!("{} is there already: no backup is written over", path.display());
            return Err(StoreError::Trouble(what));
        }
    }
    let new = file::beside(to, ".new");
    clear(&new)?;
    match address {
        StoreAddress::Folder => {
            let Some(reader) = SqliteReader::open(state).await? else { return Err(none(state)) };
            elsewhere(gone(&reader).await?)?;
            // Empty and its own: SQLite writes into it, and gives it no mode of its own.
            let at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", new.display()));
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
            made.map_err(at)?;
            reader.copy_into(&new).await?;
        }
        StoreAddress::Postgres(address) => {
            make(&new).await?;
            postgres::depart(address, &new).await?;
        }
    }
    let (head, epoch) = prove(&new).await?;
    fault::point("backup.copied");
    let (sha256, bytes) = digest(&new)?;
    let manifest = Manifest {
        version: 1,
        site: site.to_owned(),
        made,
        seq: head.seq,
        head: head.hash,
        epoch,
        schema: migrate::VERSION,
        sha256,
        bytes,
    };
    move_to(&new, to)?;
    fault::point("backup.moved");
    // Last: who finds it finds a whole backup.
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|why| StoreError::Contradiction(why.to_string()))?;
    let aside = file::beside(to, ".json.new");
    write(&aside, text.as_bytes())?;
    move_to(&aside, &manifest_of(to))?;
    Ok(manifest)
}

/// What a backup says of itself, if its file is what it was.
pub fn check_backup(from: &Path) -> Result<Manifest, StoreError> {
    let path = manifest_of(from);
    let text = std::fs::read(&path).map_err(|why| {
        StoreError::Trouble(format!(
            "{}: {why}; a backup is two files, and this one says whether the other is whole",
            path.display()
        ))
    })?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|why| StoreError::Damaged(format!("{}: {why}", path.display())))?;
    let (sha256, _) = digest(from)?;
    if sha256 != manifest.sha256 {
        let what = format!("{} is not what it was when it was made", from.display());
        return Err(StoreError::Damaged(format!("{what}: take another backup")));
    }
    Ok(manifest)
}

/// Puts a backup into a state folder that has no store, proven first. Nobody leads with it before a person has taken in what
/// it lacks.
pub async fn restore(from: &Path, state: &Path, now: Timestamp) -> Result<Manifest, StoreError> {
    let manifest = check_backup(from)?;
    let _lock = lock_state(state)?;
    let path = state.join(FILE);
    for there in [path.clone(), file::beside(&path, "-wal")] {
        if there.exists() {
            return Err(StoreError::InUse(format!(
                ": {} is there: a store is not written over; move it away first, and keep it",
                there.display()
            )));
        }
    }
    file::examine(from, migrate::VERSION)?;
    let new = file::beside(&path, ".new");
    clear(&new)?;
    let at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", new.display()));
    std::fs::copy(from, &new).map_err(at)?;
    let (head, _) = prove(&new).await?;
    if (head.seq, &head.hash) != (manifest.seq, &manifest.head) {
        return Err(StoreError::Damaged(format!(
            "{} ends with entry {}, and its manifest says {}",
            from.display(),
            head.seq,
            manifest.seq
        )));
    }
    mark(&new, manifest.made, now).await?;
    fault::point("restore.marked");
    move_to(&new, &path)?;
    Ok(manifest)
}

/// Brings an older copy up to date, and marks it.
async fn mark(path: &Path, made: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut conn = connect(path).await?;
    migrate::migrate(&mut conn).await?;
    sqlx::query("INSERT OR REPLACE INTO restoration (id, made, at) VALUES (1, $1, $2)")
        .bind(made.as_microsecond())
        .bind(now.as_microsecond())
        .execute(&mut conn)
        .await
        .map_err(trouble("marking the store as restored"))?;
    conn.close().await.map_err(trouble(DOING))?;
    let at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", path.display()));
    File::open(path).and_then(|file| file.sync_all()).map_err(at)
}

/// The whole chain of a file that nobody writes.
async fn prove(path: &Path) -> Result<(Head, Epoch), StoreError> {
    let reader = SqliteReader::alone(path);
    let proven = match reader.verify().await {
        Ok(head) => reader.epoch().await.map(|epoch| (head, epoch)),
        Err(why) => Err(why),
    };
    reader.pool.close().await;
    proven
}

impl SqliteReader {
    /// A copy as of one moment: what a supervisor commits meanwhile is not in it, or wholly.
    async fn copy_into(&self, new: &Path) -> Result<(), StoreError> {
        let mut conn = self.pool.acquire().await.map_err(trouble(DOING))?;
        let text = "VACUUM INTO $1";
        // The connection writes nothing of its own; SQLite asks for leave all the same.
        conn.execute("PRAGMA query_only = OFF").await.map_err(trouble(DOING))?;
        let path = new.to_string_lossy().into_owned();
        let copied = sqlx::query(text).bind(path).execute(&mut *conn).await;
        conn.execute("PRAGMA query_only = ON").await.map_err(trouble(DOING))?;
        copied.map_err(trouble(DOING))?;
        let at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", new.display()));
        File::open(new).and_then(|file| file.sync_all()).map_err(at)
    }
}

fn none(state: &Path) -> StoreError {
    StoreError::Trouble(format!("there is no store in {}", state.display()))
}

fn elsewhere(gone: Option<String>) -> Result<(), StoreError> {
    match gone {
        None => Ok(()),
        Some(place) => Err(StoreError::Elsewhere(format!(
            "its history goes on in {place}: name that one with --store"
        ))),
    }
}

fn digest(path: &Path) -> Result<(String, u64), StoreError> {
    let at = |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", path.display()));
    let mut file = File::open(path).map_err(at)?;
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece).map_err(at)? {
            0 => return Ok((hex(&sum.finalize()), bytes)),
            read => {
                sum.update(&piece[..read]);
                bytes += read as u64;
            }
        }
    }
}

fn clear(new: &Path) -> Result<(), StoreError> {
    let beside = ["-journal", "-wal", "-shm"].map(|suffix| file::beside(new, suffix));
    for leftover in beside.into_iter().chain([new.to_owned()]) {
        match std::fs::remove_file(&leftover) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Trouble(format!("{}: {why}", leftover.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|why| StoreError::Trouble(format!("{}: {why}", path.display())))
}

fn move_to(from: &Path, to: &Path) -> Result<(), StoreError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let moved = std::fs::rename(from, to)
        .and_then(|()| File::open(folder))
        .and_then(|folder| folder.sync_all());
    moved.map_err(|why| StoreError::Trouble(format!("{}: {why}", to.display())))
}
