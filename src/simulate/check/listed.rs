//! What the list of a window holds when it is sealed, read from the steps of all changes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Violation, cleared};
use crate::core::change::{ChangeStep, SealedList, Taken};
use crate::core::state::{Run, State};
use crate::definition::site::{Kind, NeedOf};
use crate::types::{ChangeId, RunId};

type Window = Option<(Timestamp, Timestamp)>;

/// Right after the opening of a run: its jobs are the changes of its list, each approved and scheduled for it and in no
/// other run; and none is forgotten that was scheduled for a window which has come.
pub(super) fn look(state: &State, at: Timestamp, run: &RunId) -> Result<(), Violation> {
    let run = state.run(run)?;
    let Some(list) = &run.opened.list else { return Ok(()) };
    let wrong = |what: String| Err(Violation::Listed(run.id().to_string(), what));
    let listed: BTreeSet<&ChangeId> = list.changes.iter().map(|of| &of.change).collect();
    let jobs: BTreeSet<&ChangeId> = run.batch.jobs.iter().filter_map(|job| of(&job.kind)).collect();
    if listed != jobs || jobs.len() != run.batch.jobs.len() {
        return wrong("its jobs are not those of the list".to_owned());
    }
    for entry in &list.changes {
        let steps = steps(state, &entry.change);
        let known = scheduled(steps, &list.environment);
        if known != Some((&entry.digest, entry.window)) {
            return wrong(format!("{} is not scheduled so", entry.change));
        }
        if let Some(other) = under_way(state, &entry.change, run.id()) {
            return wrong(format!("{} is in {other} too", entry.change));
        }
    }
    for job in &run.batch.jobs {
        let lacks = cleared::ruled(state, run, job).and_then(|ruled| ruled.unapproved(at));
        if let Some(what) = lacks {
            return wrong(format!("{}: {what}", job.name));
        }
        needs_are_kept(run, &job.kind, &listed).or_else(|what| wrong(what.to_string()))?;
    }
    none_is_forgotten(state, at, (run, list))
}

fn of(kind: &Kind) -> Option<&ChangeId> {
    match kind {
        Kind::Change { change, .. } => Some(change),
        _ => None,
    }
}

fn steps<'a>(state: &'a State, change: &ChangeId) -> &'a [Taken] {
    state.standing.changes.get(change).map_or(&[], |life| &life.steps)
}

/// How it was put on a list last, if nothing has taken it off since.
fn scheduled<'a>(steps: &'a [Taken], environment: &str) -> Option<(&'a String, Window)> {
    let mut found = None;
    for taken in steps {
        match &taken.step {
            ChangeStep::Scheduled { environment: of, digest, opens, closes }
                if of == environment =>
            {
                found = Some((digest, opens.zip(*closes)));
            }
            ChangeStep::Began { .. }
            | ChangeStep::Returned
            | ChangeStep::Withdrawn
            | ChangeStep::Closed
            | ChangeStep::Archived => found = None,
            _ => {}
        }
    }
    found
}

/// Another run that still has it to do.
fn under_way<'a>(state: &'a State, change: &ChangeId, own: &RunId) -> Option<&'a RunId> {
    let others = state.runs.values().filter(|run| run.id() != own && !run.opened.trial);
    let mut open = others.filter(|run| run.result.is_none());
    open.find(|run| {
        let mut jobs = run.batch.jobs.iter().zip(&run.jobs);
        jobs.any(|(job, now)| of(&job.kind) == Some(change) && now.phase.outcome().is_none())
    })
    .map(Run::id)
}

/// A change waits for those that it needs.
fn needs_are_kept(run: &Run, kind: &Kind, listed: &BTreeSet<&ChangeId>) -> Result<(), String> {
    let Some(change) = of(kind).and_then(|id| run.site.changes.get(id)) else {
        return Err("a job is no change of the site".to_owned());
    };
    let job = run.batch.jobs.iter().find(|job| of(&job.kind) == Some(&change.id));
    let waits: BTreeSet<&str> = job
        .iter()
        .flat_map(|job| &job.needs)
        .filter_map(|need| match &need.of {
            NeedOf::Job(name) => Some(name.as_str()),
            NeedOf::Across { .. } => None,
        })
        .collect();
    let wanted = change.needs.iter().filter(|need| listed.contains(need));
    match waits == wanted.map(ChangeId::as_str).collect() {
        true => Ok(()),
        false => Err(format!("{} does not wait for what it needs", change.id)),
    }
}

fn none_is_forgotten(
    state: &State,
    at: Timestamp,
    (run, list): (&Run, &SealedList),
) -> Result<(), Violation> {
    let told = |id: &ChangeId| {
        list.changes.iter().any(|of| of.change == *id)
            || list.left_out.iter().any(|of| of.change == *id)
    };
    // It is about windows until that of the last of its changes.
    let last = list.changes.iter().filter_map(|of| of.window).map(|(opens, _)| opens).max();
    let last = last.map_or(at, |opens| opens.max(at));
    let forgotten = run.site.changes.keys().find(|id| {
        let window = scheduled(steps(state, id), &list.environment);
        let is_of_it = window.is_some_and(|(_, of)| of.is_none_or(|(opens, _)| opens <= last));
        is_of_it && !told(id)
    });
    match forgotten {
        Some(id) => Err(Violation::Listed(run.id().to_string(), format!("{id} is forgotten"))),
        None => Ok(()),
    }
}
