//! What would come of an operator's action: nothing of it has happened.

use jiff::Timestamp;
use serde::Serialize;

use super::event::EventLine;
use super::run::RunHead;
use super::status::StatusView;
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
    /// Of orders: runs that would be opened, or go on, as they would then stand.
    pub runs: Vec<TriedRun>,
    /// How runs would end, where that is another time than now, or no time.
    pub ends: Vec<NewEnd>,
}

/// A run that an order would open or set going.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TriedRun {
    pub way: Way,
    /// That the run goes by, as people read it: twelve digits, and `+` where the files differ from it. `None`: its files
    /// lie in no git repository.
    pub commit: Option<String>,
    /// The run right after that, each job with what it waits for first.
    pub status: StatusView,
}

/// What an order does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It is a new one.
    Opened,
    /// It was interrupted.
    GoesOn,
    /// It is over, and jobs of it run again.
    Again,
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
