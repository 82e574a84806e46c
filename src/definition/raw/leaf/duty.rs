//! Values of people, shifts and rosters, and times of the week.

use jiff::civil::DateTime;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::{Read, Reader, Shape};
use super::{Leaf, Wrong, date, leaf};
use crate::definition::day_words::WeekdaySet;
use crate::definition::nearest;
use crate::definition::site::{DutyDays, TurnLength, Weight};
use crate::definition::yaml::Node;
use crate::types::{InvalidPhone, InvalidWeekTime, Phone, WeekTime};

leaf!(Phone, "a telephone number", {
    "type": "string",
    "pattern": "^\\+?[0-9(][0-9 ()-]*(x ?[0-9]+)?$",
    "examples": ["+86 21 5555 0100"],
}, |text| text.parse().map_err(|error: InvalidPhone| Wrong::new(error.to_string())));

/// A date, or a date with a time; a date alone means its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced(pub DateTime);

leaf!(Announced, "a date, with or without a time", {
    "type": "string",
    "pattern": "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2})?$",
    "examples": ["2026-10-28", "2026-10-28T16:30"],
}, |text| match date(text) {
    Some(date) => Ok(Self(date.into())),
    None => DateTime::parse(text).map(Self),
});

words! {
    Weight { "defect" => Self::Defect, "warning" => Self::Warning }
}

leaf!(TurnLength, "the length of a turn", {
    "type": "string",
    "pattern": "^[1-9]\\d{0,2}[dw]$",
    "examples": ["1d", "1w"],
}, |text| {
    let number = |unit| text.strip_suffix(unit).filter(|n| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
    let counted = |number: &str| number.parse().ok().filter(|number| *number > 0);
    let length = match (number('d'), number('w')) {
        (Some(days), _) => counted(days).map(Self::Days),
        (None, Some(weeks)) => counted(weeks).map(Self::Weeks),
        (None, None) => None,
    };
    length.ok_or_else(|| {
        let wrong = Wrong::new(format!("`{text}` is not the length of a turn"));
        wrong.hint("write days (`1d`) or weeks (`1w`), at most 999")
    })
});

leaf!(DutyDays, "days in words", {
    "type": "string",
    "examples": ["every day", "mon-fri", "sat,sun", "business days", "days off"],
}, |text| match text {
    "every day" => Ok(Self::Every),
    "business days" => Ok(Self::Business),
    "days off" => Ok(Self::Off),
    _ => WeekdaySet::parse(text).map(|set| Self::Weekdays(set.0)).map_err(|wrong| {
        wrong.hint("write `every day`, `mon-fri`, `sat,sun`, `business days` or `days off`")
    }),
});

leaf!(WeekTime, "a time of the week", {
    "type": "string",
    "pattern": "^(mon|tue|wed|thu|fri|sat|sun) [0-2]\\d:[0-5]\\d$",
    "examples": ["fri 14:00", "thu 24:00"],
}, |text| text.parse().map_err(|error: InvalidWeekTime| {
    Wrong::new(error.to_string()).hint("write `fri 14:00`, or `thu 24:00` for the end of that day")
}));
