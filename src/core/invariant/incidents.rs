//! What must be true of the facts of incidents: one fault has one, its steps count on, and nothing is done to it twice.

use super::found;
use crate::core::fact::Fact;
use crate::core::incident::{Fault, Incident, IncidentStep, Moved, Opened};
use crate::core::phase::Phase;
use crate::core::state::State;
use crate::types::{IncidentKind, Outcome};

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
    may_drill(state, opened)?;
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

/// A drill is of no run, was started by somebody, and is the only one of its name that is open; nothing else is one.
fn may_drill(state: &State, opened: &Opened) -> Result<(), String> {
    let is_drill = opened.kind == IncidentKind::Drill;
    if is_drill != matches!(opened.fault, Fault::Drill { .. }) {
        return Err("it is no drill, or a drill without its terms".to_owned());
    }
    if is_drill && (opened.run.is_some() || opened.by.is_none()) {
        return Err("a drill is of no run, and somebody has started it".to_owned());
    }
    let same = |known: &Incident| match (&known.what.fault, &opened.fault) {
        (Fault::Drill { drill: a, .. }, Fault::Drill { drill: b, .. })
        | (Fault::DrillOverdue { drill: a, .. }, Fault::DrillOverdue { drill: b, .. }) => a == b,
        _ => false,
    };
    match state.unfinished().find(|known| known.is_open() && same(known)) {
        Some(known) => Err(format!("{} is about the same drill and open", known.what.incident)),
        None => Ok(()),
    }
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
        IncidentStep::Acknowledged | IncidentStep::TakenOver
            if known.is_drill() && moved.by == known.what.by =>
        {
            Err("whoever starts a drill does not answer it".to_owned())
        }
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
