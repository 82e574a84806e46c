//! The two clocks of a host.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::types::{BootId, Now};

pub trait Clock {
    /// Wall time and time since boot, as one reading.
    fn now(&self) -> Now;

    /// The kernel's id of this boot.
    fn boot(&self) -> BootId;

    /// The host's own wall time, whatever a trial's clock shows.
    fn real(&self) -> Timestamp;

    /// How a trial's clock differs from the host's; `None` where the clock is the host's.
    fn offset(&self) -> Option<TrialOffset>;

    /// Comes when the host's wall clock was set, or when it has to be looked at because nobody would tell. What was set
    /// before it is asked is not missed.
    fn stepped(&self) -> impl Future<Output = ()> + Send
    where
        Self: Sized;

    /// Lets time pass at once. Only a trial's clock does.
    fn jump(&mut self, by: Duration);
}

/// How a trial's clock differs from its host's. Stored with the run in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrialOffset {
    /// Added to the host's wall time.
    pub wall: SignedDuration,
    /// Time that was jumped over while nothing ran, added to the time since boot.
    pub since_boot: Duration,
}
