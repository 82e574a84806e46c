//! What must be free, open and there before a job may start, besides its needs.

use std::time::Duration;

use super::change;
use super::fact::AcrossNeed;
use super::needs::{self, Verdict};
use super::phase::Phase;
use super::placement;
use super::rules::Rules;
use super::state::{JobState, Run, State};
use super::window::{self, Gate, Subject};
use crate::definition::site::{Job, Kind, NeedOf, Site};
use crate::types::{
    BusinessDate, Condition, HostName, JobName, JobRef, Now, Outcome, PoolName, RunId, Span,
    TargetName, WindowClass,
};

/// Something of which there is only so much.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Places on a host.
    Host(HostName),
    Pool(PoolName),
    /// One that a host has for itself.
    HostPool(HostName, PoolName),
    /// Connections of a target.
    Target(TargetName),
}

/// What a job takes while it may be running on a host, with the units. A pool of the host's own takes the place of that of
/// the site.
pub fn resources(run: &Run, index: usize, host: &HostName) -> Vec<(Resource, u32)> {
    let job = run.job(index);
    if !job.kind.starts() {
        return Vec::new();
    }
    let own = run.site.hosts.get(host).map(|host| &host.pools);
    let pool = |pool: &PoolName| match own.is_some_and(|own| own.contains_key(pool)) {
        true => Resource::HostPool(host.clone(), pool.clone()),
        false => Resource::Pool(pool.clone()),
    };
    let mut resources: Vec<(Resource, u32)> =
        job.pools.iter().map(|(name, units)| (pool(name), *units)).collect();
    // A wait only looks now and then; it takes no place from those that work.
    let waits = matches!(job.kind, Kind::WaitFile { .. } | Kind::WaitSql { .. });
    if !waits {
        resources.push((Resource::Host(host.clone()), 1));
        if let Some(target) = target(run, index).filter(|_| !job.kind.only_looks()) {
            resources.push((Resource::Target(target.clone()), 1));
        }
    }
    resources
}

/// How much of what it took for an attempt a job still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    All,
    /// Its pools and its target.
    ButItsPlace,
    Nothing,
}

/// While an attempt may be running its job has everything. In doubt it keeps pools and target until people decide, because
/// its work may be half done; its place on the host only as long as something of it may still run there.
pub(super) fn keeps(job: &JobState) -> Keeps {
    match &job.phase {
        Phase::Starting | Phase::Running if !job.is_examined() => Keeps::All,
        // Who only looks takes no more than the doubt has.
        Phase::InDoubt { .. } | Phase::Starting | Phase::Running => {
            let ended = job.last_worked().and_then(|last| last.ended.as_ref());
            let over = ended.is_some_and(|ended| !ended.ending.may_go_on());
            if over { Keeps::ButItsPlace } else { Keeps::All }
        }
        Phase::Waiting | Phase::RetryWait { .. } | Phase::Settled { .. } => Keeps::Nothing,
    }
}

/// What a job has that keeps so much of it, where its last attempt worked.
pub(super) fn kept(run: &Run, index: usize, keeps: Keeps) -> Vec<(Resource, u32)> {
    let Some(worked) = run.jobs[index].last_worked() else { return Vec::new() };
    match keeps {
        Keeps::All => resources(run, index, &worked.host),
        Keeps::ButItsPlace => {
            let mut resources = resources(run, index, &worked.host);
            resources.retain(|(resource, _)| !matches!(resource, Resource::Host(_)));
            resources
        }
        Keeps::Nothing => Vec::new(),
    }
}

/// The window classes that bind a job, its batch's among them.
pub fn windows(run: &Run, index: usize) -> Vec<&WindowClass> {
    let mut classes: Vec<&WindowClass> =
        run.batch.window.iter().chain(&run.job(index).window).collect();
    classes.sort();
    classes.dedup();
    classes
}

/// The target that a job works on.
pub fn target(run: &Run, index: usize) -> Option<&TargetName> {
    run.job(index).kind.target(&run.site)
}

/// How many units there are of a resource: of a pool as many as an operator has set for the night, else as declared.
pub fn size(state: &State, run: &Run, resource: &Resource) -> u32 {
    match resource {
        Resource::Pool(pool) => {
            let set = state.standing.pools.get(pool);
            set.map_or_else(|| declared_size(run, resource), |set| set.size)
        }
        _ => declared_size(run, resource),
    }
}

/// How many units there are of a resource, as the run's definition has it.
pub fn declared_size(run: &Run, resource: &Resource) -> u32 {
    match resource {
        Resource::Host(host) => run.site.hosts.get(host).map_or(0, |h| h.max_running),
        Resource::Pool(pool) => run.site.pools.get(pool).copied().unwrap_or(0),
        Resource::HostPool(host, pool) => {
            let host = run.site.hosts.get(host);
            host.and_then(|host| host.pools.get(pool)).copied().unwrap_or(0)
        }
        Resource::Target(target) => run.site.targets.get(target).map_or(0, |t| t.connections),
    }
}

/// Time that must be left in the window.
pub fn must_fit(run: &Run, index: usize) -> Duration {
    let job = run.job(index);
    let expected = run.opened.expected.get(&job.name).copied().or(job.expected);
    must_fit_of(&run.site, job, expected, run.opened.trial)
}

/// As [`must_fit`], of a job that no run needs to have. `trial`: rules of changes are not about it.
pub fn must_fit_of(site: &Site, job: &Job, expected: Option<Span>, trial: bool) -> Duration {
    let change = match &job.kind {
        Kind::Change { change, .. } => site.changes.get(change),
        _ => None,
    };
    let fit = match !trial && change::rehearses(site, job) {
        true => window::fit_with_rehearsal,
        false => window::fit,
    };
    fit(
        expected.unwrap_or_default(),
        change.map(|c| c.verify_takes).unwrap_or_default(),
        change.map(|c| c.rollback_takes).unwrap_or_default(),
    )
}

/// Whether windows and freezes let a job begin on any host that it may run on.
pub(super) fn window_gate(state: &State, rules: &Rules, run: &Run, index: usize, now: Now) -> Gate {
    placement::any_gate(state, run, index, |host| {
        window_gate_on(state, rules, (run, index), host, now)
    })
}

/// Whether they let it begin on one host.
pub(super) fn window_gate_on(
    state: &State,
    rules: &Rules,
    (run, index): (&Run, usize),
    host: &HostName,
    now: Now,
) -> Gate {
    let classes = windows(run, index);
    let target = target(run, index);
    let subject = Subject { batch: &run.batch.id, target, host, ordered: &state.standing.freezes };
    let needs = must_fit(run, index);
    if run.opened.window_override.is_some() {
        rules.windows.gate_overridden(&classes, subject, now.wall, needs)
    } else {
        rules.windows.gate(&classes, subject, now.wall, needs)
    }
}

/// Needs of a job that look at other runs, with the date that they look at. None in a trial: it stands alone, and such
/// needs count as fulfilled.
pub(super) fn across_needs(run: &Run, index: usize) -> Vec<(JobRef, BusinessDate)> {
    across(run, index).map(|(job, date, _)| (job, date)).collect()
}

/// Needs of other runs, with their condition. The dates are those that the order resolved.
pub fn across(
    run: &Run,
    index: usize,
) -> impl Iterator<Item = (JobRef, BusinessDate, Condition)> + '_ {
    run.job(index).needs.iter().filter_map(move |need| match &need.of {
        NeedOf::Across { job, offset } if !run.opened.trial => run
            .opened
            .across
            .iter()
            .find(|known| known.job == *job && known.offset == *offset)
            .and_then(AcrossNeed::wanted)
            .map(|date| (job.clone(), date, need.when)),
        _ => None,
    })
}

/// What all needs of a job say together.
pub fn needs_verdict(state: &State, run: &Run, index: usize) -> Verdict {
    let within = run.graph.predecessors(index).map(|(before, when)| {
        needs::verdict(run.jobs[before].phase.outcome(), run.job(before).critical, when)
    });
    let across = across(run, index).map(|(job, date, when)| {
        let outcome = state.across.get(&(job, date)).copied().flatten();
        needs::verdict(outcome, true, when)
    });
    needs::together(within.chain(across))
}

/// The first need that stands in the way, in words: job, condition, outcome.
pub(super) fn standing_in_the_way(
    state: &State,
    run: &Run,
    index: usize,
    wanted: Verdict,
) -> Option<(String, Condition, Outcome)> {
    let within = run.graph.predecessors(index).filter_map(|(before, when)| {
        let outcome = run.jobs[before].phase.outcome()?;
        let critical = run.job(before).critical;
        (needs::verdict(Some(outcome), critical, when) == wanted)
            .then(|| (run.job(before).name.to_string(), when, outcome))
    });
    let across = across(run, index).filter_map(|(job, date, when)| {
        let outcome = state.across.get(&(job.clone(), date)).copied().flatten()?;
        (needs::verdict(Some(outcome), true, when) == wanted)
            .then(|| (across_name(&job, date), when, outcome))
    });
    within.chain(across).next()
}

/// A job of another run as [`super::fact::Why::Need`] names it.
pub(super) fn across_name(job: &JobRef, date: BusinessDate) -> String {
    format!("{job} of {date}")
}

/// Whether the job has no room as long as people have not decided about jobs of its run that are in doubt. What jobs of
/// other runs keep does not count: a decision about them sets this run not going again.
pub(super) fn kept_by_doubt(state: &State, run: &Run, index: usize) -> bool {
    let doubts = || {
        let jobs = run.jobs.iter().enumerate();
        jobs.filter(|(_, job)| matches!(job.phase, Phase::InDoubt { .. })).map(|(index, _)| index)
    };
    if doubts().next().is_none() {
        return false;
    }
    let of_doubt = |doubt: usize| kept(run, doubt, keeps(&run.jobs[doubt]));
    let kept: Vec<(Resource, u32)> = doubts().flat_map(of_doubt).collect();
    let hosts = placement::hosts(run, index);
    let without_room = |(resource, units): &(Resource, u32)| {
        let of_it = kept.iter().filter(|(kept, _)| kept == resource);
        // A pool that was made smaller for the night is as large again in the morning.
        let size = size(state, run, resource).max(declared_size(run, resource));
        of_it.map(|(_, units)| units).sum::<u32>() + units > size
    };
    let keeps = |host: &&HostName| resources(run, index, host).iter().any(without_room);
    !hosts.is_empty() && hosts.iter().all(keeps)
}

/// Who has units of a resource now.
pub fn holders(state: &State, resource: &Resource) -> Vec<(RunId, JobName)> {
    let mut found = Vec::new();
    for run in state.runs.values() {
        for (index, job) in run.jobs.iter().enumerate() {
            if kept(run, index, keeps(job)).iter().any(|(r, _)| r == resource) {
                found.push((run.id().clone(), run.job(index).name.clone()));
            }
        }
    }
    found
}
