//! Shift hand-overs (交接): what one shift leaves to the next is drafted from the record, the outgoing side adds its words,
//! and somebody of the next shift accepts it; until then both sides are told again (E5).
//!
//! A hand-over is named by its shift and the date on which that shift began. It begins some time before the end of the
//! shift, by the roster as it stands then. All times are wall times and follow from recorded facts and the roster alone.

mod as_of;
mod draft;
mod due;
mod forget;
mod take;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::Unfit;
use crate::types::{HandOverId, PersonId, ShiftName};

pub use draft::{
    AheadStart, AtRisk, CalendarEnd, Doubt, Draft, DrillAhead, FreezeKept, HoldKept, Note,
    OpenIncident, Running, starts_ahead,
};
pub(in crate::core) use due::Shifts;
pub use take::{HandOverOrder, HandOverWish};

/// A hand-over begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub hand_over: HandOverId,
    /// Who has one of these shifts takes over.
    pub to: Vec<ShiftName>,
    /// Of the shift that hands over.
    pub began: Timestamp,
    pub ends: Timestamp,
    /// Who has it.
    pub outgoing: Vec<PersonId>,
    /// Who has one of the next shifts when it ends; nobody where the roster names nobody.
    pub incoming: Vec<PersonId>,
    /// Who is told at once.
    pub notify: Vec<PersonId>,
}

/// A step of a hand-over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub hand_over: HandOverId,
    /// Counts the steps of the hand-over, from 1.
    pub number: u32,
    /// Whose step it is; `None`: nightrun's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// What the person says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    pub step: HandOverStep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum HandOverStep {
    /// Both sides are told: the shift ends, or nobody has accepted yet.
    Told { people: Vec<PersonId> },
    /// The outgoing side adds words.
    Noted,
    /// The outgoing side is ready.
    Given,
    /// The next shift has taken over. What it took over is kept as it stood then.
    Accepted { draft: Box<Draft> },
    /// Whoever has the next shift had this one too: nobody has to be told what he knows.
    Same,
    /// Nobody has accepted within the limit: an incident tells others from now on.
    Late,
}

/// A step that was taken, with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub at: Timestamp,
    pub by: Option<PersonId>,
    pub words: String,
    pub step: HandOverStep,
}

/// A hand-over with all that was done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct HandOver {
    pub what: Opened,
    pub opened: Timestamp,
    pub steps: Vec<Taken>,
    /// When anybody was told last.
    pub told: Timestamp,
    pub given: Option<Timestamp>,
    /// When its limit passed.
    pub late: Option<Timestamp>,
    /// When somebody accepted it, or it needed nobody.
    pub closed: Option<Timestamp>,
}

impl HandOver {
    pub(in crate::core) fn new(at: Timestamp, what: &Opened) -> Self {
        Self {
            what: what.clone(),
            opened: at,
            steps: Vec::new(),
            told: at,
            given: None,
            late: None,
            closed: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Who accepted it, and what was kept then.
    pub fn accepted(&self) -> Option<(&Taken, &Draft)> {
        self.steps.iter().find_map(|taken| match &taken.step {
            HandOverStep::Accepted { draft } => Some((taken, draft.as_ref())),
            _ => None,
        })
    }

    /// Takes its next step in. One that was taken before, as the journal may tell twice, is no other one.
    ///
    /// # Errors
    /// It is not its next step.
    pub(in crate::core) fn apply(&mut self, at: Timestamp, moved: &Moved) -> Result<(), Unfit> {
        let wrong = || Unfit::WrongHandOverStep {
            hand_over: moved.hand_over.clone(),
            number: moved.number,
        };
        match usize::try_from(moved.number) {
            Ok(number) if number == self.steps.len() + 1 => {}
            _ => return Err(wrong()),
        }
        let (by, words, step) = (moved.by.clone(), moved.words.clone(), moved.step.clone());
        self.take(Taken { at, by, words, step });
        Ok(())
    }

    fn take(&mut self, taken: Taken) {
        let at = taken.at;
        match &taken.step {
            HandOverStep::Told { .. } => self.told = at,
            HandOverStep::Noted => {}
            HandOverStep::Given => self.given = self.given.or(Some(at)),
            HandOverStep::Accepted { .. } | HandOverStep::Same => self.closed = Some(at),
            HandOverStep::Late => self.late = Some(at),
        }
        self.steps.push(taken);
    }
}

#[cfg(test)]
mod tests;
