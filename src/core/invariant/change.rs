//! Whether a step of a change is one that may be taken, read from its life alone.

use crate::core::change::{ChangeLife, ChangeStep};
use crate::core::state::State;
use crate::types::{ChangeId, PersonId};

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
