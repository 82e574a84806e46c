//! Who holds units of what, for the [invariants](super::invariant): counted from the state, whatever the agenda's books say.

use std::collections::BTreeMap;

use super::gate::{self, Resource};
use super::phase::Phase;
use super::state::{Run, State};
use crate::definition::site::{Job, Kind, Site};
use crate::types::{RunId, TargetName};

/// Jobs that may hold units of a resource. It only says where to look: the state says who does, and those that hold none
/// any more are dropped when they are next met.
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<Resource, Vec<(RunId, usize)>>);

impl Holders {
    /// For a state that was not built by checked facts.
    pub(super) fn of(state: &State) -> Self {
        let mut holders = Self::default();
        for run in state.runs.values() {
            for index in (0..run.jobs.len()).filter(|index| holds(run, *index)) {
                holders.add(run, index);
            }
        }
        holders
    }

    /// The job is about to hold what it takes.
    pub(super) fn add(&mut self, run: &Run, index: usize) {
        for (resource, _) in taken(run, index) {
            self.0.entry(resource).or_default().push((run.id().clone(), index));
        }
    }

    /// With this job none of its resources is used beyond its size.
    pub(super) fn room(&mut self, state: &State, run: &Run, index: usize) -> Result<(), String> {
        for (resource, wanted) in taken(run, index) {
            let mut used: u32 = 0;
            if let Some(holders) = self.0.get_mut(&resource) {
                holders.retain(|(id, at)| {
                    let units = units_held(state, id, *at, &resource);
                    used = used.saturating_add(units.unwrap_or(0));
                    units.is_some()
                });
            }
            let size = gate::size(run, &resource);
            if used.saturating_add(wanted) > size {
                let what = match &resource {
                    Resource::Host(host) => format!("host {host}"),
                    Resource::Pool(pool) => format!("pool {pool}"),
                    Resource::Target(target) => format!("target {target}"),
                };
                return Err(format!(
                    "{used} of the {size} units of {what} are in use, and it takes {wanted}"
                ));
            }
        }
        Ok(())
    }
}

/// The target that a job works on or looks at.
pub(super) fn target<'a>(site: &'a Site, job: &'a Job) -> Option<&'a TargetName> {
    match &job.kind {
        Kind::Sql { target, .. } | Kind::WaitSql { target, .. } => Some(target),
        Kind::Change { change } => site.changes.get(change).map(|change| &change.target),
        _ => None,
    }
}

/// What a job takes while it may be running. Waits take a place nowhere but in their pools; each target has one writer.
fn taken(run: &Run, index: usize) -> Vec<(Resource, u32)> {
    let job = run.job(index);
    let pools = job.pools.iter().map(|(pool, units)| (Resource::Pool(pool.clone()), *units));
    let mut taken: Vec<(Resource, u32)> = pools.collect();
    if matches!(job.kind, Kind::WaitFile { .. } | Kind::WaitSql { .. }) {
        return taken;
    }
    taken.push((Resource::Host(job.host.clone()), 1));
    taken.extend(target(&run.site, job).map(|target| (Resource::Target(target.clone()), 1)));
    taken
}

fn holds(run: &Run, index: usize) -> bool {
    let phase = &run.jobs[index].phase;
    matches!(phase, Phase::Starting | Phase::Running | Phase::InDoubt { .. })
}

/// `None` where the job holds nothing (any more).
fn units_held(state: &State, run: &RunId, index: usize, resource: &Resource) -> Option<u32> {
    let run = state.runs.get(run).filter(|run| holds(run, index))?;
    Some(match resource {
        Resource::Pool(pool) => run.job(index).pools.get(pool).copied().unwrap_or(0),
        Resource::Host(_) | Resource::Target(_) => 1,
    })
}
