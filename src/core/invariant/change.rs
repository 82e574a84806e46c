//! Whether a step of a change is one that may be taken, whether it may start, and whether a look at it may: read from its
//! life, the acts on its run and the rules, and not from what decides it.

use super::{Around, rules};
use crate::core::change::{ChangeLife, ChangeStep, Desk, InGit};
use crate::core::fact::{Action, RunOpened};
use crate::core::phase::Phase;
use crate::core::state::{Run, State};
use crate::core::window::{Gate, Subject};
use crate::definition::site::{Change, ChangeKind, Kind, Target};
use crate::types::{AttemptId, ChangeId, HostName, PersonId};

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

/// The jobs of a list are the changes that its seal names, with the contents that it names.
pub(super) fn sealed(state: &State, opened: &RunOpened) -> Result<(), String> {
    let Some(site) = state.definition(&opened.definition) else { return Ok(()) };
    let Some(batch) = site.batches.get(&opened.batch) else { return Ok(()) };
    let Some(list) = &opened.list else {
        return match &batch.list {
            Some(_) if !opened.trial && !batch.jobs.is_empty() => {
                Err("its list is not sealed".to_owned())
            }
            _ => Ok(()),
        };
    };
    let held = batch.jobs.iter().map(|job| match &job.kind {
        Kind::Change { change, .. } => site.changes.get(change),
        _ => None,
    });
    let held: Vec<_> = held.map(|change| change.map(|c| (&c.id, c.content.as_str()))).collect();
    let named = list.changes.iter().map(|of| Some((&of.change, of.content.as_str())));
    match held == named.collect::<Vec<_>>() {
        true => Ok(()),
        false => Err("it holds other changes than its seal names".to_owned()),
    }
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
        ChangeStep::Submitted { authors, in_git, .. } => {
            taken.by == *by || authors.contains(by) || is_named(in_git, by)
        }
        _ => false,
    });
    match step {
        ChangeStep::Reviewed { .. } | ChangeStep::Approved { .. } if own => {
            Err(format!("{by} wrote it or asked for it"))
        }
        ChangeStep::Lost { .. } if own => Err(format!("{by} wrote it or asked for it")),
        ChangeStep::Lost { attempt, complete: true, .. } if !another_said(life, attempt, by) => {
            Err("nobody else has looked at it".to_owned())
        }
        ChangeStep::Decided { .. } | ChangeStep::GoesOn { .. }
            if second.is_none_or(|second| second == by) =>
        {
            Err("nobody else has looked at it".to_owned())
        }
        _ => Ok(()),
    }
}

fn another_said(life: &ChangeLife, lost: &AttemptId, by: &PersonId) -> bool {
    life.steps.iter().any(|taken| {
        taken.by != *by
            && matches!(&taken.step, ChangeStep::Lost { attempt, complete: false, .. } if attempt == lost)
    })
}

fn is_named(in_git: &[InGit], person: &PersonId) -> bool {
    in_git.iter().any(|named| named.person.as_ref() == Some(person))
}

/// A change that is about to begin, where there are rules about it.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    change: &'a Change,
    target: &'a Target,
}

pub(super) fn under_rules(run: &Run, index: usize) -> Option<Of<'_>> {
    let kind = &run.job(index).kind;
    let Kind::Change { change, .. } = kind else { return None };
    if run.opened.trial || run.site.change_rules.is_none() {
        return None;
    }
    let target = run.site.targets.get(kind.target(&run.site)?)?;
    Some(Of { change: run.site.changes.get(change)?, target })
}

/// Released by one person and watched by another, neither its author; approved as often as its rule wants for what the run
/// holds; and nothing of it is frozen. Its windows are open, or it is an emergency, or somebody lets it run late.
pub(super) fn may_begin(
    around: Around<'_>,
    (run, index): (&Run, usize),
    of: Of<'_>,
    host: &HostName,
) -> Result<(), String> {
    if around.people_assumed {
        return frozen_or_closed(around, (run, index), of, host);
    }
    let released =
        run.acts.iter().rev().find(|a| matches!(a.action, Action::ReleaseChanges { .. }));
    let watched = run.acts.iter().rev().find(|act| act.action == Action::WatchChanges);
    let (Some(released), Some(watched)) = (released, watched) else {
        return Err("its list is not released and watched".to_owned());
    };
    if released.by == watched.by {
        return Err(format!("{} has released it and watches it", released.by));
    }
    let lives = &around.state.standing.changes;
    let life = lives.get(&of.change.id).ok_or("nobody has submitted it")?;
    let (content, steps) = life.since_submission().ok_or("nobody has submitted it")?;
    if content != of.change.content {
        return Err("it is not what was submitted".to_owned());
    }
    for person in [&released.by, &watched.by] {
        let wrote = |authors: &[PersonId]| authors.contains(person);
        let own = steps.iter().any(
            |taken| matches!(&taken.step, ChangeStep::Submitted { authors, in_git, .. } if wrote(authors) || is_named(in_git, person)),
        );
        if own || wrote(&of.change.papers.authors) {
            return Err(format!("{person} wrote it"));
        }
    }
    let environment = of.target.environment.as_str();
    let windows = &rules(around, run)?.windows;
    let desk = Desk::new(&run.site, windows, &of.change.id, lives).map_err(|no| no.what)?;
    let digest = desk.approval_digest(environment).unwrap_or_default();
    let rule = desk.rules.approval(desk.case(environment)).ok_or("no rule says who approves it")?;
    for quorum in &rule.roles {
        let mut people: Vec<&PersonId> = steps
            .iter()
            .filter(|taken| {
                matches!(&taken.step, ChangeStep::Approved { digest: of, role, .. }
                    if *of == digest && *role == quorum.role)
            })
            .map(|taken| &taken.by)
            .collect();
        people.sort();
        people.dedup();
        if people.len() < quorum.people as usize {
            return Err(format!("{} of {} have approved it", people.len(), quorum.people));
        }
    }
    frozen_or_closed(around, (run, index), of, host)
}

fn frozen_or_closed(
    around: Around<'_>,
    (run, index): (&Run, usize),
    of: Of<'_>,
    host: &HostName,
) -> Result<(), String> {
    let job = run.job(index);
    let windows = &rules(around, run)?.windows;
    let lives = &around.state.standing.changes;
    let desk = Desk::new(&run.site, windows, &of.change.id, lives).map_err(|no| no.what)?;
    let environment = of.target.environment.as_str();
    let mut classes = desk.classes(environment);
    classes.extend(run.batch.window.iter().chain(&job.window));
    let ordered = &around.state.standing.freezes;
    let target = job.kind.target(&run.site);
    let what = Subject { batch: &run.batch.id, target, host, ordered };
    let (now, none) = (around.now.wall, std::time::Duration::ZERO);
    if let Gate::Closed { reason, .. } = windows.gate_overridden(&classes, what, now, none) {
        return Err(reason.to_string());
    }
    let late = desk.life.steps.iter().any(|taken| {
        matches!(&taken.step, ChangeStep::Confirmed { environment: of, item, .. }
            if of.as_deref() == Some(environment) && item.as_str() == crate::core::change::LATE)
    });
    match windows.gate(&classes, what, now, none) {
        Gate::Closed { reason, .. } if of.change.kind == ChangeKind::Normal && !late => {
            Err(reason.to_string())
        }
        _ => Ok(()),
    }
}

/// A change that people are told to wait for: its run has it, and it has not begun.
pub(super) fn waits_for_people(run: &Run, index: usize) -> bool {
    under_rules(run, index).is_some()
        && matches!(run.jobs[index].phase, Phase::Waiting | Phase::RetryWait { .. })
}
