//! What would run and when: `nightrun plan`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use super::job::LeftOut;
use super::list::ListView;
use super::why::NotItsDay;
use crate::types::{
    BatchId, BusinessDate, CalendarName, EventName, JobName, JobRef, PoolName, Role, Span, Text,
    WindowClass, Zone,
};

/// Some dates of a site, planned.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlanView {
    pub site: Text,
    /// Of the page's clock times.
    pub zone: Zone,
    /// One entry a date, without gaps.
    pub days: Vec<PlanDay>,
    /// Calendars that end before, within or up to 30 days after the dates.
    pub calendar_ends: Vec<CalendarEnd>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlanDay {
    /// The civil date on which the starts fall.
    pub date: Date,
    pub starts: Vec<PlanStart>,
    pub left_out: Vec<BatchLeftOut>,
}

/// One start of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlanStart {
    pub batch: BatchId,
    pub title: Text,
    pub at: Timestamp,
    pub business_date: BusinessDate,
    pub notes: Vec<StartNote>,
    pub must_start_by: Option<Timestamp>,
    pub must_complete_by: Option<Timestamp>,
    /// When the last job is expected to be over; `None` where a gate never opens or durations are not known.
    pub expected_end: Option<Timestamp>,
    /// In the order of their planned starts; those that never start last.
    pub jobs: Vec<PlanJob>,
    pub left_out: Vec<JobLeftOut>,
    /// What would be on its list, as changes stand now; `None`: it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Box<ListView>>,
}

/// What daylight saving does to a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "note")]
pub enum StartNote {
    /// The wished time does not exist that day; it starts as much later as the clock jumps.
    GapShifted { wished: DateTime },
    /// The time comes twice; this is the first or the second.
    Fold { second: bool },
    /// Starts nobody was there to make: caught up.
    CaughtUp { scheduled: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PlanJob {
    pub name: JobName,
    pub title: Text,
    pub critical: bool,
    pub on_critical_path: bool,
    /// `None`: it would never start; its gates say why.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub expected: Option<Span>,
    /// What else than its predecessors decides its start.
    pub gates: Vec<Gate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "gate")]
pub enum Gate {
    /// Waits for a window to open, or starts within it.
    Window {
        class: WindowClass,
        opens: Timestamp,
        closes: Timestamp,
    },
    /// No opening is left, or none is long enough.
    WindowNever {
        class: WindowClass,
    },
    Frozen {
        reason: Text,
        until: Timestamp,
    },
    WaitsUntil {
        at: Timestamp,
    },
    WaitsForFile {
        path: String,
        limit: Span,
    },
    WaitsForSql {
        limit: Span,
    },
    WaitsForEvent {
        event: EventName,
        limit: Option<Span>,
    },
    WaitsForPerson {
        question: Text,
        role: Option<Role>,
    },
    Pool {
        pool: PoolName,
        units: u32,
    },
    /// A job of another batch or date; `counts_as_done` before that batch's `since:`.
    Across {
        job: JobRef,
        date: BusinessDate,
        counts_as_done: bool,
    },
    /// It would end after its deadline.
    MissesDeadline {
        due: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct JobLeftOut {
    pub name: JobName,
    pub title: Text,
    pub why: LeftOut,
}

/// A batch that does not start on a date.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BatchLeftOut {
    pub batch: BatchId,
    pub title: Text,
    pub why: BatchLeftOutWhy,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum BatchLeftOutWhy {
    /// No business day: the holiday's name where the calendar has one.
    NoBusinessDay {
        calendar: CalendarName,
        name: Option<String>,
    },
    NotItsDay(NotItsDay),
    /// Fails closed: nothing runs where the calendar has no data.
    CalendarUnknown {
        calendar: CalendarName,
        last: Date,
    },
    /// The time does not exist that day and the file says `gap: skip`.
    GapSkipped {
        wished: DateTime,
    },
    /// It has no schedule: started by order only.
    NoSchedule,
}

/// A calendar whose data end soon or have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CalendarEnd {
    pub calendar: CalendarName,
    pub title: Text,
    pub last: Date,
    /// Whole days from today's date to `last`; negative when it has passed.
    pub days_left: i32,
}
