//! What must hold in every night, recomputed from the state alone and not with the core's own books.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::made_site::{OPENINGS, window_of};
use crate::core::fact::Fact;
use crate::core::gate::{self, Resource};
use crate::core::needs::Verdict;
use crate::core::phase::Phase;
use crate::core::state::{Run, State, Unfit};
use crate::definition::site::{Job, Kind};
use crate::types::{AttemptId, HostName};

/// A rule that a night broke.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Violation {
    #[error("{0} was started though {1}")]
    Started(AttemptId, String),
    #[error("{0} was intended twice")]
    Twice(AttemptId),
    #[error("{resource:?}: {used} of {size} are in use")]
    TooMuch { resource: Resource, used: u32, size: u32 },
    #[error("{0} waits, and nothing says for what")]
    NoObstacle(String),
    #[error("{0} was started, and yet the core names obstacles: {1}")]
    Obstacle(AttemptId, String),
    #[error("the state that facts give again is not the live one")]
    Replay,
    #[error("the night does not come to its end: {0}")]
    Endless(String),
    #[error("a made-up part does not hold together: {0}")]
    Made(String),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// The facts of a night, taken in one by one beside the core.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) state: State,
    intended: BTreeSet<AttemptId>,
}

impl Witness {
    pub(super) fn take(
        &mut self,
        at: Timestamp,
        fact: &Fact,
        hosts: &BTreeSet<HostName>,
    ) -> Result<(), Violation> {
        if let Fact::AttemptIntended { attempt, host, .. } = fact {
            if !self.intended.insert(attempt.clone()) {
                return Err(Violation::Twice(attempt.clone()));
            }
            let why = |why: &str| Violation::Started(attempt.clone(), why.to_owned());
            if !hosts.contains(host) {
                return Err(why("its host is away"));
            }
            let run = self.state.run(&attempt.run)?;
            let index = run.index(&attempt.job).ok_or_else(|| why("there is no such job"))?;
            if let Some(broken) = self.not_startable(run, index, at) {
                return Err(why(broken));
            }
        }
        self.state.apply(at, fact)?;
        if matches!(fact, Fact::AttemptIntended { .. }) {
            self.room()?;
        }
        Ok(())
    }

    fn not_startable(&self, run: &Run, index: usize, at: Timestamp) -> Option<&'static str> {
        let job = &run.jobs[index];
        let needs = gate::needs_verdict(&self.state, run, index);
        [
            (needs != Verdict::Go, "its needs are not fulfilled"),
            (job.held.is_some(), "it is held"),
            (!job.asked, "nobody asked for it"),
            (run.stopping.is_some(), "its run is being stopped"),
            (run.result.is_some(), "its run is over"),
            (!open(run, index, at), "its window is closed or too short"),
            (frozen(run, at, must_fit(run.job(index))), "its batch is frozen"),
            (matches!(run.job(index).kind, Kind::Confirm { .. }), "only a person can settle it"),
        ]
        .into_iter()
        .find_map(|(broken, why)| broken.then_some(why))
    }

    /// No resource is used beyond its size.
    fn room(&self) -> Result<(), Violation> {
        let mut used: BTreeMap<Resource, (u32, u32)> = BTreeMap::new();
        for run in self.state.runs.values() {
            for (index, state) in run.jobs.iter().enumerate() {
                let holds =
                    matches!(state.phase, Phase::Starting | Phase::Running | Phase::InDoubt { .. });
                for (resource, units) in uses(run.job(index)).into_iter().filter(|_| holds) {
                    let size = gate::size(run, &resource);
                    let entry = used.entry(resource).or_insert((0, size));
                    entry.0 += units;
                }
            }
        }
        match used.into_iter().find(|(_, (used, size))| used > size) {
            Some((resource, (used, size))) => Err(Violation::TooMuch { resource, used, size }),
            None => Ok(()),
        }
    }
}

fn uses(job: &Job) -> Vec<(Resource, u32)> {
    let pools = job.pools.iter().map(|(pool, units)| (Resource::Pool(pool.clone()), *units));
    let mut uses: Vec<(Resource, u32)> = pools.collect();
    match &job.kind {
        Kind::WaitFile { .. } | Kind::WaitSql { .. } => return uses,
        Kind::Sql { target, .. } => uses.push((Resource::Target(target.clone()), 1)),
        _ => {}
    }
    uses.push((Resource::Host(job.host.clone()), 1));
    uses
}

fn must_fit(job: &Job) -> Duration {
    job.expected.unwrap_or_default().get().mul_f64(1.5)
}

/// By brute force: one of yesterday's and today's openings of each class holds the instant and all that must fit.
fn open(run: &Run, index: usize, at: Timestamp) -> bool {
    let job = run.job(index);
    let civil = jiff::tz::TimeZone::UTC.to_datetime(at);
    let need = SignedDuration::try_from(must_fit(job)).unwrap_or(SignedDuration::MAX);
    run.batch.window.iter().chain(&job.window).all(|class| {
        OPENINGS.iter().enumerate().any(|(number, (from, to))| {
            let own = window_of(number).is_ok_and(|name| name == *class);
            own && [0, 1].iter().any(|back| {
                let Ok(day) = civil.date().checked_sub(back.days()) else { return false };
                let opens = DateTime::from_parts(day, *from);
                let over = if to <= from { 1 } else { 0 };
                let Ok(last) = day.checked_add(over.days()) else { return false };
                let closes = DateTime::from_parts(last, *to);
                opens <= civil && civil < closes && closes.duration_since(civil) >= need
            })
        })
    })
}

fn frozen(run: &Run, at: Timestamp, need: Duration) -> bool {
    let done = at.checked_add(need).unwrap_or(at);
    run.site.freezes.iter().any(|freeze| {
        let named = freeze.scope.batches.contains(&run.batch.id);
        named && at < freeze.to && (freeze.from <= at || freeze.from < done)
    })
}
