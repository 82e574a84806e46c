//! What would come of an operator's action: nothing of it has happened.

use jiff::Timestamp;
use serde::Serialize;

use super::event::EventLine;
use super::run::RunHead;
use crate::core::received::JobOfRun;
use crate::core::refused::Rule;
use crate::types::{JobName, RunId};

/// The answer of `--dry-run`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Tried {
    /// What would be recorded, one line a fact, with the head of the run that it is of.
    pub events: Vec<(RunHead, EventLine)>,
    /// Entries about the whole site by their names in the journal, such as `frozen` or `second-asked`.
    pub site_wide: Vec<String>,
    /// Jobs that would start at once.
    pub starts: Vec<(RunId, JobName)>,
    /// Of what was asked for, what a rule forbids.
    pub left: Vec<NotAllowed>,
    /// How runs would end, where that is another time than now, or no time.
    pub ends: Vec<NewEnd>,
}

/// What was done of what was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Done {
    /// In words.
    pub done: String,
    /// The run that it was done to.
    pub run: Option<RunId>,
    /// What a rule forbids of it.
    pub left: Vec<NotDone>,
}

/// What an event did when it came.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct EventTaken {
    /// In words.
    pub done: String,
    /// Runs that it has opened.
    pub runs: Vec<RunId>,
    /// Jobs that waited for it.
    pub jobs: Vec<JobOfRun>,
    /// Its key was known: nothing was done this time.
    pub again: bool,
}

/// An action that was not carried out, though others of the same request were.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NotDone {
    pub job: Option<JobName>,
    pub what: String,
    pub rule: Option<Rule>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NotAllowed {
    pub what: String,
    pub rule: Option<Rule>,
}

/// When a run ends well as things stand, and when it would.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NewEnd {
    pub head: RunHead,
    pub now: Option<Timestamp>,
    pub then: Option<Timestamp>,
}
