//! The host's clock, or a trial's.

use std::time::Duration;

use jiff::Timestamp;

use crate::driver::clock::{HostClock, TrialClock};
use crate::port::{Clock, TrialOffset};
use crate::types::{BootId, Now};

/// The clock of a supervisor: one kind for as long as it lives.
#[derive(Debug, Clone)]
pub enum RunClock {
    Host(HostClock),
    Trial(TrialClock),
}

impl RunClock {
    fn inner(&self) -> &dyn Clock {
        match self {
            Self::Host(clock) => clock,
            Self::Trial(clock) => clock,
        }
    }
}

impl Clock for RunClock {
    fn now(&self) -> Now {
        self.inner().now()
    }

    fn boot(&self) -> BootId {
        self.inner().boot()
    }

    fn real(&self) -> Timestamp {
        self.inner().real()
    }

    fn offset(&self) -> Option<TrialOffset> {
        self.inner().offset()
    }

    async fn stepped(&self) {
        match self {
            Self::Host(clock) => clock.stepped().await,
            Self::Trial(clock) => clock.stepped().await,
        }
    }

    fn jump(&mut self, by: Duration) {
        match self {
            Self::Host(clock) => clock.jump(by),
            Self::Trial(clock) => clock.jump(by),
        }
    }
}
