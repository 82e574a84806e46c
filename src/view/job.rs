//! One job of a run, as every page and report shows it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Who;
use super::why::{NotItsDay, Reason};
use crate::core::fact::Deadline;
use crate::types::{Condition, Ending, EventName, HostName, JobName, Outcome, Span, Text};
use crate::wire::Checked;

/// One job of a run (作业).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct JobLine {
    pub name: JobName,
    pub title: Text,
    pub state: JobState,
    pub critical: bool,
    pub on_critical_path: bool,
    /// As forecast when the run was opened.
    pub planned_start: Option<Timestamp>,
    pub planned_end: Option<Timestamp>,
    /// From history where there is one, else as declared.
    pub expected: Option<Span>,
    /// Start of the first attempt that began.
    pub started: Option<Timestamp>,
    /// End of the last attempt, or when a person or a rule settled it. `None` while it may still go on.
    pub ended: Option<Timestamp>,
    /// While it waits or runs: as the forecast of now has it.
    pub expected_start: Option<Timestamp>,
    pub expected_end: Option<Timestamp>,
    pub attempts: Vec<AttemptLine>,
    /// It failed because its event has not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_event: Option<NoEvent>,
    /// Its last good or bad attempt took longer than usual.
    pub ran_long: Option<RanLong>,
    /// Deadlines of its own that it missed.
    pub late: Vec<Late>,
    /// Of an inspection: what its last attempt that has told of them found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Checked>,
    /// Last lines of output of the last failed attempt, in reports and mails; elsewhere, and where none failed, empty.
    pub tail: Vec<String>,
    /// Jobs that cannot go on because of it, in the order of the file.
    pub blocks: Vec<JobName>,
    /// What operators do when it fails, from its file.
    pub runbook: Option<Text>,
}

/// An event that has not come within the limit of the job that waited for it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NoEvent {
    pub awaited: EventName,
    pub limit: Span,
}

/// Where a job stands, with the reason as data.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum JobState {
    Waiting {
        reasons: Vec<Reason>,
    },
    /// The intent is durable, its host has not answered yet.
    Starting,
    Running,
    Held {
        by: Who,
        reason: String,
    },
    RetryWait {
        at: Timestamp,
    },
    Succeeded,
    Failed,
    Skipped {
        by: Who,
        reason: String,
    },
    NotScheduled {
        why: LeftOut,
    },
    Forced {
        by: Who,
        reason: String,
    },
    Blocked {
        by: Vec<JobName>,
    },
    /// Its run was given up before it had started.
    Cancelled {
        by: Who,
        reason: String,
    },
    Unknown {
        why: String,
    },
}

/// The state without its reason: what a column or a colour shows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StateWord {
    Waiting,
    Starting,
    Running,
    Held,
    RetryWait,
    Succeeded,
    Failed,
    Skipped,
    NotScheduled,
    Forced,
    Blocked,
    Cancelled,
    Unknown,
}

/// Why a job takes no part in a run.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum LeftOut {
    NotItsDay(NotItsDay),
    /// `--only` or `--from` left it out.
    NotAsked,
    /// A predecessor came out otherwise than it needs (`job:failed` of a job that went well).
    Need {
        job: String,
        when: Condition,
        outcome: Outcome,
    },
}

/// One attempt of a job.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AttemptLine {
    pub number: u32,
    /// Where it was given to.
    pub host: HostName,
    /// `None`: no program was started.
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// `None` while it runs.
    pub ending: Option<Ending>,
    /// Whether the job's success rule takes the ending; false while it runs.
    pub good: bool,
    /// What an operator should know of it: survivors killed, a log cut by its own job.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RanLong {
    pub actual: Span,
    /// 95 of 100 earlier attempts took no longer.
    pub usual_p95: Span,
}

/// A deadline of a job that was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Late {
    pub deadline: Deadline,
    pub due: Timestamp,
}

impl StateWord {
    /// How soon somebody should see a job that stands so: the lower, the sooner.
    pub(super) fn urgency(self, critical: bool) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Failed if critical => 0,
            Self::Failed => 1,
            Self::Blocked => 2,
            Self::RetryWait | Self::Held => 3,
            Self::Running | Self::Starting => 4,
            Self::Waiting => 5,
            Self::Forced | Self::Skipped | Self::Cancelled => 6,
            Self::Succeeded => 7,
            Self::NotScheduled => 8,
        }
    }

    /// Its work is there, done or declared so, or is not wanted.
    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Succeeded | Self::Forced | Self::Skipped)
    }
}

impl JobState {
    pub fn word(&self) -> StateWord {
        match self {
            Self::Waiting { .. } => StateWord::Waiting,
            Self::Starting => StateWord::Starting,
            Self::Running => StateWord::Running,
            Self::Held { .. } => StateWord::Held,
            Self::RetryWait { .. } => StateWord::RetryWait,
            Self::Succeeded => StateWord::Succeeded,
            Self::Failed => StateWord::Failed,
            Self::Skipped { .. } => StateWord::Skipped,
            Self::NotScheduled { .. } => StateWord::NotScheduled,
            Self::Forced { .. } => StateWord::Forced,
            Self::Blocked { .. } => StateWord::Blocked,
            Self::Cancelled { .. } => StateWord::Cancelled,
            Self::Unknown { .. } => StateWord::Unknown,
        }
    }
}

impl JobLine {
    /// The latest attempt that did not end well.
    pub fn last_failed(&self) -> Option<&AttemptLine> {
        self.attempts.iter().rev().find(|attempt| attempt.ending.is_some() && !attempt.good)
    }

    /// From its first start to its end.
    pub(super) fn took(&self) -> Option<SignedDuration> {
        Some(self.ended?.duration_since(self.started?))
    }

    /// How much a reader of a large night wants to see it: the lower, the more.
    pub(super) fn weight(&self) -> u8 {
        let odd = self.attempts.len() > 1 || !self.late.is_empty() || self.ran_long.is_some();
        match self.state.word() {
            StateWord::Unknown => 0,
            StateWord::Failed if self.critical => 0,
            StateWord::Failed => 1,
            StateWord::Blocked => 2,
            StateWord::Held
            | StateWord::RetryWait
            | StateWord::Running
            | StateWord::Starting
            | StateWord::Waiting => 3,
            StateWord::Forced | StateWord::Skipped | StateWord::Cancelled => 4,
            StateWord::Succeeded if odd => 5,
            StateWord::Succeeded if self.on_critical_path => 6,
            StateWord::Succeeded => 7,
            StateWord::NotScheduled => 8,
        }
    }
}
