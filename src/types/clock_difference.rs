//! What the clocks of two hosts differ by.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// As it was found by asking; milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClockDifference {
    /// The other host's clock less this one's.
    pub ahead_ms: i64,
    /// It may be as much more or less: half of the time that asking took.
    pub within_ms: u64,
}

/// What clocks may differ by without a word.
const MATTERS_MS: u64 = 2_000;

impl ClockDifference {
    /// Asked at `asked` by this host's clock, answered so long after with the time of the other.
    pub fn between(asked: Timestamp, took: Duration, answer: Timestamp) -> Self {
        let half = took / 2;
        let middle = asked.saturating_add(half).unwrap_or(asked);
        let ahead = answer.duration_since(middle).as_millis();
        // Not less than it is.
        let within = half.as_micros().div_ceil(1_000);
        Self {
            ahead_ms: i64::try_from(ahead).unwrap_or(i64::MAX),
            within_ms: u64::try_from(within).unwrap_or(u64::MAX),
        }
    }

    /// By how much the other clock is ahead, where that is more than the asking may have made.
    pub fn known(self) -> Option<SignedDuration> {
        let known = self.ahead_ms.unsigned_abs() > self.within_ms;
        known.then(|| SignedDuration::from_millis(self.ahead_ms))
    }

    /// Whether people should know: surely off by more than two seconds.
    pub fn matters(self) -> bool {
        self.ahead_ms.unsigned_abs() > self.within_ms.saturating_add(MATTERS_MS)
    }

    /// Whether the two are surely not the same difference, by more than two seconds.
    pub fn is_apart_from(self, other: Self) -> bool {
        let apart = self.ahead_ms.abs_diff(other.ahead_ms);
        apart > self.within_ms.saturating_add(other.within_ms).saturating_add(MATTERS_MS)
    }

    /// Whether it says less than an earlier answer that it fits to: it came late.
    pub fn says_less_than(self, before: Self) -> bool {
        self.within_ms > before.within_ms.saturating_mul(4) && !self.is_apart_from(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(ahead_ms: i64, within_ms: u64) -> ClockDifference {
        ClockDifference { ahead_ms, within_ms }
    }

    #[test]
    fn the_answer_is_of_the_middle_of_the_asking() {
        let asked: Timestamp = "2026-11-28T02:00:00Z".parse().unwrap();
        let answer = "2026-11-28T02:00:10.5Z".parse().unwrap();
        let found = ClockDifference::between(asked, Duration::from_secs(1), answer);
        assert_eq!(found, difference(10_000, 500));
        let found = ClockDifference::between(asked, Duration::from_micros(3), asked);
        assert_eq!(found, difference(0, 1));
    }

    #[test]
    fn a_clock_is_off_by_more_than_the_asking_can_have_made() {
        for (ahead, within, known, matters) in [
            (0, 0, false, false),
            (500, 500, false, false),
            (-501, 500, true, false),
            (2_000, 0, true, false),
            (2_001, 0, true, true),
            (-2_050, 100, true, false),
            (-2_150, 100, true, true),
            (9_000, 8_000, true, false),
        ] {
            let found = difference(ahead, within);
            assert_eq!((found.known().is_some(), found.matters()), (known, matters), "{found:?}");
        }
    }

    #[test]
    fn a_late_answer_counts_only_where_it_says_something_new() {
        let before = difference(90_000, 10);
        assert!(difference(84_000, 8_000).says_less_than(before));
        assert!(!difference(90_500, 40).says_less_than(before), "as good as the one before");
        assert!(!difference(0, 8_000).says_less_than(before), "the clock was set meanwhile");
    }
}
