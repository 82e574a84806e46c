//! The chain of jobs that the end of a night waited for, from what happened: backwards from the job that was over last,
//! at each to what kept it from starting sooner.
//!
//! The critical path of the plan ([`super::of_job::critical_path`]) counts durations alone. Here windows, hosts, pools
//! and people count as well, because they are often what a night waits for.

use jiff::{SignedDuration, Timestamp};

use super::job::StateWord;
use super::of_job::word;
use super::rehearsal::{PathStep, Supposed, WaitedFor};
use crate::core::gate::{self, Resource};
use crate::core::night::Core;
use crate::core::placement;
use crate::core::state::{Attempt, Run};
use crate::core::window::{Gate, NONE_ORDERED, Subject, WindowReason, Windows};
use crate::definition::site::Kind;
use crate::types::{JobName, JobRef, Outcome};

/// Finds paths in a night that is over.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    pub core: &'a Core,
    pub supposed: &'a [Supposed],
    /// Of the site that the night went by.
    pub windows: &'a Windows,
}

/// What kept a job from starting, and the job of the same run that is to be looked at next: none where a clock time
/// decided, because all before it had time to spare.
type Cause = (Option<WaitedFor>, Option<usize>);

impl Paths<'_> {
    /// In the order of their starts. Of a run that stands still: what the first fault waited for.
    pub fn of_run(&self, run: &Run) -> Vec<PathStep> {
        let mut at = self.last(run);
        let mut path = Vec::new();
        // A chain is no longer than the batch.
        while let Some(index) = at.filter(|_| path.len() < run.jobs.len()) {
            let (step, before) = self.step(run, index);
            path.push(step);
            at = before;
        }
        path.reverse();
        path
    }

    /// The names alone: what a distribution over many nights counts.
    pub fn names(&self, run: &Run) -> Vec<JobName> {
        self.of_run(run).into_iter().map(|step| step.job).collect()
    }

    /// The job of the first incident, else the one that was over last.
    fn last(&self, run: &Run) -> Option<usize> {
        let incidents = self.core.state().unfinished();
        let first = incidents
            .filter(|incident| incident.what.run.as_ref() == Some(run.id()) && incident.is_open())
            .filter_map(|incident| Some((incident.opened, run.index(incident.what.job.as_ref()?)?)))
            .min();
        if let Some((_, index)) = first {
            return Some(index);
        }
        latest(run, 0..run.jobs.len())
    }

    fn step(&self, run: &Run, index: usize) -> (PathStep, Option<usize>) {
        let job = &run.jobs[index];
        let before = latest(run, run.graph.predecessors(index).map(|(before, _)| before));
        let free = before.and_then(|before| run.jobs[before].over_at());
        let free = free.unwrap_or(run.opened_at).max(run.opened_at);
        let first = job.attempts.first().map(|first| first.started.unwrap_or(first.intended));
        let start = first.unwrap_or(free);
        let (waited_for, before) = match &run.job(index).kind {
            // It came after all that was needed: what was before it had time to spare.
            Kind::WaitUntil { .. } if job.over_at().is_some_and(|over| over > free) => {
                (Some(WaitedFor::Time), None)
            }
            Kind::WaitEvent { event, .. } => {
                (Some(WaitedFor::Event { event: event.clone() }), before)
            }
            Kind::Confirm { .. } => (Some(WaitedFor::Person), before),
            _ if start > free => self.cause(run, index, (free, start), before),
            _ => (None, before),
        };
        let step = PathStep {
            job: run.job(index).name.clone(),
            free,
            start,
            end: job.over_at().or(job.attempts.last().and_then(ended)),
            attempts: u32::try_from(job.attempts.len()).unwrap_or(u32::MAX),
            state: word(run, index),
            waited_for,
        };
        (step, before)
    }

    fn cause(
        &self,
        run: &Run,
        index: usize,
        (free, start): (Timestamp, Timestamp),
        before: Option<usize>,
    ) -> Cause {
        let own = placement::latest(run, index);
        let down = self.supposed.iter().any(|supposed| {
            matches!(supposed, Supposed::HostDown { host, from, to }
                if Some(host) == own && *from < start && *to > free && *to == start)
        });
        if down {
            return (own.map(|host| WaitedFor::Host { host: host.clone() }), None);
        }
        if let Some(across) = self.across(run, index, (free, start)) {
            return (Some(across), None);
        }
        if let Some(closed) = closed_until(run, index, self.windows, start) {
            return (Some(closed), None);
        }
        match self.room(run, index, start) {
            Some((of, holder)) => {
                let job = run.job(holder).name.clone();
                (Some(WaitedFor::Room { of, job }), Some(holder))
            }
            None => (None, before),
        }
    }

    /// A job of another run that was over when this one started.
    fn across(
        &self,
        run: &Run,
        index: usize,
        (free, start): (Timestamp, Timestamp),
    ) -> Option<WaitedFor> {
        let needed: Vec<(JobRef, _)> =
            gate::across(run, index).map(|(job, date, _)| (job, date)).collect();
        needed.into_iter().find_map(|(job, date)| {
            let mut runs = self.core.state().runs.values();
            let over = runs
                .find(|run| run.opened.batch == job.batch && run.opened.business_date == date)
                .and_then(|run| run.jobs[run.index(&job.job)?].over_at());
            over.filter(|over| *over > free && *over == start)
                .map(|_| WaitedFor::Across { job, date })
        })
    }

    /// A job of the run that gave something back at `start` of which all was taken just before.
    fn room(&self, run: &Run, index: usize, start: Timestamp) -> Option<(String, usize)> {
        let resources = taken(run, index);
        let runs = || self.core.state().runs.values();
        let users = |of: &Resource| -> u32 {
            runs()
                .flat_map(|run| (0..run.jobs.len()).map(move |index| (run, index)))
                .filter(|(run, index)| held_before(run, *index, start))
                .flat_map(|(run, index)| taken(run, index))
                .filter(|(other, _)| other == of)
                .map(|(_, units)| units)
                .sum()
        };
        resources.into_iter().find_map(|(resource, units)| {
            let full = users(&resource) + units > gate::size(self.core.state(), run, &resource);
            let gives = |other: &usize| {
                run.jobs[*other].attempts.iter().any(|a| ended(a) == Some(start))
                    && taken(run, *other).iter().any(|(of, _)| *of == resource)
            };
            let giver = (0..run.jobs.len()).filter(|other| *other != index).find(gives);
            giver.filter(|_| full).map(|giver| (name(&resource), giver))
        })
    }
}

/// The job that was over last, of several at once the first of the file.
fn latest(run: &Run, among: impl Iterator<Item = usize>) -> Option<usize> {
    let over = |index: usize| {
        let job = run.jobs.get(index)?;
        (job.phase.outcome() != Some(Outcome::NotScheduled)).then(|| job.over_at())?
    };
    let timed = among.filter_map(|index| Some((over(index)?, std::cmp::Reverse(index))));
    timed.max().map(|(_, std::cmp::Reverse(index))| index)
}

fn ended(attempt: &Attempt) -> Option<Timestamp> {
    attempt.ended.as_ref().map(|ended| ended.ended)
}

/// Whether an attempt of a job was under way the moment before.
fn held_before(run: &Run, index: usize, at: Timestamp) -> bool {
    // What is in doubt keeps what it took.
    let kept = word(run, index) == StateWord::Unknown;
    run.jobs[index].attempts.iter().any(|attempt| {
        attempt.intended < at && (kept || ended(attempt).is_none_or(|ended| ended >= at))
    })
}

/// The window or freeze that was closed the moment before.
fn closed_until(run: &Run, index: usize, windows: &Windows, start: Timestamp) -> Option<WaitedFor> {
    let classes = gate::windows(run, index);
    let (batch, target, ordered) = (&run.batch.id, gate::target(run, index), NONE_ORDERED);
    let before = start.checked_sub(SignedDuration::from_millis(1)).ok()?;
    let on = |host| {
        let what = Subject { batch, target, host, ordered };
        windows.gate(&classes, what, before, gate::must_fit(run, index))
    };
    match placement::hosts(run, index).into_iter().map(on).reduce(placement::better)? {
        Gate::Open { .. } => None,
        Gate::Closed { reason: WindowReason::Frozen { reason, .. }, .. } => {
            Some(WaitedFor::Frozen { reason })
        }
        Gate::Closed { reason, .. } => {
            let class = match reason {
                WindowReason::NotOpen { class }
                | WindowReason::NoSuchWindow { class }
                | WindowReason::CalendarUnknown { class, .. } => Some(class),
                _ => classes.into_iter().next().cloned(),
            };
            class.map(|class| WaitedFor::Window { class })
        }
    }
}

/// What it takes where it ran, or would.
fn taken(run: &Run, index: usize) -> Vec<(Resource, u32)> {
    let host = placement::latest(run, index);
    host.map(|host| gate::resources(run, index, host)).unwrap_or_default()
}

fn name(resource: &Resource) -> String {
    match resource {
        Resource::Host(host) => host.to_string(),
        Resource::Pool(pool) | Resource::HostPool(_, pool) => pool.to_string(),
        Resource::Target(target) => target.to_string(),
    }
}
