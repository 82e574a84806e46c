//! Cron expressions over civil time.
//!
//! The `cron` crate reads the expression and never sees a zone: with one it loses the night in which the clock jumps
//! and fires twice, out of order, in the hour that comes twice. What daylight saving does to a civil time is decided
//! in [`schedule`](super::schedule), the same way for every kind of schedule.

use std::str::FromStr;

use cron::TimeUnitSpec;
use jiff::civil::{Date, Time};

use super::day_rule::monday_first;

/// A cron expression of five fields: minute, hour, day of month, month, weekday by name. Day and weekday both given:
/// both must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CivilCron {
    /// By number; place 0 is empty.
    months: [bool; 13],
    /// By day of month; place 0 is empty.
    days: [bool; 32],
    /// Monday first.
    weekdays: [bool; 7],
    times: Vec<Time>,
    every_hour: bool,
}

/// Why a text is not such an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCron {
    #[error(
        "`{0}` has {1} fields: write five (minute hour day month weekday), such as `30 21 * * MON-FRI`"
    )]
    Fields(String, usize),
    #[error(
        "`{0}` has a weekday by number, which means another day in every program: write names, such as `MON-FRI`"
    )]
    WeekdayNumber(String),
    #[error(
        "`{0}` cannot be read as a cron expression: write five fields (minute hour day month weekday), such as `30 21 * * MON-FRI`; ranges must rise"
    )]
    Unreadable(String),
}

impl CivilCron {
    /// Whether it starts something on that date.
    pub fn fires_on(&self, date: Date) -> bool {
        let place = |n: i8| usize::from(n.unsigned_abs());
        self.months[place(date.month())]
            && self.days[place(date.day())]
            && self.weekdays[monday_first(date.weekday())]
    }

    /// The times of each of its days, in order.
    pub fn times(&self) -> &[Time] {
        &self.times
    }

    /// Whether the hour field takes every hour: such a schedule counts elapsed time and knows no daylight saving.
    pub fn every_hour(&self) -> bool {
        self.every_hour
    }
}

impl FromStr for CivilCron {
    type Err = BadCron;

    fn from_str(text: &str) -> Result<Self, BadCron> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[_, _, _, _, weekday] = fields.as_slice() else {
            return Err(BadCron::Fields(text.to_owned(), fields.len()));
        };
        // A step may be a number (`*/2`); a day may not.
        let days = weekday.split(',').map(|part| part.split('/').next().unwrap_or(part));
        if days.flat_map(str::bytes).any(|b| b.is_ascii_digit()) {
            return Err(BadCron::WeekdayNumber(text.to_owned()));
        }
        let unreadable = |_| BadCron::Unreadable(text.to_owned());
        let read =
            cron::Schedule::from_str(&format!("0 {}", fields.join(" "))).map_err(unreadable)?;
        let mut times = Vec::new();
        for hour in read.hours().iter() {
            for minute in read.minutes().iter() {
                let (Ok(hour), Ok(minute)) = (i8::try_from(hour), i8::try_from(minute)) else {
                    continue;
                };
                times.extend(Time::new(hour, minute, 0, 0));
            }
        }
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        Ok(Self {
            months: std::array::from_fn(|place| read.months().includes(number(place))),
            days: std::array::from_fn(|place| read.days_of_month().includes(number(place))),
            // There Sunday is 1 and Saturday 7.
            weekdays: std::array::from_fn(|place| {
                read.days_of_week().includes(number((place + 1) % 7 + 1))
            }),
            times,
            every_hour: read.hours().is_all(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn five_fields_are_read_with_weekdays_by_name() {
        let cron: CivilCron = "30 2,21 1-15 */3 FRI".parse().unwrap();
        assert_eq!(cron.times(), [time(2, 30, 0, 0), time(21, 30, 0, 0)]);
        assert!(!cron.every_hour());
        assert!(cron.fires_on(date(2026, 10, 2)), "a Friday, the 2nd, of the fourth quarter");
        assert!(!cron.fires_on(date(2026, 10, 1)), "a Thursday");
        assert!(!cron.fires_on(date(2026, 10, 16)), "a Friday, but the 16th");
        assert!(!cron.fires_on(date(2026, 11, 6)), "a Friday of November");
        let cron: CivilCron = "*/30 * * * Mon-Fri".parse().unwrap();
        assert_eq!(cron.times().len(), 48);
        assert!(cron.every_hour());
        assert!(
            cron.fires_on(date(2026, 11, 2)) && !cron.fires_on(date(2026, 11, 1)),
            "not Sunday"
        );
        assert!("0 0-23 * * ?".parse::<CivilCron>().unwrap().every_hour());
        assert!("0 0 * * */2".parse::<CivilCron>().is_ok());
    }

    #[test]
    fn what_is_no_such_expression_is_refused_with_the_way_to_write_it() {
        let error = |text: &str| text.parse::<CivilCron>().unwrap_err();
        assert!(matches!(error("0 30 2 * * *"), BadCron::Fields(_, 6)));
        assert!(matches!(error("@daily"), BadCron::Fields(_, 1)));
        assert!(matches!(error("0 0 * * 1-5"), BadCron::WeekdayNumber(_)));
        assert!(matches!(error("0 0 * * 0"), BadCron::WeekdayNumber(_)));
        for text in
            ["61 0 * * *", "0 24 * * *", "0 0 L * *", "0 22-2 * * *", "x 0 * * *", "0 0 0 * *"]
        {
            assert!(matches!(error(text), BadCron::Unreadable(_)), "{text}");
        }
        assert!(error("61 0 * * *").to_string().contains("such as `30 21 * * MON-FRI`"));
    }
}
