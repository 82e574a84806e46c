//! Whose turn it is, as `src/docs/format.md` has it: of all jobs that could start at a moment, the one of the highest
//! priority does, an operator's counting before the declared one; then that of the run whose id comes first, then that
//! which stands first in its file. Found out without a queue, by asking of every better job why it does not start.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::placed;
use super::start::{Come, needs};
use super::{Violation, Witness};
use crate::core::gate::Resource;
use crate::core::phase::Phase;
use crate::core::state::{Run, State};
use crate::types::{AttemptId, HostName, RunId};

/// Better jobs that are looked at for each start, in turn: of a night that has no more than so many all are.
const EACH_START: usize = 256;

/// How the oracle reads the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::simulate) enum Reading {
    #[default]
    AsWritten,
    /// The other way round: to see that the order of starts is looked at.
    #[cfg(test)]
    WorstFirst,
    /// As if operators set no priority: to see that theirs is.
    #[cfg(test)]
    AsDeclared,
}

#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) reading: Reading,
    looked: usize,
}

type Rank<'a> = (Reverse<i32>, &'a RunId, usize);

fn rank(reading: Reading, run: &Run, index: usize) -> Rank<'_> {
    let declared = run.job(index).priority;
    let priority = match reading {
        Reading::AsWritten => run.jobs[index].priority.unwrap_or(declared),
        #[cfg(test)]
        Reading::WorstFirst => -run.jobs[index].priority.unwrap_or(declared),
        #[cfg(test)]
        Reading::AsDeclared => declared,
    };
    (Reverse(priority), run.id(), index)
}

impl Witness {
    /// A start that comes before that of a better job which could start as well. `used`: what is in use of everything.
    pub(super) fn its_turn(
        &mut self,
        at: Timestamp,
        attempt: &AttemptId,
        hosts: &BTreeSet<HostName>,
        used: &BTreeMap<Resource, u32>,
    ) -> Result<(), Violation> {
        let by = self.state.run(&attempt.run)?;
        let Some(index) = by.index(&attempt.job) else { return Ok(()) };
        let mine = rank(self.precedence.reading, by, index);
        let waiting = self.going.iter().filter_map(|run| self.state.runs.get(run));
        let waiting = waiting.flat_map(|run| (0..run.jobs.len()).map(move |index| (run, index)));
        // A job whose retry wait is over is passed over as well: that goes by the time since boot.
        let waiting = waiting.filter(|(run, index)| run.jobs[*index].phase == Phase::Waiting);
        let better: Vec<(&Run, usize)> = waiting
            .filter(|(run, index)| rank(self.precedence.reading, run, *index) < mine)
            .collect();
        let looked_at = better.len().min(EACH_START);
        let from = self.precedence.looked % better.len().max(1);
        let in_turn = better.iter().cycle().skip(from).take(looked_at);
        let able: Vec<(AttemptId, HostName)> = in_turn
            .filter(|(run, index)| able(&self.state, run, *index))
            .flat_map(|(run, index)| {
                let id = run.attempt_id(*index, run.jobs[*index].attempts.len() as u32 + 1);
                let there = placed::hosts(run, *index).0.into_iter();
                let there = there.filter(|host| {
                    hosts.contains(host) && self.without_room((run, *index, host), used).is_none()
                });
                there.map(move |host| (id.clone(), host.clone())).collect::<Vec<_>>()
            })
            .filter(|(id, host)| self.placed(id, host).is_ok())
            .collect();
        self.precedence.looked += looked_at;
        for (other, host) in able {
            if self.startable(at, &other, &host, true).is_ok() {
                let why = format!("{other} is better, and could start as well");
                return Err(Violation::OutOfTurn(attempt.clone(), why));
            }
        }
        Ok(())
    }
}

/// What is found out without walking a clock.
fn able(state: &State, run: &Run, index: usize) -> bool {
    let free = run.jobs[index].held.is_none() && run.stopping.is_none() && run.cancelled.is_none();
    free && needs(state, run, index) == Come::Fulfilled
}
