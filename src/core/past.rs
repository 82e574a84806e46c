//! What is said of runs whose own entries are not here: lost with a store, or archived.

use serde::{Deserialize, Serialize};

use crate::types::{AttemptId, BusinessDate, Ending, HostName, RunId};
use crate::wire::Ended;

/// What is known of a run that the restored store has lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLost {
    pub run: RunId,
    pub business_date: BusinessDate,
    /// It counts for nothing but itself.
    pub trial: bool,
    /// Of a host, a target, or both; by number within a job.
    pub attempts: Vec<LostAttempt>,
}

/// An attempt of a lost run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LostAttempt {
    pub attempt: AttemptId,
    pub host: HostName,
    /// `None`: nobody knows how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Box<Ended>>,
    /// Targets that bear its marker: what it was to change there was committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<String>,
}

impl LostAttempt {
    /// It ended as a program ends that has done its work; the job's own rule of success is lost with its definition.
    pub fn went_well(&self) -> bool {
        let well = |ended: &Ended| ended.line_found && ended.ending == Ending::Exited { code: 0 };
        self.ended.as_deref().is_some_and(well)
    }
}

/// Where a finished run has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunArchived {
    pub run: RunId,
    /// Its name in the folder of archives.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub digest: String,
    pub bytes: u64,
    /// Entries of the journal that are in it.
    pub entries: u64,
}
