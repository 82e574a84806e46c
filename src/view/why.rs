//! Why a job did not start (yet), as data. `render::why` makes one sentence of each.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Who;
use super::job::StateWord;
use crate::core::change::Missing;
use crate::core::refused::Rule;
use crate::definition::site::DayRule;
use crate::types::{
    BatchId, BusinessDate, CalendarName, Condition, EventName, HostName, JobName, JobRef, Label,
    Outcome, PoolName, Role, RunId, Span, Text, WindowClass, Zone,
};

/// The answer of `nightrun why JOB --date D`.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct WhyView {
    pub job: JobRef,
    pub title: Text,
    pub business_date: BusinessDate,
    /// `None`: no run of that date is known.
    pub run: Option<RunId>,
    pub now: Timestamp,
    pub zone: Zone,
    /// All that holds at the same time, the most decisive first. Empty only where nothing is in the way.
    pub reasons: Vec<Reason>,
}

/// One thing that stands between a job and its start, or that says that it is past it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Reason {
    /// Predecessors of the same run are not where they must be.
    WaitsFor {
        jobs: Vec<Awaited>,
    },
    NotItsDay(NotItsDay),
    /// `--only` or `--from` left it out of this run.
    NotAsked,
    /// A predecessor came out otherwise than this job needs (`job:failed` of a job that went well).
    NeedNotMet {
        job: String,
        when: Condition,
        outcome: Outcome,
    },
    Held {
        by: Who,
        reason: String,
    },
    Window {
        class: WindowClass,
        title: Text,
        why: WindowWhy,
        next: Option<Timestamp>,
    },
    Frozen {
        reason: Text,
        until: Timestamp,
        /// Who has ordered it, where it is not declared.
        by: Option<Who>,
    },
    /// Not enough units of a pool are free; a mutex is a pool of one.
    Pool {
        pool: PoolName,
        size: u32,
        in_use_by: Vec<JobRef>,
    },
    /// As many attempts run on the host as it may run.
    HostFull {
        host: HostName,
        max_running: u32,
    },
    /// No link to the host's agent.
    HostAway {
        host: HostName,
        why: String,
    },
    /// The host takes no new attempts.
    HostDraining {
        host: HostName,
        by: Who,
        reason: String,
    },
    /// None of several hosts takes it.
    NoHost {
        label: Option<Label>,
        hosts: Vec<ShutHost>,
    },
    /// The next try waits.
    RetryAt {
        attempt: u32,
        at: Timestamp,
    },
    /// The supervisor is being stopped: no new starts.
    Stopping,
    /// `wait: until`.
    WaitsUntil {
        at: Timestamp,
    },
    /// `wait: event`; until then, where it has a limit.
    WaitsForEvent {
        event: EventName,
        until: Option<Timestamp>,
    },
    /// A change that people owe something.
    NotCleared {
        rule: Rule,
        missing: Missing,
    },
    WaitsForPerson {
        question: Text,
        role: Option<Role>,
    },
    /// Jobs that it needs failed, and stay so until a person acts.
    Blocked {
        by: Vec<JobName>,
    },
    Done {
        outcome: Outcome,
        at: Timestamp,
    },
    /// The id is durable, its host has not answered yet.
    Starting {
        attempt: u32,
        host: HostName,
    },
    Running {
        attempt: u32,
        since: Timestamp,
        expected_end: Option<Timestamp>,
    },
    /// What became of it cannot be known; people decide.
    Unknown {
        why: String,
    },
    /// The calendar has no data for a date that the answer needs: nothing runs.
    CalendarUnknown {
        calendar: CalendarName,
        date: Date,
        last: Date,
    },
    /// A job of another batch or date.
    Across {
        job: JobRef,
        date: BusinessDate,
        outcome: Option<Outcome>,
        when: Condition,
    },
    /// The batch itself has not begun; `next` is its next scheduled start.
    BatchNotStarted {
        batch: BatchId,
        next: Option<Timestamp>,
    },
    /// The schedule's start of the date has passed, and nobody made it.
    BatchPast {
        batch: BatchId,
        date: BusinessDate,
    },
    /// Ready: it is started in the next turn.
    Ready,
}

/// A predecessor that is waited for.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Awaited {
    pub job: JobName,
    pub state: StateWord,
    pub when: Condition,
    /// When it is expected to be over.
    pub expected_end: Option<Timestamp>,
}

/// Its calendar leaves the business date out.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NotItsDay {
    pub date: Date,
    /// The days on which it takes part; said in words where known, else `reason` is shown.
    pub rule: Option<DayRule>,
    pub reason: String,
}

/// Why a window lets nothing begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum WindowWhy {
    Closed,
    /// Open, but expected time, verification and rollback do not fit before it closes.
    DoesNotFit {
        needs: Span,
        closes: Timestamp,
    },
    /// A calendar of the window has no data for the day.
    CalendarUnknown {
        last: Date,
    },
}

/// A host that does not take a job, and why.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ShutHost {
    pub host: HostName,
    #[serde(flatten)]
    pub why: ShutWhy,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum ShutWhy {
    /// No link to its agent.
    Away,
    Draining,
    /// As many attempts run there as may.
    Full,
    /// Not enough units of a pool of its own are free.
    Pool {
        pool: PoolName,
    },
    /// A freeze names it.
    Frozen,
}
