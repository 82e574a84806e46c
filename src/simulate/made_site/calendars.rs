//! Calendars: listed ones with holidays and make-up days, derived ones, and one whose data end with the night.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, time};

use super::BadSite;
use crate::definition::site::{
    Calendar, CalendarRule, DayRule, Days, Exception, ExceptionKind, Period,
};
use crate::simulate::dice::Dice;
use crate::types::{CalendarName, InvalidName, Text};

/// All that a made-up site has.
const NAMES: [&str; 6] = ["bank", "trade", "short", "joint", "either", "after"];

const MONDAY_TO_FRIDAY: [bool; 7] = [true, true, true, true, true, false, false];

/// The calendar of the site and of its batches; it knows all days around.
pub(super) fn bank() -> Result<CalendarName, InvalidName> {
    CalendarName::new("bank")
}

pub(super) fn all(
    dice: &mut Dice,
    date: Date,
) -> Result<BTreeMap<CalendarName, Calendar>, BadSite> {
    let (first, last) = (date.checked_sub(400.days())?, date.checked_add(400.days())?);
    let listed = |dice: &mut Dice, last: Date| {
        let exceptions = exceptions(dice, date)?;
        let rule = CalendarRule::Listed { weekly: MONDAY_TO_FRIDAY, exceptions };
        Ok::<_, BadSite>(Calendar { title: Text::en("Listed"), first, last, rule })
    };
    let derived = |rule| Calendar { title: Text::en("Derived"), first, last, rule };
    let both = || Ok::<_, InvalidName>(vec![bank()?, CalendarName::new("trade")?]);
    let ends = date.checked_add(i64::try_from(dice.of(0..3)).unwrap_or(0).days())?;
    let calendars = [
        listed(dice, last)?,
        listed(dice, last)?,
        listed(dice, ends)?,
        derived(CalendarRule::AllOf(both()?)),
        derived(CalendarRule::AnyOf(both()?)),
        derived(CalendarRule::Shift { of: bank()?, days: 1 }),
    ];
    NAMES
        .into_iter()
        .zip(calendars)
        .map(|(name, calendar)| Ok((CalendarName::new(name)?, calendar)))
        .collect()
}

/// Some days around the night are not what the week says.
fn exceptions(dice: &mut Dice, date: Date) -> Result<BTreeMap<Date, Exception>, BadSite> {
    let mut exceptions = BTreeMap::new();
    for days in -8_i64..9 {
        let kind = match dice.of(0..12) {
            0 | 1 => ExceptionKind::Holiday,
            2 => ExceptionKind::Workday,
            3 => ExceptionKind::EarlyClose { at: time(17, 0, 0, 0) },
            _ => continue,
        };
        exceptions.insert(date.checked_add(days.days())?, Exception { kind, name: "Day".into() });
    }
    Ok(exceptions)
}

/// Any calendar, the one that ends included.
fn any(dice: &mut Dice) -> Result<CalendarName, InvalidName> {
    CalendarName::new(NAMES[dice.of(0..NAMES.len() as u64) as usize])
}

/// Days on which a job may take part; mostly, but not always, the night's own date is one.
pub(super) fn day_rule(dice: &mut Dice, date: Date) -> Result<DayRule, BadSite> {
    let plain = |days| DayRule { days, offset: 0, calendar: None };
    Ok(match dice.of(0..12) {
        0 => plain(Days::Once(date)),
        1 => plain(Days::Once(date.checked_add(30.days())?)),
        2 | 3 => {
            let mut week = [false; 7].map(|_| dice.percent(70));
            week[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] |=
                dice.percent(50);
            week[2] |= !week.contains(&true);
            plain(Days::Weekdays(week))
        }
        4 => plain(Days::EveryDay),
        5..=8 => DayRule {
            days: Days::EveryBusinessDay,
            offset: dice.of(0..3) as i32 - 1,
            calendar: Some(any(dice)?),
        },
        _ => {
            let periods = [Period::Week, Period::Month, Period::Quarter, Period::Year];
            let of = periods[dice.of(0..4) as usize];
            let nth = [-2, -1, -1, -1, 1, 1, 2, 3][dice.of(0..8) as usize];
            let offset = if dice.percent(70) { 0 } else { dice.of(0..3) as i32 - 1 };
            let days = Days::NthBusinessDay { nth, of };
            DayRule { days, offset, calendar: Some(any(dice)?) }
        }
    })
}
