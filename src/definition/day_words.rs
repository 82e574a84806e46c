//! Days in words: `every business day`, `mon-fri`, `last business day of month -1bd`.

use std::str::FromStr;

use super::nearest;
use super::raw::date;
use super::site::{Days, Period};

/// Days and an offset of business days, before it is known in which calendar they are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct DayWords {
    pub days: Days,
    pub offset: i32,
}

/// Days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeekdaySet(pub [bool; 7]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not days in words: {why}")]
pub struct InvalidDayWords {
    pub text: String,
    pub why: String,
}

const FORMS: &str = "write `every day`, `every business day`, `mon-fri`, `mon,wed,sat`, `2026-10-31`, \
    `first business day of month`, `2nd last business day of quarter`; each may end in an offset such as `-1bd`";

impl InvalidDayWords {
    fn new(text: &str, why: impl Into<String>) -> Self {
        Self { text: text.to_owned(), why: why.into() }
    }

    /// What can be written.
    pub fn hint(&self) -> String {
        FORMS.to_owned()
    }
}

/// Furthest offset, in business days.
const FURTHEST: i32 = 366;

/// An offset of business days: `-1bd`, `+2bd`.
pub fn business_days(text: &str) -> Option<i32> {
    let digits = text.strip_suffix("bd")?;
    let number = digits.strip_prefix(['+', '-'])?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|n: &i32| n.abs() <= FURTHEST)
}

impl DayWords {
    /// Whether it means nothing without a calendar.
    pub fn needs_calendar(&self) -> bool {
        self.offset != 0
            || matches!(self.days, Days::EveryBusinessDay | Days::NthBusinessDay { .. })
    }
}

impl FromStr for DayWords {
    type Err = InvalidDayWords;

    fn from_str(text: &str) -> Result<Self, InvalidDayWords> {
        let bad = |why: String| InvalidDayWords::new(text, why);
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let mut offset = 0;
        if let Some(last) = words.last().filter(|w| w.starts_with(['+', '-']) && words.len() > 1) {
            offset = business_days(last)
                .ok_or_else(|| bad(format!("`{last}` is not an offset such as `-1bd`")))?;
            words.pop();
        }
        let days = match words.as_slice() {
            [] => return Err(bad("it is empty".to_owned())),
            ["every", "day"] => Days::EveryDay,
            ["every", "business", "day"] => Days::EveryBusinessDay,
            [nth @ .., "business", "day", "of", period] => Days::NthBusinessDay {
                nth: ordinal(nth).ok_or_else(|| {
                    bad(format!(
                        "`{}` is none of `first`, `2nd`, `last`, `2nd last`",
                        nth.join(" ")
                    ))
                })?,
                of: named_period(period).map_err(bad)?,
            },
            [one] if one.starts_with(|c: char| c.is_ascii_digit()) => Days::Once(
                date(one)
                    .ok_or_else(|| bad(format!("`{one}` is not a date such as `2026-10-31`")))?,
            ),
            [_] => Days::Weekdays(weekdays(text, words[0])?.0),
            words => return Err(bad(unknown_word(words))),
        };
        if let Days::NthBusinessDay { nth, of } = days {
            let most = most_days(of);
            if nth == 0 || nth.abs() > most {
                return Err(bad(format!("count from 1 to {most}")));
            }
        }
        Ok(Self { days, offset })
    }
}

/// The first word that no form has.
fn unknown_word(words: &[&str]) -> String {
    const WORDS: [&str; 10] =
        ["every", "day", "business", "of", "first", "last", "week", "month", "quarter", "year"];
    let known = |word: &str| WORDS.contains(&word) || counted(word).is_some();
    match words.iter().find(|word| !known(word)) {
        None => "the words do not stand in a known order".to_owned(),
        Some(word) => match nearest::hint(word, WORDS) {
            Some(hint) => format!("unknown word `{word}`, {hint}"),
            None => format!("unknown word `{word}`"),
        },
    }
}

/// `first`, `last`, `3rd`, `2nd last`.
fn ordinal(words: &[&str]) -> Option<i32> {
    match words {
        ["first"] => Some(1),
        ["last"] => Some(-1),
        [nth] => counted(nth),
        [nth, "last"] => counted(nth).map(|n| -n),
        _ => None,
    }
}

fn counted(word: &str) -> Option<i32> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, ending) = word.split_at(digits);
    matches!(ending, "st" | "nd" | "rd" | "th").then(|| number.parse().ok()).flatten()
}

const PERIODS: [(&str, Period); 4] = [
    ("week", Period::Week),
    ("month", Period::Month),
    ("quarter", Period::Quarter),
    ("year", Period::Year),
];

fn named_period(word: &str) -> Result<Period, String> {
    if let Some((_, period)) = PERIODS.iter().find(|(name, _)| *name == word) {
        return Ok(*period);
    }
    let meant = nearest::hint(word, PERIODS.map(|(name, _)| name));
    Err(match meant {
        Some(hint) => format!("unknown period `{word}`, {hint}"),
        None => format!("`{word}` is none of `week`, `month`, `quarter`, `year`"),
    })
}

fn most_days(period: Period) -> i32 {
    match period {
        Period::Week => 7,
        Period::Month => 31,
        Period::Quarter => 92,
        Period::Year => 366,
    }
}

impl WeekdaySet {
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|day| self.0[day] || other.0[day]))
    }
}

impl FromStr for WeekdaySet {
    type Err = InvalidDayWords;

    fn from_str(text: &str) -> Result<Self, InvalidDayWords> {
        weekdays(text, text)
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn weekdays(text: &str, words: &str) -> Result<WeekdaySet, InvalidDayWords> {
    let index = |word: &str| {
        let word = word.trim();
        WEEKDAYS.iter().position(|day| *day == word).ok_or_else(|| {
            let written_out = WEEKDAYS.iter().find(|day| word.to_lowercase().starts_with(*day));
            let hint = match written_out {
                Some(day) => format!("did you mean `{day}`?"),
                None => nearest::hint(word, WEEKDAYS)
                    .unwrap_or_else(|| format!("the days are {}", WEEKDAYS.join(", "))),
            };
            InvalidDayWords::new(text, format!("`{word}` is not a day of the week; {hint}"))
        })
    };
    let mut set = WeekdaySet::default();
    for part in words.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (index(first)?, index(last)?);
        // A range may run over the weekend: `sat-mon`.
        loop {
            set.0[day] = true;
            if day == last {
                break;
            }
            day = (day + 1) % 7;
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> DayWords {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(read("every day"), DayWords { days: Days::EveryDay, offset: 0 });
        assert_eq!(read("every business day").days, Days::EveryBusinessDay);
        let weekdays = |text| match read(text).days {
            Days::Weekdays(days) => days.map(u8::from),
            other => panic!("{other:?}"),
        };
        assert_eq!(weekdays("mon-fri"), [1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(weekdays("mon,wed,sat"), [1, 0, 1, 0, 0, 1, 0]);
        assert_eq!(weekdays("sat-mon"), [1, 0, 0, 0, 0, 1, 1]);
        assert_eq!(weekdays("mon-tue,sun"), [1, 1, 0, 0, 0, 0, 1]);
        assert_eq!(read("2026-10-31").days, Days::Once(jiff::civil::date(2026, 10, 31)));
        let nth = |text| match read(text).days {
            Days::NthBusinessDay { nth, of } => (nth, of),
            other => panic!("{other:?}"),
        };
        assert_eq!(nth("first business day of month"), (1, Period::Month));
        assert_eq!(nth("last business day of quarter"), (-1, Period::Quarter));
        assert_eq!(nth("3rd business day of week"), (3, Period::Week));
        assert_eq!(nth("2nd last business day of year"), (-2, Period::Year));
    }

    #[test]
    fn an_offset_may_follow() {
        let rule = read("last business day of month -1bd");
        assert_eq!((rule.offset, rule.needs_calendar()), (-1, true));
        assert_eq!(read("2026-10-31 +2bd").offset, 2);
        assert!(read("mon-fri +1bd").needs_calendar());
        assert!(!read("mon-fri").needs_calendar());
        assert_eq!(business_days("-1bd"), Some(-1));
        for bad in ["1bd", "-bd", "-1", "+-1bd", "-400bd", "-1 bd", "-99999999999bd"] {
            assert_eq!(business_days(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str| match text.parse::<DayWords>() {
            Err(error) => error.to_string(),
            Ok(rule) => panic!("{rule:?}"),
        };
        let texts = [
            "",
            "monday",
            "mon-fir",
            "first business day of mouth",
            "9th business day of week",
            "0th business day of month",
            "third business day of week",
            "2026-13-01",
            "every buisness day",
            "every day -1d",
        ];
        insta::assert_debug_snapshot!(texts.map(wrong), @r#"
        [
            "`` is not days in words: it is empty",
            "`monday` is not days in words: `monday` is not a day of the week; did you mean `mon`?",
            "`mon-fir` is not days in words: `fir` is not a day of the week; did you mean `fri`?",
            "`first business day of mouth` is not days in words: unknown period `mouth`, did you mean `month`?",
            "`9th business day of week` is not days in words: count from 1 to 7",
            "`0th business day of month` is not days in words: count from 1 to 31",
            "`third business day of week` is not days in words: `third` is none of `first`, `2nd`, `last`, `2nd last`",
            "`2026-13-01` is not days in words: `2026-13-01` is not a date such as `2026-10-31`",
            "`every buisness day` is not days in words: unknown word `buisness`, did you mean `business`?",
            "`every day -1d` is not days in words: `-1d` is not an offset such as `-1bd`",
        ]
        "#);
    }
}
