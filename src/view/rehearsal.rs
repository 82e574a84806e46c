//! Nights as they would go: played with the real core, nothing started. `nightrun simulate`.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;

use super::incident::IncidentLine;
use super::job::{JobLine, StateWord};
use super::plan::BatchLeftOut;
use super::run::{DeadlineState, RunHead, Totals};
use crate::core::fact::{Deadline, RunResult};
use crate::types::{
    BatchId, BusinessDate, EventName, HostName, JobName, JobRef, RunId, Span, Text, WindowClass,
    Zone,
};

/// What is supposed of a night, names and times resolved.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "suppose")]
pub enum Supposed {
    /// A host goes with all that runs on it, and has started anew at `to`.
    HostDown {
        host: HostName,
        from: Timestamp,
        to: Timestamp,
    },
    Takes {
        jobs: Vec<JobRef>,
        takes: Length,
    },
    /// The first attempts, as many as it says; each where it says nothing.
    Fails {
        jobs: Vec<JobRef>,
        attempts: Option<u32>,
    },
    /// What a job waits for is there at the first such clock time at or after the start of its run.
    Arrives {
        jobs: Vec<JobRef>,
        at: Time,
    },
    /// People confirm so long after they are asked.
    ConfirmAfter {
        after: Span,
    },
    NobodyConfirms,
    /// Nothing starts, in the whole site.
    Frozen {
        from: Timestamp,
        to: Timestamp,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// So many times what it takes otherwise.
    Times(f64),
    Span(Span),
}

/// One night (or several nights on end), played once.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RehearsalView {
    /// Always true: nothing of this has happened.
    pub simulated: bool,
    pub site: Text,
    /// Of the page's clock times.
    pub zone: Zone,
    /// Civil dates on which the starts fall.
    pub from: Date,
    pub to: Date,
    pub what_if: Vec<Supposed>,
    /// In the order of their starts.
    pub runs: Vec<RehearsedRun>,
    pub left_out: Vec<LeftOutOn>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LeftOutOn {
    pub date: Date,
    #[serde(flatten)]
    pub batch: BatchLeftOut,
}

/// How a run stands at the end of its night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every critical job well, in time where there is a limit.
    InTime,
    Late,
    /// A critical job failed, is blocked or in doubt: it stands still until people decide.
    StandsStill,
    /// It still waits for something (a person, a window) when nothing happens any more.
    NeverEnds,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RehearsedRun {
    pub standing: Standing,
    pub head: RunHead,
    pub totals: Totals,
    pub deadline: DeadlineState,
    /// The same night without what is supposed; `None` where nothing is.
    pub without: Option<Without>,
    /// What each supposition did here, in their order; those that touched nothing are left out.
    pub effects: Vec<Effect>,
    /// The chain of jobs that the end waited for (or the first fault, where the run stands still).
    pub path: Vec<PathStep>,
    pub incidents: Vec<IncidentLine>,
    /// In the order of the file. `planned_start` and `planned_end` are those of the night without what is supposed.
    pub jobs: Vec<RehearsedJob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Without {
    pub standing: Standing,
    pub end: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Effect {
    /// Which of `what_if`, from 0.
    pub of: usize,
    /// Jobs that it hit.
    pub hit: Vec<JobName>,
    /// Those of them that did not end well.
    pub open: Vec<JobName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RehearsedJob {
    #[serde(flatten)]
    pub line: JobLine,
    pub takes_from: TakesFrom,
    /// How much later than without what is supposed, in seconds; negative is earlier. `None` where it did not begin (or
    /// end) in one of the two.
    pub start_shift: Option<i64>,
    pub end_shift: Option<i64>,
}

/// Where the time that a job takes comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum TakesFrom {
    /// Its last good attempts, so many.
    History { attempts: u32 },
    /// `expected:` of its file.
    Declared,
    /// Nothing is known: a second, or nothing for what only waits.
    Nothing,
    /// The command line.
    Given,
    /// A clock time or a person.
    NoAttempt,
}

/// A job that the end waited for.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PathStep {
    pub job: JobName,
    /// From when on only `waited_for` stood in its way.
    pub free: Timestamp,
    pub start: Timestamp,
    /// `None`: it does not come to an end.
    pub end: Option<Timestamp>,
    pub attempts: u32,
    pub state: StateWord,
    pub waited_for: Option<WaitedFor>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "for")]
pub enum WaitedFor {
    Host {
        host: HostName,
    },
    Window {
        class: WindowClass,
    },
    Frozen {
        reason: Text,
    },
    /// Units of something that `job` had.
    Room {
        of: String,
        job: JobName,
    },
    /// A job of another run.
    Across {
        job: JobRef,
        date: BusinessDate,
    },
    /// Its own clock time.
    Time,
    Event {
        event: EventName,
    },
    Person,
}

/// Many nights of the same dates, each with other times from history.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NightsView {
    pub simulated: bool,
    pub site: Text,
    pub zone: Zone,
    pub from: Date,
    pub to: Date,
    pub nights: u32,
    pub seed: u64,
    pub what_if: Vec<Supposed>,
    pub runs: Vec<NightsRun>,
    pub left_out: Vec<LeftOutOn>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NightsRun {
    pub batch: BatchId,
    pub title: Text,
    pub run: RunId,
    pub business_date: BusinessDate,
    pub at: Timestamp,
    pub zone: Zone,
    pub must_complete_by: Option<Timestamp>,
    pub ends: Ends,
    /// The same nights, drawn alike, without what is supposed.
    pub without: Option<Ends>,
    /// Deadlines of the run and its jobs that were missed in some night, most often first.
    pub deadlines: Vec<Chance>,
    /// Jobs that the end waited for, most often first.
    pub critical: Vec<Often>,
    pub jobs: Vec<NightsJob>,
}

/// How the nights of a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Ends {
    pub in_time: u32,
    pub late: u32,
    pub stands_still: u32,
    pub never_ends: u32,
    /// So many of 100 nights are done by then (nearest rank); `None`: fewer are done at all.
    pub p50: Option<Timestamp>,
    pub p90: Option<Timestamp>,
    pub p99: Option<Timestamp>,
    /// Of those that were done.
    pub worst: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Chance {
    /// `None`: of the run.
    pub job: Option<JobName>,
    pub deadline: Deadline,
    pub due: Timestamp,
    /// Nights in which it was missed.
    pub missed: u32,
    pub without: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Often {
    pub job: JobName,
    /// Nights in which the end waited for it.
    pub nights: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NightsJob {
    pub name: JobName,
    pub takes_from: TakesFrom,
}

impl Standing {
    pub fn of(head: &RunHead) -> Self {
        match (head.result, head.deadline()) {
            (Some(RunResult::Well), DeadlineState::Missed { .. }) => Self::Late,
            (Some(RunResult::Well), _) => Self::InTime,
            (None, _) => Self::NeverEnds,
            (Some(_), _) => Self::StandsStill,
        }
    }
}

impl RehearsedJob {
    /// Whether what is supposed moved it.
    pub fn moved(&self) -> bool {
        let line = &self.line;
        let (from, to) = (line.planned_start, line.planned_end);
        [self.start_shift, self.end_shift].into_iter().flatten().any(|shift| shift != 0)
            || (from.is_some() && self.start_shift.is_none())
            || (to.is_some() && self.end_shift.is_none())
    }
}
