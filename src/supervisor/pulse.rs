//! That the loop turns: for the keeper of the lead, and for the service manager. Both give a supervisor up that hangs.

use std::time::Duration;

use super::{Observer, Supervisor, World};
use crate::fault;
use crate::port::{Clock, Pulse};
use crate::types::Now;

/// A loop that has nothing to do turns once in so long all the same, where a lead is kept for it.
pub(super) const BEAT: Duration = Duration::from_secs(10);
/// While it waits for the store it is there too.
pub(super) const WAITING: Duration = Duration::from_secs(1);

impl<W: World> Supervisor<W> {
    /// Once a turn, and now and then while one takes long.
    pub(super) fn lives(&mut self) {
        fault::hang();
        let now = self.parts.clock.now();
        beat(&self.pulse, &mut self.parts.observers, now);
    }

    /// How long it may sleep with nothing to do.
    pub(super) fn beats_within(&self) -> Option<Duration> {
        self.pulse.as_ref().map(|_| BEAT)
    }

    /// The job files are read because somebody has asked for it; `done`: they were.
    pub(super) fn reads_anew(&mut self, done: bool) {
        let now = self.parts.clock.now();
        self.parts.observers.iter_mut().for_each(|observer| observer.reads_anew(now, done));
    }
}

pub(super) fn beat(pulse: &Option<Pulse>, observers: &mut [Box<dyn Observer>], now: Now) {
    if let Some(pulse) = pulse {
        pulse.beat();
    }
    observers.iter_mut().for_each(|observer| observer.lives(now));
}
