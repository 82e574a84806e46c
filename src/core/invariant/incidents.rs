//! What must be true of the facts of incidents: one fault has one, its steps count on, and nothing is done to it twice.

use super::found;
use crate::core::fact::Fact;
use crate::core::incident::{Fault, IncidentStep, Moved, Opened};
use crate::core::phase::Phase;
use crate::core::state::State;
use crate::types::Outcome;

/// What it is about, and why it must not be.
pub(super) fn may(state: &State, fact: &Fact) -> Result<(), (String, String)> {
    let (of, may) = match fact {
        Fact::IncidentOpened(opened) => (opened.incident, may_open(state, opened)),
        Fact::IncidentMoved(moved) => (moved.incident, may_move(state, moved)),
        Fact::IncidentClosed { incident, .. } => {
            let open = state.incidents.get(incident).is_some_and(|known| known.is_open());
            (*incident, open.then_some(()).ok_or_else(|| "it is not open".to_owned()))
        }
        _ => return Ok(()),
    };
    may.map_err(|why| (of.to_string(), why))
}

fn may_open(state: &State, opened: &Opened) -> Result<(), String> {
    if state.incidents.contains_key(&opened.incident) {
        return Err("there is an incident of that number".to_owned());
    }
    let told = matches!(opened.fault, Fault::Told { .. });
    let same = state.unfinished().find(|known| {
        let what = &known.what;
        let one_of_a_run = what.run.is_some() && what.run == opened.run && what.job == opened.job;
        known.is_open() && one_of_a_run && !matches!(what.fault, Fault::Told { .. })
    });
    if let Some(same) = same.filter(|_| !told) {
        return Err(format!("{} is about the same and open", same.what.incident));
    }
    let (Some(run), Some(job)) = (&opened.run, &opened.job) else { return Ok(()) };
    let (run, index) = found(state, run, job)?;
    let phase = &run.jobs[index].phase;
    let so = match &opened.fault {
        Fault::Failed => phase.outcome() == Some(Outcome::Failed) && run.job(index).critical,
        Fault::InDoubt => matches!(phase, Phase::InDoubt { .. }) && run.job(index).critical,
        Fault::Waits => super::change::waits_for_people(run, index),
        Fault::Late { deadline, due } => {
            let same = |missed: &crate::core::state::Missed| {
                missed.job.as_ref() == Some(job)
                    && missed.deadline == *deadline
                    && missed.due == *due
            };
            run.missed.iter().any(same)
        }
        _ => true,
    };
    if so { Ok(()) } else { Err("what it is about is not so".to_owned()) }
}

fn may_move(state: &State, moved: &Moved) -> Result<(), String> {
    let known = state.incidents.get(&moved.incident).ok_or("there is no such incident")?;
    if usize::try_from(moved.number).ok() != Some(known.steps.len() + 1) {
        return Err("its number is not the next one".to_owned());
    }
    if moved.run != known.what.run {
        return Err("it is of another run".to_owned());
    }
    let of_nightrun = matches!(
        moved.step,
        IncidentStep::Told { .. }
            | IncidentStep::Warned { .. }
            | IncidentStep::Breached { .. }
            | IncidentStep::Repeated { .. }
    );
    if of_nightrun != moved.by.is_none() {
        return Err("it is not known whose step it is".to_owned());
    }
    match &moved.step {
        IncidentStep::Told { .. } if known.acknowledged.is_some() => {
            Err("somebody takes care of it".to_owned())
        }
        IncidentStep::Warned { clocks } | IncidentStep::Breached { clocks } => {
            let running = |kind| {
                known.clocks.get(kind).is_some_and(|clock| clock.met.is_none() && !clock.breached)
            };
            let all = clocks.iter().all(running);
            if all { Ok(()) } else { Err("that was done, or has been counted".to_owned()) }
        }
        IncidentStep::Acknowledged if known.acknowledged.is_some() => {
            Err("somebody has acknowledged it".to_owned())
        }
        _ => Ok(()),
    }
}
