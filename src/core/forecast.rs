//! The night as it is expected to go: the same core, driven by made-up endings. From nothing it is the plan, from a live
//! night the forecast of its end.
//!
//! What is made up: every attempt ends well after its expected duration (a wait without one at once, anything else
//! after [`UNKNOWN_TAKES`]); every host can be reached; a confirmation is given the moment it is asked for. What is not:
//! windows, freezes, calendars, pools, priorities, needs across runs, holds and stops are those of the core.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ahead::{Ahead, Later, Played};
use super::change::Lives;
use super::fact::{Deadline, RunOpened, Why};
use super::incident::Foreseen;
use super::night::{Core, StepError};
use super::obstacle::Obstacle;
use super::script::{AsExpected, Script};
use super::state::{Run, State};
use crate::definition::site::{Kind, Site};
use crate::types::{BusinessDate, JobRef, Now, Outcome, RunId};

/// What a job takes of which nothing is known.
pub const UNKNOWN_TAKES: Duration = Duration::from_secs(1);

/// How far ahead a forecast looks at the most.
pub const HORIZON: Duration = Duration::from_secs(10 * 86_400);

/// A run to be opened in the made-up night.
#[derive(Debug, Clone)]
pub struct Opening {
    pub at: Timestamp,
    pub opened: Box<RunOpened>,
}

/// How the runs are expected to go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    pub runs: BTreeMap<RunId, RunForecast>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RunForecast {
    /// When the run ends well; `None` where it does not by itself, or not within the horizon.
    pub end: Option<Timestamp>,
    /// By the index of the job in its batch.
    pub jobs: Vec<JobForecast>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobForecast {
    /// Start of the first attempt (for a wait until a time and a confirmation: when its needs are fulfilled).
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    /// Why it came out so, as far as it is not its own work.
    pub why: Option<Why>,
    /// It stands on a person's yes that is only assumed.
    pub assumed: bool,
    /// Where it never starts: what is in the way at the end of the horizon.
    pub obstacles: Vec<Obstacle>,
}

/// From the live night: how the runs under way are expected to end. `expected` of the runs is what their attempts take;
/// one that has taken longer is expected to end now.
pub fn of_night(core: &Core, now: Now) -> Result<Forecast, StepError> {
    let until = now.wall.saturating_add_duration(HORIZON);
    let mut ahead = Ahead::new(core.fork(), now, until, AsExpected);
    for run in core.state.runs.values().filter(|run| run.result.is_none()) {
        ahead.under_way(run);
    }
    ahead.hosts_up(core.state.runs.values().flat_map(|run| run.site.hosts.keys()).cloned())?;
    Ok(ahead.go()?.forecast)
}

/// Deadlines of runs under way that are yet to come and will be missed. What never comes to its end by itself has an
/// incident of its own.
pub fn late(state: &State, ahead: &Forecast, now: Timestamp) -> Vec<Foreseen> {
    let mut late = Vec::new();
    for run in state.runs.values().filter(|run| run.result.is_none() && !run.opened.trial) {
        let Some(forecast) = ahead.runs.get(run.id()) else { continue };
        let mut add = |index: Option<usize>, deadline, expected: Option<Timestamp>| {
            let due = run.due(index, deadline).filter(|due| *due > now);
            let Some((due, expected)) = due.zip(expected).filter(|(due, at)| at > due) else {
                return;
            };
            let job = index.map(|index| run.job(index).name.clone());
            late.push(Foreseen { run: run.id().clone(), job, deadline, due, expected });
        };
        let done = run.first_well.is_some();
        add(None, Deadline::MustCompleteBy, forecast.end.filter(|_| !done));
        for (index, job) in forecast.jobs.iter().enumerate() {
            let waits = run.jobs[index].phase.outcome().is_none();
            let begun = !run.jobs[index].attempts.is_empty();
            add(Some(index), Deadline::MustStartBy, job.start.filter(|_| waits && !begun));
            add(Some(index), Deadline::MustCompleteBy, job.end.filter(|_| waits));
        }
    }
    late
}

/// From nothing: how runs are expected to go that are opened at their instants. `known` is what is taken for granted of
/// jobs of other runs that are not among the openings.
pub fn of_openings(
    definitions: &[(String, Arc<Site>)],
    openings: Vec<Opening>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
) -> Result<Forecast, StepError> {
    of_lists(definitions, openings, known, Lives::new())
}

/// As [`of_openings`], where openings hold changes: by what was done with them so far.
pub fn of_lists(
    definitions: &[(String, Arc<Site>)],
    openings: Vec<Opening>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    lives: Lives,
) -> Result<Forecast, StepError> {
    let Some(ahead) = ahead(definitions, openings, (known, lives), AsExpected)? else {
        return Ok(Forecast::default());
    };
    Ok(ahead.go()?.forecast)
}

/// As [`of_openings`], with what the script makes up; the runs stay in the core. `None` where nothing is opened.
pub fn play(
    definitions: &[(String, Arc<Site>)],
    openings: Vec<Opening>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    script: impl Script,
) -> Result<Option<Played>, StepError> {
    let ahead = ahead(definitions, openings, (known, Lives::new()), script)?;
    ahead.map(|ahead| ahead.kept().go()).transpose()
}

fn ahead<S: Script>(
    definitions: &[(String, Arc<Site>)],
    mut openings: Vec<Opening>,
    (known, lives): (BTreeMap<(JobRef, BusinessDate), Outcome>, Lives),
    script: S,
) -> Result<Option<Ahead<S>>, StepError> {
    openings.sort_by(|a, b| (b.at, &b.opened.run).cmp(&(a.at, &a.opened.run)));
    let Some(first) = openings.last() else { return Ok(None) };
    let now = Now { wall: first.at, since_boot: Duration::ZERO };
    let last = openings.first().map_or(first.at, |last| last.at);
    let mut core = Core::new(1);
    core.state.standing.changes = lives;
    for (digest, site) in definitions {
        core.define(digest, Arc::clone(site));
    }
    let until = last.saturating_add_duration(HORIZON);
    let mut ahead = Ahead::new(core, now, until, script).open_later(openings, known);
    ahead.hosts_up(definitions.iter().flat_map(|(_, site)| site.hosts.keys()).cloned())?;
    Ok(Some(ahead))
}

/// How a run was expected to go when it was opened, its needs of other runs taken for granted.
pub fn as_opened(run: &Run) -> Result<RunForecast, StepError> {
    as_opened_by(run, Lives::new())
}

/// As [`as_opened`], by what was done with its changes so far.
pub fn as_opened_by(run: &Run, lives: Lives) -> Result<RunForecast, StepError> {
    let definitions = [(run.opened.definition.clone(), Arc::clone(&run.site))];
    let known = run
        .opened
        .across
        .iter()
        .filter_map(|need| Some(((need.job.clone(), need.wanted()?), Outcome::Succeeded)));
    let opening = Opening { at: run.opened_at, opened: Box::new(run.opened.clone()) };
    let forecast = of_lists(&definitions, vec![opening], known.collect(), lives)?;
    let own = forecast.runs.into_values().next();
    Ok(own.unwrap_or(RunForecast { end: None, jobs: Vec::new() }))
}

/// What a job is expected to take.
pub fn takes(run: &Run, index: usize) -> Duration {
    let job = run.job(index);
    let known = run.opened.expected.get(&job.name).copied().or(job.expected);
    let unknown = match job.kind {
        Kind::WaitFile { .. } | Kind::WaitSql { .. } => Duration::ZERO,
        _ => UNKNOWN_TAKES,
    };
    known.map_or(unknown, |span| span.get())
}
