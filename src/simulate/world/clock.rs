//! The clocks of the made-up world: time passes, and what the clocks show of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::types::{BootId, Now};

/// Since boot at the beginning of a night.
const UP: Duration = Duration::from_secs(1_000);

#[derive(Debug, Clone)]
pub(super) struct Clock {
    begin: Timestamp,
    /// Since the beginning of the night, whatever clocks were set to. Only goes on.
    passed: Duration,
    /// By how much the wall clock was stepped.
    stepped: SignedDuration,
    boots: u32,
    /// What `passed` was when the host of the supervisor booted, less [`UP`] the first time.
    booted: Duration,
}

impl Clock {
    pub(super) fn new(begin: Timestamp) -> Self {
        Self {
            begin,
            passed: Duration::ZERO,
            stepped: SignedDuration::ZERO,
            boots: 1,
            booted: Duration::ZERO,
        }
    }

    /// The wall time at which the night began.
    pub(super) fn begin(&self) -> Timestamp {
        self.begin
    }

    pub(super) fn passed(&self) -> Duration {
        self.passed
    }

    /// What the wall clock shows.
    pub(super) fn wall(&self) -> Timestamp {
        let shown = self.begin.checked_add(self.passed).and_then(|at| at.checked_add(self.stepped));
        shown.unwrap_or(self.begin)
    }

    /// The time since boot counts what the host was suspended, as CLOCK_BOOTTIME does.
    pub(super) fn now(&self) -> Now {
        let before = if self.boots == 1 { UP } else { Duration::ZERO };
        Now { wall: self.wall(), since_boot: before + self.passed.saturating_sub(self.booted) }
    }

    pub(super) fn boot(&self) -> BootId {
        BootId(format!("supervisor-{}", self.boots))
    }

    pub(super) fn pass(&mut self, by: Duration) {
        self.passed += by;
    }

    pub(super) fn pass_until(&mut self, passed: Duration) {
        self.passed = self.passed.max(passed);
    }

    pub(super) fn step(&mut self, by: SignedDuration) {
        self.stepped = self.stepped.saturating_add(by);
    }

    pub(super) fn reboot(&mut self) {
        self.boots += 1;
        self.booted = self.passed;
    }
}
