//! How a night moves on: jobs are settled or queued as their needs come out, start as their gates allow, runs end.

use std::cmp::Reverse;

use super::agenda::Place;
use super::change::examine;
use super::day_rule::Part;
use super::fact::{Fact, RunResult, Why};
use super::gate::{self, Resource};
use super::needs::Verdict;
use super::night::{Command, Mover};
use super::phase::Phase;
use super::placement::Room;
use super::rules::Rules;
use super::state::{Run, State, Unfit};
use super::window::Gate;
use crate::definition::site::Kind;
use crate::types::{AttemptId, BusinessDate, HostName, JobRef, Now, Outcome, RunId};

impl Mover<'_> {
    /// Emits a fact about one job and keeps the agenda true: what it used, who looks at it next.
    pub(super) fn move_job(&mut self, run: &RunId, index: usize, fact: Fact) -> Result<(), Unfit> {
        let job = &self.core.state.run(run)?.jobs[index];
        let (before, kept) = (job.phase.clone(), gate::keeps(job));
        self.emit(fact)?;
        let state = self.core.state.run(run)?;
        let after = &state.jobs[index].phase;
        let keeps = gate::keeps(&state.jobs[index]);
        if kept != keeps {
            self.core.agenda.give_back(&gate::kept(state, index, kept));
            self.core.agenda.take(&gate::kept(state, index, keeps));
        }
        if before.outcome() != after.outcome() {
            for (successor, _) in state.graph.successors(index) {
                let job = &state.jobs[successor];
                let open_or_bad = job.open_needs == 0
                    || matches!(after.outcome(), Some(Outcome::Failed | Outcome::Blocked));
                if open_or_bad && job.phase.outcome().is_none() {
                    self.core.agenda.touch(run, successor);
                }
            }
        }
        if after.outcome().is_none() {
            self.core.agenda.touch(run, index);
            if before.outcome().is_some() {
                // Its deadlines were judged by how it stood; it does not stand so any more.
                self.core.agenda.watch_job(state, index);
            }
        }
        self.core.agenda.maybe_over.insert(run.clone());
        let settled = after.outcome();
        self.tell_other_runs(run, index, settled)
    }

    /// Jobs of other runs may wait for this one. Trials count for nobody.
    fn tell_other_runs(
        &mut self,
        run: &RunId,
        index: usize,
        outcome: Option<Outcome>,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        if state.opened.trial {
            return Ok(());
        }
        let job = JobRef { batch: run.batch.clone(), job: state.job(index).name.clone() };
        let date = state.opened.business_date;
        if self.core.agenda.waiting_for(&job, date).is_empty() {
            return Ok(());
        }
        self.hear_of(job, date, outcome)
    }

    /// A job of another run stands so now. What was settled because it stood otherwise is open again.
    pub(super) fn hear_of(
        &mut self,
        job: JobRef,
        date: BusinessDate,
        outcome: Option<Outcome>,
    ) -> Result<(), Unfit> {
        if self.core.state.across.get(&(job.clone(), date)) == Some(&outcome) {
            return Ok(());
        }
        let waiting = self.core.agenda.waiting_for(&job, date);
        let name = gate::across_name(&job, date);
        self.emit(Fact::AcrossKnown { job, date, outcome })?;
        for (run, index) in waiting {
            let state = self.core.state.run(&run)?;
            let because = matches!(
                &state.jobs[index].phase,
                Phase::Settled { why: Why::Need { job, outcome: stood, .. }, .. }
                    if *job == name && outcome != Some(*stood)
            );
            if because && state.cancelled.is_none() {
                self.again(&run, &[index])?;
            }
            self.core.agenda.touch(&run, index);
        }
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        run: &RunId,
        index: usize,
        outcome: Outcome,
        why: Why,
    ) -> Result<(), Unfit> {
        let job = self.core.state.run(run)?.job(index).name.clone();
        let fact = Fact::Settled { run: run.clone(), job, outcome, why };
        self.move_job(run, index, fact)?;
        self.note_late_end(run, index)?;
        match outcome {
            Outcome::Failed | Outcome::Blocked => Ok(()),
            _ => self.close_what_is_over(run),
        }
    }

    /// Looks at one job that something has happened to.
    pub(super) fn consider(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        if state.result.is_some() {
            return Ok(());
        }
        match state.jobs[index].phase {
            Phase::Waiting | Phase::RetryWait { .. } => self.consider_waiting(run, index),
            Phase::InDoubt { .. } => self.consider_doubt(run, index),
            _ => Ok(()),
        }
    }

    fn consider_waiting(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        if !state.jobs[index].asked {
            return self.settle(run, index, Outcome::NotScheduled, Why::NotAsked);
        }
        if let Some(given_up) = &state.cancelled {
            let why = Why::Person { by: given_up.by.clone(), reason: given_up.reason.clone() };
            return self.settle(run, index, Outcome::Cancelled, why);
        }
        let verdict = gate::needs_verdict(&self.core.state, state, index);
        let outcome = match verdict {
            Verdict::Wait => return Ok(()),
            Verdict::Go => return self.consider_free(run, index),
            Verdict::Blocked => Outcome::Blocked,
            Verdict::LeftOut => Outcome::NotScheduled,
        };
        let found = gate::standing_in_the_way(&self.core.state, state, index, verdict);
        let Some((job, when, outcome_there)) = found else { return Ok(()) };
        self.settle(run, index, outcome, Why::Need { job, when, outcome: outcome_there })
    }

    /// Its needs are fulfilled: is it its day, and is it something that only time or a person decides?
    fn consider_free(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        if let Phase::RetryWait { due, .. } = state.jobs[index].phase {
            if due > self.now.since_boot {
                self.core.agenda.wake_since_boot(due, run, index);
                return Ok(());
            }
            return self.queue(run, index);
        }
        let rules = self.core.rules(run)?;
        if let Some(reason) = left_out_today(&rules, state, index) {
            return self.settle(run, index, Outcome::NotScheduled, Why::NotItsDay { reason });
        }
        if state.jobs[index].held.is_some() || state.stopping.is_some() {
            return Ok(());
        }
        match state.job(index).kind {
            Kind::Confirm { .. } if state.jobs[index].asked_at.is_some() => Ok(()),
            Kind::Confirm { .. } => {
                let job = state.job(index).name.clone();
                self.emit(Fact::Asked { run: run.clone(), job })
            }
            Kind::WaitUntil { time } => {
                let due = super::deadline::first_at_or_after(
                    state.opened.anchor,
                    time,
                    &state.batch.zone,
                );
                if due <= self.now.wall {
                    return self.settle(run, index, Outcome::Succeeded, Why::TimeCame);
                }
                self.core.agenda.wake_at(due, run, index);
                Ok(())
            }
            Kind::WaitEvent { ref event, limit } => {
                self.wait_for_event(run, index, (event.clone(), limit))
            }
            _ => self.queue(run, index),
        }
    }

    /// Queues a job that may start as soon as there is room, or parks it until its window opens.
    fn queue(&mut self, run: &RunId, index: usize) -> Result<(), Unfit> {
        if !self.core.startable(run, index, self.now)? || !self.may_begin(run, index)? {
            return Ok(());
        }
        let state = self.core.state.run(run)?;
        let place = (Reverse(state.priority(index)), run.clone(), index);
        self.core.agenda.ready.entry(None).or_default().insert(place);
        Ok(())
    }

    /// Whether windows and freezes let the job begin, and for a change its rules; if not, it is looked at again when they
    /// may.
    fn may_begin(&mut self, run: &RunId, index: usize) -> Result<bool, Unfit> {
        let rules = self.core.rules(run)?;
        let state = self.core.state.run(run)?;
        match self.core.cleared(state, index, self.now)? {
            Some(Ok(_)) => return Ok(true),
            Some(Err(missing)) => {
                self.wait_for_clearance(run, index, &missing)?;
                return Ok(false);
            }
            None => {}
        }
        match gate::window_gate(&self.core.state, &rules, state, index, self.now) {
            Gate::Open { .. } => Ok(true),
            Gate::Closed { next, .. } => {
                if let Some(next) = next {
                    self.core.agenda.wake_at(next, run, index);
                }
                Ok(false)
            }
        }
    }

    /// Starts what is queued, best first, as far as there is room. Those behind a barrier that still stands are not
    /// looked at, so that a step costs what can start and not what waits.
    pub(super) fn start_ready(&mut self) -> Result<(), Unfit> {
        while let Some(place) = self.next_ready() {
            let (_, run, index) = &place;
            if !self.core.startable(run, *index, self.now)? {
                continue;
            }
            match self.core.room(run, *index, self.now)? {
                Room::Nowhere { barrier, opens } => {
                    if let Some(opens) = opens {
                        self.core.agenda.wake_at(opens, run, *index);
                    }
                    self.core.agenda.ready.entry(Some(barrier)).or_default().insert(place);
                }
                Room::On(hosts) => {
                    if self.core.examines(run, *index)? || self.may_begin(run, *index)? {
                        self.start(run, *index, &hosts)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the best of those that no barrier keeps, as far as is known.
    fn next_ready(&mut self) -> Option<Place> {
        let ready = &self.core.agenda.ready;
        let free = ready.iter().filter(|(barrier, _)| !self.core.stands(barrier.as_ref()));
        let best = free.filter_map(|(barrier, queue)| Some((queue.first()?, barrier))).min();
        let barrier = best?.1.clone();
        let queue = self.core.agenda.ready.get_mut(&barrier)?;
        let first = queue.pop_first();
        if queue.is_empty() {
            self.core.agenda.ready.remove(&barrier);
        }
        first
    }

    /// On the one of these hosts that it is to run on.
    fn start(&mut self, run: &RunId, index: usize, hosts: &[HostName]) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let number = state.jobs[index].attempts.len() as u32 + 1;
        let attempt = state.attempt_id(index, number);
        let Some(host) = self.core.choose(state, index, hosts).cloned() else { return Ok(()) };
        let Some(boot) = self.core.hosts.get(&host).cloned() else { return Ok(()) };
        let examine = self.core.examines(run, index)?;
        let fact = Fact::AttemptIntended { attempt: attempt.clone(), host, boot, examine };
        self.move_job(run, index, fact)?;
        if !examine {
            self.change_begins(run, index, &attempt)?;
            self.close_what_is_over(run)?;
        }
        self.command(Command::Start { attempt });
        Ok(())
    }

    pub(super) fn end_runs(&mut self) -> Result<(), Unfit> {
        for run in std::mem::take(&mut self.core.agenda.maybe_over) {
            let Ok(state) = self.core.state.run(&run) else { continue };
            if state.result.is_some() || state.in_flight > 0 {
                continue;
            }
            let Some(result) = result(&self.core.state, state) else { continue };
            self.emit(Fact::RunEnded { run: run.clone(), result })?;
            self.note_round(&run)?;
            self.close_what_is_over(&run)?;
            if result == RunResult::Well {
                self.close_of_runs_before(&run)?;
            }
            self.core.agenda.drop_run(&run);
            self.command(Command::Report { run });
        }
        Ok(())
    }
}

impl super::night::Core {
    /// Whether the job itself could start: it waits, and no longer for its next try, its needs are fulfilled, nobody holds
    /// it, its run goes on. What was queued earlier need not be so any more.
    pub(super) fn startable(&self, run: &RunId, index: usize, now: Now) -> Result<bool, Unfit> {
        let state = self.state.run(run)?;
        let job = &state.jobs[index];
        if examine::is_due(state, index, now.wall) {
            return Ok(state.stopping.is_none());
        }
        let its_turn = match job.phase {
            Phase::Waiting => true,
            Phase::RetryWait { due, .. } => due <= now.since_boot,
            _ => false,
        };
        Ok(state.result.is_none()
            && state.stopping.is_none()
            && state.cancelled.is_none()
            && job.held.is_none()
            && its_turn
            && gate::needs_verdict(&self.state, state, index) == Verdict::Go)
    }

    /// Resources of which too few units are free, with the units needed.
    pub(super) fn without_room<'a>(
        &'a self,
        run: &'a Run,
        resources: &'a [(Resource, u32)],
    ) -> impl Iterator<Item = (&'a Resource, u32)> + 'a {
        resources
            .iter()
            .filter(|(resource, units)| {
                self.used(resource) + units > gate::size(&self.state, run, resource)
            })
            .map(|(resource, units)| (resource, *units))
    }

    /// Units in use of a resource.
    pub fn used(&self, resource: &Resource) -> u32 {
        self.agenda.used.get(resource).copied().unwrap_or(0)
    }
}

/// Why the job takes no part on the run's business date, if so. A calendar without data leaves it out: fails closed.
pub(super) fn left_out_today(rules: &Rules, run: &Run, index: usize) -> Option<String> {
    let rule = run.job(index).days.as_ref()?;
    let calendar = run.batch.calendar.as_ref();
    match rules.calendars.takes_part(rule, calendar, run.opened.business_date.0) {
        Part::Yes => None,
        Part::No { reason } => Some(reason),
        Part::Unknown { why } => Some(why),
    }
}

/// How a run without anything in flight has ended, or `None` while something can still move.
fn result(state: &State, run: &Run) -> Option<RunResult> {
    if run.cancelled.is_some() {
        let moves = run.jobs.iter().any(|job| job.phase.is_open());
        return (!moves).then_some(RunResult::Cancelled);
    }
    if run.unsettled > 0 {
        if run.stopping.is_some() {
            return Some(RunResult::Stopped);
        }
        // Held, queued, between attempts, waiting for a person, a time or another run, in doubt and still to be looked
        // at: it moves some day. What waits behind an ending that no look makes known, or for what that keeps, does not,
        // until people decide; the run ends so that they are asked.
        let moves = run.jobs.iter().enumerate().any(|(index, job)| match &job.phase {
            Phase::Settled { .. } => false,
            Phase::InDoubt { .. } => examine::due(run, index).is_some(),
            Phase::Waiting => job.open_needs == 0 && !gate::kept_by_doubt(state, run, index),
            Phase::RetryWait { .. } => !gate::kept_by_doubt(state, run, index),
            Phase::Starting | Phase::Running => true,
        });
        if moves {
            return None;
        }
    }
    let well = run.jobs.iter().enumerate().all(|(index, job)| {
        let good = matches!(
            job.phase.outcome(),
            Some(Outcome::Succeeded | Outcome::Skipped | Outcome::NotScheduled | Outcome::Forced)
        );
        good || !run.job(index).critical
    });
    Some(if well { RunResult::Well } else { RunResult::Failed })
}

/// The id of the latest attempt of a job, if it may be running.
pub(super) fn flying(run: &Run, index: usize) -> Option<AttemptId> {
    let job = &run.jobs[index];
    let last = job.attempts.last().filter(|_| job.phase.in_flight())?;
    Some(run.attempt_id(index, last.number))
}
