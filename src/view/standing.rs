//! What operators have ordered for the whole site, and what waits for a second person.

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use crate::definition::site::FreezeScope;
use crate::types::{FreezeId, HostName, PoolName, RequestId, Text};

/// What is in force, or will be. Empty on most nights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StandingView {
    pub freezes: Vec<FreezeLine>,
    pub pools: Vec<PoolLine>,
    /// Hosts that take no new attempts.
    pub drains: Vec<DrainLine>,
    pub requests: Vec<RequestLine>,
}

/// A freeze (封版).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FreezeLine {
    /// `None`: declared in the job files.
    pub id: Option<FreezeId>,
    pub from: Timestamp,
    pub to: Timestamp,
    pub scope: FreezeScope,
    pub reason: Text,
    /// `None`: declared in the job files.
    pub by: Option<Who>,
}

/// A pool that has another size for the night.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PoolLine {
    pub pool: PoolName,
    pub size: u32,
    pub until: Timestamp,
    pub by: Who,
    pub reason: String,
}

/// A host that takes no new attempts.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DrainLine {
    pub host: HostName,
    pub since: Timestamp,
    pub by: Who,
    pub reason: String,
}

/// An action that waits for a second person.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RequestLine {
    pub id: RequestId,
    /// What it is about: a run, a freeze, a batch.
    pub on: String,
    pub by: Who,
    pub reason: String,
    pub until: Timestamp,
}
