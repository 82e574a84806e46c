//! What operators may do to a run, and what of it waits for a second person.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::change::Wish;
use super::fact::Deadline;
use super::order::Order;
use crate::types::{ChangeId, FreezeId, JobName, RunId, ShiftName};

/// What an operator may do to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    /// The job is not started until it is released.
    Hold {
        job: JobName,
    },
    Release {
        job: JobName,
    },
    /// Left out; its successors go on.
    Skip {
        job: JobName,
    },
    /// Declared done.
    Force {
        job: JobName,
    },
    /// One more attempt, now.
    Retry {
        job: JobName,
    },
    Kill {
        job: JobName,
    },
    /// The yes that a `confirm` job waits for.
    Confirm {
        job: JobName,
    },
    Note {
        job: Option<JobName>,
        text: String,
    },
    /// These jobs once more, in the same run.
    Rerun {
        jobs: Vec<JobName>,
    },
    /// It is started before, or after, others that wait for the same place.
    Priority {
        job: JobName,
        priority: i32,
    },
    /// Another clock time for a deadline of the run, or of a job of it.
    Deadline {
        job: Option<JobName>,
        deadline: Deadline,
        /// What it was; found when it is decided.
        from: Option<Time>,
        to: Time,
    },
    /// The run is given up: nothing starts any more, what runs is ended.
    Cancel,
    /// The person on shift lets the changes of the run start.
    /// `shifts`: which that person has at this time.
    ReleaseChanges {
        shifts: Vec<ShiftName>,
    },
    /// A second person watches the changes of the run.
    WatchChanges,
    /// Somebody has read the report of the run and answers for it (N6).
    /// `shifts`: which that person has at this time.
    Sign {
        shifts: Vec<ShiftName>,
    },
}

impl Action {
    /// The one job that it is about.
    pub fn job(&self) -> Option<&JobName> {
        match self {
            Self::Hold { job }
            | Self::Release { job }
            | Self::Skip { job }
            | Self::Force { job }
            | Self::Retry { job }
            | Self::Kill { job }
            | Self::Confirm { job }
            | Self::Priority { job, .. } => Some(job),
            Self::Note { job, .. } | Self::Deadline { job, .. } => job.as_ref(),
            Self::Rerun { .. }
            | Self::Cancel
            | Self::ReleaseChanges { .. }
            | Self::WatchChanges
            | Self::Sign { .. } => None,
        }
    }
}

/// An order with the yes of a second person, to be given by the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    pub order: Order,
    pub until: Timestamp,
}

/// What waits for a second person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "propose")]
pub enum Proposed {
    Acts {
        run: RunId,
        actions: Vec<Action>,
    },
    Unfreeze {
        freeze: FreezeId,
    },
    /// An order that overrides the window.
    Order {
        order: Box<Order>,
    },
    /// What became of a change in doubt.
    Change {
        change: ChangeId,
        wish: Box<Wish>,
    },
}
