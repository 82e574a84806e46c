//! `calendars/*.yaml`.

use jiff::civil::Date;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::leaf::{Leaf, Whole, Word, Wrong, clock, date};
use super::record::record;
use super::site::Version;
use super::{List, Names, Read, Reader, Shape};
use crate::definition::day_words::WeekdaySet;
use crate::definition::nearest;
use crate::definition::site::ExceptionKind;
use crate::definition::yaml::Node;
use crate::types::CalendarName;

record! {
    /// calendars/NAME.yaml: which days are business days. Either weekly with covers (and dates, exceptions), or one of all_of, any_of, shift.
    pub(crate) struct CalendarFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// Business days of an ordinary week: `mon-fri`, or a list of days.
        optional weekly: WeekdaySet,
        /// First and last date that its data cover: `2025-01-01..2026-12-31`.
        optional covers: Covers,
        /// A CSV file beside this one, with the columns date,kind,name.
        optional dates: Word,
        /// Dates that differ from the weekly rule.
        optional exceptions: Names<Date, ExceptionRecord>,
        /// A business day in all of these calendars.
        optional all_of: List<CalendarName>,
        /// A business day in at least one of these calendars.
        optional any_of: List<CalendarName>,
        /// The days of another calendar, moved by whole days.
        optional shift: ShiftRecord,
    }
}

record! {
    /// A date that differs from the weekly rule.
    pub(crate) struct ExceptionRecord {
        /// `holiday`, `workday`, or `early-close HH:MM` (UTC).
        required kind: ExceptionKind,
        optional name: Word,
    }
}

record! {
    /// Another calendar's days, moved.
    pub(crate) struct ShiftRecord {
        required of: CalendarName,
        /// Whole days: 1 is the day after each of its business days.
        required days: Whole<-366, 366>,
    }
}

/// The dates that a calendar knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Covers {
    pub first: Date,
    pub last: Date,
}

impl Leaf for Covers {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let dates =
            text.split_once("..").and_then(|(a, b)| Some((date(a.trim())?, date(b.trim())?)));
        match dates {
            Some((first, last)) if first <= last => Ok(Self { first, last }),
            Some(_) => Err(Wrong::new(format!("`{text}` ends before it begins"))),
            None => Err(Wrong::new(format!("`{text}` is not a range of dates"))
                .hint("write it as `2025-01-01..2026-12-31`")),
        }
    }
}

impl Leaf for ExceptionKind {
    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "holiday" => Ok(Self::Holiday),
            "workday" => Ok(Self::Workday),
            _ => {
                let time = text.strip_prefix("early-close ").and_then(|time| clock(time.trim()));
                time.map(|at| Self::EarlyClose { at }).ok_or_else(|| {
                    let hint = nearest::hint(text, ["holiday", "workday"]).unwrap_or_else(|| {
                        "write `holiday`, `workday` or `early-close 12:00` (UTC)".to_owned()
                    });
                    Wrong::new(format!("`{text}` is no kind of day")).hint(hint)
                })
            }
        }
    }
}

macro_rules! text_leaf {
    ($type:ident, $pattern:literal, $example:literal) => {
        impl Read for $type {
            fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
                super::leaf::leaf(node, to, concat!("a text such as `", $example, "`"))
            }
        }

        impl Shape for $type {
            fn shape(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] })
            }
        }
    };
}

text_leaf!(
    Covers,
    "^\\d{4}-\\d{2}-\\d{2} ?\\.\\. ?\\d{4}-\\d{2}-\\d{2}$",
    "2025-01-01..2026-12-31"
);
text_leaf!(ExceptionKind, "^(holiday|workday|early-close \\d{2}:\\d{2})$", "early-close 12:00");
