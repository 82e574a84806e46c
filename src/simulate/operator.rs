//! What the made-up operators do: at random while faults last, and afterwards whatever lets the night come to its end.

use super::dice::Dice;
use crate::core::fact::Action;
use crate::core::phase::Phase;
use crate::core::state::{Run, State};
use crate::definition::site::Kind;
use crate::types::{JobName, Outcome, RunId};

/// Any action on any job: the core refuses what its rules do not allow.
pub(super) fn anything(dice: &mut Dice, state: &State) -> Option<(RunId, Action)> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let index = dice.of(0..run.jobs.len() as u64) as usize;
    let job = run.job(index).name.clone();
    let action = match dice.of(0..10) {
        0 => Action::Hold { job },
        1 => Action::Release { job },
        2 => Action::Skip { job },
        3 => Action::Force { job },
        4 | 5 => Action::Retry { job },
        6 => Action::Kill { job },
        7 | 8 => Action::Confirm { job },
        _ => Action::Note { job: Some(job), text: "seen".to_owned() },
    };
    Some((run.id().clone(), action))
}

/// Jobs of one run that may be run again: settled, by whatever way.
pub(super) fn again(dice: &mut Dice, state: &State) -> Option<(RunId, Vec<JobName>)> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let settled: Vec<&JobName> = run
        .jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| job.phase.outcome().is_some())
        .map(|(index, _)| &run.job(index).name)
        .collect();
    Some((run.id().clone(), vec![(*dice.pick(&settled)?).clone()]))
}

/// The next thing that a patient operator does so that everything comes to its end.
pub(super) fn tidy(
    state: &State,
    may_confirm: impl Fn(&Run, usize) -> bool,
) -> Option<(RunId, Action)> {
    state.runs.values().find_map(|run| {
        let action = (0..run.jobs.len()).find_map(|index| next(run, index, &may_confirm))?;
        Some((run.id().clone(), action))
    })
}

fn next(run: &Run, index: usize, may_confirm: &impl Fn(&Run, usize) -> bool) -> Option<Action> {
    let state = &run.jobs[index];
    let job = run.job(index).name.clone();
    if state.held.is_some() {
        return Some(Action::Release { job });
    }
    match &state.phase {
        Phase::InDoubt { .. } => Some(Action::Force { job }),
        // Not critical or not: jobs of other runs may wait for it.
        Phase::Settled { outcome: Outcome::Failed, .. } => Some(Action::Retry { job }),
        Phase::Waiting
            if matches!(run.job(index).kind, Kind::Confirm { .. }) && may_confirm(run, index) =>
        {
            Some(Action::Confirm { job })
        }
        _ => None,
    }
}
