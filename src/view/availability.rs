//! How long services could not be used, as people have recorded it of incidents (S1).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::incident::IncidentStep;
use crate::core::state::State;
use crate::types::{Amount, Span};

/// What people have recorded as interruptions of a service (S1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ServiceFigures {
    pub service: String,
    /// Those with a cause outside the system among them.
    pub interruptions: u32,
    /// Time in which at least one went on that has its cause inside.
    pub interrupted: Span,
    /// Time in which at least one went on that has its cause outside: it counts for nothing.
    pub outside: Span,
    /// (running time − interruption) / running time, rounded down: all of the time counts as running time.
    pub available_percent: Amount,
}

/// Times of one service, those with a cause inside and those with one outside.
#[derive(Default)]
struct Times {
    inside: Vec<(Timestamp, Timestamp)>,
    outside: Vec<(Timestamp, Timestamp)>,
}

/// Services that were interrupted in a time, by name: people write it freely, so case and blanks around it make no other, and
/// it is shown as it was written first. Trials and drills interrupt nothing.
pub(super) fn services(state: &State, (from, to): (Timestamp, Timestamp)) -> Vec<ServiceFigures> {
    let mut interrupted: BTreeMap<String, (&str, Times)> = BTreeMap::new();
    let known = state.incidents.values().filter(|known| !known.what.trial && !known.is_drill());
    for taken in known.flat_map(|known| &known.steps) {
        let IncidentStep::Interruption { service, from: since, to: until, outside } = &taken.step
        else {
            continue;
        };
        let (since, until) = ((*since).max(from), (*until).min(to));
        if since < until {
            let service = service.trim();
            let known = interrupted.entry(service.to_lowercase());
            let (_, times) = known.or_insert_with(|| (service, Times::default()));
            let of = if outside.is_empty() { &mut times.inside } else { &mut times.outside };
            of.push((since, until));
        }
    }
    let whole = passed(from, to);
    let figures = interrupted.into_values().map(|(service, times)| {
        let count = times.inside.len() + times.outside.len();
        let out = covered(times.inside);
        ServiceFigures {
            service: service.to_owned(),
            interruptions: u32::try_from(count).unwrap_or(u32::MAX),
            interrupted: Span::of(out),
            outside: Span::of(covered(times.outside)),
            available_percent: Amount::percent(
                whole.saturating_sub(out).as_millis(),
                whole.as_millis(),
            ),
        }
    });
    figures.collect()
}

pub(super) fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// How long at least one of these times went on.
fn covered(mut spans: Vec<(Timestamp, Timestamp)>) -> Duration {
    spans.sort();
    let mut whole = Duration::ZERO;
    let mut until = Timestamp::MIN;
    for (from, to) in spans {
        whole += passed(from.max(until), to);
        until = until.max(to);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_that_overlap_are_counted_once() {
        let span = |from: &str, to: &str| {
            (at(&format!("2026-10-01T{from}:00Z")), at(&format!("2026-10-01T{to}:00Z")))
        };
        let minutes = |spans: Vec<_>| covered(spans).as_secs() / 60;
        assert_eq!(minutes(vec![]), 0);
        assert_eq!(minutes(vec![span("10:00", "11:00"), span("12:00", "12:30")]), 90);
        assert_eq!(minutes(vec![span("10:30", "12:00"), span("10:00", "11:00")]), 120);
        assert_eq!(minutes(vec![span("10:00", "12:00"), span("10:30", "11:00")]), 120);
    }
}
