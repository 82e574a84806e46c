//! Hand-overs of shifts as lists, pages and mails show them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Who;
use crate::core::hand_over::{Draft, HandOverStep};
use crate::types::{HandOverId, PersonId, Text, Zone};

/// How far a hand-over (交接) has come.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum HandOverState {
    /// The shift goes on, or nobody has given it yet.
    Open,
    /// The outgoing side is ready.
    Given,
    /// Its limit has passed.
    Late,
    Accepted,
    /// The same people have the next shift.
    Same,
}

/// A hand-over on one line.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HandOverLine {
    pub id: HandOverId,
    pub shift: Text,
    /// When the shift ends.
    pub ends: Timestamp,
    pub outgoing: Vec<Who>,
    pub incoming: Vec<Who>,
    pub state: HandOverState,
    pub given: Option<Timestamp>,
    /// When it was accepted, or needed nobody.
    pub closed: Option<Timestamp>,
    pub accepted_by: Option<Who>,
}

/// All of a hand-over.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HandOverView {
    #[serde(flatten)]
    pub line: HandOverLine,
    pub site: Text,
    /// Zone of the times that are written for people.
    pub zone: Zone,
    pub began: Timestamp,
    /// The shifts that take over.
    pub to: Vec<Text>,
    /// When somebody is told again; `null`: it is over, or an incident tells people.
    pub next: Option<Timestamp>,
    pub steps: Vec<HandOverStepLine>,
    /// What is handed over: as it stands now, or as it was accepted.
    pub draft: Draft,
    /// Names of the people in it.
    pub names: BTreeMap<PersonId, Text>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HandOverStepLine {
    pub at: Timestamp,
    /// Whose step it is; nightrun's where it is nobody's.
    pub by: Option<Who>,
    /// What the person said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
    pub step: HandOverDeed,
    /// Whom a step told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Who>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandOverDeed {
    Told,
    Noted,
    Given,
    Accepted,
    Same,
    Late,
}

impl HandOverDeed {
    pub fn of(step: &HandOverStep) -> Self {
        match step {
            HandOverStep::Told { .. } => Self::Told,
            HandOverStep::Noted => Self::Noted,
            HandOverStep::Given => Self::Given,
            HandOverStep::Accepted { .. } => Self::Accepted,
            HandOverStep::Same => Self::Same,
            HandOverStep::Late => Self::Late,
        }
    }
}

impl HandOverView {
    pub fn name(&self, who: &PersonId) -> Text {
        self.names.get(who).cloned().unwrap_or_else(|| Text::en(who.as_str()))
    }
}
