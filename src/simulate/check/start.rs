//! What a start and an end of a job ask for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::cleared;
use super::days::KnownDays;
use super::openings::target;
use super::{Violation, Witness};
use crate::core::fact::Why;
use crate::core::gate::Resource;
use crate::core::phase::Phase;
use crate::core::state::{JobState, Run, State};
use crate::definition::site::{Kind, NeedOf};
use crate::types::{AttemptId, Condition, Ending, HostName, JobName, Outcome, PoolName, RunId};

/// What the needs of a job come to: the table of `src/docs/format.md`, written down a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Come {
    Fulfilled,
    Open,
    /// Left out, as not scheduled.
    Out,
    Blocked,
}

impl Witness {
    pub(super) fn startable(
        &mut self,
        at: Timestamp,
        attempt: &AttemptId,
        host: &HostName,
        reached: bool,
    ) -> Result<(), Violation> {
        let no = |why: &str| Violation::Started(attempt.clone(), why.to_owned());
        let Self { state, clock, days, .. } = self;
        let run = state.run(&attempt.run)?;
        let index = run.index(&attempt.job).ok_or_else(|| no("there is no such job"))?;
        let job = &run.jobs[index];
        let its_day =
            *days.entry((attempt.run.clone(), index)).or_insert_with(|| takes_part(run, index));
        let kind = &run.job(index).kind;
        let broken = [
            (!reached, "its host is away"),
            (needs(state, run, index) != Come::Fulfilled, "its needs are not fulfilled"),
            (job.held.is_some(), "it is held"),
            (!job.asked, "nobody asked for it"),
            (run.stopping.is_some(), "its run is being stopped"),
            (run.result.is_some(), "its run is over"),
            (run.cancelled.is_some(), "its run was cancelled"),
            (!its_day, "its calendar leaves the day out, or does not know it"),
            (matches!(kind, Kind::Confirm { .. }), "only a person can settle it"),
            (matches!(kind, Kind::WaitUntil { .. }), "only its time can settle it"),
            (matches!(kind, Kind::WaitEvent { .. }), "only an event can settle it"),
        ];
        if let Some((_, why)) = broken.into_iter().find(|(broken, _)| *broken) {
            return Err(no(why));
        }
        let lacks = cleared::ruled(state, run, run.job(index)).and_then(|ruled| ruled.lacks(at));
        if let Some(why) = lacks {
            return Err(no(&why));
        }
        match clock.keep(state, (run, index), host, at) {
            Some(why) => Err(no(&why)),
            None => Ok(()),
        }
    }

    /// Only a change that nobody knows the end of is looked at.
    pub(super) fn examinable(&self, attempt: &AttemptId, reached: bool) -> Result<(), Violation> {
        let no = |why: &str| Violation::Started(attempt.clone(), why.to_owned());
        let run = self.state.run(&attempt.run)?;
        let index = run.index(&attempt.job).ok_or_else(|| no("there is no such job"))?;
        let doubted = matches!(run.jobs[index].phase, Phase::InDoubt { .. });
        let broken = [
            (!reached, "its host is away"),
            (!matches!(run.job(index).kind, Kind::Change { .. }), "it is no change"),
            (!doubted, "its end is known"),
            (run.stopping.is_some(), "its run is being stopped"),
            (run.result.is_some(), "its run is over"),
            (run.cancelled.is_some(), "its run was cancelled"),
        ];
        let broken = broken.into_iter().find(|(broken, _)| *broken);
        broken.map_or(Ok(()), |(_, why)| Err(no(why)))
    }

    /// A job that is settled without its own work is so for a reason that holds.
    pub(super) fn settled(
        &mut self,
        at: Timestamp,
        (run, job): (&RunId, &JobName),
        (outcome, why): (Outcome, &Why),
    ) -> Result<(), Violation> {
        let no = |why: &str| Violation::Settled(format!("{run} {job}"), why.to_owned());
        let Self { state, days, .. } = self;
        let of = state.run(run)?;
        let index = of.index(job).ok_or_else(|| no("there is no such job"))?;
        let holds = match why {
            Why::NotItsDay { .. } => {
                !*days.entry((run.clone(), index)).or_insert_with(|| takes_part(of, index))
            }
            Why::NotAsked => !of.jobs[index].asked,
            Why::Need { .. } => {
                let wanted = match outcome {
                    Outcome::Blocked => Come::Blocked,
                    _ => Come::Out,
                };
                needs(state, of, index) == wanted
            }
            Why::TimeCame => {
                let Kind::WaitUntil { time } = of.job(index).kind else {
                    return Err(no("it waits for no time"));
                };
                super::deadlines::due(of.opened.anchor, time, &of.batch.zone) <= at
                    && needs(state, of, index) == Come::Fulfilled
            }
            Why::EventCame { event, key } => {
                let heard = key.as_ref().and_then(|key| state.standing.events.get(key));
                let came = heard.is_some_and(|heard| {
                    heard.what.event == *event
                        && heard.what.business_date == of.opened.business_date
                });
                came != of.opened.trial && needs(state, of, index) == Come::Fulfilled
            }
            Why::NoEvent { limit, .. } => {
                let since = of.jobs[index].asked_at;
                since.is_some_and(|since| since + limit.get() <= at)
                    && needs(state, of, index) == Come::Fulfilled
            }
            Why::Attempt { attempt } => {
                let last = of.jobs[index].attempts.last();
                last.is_some_and(|last| last.number == attempt.number && last.ended.is_some())
            }
            Why::Person { .. } => {
                let given_up = outcome != Outcome::Cancelled || of.cancelled.is_some();
                given_up && !of.jobs[index].phase.in_flight()
            }
        };
        if holds { Ok(()) } else { Err(no(&format!("{why:?} does not hold"))) }
    }

    /// No resource that a start takes of is used beyond its size. A pool that was made smaller for the night may be, until
    /// what runs has ended.
    pub(super) fn room(
        &self,
        started: &AttemptId,
        host: &HostName,
        used: &BTreeMap<Resource, u32>,
    ) -> Result<(), Violation> {
        let by = self.state.run(&started.run)?;
        let full =
            by.index(&started.job).and_then(|index| self.without_room((by, index, host), used));
        full.map_or(Ok(()), Err)
    }

    /// What a job would overfill, with all that is in use besides.
    pub(super) fn without_room(
        &self,
        (run, index, host): (&Run, usize, &HostName),
        used: &BTreeMap<Resource, u32>,
    ) -> Option<Violation> {
        self.uses(run, index, host).into_iter().find_map(|(resource, units, size)| {
            let used = units + used.get(&resource).copied().unwrap_or(0);
            (used > size).then_some(Violation::TooMuch { resource, used, size })
        })
    }

    /// Units of everything that jobs have.
    pub(super) fn in_use(&self) -> BTreeMap<Resource, u32> {
        let mut used = BTreeMap::new();
        for run in self.state.runs.values() {
            for (index, state) in run.jobs.iter().enumerate() {
                let looks = state.attempts.last().is_some_and(|last| last.examine);
                let runs = match state.phase {
                    Phase::Starting | Phase::Running => !looks || may_still_run(state),
                    Phase::InDoubt { .. } => may_still_run(state),
                    _ => continue,
                };
                let mut worked = state.attempts.iter().rev().filter(|attempt| !attempt.examine);
                let Some(worked) = worked.next() else { continue };
                for (resource, units, _) in self.uses(run, index, &worked.host) {
                    if runs || !matches!(resource, Resource::Host(_)) {
                        *used.entry(resource).or_insert(0) += units;
                    }
                }
            }
        }
        used
    }

    /// Resources with the units that a job takes on a host and those that there are.
    fn uses(&self, run: &Run, index: usize, host: &HostName) -> Vec<(Resource, u32, u32)> {
        let job = run.job(index);
        let site = &run.site;
        let size = |pool: &PoolName| match self.state.standing.pools.get(pool) {
            Some(set) => set.size,
            None => site.pools.get(pool).copied().unwrap_or(0),
        };
        let on = site.hosts.get(host);
        let mut uses = Vec::new();
        for (pool, units) in &job.pools {
            uses.push(match on.and_then(|on| on.pools.get(pool)) {
                Some(own) => (Resource::HostPool(host.clone(), pool.clone()), *units, *own),
                None => (Resource::Pool(pool.clone()), *units, size(pool)),
            });
        }
        if matches!(job.kind, Kind::WaitFile { .. } | Kind::WaitSql { .. }) {
            return uses;
        }
        uses.push((Resource::Host(host.clone()), 1, on.map_or(0, |host| host.max_running)));
        if matches!(job.kind, Kind::Inspect { .. }) {
            return uses;
        }
        uses.extend(target(run, job).map(|target| {
            let connections = site.targets.get(target).map_or(0, |target| target.connections);
            (Resource::Target(target.clone()), 1, connections)
        }));
        uses
    }
}

/// Whether nobody can say that the last attempt is over. One that only looks has no place of its own.
fn may_still_run(job: &JobState) -> bool {
    let mut worked = job.attempts.iter().filter(|attempt| !attempt.examine);
    let ended = worked.next_back().and_then(|last| last.ended.as_ref());
    ended.is_none_or(|ended| matches!(ended.ending, Ending::Unknown { .. }))
}

/// False too where it cannot be known.
fn takes_part(run: &Run, index: usize) -> bool {
    let days = KnownDays { calendars: &run.site.calendars, default: run.batch.calendar.as_ref() };
    let rule = run.job(index).days.as_ref();
    rule.is_none_or(|rule| days.is_one(rule, run.opened.business_date.0) == Some(true))
}

pub(super) fn needs(state: &State, run: &Run, index: usize) -> Come {
    let mut all = Vec::new();
    for need in &run.job(index).needs {
        all.push(match &need.of {
            NeedOf::Job(name) => {
                let Some(before) = run.index(name) else { return Come::Open };
                one(run.jobs[before].phase.outcome(), run.job(before).critical, need.when)
            }
            NeedOf::Across { job, offset } => {
                let known = run.opened.across.iter().find(|a| a.job == *job && a.offset == *offset);
                match known.and_then(|known| known.wanted()) {
                    Some(date) if !run.opened.trial => {
                        let stands = state.across.get(&(job.clone(), date)).copied().flatten();
                        one(stands, true, need.when)
                    }
                    _ => Come::Fulfilled,
                }
            }
        });
    }
    let any = |come: Come| all.contains(&come);
    if any(Come::Blocked) {
        Come::Blocked
    } else if any(Come::Open) {
        Come::Open
    } else if any(Come::Out) {
        Come::Out
    } else {
        Come::Fulfilled
    }
}

fn one(outcome: Option<Outcome>, critical: bool, when: Condition) -> Come {
    let Some(outcome) = outcome else { return Come::Open };
    let failed = outcome == Outcome::Failed;
    match when {
        Condition::Ended => Come::Fulfilled,
        Condition::Failed if failed => Come::Fulfilled,
        Condition::Failed => Come::Out,
        Condition::Ok
            if matches!(outcome, Outcome::Blocked | Outcome::Cancelled) || failed && critical =>
        {
            Come::Blocked
        }
        Condition::Ok => Come::Fulfilled,
    }
}
