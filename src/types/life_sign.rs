//! What a supervisor that serves says of itself from time to time, for whoever watches from another host.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BatchId;

/// That the loop of the supervisor that leads turns, and that its store answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LifeSign {
    /// The form of this: 1.
    pub version: u32,
    /// By the clock of its host.
    pub at: Timestamp,
    /// In the site's own language.
    pub site: String,
    /// The leadership under which it was given.
    pub epoch: u64,
    /// Where the journal stands.
    pub entries: u64,
    pub head: String,
    /// The next start of a schedule.
    pub next: Option<NextStart>,
    /// Messages that wait to be sent; those that were given up do not count.
    pub waiting: u32,
    /// Since when the oldest of them does.
    pub waiting_since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextStart {
    pub batch: BatchId,
    pub at: Timestamp,
}

impl LifeSign {
    pub const VERSION: u32 = 1;
}
