//! What a target must still know before another change is applied to it: marker and data lie in one database, so that one
//! which was restored from an older copy, or failed over to one, has lost both.

use super::life::Lives;
use crate::types::TargetName;
use crate::wire::{ChangeState, Mark};

/// How many of the changes that were done last a worker looks for: what an older copy has not is what came last.
pub const MARKS: usize = 10;

/// The changes that were done on a target last, as far as the target itself has said so, the newest first.
pub(in crate::core) fn marks(lives: &Lives, environment: &str, target: &TargetName) -> Vec<Mark> {
    let mut done: Vec<_> = lives
        .iter()
        .filter_map(|(change, life)| {
            let ended = life.done_in(environment)?;
            // What people have said of one in doubt need not have a marker.
            let there = ended.state == ChangeState::Done
                && life.beginning(ended).is_some_and(|began| began.target == *target);
            there.then_some((ended.ended, change, &ended.attempt))
        })
        .collect();
    done.sort_by(|a, b| b.cmp(a));
    let newest = done.into_iter().take(MARKS);
    newest
        .map(|(_, change, attempt)| Mark { change: change.clone(), attempt: attempt.clone() })
        .collect()
}
