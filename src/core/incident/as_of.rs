//! Incidents as they stood at a former time: who reads of a day reads the same, whatever has happened since.

use jiff::Timestamp;

use super::{Incident, Moved};
use crate::core::state::State;

impl Incident {
    /// What was known of it then; `None`: it was opened later.
    pub fn as_of(&self, at: Timestamp) -> Option<Self> {
        if at < self.opened {
            return None;
        }
        let closed = self.closed.filter(|closed| *closed <= at);
        let mut then = Self::new(self.opened, &self.what);
        for taken in self.steps.iter().filter(|taken| taken.at <= at) {
            if let Some(closed) = closed.filter(|closed| *closed < taken.at) {
                then.close(closed);
            }
            let (by, reason, step) = (taken.by.clone(), taken.reason.clone(), taken.step.clone());
            let (incident, run) = (self.what.incident, self.what.run.clone());
            let number = u32::try_from(then.steps.len() + 1).unwrap_or(u32::MAX);
            then.apply(taken.at, &Moved { incident, run, number, by, reason, step });
        }
        if let Some(closed) = closed {
            then.close(closed);
        }
        Some(then)
    }
}

impl State {
    /// The drills that were known then, as they stood, and nothing else.
    pub fn drills_as_of(&self, at: Timestamp) -> Self {
        let mut then = Self::default();
        for known in self.drills.keys().flat_map(|drill| self.drills_of(drill)) {
            if let Some(known) = known.as_of(at) {
                then.note_drill(&known.what);
                then.incidents.insert(known.what.incident, known);
            }
        }
        then
    }
}
