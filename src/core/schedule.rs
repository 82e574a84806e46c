//! When batches start: cron expressions and calendar words, through daylight saving, and what became of missed starts.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{BeyondData, Calendars, plus};
use super::cron_time::CivilCron;
use super::day_rule::Part;
use super::fact::MissedWhy;
use crate::definition::site::{
    Batch, BusinessDateRule, DayRule, Days, FoldPolicy, GapPolicy, Missed, Schedule, ScheduleRule,
};
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
    pub dropped: Vec<(Start, MissedWhy)>,
}

impl Start {
    /// The civil date that the schedule meant, whatever the clock did.
    pub fn date(&self) -> Date {
        match self.note {
            Some(DaylightNote::Gap { meant }) => meant.date(),
            _ => self.civil.date(),
        }
    }
}

impl std::fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotABusinessDay(why) | Self::Unknown(why) => f.write_str(why),
            Self::Gap { meant } => {
                write!(f, "the clock skips {} that day", meant.time().strftime("%H:%M"))
            }
        }
    }
}

/// Every start after `from` and not after `to`, and the days left out.
pub fn timetable(
    schedule: &Schedule,
    calendars: &Calendars,
    default: Option<&CalendarName>,
    from: Timestamp,
    to: Timestamp,
) -> Timetable {
    match Recurrence::of(schedule, calendars, default) {
        Ok(recurrence) => recurrence.between(from, to),
        Err(why) => {
            let date = schedule.zone.tz().to_datetime(from).date();
            let left_out = vec![LeftOut { date, reason: LeftOutReason::Unknown(why) }];
            Timetable { starts: Vec::new(), left_out }
        }
    }
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

/// The first start after an instant; `None` when there is none within the calendars' data and the next eight years
/// (29 February, at the turn of a century).
pub fn next(
    schedule: &Schedule,
    calendars: &Calendars,
    default: Option<&CalendarName>,
    after: Timestamp,
) -> Option<Start> {
    let recurrence = Recurrence::of(schedule, calendars, default).ok()?;
    let years = match &schedule.rule {
        ScheduleRule::Days { on: DayRule { days: Days::Once(date), .. }, .. } => {
            let wait = schedule.zone.tz().to_datetime(after).date().duration_until(*date);
            wait.as_hours().max(0) / (24 * 365) + 8
        }
        _ => 8,
    };
    let mut from = after;
    for days in [1, 7, 30].into_iter().chain((0..years).map(|_| 366)) {
        let to = later(from, SignedDuration::from_hours(days * 24));
        let found = recurrence.between(from, to).starts.into_iter().next();
        if found.is_some() || to == Timestamp::MAX {
            return found;
        }
        from = to;
    }
    None
}

/// The business date of a start on a civil date (see [`Start::date`]).
pub fn business_date(
    rule: &BusinessDateRule,
    calendar: Option<&CalendarName>,
    start: Date,
    calendars: &Calendars,
) -> Result<BusinessDate, NoBusinessDate> {
    if rule.offset == 0 {
        return Ok(BusinessDate(start));
    }
    let calendar = calendar.ok_or(NoBusinessDate::NoCalendar)?;
    Ok(BusinessDate(calendars.add(calendar, start, rule.offset)?))
}

/// The starts whose business date is the given one, in order; none where no calendar knows.
pub fn starts_of_business_date(
    batch: &Batch,
    calendars: &Calendars,
    date: BusinessDate,
) -> Vec<Start> {
    let (Some(schedule), calendar) = (&batch.schedule, batch.calendar.as_ref()) else {
        return Vec::new();
    };
    let offset = batch.business_date.offset;
    let (first, last) = match calendar {
        _ if offset == 0 => (date.0, date.0),
        None => return Vec::new(),
        Some(name) => match calendars.origins(name, date.0, offset) {
            Ok(Some(origins)) => (origins.first, origins.last),
            Ok(None) | Err(_) => return Vec::new(),
        },
    };
    let midnight = |date: Date| instant(schedule, date.to_datetime(Time::midnight()));
    let from = midnight(plus(first, -1));
    let mut found = starts(schedule, calendars, calendar, from, midnight(plus(last, 3)));
    found.retain(|start| {
        business_date(&batch.business_date, calendar, start.date(), calendars) == Ok(date)
    });
    found
}

/// Which of the starts that nobody was there to make are made now. `starts` are in order.
pub fn missed(policy: &Missed, starts: Vec<Start>, now: Timestamp) -> CatchUp {
    let mut made = CatchUp::default();
    let last = starts.len().saturating_sub(1);
    for (place, start) in starts.into_iter().enumerate() {
        let limit = match policy {
            Missed::None => {
                made.dropped.push((start, MissedWhy::NotMadeUp));
                continue;
            }
            Missed::Latest { .. } if place != last => {
                made.dropped.push((start, MissedWhy::OnlyLatest));
                continue;
            }
            Missed::Latest { limit } | Missed::All { limit } => limit,
        };
        let late = now.duration_since(start.at);
        if late > SignedDuration::try_from(limit.get()).unwrap_or(SignedDuration::MAX) {
            made.dropped.push((start, MissedWhy::TooLate { limit: *limit }));
        } else {
            made.run.push(start);
        }
    }
    made
}

/// A schedule's days and times, read.
struct Recurrence<'a> {
    schedule: &'a Schedule,
    calendars: &'a Calendars,
    default: Option<&'a CalendarName>,
    days: RecurrenceDays<'a>,
}

enum RecurrenceDays<'a> {
    Cron(CivilCron),
    Rule { on: &'a DayRule, at: &'a [Time] },
}

impl<'a> Recurrence<'a> {
    fn of(
        schedule: &'a Schedule,
        calendars: &'a Calendars,
        default: Option<&'a CalendarName>,
    ) -> Result<Self, String> {
        let days = match &schedule.rule {
            ScheduleRule::Cron(text) => {
                RecurrenceDays::Cron(text.parse::<CivilCron>().map_err(|error| error.to_string())?)
            }
            ScheduleRule::Days { on, at } => RecurrenceDays::Rule { on, at },
        };
        Ok(Self { schedule, calendars, default, days })
    }

    fn between(&self, from: Timestamp, to: Timestamp) -> Timetable {
        let tz = self.schedule.zone.tz();
        let mut found = Timetable::default();
        // The day before, because a gap may move a start into the next day.
        let mut date = plus(tz.to_datetime(from).date(), -1);
        let last = tz.to_datetime(to).date();
        while date <= last {
            self.on(date, from, to, &mut found);
            let Ok(tomorrow) = date.tomorrow() else { break };
            date = tomorrow;
        }
        // A start that was moved behind a gap may meet one that is meant to be there; that one stays.
        found.starts.sort_by_key(|start| (start.at, start.note.is_some()));
        found.starts.dedup_by_key(|start| start.at);
        found
    }

    fn on(&self, date: Date, from: Timestamp, to: Timestamp, found: &mut Timetable) {
        let (times, left_out) = match &self.days {
            RecurrenceDays::Cron(cron) if cron.fires_on(date) => (cron.times(), None),
            RecurrenceDays::Cron(_) => return,
            RecurrenceDays::Rule { on, at } => {
                match self.calendars.takes_part(on, self.default, date) {
                    Part::Yes => (*at, None),
                    Part::Unknown { why } => (*at, Some(LeftOutReason::Unknown(why))),
                    // Other words leave most days out by their meaning; nobody wants those listed.
                    Part::No { reason } if on.days == Days::EveryBusinessDay => {
                        (*at, Some(LeftOutReason::NotABusinessDay(reason)))
                    }
                    Part::No { .. } => return,
                }
            }
        };
        let asked = |at: Timestamp| at > from && at <= to;
        if let Some(reason) = left_out {
            if times.iter().any(|time| asked(instant(self.schedule, date.to_datetime(*time)))) {
                found.left_out.push(LeftOut { date, reason });
            }
            return;
        }
        for time in times {
            self.at(date.to_datetime(*time), asked, found);
        }
    }

    /// The starts that a civil time stands for: none, one or two.
    fn at(&self, meant: DateTime, asked: impl Fn(Timestamp) -> bool, found: &mut Timetable) {
        let elapsed = matches!(&self.days, RecurrenceDays::Cron(cron) if cron.every_hour());
        let tz = self.schedule.zone.tz();
        let mut start = |offset: jiff::tz::Offset, note| {
            if let Ok(at) = offset.to_timestamp(meant)
                && asked(at)
            {
                found.starts.push(Start { at, civil: tz.to_datetime(at), note });
            }
        };
        match tz.to_ambiguous_timestamp(meant).offset() {
            AmbiguousOffset::Unambiguous { offset } => start(offset, None),
            AmbiguousOffset::Fold { before, after } => {
                let fold = self.schedule.fold;
                if elapsed || fold != FoldPolicy::Second {
                    start(before, Some(DaylightNote::FoldFirst));
                }
                if elapsed || fold != FoldPolicy::First {
                    start(after, Some(DaylightNote::FoldSecond));
                }
            }
            // By elapsed time there is nothing between the last minute before the gap and the first one after it.
            AmbiguousOffset::Gap { .. } if elapsed => {}
            AmbiguousOffset::Gap { before, .. } => match self.schedule.gap {
                GapPolicy::Shift => start(before, Some(DaylightNote::Gap { meant })),
                GapPolicy::Skip => {
                    if before.to_timestamp(meant).is_ok_and(asked) {
                        let reason = LeftOutReason::Gap { meant };
                        found.left_out.push(LeftOut { date: meant.date(), reason });
                    }
                }
            },
        }
    }
}

/// The instant of a civil time in the schedule's zone: moved behind a gap, the first of two.
fn instant(schedule: &Schedule, civil: DateTime) -> Timestamp {
    let ambiguous = schedule.zone.tz().to_ambiguous_timestamp(civil);
    ambiguous.compatible().unwrap_or(Timestamp::MAX)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
