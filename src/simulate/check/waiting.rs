//! Every waiting job can say why, and what it waits for can come: a time that the core will wake for, a job that moves,
//! or something that people must lift.

use std::collections::BTreeSet;

use super::Violation;
use crate::core::gate::Resource;
use crate::core::night::Core;
use crate::core::obstacle::Obstacle;
use crate::core::phase::Phase;
use crate::core::state::Run;
use crate::types::{BusinessDate, JobRef, Now, RunId};

/// Whose turn it is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Turn {
    next: usize,
}

/// Waiting jobs that are looked at after each step, and jobs that are passed over for them at the most.
const EACH_STEP: usize = 4;
const PASSED_OVER: usize = 32;

impl Turn {
    pub(super) fn look(
        &mut self,
        core: &Core,
        going: &BTreeSet<RunId>,
        now: Now,
    ) -> Result<(), Violation> {
        let jobs: usize = core.state().runs.values().map(|run| run.jobs.len()).sum();
        let mut looked = 0;
        for _ in 0..jobs.min(PASSED_OVER) {
            self.next = (self.next + 1) % jobs;
            let mut at = self.next;
            for run in core.state().runs.values() {
                if at < run.jobs.len() {
                    looked += usize::from(one(core, going, (run, at), now)?);
                    break;
                }
                at -= run.jobs.len();
            }
            if looked == EACH_STEP {
                break;
            }
        }
        Ok(())
    }
}

pub(super) fn all(core: &Core, going: &BTreeSet<RunId>, now: Now) -> Result<(), Violation> {
    for run in core.state().runs.values() {
        for index in 0..run.jobs.len() {
            one(core, going, (run, index), now)?;
        }
    }
    Ok(())
}

/// Whether the job waits; an error where it does and nothing that it waits for can come.
fn one(
    core: &Core,
    going: &BTreeSet<RunId>,
    (run, index): (&Run, usize),
    now: Now,
) -> Result<bool, Violation> {
    if !matches!(run.jobs[index].phase, Phase::Waiting | Phase::RetryWait { .. }) {
        return Ok(false);
    }
    let what = || format!("{} {}", run.id(), run.job(index).name);
    let obstacles = core.obstacles(run.id(), index, now)?;
    if obstacles.is_empty() {
        return Err(Violation::NoObstacle(what()));
    }
    if !going.contains(run.id()) {
        return Ok(true);
    }
    let standing: Vec<&Obstacle> =
        obstacles.iter().filter(|obstacle| !is_settling(obstacle)).collect();
    if standing.is_empty() {
        let why = format!("it should be settled by now: {obstacles:?}");
        return Err(Violation::ForEver(what(), why));
    }
    for obstacle in &standing {
        // What has other things in its way is not woken for its time alone.
        if let Some(why) = never(core, obstacle, standing.len() == 1, now) {
            return Err(Violation::ForEver(what(), why));
        }
    }
    Ok(true)
}

/// What does not go away by itself and settles the job in the very step in which nothing else is left.
fn is_settling(obstacle: &Obstacle) -> bool {
    match obstacle {
        Obstacle::NotAsked | Obstacle::NotItsDay { .. } => true,
        Obstacle::Need { outcome, .. } | Obstacle::Across { outcome, .. } => outcome.is_some(),
        _ => false,
    }
}

/// Why an obstacle will never go, if so.
fn never(core: &Core, obstacle: &Obstacle, alone: bool, now: Now) -> Option<String> {
    let wake = core.next_move();
    match obstacle {
        Obstacle::RetryWait { due, .. } if alone => {
            let woken = wake.since_boot.is_some_and(|at| at <= *due);
            (!woken).then(|| format!("nobody wakes for the next try, due {due:?}: {wake:?}"))
        }
        Obstacle::WaitsUntil { at } if alone => {
            let woken = wake.wall.is_some_and(|wake| wake <= *at);
            (!woken).then(|| format!("nobody wakes at {at}: {wake:?}"))
        }
        Obstacle::Window { next: Some(next), .. } if alone => {
            let woken = wake.wall.is_some_and(|wake| wake <= *next);
            (!woken).then(|| format!("nobody wakes for the window, at {next}: {wake:?}"))
        }
        Obstacle::Window { next: Some(next), .. } if *next <= now.wall => {
            Some(format!("its window opens at {next}, which is past"))
        }
        // It has its declared size again in the morning, and somebody wakes for that.
        Obstacle::Full { resource: Resource::Pool(pool), .. }
            if core.state().standing.pools.contains_key(pool) =>
        {
            let until = core.state().standing.pools[pool].until;
            let woken = wake.wall.is_some_and(|wake| wake <= until);
            (!woken).then(|| format!("nobody wakes when {pool} has its size again, at {until}"))
        }
        Obstacle::Full { used: 0, needed, size, resource } => {
            Some(format!("{needed} of {size} units of {resource:?} are wanted, and nobody has any"))
        }
        Obstacle::Across { job, date, outcome: None, .. } => untold(core, job, *date),
        _ => None,
    }
}

/// A job of another run here came out, and those that wait for it were not told.
fn untold(core: &Core, job: &JobRef, date: BusinessDate) -> Option<String> {
    let runs = core.state().runs.values();
    let mut of_date = runs.filter(|run| {
        let opened = &run.opened;
        opened.batch == job.batch && opened.business_date == date && !opened.trial
    });
    let latest = of_date.next_back()?;
    let outcome = latest.jobs[latest.index(&job.job)?].phase.outcome()?;
    Some(format!("{job} of {date} is {outcome:?}, and it was not told"))
}
