//! A store that was restored from a backup, and what it lacks: attempts that hosts and targets know of, runs, starts of
//! schedules. A person's word takes all of it in, so that nothing of it runs twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::calendar::Calendars;
use super::fact::{Action, Fact, LostAttempt, MissedWhy, RunLost, RunResult, TakenSchedule};
use super::night::{Mover, StepError};
use super::phase::Phase;
use super::progress::flying;
use super::schedule::{self, Start};
use super::state::{Run, State, Unfit};
use crate::definition::site::Site;
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, Ending, Epoch, PersonId, RunId, Usage,
};
use crate::wire::Ended;

/// An attempt that the store does not know of, as its host or a target does.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub of: LostAttempt,
    /// Of its run, where the host knows it.
    pub business_date: Option<BusinessDate>,
    /// Its run is a trial, as its host was told.
    pub trial: bool,
}

/// What a person takes in.
#[derive(Debug, Clone, PartialEq)]
pub struct TakeIn {
    pub by: PersonId,
    pub reason: String,
    /// When the backup was made.
    pub made: Timestamp,
    /// The highest epoch that an agent has obeyed.
    pub epoch: Epoch,
    pub seen: Vec<Seen>,
    /// Runs whose attempts a host has given away to an archive, and that the store does not know.
    pub retired: Vec<RunId>,
    /// The spool is not the one that the store knows: what ran there is not known, and every job that waits is held.
    pub other_spool: bool,
    /// The calendars that starts are counted by.
    pub site: Arc<Site>,
}

/// Starts of schedules since the last that the store knows of; where there are none their batch is left out.
pub fn lost_starts(state: &State, site: &Site, now: Timestamp) -> Vec<(BatchId, Vec<Start>)> {
    let calendars = Calendars::new(&site.calendars);
    let of = |taken: &TakenSchedule, decided| {
        let calendar = taken.calendar.as_ref();
        schedule::starts(&taken.schedule, &calendars, calendar, decided, now)
    };
    let lost = state.schedules.iter().filter_map(|(batch, known)| {
        Some((batch.clone(), of(known.schedule.as_ref()?, known.decided)))
    });
    lost.filter(|(_, starts)| !starts.is_empty()).collect()
}

/// The boot of an attempt of which only its host can say what became of it: an attempt that its host does not know is
/// lost, and never given to it anew.
fn restored() -> BootId {
    BootId("restored".to_owned())
}

impl Mover<'_> {
    pub(super) fn take_in(&mut self, what: TakeIn) -> Result<(), StepError> {
        let TakeIn { by, reason, made, epoch, seen, retired, other_spool, site } = what;
        let (who, why) = (by.clone(), reason.clone());
        self.emit(Fact::StoreRestored { by, reason, made, epoch })?;
        self.miss_lost_starts(&site)?;
        let mut lost: BTreeMap<RunId, Vec<Seen>> =
            retired.into_iter().map(|run| (run, Vec::new())).collect();
        for seen in seen {
            lost.entry(seen.of.attempt.run.clone()).or_default().push(seen);
        }
        for (run, mut seen) in lost {
            seen.sort_by(|a, b| a.of.attempt.cmp(&b.of.attempt));
            if self.core.state.runs.contains_key(&run) {
                self.recover(&run, seen)?;
            } else {
                let known = seen.iter().find_map(|seen| seen.business_date);
                let business_date = known
                    .or_else(|| run.key.as_str().parse().ok())
                    .unwrap_or_else(|| BusinessDate(site.zone.tz().to_datetime(made).date()));
                let trial = seen.iter().any(|seen| seen.trial);
                let attempts = seen.into_iter().map(|seen| seen.of).collect();
                let lost = RunLost { run, business_date, trial, attempts };
                self.emit(Fact::RunLost(Box::new(lost)))?;
            }
        }
        if other_spool {
            self.hold_all(&who, &why)?;
        }
        Ok(())
    }

    /// Whether they were made nobody knows: none of them is made by itself.
    fn miss_lost_starts(&mut self, site: &Site) -> Result<(), Unfit> {
        let lost = lost_starts(&self.core.state, site, self.now.wall);
        lost.into_iter().try_for_each(|(batch, starts)| {
            let dropped = starts.into_iter().map(|start| (start, MissedWhy::StoreRestored));
            self.tell_missed(&batch, dropped.collect())
        })
    }

    /// Attempts of a run that the store has. Whose ending is known has ended; any other is asked after like all that are in
    /// flight.
    fn recover(&mut self, run: &RunId, seen: Vec<Seen>) -> Result<(), StepError> {
        let state = self.core.state.run(run)?;
        if seen.iter().any(|seen| is_new(state, &seen.of.attempt)) {
            self.set_going(run)?;
        }
        for seen in seen {
            let LostAttempt { attempt, host, ended, .. } = seen.of;
            let state = self.core.state.run(run)?;
            // The job files of that run have no such job: the list has told of it.
            let Some(index) = state.index(&attempt.job) else { continue };
            let last = state.jobs[index].attempts.last().map_or(0, |last| last.number);
            for number in last + 1..=attempt.number {
                self.end_flying(run, index)?;
                let attempt = AttemptId { number, ..attempt.clone() };
                let (host, boot) = (host.clone(), restored());
                self.move_job(run, index, Fact::AttemptRecovered { attempt, host, boot })?;
            }
            if let Some(ended) = ended {
                self.ended(*ended)?;
            }
        }
        Ok(())
    }

    fn set_going(&mut self, run: &RunId) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let (boot, by) = (state.opened.boot.clone(), state.opened.by.clone());
        let (run, since_boot) = (run.clone(), self.now.since_boot);
        match state.result {
            None => Ok(()),
            Some(RunResult::Stopped) => self.emit(Fact::RunResumed { run, by, boot, since_boot }),
            Some(_) => self.emit(Fact::RunReopened { run }),
        }
    }

    /// There was a later attempt, so this one has come to an end; which one is not known.
    fn end_flying(&mut self, run: &RunId, index: usize) -> Result<(), StepError> {
        let Some(attempt) = flying(self.core.state.run(run)?, index) else { return Ok(()) };
        let why = "what the store knew of it was lost".to_owned();
        self.ended(Ended {
            attempt,
            ending: Ending::Unknown { why },
            started: None,
            ended: self.now.wall,
            usage: Usage::default(),
            line_found: false,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        })
    }

    /// What ran on a host whose spool is lost is not known: nothing of a run that is open starts by itself.
    fn hold_all(&mut self, by: &PersonId, reason: &str) -> Result<(), Unfit> {
        let mut waiting = Vec::new();
        for run in self.core.state.runs.values().filter(|run| run.result.is_none()) {
            for (index, job) in run.jobs.iter().enumerate() {
                let waits = matches!(job.phase, Phase::Waiting | Phase::RetryWait { .. });
                if waits && job.held.is_none() {
                    waiting.push((run.id().clone(), run.job(index).name.clone()));
                }
            }
        }
        waiting.into_iter().try_for_each(|(run, job)| {
            let (by, reason) = (by.clone(), reason.to_owned());
            self.emit(Fact::Acted { run, by, reason, action: Action::Hold { job }, second: None })
        })
    }
}

fn is_new(run: &Run, attempt: &AttemptId) -> bool {
    let job = run.index(&attempt.job).map(|index| &run.jobs[index]);
    job.is_some_and(|job| job.attempts.last().is_none_or(|last| last.number < attempt.number))
}
