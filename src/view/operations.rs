//! The operations report of a week, a month or a quarter (E6): nights, incidents and limits of the contract, availability,
//! inspections and changes in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::availability::{ServiceFigures, passed, services};
use super::bulletin::{BulletinView, IncidentTold};
use super::change_stats::ChangeStats;
use super::service_levels::{Counted, LevelsView};
use crate::core::fact::RunResult;
use crate::core::night::Core;
use crate::core::state::State;
use crate::definition::site::Site;
use crate::types::{BatchId, ClockKind, IncidentKind, Period, Severity, Span, Text, Zone};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OperationsView {
    pub site: Text,
    /// Zone of the dates and times.
    pub zone: Zone,
    pub period: Period,
    /// The first date and the last one, which is in it.
    pub from: Date,
    pub to: Date,
    /// It is told of until this instant: the end of the last date, or now.
    pub until: Timestamp,
    /// `null`: the site declares none (S1).
    pub service_levels: Option<LevelsView>,
    pub batches: Vec<BatchFigures>,
    /// Starts of schedules that were not made.
    pub missed_starts: u32,
    pub severities: Vec<SeverityFigures>,
    pub limits: Vec<LimitFigures>,
    pub services: Vec<ServiceFigures>,
    pub rounds: Vec<RoundFigures>,
    /// Changes by team, and those that come again (D14).
    pub changes: ChangeStats,
    /// Each incident, the first opened first.
    pub incidents: Vec<IncidentTold>,
}

/// Real runs of a batch that ended in the time, and those that are under way at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BatchFigures {
    pub batch: BatchId,
    pub runs: u32,
    pub well: u32,
    pub failed: u32,
    /// Stopped, cancelled, lost.
    pub otherwise: u32,
    pub under_way: u32,
    /// Of those that ended well.
    pub mean: Option<Span>,
    pub longest: Option<Span>,
}

/// Incidents of a severity that were opened in the time; drills are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SeverityFigures {
    pub severity: Severity,
    pub opened: u32,
    pub over: u32,
    /// Means of those of which it is known.
    pub response: Option<Span>,
    pub solution: Option<Span>,
}

/// A limit of the service contract over all incidents that it was watched for (E3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LimitFigures {
    pub kind: IncidentKind,
    pub clock: ClockKind,
    pub watched: u32,
    pub missed: u32,
    /// By how much over all of them, each until it was done or the end of the time.
    pub over: Span,
}

/// Inspections of a batch over the dates of the period that were counted (I1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RoundFigures {
    pub batch: BatchId,
    pub wanted: u32,
    pub done: u32,
    pub missed: u32,
}

/// `told`: what happened in the time; `changes`: of the same time. `whole_since`: of [`Counted`].
pub fn of(
    core: &Core,
    (site, period): (&Site, Period),
    (told, changes): (BulletinView, ChangeStats),
    (now, whole_since): (Timestamp, Timestamp),
) -> OperationsView {
    let time = (told.from, told.to);
    let opened = |incident: &&IncidentTold| within(incident.opened, time);
    let incidents: Vec<IncidentTold> = told.incidents.iter().filter(opened).cloned().collect();
    let (from, to) = period.dates();
    OperationsView {
        period,
        from,
        to,
        until: told.to,
        service_levels: Counted { site, state: core.state(), now, whole_since }.levels(period),
        batches: batches(&told),
        missed_starts: told.missed.iter().map(|missed| missed.count).sum(),
        severities: severities(&incidents),
        limits: limits(core, time),
        services: services(core.state(), time),
        rounds: rounds(core.state(), (from, to)),
        changes,
        incidents,
        site: told.site,
        zone: told.zone,
    }
}

/// An instant belongs to the time that begins with it.
fn within(at: Timestamp, (from, to): (Timestamp, Timestamp)) -> bool {
    from <= at && at < to
}

fn mean(lengths: &[Duration]) -> Option<Span> {
    let many = u32::try_from(lengths.len()).ok().filter(|many| *many > 0)?;
    Some(Span::of(lengths.iter().sum::<Duration>() / many))
}

fn batches(told: &BulletinView) -> Vec<BatchFigures> {
    let names: BTreeSet<&BatchId> = told.runs.iter().map(|run| &run.run.batch).collect();
    let figures = names.into_iter().map(|batch| {
        let runs = || told.runs.iter().filter(|run| run.run.batch == *batch);
        let count = |holds: &dyn Fn(Option<RunResult>) -> bool| {
            u32::try_from(runs().filter(|run| holds(run.result)).count()).unwrap_or(u32::MAX)
        };
        let well = runs().filter(|run| run.result == Some(RunResult::Well));
        let lengths: Vec<Duration> =
            well.filter_map(|run| Some(passed(run.opened, run.ended?))).collect();
        let (well, failed) = (RunResult::Well, RunResult::Failed);
        BatchFigures {
            batch: batch.clone(),
            runs: count(&|_| true),
            well: count(&|result| result == Some(well)),
            failed: count(&|result| result == Some(failed)),
            otherwise: count(&|result| result.is_some_and(|r| r != well && r != failed)),
            under_way: count(&|result| result.is_none()),
            mean: mean(&lengths),
            longest: lengths.iter().max().map(|longest| Span::of(*longest)),
        }
    });
    figures.collect()
}

fn severities(incidents: &[IncidentTold]) -> Vec<SeverityFigures> {
    let known: BTreeSet<Severity> = incidents.iter().map(|incident| incident.severity).collect();
    let figures = known.into_iter().map(|severity| {
        let of = || incidents.iter().filter(move |incident| incident.severity == severity);
        let spans = |of: Vec<Option<Span>>| {
            mean(&of.into_iter().flatten().map(Span::get).collect::<Vec<_>>())
        };
        SeverityFigures {
            severity,
            opened: u32::try_from(of().count()).unwrap_or(u32::MAX),
            over: u32::try_from(of().filter(|i| i.closed.is_some()).count()).unwrap_or(u32::MAX),
            response: spans(of().map(|incident| incident.response).collect()),
            solution: spans(of().map(|incident| incident.solution).collect()),
        }
    });
    figures.collect()
}

/// Of incidents that were opened in the time, as they stood at its end.
fn limits(core: &Core, (from, to): (Timestamp, Timestamp)) -> Vec<LimitFigures> {
    let mut figures: BTreeMap<(IncidentKind, ClockKind), LimitFigures> = BTreeMap::new();
    let known = core.state().incidents.values();
    let known = known.filter(|known| !known.what.trial && !known.is_drill());
    for known in known.filter(|known| within(known.opened, (from, to))) {
        let Some(then) = known.as_of(to) else { continue };
        for (clock, state) in &then.clocks {
            let kind = then.what.kind;
            let line = figures.entry((kind, *clock)).or_insert(LimitFigures {
                kind,
                clock: *clock,
                watched: 0,
                missed: 0,
                over: Span::default(),
            });
            let done = state.met.unwrap_or(to);
            line.watched += 1;
            if done > state.limit() {
                line.missed += 1;
                line.over = Span::of(line.over.get() + passed(state.limit(), done));
            }
        }
    }
    figures.into_values().collect()
}

/// Of the dates of the time, whenever they were counted: as the service levels have them.
fn rounds(state: &State, (first, last): (Date, Date)) -> Vec<RoundFigures> {
    let mut figures: BTreeMap<&BatchId, RoundFigures> = BTreeMap::new();
    let days = state.standing.inspected.days.range(first..=last);
    for day in days.flat_map(|(_, (_, batches))| batches) {
        let line = figures.entry(&day.batch).or_insert(RoundFigures {
            batch: day.batch.clone(),
            wanted: 0,
            done: 0,
            missed: 0,
        });
        line.wanted += day.wanted;
        line.done += day.done;
        line.missed += day.wanted.saturating_sub(day.done);
    }
    figures.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fact::Fact;
    use crate::core::inspection::{BatchCount, DayCount};

    /// The last day of a period is counted when the next has begun.
    #[test]
    fn rounds_are_those_of_the_dates_of_the_period_whenever_they_were_counted() {
        let mut state = State::default();
        let midnights = [
            ("2026-09-30", "2026-10-01T00:00:00Z", 1),
            ("2026-10-01", "2026-10-02T00:00:00Z", 3),
            ("2026-12-31", "2027-01-01T00:00:00Z", 2),
        ];
        for (date, at, done) in midnights {
            let batches =
                vec![BatchCount { batch: BatchId::new("look").unwrap(), wanted: 4, done }];
            let counted = DayCount { date: date.parse().unwrap(), batches };
            let fact = Fact::InspectionsCounted(Box::new(counted));
            state.apply(at.parse().unwrap(), &fact).unwrap();
        }
        let period: Period = "2026-Q4".parse().unwrap();
        let [line] = &rounds(&state, period.dates())[..] else { panic!("one batch") };
        assert_eq!((line.wanted, line.done, line.missed), (8, 5, 3));
    }
}
