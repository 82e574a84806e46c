//! How each fact moves the state, live and in replay alike. What does not fit is an error, and moves nothing on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Act, Attempt, BatchGraph, Cancelled, Held, JobState, Missed, Run, Served, State, Turn, Unfit,
    Way,
};
use crate::core::change::{Crew, Taken};
use crate::core::fact::{Action, Fact, Moved, RunOpened, RunResult, Why};
use crate::core::graph::Graph;
use crate::core::incident::Incident;
use crate::core::phase::{Phase, Step};
use crate::core::placement;
use crate::types::{AttemptId, BatchId, BootId, Ending, HostName, IncidentId, JobName, RunId};

impl State {
    fn run_mut(&mut self, run: &RunId) -> Result<&mut Run, Unfit> {
        self.runs.get_mut(run).ok_or_else(|| Unfit::NoRun(run.clone()))
    }

    /// Takes one fact in, as decided at `at`. Live, in a follower and in replay alike.
    pub fn apply(&mut self, at: Timestamp, fact: &Fact) -> Result<(), Unfit> {
        match fact {
            Fact::RunOpened(opened) => self.open(at, opened)?,
            Fact::RunResumed { run, by, boot, since_boot } => {
                let run = self.run_mut(run)?;
                run.resume(boot, *since_boot);
                run.turns.push(Turn { at, by: by.clone(), way: Way::Resumed });
            }
            Fact::RunEnded { run, result } => {
                let run = self.run_mut(run)?;
                run.result = Some(*result);
                run.ended_at = Some(at);
                if *result == RunResult::Well {
                    run.first_well.get_or_insert(at);
                }
            }
            Fact::RunReopened { run } => {
                let run = self.run_mut(run)?;
                run.result = None;
                run.ended_at = None;
                run.stopping = None;
                run.going_since = at;
            }
            Fact::AttemptIntended { attempt, host, boot, examine } => {
                let run = self.run_mut(&attempt.run)?;
                let label = placement::label(run, run.find(&attempt.job)?).cloned();
                run.intend(at, attempt, (host, boot), *examine)?;
                self.placed.extend(label.map(|label| (label, host.clone())));
            }
            Fact::AttemptStarted { attempt, pid, at: started } => {
                let (run, index) = self.job_of(attempt)?;
                run.step(index, Step::Start)?;
                let last = run.latest(index, attempt)?;
                last.pid = Some(*pid);
                last.started = Some(*started);
            }
            Fact::AttemptEnded { ended, good } => {
                let (run, index) = self.job_of(&ended.attempt)?;
                run.step(index, Step::End)?;
                let last = run.latest(index, &ended.attempt)?;
                last.started = last.started.or(ended.started);
                last.good = Some(*good);
                last.ended = Some(ended.clone());
                let counts = !last.examine;
                // It has not had its try.
                if counts
                    && (run.ended_by_stop(&ended.ending)
                        || matches!(ended.ending, Ending::TakenBack { .. })
                        || run.was_lost_in_slurm(index, ended))
                {
                    run.jobs[index].tries = run.jobs[index].tries.saturating_sub(1);
                }
            }
            Fact::RetryPlanned { run, job, wait, since_boot } => {
                let wait = wait.get();
                let step = Step::PlanRetry { due: *since_boot + wait, wait };
                self.step(run, job, step)?;
            }
            Fact::Settled { run, job, outcome, why } => {
                let run = self.run_mut(run)?;
                let index = run.find(job)?;
                let over = run.jobs[index].attempts.last().and_then(|a| a.ended.as_ref());
                let at = match why {
                    Why::Attempt { .. } => over.map_or(at, |ended| ended.ended),
                    _ => at,
                };
                run.step(index, Step::Settle { outcome: *outcome, why: why.clone(), at })?;
            }
            Fact::Reopened { run, job } => self.step(run, job, Step::Reopen)?,
            Fact::InDoubt { run, job, why } => {
                self.step(run, job, Step::Doubt { why: why.clone() })?;
            }
            Fact::DeadlineMissed { run, job, deadline, due } => {
                let missed = Missed { job: job.clone(), deadline: *deadline, due: *due };
                self.run_mut(run)?.missed.push(missed);
            }
            Fact::ReportTold { run } => self.run_mut(run)?.report_told = true,
            Fact::AcrossKnown { job, date, outcome } => {
                self.across.insert((job.clone(), *date), *outcome);
            }
            Fact::ScheduleTaken { batch, schedule, since } => {
                let former = self.schedules.get(batch).map(|known| known.decided);
                let decided = former.map_or(*since, |former| former.max(*since));
                let schedule = schedule.clone();
                self.schedules.insert(batch.clone(), Served { schedule, decided });
            }
            Fact::DefinitionsRefused { .. }
            | Fact::PasswordSet { .. }
            | Fact::LoggedIn { .. }
            | Fact::LoginRefused { .. } => {}
            Fact::DefinitionsTaken { revision } => self.taken = Some(revision.clone()),
            Fact::StartsMissed { batch, last, .. } => self.decided_start(batch, *last),
            Fact::IncidentOpened(opened) => {
                // Read with its run, and with what stands beyond any run.
                let incident = self.incidents.entry(opened.incident);
                incident.or_insert_with(|| Incident::new(at, opened));
                self.finish_or_not(opened.incident);
                self.note_drill(opened);
            }
            Fact::IncidentMoved(moved) => self.move_incident(at, moved)?,
            Fact::IncidentClosed { incident, .. } => {
                let known = self.incidents.get_mut(incident);
                known.ok_or(Unfit::NoIncident(*incident))?.close(at);
                self.finish_or_not(*incident);
            }
            Fact::Acted { run, by, reason, action, second } => {
                let (by, reason, second) = (by.clone(), reason.clone(), second.clone());
                let act = Act { at, by, reason, action: action.clone(), second };
                self.run_mut(run)?.act(act)?;
            }
            Fact::Frozen { .. }
            | Fact::Unfrozen { .. }
            | Fact::PoolSized { .. }
            | Fact::PoolBack { .. }
            | Fact::HostDrained { .. }
            | Fact::HostUndrained { .. }
            | Fact::SecondAsked { .. }
            | Fact::SecondGiven { .. }
            | Fact::SecondUsed { .. }
            | Fact::TokenMade { .. }
            | Fact::TokenRevoked { .. }
            | Fact::EventReceived(_)
            | Fact::EventForgotten { .. }
            | Fact::WeeklyTold(_)
            | Fact::BulletinTold(_)
            | Fact::RoundInspected(_)
            | Fact::InspectionsCounted(_)
            | Fact::FigureEntered(_)
            | Fact::HandOverForgotten { .. }
            | Fact::HandOverOpened(_) => self.standing.apply(at, fact),
            Fact::HandOverMoved(moved) => self.standing.move_hand_over(at, moved)?,
            Fact::ChangeMoved { change, number, by, reason, second, step } => {
                let (by, reason, second) = (by.clone(), reason.clone(), second.clone());
                let taken = Taken { at, by, second, reason, step: (**step).clone() };
                self.standing.take_change(change, *number, taken)?;
            }
            Fact::Stopping { run, by, how } => {
                let run = self.run_mut(run)?;
                run.stopping = Some(*how);
                run.turns.push(Turn { at, by: by.clone(), way: Way::Stopped(*how) });
            }
            Fact::Asked { run, job } => {
                let run = self.run_mut(run)?;
                let index = run.find(job)?;
                run.jobs[index].asked_at = Some(at);
            }
            Fact::AttemptRecovered { attempt, host, boot } => {
                let run = self.run_mut(&attempt.run)?;
                run.make_room_for(&attempt.job)?;
                run.intend(at, attempt, (host, boot), false)?;
            }
            // Of runs that are not here, and of the store itself.
            Fact::RunArchived(archived) => {
                let run = Some(&archived.run);
                let gone = |incident: &Incident| incident.what.run.as_ref() == run;
                self.incidents.retain(|_, incident| !gone(incident));
                self.unfinished.retain(|id| self.incidents.contains_key(id));
            }
            Fact::RunLost(_) | Fact::StoreRestored { .. } => {}
        }
        Ok(())
    }

    fn finish_or_not(&mut self, incident: IncidentId) {
        let unfinished = self.incidents.get(&incident).is_some_and(Incident::is_unfinished);
        match unfinished {
            true => self.unfinished.insert(incident),
            false => self.unfinished.remove(&incident),
        };
    }

    fn move_incident(&mut self, at: Timestamp, moved: &Moved) -> Result<(), Unfit> {
        let incident = moved.incident;
        let known = self.incidents.get_mut(&incident).ok_or(Unfit::NoIncident(incident))?;
        let next = known.steps.len() + 1;
        match usize::try_from(moved.number) {
            Ok(number) if number == next => {
                known.apply(at, moved);
                self.finish_or_not(incident);
            }
            // Read with its run, and with what stands beyond any run.
            Ok(number) if number < next => {}
            _ => return Err(Unfit::WrongIncidentStep { incident, number: moved.number }),
        }
        Ok(())
    }

    /// A start of a batch's schedule was made, or told as missed.
    pub fn decided_start(&mut self, batch: &BatchId, scheduled: Timestamp) {
        if let Some(known) = self.schedules.get_mut(batch) {
            known.decided = known.decided.max(scheduled);
        }
    }

    fn open(&mut self, at: Timestamp, opened: &RunOpened) -> Result<(), Unfit> {
        let id = opened.run.clone();
        if self.runs.contains_key(&id) {
            return Err(Unfit::RunTwice(id));
        }
        let missing = || Unfit::NoDefinition(id.clone(), opened.definition.clone());
        let site = Arc::clone(self.definitions.get(&opened.definition).ok_or_else(missing)?);
        let batch = Arc::clone(site.batches.get(&opened.batch).ok_or_else(missing)?);
        let graph = Graph::new(&batch);
        let jobs: Vec<JobState> = (0..batch.jobs.len())
            .map(|index| JobState {
                phase: Phase::Waiting,
                asked: opened.only.is_empty() || opened.only.contains(&batch.jobs[index].name),
                held: None,
                priority: None,
                asked_at: None,
                attempts: Vec::new(),
                tries: 0,
                open_needs: graph.predecessors(index).count() as u32,
            })
            .collect();
        let run = Run {
            opened: opened.clone(),
            opened_at: at,
            going_since: at,
            site,
            batch,
            graph: BatchGraph(Arc::new(graph)),
            unsettled: jobs.len(),
            in_flight: 0,
            jobs,
            result: None,
            ended_at: None,
            first_well: None,
            stopping: None,
            cancelled: None,
            rerun: Vec::new(),
            crew: Crew::default(),
            moved: BTreeMap::new(),
            acts: Vec::new(),
            turns: Vec::new(),
            missed: Vec::new(),
            report_told: false,
        };
        self.runs.insert(id, run);
        if let Some(scheduled) = opened.scheduled {
            self.decided_start(&opened.batch, scheduled);
        }
        Ok(())
    }

    fn step(&mut self, run: &RunId, job: &JobName, step: Step) -> Result<(), Unfit> {
        let run = self.run_mut(run)?;
        let index = run.find(job)?;
        run.step(index, step)
    }

    fn job_of(&mut self, attempt: &AttemptId) -> Result<(&mut Run, usize), Unfit> {
        let run = self.run_mut(&attempt.run)?;
        let index = run.find(&attempt.job)?;
        Ok((run, index))
    }
}

impl Run {
    fn find(&self, job: &JobName) -> Result<usize, Unfit> {
        self.index(job).ok_or_else(|| Unfit::NoJob { run: self.id().clone(), job: job.clone() })
    }

    fn step(&mut self, index: usize, step: Step) -> Result<(), Unfit> {
        let reopened = step == Step::Reopen;
        let job = &mut self.jobs[index];
        let before = job.phase.outcome().is_some();
        let phase = job.phase.after(step).map_err(|illegal| Unfit::Illegal {
            run: self.opened.run.clone(),
            job: self.batch.jobs[index].name.clone(),
            illegal,
        })?;
        let after = phase.outcome().is_some();
        self.in_flight += usize::from(phase.in_flight());
        self.in_flight -= usize::from(job.phase.in_flight());
        self.unsettled += usize::from(!after);
        self.unsettled -= usize::from(!before);
        job.phase = phase;
        if reopened {
            job.asked = true;
            job.asked_at = None;
            job.tries = 0;
        }
        if before != after {
            let graph = self.graph.clone();
            for (successor, _) in graph.successors(index) {
                let open = &mut self.jobs[successor].open_needs;
                *open = if after { open.saturating_sub(1) } else { *open + 1 };
            }
        }
        Ok(())
    }

    /// A recovered attempt was meant by somebody who knew more of its job than this journal does.
    fn make_room_for(&mut self, job: &JobName) -> Result<(), Unfit> {
        let index = self.find(job)?;
        match self.jobs[index].phase {
            Phase::Waiting | Phase::RetryWait { .. } => Ok(()),
            _ => self.step(index, Step::Reopen),
        }
    }

    fn intend(
        &mut self,
        at: Timestamp,
        attempt: &AttemptId,
        (host, boot): (&HostName, &BootId),
        examine: bool,
    ) -> Result<(), Unfit> {
        let index = self.find(&attempt.job)?;
        if attempt.number as usize != self.jobs[index].attempts.len() + 1 {
            return Err(Unfit::WrongAttempt(attempt.clone()));
        }
        self.step(index, if examine { Step::Examine } else { Step::Intend })?;
        let job = &mut self.jobs[index];
        job.tries += u32::from(!examine);
        job.attempts.push(Attempt {
            number: attempt.number,
            examine,
            host: host.clone(),
            boot: boot.clone(),
            intended: at,
            pid: None,
            started: None,
            ended: None,
            good: None,
        });
        Ok(())
    }

    fn latest(&mut self, index: usize, id: &AttemptId) -> Result<&mut Attempt, Unfit> {
        match self.jobs[index].attempts.last_mut() {
            Some(last) if last.number == id.number => Ok(last),
            _ => Err(Unfit::WrongAttempt(id.clone())),
        }
    }

    fn resume(&mut self, boot: &BootId, since_boot: Duration) {
        self.result = None;
        self.ended_at = None;
        self.stopping = None;
        // Waits count from boot; after another boot the old count means nothing, so the wait begins again.
        if *boot != self.opened.boot {
            for job in &mut self.jobs {
                if let Phase::RetryWait { due, wait } = &mut job.phase {
                    *due = since_boot + *wait;
                }
            }
            self.opened.boot = boot.clone();
        }
    }

    fn act(&mut self, act: Act) -> Result<(), Unfit> {
        match &act.action {
            Action::Hold { job } => {
                let index = self.find(job)?;
                let held = Held { by: act.by.clone(), reason: act.reason.clone(), at: act.at };
                self.jobs[index].held = Some(held);
            }
            Action::Release { job } => {
                let index = self.find(job)?;
                self.jobs[index].held = None;
            }
            Action::Priority { job, priority } => {
                let index = self.find(job)?;
                self.jobs[index].priority = Some(*priority);
            }
            Action::Deadline { job, deadline, to, .. } => {
                self.moved.insert((job.clone(), *deadline), *to);
            }
            Action::Rerun { jobs } => self.rerun.clone_from(jobs),
            Action::Cancel => {
                let (by, reason) = (act.by.clone(), act.reason.clone());
                self.cancelled = Some(Cancelled { by, reason, at: act.at });
            }
            Action::ReleaseChanges { .. } => self.crew.executor = Some(act.by.clone()),
            Action::WatchChanges => self.crew.watcher = Some(act.by.clone()),
            Action::Skip { .. }
            | Action::Force { .. }
            | Action::Retry { .. }
            | Action::Kill { .. }
            | Action::Confirm { .. }
            | Action::Note { .. }
            | Action::Sign { .. } => {}
        }
        self.acts.push(act);
        Ok(())
    }
}
