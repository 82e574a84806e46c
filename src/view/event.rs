//! One line an event: what a run without a terminal prints, and what `--format json` streams.

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use super::incident::StepLine;
use super::job::LeftOut;
use super::report::Act;
use crate::core::fact::{Deadline, RunResult, StopHow};
use crate::core::incident::Fault;
use crate::types::{
    BusinessDate, Ending, EventName, IncidentId, JobName, Outcome, RunId, Span, Text,
};

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct EventLine {
    /// Wall time of the run's clock.
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    RunOpened {
        run: RunId,
        business_date: BusinessDate,
        jobs: u32,
        trial: bool,
    },
    RunResumed {
        run: RunId,
        running: u32,
    },
    RunReopened {
        run: RunId,
    },
    RunEnded {
        run: RunId,
        result: RunResult,
        took: Span,
        exit_code: u8,
    },
    /// No new starts.
    Stopping {
        how: StopHow,
        running: u32,
    },
    /// `examine`: the attempt only looks at what became of the one before it.
    Started {
        job: JobName,
        attempt: u32,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        examine: bool,
    },
    Ended {
        job: JobName,
        attempt: u32,
        ending: Ending,
        good: bool,
        took: Option<Span>,
    },
    RetryPlanned {
        job: JobName,
        attempt: u32,
        wait: Span,
        /// The run is being stopped: the attempt waits until it is resumed.
        stopping: bool,
    },
    /// Came to an end for the run without an attempt of its own, or after its last.
    Settled {
        job: JobName,
        outcome: Outcome,
        left_out: Option<LeftOut>,
        blocked_by: Vec<JobName>,
    },
    Reopened {
        job: JobName,
    },
    InDoubt {
        job: JobName,
        why: String,
    },
    DeadlineMissed {
        job: Option<JobName>,
        deadline: Deadline,
        due: Timestamp,
    },
    IncidentOpened {
        incident: IncidentId,
        /// `None`: it is about the run, or about no run at all.
        #[serde(skip_serializing_if = "Option::is_none")]
        job: Option<JobName>,
        fault: Fault,
        blocks: u32,
        told: Vec<Who>,
    },
    /// Somebody, or nightrun, has done something about an incident.
    IncidentMoved {
        incident: IncidentId,
        step: Box<StepLine>,
    },
    IncidentClosed {
        incident: IncidentId,
        #[serde(skip_serializing_if = "Option::is_none")]
        job: Option<JobName>,
    },
    Acted {
        by: Who,
        act: Act,
        reason: String,
    },
    WaitsForPerson {
        job: JobName,
        question: Text,
    },
    WaitsForEvent {
        job: JobName,
        awaited: EventName,
    },
}
