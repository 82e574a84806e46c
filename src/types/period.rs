//! The time that a figure is counted over: a week, a month or a quarter.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::incident::word;
use super::{Month, Quarter};

word! {
    /// How long the time is that a figure is counted over.
    PeriodKind {
        /// From Monday to Sunday.
        Week = "week",
        Month = "month",
        Quarter = "quarter",
    }
}

/// Written `2026-W44`, `2026-11`, `2026-Q4`; a date is the week that it is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    kind: PeriodKind,
    first: Date,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a period: write a week as 2026-W44 or by a date in it, a month as 2026-11, a quarter as 2026-Q4"
)]
pub struct InvalidPeriod(String);

impl Period {
    /// The one that a date is in.
    pub fn around(kind: PeriodKind, date: Date) -> Self {
        let first = match kind {
            PeriodKind::Week => {
                let since_monday = i64::from(date.weekday().to_monday_zero_offset());
                date.saturating_sub(since_monday.days())
            }
            PeriodKind::Month => date.first_of_month(),
            PeriodKind::Quarter => {
                let since = (date.month() - 1) % 3;
                date.first_of_month().saturating_sub(i64::from(since).months())
            }
        };
        Self { kind, first }
    }

    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    /// The first and the last date.
    pub fn dates(self) -> (Date, Date) {
        (self.first, self.next().first.saturating_sub(1.day()))
    }

    fn next(self) -> Self {
        let length = match self.kind {
            PeriodKind::Week => 7.days(),
            PeriodKind::Month => 1.month(),
            PeriodKind::Quarter => 3.months(),
        };
        Self { kind: self.kind, first: self.first.saturating_add(length) }
    }

    /// Those of a kind whose last date is in this one: of a longer kind none, of its own itself.
    pub fn of_kind(self, kind: PeriodKind) -> Vec<Self> {
        let (first, last) = self.dates();
        let mut all = Vec::new();
        let mut one = Self::around(kind, first);
        while kind <= self.kind && one.dates().1 <= last {
            all.push(one);
            match one.next() {
                // The calendar ends.
                next if next == one => break,
                next => one = next,
            }
        }
        all
    }
}

impl From<Month> for Period {
    fn from(month: Month) -> Self {
        Self { kind: PeriodKind::Month, first: month.dates().0 }
    }
}

impl From<Quarter> for Period {
    fn from(quarter: Quarter) -> Self {
        Self { kind: PeriodKind::Quarter, first: quarter.dates().0 }
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let week = || {
            let (year, week) = text.split_once("-W")?;
            let digits = |part: &str, long| {
                part.len() == long && part.bytes().all(|byte| byte.is_ascii_digit())
            };
            let form = digits(year, 4) && digits(week, 2);
            let (year, week) = (year.parse().ok().filter(|_| form)?, week.parse().ok()?);
            let monday = ISOWeekDate::new(year, week, Weekday::Monday).ok()?;
            Some(Self { kind: PeriodKind::Week, first: monday.date() })
        };
        let date = || {
            let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
            Some(Self::around(PeriodKind::Week, date))
        };
        let month = || text.parse::<Month>().ok().map(Self::from);
        let quarter = || text.parse::<Quarter>().ok().map(Self::from);
        let read = week().or_else(month).or_else(quarter).or_else(date);
        read.ok_or_else(|| InvalidPeriod(text.to_owned()))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.first.year(), self.first.month());
        let text = match self.kind {
            PeriodKind::Week => {
                let week = self.first.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            PeriodKind::Month => format!("{year:04}-{month:02}"),
            PeriodKind::Quarter => format!("{year:04}-Q{}", (month + 2) / 3),
        };
        f.pad(&text)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

string_schema!(
    Period,
    r"^\d{4}-(W\d{2}|Q[1-4]|\d{2}|\d{2}-\d{2})$",
    "a week (`2026-W44`, or a date in it), a month (`2026-11`), or a quarter (`2026-Q4`)"
);

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_written_as_it_is_read() {
        for (text, from, to) in [
            ("2026-W44", date(2026, 10, 26), date(2026, 11, 1)),
            ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
            ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
            ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
            ("2027-Q1", date(2027, 1, 1), date(2027, 3, 31)),
        ] {
            assert_eq!(period(text).dates(), (from, to));
            assert_eq!(period(text).to_string(), text);
            assert_eq!(Period::around(period(text).kind(), to), period(text));
        }
        assert_eq!(period("2026-11-01"), period("2026-W44"));
        for bad in ["", "2026", "2026-W00", "2025-W53", "2026-W4", "2026-13", "2026-Q5", "2026-1-1"]
        {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }

    /// A week belongs to the quarter that it ends in: each week to one, and only one.
    #[test]
    fn a_longer_period_has_the_shorter_ones_that_end_in_it() {
        let of = |text: &str, kind| period(text).of_kind(kind);
        let weeks = of("2026-Q4", PeriodKind::Week);
        assert_eq!(
            (weeks.len(), weeks[0], weeks[12]),
            (13, period("2026-W40"), period("2026-W52"))
        );
        assert_eq!(of("2027-Q1", PeriodKind::Week)[0], period("2026-W53"));
        let months = [period("2026-10"), period("2026-11"), period("2026-12")];
        assert_eq!(of("2026-Q4", PeriodKind::Month), months);
        assert_eq!(of("2026-Q4", PeriodKind::Quarter), [period("2026-Q4")]);
        assert_eq!(of("2026-W44", PeriodKind::Week), [period("2026-W44")]);
        assert!(of("2026-W44", PeriodKind::Month).is_empty(), "though October ends in it");
        assert!(of("2026-12", PeriodKind::Quarter).is_empty());
    }
}
