//! What must be looked at, and when: queues over the state that make a step cost what changed and not what there is.
//! Everything here can be made again from the state ([`Agenda::enlist`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::fact::Deadline;
use super::gate::{self, Resource, across_needs};
use super::placement::Barrier;
use super::state::{Missed, Run};
use crate::types::{BusinessDate, Due, JobName, JobRef, Now, PoolName, RunId};

/// A job of a run, by its index.
pub(super) type JobKey = (RunId, usize);

/// Of a job that could start but for its gate, the best first: higher priority, then the run whose id comes first (of one
/// batch the older date), then earlier in the file.
pub(super) type Place = (Reverse<i32>, RunId, usize);

#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// Jobs to be considered in this step.
    dirty: BTreeSet<JobKey>,
    /// By what kept them from starting when they were tried last; `None`: they have not been tried.
    pub(super) ready: BTreeMap<Option<Barrier>, BTreeSet<Place>>,
    wall: BTreeSet<(Timestamp, JobKey)>,
    boot: BTreeSet<(Duration, JobKey)>,
    pub(super) deadlines: BTreeSet<(Timestamp, RunId, Option<JobName>, Deadline)>,
    /// Who waits for a job of another run.
    across: BTreeMap<(JobRef, BusinessDate), BTreeSet<JobKey>>,
    /// Runs that are set going: opened here or resumed, and not over. The others are not looked at.
    going: BTreeSet<RunId>,
    /// Runs that may have come to their end.
    pub(super) maybe_over: BTreeSet<RunId>,
    /// Runs whose needs of others are taken in above, and whose use of resources below.
    known: BTreeSet<RunId>,
    /// Units in use, of pools, targets and hosts.
    pub(super) used: BTreeMap<Resource, u32>,
    /// Deadlines are not judged before this time since boot: a host has yet to say what ended meanwhile.
    pub(super) deadlines_from: Option<Duration>,
    /// The latest that the wall clock showed since it was last stepped back.
    seen: Option<Timestamp>,
}

impl Agenda {
    /// Takes in everything of a run that is not over; again after it was resumed or reopened.
    pub(super) fn enlist(&mut self, run: &Run) {
        let id = run.id().clone();
        self.know(run);
        self.going.insert(id.clone());
        for (index, state) in run.jobs.iter().enumerate() {
            if state.phase.outcome().is_none() {
                self.dirty.insert((id.clone(), index));
            }
            // A job that is settled too: it may be asked for again, and is no less late for having failed before.
            self.watch_job(run, index);
        }
        self.watch_run(run);
        self.maybe_over.insert(id);
    }

    /// Takes in, once, what even a run that is over must be known by: what its jobs have (those in doubt too), and
    /// which jobs of other runs they need.
    pub(super) fn know(&mut self, run: &Run) {
        if !self.known.insert(run.id().clone()) {
            return;
        }
        for (index, state) in run.jobs.iter().enumerate() {
            for need in across_needs(run, index) {
                self.across.entry(need).or_default().insert((run.id().clone(), index));
            }
            self.take(&gate::kept(run, index, gate::keeps(state)));
        }
    }

    pub(super) fn watch_job(&mut self, run: &Run, index: usize) {
        for deadline in [Deadline::MustStartBy, Deadline::MustCompleteBy] {
            self.watch(run, Some(index), deadline);
        }
    }

    fn watch_run(&mut self, run: &Run) {
        for deadline in [Deadline::MustStartBy, Deadline::MustCompleteBy] {
            self.watch(run, None, deadline);
        }
    }

    fn watch(&mut self, run: &Run, job: Option<usize>, deadline: Deadline) {
        let Some(due) = run.due(job, deadline) else { return };
        let job = job.map(|index| run.job(index).name.clone());
        let same = |m: &&Missed| m.job == job && m.deadline == deadline && m.due == due;
        if run.missed.iter().find(same).is_none() {
            self.deadlines.insert((due, run.id().clone(), job, deadline));
        }
    }

    /// A deadline was moved: the former time is not waited for any more.
    pub(super) fn watch_moved(&mut self, run: &Run, job: Option<usize>, deadline: Deadline) {
        let name = job.map(|index| run.job(index).name.clone());
        self.deadlines
            .retain(|(_, of, job, kind)| of != run.id() || *job != name || *kind != deadline);
        if self.going.contains(run.id()) {
            self.watch(run, job, deadline);
        }
    }

    /// Forgets the place of a job among those that could start: it has another one now.
    pub(super) fn leave_queue(&mut self, run: &RunId, index: usize) {
        for queue in self.ready.values_mut() {
            queue.retain(|(_, id, at)| id != run || *at != index);
        }
        self.ready.retain(|_, queue| !queue.is_empty());
    }

    /// Whoever found no room in a pool tries again: it has another size.
    pub(super) fn pool_changed(&mut self, pool: &PoolName) {
        let of_it = |barrier: &&Option<Barrier>| barrier.as_ref().is_some_and(|b| b.is_about(pool));
        let stale: Vec<Option<Barrier>> = self.ready.keys().filter(of_it).cloned().collect();
        for barrier in stale {
            let places = self.ready.remove(&barrier).unwrap_or_default();
            self.ready.entry(None).or_default().extend(places);
        }
    }

    pub(super) fn touch(&mut self, run: &RunId, index: usize) {
        if self.going.contains(run) {
            self.dirty.insert((run.clone(), index));
        }
    }

    pub(super) fn pop_dirty(&mut self) -> Option<JobKey> {
        self.dirty.pop_first()
    }

    pub(super) fn wake_at(&mut self, at: Timestamp, run: &RunId, index: usize) {
        self.wall.insert((at, (run.clone(), index)));
    }

    pub(super) fn wake_since_boot(&mut self, due: Duration, run: &RunId, index: usize) {
        self.boot.insert((due, (run.clone(), index)));
    }

    /// Whether the wall clock shows less than it did: then no time that was waited for means what it meant.
    pub(super) fn stepped_back(&mut self, wall: Timestamp) -> bool {
        self.seen.replace(wall).is_some_and(|seen| wall < seen)
    }

    /// All jobs of a run that are not over are considered again.
    pub(super) fn reconsider(&mut self, run: &Run) {
        let open = run.jobs.iter().enumerate().filter(|(_, job)| job.phase.outcome().is_none());
        for (index, _) in open {
            self.touch(run.id(), index);
        }
    }

    /// Everyone who waits for this job of another run.
    pub(super) fn waiting_for(&self, job: &JobRef, date: BusinessDate) -> Vec<JobKey> {
        self.across
            .get(&(job.clone(), date))
            .map(|keys| keys.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// Jobs whose time has come are considered again.
    pub(super) fn due(&mut self, now: Now) {
        while self.wall.first().is_some_and(|(at, _)| *at <= now.wall) {
            self.dirty.extend(self.wall.pop_first().map(|(_, key)| key));
        }
        while self.boot.first().is_some_and(|(at, _)| *at <= now.since_boot) {
            self.dirty.extend(self.boot.pop_first().map(|(_, key)| key));
        }
    }

    pub(super) fn next_wake(&self) -> Due {
        let wall = self.wall.first().map(|(at, _)| *at);
        let boot = self.boot.first().map(|(at, _)| *at);
        let deadline = self.deadlines.first().map(|(at, ..)| *at);
        let deadline = if self.deadlines_from.is_some() { None } else { deadline };
        Due {
            wall: wall.into_iter().chain(deadline).min(),
            since_boot: boot.into_iter().chain(self.deadlines_from).min(),
        }
    }

    /// Deadlines wait for answers of hosts, at most until then. A host that comes and goes does not put them off again.
    pub(super) fn wait_for_answers(&mut self, until: Duration) {
        self.deadlines_from.get_or_insert(until);
    }

    pub(super) fn take(&mut self, resources: &[(Resource, u32)]) {
        for (resource, units) in resources {
            *self.used.entry(resource.clone()).or_default() += units;
        }
    }

    pub(super) fn give_back(&mut self, resources: &[(Resource, u32)]) {
        for (resource, units) in resources {
            if let Some(used) = self.used.get_mut(resource) {
                *used = used.saturating_sub(*units);
            }
        }
    }

    /// Forgets a run that the state is not to hold any more.
    pub(super) fn forget(&mut self, run: &Run) {
        self.known.remove(run.id());
        for index in 0..run.jobs.len() {
            for need in across_needs(run, index) {
                let Some(waiting) = self.across.get_mut(&need) else { continue };
                waiting.remove(&(run.id().clone(), index));
                if waiting.is_empty() {
                    self.across.remove(&need);
                }
            }
        }
    }

    /// Sets a run aside that is over; what [`know`](Self::know) took in stays.
    pub(super) fn drop_run(&mut self, run: &RunId) {
        self.going.remove(run);
        self.dirty.retain(|(id, _)| id != run);
        self.wall.retain(|(_, (id, _))| id != run);
        self.boot.retain(|(_, (id, _))| id != run);
        self.deadlines.retain(|(_, id, ..)| id != run);
        for queue in self.ready.values_mut() {
            queue.retain(|(_, id, _)| id != run);
        }
        self.ready.retain(|_, queue| !queue.is_empty());
    }
}
