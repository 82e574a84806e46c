//! Business days (日历): which days are, and where the knowledge ends.
//!
//! Each calendar is laid out once as a set of bits with counts, so that a question about a day, or about the hundredth
//! business day from it, costs next to nothing. Outside of its data a calendar knows nothing, and nothing runs on a guess.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};

use super::day_set::DaySet;
use crate::definition::site::{Calendar, CalendarRule, Exception, ExceptionKind};
use crate::types::CalendarName;

/// Days before the end of a calendar's data from which it is spoken of.
pub const WARN_DAYS: i32 = 30;

/// All calendars of a site.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    tables: BTreeMap<CalendarName, Arc<Table>>,
}

/// What a calendar says about one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// `early_close` is a time UTC of that day; `name` is there for make-up working days and the like.
    Business { early_close: Option<Time>, name: Option<String> },
    /// `Saturday`, or the holiday's name.
    Off { reason: String },
    /// The calendar's data cover only `first` to `last` (nothing when `first` is after `last`).
    Unknown { first: Date, last: Date },
}

/// A question about a day that the calendar has no data for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar `{calendar}` has no data for {date} ({}): bring its file up to date", covers(*.first, *.last))]
pub struct BeyondData {
    pub calendar: CalendarName,
    /// The day that would have had to be known.
    pub date: Date,
    pub first: Date,
    pub last: Date,
}

/// One calendar, laid out.
#[derive(Debug, Clone)]
struct Table {
    business: DaySet,
    notes: Notes,
}

#[derive(Debug, Clone)]
enum Notes {
    Kept(HashMap<Date, Note>),
    /// Days off are those of another calendar, so many days later. Put into words when somebody asks: there are
    /// hundreds in a year, and few are ever asked for.
    Shifted {
        of: Arc<Table>,
        by: i32,
    },
}

/// What is known of a day besides whether it is a business day.
#[derive(Debug, Clone, Default)]
struct Note {
    /// Name of the holiday, of the make-up working day, …
    name: Option<String>,
    early_close: Option<Time>,
}

/// The dates from which a number of business days leads to one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origins {
    pub first: Date,
    pub last: Date,
    /// False: beyond the calendar's data there may be more.
    pub complete: bool,
}

impl Calendars {
    /// A derived calendar knows the days that all its operands know. One that names an unknown calendar, or itself in
    /// the end, knows none (the loader refuses both).
    pub fn new(calendars: &BTreeMap<CalendarName, Calendar>) -> Self {
        let mut laid_out = Self::default();
        for name in calendars.keys() {
            laid_out.lay_out(name, calendars, &mut Vec::new());
        }
        laid_out
    }

    fn lay_out<'a>(
        &mut self,
        name: &'a CalendarName,
        calendars: &'a BTreeMap<CalendarName, Calendar>,
        within: &mut Vec<&'a CalendarName>,
    ) {
        if self.tables.contains_key(name) || within.contains(&name) {
            return;
        }
        let Some(calendar) = calendars.get(name) else { return };
        within.push(name);
        let operands = match &calendar.rule {
            CalendarRule::Listed { .. } => [].as_slice(),
            CalendarRule::AllOf(names) | CalendarRule::AnyOf(names) => names.as_slice(),
            CalendarRule::Shift { of, .. } => std::slice::from_ref(of),
        };
        for operand in operands {
            self.lay_out(operand, calendars, within);
        }
        let known: Option<Vec<(&CalendarName, &Arc<Table>)>> =
            operands.iter().map(|name| self.tables.get_key_value(name)).collect();
        let table = match (&calendar.rule, known) {
            (CalendarRule::Listed { weekly, exceptions }, _) => {
                Table::listed(calendar.first, calendar.last, weekly, exceptions)
            }
            (CalendarRule::AllOf(_), Some(known)) => Table::all_of(&known),
            (CalendarRule::AnyOf(_), Some(known)) => Table::any_of(&known),
            (CalendarRule::Shift { days, .. }, Some(known)) => match known.first() {
                Some((_, of)) => Table::shifted(of, *days),
                None => Table::empty(),
            },
            (_, None) => Table::empty(),
        };
        within.pop();
        self.tables.insert(name.clone(), Arc::new(table));
    }

    pub fn day(&self, name: &CalendarName, date: Date) -> Day {
        match self.tables.get(name) {
            Some(table) => table.day(date),
            None => Day::Unknown { first: Date::MAX, last: Date::MIN },
        }
    }

    /// [`day`](Self::day) in one word: `None` where the calendar does not know.
    pub fn is_business_day(&self, name: &CalendarName, date: Date) -> Option<bool> {
        self.tables.get(name)?.business.has(date)
    }

    /// `n` business days from `date`: `+1` is the next business day after it, `-1` the one before it, `0` the date
    /// itself, business day or not.
    pub fn add(&self, name: &CalendarName, date: Date, n: i32) -> Result<Date, BeyondData> {
        if n == 0 {
            return Ok(date);
        }
        let towards = if n > 0 { 1 } else { -1 };
        let Some(table) = self.tables.get(name) else { return Err(self.beyond(name, date)) };
        let days = &table.business;
        let steps = n.unsigned_abs() as usize;
        let neighbour = plus(date, towards);
        if days.has(neighbour).is_none() {
            return Err(self.beyond(name, neighbour));
        }
        let found = if n > 0 {
            days.nth(days.before(neighbour) + steps - 1)
        } else {
            days.before(date).checked_sub(steps).and_then(|at| days.nth(at))
        };
        let edge = if n > 0 { plus(days.last(), 1) } else { plus(days.first(), -1) };
        found.ok_or_else(|| self.beyond(name, edge))
    }

    /// First and last date that the calendar's data cover; `None` when they cover nothing.
    pub fn range(&self, name: &CalendarName) -> Option<(Date, Date)> {
        let days = &self.tables.get(name)?.business;
        (days.first() <= days.last()).then(|| (days.first(), days.last()))
    }

    /// Days from `today` to the last one that the calendar knows, when they are 30 or fewer; negative once past.
    pub fn ends_soon(&self, name: &CalendarName, today: Date) -> Option<i32> {
        let last = self.tables.get(name)?.business.last();
        let left = days_between(today, last);
        (left <= WARN_DAYS).then_some(left)
    }

    /// Business days from `first` to `last`, both included, as far as they are known; and whether all of them are.
    pub(super) fn count(&self, name: &CalendarName, first: Date, last: Date) -> (usize, bool) {
        let Some(table) = self.tables.get(name) else { return (0, false) };
        let days = &table.business;
        let count = days.before(plus(last, 1)) - days.before(first);
        (count, days.has(first).is_some() && days.has(last).is_some())
    }

    /// Every date from which [`add`](Self::add) of `n` leads to `date`; `None` when no date does.
    pub(super) fn origins(
        &self,
        name: &CalendarName,
        date: Date,
        n: i32,
    ) -> Result<Option<Origins>, BeyondData> {
        if n == 0 {
            return Ok(Some(Origins { first: date, last: date, complete: true }));
        }
        let Some(table) = self.tables.get(name) else { return Err(self.beyond(name, date)) };
        let days = &table.business;
        match days.has(date) {
            None => return Err(self.beyond(name, date)),
            Some(false) => return Ok(None),
            Some(true) => {}
        }
        let at = days.before(date);
        let steps = n.unsigned_abs() as usize;
        // Between two neighbouring business days every date leads to the same one, the nearer of the two included.
        let (near, far) = if n > 0 {
            let near = (at + 1).checked_sub(steps).and_then(|i| days.nth(i));
            (near, at.checked_sub(steps).and_then(|i| days.nth(i)))
        } else {
            (days.nth(at + steps - 1), days.nth(at + steps))
        };
        let edge = if n > 0 { plus(days.first(), -1) } else { plus(days.last(), 1) };
        let near = near.ok_or_else(|| self.beyond(name, edge))?;
        let (complete, far) = (far.is_some(), far.unwrap_or(edge));
        Ok(Some(if n > 0 {
            Origins { first: far, last: plus(near, -1), complete }
        } else {
            Origins { first: plus(near, 1), last: far, complete }
        }))
    }

    pub(super) fn beyond(&self, name: &CalendarName, date: Date) -> BeyondData {
        let (first, last) = self.tables.get(name).map_or((Date::MAX, Date::MIN), |table| {
            (table.business.first(), table.business.last())
        });
        BeyondData { calendar: name.clone(), date, first, last }
    }
}

impl Table {
    fn empty() -> Self {
        Self {
            business: DaySet::new(Date::MAX, Date::MIN, |_| false),
            notes: Notes::Kept(HashMap::new()),
        }
    }

    fn listed(
        first: Date,
        last: Date,
        weekly: &[bool; 7],
        exceptions: &BTreeMap<Date, Exception>,
    ) -> Self {
        let business = DaySet::new(first, last, |date| match exceptions.get(&date) {
            Some(exception) => exception.kind != ExceptionKind::Holiday,
            None => weekly[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())],
        });
        let notes = exceptions
            .iter()
            .map(|(date, exception)| {
                let early_close = match exception.kind {
                    ExceptionKind::EarlyClose { at } => Some(at),
                    ExceptionKind::Holiday | ExceptionKind::Workday => None,
                };
                let name = (!exception.name.is_empty()).then(|| exception.name.clone());
                (*date, Note { name, early_close })
            })
            .collect();
        Self { business, notes: Notes::Kept(notes) }
    }

    fn all_of(operands: &[(&CalendarName, &Arc<Self>)]) -> Self {
        let business = Self::common(operands, |date| {
            operands.iter().all(|(_, table)| table.business.has(date) == Some(true))
        });
        let notes = Self::noted(
            operands,
            |date, open| Note {
                // Who is closed is worth knowing where several calendars must be open.
                name: operands
                    .iter()
                    .filter(|(_, table)| table.business.has(date) == Some(open))
                    .find_map(|(name, table)| Some((name, table.name(date)?)))
                    .map(|(name, text)| if open { text } else { format!("{text} ({name})") }),
                early_close: operands.iter().filter_map(|(_, table)| table.early_close(date)).min(),
            },
            &business,
        );
        Self { business, notes }
    }

    fn any_of(operands: &[(&CalendarName, &Arc<Self>)]) -> Self {
        let business = Self::common(operands, |date| {
            operands.iter().any(|(_, table)| table.business.has(date) == Some(true))
        });
        let notes = Self::noted(
            operands,
            |date, open| {
                let alike = || {
                    operands
                        .iter()
                        .filter(|(_, table)| table.business.has(date) == Some(open))
                        .map(|(_, table)| table)
                };
                // Early only if everyone who is open closes early; then with the last of them.
                let closes: Option<Vec<Time>> =
                    alike().map(|table| table.early_close(date)).collect();
                Note {
                    name: alike().find_map(|table| table.name(date)),
                    early_close: closes.and_then(|times| times.into_iter().max()),
                }
            },
            &business,
        );
        Self { business, notes }
    }

    fn common(operands: &[(&CalendarName, &Arc<Self>)], open: impl Fn(Date) -> bool) -> DaySet {
        let firsts = operands.iter().map(|(_, table)| table.business.first());
        let lasts = operands.iter().map(|(_, table)| table.business.last());
        DaySet::new(firsts.max().unwrap_or(Date::MAX), lasts.min().unwrap_or(Date::MIN), open)
    }

    fn noted(
        operands: &[(&CalendarName, &Arc<Self>)],
        note: impl Fn(Date, bool) -> Note,
        business: &DaySet,
    ) -> Notes {
        let notes = operands
            .iter()
            .flat_map(|(_, table)| table.noted_days())
            .filter_map(|date| Some((date, note(date, business.has(date)?))))
            .collect();
        Notes::Kept(notes)
    }

    fn shifted(of: &Arc<Self>, by: i32) -> Self {
        let old = &of.business;
        let (first, last) = if old.first() > old.last() {
            (old.first(), old.last())
        } else {
            (plus(old.first(), by), plus(old.last(), by))
        };
        let business = DaySet::new(first, last, |date| old.has(plus(date, -by)) == Some(true));
        Self { business, notes: Notes::Shifted { of: Arc::clone(of), by } }
    }

    fn name(&self, date: Date) -> Option<String> {
        match &self.notes {
            Notes::Kept(notes) => notes.get(&date)?.name.clone(),
            Notes::Shifted { of, by } if self.business.has(date) == Some(false) => {
                let (days, side) = (by.unsigned_abs(), if *by < 0 { "before" } else { "after" });
                let unit = if days == 1 { "day" } else { "days" };
                let origin = of.off_reason(plus(date, -by));
                Some(format!("{days} {unit} {side} {origin}"))
            }
            Notes::Shifted { .. } => None,
        }
    }

    fn early_close(&self, date: Date) -> Option<Time> {
        match &self.notes {
            Notes::Kept(notes) => notes.get(&date)?.early_close,
            Notes::Shifted { .. } => None,
        }
    }

    /// Days of which something is known besides.
    fn noted_days(&self) -> Vec<Date> {
        match &self.notes {
            Notes::Kept(notes) => notes.keys().copied().collect(),
            Notes::Shifted { .. } => {
                let off = |date: &Date| self.business.has(*date) == Some(false);
                self.business.dates().filter(off).collect()
            }
        }
    }

    fn off_reason(&self, date: Date) -> String {
        self.name(date).unwrap_or_else(|| weekday_name(date.weekday()).to_owned())
    }

    fn day(&self, date: Date) -> Day {
        match self.business.has(date) {
            None => Day::Unknown { first: self.business.first(), last: self.business.last() },
            Some(false) => Day::Off { reason: self.off_reason(date) },
            Some(true) => {
                Day::Business { early_close: self.early_close(date), name: self.name(date) }
            }
        }
    }
}

fn covers(first: Date, last: Date) -> String {
    if first > last {
        "it covers no day".to_owned()
    } else {
        format!("it covers {first} to {last}")
    }
}

pub(super) fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// Whole days later; at the ends of time, the end.
pub(super) fn plus(date: Date, days: i32) -> Date {
    date.saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
}

pub(super) fn days_between(from: Date, to: Date) -> i32 {
    // Some 7.3 million days at the most.
    i32::try_from(from.duration_until(to).as_hours() / 24).unwrap_or(i32::MAX)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
pub(super) mod tests;
