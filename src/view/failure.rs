//! The one mail of a fault: what its reader must know at 03:00.

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use super::job::JobLine;
use super::run::RunHead;
use crate::types::{IncidentId, JobName, Text};

/// A critical job failed and stays so after its retries (requirement E4; design idea 5).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FailureView {
    pub head: RunHead,
    pub incident: IncidentId,
    pub opened: Timestamp,
    /// 1 is the gravest; written `P1`.
    pub priority: u8,
    /// With its attempts, tail and runbook.
    pub job: JobLine,
    /// What it blocks, in the order of the file.
    pub blocks: Vec<BlockedJob>,
    /// Everyone who gets this mail, its reader among them.
    pub told: Vec<Who>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BlockedJob {
    pub name: JobName,
    pub title: Text,
}
