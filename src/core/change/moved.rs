//! A change moves on: a step that a person takes, or that follows from its execution.

use std::sync::Arc;

use super::clearance::Start;
use super::closing::permissions_in;
use super::desk::{Desk, UNKNOWN};
use super::examine::{left_between, left_something};
use super::in_git::in_git;
use super::start::{Subject, executes, start, subject};
use super::step::{Began, ChangeStep, Declared, Executed, WindowDecision};
use super::take::{Wish, without_folder};
use crate::core::act::By;
use crate::core::allowed::must_not_be_stopped;
use crate::core::fact::{Action, Fact, Proposed, Why};
use crate::core::gate;
use crate::core::night::{Mover, StepError};
use crate::core::phase::Phase;
use crate::core::refused::{Refused, Rule};
use crate::core::state::{Run, State, Unfit};
use crate::core::window::{Gate, Windows};
use crate::definition::site::{Change, Site};
use crate::types::{AttemptId, ChangeId, EventKey, JobName, Named, Outcome, PersonId, RunId};
use crate::wire::{ChangeState, ChangeWork, Ended, Work};

/// What a person asks to be done with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeOrder {
    pub change: ChangeId,
    pub wish: Wish,
    /// What makes a request of another system one and the same.
    pub key: Option<EventKey>,
    /// The files that are in force.
    pub site: Arc<Site>,
    /// Of a submission: whom the commits that touched its folder name, the newest first.
    pub named: Vec<Named>,
}

pub(super) fn declared(site: &Site, change: &Change, environment: &str) -> Declared {
    let requester = || site.people.get(change.requester.as_ref()?)?.team.clone();
    Declared {
        class: change.class,
        kind: change.kind,
        team: change.papers.team.clone().or_else(requester),
        fixes: change.papers.fixes.clone(),
        markets: Some(change.papers.markets.clone()),
        permissions: Some(permissions_in(site, change, environment).to_vec()),
    }
}

impl State {
    /// The run in which a change is in doubt.
    pub fn doubted_in(&self, change: &ChangeId) -> Option<&AttemptId> {
        Some(&self.standing.changes.get(change)?.doubt()?.attempt)
    }

    /// The change that a request with this key has made known, if there was one.
    pub fn change_by_key(&self, key: &EventKey) -> Option<&ChangeId> {
        let mut lives = self.standing.changes.iter();
        let found = lives.find(|(_, life)| {
            life.steps.iter().any(|taken| {
                matches!(&taken.step, ChangeStep::Created { key: Some(known), .. } if known == key)
            })
        });
        found.map(|(id, _)| id)
    }
}

impl Mover<'_> {
    /// A person takes a step. What becomes of a change in doubt waits for a second person.
    pub(in crate::core) fn change(&mut self, by: &By, order: ChangeOrder) -> Result<(), StepError> {
        let ChangeOrder { change, wish, key, site, named } = order;
        if let Some(known) = key.as_ref().and_then(|key| self.core.state.change_by_key(key)) {
            let what = format!("the key was given to {known}");
            return Err(Refused::by(Rule::KeyUsed, what).into());
        }
        let decides = matches!(wish, Wish::Decide { .. });
        let step = self.step_of(&site, &change, &by.person, wish.clone())?;
        if decides && by.second.is_none() {
            // What the second person's yes could not carry out is not asked of anybody.
            let (doubted, _, index) = self.in_doubt(&change)?;
            still_in_doubt(&step, &doubted.job, index)?;
            return self.ask_second(by, Proposed::Change { change, wish: Box::new(wish) });
        }
        let mut step = step;
        match &mut step {
            ChangeStep::Created { key: of, .. } => *of = key,
            ChangeStep::Submitted { in_git: of, .. } => *of = in_git(&site, &named),
            _ => {}
        }
        self.move_change(&change, by, step)?;
        Ok(())
    }

    fn step_of(
        &self,
        site: &Arc<Site>,
        change: &ChangeId,
        by: &PersonId,
        wish: Wish,
    ) -> Result<ChangeStep, Refused> {
        let lives = &self.core.state.standing.changes;
        if !site.changes.contains_key(change) {
            let life = lives.get(change).map_or(&UNKNOWN, AsRef::as_ref);
            return without_folder(site, change, life, by, wish);
        }
        // To lay the calendars out takes longer than all the rest.
        let at_hand = self.core.on_call().filter(|on_call| Arc::ptr_eq(&on_call.site, site));
        let windows = match at_hand {
            Some(on_call) => Windows::over(site, &on_call.calendars),
            None => Windows::new(site),
        };
        Desk::new(site, &windows, change, lives)?.take(by, self.now.wall, wish)
    }

    fn move_change(&mut self, change: &ChangeId, by: &By, step: ChangeStep) -> Result<(), Unfit> {
        let life = self.core.state.standing.changes.get(change);
        let number = life.map_or(0, |life| life.steps.len()) + 1;
        self.emit(Fact::ChangeMoved {
            change: change.clone(),
            number: u32::try_from(number).unwrap_or(u32::MAX),
            by: by.person.clone(),
            reason: by.reason.clone(),
            second: by.second.clone(),
            step: Box::new(step),
        })?;
        self.changes_moved();
        Ok(())
    }

    /// The attempt that has left a change in doubt, with the site of its run and the place of its job there while that is
    /// in doubt as well, or waits to go on; or why nobody may say anything of it now.
    fn in_doubt(
        &self,
        change: &ChangeId,
    ) -> Result<(AttemptId, Arc<Site>, Option<usize>), Refused> {
        let doubted = self.core.state.doubted_in(change).cloned();
        let doubted = doubted
            .ok_or_else(|| Refused::by(Rule::WrongStage, format!("{change} is not in doubt")))?;
        let run = self.core.state.runs.get(&doubted.run).ok_or_else(|| {
            Refused::by(Rule::NoSuchRun, format!("{} is not at hand", doubted.run))
        })?;
        must_not_be_stopped(run)?;
        let index = run.index(&doubted.job);
        if index.is_some_and(|index| run.jobs[index].is_examined()) {
            let what = format!("{} is being examined: its answer comes first", doubted.job);
            return Err(Refused::by(Rule::InFlight, what));
        }
        let index = index.filter(|index| {
            let phase = &run.jobs[*index].phase;
            matches!(phase, Phase::InDoubt { .. }) || waits(phase)
        });
        Ok((doubted, Arc::clone(&run.site), index))
    }

    /// What two people found of a change in doubt, with what follows for its job. `by` has a second person.
    pub(in crate::core) fn decide_change(
        &mut self,
        change: &ChangeId,
        by: &By,
        wish: Wish,
    ) -> Result<(), StepError> {
        let (doubted, site, index) = self.in_doubt(change)?;
        for person in by.second.iter().chain([&by.person]) {
            self.step_of(&site, change, person, wish.clone())?;
        }
        let step = self.step_of(&site, change, &by.person, wish)?;
        let goes_on = matches!(step, ChangeStep::GoesOn { .. });
        let applied = matches!(step, ChangeStep::Decided { applied: true, .. });
        still_in_doubt(&step, &doubted.job, index)?;
        self.move_change(change, by, step)?;
        let Some(index) = index else { return Ok(()) };
        if goes_on && waits(&self.core.state.run(&doubted.run)?.jobs[index].phase) {
            return Ok(());
        }
        if goes_on {
            return self.carry_out(&doubted.run, by, Action::Retry { job: doubted.job });
        }
        if applied {
            return self.carry_out(&doubted.run, by, Action::Force { job: doubted.job });
        }
        let why = Why::Person { by: by.person.clone(), reason: by.reason.clone() };
        self.decide(&doubted.run, index, Outcome::Failed, why)
    }

    /// A start of a change: with why it was allowed, by the rules of changes or, where there are none, by its job's windows.
    pub(in crate::core) fn change_begins(
        &mut self,
        run: &RunId,
        index: usize,
        attempt: &AttemptId,
    ) -> Result<(), Unfit> {
        let Some(subject) = executes(self.core.state.run(run)?, index) else { return Ok(()) };
        let rules = self.core.rules(run)?;
        let state = &self.core.state;
        let run = state.run(run)?;
        let lives = &state.standing.changes;
        let Some(change) = run.site.changes.get(subject.change) else { return Ok(()) };
        let classes = gate::windows(run, index);
        let Some(host) = run.attempt(attempt).map(|attempt| &attempt.host) else { return Ok(()) };
        let start = start(state, run, index, &subject, host, (self.now.wall, &classes));
        let desk = Desk::new(&run.site, &rules.windows, subject.change, lives).ok();
        let window = match &desk {
            Some(desk) => desk.window_decision(&start),
            None => without_rules(run, &rules.windows, &start),
        };
        let digest = desk.and_then(|desk| desk.approval_digest(&subject.environment));
        let began = Began {
            target: subject.target.clone(),
            attempt: attempt.clone(),
            content: change.content.clone(),
            digest: digest.unwrap_or_default(),
            environment: subject.environment.clone(),
            window,
            executor: run.crew.executor.clone(),
            watcher: run.crew.watcher.clone(),
            declared: Some(declared(&run.site, change, &subject.environment)),
        };
        let by = run.crew.executor.as_ref().unwrap_or(&run.opened.by).clone();
        let change = subject.change.clone();
        let step = ChangeStep::Began { began: Box::new(began) };
        self.move_change(&change, &By::alone(by, String::new()), step)
    }

    /// What came of an attempt of a change.
    pub(in crate::core) fn change_ended(
        &mut self,
        run: &RunId,
        (change, executed): (ChangeId, Executed),
    ) -> Result<(), Unfit> {
        let run = self.core.state.run(run)?;
        let by = run.crew.executor.as_ref().unwrap_or(&run.opened.by).clone();
        let step = ChangeStep::Ended { ended: Box::new(executed) };
        self.move_change(&change, &By::alone(by, String::new()), step)
    }
}

/// Two people have said before how it goes on, and it has not begun since.
fn waits(phase: &Phase) -> bool {
    matches!(phase, Phase::Waiting | Phase::RetryWait { .. })
}

/// Only a job that waits for it can go on.
fn still_in_doubt(step: &ChangeStep, job: &JobName, index: Option<usize>) -> Result<(), Refused> {
    match (step, index) {
        (ChangeStep::GoesOn { .. }, None) => {
            Err(Refused::by(Rule::WrongStage, format!("{job} is not in doubt any more")))
        }
        _ => Ok(()),
    }
}

/// Why a job that no rules of changes are about may start. `None`: its order opens its windows.
fn without_rules(run: &Run, windows: &Windows, start: &Start<'_>) -> Option<WindowDecision> {
    if start.classes.is_empty() {
        return Some(WindowDecision::Unlimited);
    }
    if run.opened.window_override.is_some() {
        return Some(WindowDecision::Overridden { by: run.opened.by.clone() });
    }
    match windows.gate(start.classes, start.subject, start.at, start.needs) {
        Gate::Open { closes } => {
            let classes = start.classes.iter().map(|class| (*class).clone()).collect();
            Some(WindowDecision::Open { classes, closes })
        }
        Gate::Closed { .. } => None,
    }
}

/// What came of an attempt of a change.
pub(in crate::core) fn executed(
    run: &Run,
    index: usize,
    ended: &Ended,
) -> Option<(ChangeId, Executed)> {
    let Subject { change, environment, .. } = executes(run, index)?;
    let content = run.site.changes.get(change)?.content.clone();
    let job = &run.jobs[index];
    let before = match left_between(job) {
        _ if job.is_examined() => Before::Unknown,
        Some(work) => Before::Between(work),
        None if left_something(job) => Before::Unknown,
        None => Before::Nothing,
    };
    Some((change.clone(), outcome(environment, content, ended, before)))
}

/// What earlier attempts have left, which one that did not start has not altered.
enum Before<'a> {
    Nothing,
    Between(&'a ChangeWork),
    Unknown,
}

fn outcome(environment: String, content: String, ended: &Ended, before: Before<'_>) -> Executed {
    let certain = ended.started.is_none() && ended.ending.is_certain();
    let work = match &ended.work {
        Some(Work::Change(work)) => Some(work),
        _ => None,
    };
    let (state, progress) = match (work, before) {
        (Some(work), _) => (work.state, work.progress),
        // Nothing was started, so nothing was done, and what an earlier attempt has left is still there.
        (None, Before::Nothing) if certain => (ChangeState::FailedClean, None),
        (None, Before::Between(work)) if certain => (work.state, work.progress),
        (None, _) => (ChangeState::InDoubt, None),
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let after = work.map(|work| work.after.as_slice()).unwrap_or_default();
    Executed {
        environment,
        attempt: ended.attempt.clone(),
        content,
        state,
        rows: work.map_or(0, |work| work.rows),
        backup_rows: work.map_or(0, |work| work.backup_rows),
        started: ended.started,
        ended: ended.ended,
        checks: count(after.len()),
        good: count(after.iter().filter(|check| check.ok).count()),
        why: work.and_then(|work| work.why.clone()).or_else(|| match state {
            ChangeState::Done => None,
            _ => Some(ended.ending.to_string()),
        }),
        progress,
        rehearsal: work.map(|work| work.rehearsal.clone()).unwrap_or_default(),
    }
}

/// What became of a change in doubt is said by two people who have looked at it, and by nothing else.
pub(in crate::core) fn doubt_allows(run: &Run, action: &Action) -> Result<(), Refused> {
    let named: Vec<&JobName> = match action {
        Action::Skip { job } | Action::Force { job } | Action::Retry { job } => vec![job],
        Action::Rerun { jobs } => jobs.iter().collect(),
        _ => Vec::new(),
    };
    let doubted = named.into_iter().find(|job| {
        let index = run.index(job);
        index.is_some_and(|index| {
            matches!(run.jobs[index].phase, Phase::InDoubt { .. }) && subject(run, index).is_some()
        })
    });
    let Some(job) = doubted else { return Ok(()) };
    let what = format!("{job} is a change in doubt: two people say what became of it");
    Err(Refused::by(Rule::SecondPerson, what)
        .hint("`nightrun change decide CHANGE applied` or `not-applied`; of one that stopped half way also `continue`, `roll-back`, `accept`"))
}
