//! Contents of entries that are not in the store any more, from the files of archives.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::archive::{self, Packed};
use super::store::StateReader;
use crate::journal::Sealed;
use crate::port::{Archived, StoreError, StoreReader};

/// Reads a file when the first entry of its run is asked for.
#[derive(Debug)]
pub struct Contents {
    folder: PathBuf,
    archived: BTreeMap<String, Packed>,
    read: BTreeMap<String, BTreeMap<u64, String>>,
}

impl Contents {
    /// Of every run that was archived.
    pub async fn of(folder: PathBuf, reader: &StateReader) -> Result<Self, StoreError> {
        let archived = reader.archived().await?;
        Ok(Self::among(folder, archived))
    }

    /// Of those that were archived at `since` or later and whose files are there.
    pub fn at_hand(folder: &Path, archived: &[Archived], since: Timestamp) -> Self {
        let there = |archived: &&Archived| {
            archived.at >= since && archive::is_there(folder, &archived.file)
        };
        Self::among(folder.to_owned(), archived.iter().filter(there).cloned())
    }

    fn among(folder: PathBuf, archived: impl IntoIterator<Item = Archived>) -> Self {
        let archived = archived.into_iter().map(|archived| {
            let run = archived.run.to_string();
            (run, Packed::from(archived))
        });
        Self { folder, archived: archived.collect(), read: BTreeMap::new() }
    }

    /// What an entry held; `None`: it was not archived, or in none of these files.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what it was.
    pub async fn body(&mut self, entry: &Sealed) -> io::Result<Option<String>> {
        let Some(run) = entry.run.as_ref().filter(|_| entry.is_archived()) else { return Ok(None) };
        if !self.read.contains_key(run) {
            let Some(packed) = self.archived.get(run).cloned() else { return Ok(None) };
            let folder = self.folder.clone();
            // On a thread of its own: who answers others meanwhile is not held up by it.
            let reading = tokio::task::spawn_blocking(move || archive::bodies(&folder, &packed));
            let bodies = reading.await.map_err(io::Error::other)??;
            self.read.insert(run.clone(), bodies);
        }
        let body = self.read.get_mut(run).and_then(|bodies| bodies.remove(&entry.seq));
        body.map(Some).ok_or_else(|| {
            let what =
                format!("journal entry {}: the archive of {run} does not hold it", entry.seq);
            io::Error::other(what)
        })
    }
}

impl From<Archived> for Packed {
    fn from(archived: Archived) -> Self {
        let Archived { file, digest, bytes, .. } = archived;
        Self { file, digest, bytes }
    }
}
