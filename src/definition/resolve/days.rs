//! Days in words → a rule with its calendar.

use super::known::Known;
use crate::definition::day_words::DayWords;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::{At, Field};
use crate::definition::site::DayRule;
use crate::types::CalendarName;

/// The calendar of business days where a rule names none itself.
#[derive(Clone, Copy)]
pub(super) struct Usual<'a> {
    pub calendar: Option<&'a CalendarName>,
    /// Whether that can be told: not where the key that names it is bad or site.yaml could not be read.
    pub told: bool,
}

impl<'a> Usual<'a> {
    pub(super) fn of_site(known: &'a Known<'_>) -> Self {
        Self { calendar: known.calendar.as_ref(), told: known.settings_read }
    }

    /// Of a batch: its own, else the site's.
    pub(super) fn of_batch(named: &'a Field<CalendarName>, known: &'a Known<'_>) -> Self {
        let of_site = Self::of_site(known);
        match named {
            Field::Given(given) => Self { calendar: Some(&given.value), told: true },
            Field::Bad(_) => Self { calendar: None, told: false },
            Field::Absent => of_site,
        }
    }

    /// Reports that there is no calendar.
    pub(super) fn need(self, at: Place, what: &str, found: &mut Vec<Finding>) {
        if self.told && self.calendar.is_none() {
            let finding = Finding::error(
                at,
                format!("{what} counts business days, but no calendar is named"),
            );
            found.push(finding.hint("add `calendar:` here or in site.yaml"));
        }
    }
}

/// A rule whose business days are those of the calendar that is named beside it, else of the usual one.
pub(super) fn rule(
    words: &At<DayWords>,
    named: &Field<CalendarName>,
    usual: Usual<'_>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> DayRule {
    if let Some(calendar) = named.given() {
        known.check(&known.calendars, calendar, found);
    }
    let needed = words.value.needs_calendar();
    if needed && named.is_absent() {
        usual.need(words.at, "this", found);
    }
    let calendar = named.get().or(usual.calendar).filter(|_| needed);
    DayRule {
        days: words.value.days.clone(),
        offset: words.value.offset,
        calendar: calendar.cloned(),
    }
}
