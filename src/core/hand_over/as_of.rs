//! Hand-overs as they stood at a former time: who reads of a day reads the same, whatever has happened since.

use jiff::Timestamp;

use super::HandOver;

impl HandOver {
    /// What was known of it then; `None`: it began later.
    pub fn as_of(&self, at: Timestamp) -> Option<Self> {
        if at < self.opened {
            return None;
        }
        let mut then = Self::new(self.opened, &self.what);
        for taken in self.steps.iter().filter(|taken| taken.at <= at) {
            then.take(taken.clone());
        }
        Some(then)
    }
}
