//! The jobs of one planned start, and what else than their predecessors decides when they start.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::job::LeftOut;
use super::plan::{Gate, JobLeftOut, PlanJob};
use super::why::NotItsDay;
use crate::core::deadline;
use crate::core::fact::{RunOpened, Why};
use crate::core::forecast::JobForecast;
use crate::core::gate;
use crate::core::graph::Graph;
use crate::core::obstacle::Obstacle;
use crate::core::placement;
use crate::core::window::{self, Subject, WindowReason, Windows};
use crate::definition::site::{Batch, Job, Kind, NeedOf, Site};
use crate::types::{HostName, Outcome, Span, WindowClass};

/// One start to be shown.
pub(super) struct Shown<'a> {
    pub site: &'a Site,
    pub windows: &'a Windows,
    pub batch: &'a Batch,
    pub opened: &'a RunOpened,
    pub at: Timestamp,
}

/// How far around a start its opening is looked for.
const AROUND: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The jobs in the order of their planned starts, those that never start last; and those that take no part.
pub(super) fn jobs(shown: &Shown<'_>, ahead: &[JobForecast]) -> (Vec<PlanJob>, Vec<JobLeftOut>) {
    let graph = Graph::new(shown.batch);
    let takes = |index: usize| match ahead.get(index).map(|job| job.outcome) {
        Some(Some(Outcome::NotScheduled)) => Duration::ZERO,
        _ => expected(shown, &shown.batch.jobs[index]).unwrap_or_default().get(),
    };
    let critical: Vec<_> = graph.critical_path(takes).into_iter().map(|step| step.job).collect();
    let critical: std::collections::BTreeSet<_> = critical.into_iter().collect();
    let mut openings = HashMap::new();
    let (mut jobs, mut left_out) = (Vec::new(), Vec::new());
    for (index, (job, ahead_job)) in shown.batch.jobs.iter().zip(ahead).enumerate() {
        if ahead_job.outcome == Some(Outcome::NotScheduled) {
            let why = why(shown, job, ahead_job);
            left_out.push(JobLeftOut { name: job.name.clone(), title: job.title.clone(), why });
            continue;
        }
        let needs = graph.predecessors(index).filter_map(|(before, _)| ahead.get(before)?.end);
        let free = needs.max().unwrap_or(shown.at).max(shown.at);
        jobs.push(PlanJob {
            name: job.name.clone(),
            title: job.title.clone(),
            critical: job.critical,
            on_critical_path: critical.contains(&job.name),
            start: ahead_job.start,
            end: ahead_job.end,
            expected: expected(shown, job),
            gates: gates(shown, job, ahead_job, free, &mut openings),
        });
    }
    jobs.sort_by_key(|job| (job.start.is_none(), job.start));
    (jobs, left_out)
}

fn expected(shown: &Shown<'_>, job: &Job) -> Option<Span> {
    shown.opened.expected.get(&job.name).copied().or(job.expected)
}

fn why(shown: &Shown<'_>, job: &Job, ahead: &JobForecast) -> LeftOut {
    match &ahead.why {
        Some(Why::NotItsDay { reason }) => LeftOut::NotItsDay(NotItsDay {
            date: shown.opened.business_date.0,
            rule: job.days.clone(),
            reason: reason.clone(),
        }),
        Some(Why::Need { job, when, outcome }) => {
            LeftOut::Need { job: job.clone(), when: *when, outcome: *outcome }
        }
        _ => LeftOut::NotAsked,
    }
}

type Found = HashMap<(WindowClass, Timestamp), Option<(Timestamp, Timestamp)>>;

fn gates(
    shown: &Shown<'_>,
    job: &Job,
    ahead: &JobForecast,
    free: Timestamp,
    openings: &mut Found,
) -> Vec<Gate> {
    let mut gates = Vec::new();
    for class in shown.batch.window.iter().chain(&job.window) {
        gates.extend(window(shown, class, ahead, openings));
    }
    gates.extend(frozen(shown, job, ahead, free));
    gates.extend(waits(shown, job));
    gates.extend(
        job.pools.iter().map(|(pool, units)| Gate::Pool { pool: pool.clone(), units: *units }),
    );
    gates.extend(job.needs.iter().filter_map(|need| across(shown, &need.of)));
    if let (Some(time), Some(end)) = (job.must_complete_by, ahead.end) {
        let due = deadline::first_at_or_after(shown.opened.anchor, time, &shown.batch.zone);
        if end > due {
            gates.push(Gate::MissesDeadline { due });
        }
    }
    gates
}

fn window(
    shown: &Shown<'_>,
    class: &WindowClass,
    ahead: &JobForecast,
    openings: &mut Found,
) -> Option<Gate> {
    let Some(start) = ahead.start else {
        let never = |obstacle: &Obstacle| match obstacle {
            Obstacle::Window { reason, next: None } => match reason {
                WindowReason::NotOpen { class: closed }
                | WindowReason::NoSuchWindow { class: closed }
                | WindowReason::CalendarUnknown { class: closed, .. } => closed == class,
                WindowReason::DoesNotFit { .. } => true,
                WindowReason::Frozen { .. } => false,
            },
            _ => false,
        };
        let never = ahead.obstacles.iter().any(never);
        return never.then(|| Gate::WindowNever { class: class.clone() });
    };
    let found = openings.entry((class.clone(), start)).or_insert_with(|| {
        let from = start.checked_sub(AROUND).unwrap_or(start);
        let to = start.checked_add(AROUND).unwrap_or(start);
        let mut all = shown.windows.openings(class, from, to).into_iter();
        all.find(|(opens, closes)| *opens <= start && start < *closes)
    });
    found.map(|(opens, closes)| Gate::Window { class: class.clone(), opens, closes })
}

/// A freeze that holds the job up between its last predecessor and its start.
fn frozen(shown: &Shown<'_>, job: &Job, ahead: &JobForecast, free: Timestamp) -> Option<Gate> {
    if shown.site.freezes.is_empty() || ahead.start.is_some_and(|start| start <= free) {
        return None;
    }
    let classes: Vec<WindowClass> = shown.batch.window.iter().chain(&job.window).cloned().collect();
    let target = job.kind.target(shown.site);
    let hosts = shown.site.hosts_of(shown.batch, job);
    let needs = gate::must_fit_of(shown.site, job, expected(shown, job), shown.opened.trial);
    let start = ahead.start.or_else(|| free.checked_add(AROUND).ok()).unwrap_or(free);
    // A class that is closed says nothing of freezes; an opening that the job is kept out of does.
    let openings = classes.iter().flat_map(|class| shown.windows.openings(class, free, start));
    let mut asked: Vec<Timestamp> =
        openings.map(|(opens, _)| opens).chain(std::iter::once(free)).collect();
    asked.sort_unstable();
    // A plan takes ordered freezes in as declared ones.
    let (batch, ordered) = (&shown.batch.id, window::NONE_ORDERED);
    let gate = |at| {
        let on = |host: &&HostName| {
            let what = Subject { batch, target, host, ordered };
            shown.windows.gate(&classes, what, at, needs)
        };
        hosts.iter().map(on).reduce(placement::better)
    };
    asked.into_iter().find_map(|at| match gate(at)? {
        window::Gate::Closed { reason: WindowReason::Frozen { reason, until, .. }, .. } => {
            Some(Gate::Frozen { reason, until })
        }
        _ => None,
    })
}

fn waits(shown: &Shown<'_>, job: &Job) -> Option<Gate> {
    Some(match &job.kind {
        Kind::WaitUntil { time } => {
            let anchor = shown.opened.anchor;
            let at = deadline::first_at_or_after(anchor, *time, &shown.batch.zone);
            Gate::WaitsUntil { at }
        }
        Kind::WaitFile { path, limit, .. } => {
            Gate::WaitsForFile { path: path.clone(), limit: *limit }
        }
        Kind::WaitSql { limit, .. } => Gate::WaitsForSql { limit: *limit },
        Kind::WaitEvent { event, limit } => {
            Gate::WaitsForEvent { event: event.clone(), limit: *limit }
        }
        Kind::Confirm { question, role } => {
            Gate::WaitsForPerson { question: question.clone(), role: role.clone() }
        }
        _ => return None,
    })
}

fn across(shown: &Shown<'_>, of: &NeedOf) -> Option<Gate> {
    let NeedOf::Across { job, offset } = of else { return None };
    let mut known = shown.opened.across.iter();
    let need = known.find(|need| need.job == *job && need.offset == *offset)?;
    let (job, counts_as_done) = (job.clone(), need.counts_as_done);
    Some(Gate::Across { job, date: need.date, counts_as_done })
}
