//! When batches start, and which business date a start is for.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::calendar::DayRule;
use crate::types::{Span, Zone};

/// When a batch starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub rule: ScheduleRule,
    pub zone: Zone,
    pub gap: GapPolicy,
    pub fold: FoldPolicy,
    pub missed: Missed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleRule {
    /// A cron expression of five fields (minute, hour, day, month, weekday by name), as the file has it.
    Cron(String),
    /// Calendar words with the times of those days.
    Days { on: DayRule, at: Vec<Time> },
}

/// A start that falls into the hour that daylight saving leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapPolicy {
    /// As much later as the clock jumps: 02:30 starts at 03:30.
    #[default]
    Shift,
    /// Not that day; `plan` says so.
    Skip,
}

/// A start that falls into the hour that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldPolicy {
    #[default]
    First,
    Second,
    Both,
}

/// What becomes of starts that nobody was there to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    None,
    /// Only the latest, if it is not older than the limit.
    Latest {
        limit: Span,
    },
    /// Each in order, those not older than the limit.
    All {
        limit: Span,
    },
}

/// From the scheduled start to the business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BusinessDateRule {
    /// Business days from the start's civil date: 0 is the date itself, -1 the business day before it.
    pub offset: i32,
}
