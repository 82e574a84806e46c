//! Runs that have left the store for a file.

use jiff::Timestamp;
use serde::Serialize;

use crate::types::RunId;

/// Where a run was archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ArchiveLine {
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Its name in the folder of archives.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub digest: String,
    pub bytes: u64,
    /// The journal entry that says so.
    pub seq: u64,
}
