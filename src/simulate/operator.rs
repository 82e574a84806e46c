//! What the made-up operators do: at random while faults last, and afterwards whatever lets the night come to its end.

use super::dice::Dice;
use crate::core::fact::Action;
use crate::core::gate;
use crate::core::needs::Verdict;
use crate::core::night::Core;
use crate::core::obstacle::Obstacle;
use crate::core::phase::Phase;
use crate::core::state::{Run, State, Unfit};
use crate::definition::site::{Kind, Site};
use crate::types::{BusinessDate, JobName, JobRef, Now, Outcome, PersonId, RunId};

/// Any action on any job: the core refuses what its rules do not allow.
pub(super) fn anything(dice: &mut Dice, state: &State) -> Option<(RunId, Action)> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let index = dice.of(0..(run.jobs.len() as u64).max(1)) as usize;
    let job = run.batch.jobs.get(index)?.name.clone();
    let action = match dice.of(0..11) {
        0 | 1 => Action::Hold { job },
        2 => Action::Release { job },
        3 => Action::Skip { job },
        4 => Action::Force { job },
        5 | 6 => Action::Retry { job },
        7 => Action::Kill { job },
        8 | 9 => Action::Confirm { job },
        _ => Action::Note { job: Some(job).filter(|_| dice.percent(80)), text: "seen".to_owned() },
    };
    Some((run.id().clone(), action))
}

/// Anybody of the site, or somebody whom it does not know.
pub(super) fn anybody(dice: &mut Dice, site: &Site) -> Option<PersonId> {
    let known: Vec<&PersonId> = site.people.keys().collect();
    if dice.percent(10) {
        return PersonId::new("stranger").ok();
    }
    dice.pick(&known).map(|person| (*person).clone())
}

/// Some jobs of one run again, those among them that cannot be.
pub(super) fn again(dice: &mut Dice, state: &State) -> Option<(RunId, Vec<JobName>)> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let mut jobs = Vec::new();
    for _ in 0..=dice.of(0..3) {
        jobs.extend(dice.pick(&run.batch.jobs).map(|job| job.name.clone()));
    }
    Some((run.id().clone(), jobs))
}

/// What patient operators do, all at once, so that everything comes to its end. `hopes`: more is ordered or heard of.
pub(super) fn tidy(core: &Core, now: Now, hopes: bool) -> Result<Vec<(RunId, Action)>, Unfit> {
    let mut actions = Vec::new();
    for run in core.state().runs.values() {
        for index in 0..run.jobs.len() {
            if let Some(action) = next(core, run, index, (now, hopes))? {
                actions.push((run.id().clone(), action));
            }
        }
    }
    Ok(actions)
}

fn next(
    core: &Core,
    run: &Run,
    index: usize,
    (now, hopes): (Now, bool),
) -> Result<Option<Action>, Unfit> {
    let (state, job) = (&run.jobs[index], run.job(index).name.clone());
    if state.held.is_some() {
        return Ok(Some(Action::Release { job }));
    }
    Ok(match &state.phase {
        Phase::InDoubt { .. } => Some(Action::Force { job }),
        // Not critical or not: jobs of other runs may wait for it.
        Phase::Settled { outcome: Outcome::Failed, .. } => Some(Action::Retry { job }),
        Phase::Waiting | Phase::RetryWait { .. } if run.result.is_none() => {
            let ready = gate::needs_verdict(core.state(), run, index) == Verdict::Go;
            let asks = matches!(run.job(index).kind, Kind::Confirm { .. });
            if asks && ready && state.phase == Phase::Waiting {
                Some(Action::Confirm { job })
            } else if !hopes && hopeless(core, run, index, now)? {
                Some(Action::Force { job })
            } else {
                None
            }
        }
        _ => None,
    })
}

/// What stands in its way will not go away in any night: it is for people to say what that means.
fn hopeless(core: &Core, run: &Run, index: usize, now: Now) -> Result<bool, Unfit> {
    let obstacles = core.obstacles(run.id(), index, now)?;
    Ok(obstacles.iter().any(|obstacle| match obstacle {
        Obstacle::Across { job, date, outcome: None, .. } => !is_known(core.state(), job, *date),
        Obstacle::Window { next: None, .. } => true,
        _ => false,
    }))
}

fn is_known(state: &State, job: &JobRef, date: BusinessDate) -> bool {
    let mut runs = state.runs.values();
    runs.any(|run| {
        run.opened.batch == job.batch
            && run.opened.business_date == date
            && run.index(&job.job).is_some()
    })
}

/// Somebody who may do it: one with the role that a confirmation asks for.
pub(super) fn entitled(
    state: &State,
    site: &Site,
    run: &RunId,
    action: &Action,
) -> Option<PersonId> {
    let asked = match action {
        Action::Confirm { job } => state.runs.get(run).and_then(|run| {
            let Kind::Confirm { role, .. } = &run.job(run.index(job)?).kind else { return None };
            role.clone()
        }),
        _ => None,
    };
    let mut people = site.people.iter();
    people
        .find(|(_, person)| asked.as_ref().is_none_or(|role| person.roles.contains(role)))
        .map(|(id, _)| id.clone())
}
