//! How many rounds of inspections a day must have.

use super::days::{self, Usual};
use super::known::Known;
use crate::definition::day_words::DayWords;
use crate::definition::defect::Finding;
use crate::definition::raw::site::{InspectionsRecord, RoundRecord};
use crate::definition::site::{DayRule, Days, InspectionRules, RoundRule};
use crate::types::Severity;

pub(super) fn resolve(
    raw: &InspectionsRecord,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> InspectionRules {
    if let Some(none) = raw.rounds.given().filter(|list| list.value.0.is_empty()) {
        found.push(Finding::error(none.at, "no round is asked for"));
    }
    let rounds = raw.rounds.get().into_iter().flat_map(|list| &list.0);
    let rounds = rounds.filter_map(|rule| round(&rule.value, known, found)).collect();
    InspectionRules { rounds, severity: raw.severity.or(Severity::P3) }
}

fn round(raw: &RoundRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> Option<RoundRule> {
    let batch = raw.batch.given();
    if let Some(batch) = batch {
        known.check(&known.batches, batch, found);
    }
    if let (Some(from), Some(to)) = (raw.from.given(), raw.to.given())
        && to.value < from.value
    {
        found.push(Finding::error(to.at, "it is over before it begins"));
    }
    if let (Some(at), true) = (raw.calendar.at(), raw.days.is_absent()) {
        found.push(Finding::error(at, "`calendar` goes with `days`, which is not here"));
    }
    let days = raw.days.given().map(|words: &crate::definition::raw::At<DayWords>| {
        days::rule(words, &raw.calendar, Usual::of_site(known), known, found)
    });
    let every_day = DayRule { days: Days::EveryDay, offset: 0, calendar: None };
    Some(RoundRule {
        batch: batch?.value.clone(),
        per_day: raw.per_day.get()?.to_u32(),
        days: days.unwrap_or(every_day),
        from: raw.from.get().copied(),
        to: raw.to.get().copied(),
    })
}
