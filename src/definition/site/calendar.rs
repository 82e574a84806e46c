//! Days: calendars, and rules over them.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::types::{CalendarName, Text};

/// Which days are business days (日历), and between which dates it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    pub title: Text,
    /// First and last date that its data cover. Outside of it no day is a business day and none is not.
    pub first: Date,
    pub last: Date,
    pub rule: CalendarRule,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarRule {
    /// A weekly rule (Monday first) and the dates that differ from it.
    Listed { weekly: [bool; 7], exceptions: BTreeMap<Date, Exception> },
    /// A business day in all of them.
    AllOf(Vec<CalendarName>),
    /// A business day in at least one of them.
    AnyOf(Vec<CalendarName>),
    /// The days of another calendar, moved by whole days (`+1`: the day after each of its business days).
    Shift { of: CalendarName, days: i32 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    pub kind: ExceptionKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    Holiday,
    /// A make-up working day (调休).
    Workday,
    /// A business day that ends early, at this time UTC.
    EarlyClose {
        at: Time,
    },
}

/// Days in words: `every business day`, `last business day of month -1bd`, `mon-fri`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DayRule {
    pub days: Days,
    /// Business days added to each day that `days` gives.
    pub offset: i32,
    /// Whose business days; the batch's where the file says nothing. `None` only where no calendar is needed.
    pub calendar: Option<CalendarName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Days {
    EveryDay,
    /// Days of the week, Monday first, business days or not.
    Weekdays([bool; 7]),
    EveryBusinessDay,
    /// The nth business day of the period from its start (1, 2, …) or from its end (-1, -2, …).
    NthBusinessDay {
        nth: i32,
        of: Period,
    },
    Once(Date),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    Week,
    Month,
    Quarter,
    Year,
}
