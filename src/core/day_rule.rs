//! Day words: whether a date is among `last business day of month -1bd` and the like.

use jiff::civil::{Date, Weekday};

use super::calendar::{Calendars, Day, plus, weekday_name};
use crate::definition::site::{DayRule, Days, Period};
use crate::types::CalendarName;

/// Whether a date is one of a rule's days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Yes,
    No {
        reason: String,
    },
    /// The calendar does not know a day that the answer depends on: the rule is not met.
    Unknown {
        why: String,
    },
}

/// Why a rule that asks for business days cannot be answered without a calendar.
const NO_CALENDAR: &str = "business days are asked for, but no calendar is named: add `calendar:` to the rule, the batch or the site";

impl Calendars {
    /// Whether `date` is one of the rule's days; the rule's own calendar goes before the default one.
    pub fn takes_part(&self, rule: &DayRule, default: Option<&CalendarName>, date: Date) -> Part {
        let calendar = rule.calendar.as_ref().or(default);
        if rule.offset == 0 {
            return self.is_base(rule, calendar, date);
        }
        let Some(name) = calendar else { return Part::Unknown { why: NO_CALENDAR.to_owned() } };
        let origins = match self.origins(name, date, rule.offset) {
            Err(beyond) => return Part::Unknown { why: beyond.to_string() },
            Ok(None) => return Part::No { reason: self.off_reason(name, date) },
            Ok(Some(origins)) => origins,
        };
        let mut unknown = (!origins.complete).then(|| {
            let from_last = rule.offset < 0;
            let edge = if from_last { plus(origins.last, 1) } else { plus(origins.first, -1) };
            self.beyond(name, edge).to_string()
        });
        let mut day = origins.first;
        while day <= origins.last {
            match self.is_base(rule, calendar, day) {
                Part::Yes => return Part::Yes,
                Part::Unknown { why } => unknown = Some(why),
                Part::No { .. } => {}
            }
            day = plus(day, 1);
        }
        match unknown {
            Some(why) => Part::Unknown { why },
            None => Part::No { reason: format!("not {}", words(rule)) },
        }
    }

    /// The rule without its offset.
    fn is_base(&self, rule: &DayRule, calendar: Option<&CalendarName>, date: Date) -> Part {
        let yes = |is: bool| {
            if is { Part::Yes } else { Part::No { reason: format!("not {}", words(rule)) } }
        };
        match &rule.days {
            Days::EveryDay => Part::Yes,
            Days::Once(day) => yes(*day == date),
            Days::Weekdays(week) if week[monday_first(date.weekday())] => Part::Yes,
            Days::Weekdays(_) => Part::No { reason: weekday_name(date.weekday()).to_owned() },
            Days::EveryBusinessDay | Days::NthBusinessDay { .. } => {
                let Some(name) = calendar else {
                    return Part::Unknown { why: NO_CALENDAR.to_owned() };
                };
                match (self.is_business_day(name, date), &rule.days) {
                    (None, _) => Part::Unknown { why: self.beyond(name, date).to_string() },
                    (Some(false), _) => Part::No { reason: self.off_reason(name, date) },
                    (Some(true), Days::NthBusinessDay { nth, of }) => {
                        match self.is_nth(name, date, *nth, *of) {
                            Ok(is) => yes(is),
                            Err(why) => Part::Unknown { why },
                        }
                    }
                    (Some(true), _) => Part::Yes,
                }
            }
        }
    }

    /// Whether a business day is the nth of its period, as far as that can be known.
    fn is_nth(
        &self,
        name: &CalendarName,
        date: Date,
        nth: i32,
        of: Period,
    ) -> Result<bool, String> {
        let (first, last) = bounds(of, date);
        let (count, complete) =
            if nth > 0 { self.count(name, first, date) } else { self.count(name, date, last) };
        let wanted = nth.unsigned_abs() as usize;
        // What is not known can only add to the count.
        if complete || count > wanted {
            return Ok(count == wanted);
        }
        let edge = if nth > 0 { first } else { last };
        Err(self.beyond(name, edge).to_string())
    }

    fn off_reason(&self, name: &CalendarName, date: Date) -> String {
        match self.day(name, date) {
            Day::Off { reason } => reason,
            Day::Business { .. } | Day::Unknown { .. } => "not a business day".to_owned(),
        }
    }
}

/// Whether the rule's answers come from a calendar.
pub fn needs_calendar(rule: &DayRule) -> bool {
    rule.offset != 0 || matches!(rule.days, Days::EveryBusinessDay | Days::NthBusinessDay { .. })
}

/// First and last day of the week (Monday to Sunday), month, quarter or year that a date lies in.
fn bounds(of: Period, date: Date) -> (Date, Date) {
    let months = |from: i8, to: i8| {
        let first = Date::new(date.year(), from, 1).unwrap_or(date);
        (first, Date::new(date.year(), to, 1).unwrap_or(date).last_of_month())
    };
    match of {
        Period::Week => {
            let monday = plus(date, -i32::from(date.weekday().to_monday_zero_offset()));
            (monday, plus(monday, 6))
        }
        Period::Month => (date.first_of_month(), date.last_of_month()),
        Period::Quarter => {
            let first = (date.month() - 1) / 3 * 3 + 1;
            months(first, first + 2)
        }
        Period::Year => months(1, 12),
    }
}

/// The rule as a job file says it.
pub fn words(rule: &DayRule) -> String {
    let mut text = match &rule.days {
        Days::EveryDay => "every day".to_owned(),
        Days::EveryBusinessDay => "every business day".to_owned(),
        Days::Once(date) => date.to_string(),
        Days::Weekdays(week) => {
            let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let chosen = names.iter().zip(week).filter(|(_, on)| **on).map(|(name, _)| *name);
            chosen.collect::<Vec<_>>().join(",")
        }
        Days::NthBusinessDay { nth, of } => {
            let period = match of {
                Period::Week => "week",
                Period::Month => "month",
                Period::Quarter => "quarter",
                Period::Year => "year",
            };
            let which = match nth {
                1 => "first".to_owned(),
                -1 => "last".to_owned(),
                n if *n < 0 => format!("{} last", ordinal(n.unsigned_abs())),
                n => ordinal(n.unsigned_abs()),
            };
            format!("{which} business day of {period}")
        }
    };
    if rule.offset != 0 {
        text.push_str(&format!(" {:+}bd", rule.offset));
    }
    text
}

fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// The place of a weekday in a week that begins on Monday.
pub(super) fn monday_first(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::super::calendar::tests::{any_calendar, named, real};
    use super::*;

    fn rule(days: Days, offset: i32) -> DayRule {
        DayRule { days, offset, calendar: None }
    }

    fn nth(nth: i32, of: Period, offset: i32) -> DayRule {
        rule(Days::NthBusinessDay { nth, of }, offset)
    }

    /// The days of a rule between two dates.
    fn days_of(rule: &DayRule, calendar: &str, first: Date, last: Date) -> Vec<Date> {
        let calendars = real();
        let mut days = Vec::new();
        let mut day = first;
        while day <= last {
            if calendars.takes_part(rule, Some(&named(calendar)), day) == Part::Yes {
                days.push(day);
            }
            day = plus(day, 1);
        }
        days
    }

    #[test]
    fn business_days_of_a_period_are_counted_from_either_end() {
        let october = (date(2026, 10, 1), date(2026, 10, 31));
        let table = [
            ("target", nth(-1, Period::Month, 0), vec![date(2026, 10, 30)]),
            ("target", nth(1, Period::Month, 0), vec![date(2026, 10, 1)]),
            ("target", nth(-2, Period::Month, 0), vec![date(2026, 10, 29)]),
            ("target", nth(-1, Period::Month, -1), vec![date(2026, 10, 29)]),
            // The offset carries over the end of the month: October 1 is the day after September's last.
            ("target", nth(-1, Period::Month, 1), vec![date(2026, 10, 1)]),
            ("cn", nth(-1, Period::Month, 1), vec![date(2026, 10, 8)]),
            ("cn", nth(1, Period::Month, 0), vec![date(2026, 10, 8)]),
            ("cn", nth(1, Period::Quarter, 0), vec![date(2026, 10, 8)]),
            // The week of October 5 begins on Thursday the 8th and ends on the made-up Saturday.
            (
                "cn",
                nth(1, Period::Week, 0),
                vec![date(2026, 10, 8), date(2026, 10, 12), date(2026, 10, 19), date(2026, 10, 26)],
            ),
            (
                "cn",
                nth(-1, Period::Week, 0),
                vec![
                    date(2026, 10, 10),
                    date(2026, 10, 16),
                    date(2026, 10, 23),
                    date(2026, 10, 30),
                ],
            ),
            ("cn", nth(23, Period::Month, 0), vec![]),
        ];
        for (calendar, rule, expected) in table {
            let got = days_of(&rule, calendar, october.0, october.1);
            assert_eq!(got, expected, "{calendar}: {}", words(&rule));
        }
        let year =
            days_of(&nth(-1, Period::Year, 0), "target", date(2025, 1, 1), date(2026, 12, 31));
        assert_eq!(year, [date(2025, 12, 31), date(2026, 12, 31)]);
    }

    #[test]
    fn what_lies_beyond_the_data_is_unknown_and_only_that() {
        let calendars = real();
        let part = |rule: &DayRule, on| calendars.takes_part(rule, Some(&named("cn")), on);
        let unknown = |part: Part| matches!(part, Part::Unknown { .. });
        // The data begin on 2026-09-01, in the middle of the quarter and of the year.
        assert!(unknown(part(&nth(1, Period::Quarter, 0), date(2026, 9, 1))));
        assert!(matches!(part(&nth(1, Period::Quarter, 0), date(2026, 9, 2)), Part::No { .. }));
        assert!(unknown(part(&nth(30, Period::Year, 0), date(2026, 9, 3))));
        // And end on 2026-12-31, so December's last business day is known; that of the week is not.
        assert_eq!(part(&nth(-1, Period::Month, 0), date(2026, 12, 31)), Part::Yes);
        assert!(unknown(part(&nth(-1, Period::Week, 0), date(2026, 12, 31))));
        assert!(unknown(part(&nth(-1, Period::Month, -1), date(2027, 1, 1))));
        assert!(unknown(part(&rule(Days::EveryBusinessDay, 0), date(2027, 1, 1))));
        assert_eq!(part(&rule(Days::EveryDay, 0), date(2027, 1, 1)), Part::Yes);
        let lost = calendars.takes_part(&rule(Days::EveryBusinessDay, 0), None, date(2026, 10, 9));
        assert!(matches!(lost, Part::Unknown { why } if why.contains("no calendar is named")));
    }

    #[test]
    fn a_no_says_why() {
        let calendars = real();
        let no = |rule: &DayRule, on| match calendars.takes_part(rule, Some(&named("cn")), on) {
            Part::No { reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(no(&rule(Days::EveryBusinessDay, 0), date(2026, 10, 5)), "National Day");
        assert_eq!(no(&rule(Days::EveryBusinessDay, 0), date(2026, 10, 18)), "Sunday");
        assert_eq!(
            no(&nth(-1, Period::Month, 0), date(2026, 10, 29)),
            "not last business day of month"
        );
        assert_eq!(
            no(&nth(3, Period::Week, -1), date(2026, 10, 29)),
            "not 3rd business day of week -1bd"
        );
        let week = [true, false, false, true, false, false, false];
        assert_eq!(no(&rule(Days::Weekdays(week), 0), date(2026, 10, 30)), "Friday");
        assert_eq!(words(&rule(Days::Weekdays(week), 0)), "mon,thu");
    }

    proptest! {
        /// An offset moves each day of the rule as `add` does: the definition, walked from the other side.
        #[test]
        fn an_offset_moves_every_day(
            calendar in any_calendar(),
            week in prop::array::uniform7(any::<bool>()),
            kind in 0..3,
            n in prop::sample::select(vec![-3, -2, -1, 1, 2, 3]),
            offset in -4_i32..5,
        ) {
            let calendars = Calendars::new(&BTreeMap::from([(named("c"), calendar)]));
            let days = match kind {
                0 => Days::Weekdays(week),
                1 => Days::EveryBusinessDay,
                _ => Days::NthBusinessDay { nth: n, of: Period::Month },
            };
            let name = named("c");
            let plain = rule(days.clone(), 0);
            let span = || (-40..440).map(|at| plus(date(2026, 1, 1), at));
            let moved: Vec<Date> = span()
                .filter(|day| calendars.takes_part(&plain, Some(&name), *day) == Part::Yes)
                .filter_map(|day| calendars.add(&name, day, offset).ok())
                .collect();
            for day in span() {
                match calendars.takes_part(&rule(days.clone(), offset), Some(&name), day) {
                    Part::Yes => prop_assert!(moved.contains(&day), "{day}"),
                    Part::No { .. } => prop_assert!(!moved.contains(&day), "{day}"),
                    Part::Unknown { .. } => {}
                }
            }
        }
    }
}
