//! What a server is told before a statement: how long it may wait for a lock that somebody else holds, and how long it may
//! take. Both follow from the time that is left.

use std::time::Duration;

/// A server takes 0 for no limit at all.
const MOMENT: Duration = Duration::from_millis(1);
/// A wait that is shorter gives up before anybody could let go.
const LEAST: Duration = Duration::from_secs(1);

/// How long locks may be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent::worker) struct LockWait {
    pub(in crate::agent::worker) most: Duration,
    /// The n-th part of what is left: the work itself still has to fit in.
    share: u32,
    /// Of what is left, this is kept for what comes after the statements.
    reserve: Duration,
}

impl LockWait {
    /// Of the script of a job.
    pub(super) const OF_SCRIPT: Self =
        Self { most: Duration::from_secs(60), share: 1, reserve: Duration::ZERO };

    /// Of a statement of a change: others wait behind it. `reserve`: verification and rollback.
    pub(in crate::agent::worker) fn of_change(reserve: Duration) -> Self {
        Self { most: Duration::from_secs(5), share: 10, reserve }
    }

    /// Of a statement that has to wait for transactions which are older than itself.
    pub(in crate::agent::worker) fn for_older(self) -> Self {
        Self { most: Duration::from_secs(600), share: 1, ..self }
    }

    /// No longer than another time allows that is left, too.
    pub(in crate::agent::worker) fn within(self, left: Option<Duration>) -> Self {
        Self { most: Limits::of(self, left).lock_wait, ..self }
    }
}

/// The limits of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent::worker) struct Limits {
    pub(in crate::agent::worker) lock_wait: Duration,
    /// `None`: it may take as long as it takes.
    pub(in crate::agent::worker) statement: Option<Duration>,
}

impl Limits {
    /// `left`: until the work has to end. A lock is waited for as long as `wait` says at most, no longer than its share of
    /// what is left beside the reserve (a second at least), and never longer than what is left.
    pub(super) fn of(wait: LockWait, left: Option<Duration>) -> Self {
        let Some(left) = left else { return Self { lock_wait: wait.most, statement: None } };
        let part = left.saturating_sub(wait.reserve) / wait.share;
        let lock_wait = wait.most.min(part.max(LEAST)).min(left).max(MOMENT);
        Self { lock_wait, statement: Some(left.max(MOMENT)) }
    }

    /// Whether the server need not be told anew.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        let coarse = |limits: &Self| {
            (limits.lock_wait.as_secs(), limits.statement.map(|statement| statement.as_secs()))
        };
        coarse(self) == coarse(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_from_what_is_left() {
        let ms = Duration::from_millis;
        let seconds = Duration::from_secs;
        let change = |reserve| LockWait::of_change(seconds(reserve));
        let older = change(60).for_older();
        for (wait, left, lock_wait) in [
            (LockWait::OF_SCRIPT, None, seconds(60)),
            (LockWait::OF_SCRIPT, Some(seconds(90)), seconds(60)),
            (LockWait::OF_SCRIPT, Some(seconds(40)), seconds(40)),
            (change(0), None, seconds(5)),
            (change(0), Some(seconds(3600)), seconds(5)),
            (change(0), Some(seconds(30)), seconds(3)),
            // What must still fit in is nobody's to wait in.
            (change(60), Some(seconds(90)), seconds(3)),
            (change(60), Some(seconds(65)), seconds(1)),
            (change(60), Some(seconds(20)), seconds(1)),
            // Never longer than what is left, and never without a limit.
            (change(60), Some(ms(300)), ms(300)),
            (change(0), Some(Duration::ZERO), ms(1)),
            (older, None, seconds(600)),
            (older, Some(seconds(3600)), seconds(600)),
            (older, Some(seconds(100)), seconds(40)),
            (older, Some(Duration::ZERO), ms(1)),
            (change(0).within(Some(seconds(20))), Some(seconds(3600)), seconds(2)),
            (change(0).within(None), Some(seconds(10)), seconds(1)),
        ] {
            let limits = Limits::of(wait, left);
            let statement = left.map(|left| left.max(ms(1)));
            assert_eq!(limits, Limits { lock_wait, statement }, "{wait:?} {left:?}");
        }
    }

    #[test]
    fn a_server_is_told_once_a_second_at_most() {
        let of = |left| Limits::of(LockWait::OF_SCRIPT, left);
        let ms = |ms| Some(Duration::from_millis(ms));
        assert!(of(None).is_as_good_as(&of(None)));
        assert!(of(ms(90_900)).is_as_good_as(&of(ms(90_100))));
        assert!(!of(ms(90_100)).is_as_good_as(&of(ms(89_900))));
        assert!(!of(ms(90_100)).is_as_good_as(&of(None)));
    }
}
