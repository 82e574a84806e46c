//! A store that is older than what has run, and what it lacks.

use jiff::Timestamp;
use serde::Serialize;

use crate::types::{AttemptId, BatchId, Ending, RunId};

/// What hosts and targets know and the store does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Behind {
    /// Up to when the store knows what has happened.
    pub made: Timestamp,
    /// The last leadership that it gave.
    pub given: u64,
    /// The highest leadership that the agent has obeyed.
    pub obeyed: u64,
    /// Attempts of runs that it has.
    pub attempts: Vec<Unknown>,
    /// Runs that it does not have.
    pub runs: Vec<UnknownRun>,
    /// Starts of schedules since then: whether they were made nobody knows.
    pub starts: Vec<Starts>,
    /// The agent's spool is another than the one that the store knows: what ran there is not known.
    pub other_spool: bool,
    /// Targets that could not be asked.
    pub unread: Vec<Unread>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnknownRun {
    pub run: RunId,
    /// None where its attempts were given away to an archive.
    pub attempts: Vec<Unknown>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unknown {
    pub attempt: AttemptId,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// `None`: it may still run.
    pub ending: Option<Ending>,
    /// Targets in which its change was committed.
    pub marked: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Starts {
    pub batch: BatchId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unread {
    pub target: String,
    pub why: String,
}
