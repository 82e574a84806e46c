//! Whether a step of a change is one that may be taken, read from its life alone; and whether a look at it is.

use crate::core::change::{ChangeLife, ChangeStep};
use crate::core::phase::Phase;
use crate::core::state::{Run, State};
use crate::definition::site::Kind;
use crate::types::{ChangeId, PersonId};

/// Only what became of a change is looked at, and only while nobody knows it.
pub(super) fn examinable(run: &Run, index: usize) -> Result<(), String> {
    if !matches!(run.job(index).kind, Kind::Change { .. }) {
        return Err("it is no change".to_owned());
    }
    if !matches!(run.jobs[index].phase, Phase::InDoubt { .. }) {
        return Err("it is not in doubt".to_owned());
    }
    if run.result.is_some() || run.stopping.is_some() || run.cancelled.is_some() {
        return Err("its run is over, or comes to its end".to_owned());
    }
    Ok(())
}

/// Its number is the next one, its stage allows it, nobody approves what is their own, and two decide.
pub(super) fn next_step(
    state: &State,
    change: &ChangeId,
    number: u32,
    (by, second): (&PersonId, Option<&PersonId>),
    step: &ChangeStep,
) -> Result<(), String> {
    let unknown = ChangeLife::default();
    let life = state.standing.changes.get(change).map_or(&unknown, AsRef::as_ref);
    if usize::try_from(number).ok() != Some(life.steps.len() + 1) {
        return Err("its number is not the next one".to_owned());
    }
    let stage = life.stage();
    let afresh = match (step, life.since_submission()) {
        (ChangeStep::Submitted { content, .. }, Some((before, _))) => content != before,
        _ => true,
    };
    if stage.after(step, afresh).is_none() {
        return Err(format!("it is {}", stage.name()));
    }
    let own = life.steps.iter().any(|taken| match &taken.step {
        ChangeStep::Created { .. } => taken.by == *by,
        ChangeStep::Submitted { authors, .. } => taken.by == *by || authors.contains(by),
        _ => false,
    });
    match step {
        ChangeStep::Reviewed { .. } | ChangeStep::Approved { .. } if own => {
            Err(format!("{by} wrote it or asked for it"))
        }
        ChangeStep::Decided { .. } if second.is_none_or(|second| second == by) => {
            Err("nobody else has looked at it".to_owned())
        }
        _ => Ok(()),
    }
}
