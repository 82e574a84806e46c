//! Steps of the host's wall clock, told by a timer of the kernel that is cancelled when somebody sets that clock, or when
//! the host wakes up.

#![expect(
    clippy::disallowed_methods,
    reason = "driver: where the kernel tells of no step, the clock is looked at now and then"
)]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Between two looks, where nothing tells of a step.
const LOOK: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Steps {
    /// `None`: this kernel has no such timer.
    timer: Option<OwnedFd>,
    /// The same, known to the runtime that waits for it.
    waited: OnceLock<Option<AsyncFd<OwnedFd>>>,
    look: Duration,
}

impl Steps {
    /// From here on no step is missed.
    pub(super) fn new() -> Self {
        Self { timer: timer().ok(), waited: OnceLock::new(), look: LOOK }
    }

    /// Comes when the clock was set since the last time that this came, or may have been.
    pub(super) async fn next(&self) {
        let told = match self.waited.get_or_init(|| self.known_to_the_runtime()) {
            Some(timer) => cancelled(timer).await.is_ok(),
            None => false,
        };
        if !told {
            tokio::time::sleep(self.look).await;
        }
    }

    fn known_to_the_runtime(&self) -> Option<AsyncFd<OwnedFd>> {
        let timer = self.timer.as_ref()?.try_clone().ok()?;
        #[expect(unsafe_code, reason = "the runtime cannot see that a descriptor stays what it is")]
        // SAFETY: the one owner of this descriptor is given away here, and nobody closes or replaces it meanwhile.
        let known = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        known.ok()
    }
}

/// Due at a time that nobody lives to see.
fn timer() -> io::Result<OwnedFd> {
    const NEVER: Timespec = Timespec { tv_sec: 1 << 36, tv_nsec: 0 };
    const ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    let timer =
        timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let how = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(&timer, how, &Itimerspec { it_interval: ONCE, it_value: NEVER })?;
    Ok(timer)
}

/// The timer stays armed for the next step.
async fn cancelled(timer: &AsyncFd<OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = timer.readable().await?;
        match ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?)) {
            Ok(Err(e)) if e.raw_os_error() == Some(Errno::CANCELED.raw_os_error()) => return Ok(()),
            Ok(read) => return read.map(|_| ()),
            // Not ready after all.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_clock_that_nobody_sets_wakes_nobody() {
        let steps = Steps::new();
        assert!(steps.timer.is_some(), "Linux has such timers since 3.0");
        runtime().block_on(async {
            let soon = Duration::from_millis(50);
            assert!(tokio::time::timeout(soon, steps.next()).await.is_err());
            assert!(steps.waited.get().is_some_and(Option::is_some));
        });
    }

    #[test]
    fn without_such_a_timer_the_clock_is_looked_at_now_and_then() {
        let look = Duration::from_millis(1);
        let steps = Steps { timer: None, waited: OnceLock::new(), look };
        runtime().block_on(async {
            steps.next().await;
            steps.next().await;
        });
    }
}
