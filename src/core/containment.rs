//! What an incident offers to do first (先应急，后排障, E4): the actions that the runbook of its job and the state of job and
//! run allow now. It is asked of the very rules that an action is held to, so what is offered is not refused for its state.

use schemars::JsonSchema;
use serde::Serialize;

use super::allowed::{awaits_confirmation, state_allows};
use super::change::{HalfDone, subject};
use super::fact::Action;
use super::incident::Incident;
use super::night::Core;
use super::phase::Phase;
use super::select::{Deed, Which};
use super::state::{Run, State};
use crate::definition::site::{Containment, Kind};
use crate::types::ChangeId;
use crate::wire::ChangeState;

/// Something that can be done now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "offer")]
pub enum Offer {
    /// An action as `POST /api/v1/runs/{run}/actions` takes it, but for its reason. `jobs`: `close`, or `close+` with all
    /// that follows it; `null` for the run itself.
    Act { jobs: Option<String>, action: Deed },
    /// What became of a change in doubt, which two people say.
    Decide { change: ChangeId, decision: Decision },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Decision {
    Found(Found),
    /// Of one that stopped half way.
    HalfDone(HalfDone),
}

/// What was found at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    Applied,
    NotApplied,
}

/// What an incident offers; nothing where it is over, is about no job, or its run is not at hand.
pub fn offers(core: &Core, incident: &Incident) -> Vec<Offer> {
    let (Some(run), Some(job)) = (&incident.what.run, &incident.what.job) else {
        return Vec::new();
    };
    let Some(run) = core.state().runs.get(run).filter(|_| incident.is_open()) else {
        return Vec::new();
    };
    run.index(job).map(|index| of_job(core.state(), run, index)).unwrap_or_default()
}

/// What can be done about one job of a run, what helps most first.
pub(super) fn of_job(state: &State, run: &Run, index: usize) -> Vec<Offer> {
    let declared = run.job(index);
    let named = |what| declared.contain.as_ref().is_none_or(|named| named.contains(&what));
    let own = |deed: Deed| {
        let which = Which::Job(declared.name.clone());
        let mut fits = allowed(run, &deed, &which);
        fits.next().map(|_| Offer::Act { jobs: which.written(), action: deed })
    };
    let deeds = [
        (Containment::Retry, Deed::Retry),
        (Containment::Kill, Deed::Kill),
        (Containment::Skip, Deed::Skip),
        (Containment::Force, Deed::Force),
    ];
    let mut offers = of_change(state, run, index);
    // What holds it up by an order of somebody ends with an order, whatever the runbook is about.
    offers.extend(own(Deed::Release));
    offers.extend(deeds.into_iter().filter(|(what, _)| named(*what)).filter_map(|(_, d)| own(d)));
    if named(Containment::Hold) {
        offers.extend(hold_followers(run, index));
    }
    offers
}

/// What an operator may do with one job by its state and that of its run, whatever its runbook names. Who may is asked when
/// it is done.
pub fn deeds(state: &State, run: &Run, index: usize) -> Vec<Deed> {
    let which = Which::Job(run.job(index).name.clone());
    let confirms = matches!(run.job(index).kind, Kind::Confirm { .. })
        && run.result.is_none()
        && awaits_confirmation(state, run, index).is_ok();
    let mut deeds: Vec<Deed> = confirms.then_some(Deed::Confirm).into_iter().collect();
    let all =
        [Deed::Release, Deed::Retry, Deed::Kill, Deed::Hold, Deed::Skip, Deed::Force, Deed::Rerun];
    deeds.extend(all.into_iter().filter(|deed| allowed(run, deed, &which).next().is_some()));
    deeds
}

/// What of a selection the state allows.
fn allowed<'a>(run: &'a Run, deed: &Deed, which: &Which) -> impl Iterator<Item = Action> + 'a {
    // A selection of jobs that are not there, or of what is done to no job, gives nothing.
    let actions = deed.actions(run, which).unwrap_or_default();
    actions.into_iter().filter(|action| state_allows(run, action).is_ok())
}

/// So that what follows does not start on what is wrong; while the job itself has not begun nothing can.
fn hold_followers(run: &Run, index: usize) -> Option<Offer> {
    if matches!(run.jobs[index].phase, Phase::Waiting | Phase::RetryWait { .. }) {
        return None;
    }
    let which = Which::Subtree(run.job(index).name.clone());
    let some = allowed(run, &Deed::Hold, &which).next().is_some();
    some.then(|| Offer::Act { jobs: which.written(), action: Deed::Hold })
}

/// A change waits for people who let it start and watch it, or is in doubt until two people have decided.
fn of_change(state: &State, run: &Run, index: usize) -> Vec<Offer> {
    let Some(subject) = subject(run, index) else { return Vec::new() };
    match run.jobs[index].phase {
        Phase::Waiting => {
            let release = Deed::ReleaseChanges { shifts: Vec::new() };
            let missing = [
                (run.crew.executor.is_none(), release),
                (run.crew.watcher.is_none(), Deed::WatchChanges),
            ];
            let missing = missing.into_iter().filter(|(missing, deed)| {
                *missing && allowed(run, deed, &Which::Run).next().is_some()
            });
            missing.map(|(_, action)| Offer::Act { jobs: None, action }).collect()
        }
        Phase::InDoubt { .. } => {
            let life = state.standing.changes.get(subject.change);
            let doubt = life.and_then(|life| life.doubt());
            let decisions = doubt.map(|doubt| decisions(doubt.state)).unwrap_or_default();
            let change = subject.change;
            let decide =
                |decision: &Decision| Offer::Decide { change: change.clone(), decision: *decision };
            decisions.iter().map(decide).collect()
        }
        _ => Vec::new(),
    }
}

/// As [`Desk::decide`](super::change::Desk) takes them.
fn decisions(state: ChangeState) -> &'static [Decision] {
    use HalfDone::{Accept, Continue, RollBack};
    const FOUND: [Decision; 2] =
        [Decision::Found(Found::Applied), Decision::Found(Found::NotApplied)];
    match state {
        ChangeState::Partial => &[
            Decision::HalfDone(RollBack),
            Decision::HalfDone(Continue),
            Decision::HalfDone(Accept),
            FOUND[0],
            FOUND[1],
        ],
        ChangeState::RollbackFailed => &[Decision::HalfDone(RollBack), FOUND[0], FOUND[1]],
        _ => &FOUND,
    }
}
