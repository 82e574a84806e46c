//! From a simulated night that is over to what it says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::job::{JobLine, StateWord};
use super::of_job::Around;
use super::of_path::Paths;
use super::rehearsal::{
    Effect, RehearsedJob, RehearsedRun, Standing, Supposed, TakesFrom, Without,
};
use super::{of_run, run::RunHead};
use crate::core::ahead::Played;
use crate::core::forecast::RunForecast;
use crate::core::placement;
use crate::core::state::{Run, Unfit};
use crate::core::window::Windows;
use crate::definition::site::{Job, Kind};
use crate::types::{Ending, JobName, JobRef, Now, RunId};

/// What a night is compared with and measured by.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    pub supposed: &'a [Supposed],
    /// The same night without what is supposed.
    pub without: Option<&'a Played>,
    /// Of the site that the night went by.
    pub windows: &'a Windows,
    /// Good attempts in history, by job.
    pub known: &'a BTreeMap<JobRef, u32>,
}

/// One run of a night that was played to its end.
pub fn run(played: &Played, id: &RunId, compared: Compared<'_>) -> Result<RehearsedRun, Unfit> {
    let (core, run) = (&played.core, played.core.state().run(id)?);
    let before = compared.without.and_then(|without| without.forecast.runs.get(id));
    let around = Around { planned: before, ..Around::nothing() };
    let now = Now { wall: run.ended_at.unwrap_or(played.now.wall), ..played.now };
    let report = of_run::report(core, id, now, around, None, now.wall)?;
    let paths = Paths { core, supposed: compared.supposed, windows: compared.windows };
    let path = paths.of_run(run);
    let jobs: Vec<RehearsedJob> = run
        .batch
        .jobs
        .iter()
        .zip(report.jobs)
        .map(|(job, mut line)| {
            line.on_critical_path = path.iter().any(|step| step.job == line.name);
            rehearsed(run, job, line, before, compared)
        })
        .collect();
    Ok(RehearsedRun {
        standing: Standing::of(&report.head),
        deadline: report.head.deadline(),
        without: compared.without.and_then(|without| without_it(without, id)),
        effects: effects(run, &jobs, compared.supposed),
        path,
        totals: report.totals,
        incidents: report.incidents,
        jobs,
        head: report.head,
    })
}

fn rehearsed(
    run: &Run,
    job: &Job,
    line: JobLine,
    before: Option<&RunForecast>,
    compared: Compared<'_>,
) -> RehearsedJob {
    let index = run.index(&job.name);
    let former = before.and_then(|before| before.jobs.get(index?));
    let well = line.state.word() == StateWord::Succeeded;
    let start = line.started.or_else(|| free_since(run, index?).filter(|_| well));
    let shift = |now: Option<Timestamp>, then: Option<Timestamp>| {
        Some(now?.duration_since(then?).as_secs())
    };
    RehearsedJob {
        takes_from: takes_from(run, job, compared),
        start_shift: shift(start, former.and_then(|former| former.start)),
        end_shift: shift(line.ended.filter(|_| well), former.and_then(|former| former.end)),
        line,
    }
}

/// When the last of what a job needs within its run was over.
fn free_since(run: &Run, index: usize) -> Option<Timestamp> {
    let last = run.graph.predecessors(index).filter_map(|(before, _)| run.jobs[before].over_at());
    Some(last.max().unwrap_or(run.opened_at).max(run.opened_at))
}

/// Where the time that a job takes comes from.
pub fn takes_from(run: &Run, job: &Job, compared: Compared<'_>) -> TakesFrom {
    let of = JobRef { batch: run.batch.id.clone(), job: job.name.clone() };
    let given = compared.supposed.iter().any(|supposed| match supposed {
        Supposed::Takes { jobs, .. } | Supposed::Arrives { jobs, .. } => jobs.contains(&of),
        _ => false,
    });
    match (&job.kind, compared.known.get(&of)) {
        (kind, _) if !kind.starts() => TakesFrom::NoAttempt,
        _ if given => TakesFrom::Given,
        (_, Some(attempts)) => TakesFrom::History { attempts: *attempts },
        (_, None) if job.expected.is_some() => TakesFrom::Declared,
        (_, None) => TakesFrom::Nothing,
    }
}

fn without_it(without: &Played, id: &RunId) -> Option<Without> {
    let run = without.core.state().run(id).ok()?;
    let now = Now { wall: run.ended_at.unwrap_or(without.now.wall), ..without.now };
    let head: RunHead = of_run::head(run, now, Around::nothing());
    let end = without.forecast.runs.get(id).and_then(|run| run.end);
    Some(Without { standing: Standing::of(&head), end })
}

fn effects(run: &Run, jobs: &[RehearsedJob], supposed: &[Supposed]) -> Vec<Effect> {
    let own = |of: &[JobRef], line: &JobLine| {
        of.iter().any(|job| job.batch == run.batch.id && job.job == line.name)
    };
    let hits = |supposed: &Supposed, line: &JobLine| match supposed {
        Supposed::HostDown { host, to, .. } => {
            let index = run.index(&line.name);
            let there = index.is_some_and(|index| placement::latest(run, index) == Some(host));
            let lost = |ending: Option<&Ending>| matches!(ending, Some(Ending::Lost { .. }));
            let at = |at: Option<Timestamp>| at == Some(*to);
            there && line.attempts.iter().any(|a| at(a.ended) && lost(a.ending.as_ref()))
        }
        Supposed::Fails { jobs, .. } => own(jobs, line) && line.last_failed().is_some(),
        Supposed::Takes { jobs, .. } | Supposed::Arrives { jobs, .. } => {
            own(jobs, line) && !line.attempts.is_empty()
        }
        Supposed::ConfirmAfter { .. } | Supposed::NobodyConfirms => {
            run.index(&line.name).is_some_and(|index| {
                let asks = matches!(run.job(index).kind, Kind::Confirm { .. });
                asks && run.jobs[index].asked_at.is_some()
            })
        }
        Supposed::Frozen { .. } => false,
    };
    let done = |line: &JobLine| line.state.word() == StateWord::Succeeded;
    let lines = || jobs.iter().map(|job| &job.line);
    let names = |lines: &[&JobLine]| -> Vec<JobName> {
        lines.iter().map(|line| line.name.clone()).collect()
    };
    supposed
        .iter()
        .enumerate()
        .filter_map(|(of, supposed)| {
            let hit: Vec<&JobLine> = lines().filter(|line| hits(supposed, line)).collect();
            let open: Vec<&JobLine> = hit.iter().copied().filter(|line| !done(line)).collect();
            let effect = Effect { of, hit: names(&hit), open: names(&open) };
            (!effect.hit.is_empty()).then_some(effect)
        })
        .collect()
}
