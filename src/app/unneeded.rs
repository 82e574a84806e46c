//! What nothing in the store goes by any more, once runs have gone to their archives.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::archive::NotArchived;
use crate::driver::store::StateReader;
use crate::journal::{RunRow, address};
use crate::port::{RunFilter, StoreReader};
use crate::supervisor::Unneeded;
use crate::types::Span;

/// As much of a run's definition as is asked here.
#[derive(Debug, Deserialize)]
struct Definition {
    site: Allowed,
    files: BTreeMap<PathBuf, String>,
}

/// What people were allowed by.
#[derive(Debug, Deserialize)]
struct Allowed {
    people: Value,
    #[serde(default)]
    rights: Value,
}

impl Allowed {
    fn digest(&self) -> String {
        address(format!("{} {}", self.people, self.rights).as_bytes())
    }
}

/// Definitions and scripts that no run in the store goes by, and mail that was sent longer ago than runs are kept. A
/// definition stays by which people were allowed something else than by the one before it: an audit tells that.
pub(super) async fn unneeded(
    reader: &StateReader,
    keep: Option<Span>,
    now: Timestamp,
) -> Result<Unneeded, NotArchived> {
    let mut runs = reader.runs(&RunFilter::default()).await?;
    let seen = runs.first().map_or(0, |row| row.opened_seq);
    runs.retain(|row| !row.definition.is_empty());
    let mut wanted = Wanted::default();
    for row in runs.iter().rev() {
        wanted.take(reader, row).await?;
    }
    let blobs = reader.blobs().await?.into_iter().filter(|address| !wanted.kept.contains(address));
    let over_before = keep.and_then(|keep| now.checked_sub(keep.get()).ok());
    Ok(Unneeded { blobs: blobs.collect(), over_before, seen })
}

#[derive(Default)]
struct Wanted {
    kept: BTreeSet<String>,
    /// Definitions that a run in the store goes by: their files are kept too.
    whole: BTreeSet<String>,
    /// Digest of what people were allowed by a definition; `None`: it has gone. Each is read once or twice, however many
    /// runs went by it.
    allowed_by: BTreeMap<String, Option<String>>,
    /// By the definition that was met last.
    allowed: Option<String>,
}

impl Wanted {
    /// In the order in which runs were opened.
    async fn take(&mut self, reader: &StateReader, row: &RunRow) -> Result<(), NotArchived> {
        let name = &row.definition;
        let is_here = row.archived.is_none();
        if !self.allowed_by.contains_key(name) || (is_here && !self.whole.contains(name)) {
            let definition = read(reader, row).await?;
            let allowed = definition.as_ref().map(|definition| definition.site.digest());
            self.allowed_by.insert(name.clone(), allowed);
            if let Some(definition) = definition.filter(|_| is_here) {
                self.whole.insert(name.clone());
                self.kept.insert(name.clone());
                self.kept.extend(definition.files.into_values());
            }
        }
        let allowed = self.allowed_by.get(name).cloned().flatten();
        if !row.trial && allowed.is_some() && self.allowed != allowed {
            self.kept.insert(name.clone());
            self.allowed = allowed;
        }
        Ok(())
    }
}

/// `None`: it has gone, and its run is in an archive.
async fn read(reader: &StateReader, row: &RunRow) -> Result<Option<Definition>, NotArchived> {
    let unreadable = || NotArchived::Unreadable(row.run.clone());
    let Some(bytes) = reader.blob_get(&row.definition).await? else {
        return if row.archived.is_some() { Ok(None) } else { Err(unreadable()) };
    };
    // On a thread of its own: of a large site it is long, and a turn is not held up by it.
    let read = tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes));
    let read = read.await.map_err(io::Error::other)?;
    read.map(Some).map_err(|_| unreadable())
}
