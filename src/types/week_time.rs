//! A time of the week.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Written `fri 14:00`, as clocks of a zone show it; `thu 24:00` is the end of Thursday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeekTime {
    /// From Monday.
    day: i8,
    /// Of that day; `None`: its end.
    time: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the week")]
pub struct InvalidWeekTime(String);

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What clocks skip or show twice is found with the offset from before, as cron does.
const WEEKS: std::ops::RangeInclusive<i64> = -2..=2;

impl WeekTime {
    /// The first instant of that time later than another one; `None` at the end of all times.
    pub fn after(self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        self.around(zone, at).find(|instant| *instant > at)
    }

    /// The last instant of that time not later than another one.
    pub fn until(self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        self.around(zone, at).take_while(|instant| *instant <= at).last()
    }

    /// In order, some before and some after.
    fn around(self, zone: &TimeZone, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        let date = zone.to_datetime(at).date();
        let monday = i64::from(date.weekday().since(Weekday::Monday));
        WEEKS.filter_map(move |week| {
            let ends = i64::from(self.time.is_none());
            let days = week * 7 - monday + i64::from(self.day) + ends;
            let date = date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
            let civil: DateTime = date.to_datetime(self.time.unwrap_or(Time::midnight()));
            zone.to_ambiguous_timestamp(civil).compatible().ok()
        })
    }
}

impl FromStr for WeekTime {
    type Err = InvalidWeekTime;

    fn from_str(text: &str) -> Result<Self, InvalidWeekTime> {
        let read = || {
            let (day, time) = text.split_once(' ')?;
            let day = DAYS.iter().position(|known| *known == day)?;
            let time = match time {
                "24:00" => None,
                time if time.len() == 5 => Some(Time::strptime("%H:%M", time).ok()?),
                _ => return None,
            };
            Some(Self { day: i8::try_from(day).ok()?, time })
        };
        read().ok_or_else(|| InvalidWeekTime(text.to_owned()))
    }
}

impl TryFrom<String> for WeekTime {
    type Error = InvalidWeekTime;

    fn try_from(text: String) -> Result<Self, InvalidWeekTime> {
        text.parse()
    }
}

impl From<WeekTime> for String {
    fn from(time: WeekTime) -> Self {
        time.to_string()
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS.get(self.day.unsigned_abs() as usize).copied().unwrap_or("");
        match self.time {
            Some(time) => write!(f, "{day} {}", time.strftime("%H:%M")),
            None => write!(f, "{day} 24:00"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_the_week_is_read_and_written() {
        for text in ["mon 00:00", "wed 15:30", "sun 24:00"] {
            assert_eq!(text.parse::<WeekTime>().map(|time| time.to_string()), Ok(text.to_owned()));
        }
        for bad in
            ["", "fri", "14:00", "fri 24:01", "fri 9:00", "Fri 14:00", "fri  14:00", "fry 14:00"]
        {
            assert!(bad.parse::<WeekTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn it_comes_once_a_week_by_the_clock_of_its_zone() {
        // Zone, time of the week, now; the last one until then, the first one after it.
        let cases = [
            (
                "Asia/Shanghai",
                "fri 14:00",
                "2026-11-27T06:00:00Z",
                "2026-11-27T06:00:00Z",
                "2026-12-04T06:00:00Z",
            ),
            (
                "Asia/Shanghai",
                "fri 14:00",
                "2026-11-27T05:59:59Z",
                "2026-11-20T06:00:00Z",
                "2026-11-27T06:00:00Z",
            ),
            // The end of Thursday is the beginning of Friday.
            (
                "Asia/Shanghai",
                "thu 24:00",
                "2026-11-26T16:00:00Z",
                "2026-11-26T16:00:00Z",
                "2026-12-03T16:00:00Z",
            ),
            (
                "Asia/Shanghai",
                "sun 24:00",
                "2026-11-25T00:00:00Z",
                "2026-11-22T16:00:00Z",
                "2026-11-29T16:00:00Z",
            ),
            // Berlin, the week in which clocks are set back.
            (
                "Europe/Berlin",
                "sun 03:30",
                "2026-10-20T00:00:00Z",
                "2026-10-18T01:30:00Z",
                "2026-10-25T02:30:00Z",
            ),
            // They skip 02:30: it is an hour later by the clock.
            (
                "Europe/Berlin",
                "sun 02:30",
                "2026-03-25T00:00:00Z",
                "2026-03-22T01:30:00Z",
                "2026-03-29T01:30:00Z",
            ),
        ];
        for (zone, time, now, last, next) in cases {
            let zone = TimeZone::get(zone).unwrap();
            let time: WeekTime = time.parse().unwrap();
            assert_eq!(time.until(&zone, at(now)), Some(at(last)), "{time} until {now}");
            assert_eq!(time.after(&zone, at(now)), Some(at(next)), "{time} after {now}");
        }
    }
}
