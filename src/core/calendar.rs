//! Business days (日历): which days are, and where the knowledge ends.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};

use crate::definition::site::Calendar;
use crate::types::CalendarName;

/// All calendars of a site, laid out once so that each question about a day costs next to nothing.
#[derive(Debug, Clone, Default)]
pub struct Calendars {}

/// What a calendar says about one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// `early_close` is a time UTC of that day; `name` is there for make-up working days and the like.
    Business { early_close: Option<Time>, name: Option<String> },
    /// `Saturday`, or the holiday's name.
    Off { reason: String },
    /// The calendar's data cover only `first` to `last`.
    Unknown { first: Date, last: Date },
}

/// A question about a day that the calendar has no data for. Nothing runs on a guess.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "calendar `{calendar}` has no data for {date}: it covers {first} to {last}; add the later dates to its file"
)]
pub struct BeyondData {
    pub calendar: CalendarName,
    pub date: Date,
    pub first: Date,
    pub last: Date,
}

impl Calendars {
    pub fn new(_calendars: &BTreeMap<CalendarName, Calendar>) -> Self {
        todo!()
    }

    pub fn day(&self, _name: &CalendarName, _date: Date) -> Day {
        todo!()
    }

    /// `n` business days from `date`.
    pub fn add(&self, _name: &CalendarName, _date: Date, _n: i32) -> Result<Date, BeyondData> {
        todo!()
    }

    /// First and last date that the calendar's data cover; `None` when they cover nothing.
    pub fn range(&self, _name: &CalendarName) -> Option<(Date, Date)> {
        todo!()
    }

    /// Days from `today` to the last one that the calendar knows, when they are 30 or fewer; negative once past.
    pub fn ends_soon(&self, _name: &CalendarName, _today: Date) -> Option<i32> {
        todo!()
    }
}
