//! What is said of starts of schedules: taken over, late, not made.

use serde::{Deserialize, Serialize};

use crate::definition::site::Schedule;
use crate::types::{CalendarName, RunId, Span};

/// All that says when a batch starts, as it was when its starts were taken over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenSchedule {
    pub schedule: Schedule,
    /// Whose business days its words count.
    pub calendar: Option<CalendarName>,
}

/// Why a start of a schedule was made later than meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LateWhy {
    /// No supervisor was there.
    NobodyServed,
    /// The store did not take what was decided, or did not say what it holds.
    Store,
    /// The run's copy could not be laid out.
    Copy,
    /// The clock of the host was set forward over it, or the host slept.
    Clock,
    /// Other work came first.
    Work,
}

/// Why a start of a schedule was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum MissedWhy {
    /// `missed: none`.
    NotMadeUp,
    /// `missed: latest`, and there was a later one.
    OnlyLatest,
    /// Missed by more than `missed_limit`.
    TooLate { limit: Span },
    /// The schedule was changed, or taken away, before anybody made it.
    ScheduleChanged,
    /// A run of that business date was ordered before.
    OrderedBefore { run: RunId },
    /// A rule said no.
    Refused { what: String },
    /// This supervisor only observes.
    Observed,
    /// It may have been made: what the store knew of it was lost, and an older copy restored.
    StoreRestored,
}
