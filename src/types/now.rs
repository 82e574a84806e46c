//! The two clocks that a decision is given.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// "Now" as every decision gets it. Schedules, windows and deadlines go by `wall`; retry waits, limits and leases by
/// `since_boot`, so that a step of the wall clock breaks neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    /// Since the host booted, sleep included (CLOCK_BOOTTIME).
    pub since_boot: Duration,
}

/// When the core wants to be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub wall: Option<Timestamp>,
    pub since_boot: Option<Duration>,
}

impl Due {
    pub const NEVER: Self = Self { wall: None, since_boot: None };

    /// How long until the earlier of the two, zero when it has passed; `None` when nothing is due.
    pub fn after(&self, now: Now) -> Option<Duration> {
        let wall = self
            .wall
            .map(|at| Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO));
        let boot = self.since_boot.map(|at| at.saturating_sub(now.since_boot));
        wall.into_iter().chain(boot).min()
    }
}

/// The kernel's id of one boot of a host. An agent adds a colon and its spool's id: who has lost its spool has forgotten as
/// much as one whose host has restarted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub String);

impl BootId {
    /// Whether the host itself has not restarted between the two: what ran in the one may run in the other.
    pub fn of_one_kernel(&self, other: &Self) -> bool {
        self.kernel() == other.kernel()
    }

    fn kernel(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}
