//! On which host a job begins: one that it may run on, that is up, takes new work, is closed by no freeze and has room.
//! It is chosen when an attempt is intended and not before, so that what waits goes where room comes up first.

use jiff::Timestamp;

use super::change;
use super::gate::{self, Resource};
use super::night::Core;
use super::phase::Phase;
use super::state::{Run, State, Unfit};
use super::window::Gate;
use crate::definition::site::{Choose, Placement};
use crate::types::{HostName, Label, Now, PoolName, RunId};

/// What keeps a job from a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bar {
    Away(HostName),
    Draining(HostName),
    /// So many units are wanted of a resource that has so many.
    Full {
        resource: Resource,
        units: u32,
        size: u32,
    },
}

/// What keeps a queued job from every host that it may run on, one thing for each. All that are kept by the same start,
/// best first, once one of these is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Barrier(Vec<Bar>);

impl Barrier {
    pub(super) fn is_about(&self, pool: &PoolName) -> bool {
        let of_it = |bar: &Bar| matches!(bar, Bar::Full { resource: Resource::Pool(full), .. } if full == pool);
        self.0.iter().any(of_it)
    }
}

/// Where a job could begin now, as far as hosts and their resources go.
#[derive(Debug)]
pub(super) enum Room {
    /// On each of these, by name.
    On(Vec<HostName>),
    /// `opens`: when a freeze ends that closes another host to it.
    Nowhere { barrier: Barrier, opens: Option<Timestamp> },
}

/// Why one of several hosts does not take a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shut {
    Away,
    Draining,
    /// As many attempts run there as may.
    Full,
    Pool(PoolName),
    /// A freeze names it.
    Closed,
}

/// What a job asks for, where it is to run as another one did that never ran: what that one asks for.
fn asked(run: &Run, index: usize) -> Where<'_> {
    if let Some(host) = bound(run, index) {
        return Where::On(host);
    }
    let mut index = index;
    for _ in 0..=run.jobs.len() {
        match &run.job(index).host {
            Placement::On(host) => return Where::On(host),
            Placement::Among { label, choose } => return Where::Among(label, *choose),
            Placement::SameAs { job } => {
                let Some(other) = run.index(job) else { break };
                if let Some(last) = run.jobs[other].attempts.last() {
                    return Where::On(&last.host);
                }
                index = other;
            }
        }
    }
    Where::Nowhere
}

/// What became of the last attempt can only be found out where it ran: a job of Slurm by the folder that it has there, a change
/// in doubt by the files of that host.
fn bound(run: &Run, index: usize) -> Option<&HostName> {
    let job = &run.jobs[index];
    let is_bound = run.job(index).slurm.is_some() || matches!(job.phase, Phase::InDoubt { .. });
    job.attempts.last().filter(|_| is_bound).map(|last| &last.host)
}

enum Where<'a> {
    On(&'a HostName),
    Among(&'a Label, Choose),
    /// It names a job that is not there, which no site without defects has.
    Nowhere,
}

/// Hosts that the next attempt of a job may run on, by name. In a trial those that are marked for it.
pub fn hosts(run: &Run, index: usize) -> Vec<&HostName> {
    match asked(run, index) {
        Where::On(host) => vec![host],
        Where::Nowhere => Vec::new(),
        Where::Among(label, _) => {
            let marked = |host: &&HostName| {
                !run.opened.trial || run.site.hosts.get(*host).is_some_and(|host| host.trial)
            };
            run.site.labelled(label).filter(marked).collect()
        }
    }
}

/// Where a job ran last; of one that has not begun the first host that it may run on.
pub fn latest(run: &Run, index: usize) -> Option<&HostName> {
    let last = run.jobs[index].attempts.last().map(|last| &last.host);
    last.or_else(|| hosts(run, index).into_iter().next())
}

/// The label that a job asks a host of.
pub fn label(run: &Run, index: usize) -> Option<&Label> {
    match asked(run, index) {
        Where::Among(label, _) => Some(label),
        Where::On(_) | Where::Nowhere => None,
    }
}

/// Of hosts, those that gates may treat otherwise than the first one: none where no freeze names a host.
fn told_apart<'a>(state: &State, run: &'a Run, index: usize) -> Vec<&'a HostName> {
    let mut hosts = hosts(run, index);
    let ordered = state.standing.freezes.values().map(|ordered| &ordered.what);
    if run.site.freezes.iter().chain(ordered).all(|freeze| freeze.scope.hosts.is_empty()) {
        hosts.truncate(1);
    }
    hosts
}

/// The gate of a job that may run on several hosts: open where one of them is, as long as the last of those; else closed
/// until the first opens.
pub(super) fn any_gate(
    state: &State,
    run: &Run,
    index: usize,
    gate: impl Fn(&HostName) -> Gate,
) -> Gate {
    let gates = told_apart(state, run, index).into_iter().map(gate);
    gates.reduce(better).unwrap_or(Gate::Open { closes: None })
}

/// Of the gates of two hosts, the one that a job has that may run on either.
pub(crate) fn better(one: Gate, other: Gate) -> Gate {
    let late = |at: Option<Timestamp>| at.unwrap_or(Timestamp::MAX);
    match (&one, &other) {
        (Gate::Open { closes: a }, Gate::Open { closes: b }) if late(*a) >= late(*b) => one,
        (Gate::Open { .. }, Gate::Closed { .. }) => one,
        (Gate::Closed { next: a, .. }, Gate::Closed { next: b, .. }) if late(*a) <= late(*b) => one,
        _ => other,
    }
}

/// As [`any_gate`], for what the rules of changes say: nothing is missing, or what is missing there soonest.
pub(super) fn any_clearance<T>(
    state: &State,
    (run, index): (&Run, usize),
    clearance: impl Fn(&HostName) -> Option<Result<T, Vec<change::Missing>>>,
) -> Option<Result<T, Vec<change::Missing>>> {
    let next = |missing: &[change::Missing]| {
        missing.iter().filter_map(change::Missing::next).max().unwrap_or(Timestamp::MIN)
    };
    let mut all = told_apart(state, run, index).into_iter().map(clearance);
    let mut found = all.next()?;
    for other in all {
        found = match (found, other) {
            (Some(Err(one)), Some(Err(other))) if next(&one) <= next(&other) => Some(Err(one)),
            (Some(Err(_)), other) => other,
            (found, _) => found,
        };
    }
    found
}

impl Core {
    /// Whether a host takes no new attempts.
    pub(super) fn drains(&self, host: &HostName) -> bool {
        self.state.standing.drains.contains_key(host)
    }

    /// The first thing that keeps a job from a host. A look at what became of a change takes no room.
    fn bar(&self, run: &Run, index: usize, host: &HostName) -> Option<Bar> {
        if !self.hosts.contains_key(host) {
            return Some(Bar::Away(host.clone()));
        }
        if self.drains(host) {
            return Some(Bar::Draining(host.clone()));
        }
        if matches!(run.jobs[index].phase, Phase::InDoubt { .. }) {
            return None;
        }
        let resources = gate::resources(run, index, host);
        let (resource, units) = self.without_room(run, &resources).next()?;
        let size = gate::size(&self.state, run, resource);
        Some(Bar::Full { resource: resource.clone(), units, size })
    }

    pub(super) fn stands(&self, barrier: Option<&Barrier>) -> bool {
        let stands = |bar: &Bar| match bar {
            Bar::Away(host) => !self.hosts.contains_key(host),
            Bar::Draining(host) => self.drains(host),
            Bar::Full { resource, units, size } => self.used(resource) + units > *size,
        };
        barrier.is_some_and(|barrier| barrier.0.iter().all(stands))
    }

    /// When a freeze that names a host no longer closes it to a job; `None`: none does. The inner one: never.
    fn closed_there(
        &self,
        run: &Run,
        index: usize,
        host: &HostName,
        now: Now,
    ) -> Result<Option<Option<Timestamp>>, Unfit> {
        let rules = self.rules_of(run)?;
        let (state, at, assumed) = (&self.state, now.wall, self.people_assumed);
        if let Some(cleared) = change::cleared_on(state, rules, (run, index), host, at, assumed) {
            let next = |missing: Vec<change::Missing>| {
                missing.iter().filter_map(change::Missing::next).max()
            };
            return Ok(cleared.err().map(next));
        }
        Ok(match gate::window_gate_on(state, rules, (run, index), host, now) {
            Gate::Open { .. } => None,
            Gate::Closed { next, .. } => Some(next),
        })
    }

    /// Hosts that no freeze closes to a job, all where each is closed; and when another one opens.
    fn open_hosts<'a>(
        &self,
        run: &'a Run,
        index: usize,
        now: Now,
    ) -> Result<(Vec<&'a HostName>, Option<Timestamp>), Unfit> {
        let all = hosts(run, index);
        let examined = matches!(run.jobs[index].phase, Phase::InDoubt { .. });
        if all.len() < 2 || examined || told_apart(&self.state, run, index).len() < 2 {
            return Ok((all, None));
        }
        let (mut open, mut opens) = (Vec::new(), None);
        for host in &all {
            match self.closed_there(run, index, host, now)? {
                None => open.push(*host),
                Some(next) => opens = opens.into_iter().chain(next).min(),
            }
        }
        Ok(if open.is_empty() { (all, None) } else { (open, opens) })
    }

    /// Where a job could begin now.
    pub(super) fn room(&self, run: &RunId, index: usize, now: Now) -> Result<Room, Unfit> {
        let run = self.state.run(run)?;
        let (open, opens) = self.open_hosts(run, index, now)?;
        let (mut free, mut bars) = (Vec::new(), Vec::new());
        for host in open {
            match self.bar(run, index, host) {
                None => free.push(host.clone()),
                Some(bar) => bars.push(bar),
            }
        }
        if !free.is_empty() {
            return Ok(Room::On(free));
        }
        // A pool of the site keeps it from each of them.
        bars.dedup();
        Ok(Room::Nowhere { barrier: Barrier(bars), opens })
    }

    /// The one of several hosts on which a job begins.
    pub(super) fn choose<'a>(
        &self,
        run: &Run,
        index: usize,
        free: &'a [HostName],
    ) -> Option<&'a HostName> {
        let last = match asked(run, index) {
            Where::Among(label, Choose::RoundRobin) => self.state.placed.get(label),
            _ => {
                let most = |host: &HostName| run.site.hosts.get(host).map_or(1, |h| h.max_running);
                let used = |host: &HostName| self.used(&Resource::Host(host.clone()));
                // As a part of what each may run: a / b < c / d.
                let part = |of: &HostName, other: &HostName| {
                    u64::from(used(of)).saturating_mul(u64::from(most(other)))
                };
                return free.iter().min_by(|a, b| part(a, b).cmp(&part(b, a)).then(a.cmp(b)));
            }
        };
        free.iter().find(|host| last.is_none_or(|last| *host > last)).or(free.first())
    }

    /// Why none of several hosts takes a job, each by the first thing that is its own; empty: one does, or it is not the
    /// hosts that keep it. `lacks`: resources of the site with too few units.
    pub(super) fn shut(
        &self,
        run: &Run,
        index: usize,
        now: Now,
        lacks: &[Resource],
    ) -> Result<Vec<(HostName, Shut)>, Unfit> {
        let mut shut = Vec::new();
        let (open, _) = self.open_hosts(run, index, now)?;
        for host in hosts(run, index) {
            let why = match self.bar(run, index, host) {
                _ if !open.contains(&host) => Shut::Closed,
                None => return Ok(Vec::new()),
                Some(Bar::Away(_)) => Shut::Away,
                Some(Bar::Draining(_)) => Shut::Draining,
                Some(Bar::Full { resource: Resource::Host(_), .. }) => Shut::Full,
                Some(Bar::Full { resource, .. }) if lacks.contains(&resource) => {
                    return Ok(Vec::new());
                }
                Some(Bar::Full { resource: Resource::HostPool(_, pool), .. })
                | Some(Bar::Full { resource: Resource::Pool(pool), .. }) => Shut::Pool(pool),
                Some(Bar::Full { resource: Resource::Target(_), .. }) => return Ok(Vec::new()),
            };
            shut.push((host.clone(), why));
        }
        Ok(shut)
    }
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
