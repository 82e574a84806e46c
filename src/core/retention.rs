//! What is old enough to leave the store and the spool for an archive.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::types::{BatchId, RunId, Span};

/// A run, as far as its age and size decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub run: RunId,
    pub trial: bool,
    /// `None`: it is open, or was stopped and may go on.
    pub ended: Option<Timestamp>,
    /// Something of it is to be decided yet: a job in doubt, an open incident, a wish that waits for a second person.
    pub wanted: bool,
    /// Of the output of its attempts that is still in the spool.
    pub log_bytes: u64,
}

/// Runs that leave the store: over for longer than `keep`, nothing of them to be decided, and not the last of their batch.
/// `runs`: all of them, the last opened first. The oldest comes first.
pub fn runs_to_archive(runs: &[Past], keep: Option<Span>, now: Timestamp) -> Vec<RunId> {
    let Some(keep) = keep else { return Vec::new() };
    let mut batches: BTreeSet<(&BatchId, bool)> = BTreeSet::new();
    let mut old: Vec<RunId> = runs
        .iter()
        // The first that is met of a batch is its last one.
        .filter(|past| {
            !batches.insert((&past.run.batch, past.trial))
                && may_go(past)
                && is_older(past, keep, now)
        })
        .map(|past| past.run.clone())
        .collect();
    old.reverse();
    old
}

/// Runs whose output leaves the spool: older than `keep`, and then the oldest until all that stays is at most `at_most` bytes.
pub fn logs_to_archive(
    runs: &[Past],
    (keep, at_most): (Option<Span>, Option<u64>),
    now: Timestamp,
) -> Vec<RunId> {
    let mut left: u64 = runs.iter().map(|past| past.log_bytes).sum();
    let mut go = Vec::new();
    for past in runs.iter().rev().filter(|past| past.log_bytes > 0 && may_go(past)) {
        let old = keep.is_some_and(|keep| is_older(past, keep, now));
        let too_many = at_most.is_some_and(|most| left > most);
        if old || too_many {
            left = left.saturating_sub(past.log_bytes);
            go.push(past.run.clone());
        }
    }
    go
}

fn may_go(past: &Past) -> bool {
    past.ended.is_some() && !past.wanted
}

fn is_older(past: &Past, keep: Span, now: Timestamp) -> bool {
    let keep = SignedDuration::try_from(keep.get()).unwrap_or(SignedDuration::MAX);
    past.ended.is_some_and(|ended| now.duration_since(ended) > keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(run: &str, days: i64, log_bytes: u64) -> Past {
        let ended = Some(now() - SignedDuration::from_hours(24 * days));
        Past { run: run.parse().unwrap(), trial: false, ended, wanted: false, log_bytes }
    }

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    fn names(runs: Vec<RunId>) -> Vec<String> {
        runs.iter().map(ToString::to_string).collect()
    }

    /// The last opened first.
    fn runs() -> Vec<Past> {
        vec![
            past("eod@d4#1", 1, 10),
            past("eod@d3#1", 20, 20),
            past("fx@d2#1", 30, 30),
            past("eod@d2#1", 30, 40),
            past("eod@d1#1", 40, 50),
        ]
    }

    #[test]
    fn the_last_of_a_batch_and_what_is_wanted_stay() {
        let week = Some("7d".parse().unwrap());
        let go = |runs: &[Past]| names(runs_to_archive(runs, week, now()));
        assert_eq!(go(&runs()), ["eod@d1#1", "eod@d2#1", "eod@d3#1"]);
        let mut some = runs();
        some[3].wanted = true;
        some[4].ended = None;
        assert_eq!(go(&some), ["eod@d3#1"]);
        assert_eq!(names(runs_to_archive(&runs(), None, now())), [""; 0]);
    }

    #[test]
    fn logs_go_by_age_and_then_the_oldest_until_the_rest_fits() {
        let go = |keep: Option<&str>, most| {
            let keep = keep.map(|keep| keep.parse().unwrap());
            names(logs_to_archive(&runs(), (keep, most), now()))
        };
        assert_eq!(go(Some("25d"), None), ["eod@d1#1", "eod@d2#1", "fx@d2#1"]);
        assert_eq!(go(None, Some(60)), ["eod@d1#1", "eod@d2#1"]);
        assert_eq!(go(None, Some(150)), [""; 0]);
        assert_eq!(go(None, None), [""; 0]);
    }
}
