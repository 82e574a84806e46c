//! Who holds units of what, for the [invariants](super::invariant): counted from the state, whatever the agenda's books say.

use std::collections::{BTreeMap, VecDeque};

use super::gate::{self, Resource};
use super::phase::Phase;
use super::state::{JobState, Run, State};
use crate::definition::site::Kind;
use crate::types::{Ending, HostName, RunId};
use crate::wire::Ended;

/// By resource, attempts that may hold units of it. The sum over them is never too small: one is dropped only when the
/// state says that it holds nothing any more, and the state is asked only where the sum leaves too little room.
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<Resource, Holding>);

#[derive(Debug, Default)]
struct Holding {
    /// The longest unasked first.
    attempts: VecDeque<Held>,
    units: u32,
}

#[derive(Debug)]
struct Held {
    run: RunId,
    index: usize,
    number: u32,
    units: u32,
}

impl Holders {
    /// For a state that was not built by checked facts.
    pub(super) fn of(state: &State) -> Self {
        let mut holders = Self::default();
        for run in state.runs.values() {
            let may_hold = |job: &JobState| {
                job.phase.in_flight() || matches!(job.phase, Phase::InDoubt { .. })
            };
            for (index, job) in run.jobs.iter().enumerate().filter(|(_, job)| may_hold(job)) {
                if let (Some(last), Some(worked)) = (job.attempts.last(), job.last_worked()) {
                    holders.add(run, index, last.number, &worked.host);
                }
            }
        }
        holders
    }

    /// An attempt is about to hold what its job takes on a host.
    pub(super) fn add(&mut self, run: &Run, index: usize, number: u32, host: &HostName) {
        for (resource, units) in taken(run, index, host) {
            let holding = self.0.entry(resource).or_default();
            holding.units = holding.units.saturating_add(units);
            holding.attempts.push_back(Held { run: run.id().clone(), index, number, units });
        }
    }

    /// With this job on that host none of its resources is used beyond its size.
    pub(super) fn room(
        &mut self,
        state: &State,
        run: &Run,
        index: usize,
        host: &HostName,
    ) -> Result<(), String> {
        for (resource, wanted) in taken(run, index, host) {
            let size = gate::size(state, run, &resource);
            let used = match self.0.get_mut(&resource) {
                Some(holding) => holding.at_most(state, &resource, size.saturating_sub(wanted)),
                None => 0,
            };
            if used.saturating_add(wanted) > size {
                let what = match &resource {
                    Resource::Host(host) => format!("host {host}"),
                    Resource::Pool(pool) => format!("pool {pool}"),
                    Resource::HostPool(host, pool) => format!("pool {pool} of {host}"),
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

impl Holding {
    /// Asks the state until no more than `enough` units can be in use, or all have been asked after: then exactly what is
    /// in use is the answer.
    fn at_most(&mut self, state: &State, resource: &Resource, enough: u32) -> u32 {
        for _ in 0..self.attempts.len() {
            if self.units <= enough {
                break;
            }
            let Some(held) = self.attempts.pop_front() else { break };
            let job = state.runs.get(&held.run).and_then(|run| run.jobs.get(held.index));
            let latest = |job: &&JobState| {
                holds(job, resource)
                    && job.attempts.last().is_some_and(|last| last.number == held.number)
            };
            if job.filter(latest).is_some() {
                self.attempts.push_back(held);
            } else {
                self.units = self.units.saturating_sub(held.units);
            }
        }
        self.units
    }
}

/// What a job takes while it may be running there. Waits take a place nowhere but in their pools; what works a connection of its target.
fn taken(run: &Run, index: usize, host: &HostName) -> Vec<(Resource, u32)> {
    let job = run.job(index);
    let mut taken: Vec<(Resource, u32)> = Vec::new();
    for (pool, units) in &job.pools {
        let own = run.site.hosts.get(host).and_then(|host| host.pools.get(pool));
        taken.push(match own {
            Some(_) => (Resource::HostPool(host.clone(), pool.clone()), *units),
            None => (Resource::Pool(pool.clone()), *units),
        });
    }
    if matches!(job.kind, Kind::WaitFile { .. } | Kind::WaitSql { .. }) {
        return taken;
    }
    taken.push((Resource::Host(host.clone()), 1));
    if job.kind.only_looks() {
        return taken;
    }
    taken.extend(job.kind.target(&run.site).map(|target| (Resource::Target(target.clone()), 1)));
    taken
}

/// One in doubt too: what it worked on may be half done. Places of hosts are for what runs: one whose attempt is known to
/// be over, however it came out, has none.
fn holds(job: &JobState, resource: &Resource) -> bool {
    match job.phase {
        Phase::Starting | Phase::Running if !job.is_examined() => true,
        Phase::InDoubt { .. } | Phase::Starting | Phase::Running => {
            let ended = job.last_worked().and_then(|last| last.ended.as_deref());
            let unknown = |ended: &Ended| matches!(ended.ending, Ending::Unknown { .. });
            !matches!(resource, Resource::Host(_)) || ended.is_none_or(unknown)
        }
        _ => false,
    }
}
