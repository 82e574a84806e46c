//! The two clocks of a host.

use std::time::Duration;

use jiff::SignedDuration;

use crate::types::{BootId, Now};

pub trait Clock {
    /// Wall time and time since boot, as one reading.
    fn now(&self) -> Now;

    /// The kernel's id of this boot.
    fn boot(&self) -> BootId;
}

/// How a trial's clock differs from its host's. Stored with the run in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrialOffset {
    /// Added to the host's wall time.
    pub wall: SignedDuration,
    /// Time that was jumped over while nothing ran, added to the time since boot.
    pub since_boot: Duration,
}
