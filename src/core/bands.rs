//! When work of a run may be done at all: the openings of the windows that bind its jobs, and the freezes that stop one.

use std::collections::BTreeMap;

use super::gate::{target, windows};
use super::night::Core;
use super::opening::Interval;
use super::placement;
use super::state::{Run, Unfit};
use super::window::{Subject, stops};
use crate::definition::site::Freeze;
use crate::types::{Outcome, WindowClass};

/// The window classes that bind jobs of a run, each with its openings between two instants, freezes left aside.
///
/// # Errors
/// Its definition is not known here.
pub fn openings<'a>(
    core: &Core,
    run: &'a Run,
    (from, to): Interval,
) -> Result<BTreeMap<&'a WindowClass, Vec<Interval>>, Unfit> {
    let rules = core.rules_of(run)?;
    let mut bands = BTreeMap::new();
    for class in taking_part(run).flat_map(|index| windows(run, index)) {
        bands.entry(class).or_insert_with(|| rules.windows.openings(class, from, to));
    }
    Ok(bands)
}

/// Freezes, declared or ordered, that stop a job of a run at some time between two instants, those that begin first first.
pub fn freezes<'a>(core: &'a Core, run: &'a Run, (from, to): Interval) -> Vec<&'a Freeze> {
    let ordered = &core.state().standing.freezes;
    let known = run.site.freezes.iter().chain(ordered.values().map(|ordered| &ordered.what));
    let stopped = |freeze: &Freeze, index: usize| {
        let (batch, target, classes) = (&run.batch.id, target(run, index), windows(run, index));
        // A job that may run on another host is not stopped.
        placement::hosts(run, index)
            .into_iter()
            .all(|host| stops(&freeze.scope, &classes, Subject { batch, target, host, ordered }))
    };
    let mut freezes: Vec<&Freeze> = known
        .filter(|freeze| freeze.from.max(from) < freeze.to.min(to))
        .filter(|freeze| taking_part(run).any(|index| stopped(freeze, index)))
        .collect();
    freezes.sort_by_key(|freeze| (freeze.from, freeze.to));
    freezes
}

/// What is not to be done that day is bound by nothing.
fn taking_part(run: &Run) -> impl Iterator<Item = usize> + '_ {
    let jobs = run.jobs.iter().enumerate();
    let outcome = jobs.map(|(index, job)| (index, job.phase.outcome()));
    outcome.filter(|(_, outcome)| *outcome != Some(Outcome::NotScheduled)).map(|(index, _)| index)
}
