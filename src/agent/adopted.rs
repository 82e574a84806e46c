//! Attempts whose shims an agent before this one had forked: they are no children, and have nobody to tell. Their end is
//! told by a pidfd; what else there is to know has to be looked at, and only while there is something.

use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process, pidfd_send_signal};

use super::serve::{Agent, Shim, Watched};
use super::spool::{Holder, Places};
use crate::types::AttemptId;

/// Between two looks at one whose program is just being started.
const SOON: Duration = Duration::from_millis(100);
/// Between two looks at one whose end nothing tells of, where the kernel has no pidfd.
const NOW_AND_THEN: Duration = Duration::from_secs(1);

impl Agent<'_> {
    /// Stays with an attempt that a shim of another agent watches.
    pub(super) fn adopt_one(&mut self, attempt: &AttemptId, holder: Holder) -> &Watched {
        let running = Places::of(&self.folder.dir, attempt).record().running;
        let started = running.and_then(|running| running.line(attempt).ok());
        let Holder { pid, pidfd } = holder;
        let watched = Watched { pid, shim: Shim::Adopted { pidfd }, started };
        self.watched.entry(attempt.clone()).insert_entry(watched).into_mut()
    }

    /// When there is something to look at again.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let pauses = self.watched.values().filter_map(Watched::pause);
        pauses.min().map(|pause| self.looked + pause)
    }

    /// Learns what nothing tells of.
    pub(super) fn look(&mut self, now: Instant) {
        if self.next_look().is_none_or(|due| now < due) {
            return;
        }
        self.looked = now;
        let open = self.watched.iter().filter(|(_, watched)| watched.pause().is_some());
        for attempt in open.map(|(attempt, _)| attempt.clone()).collect::<Vec<_>>() {
            let places = Places::of(&self.folder.dir, &attempt);
            let Some(watched) = self.watched.get_mut(&attempt) else { continue };
            if watched.started.is_none()
                && let Some(running) = places.record().running
                && let Ok(line) = running.line(&attempt)
            {
                self.started(&attempt, line);
            }
            let Some(watched) = self.watched.get(&attempt) else { continue };
            let without_pidfd = matches!(watched.shim, Shim::Adopted { pidfd: None });
            if without_pidfd && places.holder().is_ok_and(|holder| holder != Some(watched.pid)) {
                self.shim_gone(&attempt, None);
            }
        }
    }
}

impl Watched {
    fn pause(&self) -> Option<Duration> {
        match &self.shim {
            Shim::Own => None,
            Shim::Adopted { .. } if self.started.is_none() => Some(SOON),
            Shim::Adopted { pidfd: Some(_) } => None,
            Shim::Adopted { pidfd: None } => Some(NOW_AND_THEN),
        }
    }

    /// Tells the shim that it is asked for an end.
    pub(super) fn ask_for_end(&self, places: &Places) -> io::Result<()> {
        let told = match &self.shim {
            // A child of this process: its pid is its own until it is waited for.
            Shim::Own => kill_process(self.pid, Signal::USR1),
            Shim::Adopted { pidfd: Some(pidfd) } => pidfd_send_signal(pidfd, Signal::USR1),
            // The lock is the shim's as long as it lives.
            Shim::Adopted { pidfd: None } if places.holder()? == Some(self.pid) => {
                kill_process(self.pid, Signal::USR1)
            }
            Shim::Adopted { pidfd: None } => Ok(()),
        };
        match told {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}
