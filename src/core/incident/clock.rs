//! Limits of an incident: watched, met, missed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Clock, Incident};
use crate::types::{ClockKind, Severity};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockState {
    pub due: Timestamp,
    pub warned: bool,
    /// When it was done, in time or not.
    pub met: Option<Timestamp>,
    /// It was counted as passed.
    pub breached: bool,
    /// The first that passed, whatever was set since.
    pub missed: Option<MissedLimit>,
}

/// A limit that has passed, and the grade by which it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedLimit {
    pub due: Timestamp,
    pub severity: Severity,
}

impl ClockState {
    /// What it is counted by: the first limit that passed, or the one that is watched.
    pub fn limit(&self) -> Timestamp {
        self.missed.map_or(self.due, |missed| missed.due)
    }

    pub fn is_missed(&self) -> bool {
        self.missed.is_some() || self.met.is_some_and(|met| met > self.due)
    }

    pub(super) fn miss(&mut self, severity: Severity) {
        let due = self.due;
        self.missed.get_or_insert(MissedLimit { due, severity });
    }
}

impl Incident {
    /// Clocks of which something is known stay as they are but for their times. A limit that had passed by then is kept:
    /// no later grade undoes it.
    pub(super) fn watch(&mut self, at: Timestamp, clocks: &[Clock]) {
        for clock in self.clocks.values_mut() {
            if clock.met.unwrap_or(at) > clock.due {
                clock.miss(self.severity);
            }
        }
        let kinds: BTreeSet<ClockKind> = clocks.iter().map(|clock| clock.kind).collect();
        self.clocks.retain(|kind, state| kinds.contains(kind) || state.missed.is_some());
        for Clock { kind, due } in clocks {
            let (due, warned, breached) = (*due, false, false);
            let new = ClockState { due, warned, met: None, breached, missed: None };
            self.clocks.entry(*kind).or_insert(new).due = due;
        }
    }

    pub(super) fn meet(&mut self, kind: ClockKind, at: Timestamp) {
        if let Some(clock) = self.clocks.get_mut(&kind) {
            clock.met.get_or_insert(at);
        }
    }

    pub(super) fn mark(&mut self, kinds: &[ClockKind], mark: impl Fn(&mut ClockState)) {
        for (kind, clock) in &mut self.clocks {
            if kinds.contains(kind) {
                mark(clock);
            }
        }
    }
}
