//! What an ending means: good or not, tried again or not, an incident or not.

use std::time::Duration;

use super::change::{self, examine};
use super::fact::{Fact, Why};
use super::gate;
use super::incident::Fault;
use super::night::{Command, Mover, StepError};
use super::slurm::{self, Loose};
use super::state::{Run, Unfit};
use super::window::Gate;
use crate::definition::site::{EndingKind, Job};
use crate::types::{AttemptId, CheckVerdict, Ending, HostName, Outcome, RunId, Span};
use crate::wire::{ChangeState, Ended, Progress, Work};

/// What follows an ending.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    Settled(Outcome),
    Again { wait: Span },
    Doubt { why: String },
}

impl Mover<'_> {
    pub(super) fn started(
        &mut self,
        attempt: AttemptId,
        pid: u32,
        at: jiff::Timestamp,
    ) -> Result<(), StepError> {
        self.core.asked.remove(&attempt);
        let Some((run, index)) = self.latest(&attempt) else { return Ok(()) };
        let known = self.core.state.run(&run)?.jobs[index].phase == super::phase::Phase::Running;
        if !known {
            self.move_job(&run, index, Fact::AttemptStarted { attempt, pid, at })?;
            self.note_late_start(&run, index)?;
        }
        Ok(())
    }

    /// An ending, told by a host. What is not the latest attempt in flight is old news and moves nothing.
    pub(super) fn ended(&mut self, ended: Ended) -> Result<(), StepError> {
        self.core.asked.remove(&ended.attempt);
        let Some((run, index)) = self.latest(&ended.attempt) else {
            self.recorded(&ended.attempt);
            return Ok(());
        };
        let state = self.core.state.run(&run)?;
        let job = state.job(index);
        let good = is_good(job, &ended);
        let verdict = judge(state, index, &ended, good);
        let (attempt, name) = (ended.attempt.clone(), job.name.clone());
        let begun = ended.started.is_some();
        let of_change = change::executed(state, index, &ended);
        self.move_job(&run, index, Fact::AttemptEnded { ended: Box::new(ended), good })?;
        if let Some(ended) = of_change {
            self.change_ended(&run, ended)?;
        }
        if begun {
            self.note_late_start(&run, index)?;
        }
        match verdict {
            Verdict::Settled(outcome) => {
                self.recorded(&attempt);
                self.settle(&run, index, outcome, Why::Attempt { attempt })?;
                // In a run that was given up a failure is nobody's to put right.
                let given_up = self.core.state.run(&run)?.cancelled.is_some();
                if outcome == Outcome::Failed && !given_up {
                    self.fault(&run, index, Fault::Failed)?;
                }
            }
            Verdict::Again { wait } => {
                self.recorded(&attempt);
                let since_boot = self.now.since_boot;
                let fact = Fact::RetryPlanned { run: run.clone(), job: name, wait, since_boot };
                self.move_job(&run, index, fact)?;
            }
            Verdict::Doubt { why } => {
                self.recorded(&attempt);
                self.move_job(&run, index, Fact::InDoubt { run: run.clone(), job: name, why })?;
                self.fault(&run, index, Fault::InDoubt)?;
            }
        }
        Ok(self.note_round(&run)?)
    }

    /// The host has never seen an attempt that was meant for it, or had no room for it. In the same boot it was never
    /// started, and is now, if it still may; in another boot it is lost, and may have run. Where only the spool is another,
    /// it may still run.
    pub(super) fn not_known(&mut self, attempt: AttemptId) -> Result<(), StepError> {
        self.core.asked.remove(&attempt);
        let Some((run, index)) = self.latest(&attempt) else { return Ok(()) };
        let last = self.core.state.run(&run)?.jobs[index].attempts.last().cloned();
        let Some(last) = last else { return Ok(()) };
        let boot = self.core.hosts.get(&last.host);
        let ending = if boot == Some(&last.boot) {
            let state = self.core.state.run(&run)?;
            if state.to_be_killed(&attempt).is_some() {
                // What would be ended at once is not started for that.
                Ending::Killed
            } else if self.may_still_begin(&run, index, &last.host)? {
                self.command(Command::Start { attempt });
                return Ok(());
            } else {
                Ending::TakenBack { why: "its window is closed, or frozen".to_owned() }
            }
        } else if boot.is_some_and(|boot| boot.of_one_kernel(&last.boot)) {
            let host = &last.host;
            let why = format!("the agent of {host} has lost its spool; the attempt may still run");
            Ending::Unknown { why }
        } else {
            let why = format!("{} has restarted and knows nothing of this attempt", last.host);
            Ending::Lost { why }
        };
        let at = self.now.wall;
        self.ended(Ended {
            attempt,
            ending,
            started: last.started,
            ended: at,
            usage: Default::default(),
            line_found: false,
            output_bytes: 0,
            tail: Vec::new(),
            values: Default::default(),
            notes: Vec::new(),
            work: None,
        })
    }

    /// The window may have closed while the host did not begin it. Needs and holds are settled once an attempt is meant.
    fn may_still_begin(&self, run: &RunId, index: usize, host: &HostName) -> Result<bool, Unfit> {
        let state = self.core.state.run(run)?;
        if state.jobs[index].is_examined() {
            return Ok(true);
        }
        let rules = self.core.rules(run)?;
        let (of, at, assumed) = ((state, index), self.now.wall, self.core.people_assumed);
        let cleared = change::cleared_on(&self.core.state, &rules, of, host, at, assumed);
        Ok(match cleared {
            Some(cleared) => cleared.is_ok(),
            None => {
                let gate = gate::window_gate_on(&self.core.state, &rules, of, host, self.now);
                matches!(gate, Gate::Open { .. })
            }
        })
    }

    fn latest(&self, attempt: &AttemptId) -> Option<(RunId, usize)> {
        let run = self.core.state.runs.get(&attempt.run)?;
        let index = run.index(&attempt.job)?;
        (super::progress::flying(run, index)? == *attempt).then(|| (attempt.run.clone(), index))
    }

    fn recorded(&mut self, attempt: &AttemptId) {
        let host = self
            .core
            .state
            .runs
            .get(&attempt.run)
            .and_then(|run| run.attempt(attempt))
            .map(|attempt| attempt.host.clone());
        if let Some(host) = host {
            self.command(Command::Recorded { host, attempt: attempt.clone() });
        }
    }
}

fn is_good(job: &Job, ended: &Ended) -> bool {
    let by_code = match ended.ending {
        Ending::Exited { code } => job.success.exit_codes.contains(&code),
        _ => false,
    };
    let by_work = match &ended.work {
        Some(Work::Change(change)) => change.state == ChangeState::Done,
        Some(Work::Slurm(work)) => work.speaks_for_all(),
        Some(Work::Inspect { checks }) => {
            checks.iter().all(|check| check.verdict != CheckVerdict::Fail)
        }
        // Only its worker can say that it ended well.
        None if job.slurm.is_some() => false,
        _ => true,
    };
    by_code && by_work && ended.line_found
}

fn judge(run: &Run, index: usize, ended: &Ended, good: bool) -> Verdict {
    if good {
        return Verdict::Settled(Outcome::Succeeded);
    }
    let job = run.job(index);
    let examined = run.jobs[index].is_examined();
    if matches!(ended.ending, Ending::TakenBack { .. }) && !examined {
        return Verdict::Again { wait: Span::seconds(0) };
    }
    let says_nothing = examined || examine::left_something(&run.jobs[index]);
    if let Some(why) = doubtful_change(job, ended, says_nothing) {
        return Verdict::Doubt { why };
    }
    if let Some(verdict) = loose_in_slurm(run, index, ended) {
        return verdict;
    }
    if ended.ending == Ending::Killed {
        // It takes its turn again when the run is resumed.
        return if run.ended_by_stop(&ended.ending) {
            Verdict::Again { wait: Span::seconds(0) }
        } else {
            Verdict::Settled(Outcome::Failed)
        };
    }
    // A run that was cancelled tries nothing again.
    let tries = run.jobs[index].tries;
    // What a look has found failed in the way of what was looked at.
    let failed = run.jobs[index].last_worked().and_then(|worked| worked.ended.as_ref());
    let failed = failed.filter(|_| examined).map_or(&ended.ending, |worked| &worked.ending);
    let wanted = kind(failed).is_some_and(|kind| job.retry.on.contains(&kind));
    if wanted && tries <= job.retry.max && may_repeat(ended) && run.cancelled.is_none() {
        let wait = retry_wait(job.retry.wait.get(), job.retry.growth, tries);
        return Verdict::Again { wait: Span::of(wait) };
    }
    if !ended.ending.is_certain() {
        return Verdict::Doubt { why: ended.ending.to_string() };
    }
    Verdict::Settled(Outcome::Failed)
}

/// What follows where something of it may still run in Slurm.
fn loose_in_slurm(run: &Run, index: usize, ended: &Ended) -> Option<Verdict> {
    run.job(index).slurm.as_ref()?;
    let earlier = run.jobs[index].attempts.split_last().map_or(&[][..], |(_, earlier)| earlier);
    Some(match slurm::loose(earlier, ended)? {
        Loose::TakeUp { wait } if run.cancelled.is_none() => Verdict::Again { wait },
        Loose::TakeUp { .. } => Verdict::Doubt { why: ended.ending.to_string() },
        Loose::Doubt { why } => Verdict::Doubt { why },
    })
}

/// A change is only tried again by itself where it is proven that nothing was applied.
fn may_repeat(ended: &Ended) -> bool {
    match &ended.work {
        Some(Work::Change(change)) => change.state == ChangeState::FailedClean,
        _ => true,
    }
}

/// `says_nothing`: an attempt that was not even started leaves what there was before it.
fn doubtful_change(job: &Job, ended: &Ended, says_nothing: bool) -> Option<String> {
    if !matches!(job.kind, crate::definition::site::Kind::Change { .. }) {
        return None;
    }
    let (state, why, progress) = match &ended.work {
        Some(Work::Change(change)) => (change.state, change.why.as_deref(), change.progress),
        _ if ended.started.is_none() && !says_nothing => return None,
        _ => (ChangeState::InDoubt, None, None),
    };
    match (state, why) {
        (ChangeState::InDoubt, Some(why)) => {
            Some(format!("the change may be half done or whole: {why} ({})", ended.ending))
        }
        (ChangeState::InDoubt, None) => {
            Some(format!("the change may be half done or whole ({})", ended.ending))
        }
        (ChangeState::Partial, _) => Some(match progress {
            Some(Progress { done, of }) => format!("{done} of its {of} statements are done"),
            None => "some of its statements are done, and some are not".to_owned(),
        }),
        (ChangeState::RollbackFailed, _) => Some(match progress {
            Some(Progress { done, of }) => {
                format!("its rollback failed: {done} of {of} statements of it are done")
            }
            None => "its verification failed, and so did its rollback".to_owned(),
        }),
        _ => None,
    }
}

fn kind(ending: &Ending) -> Option<EndingKind> {
    match ending {
        Ending::Exited { .. } => Some(EndingKind::Exit),
        Ending::Signalled { .. } => Some(EndingKind::Signal),
        Ending::TimedOut => Some(EndingKind::Timeout),
        Ending::OutputLimit => Some(EndingKind::OutputLimit),
        Ending::CouldNotStart { .. } => Some(EndingKind::CouldNotStart),
        Ending::Lost { .. } => Some(EndingKind::Lost),
        Ending::Unknown { .. } => Some(EndingKind::Unknown),
        Ending::Killed | Ending::TakenBack { .. } => None,
    }
}

/// The wait before attempt `tries + 1`: each is `growth` times the one before, at most a day.
fn retry_wait(wait: Duration, growth: f64, tries: u32) -> Duration {
    let factor = growth.max(1.0).powi(tries.saturating_sub(1).min(64) as i32);
    let longest = Duration::from_secs(86_400);
    let seconds = wait.as_secs_f64() * factor;
    if seconds.is_finite() && seconds < longest.as_secs_f64() {
        Duration::from_millis((seconds * 1000.0).round() as u64)
    } else {
        longest
    }
}
