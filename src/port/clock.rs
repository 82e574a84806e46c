//! The two clocks of a host.

use crate::types::{BootId, Now};

pub trait Clock {
    /// Wall time and time since boot, as one reading.
    fn now(&self) -> Now;

    /// The kernel's id of this boot.
    fn boot(&self) -> BootId;
}
