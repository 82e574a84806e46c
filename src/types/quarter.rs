//! A quarter of a year.

use std::str::FromStr;

use jiff::civil::Date;

/// Written `2026-Q4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarter {
    first: Date,
    last: Date,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quarter: write 2026-Q4")]
pub struct InvalidQuarter(String);

impl Quarter {
    /// The first and the last date.
    pub fn dates(self) -> (Date, Date) {
        (self.first, self.last)
    }
}

impl FromStr for Quarter {
    type Err = InvalidQuarter;

    fn from_str(text: &str) -> Result<Self, InvalidQuarter> {
        let read = || {
            let (year, number) = text.split_once("-Q")?;
            let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
            let number: i8 = number.parse().ok().filter(|n| digits && (1..=4).contains(n))?;
            let month = |month: i8| Date::new(year.parse().ok()?, month, 1).ok();
            let last = month(number * 3)?.last_of_month();
            Some(Self { first: month(number * 3 - 2)?, last })
        };
        read().ok_or_else(|| InvalidQuarter(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_quarter_has_three_months() {
        let dates = |text: &str| text.parse::<Quarter>().map(Quarter::dates);
        assert_eq!(dates("2026-Q4"), Ok((date(2026, 10, 1), date(2026, 12, 31))));
        assert_eq!(dates("2028-Q1"), Ok((date(2028, 1, 1), date(2028, 3, 31))));
        for bad in ["", "2026", "2026-Q0", "2026-Q5", "2026-4", "26-Q1", "2026-Q4-01", "+026-Q1"] {
            assert!(dates(bad).is_err(), "{bad}");
        }
    }
}
