//! The host's two clocks, and those of a trial.

#![expect(clippy::disallowed_methods, reason = "driver: the one place that reads the clocks")]

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

use super::clock_steps::Steps;
use crate::fault;
use crate::port::{Clock, TrialOffset};
use crate::types::{BootId, Now};

/// Where the kernel says which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// CLOCK_REALTIME and CLOCK_BOOTTIME.
#[derive(Debug, Clone)]
pub struct HostClock {
    boot: BootId,
    steps: Arc<Steps>,
}

/// The host's clocks, moved: what a run with `--at` goes by.
#[derive(Debug, Clone)]
pub struct TrialClock {
    host: HostClock,
    offset: TrialOffset,
}

impl HostClock {
    /// Reads the boot id, once: it cannot change while this process lives.
    pub fn new() -> std::io::Result<Self> {
        let text = std::fs::read_to_string(BOOT_ID)
            .map_err(|why| std::io::Error::new(why.kind(), format!("{BOOT_ID}: {why}")))?;
        Ok(Self { boot: BootId(text.trim().to_owned()), steps: Arc::new(Steps::new()) })
    }
}

impl Clock for HostClock {
    fn now(&self) -> Now {
        let since_boot = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(since_boot.tv_nsec).unwrap_or(0);
        let wall = Timestamp::now().saturating_add(fault::clock_step());
        Now { wall: wall.unwrap_or(Timestamp::MAX), since_boot: Duration::new(seconds, nanos) }
    }

    fn boot(&self) -> BootId {
        self.boot.clone()
    }

    fn real(&self) -> Timestamp {
        self.now().wall
    }

    fn offset(&self) -> Option<TrialOffset> {
        None
    }

    async fn stepped(&self) {
        tokio::select! {
            () = self.steps.next() => {}
            () = fault::clock_stepped() => {}
        }
    }

    fn jump(&mut self, _: Duration) {}
}

impl TrialClock {
    /// A clock that now shows `at`. The time since boot is the host's.
    pub fn starting_at(host: HostClock, at: Timestamp) -> Self {
        let wall = at.duration_since(host.now().wall);
        Self { host, offset: whole(TrialOffset { wall, since_boot: Duration::ZERO }) }
    }

    /// The clock of a trial that is taken up again.
    pub fn resume(host: HostClock, offset: TrialOffset) -> Self {
        Self { host, offset: whole(offset) }
    }
}

impl Clock for TrialClock {
    fn now(&self) -> Now {
        let host = self.host.now();
        Now {
            wall: host.wall.saturating_add(self.offset.wall).unwrap_or(Timestamp::MAX),
            since_boot: host.since_boot.saturating_add(self.offset.since_boot),
        }
    }

    fn boot(&self) -> BootId {
        self.host.boot()
    }

    fn real(&self) -> Timestamp {
        self.host.real()
    }

    fn offset(&self) -> Option<TrialOffset> {
        Some(self.offset)
    }

    async fn stepped(&self) {
        self.host.stepped().await;
    }

    /// On both clocks: nothing runs that could notice.
    fn jump(&mut self, by: Duration) {
        let wall = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.offset = whole(TrialOffset {
            wall: self.offset.wall.saturating_add(wall),
            since_boot: self.offset.since_boot.saturating_add(by),
        });
    }
}

/// Up to the next whole microsecond, as it is stored: a resumed trial never goes back.
fn whole(offset: TrialOffset) -> TrialOffset {
    let up = |nanos: i32| i64::from((1_000 - nanos.rem_euclid(1_000)) % 1_000);
    let wall = SignedDuration::from_nanos(up(offset.wall.subsec_nanos()));
    let since_boot = up(offset.since_boot.subsec_nanos().cast_signed()).cast_unsigned();
    TrialOffset {
        wall: offset.wall.saturating_add(wall),
        since_boot: offset.since_boot.saturating_add(Duration::from_nanos(since_boot)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_jumps_on_both_clocks_and_goes_on_from_its_stored_offset() {
        let at: Timestamp = "2026-10-30T20:30:00Z".parse().unwrap();
        let host = HostClock::new().unwrap();
        let before = host.now();
        let mut trial = TrialClock::starting_at(host.clone(), at);
        let first = trial.now();
        assert!(first.wall >= at && first.wall < at + SignedDuration::from_secs(10));
        assert!(first.since_boot >= before.since_boot);

        trial.jump(Duration::from_secs(3_600));
        let later = trial.now();
        assert!(later.wall >= first.wall + SignedDuration::from_secs(3_600));
        assert!(later.since_boot >= first.since_boot + Duration::from_secs(3_600));

        let resumed = TrialClock::resume(host, trial.offset);
        assert_eq!(resumed.offset(), trial.offset());
        assert!(resumed.now().wall >= later.wall);
        assert_eq!(resumed.boot(), trial.boot());
    }

    #[test]
    fn offsets_are_whole_microseconds() {
        let odd = TrialOffset {
            wall: SignedDuration::from_nanos(-1_500),
            since_boot: Duration::from_nanos(1_001),
        };
        let whole = whole(odd);
        assert_eq!(whole.wall, SignedDuration::from_nanos(-1_000));
        assert_eq!(whole.since_boot, Duration::from_nanos(2_000));
    }
}
