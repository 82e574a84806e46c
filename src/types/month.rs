//! A month of the calendar.

use std::str::FromStr;

use jiff::civil::Date;

/// Written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month: write 2026-11")]
pub struct InvalidMonth(String);

impl Month {
    /// The first and the last date.
    pub fn dates(self) -> (Date, Date) {
        (self.0, self.0.last_of_month())
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let form = text.len() == 7
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let first = form.then(|| format!("{text}-01").parse().ok()).flatten();
        first.map(Self).ok_or_else(|| InvalidMonth(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_has_a_first_and_a_last_date() {
        let dates = |text: &str| text.parse::<Month>().map(Month::dates);
        assert_eq!(dates("2028-02"), Ok((date(2028, 2, 1), date(2028, 2, 29))));
        for bad in ["", "2026-13", "2026-1", "2026-11-01", "26-11", "2026/11"] {
            assert!(dates(bad).is_err(), "{bad}");
        }
    }
}
