//! Calendars and day rules by counting one day after the other.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::definition::site::{Calendar, CalendarRule, DayRule, Days, ExceptionKind, Period};
use crate::types::CalendarName;

/// The calendars of one site, with the one of rules that name none.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownDays<'a> {
    pub(super) calendars: &'a BTreeMap<CalendarName, Calendar>,
    pub(super) default: Option<&'a CalendarName>,
}

/// Further than any row of days off in a made-up calendar.
const FAR: i64 = 25;

fn plus(date: Date, days: i64) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

impl KnownDays<'_> {
    /// Whether the date is one of the rule's days; `None` where a calendar would have to know more.
    pub(super) fn is_one(&self, rule: &DayRule, date: Date) -> Option<bool> {
        let calendar = rule.calendar.as_ref().or(self.default);
        if rule.offset == 0 {
            return self.is_base(rule, calendar, date);
        }
        if !self.business(calendar?, date)? {
            return Some(false);
        }
        // The days from which the offset leads here lie together, on the other side of it.
        let away = -i64::from(rule.offset.signum());
        for steps in 1..=FAR {
            let day = plus(date, away * steps)?;
            match self.moved(calendar?, day, rule.offset) {
                Some(there) if there == date => match self.is_base(rule, calendar, day) {
                    Some(false) => {}
                    other => return other,
                },
                Some(there) if (there > date) == (away > 0) => return Some(false),
                Some(_) => {}
                None => return None,
            }
        }
        Some(false)
    }

    fn is_base(&self, rule: &DayRule, calendar: Option<&CalendarName>, date: Date) -> Option<bool> {
        match &rule.days {
            Days::EveryDay => Some(true),
            Days::Once(day) => Some(*day == date),
            Days::Weekdays(week) => Some(week[date.weekday().to_monday_zero_offset() as usize]),
            Days::EveryBusinessDay => self.business(calendar?, date),
            Days::NthBusinessDay { nth, of } => {
                if !self.business(calendar?, date)? {
                    return Some(false);
                }
                self.is_nth(calendar?, date, *nth, *of)
            }
        }
    }

    /// Walks from the date to the beginning (or the end) of its period.
    fn is_nth(&self, calendar: &CalendarName, date: Date, nth: i32, of: Period) -> Option<bool> {
        let step = if nth > 0 { -1 } else { 1 };
        let wanted = nth.abs();
        let (mut day, mut count) = (date, 0);
        while same_period(of, day, date) {
            match self.business(calendar, day) {
                Some(true) => count += 1,
                Some(false) => {}
                // What is not known can only add to what was counted.
                None if count > wanted => return Some(false),
                None => return None,
            }
            day = plus(day, step)?;
        }
        Some(count == wanted)
    }

    /// So many business days on.
    fn moved(&self, calendar: &CalendarName, from: Date, by: i32) -> Option<Date> {
        let (mut day, mut left) = (from, by.abs());
        while left > 0 {
            day = plus(day, i64::from(by.signum()))?;
            left -= i32::from(self.business(calendar, day)?);
        }
        Some(day)
    }

    fn business(&self, calendar: &CalendarName, date: Date) -> Option<bool> {
        let calendar = self.calendars.get(calendar)?;
        match &calendar.rule {
            CalendarRule::Listed { weekly, exceptions } => {
                if date < calendar.first || calendar.last < date {
                    return None;
                }
                let usual = weekly[date.weekday().to_monday_zero_offset() as usize];
                Some(match exceptions.get(&date).map(|exception| exception.kind) {
                    None => usual,
                    Some(ExceptionKind::Holiday) => false,
                    Some(ExceptionKind::Workday | ExceptionKind::EarlyClose { .. }) => true,
                })
            }
            // It knows the days that all its operands know.
            CalendarRule::AllOf(names) => {
                let each: Option<Vec<bool>> =
                    names.iter().map(|name| self.business(name, date)).collect();
                each.map(|each| each.into_iter().all(|is| is))
            }
            CalendarRule::AnyOf(names) => {
                let each: Option<Vec<bool>> =
                    names.iter().map(|name| self.business(name, date)).collect();
                each.map(|each| each.into_iter().any(|is| is))
            }
            CalendarRule::Shift { of, days } => self.business(of, plus(date, -i64::from(*days))?),
        }
    }
}

fn same_period(of: Period, one: Date, other: Date) -> bool {
    match of {
        Period::Week => {
            let (one, other) = (one.iso_week_date(), other.iso_week_date());
            (one.year(), one.week()) == (other.year(), other.week())
        }
        Period::Month => (one.year(), one.month()) == (other.year(), other.month()),
        Period::Quarter => {
            (one.year(), (one.month() - 1) / 3) == (other.year(), (other.month() - 1) / 3)
        }
        Period::Year => one.year() == other.year(),
    }
}
