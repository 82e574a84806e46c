//! Day words: whether a date is among `last business day of month -1bd` and the like.

use jiff::civil::Date;

use super::calendar::Calendars;
use crate::definition::site::DayRule;
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

impl Calendars {
    /// Whether `date` is one of the rule's days; the rule's own calendar goes before the default one.
    pub fn takes_part(
        &self,
        _rule: &DayRule,
        _default: Option<&CalendarName>,
        _date: Date,
    ) -> Part {
        todo!()
    }
}
