//! Windows that close on work: an own reading of what is told of them, and of what must have been.

use std::time::Duration;

use jiff::Timestamp;

use super::Violation;
use super::openings::Clock;
use crate::core::fact::Fact;
use crate::core::incident::{Fault, IncidentStep};
use crate::core::phase::Phase;
use crate::core::state::{Run, State};
use crate::types::{JobName, Now, RunId};

/// What an entry tells of a window that closes on a job.
fn told(fact: &Fact) -> Option<(&RunId, &JobName, &Fault)> {
    let (run, job, fault) = match fact {
        Fact::IncidentOpened(opened) => (&opened.run, &opened.job, &opened.fault),
        Fact::IncidentMoved(moved) => match &moved.step {
            IncidentStep::Repeated { job, fault, .. } => (&moved.run, job, fault),
            _ => return None,
        },
        _ => return None,
    };
    Some((run.as_ref()?, job.as_ref()?, fault))
}

/// Nothing is told that is not so: of a job that has begun in time, or behind the close of a window.
pub(super) fn is_so(
    state: &State,
    clock: &mut Clock,
    at: Timestamp,
    fact: &Fact,
) -> Result<(), Violation> {
    let Some((run, job, fault)) = told(fact) else { return Ok(()) };
    let run = state.run(run)?;
    let Some(index) = run.index(job) else { return Ok(()) };
    let wrong = |why: &str| Err(Violation::NotSo(format!("{}/{job}", run.id()), why.to_owned()));
    let begun = works_since(run, index);
    let of_window = matches!(fault, Fault::RunsOver { .. } | Fault::WindowCloses { .. });
    if of_window && run.job(index).kind.only_looks() {
        return wrong("it only looks");
    }
    match fault {
        Fault::RunsOver { closed } => match begun {
            None => wrong("it does not run"),
            Some(_) if *closed > at => wrong("its window has not closed"),
            Some(begun) if clock.closes(state, (run, index), begun) != Some(*closed) => {
                wrong("it did not begin in a window that closed then")
            }
            Some(_) => Ok(()),
        },
        Fault::WindowCloses { closes, expected } => {
            let known = clock.closes(state, (run, index), begun.unwrap_or(at));
            if run.jobs[index].phase.outcome().is_some() {
                wrong("it is over")
            } else if *closes <= at || known != Some(*closes) {
                wrong("no window that is open to it closes then")
            } else if expected.is_some_and(|expected| expected <= *closes) {
                wrong("it is expected to be in time")
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

/// Everything that anybody could know was told: what still runs though its window has closed; and of jobs that need nothing,
/// and had room in this very opening when the run began, which of them do not fit in any more.
pub(super) fn is_told(
    state: &State,
    clock: &mut Clock,
    runs: impl Iterator<Item = RunId>,
    now: Now,
) -> Result<(), Violation> {
    for id in runs {
        let run = state.run(&id)?;
        for index in 0..run.jobs.len() {
            let Some((closes, why)) = is_due(state, clock, (run, index), now.wall) else {
                continue;
            };
            let name = &run.job(index).name;
            let of = state.incidents.values().filter(|known| known.what.run.as_ref() == Some(&id));
            let known =
                of.flat_map(|known| known.about().map(move |(job, fault)| (known, job, fault)));
            let mut known = known.filter(|(known, job, fault)| match fault {
                Fault::RunsOver { closed } => *job == Some(name) && *closed == closes,
                Fault::WindowCloses { closes: at, .. } => {
                    let part = known.blocks.contains(name);
                    (*job == Some(name) || part) && *at == closes
                }
                _ => false,
            });
            if known.next().is_none() {
                let job = format!("{id}/{name}");
                return Err(Violation::Untold(job, format!("{why} at {closes}")));
            }
        }
    }
    Ok(())
}

fn is_due(
    state: &State,
    clock: &mut Clock,
    (run, index): (&Run, usize),
    now: Timestamp,
) -> Option<(Timestamp, &'static str)> {
    let (job, known) = (run.job(index), &run.jobs[index]);
    if run.result.is_some() || run.opened.trial || job.kind.only_looks() {
        return None;
    }
    if let Some(begun) = works_since(run, index) {
        let closes = clock.closes(state, (run, index), begun)?;
        return (closes <= now).then_some((closes, "it runs, and its window has closed"));
    }
    let waits = known.phase == Phase::Waiting && known.attempts.is_empty() && known.asked;
    let held = known.held.is_some() || run.stopping.is_some() || run.cancelled.is_some();
    let alone = job.needs.is_empty() && job.days.is_none() && job.kind.starts();
    // What a doubt has, or a pool that was made smaller, may keep it for ever; that is told as what it is.
    let doubt = |run: &Run| run.jobs.iter().any(|job| matches!(job.phase, Phase::InDoubt { .. }));
    let kept = !job.pools.is_empty() || state.runs.values().any(doubt);
    // A freeze may keep it for longer than anybody looks ahead.
    let frozen = !run.site.freezes.is_empty() || !state.standing.freezes.is_empty();
    if !waits || held || !alone || kept || frozen {
        return None;
    }
    let closes = clock.closes(state, (run, index), now)?;
    let needs = clock.needs(state, (run, index));
    // However the jobs of the run share their places, all of them one after the other would have been done by then.
    let all: Duration = (0..run.jobs.len()).map(|of| clock.needs(state, (run, of))).sum();
    let in_time = run.opened_at + all + needs <= closes;
    let this_one = clock.closes(state, (run, index), run.opened_at) == Some(closes);
    let late = now + needs > closes;
    (late && in_time && this_one).then_some((closes, "it does not fit in, and its window closes"))
}

/// Since when an attempt is at work that does more than look at what an earlier one has left.
fn works_since(run: &Run, index: usize) -> Option<Timestamp> {
    let job = &run.jobs[index];
    let last = job.attempts.last().filter(|_| job.phase.in_flight())?;
    (!last.examine).then_some(last.intended)
}
