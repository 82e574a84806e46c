//! When batches start: cron expressions and calendar words, through daylight saving, and what became of missed starts.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::calendar::{BeyondData, Calendars};
use crate::definition::site::{Batch, BusinessDateRule, Missed, Schedule};
use crate::types::{BusinessDate, CalendarName};

/// One scheduled start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub at: Timestamp,
    /// What the clock of the schedule's zone shows at that instant.
    pub civil: DateTime,
    pub note: Option<DaylightNote>,
}

/// What daylight saving did to a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaylightNote {
    /// The meant time does not exist that day; the start was moved behind the gap.
    Gap { meant: DateTime },
    /// The time comes twice; this is the first.
    FoldFirst,
    /// The time comes twice; this is the second.
    FoldSecond,
}

/// A day on which the schedule's words would start something, and nothing starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub date: Date,
    pub reason: LeftOutReason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOutReason {
    /// `Saturday`, or the holiday's name.
    NotABusinessDay(String),
    /// The clock skips that time of that day.
    Gap { meant: DateTime },
    /// The calendar's data do not reach so far; or the expression cannot be read.
    Unknown(String),
}

/// Starts in order, and the days left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timetable {
    /// Strictly increasing.
    pub starts: Vec<Start>,
    pub left_out: Vec<LeftOut>,
}

/// Why a start has no business date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBusinessDate {
    #[error(
        "the business date is counted in business days, but the batch names no calendar: add `calendar:` to the batch or the site"
    )]
    NoCalendar,
    #[error(transparent)]
    Beyond(#[from] BeyondData),
}

/// What becomes of missed starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatchUp {
    pub run: Vec<Start>,
    /// With the reason in words.
    pub dropped: Vec<(Start, String)>,
}

impl Start {
    /// The civil date that the schedule meant, whatever the clock did.
    pub fn date(&self) -> Date {
        todo!()
    }
}

/// Every start after `from` and not after `to`, and the days left out.
pub fn timetable(
    _schedule: &Schedule,
    _calendars: &Calendars,
    _default: Option<&CalendarName>,
    _from: Timestamp,
    _to: Timestamp,
) -> Timetable {
    todo!()
}

/// [`timetable`] without the days left out.
pub fn starts(
    schedule: &Schedule,
    calendars: &Calendars,
    default: Option<&CalendarName>,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Start> {
    timetable(schedule, calendars, default, from, to).starts
}

/// The first start after an instant; `None` when there is none within the calendars' data.
pub fn next(
    _schedule: &Schedule,
    _calendars: &Calendars,
    _default: Option<&CalendarName>,
    _after: Timestamp,
) -> Option<Start> {
    todo!()
}

/// The business date of a start on a civil date.
pub fn business_date(
    _rule: &BusinessDateRule,
    _calendar: Option<&CalendarName>,
    _start: Date,
    _calendars: &Calendars,
) -> Result<BusinessDate, NoBusinessDate> {
    todo!()
}

/// The starts whose business date is the given one, in order.
pub fn starts_of_business_date(
    _batch: &Batch,
    _calendars: &Calendars,
    _date: BusinessDate,
) -> Vec<Start> {
    todo!()
}

/// Which of the starts that nobody was there to make are made now. `starts` are in order.
pub fn missed(_policy: &Missed, _starts: Vec<Start>, _now: Timestamp) -> CatchUp {
    todo!()
}
