//! What operators may do, and when: which action a run allows, which the phase of a job, and which take two people.

use jiff::Timestamp;

use super::change::{doubt_allows, may_man};
use super::deadline::first_at_or_after;
use super::fact::{Action, Deadline, RunResult};
use super::gate;
use super::needs::Verdict;
use super::night::Mover;
use super::phase::Phase;
use super::refused::{Refused, Rule};
use super::select::no_such_job;
use super::state::{Run, State};
use crate::definition::site::{Kind, TwoPeople};
use crate::types::{JobName, Outcome, PersonId};

/// Whether the site lists the action among those that take two people. A trial counts for nothing, and takes one.
pub(super) fn needs_two(run: &Run, action: &Action) -> bool {
    if run.opened.trial {
        return false;
    }
    match action {
        Action::Force { .. } => run.site.takes_two(TwoPeople::Force),
        Action::Kill { job } => {
            let change = run.index(job).is_some_and(|index| is_change(run, index));
            change && run.site.takes_two(TwoPeople::KillChange)
        }
        // What is cancelled is ended as by hand.
        Action::Cancel => {
            run.site.takes_two(TwoPeople::KillChange)
                && run.flying().any(|(index, _)| is_change(run, index))
        }
        _ => false,
    }
}

fn is_change(run: &Run, index: usize) -> bool {
    matches!(run.job(index).kind, Kind::Change { .. })
}

/// The rules: which action the run allows, and which the phase of the job.
pub(super) fn allowed(
    mover: &Mover<'_>,
    run: &Run,
    action: &Action,
    by: &PersonId,
) -> Result<(), Refused> {
    state_allows(run, action)?;
    match action {
        Action::ReleaseChanges { .. } | Action::WatchChanges => {
            let rules = mover.core.rules_of(run);
            let rules = rules.map_err(|unfit| Refused::new(unfit.to_string()))?;
            may_man(&mover.core.state, (run, rules), action, by)
        }
        Action::Deadline { job, deadline, to, .. } => {
            let index = job.as_ref().map(|job| index_of(run, job)).transpose()?;
            deadline_moves(run, index, (*deadline, *to), mover.now.wall)
        }
        Action::Confirm { job } => confirmable(mover, run, index_of(run, job)?, by),
        _ => Ok(()),
    }
}

/// What of these rules asks neither who acts nor when.
pub(super) fn state_allows(run: &Run, action: &Action) -> Result<(), Refused> {
    run_allows(run, action)?;
    doubt_allows(run, action)?;
    match action {
        Action::Rerun { jobs } => rerun_allowed(run, jobs),
        Action::Deadline { .. } => Ok(()),
        _ => match action.job() {
            Some(job) => job_allows(run, index_of(run, job)?, action),
            None => Ok(()),
        },
    }
}

fn index_of(run: &Run, job: &JobName) -> Result<usize, Refused> {
    run.index(job).ok_or_else(|| no_such_job(run, job))
}

/// What was stopped goes on when it is resumed, not before.
pub(super) fn must_not_be_stopped(run: &Run) -> Result<(), Refused> {
    if run.result != Some(RunResult::Stopped) {
        return Ok(());
    }
    Err(Refused::by(Rule::RunStopped, format!("run {} was stopped", run.id()))
        .hint("resume it first: `nightrun resume`"))
}

/// A stopped run is not set going again by an action on one of its jobs, a cancelled one by none.
fn run_allows(run: &Run, action: &Action) -> Result<(), Refused> {
    let id = run.id();
    let harmless = matches!(
        action,
        Action::Hold { .. }
            | Action::Release { .. }
            | Action::Note { .. }
            | Action::Priority { .. }
            | Action::Deadline { .. }
    );
    if !harmless {
        must_not_be_stopped(run)?;
    }
    if run.cancelled.is_some() && !allowed_when_cancelled(run, action) {
        return Err(Refused::by(Rule::RunCancelled, format!("run {id} was cancelled"))
            .hint(format!("`nightrun run {} --rerun` does its work", run.batch.id)));
    }
    let runs_only = matches!(
        action,
        Action::Cancel
            | Action::Deadline { .. }
            | Action::ReleaseChanges { .. }
            | Action::WatchChanges
    );
    if matches!(action, Action::Sign { .. }) && run.result.is_none() {
        let what = format!("run {id} is under way: its report is not final");
        return Err(Refused::by(Rule::RunUnderWay, what));
    }
    if runs_only && matches!(run.result, Some(RunResult::Well | RunResult::Failed)) {
        return Err(Refused::by(Rule::RunOver, format!("run {id} is over")));
    }
    Ok(())
}

/// What ends the last that runs, and says what became of what is in doubt.
fn allowed_when_cancelled(run: &Run, action: &Action) -> bool {
    let doubt = |job: &JobName| {
        let index = run.index(job);
        index.is_some_and(|index| matches!(run.jobs[index].phase, Phase::InDoubt { .. }))
    };
    match action {
        Action::Note { .. } | Action::Kill { .. } | Action::Sign { .. } => true,
        Action::Skip { job } | Action::Force { job } => doubt(job),
        _ => false,
    }
}

fn rerun_allowed(run: &Run, jobs: &[JobName]) -> Result<(), Refused> {
    let again = jobs.iter().find(|job| run.rerun.contains(job));
    if let Some(job) = again.filter(|_| run.reruns()) {
        let what = format!("{job} is under way again already");
        return Err(Refused::by(Rule::RerunUnderWay, what).hint("`nightrun status` shows it"));
    }
    let mut some = false;
    for job in jobs {
        let phase = &run.jobs[index_of(run, job)?].phase;
        if phase.in_flight() {
            let hint = format!("wait for it, or `nightrun kill {}.{job}` first", run.batch.id);
            return Err(Refused::by(Rule::InFlight, format!("{job} is running")).hint(hint));
        }
        some |= !phase.is_open();
    }
    if some {
        Ok(())
    } else {
        Err(Refused::by(Rule::NotStarted, "nothing of it has been done yet"))
    }
}

fn deadline_moves(
    run: &Run,
    index: Option<usize>,
    (deadline, to): (Deadline, jiff::civil::Time),
    now: Timestamp,
) -> Result<(), Refused> {
    let of = index.map_or_else(|| run.id().to_string(), |index| run.job(index).name.to_string());
    let Some(from) = run.deadline(index, deadline) else {
        return Err(Refused::by(Rule::NoSuchThing, format!("{of} has no such deadline to move")));
    };
    if from == to {
        return Err(Refused::by(Rule::NoChange, format!("the deadline of {of} is that already")));
    }
    let due = first_at_or_after(run.opened.anchor, to, &run.batch.zone);
    if due <= now {
        return Err(Refused::by(Rule::Past, format!("for {of} that time has passed, at {due}")));
    }
    Ok(())
}

/// Which action each phase of a job allows.
fn job_allows(run: &Run, index: usize, action: &Action) -> Result<(), Refused> {
    let state = &run.jobs[index];
    let name = &run.job(index).name;
    let now = || Refused::by(rule_of(&state.phase), format!("{name} {}", word(&state.phase)));
    match action {
        Action::Hold { .. } if state.held.is_some() => {
            Err(Refused::by(Rule::Held, format!("{name} is held already")))
        }
        Action::Hold { .. } => match state.phase {
            Phase::Waiting | Phase::RetryWait { .. } => Ok(()),
            _ => Err(now().hint("only a job that has not started can be held")),
        },
        Action::Release { .. } if state.held.is_none() => {
            Err(Refused::by(Rule::NotHeld, format!("{name} is not held")))
        }
        Action::Priority { priority, .. } if run.priority(index) == *priority => {
            Err(Refused::by(Rule::NoChange, format!("{name} has the priority {priority} already")))
        }
        Action::Priority { .. } if state.phase.outcome().is_some() => Err(now()),
        Action::Skip { .. } | Action::Force { .. } => match &state.phase {
            Phase::Starting | Phase::Running => {
                Err(now().hint(format!("`nightrun kill {}.{name}` ends it", run.batch.id)))
            }
            Phase::Settled { outcome: Outcome::Failed | Outcome::Blocked, .. }
            | Phase::Waiting
            | Phase::RetryWait { .. }
            | Phase::InDoubt { .. } => Ok(()),
            Phase::Settled { .. } => Err(now()),
        },
        Action::Retry { .. } => match &state.phase {
            Phase::Settled { outcome: Outcome::Failed, .. }
            | Phase::RetryWait { .. }
            | Phase::InDoubt { .. } => Ok(()),
            Phase::Settled { outcome: Outcome::Blocked, .. } => {
                Err(now().hint("retry the job that it waits for"))
            }
            Phase::Settled { .. } => {
                Err(now().hint(format!("`nightrun rerun {}.{name}` runs it again", run.batch.id)))
            }
            _ => Err(now()),
        },
        Action::Kill { .. } if !state.phase.in_flight() => {
            Err(now().hint("only a running job can be killed"))
        }
        _ => Ok(()),
    }
}

/// Which rule a phase breaks that forbids an action.
fn rule_of(phase: &Phase) -> Rule {
    match phase {
        Phase::Waiting | Phase::RetryWait { .. } => Rule::NotStarted,
        Phase::Starting | Phase::Running => Rule::InFlight,
        Phase::Settled { outcome: Outcome::Blocked, .. } => Rule::Blocked,
        Phase::Settled { .. } | Phase::InDoubt { .. } => Rule::Settled,
    }
}

fn confirmable(mover: &Mover<'_>, run: &Run, index: usize, by: &PersonId) -> Result<(), Refused> {
    let name = &run.job(index).name;
    let Kind::Confirm { role, .. } = &run.job(index).kind else {
        return Err(Refused::by(Rule::NotAsked, format!("{name} asks for no confirmation")));
    };
    if let Some(role) = role
        && !run.site.people.get(by).is_some_and(|person| person.roles.contains(role))
    {
        let what = format!("{name} is confirmed by somebody with the role `{role}`");
        return Err(Refused::by(Rule::RoleMissing, what)
            .hint(format!("{by} has not that role in people.yaml")));
    }
    awaits_confirmation(&mover.core.state, run, index)
}

/// Whether it waits for the word of a person now; who it is does not matter here.
pub(super) fn awaits_confirmation(state: &State, run: &Run, index: usize) -> Result<(), Refused> {
    let name = &run.job(index).name;
    if run.jobs[index].phase != Phase::Waiting {
        let phase = &run.jobs[index].phase;
        return Err(Refused::by(rule_of(phase), format!("{name} {}", word(phase))));
    }
    let ready = gate::needs_verdict(state, run, index) == Verdict::Go;
    if !ready {
        return Err(Refused::by(Rule::TooEarly, format!("it is too early to confirm {name}"))
            .hint("what it needs is not done yet"));
    }
    if run.jobs[index].held.is_some() {
        return Err(Refused::by(Rule::Held, format!("{name} is held")).hint("release it first"));
    }
    Ok(())
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting => "has not started",
        Phase::Starting => "is being started",
        Phase::Running => "is running",
        Phase::RetryWait { .. } => "waits for its next try",
        Phase::InDoubt { .. } => "is in doubt",
        Phase::Settled { outcome, .. } => match outcome {
            Outcome::Succeeded => "has ended well",
            Outcome::Failed => "has failed",
            Outcome::Skipped => "was skipped",
            Outcome::NotScheduled => "takes no part in this run",
            Outcome::Forced => "was forced complete",
            Outcome::Blocked => "is blocked",
            Outcome::Cancelled => "was cancelled with its run",
        },
    }
}
