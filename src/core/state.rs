//! What is known of every run: the fold of the facts. Nothing here decides.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fact::{Action, Deadline, Fact, RunOpened, RunResult, StopHow};
use super::graph::Graph;
use super::phase::{Illegal, Phase, Step};
use crate::definition::site::{Batch, Job, Site};
use crate::types::{
    AttemptId, BootId, BusinessDate, Ending, HostName, IncidentId, JobName, JobRef, Outcome,
    PersonId, RunId,
};
use crate::wire::Ended;

/// A fact that the state cannot take: a damaged journal, or a defect of the core.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unfit {
    #[error("no run {0}")]
    NoRun(RunId),
    #[error("run {0} is there already")]
    RunTwice(RunId),
    #[error("run {0} goes by definition {1}, which is not stored")]
    NoDefinition(RunId, String),
    #[error("no job {job} in run {run}")]
    NoJob { run: RunId, job: JobName },
    #[error("attempt {0} is not the next or the latest one")]
    WrongAttempt(AttemptId),
    #[error("{run} {job}: {illegal}")]
    Illegal { run: RunId, job: JobName, illegal: Box<Illegal> },
    #[error("no incident {0}")]
    NoIncident(IncidentId),
    #[error(transparent)]
    Broken(Box<super::invariant::Broken>),
}

/// Everything known, by applying facts in order.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub runs: BTreeMap<RunId, Run>,
    /// How jobs of other runs came out, as far as somebody here needs them.
    pub across: BTreeMap<(JobRef, BusinessDate), Option<Outcome>>,
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Definitions by digest, which runs refer to.
    definitions: HashMap<String, Arc<Site>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub opened: RunOpened,
    pub opened_at: Timestamp,
    /// The part of the site that this run goes by to its end.
    pub site: Arc<Site>,
    pub batch: Arc<Batch>,
    pub graph: BatchGraph,
    /// By the index of the job in its batch.
    pub jobs: Vec<JobState>,
    /// Jobs that are not settled.
    pub unsettled: usize,
    /// Attempts that may be running.
    pub in_flight: usize,
    pub result: Option<RunResult>,
    pub ended_at: Option<Timestamp>,
    /// When it ended well for the first time; work that is asked for afterwards makes it no later.
    pub first_well: Option<Timestamp>,
    pub stopping: Option<StopHow>,
    pub acts: Vec<Act>,
    /// Who stopped and resumed it.
    pub turns: Vec<Turn>,
    pub missed: Vec<Missed>,
}

/// The graph of a run's batch. It follows from the batch, so it takes no part in comparisons.
#[derive(Debug, Clone)]
pub struct BatchGraph(Arc<Graph>);

impl PartialEq for BatchGraph {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::ops::Deref for BatchGraph {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobState {
    pub phase: Phase,
    /// Whether it was asked for: by the order (`--only`, `--from`), or again by a person.
    pub asked: bool,
    pub held: Option<Held>,
    /// Since when a `confirm` job waits for its person.
    pub asked_at: Option<Timestamp>,
    pub attempts: Vec<Attempt>,
    /// Attempts that count against `retry.max`; a person's retry starts the count again.
    pub tries: u32,
    /// Needs within the run whose job is not settled.
    pub open_needs: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub number: u32,
    pub host: HostName,
    pub boot: BootId,
    pub intended: Timestamp,
    pub pid: Option<u32>,
    pub started: Option<Timestamp>,
    pub ended: Option<Box<Ended>>,
    pub good: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub by: PersonId,
    pub reason: String,
    pub at: Timestamp,
}

/// What a person did to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    pub at: Timestamp,
    pub by: PersonId,
    pub reason: String,
    pub action: Action,
}

/// A run was stopped, or taken up again.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub at: Timestamp,
    pub by: PersonId,
    pub way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Stopped(StopHow),
    Resumed,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Missed {
    pub job: Option<JobName>,
    pub deadline: Deadline,
    pub due: Timestamp,
}

/// One fault (事件), with all that it blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub run: RunId,
    pub job: JobName,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub blocks: Vec<JobName>,
    pub notified: Vec<PersonId>,
}

impl Run {
    pub fn id(&self) -> &RunId {
        &self.opened.run
    }

    pub fn index(&self, job: &JobName) -> Option<usize> {
        self.graph.index(job)
    }

    pub fn job(&self, index: usize) -> &Job {
        &self.batch.jobs[index]
    }

    /// Attempts that may be running, with the index of their job.
    pub fn flying(&self) -> impl Iterator<Item = (usize, &Attempt)> {
        self.jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| job.phase.in_flight())
            .filter_map(|(index, job)| job.attempts.last().map(|attempt| (index, attempt)))
    }

    /// Whether an attempt that ended so was ended by the stop of the supervisor, and by nothing of its own.
    pub fn ended_by_stop(&self, ending: &Ending) -> bool {
        let ends = matches!(self.stopping, Some(StopHow::Terminate | StopHow::Kill));
        *ending == Ending::Killed && ends
    }

    /// Whether an attempt that may be running is to be ended, and if so whether at once: a person has asked for it, or
    /// the stop of the supervisor.
    pub fn to_be_killed(&self, attempt: &AttemptId) -> Option<bool> {
        let index = self.index(&attempt.job)?;
        let (_, last) = self.flying().find(|(at, a)| *at == index && a.number == attempt.number)?;
        let killed = self.acts.iter().any(|act| {
            act.at >= last.intended
                && matches!(&act.action, Action::Kill { job } if *job == attempt.job)
        });
        match self.stopping {
            Some(StopHow::Kill) => Some(true),
            Some(StopHow::Terminate) => Some(false),
            _ => killed.then_some(false),
        }
    }

    pub fn attempt_id(&self, index: usize, number: u32) -> AttemptId {
        AttemptId { run: self.id().clone(), job: self.job(index).name.clone(), number }
    }
}

impl JobState {
    /// When the job was over, by its host's clock where an attempt decided.
    pub fn over_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Settled { at, .. } => Some(*at),
            _ => None,
        }
    }
}

impl State {
    /// Makes a definition known to runs that are opened (or replayed) later.
    pub fn define(&mut self, digest: &str, site: Arc<Site>) {
        self.definitions.insert(digest.to_owned(), site);
    }

    pub fn run(&self, run: &RunId) -> Result<&Run, Unfit> {
        self.runs.get(run).ok_or_else(|| Unfit::NoRun(run.clone()))
    }

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
            }
            Fact::AttemptIntended { attempt, host, boot } => {
                self.run_mut(&attempt.run)?.intend(at, attempt, host, boot)?;
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
                // It has not had its try.
                if run.ended_by_stop(&ended.ending)
                    || matches!(ended.ending, Ending::TakenBack { .. })
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
                    super::fact::Why::Attempt { .. } => over.map_or(at, |ended| ended.ended),
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
            Fact::AcrossKnown { job, date, outcome } => {
                self.across.insert((job.clone(), *date), *outcome);
            }
            Fact::IncidentOpened { incident, run, job, blocks, notify } => {
                let opened = Incident {
                    run: run.clone(),
                    job: job.clone(),
                    opened: at,
                    closed: None,
                    blocks: blocks.clone(),
                    notified: notify.clone(),
                };
                self.incidents.insert(*incident, opened);
            }
            Fact::IncidentClosed { incident, .. } => {
                let known = self.incidents.get_mut(incident);
                known.ok_or(Unfit::NoIncident(*incident))?.closed = Some(at);
            }
            Fact::Acted { run, by, reason, action } => {
                let act =
                    Act { at, by: by.clone(), reason: reason.clone(), action: action.clone() };
                self.run_mut(run)?.act(act)?;
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
        }
        Ok(())
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
                asked_at: None,
                attempts: Vec::new(),
                tries: 0,
                open_needs: graph.predecessors(index).count() as u32,
            })
            .collect();
        let run = Run {
            opened: opened.clone(),
            opened_at: at,
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
            acts: Vec::new(),
            turns: Vec::new(),
            missed: Vec::new(),
        };
        self.runs.insert(id, run);
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

    fn intend(
        &mut self,
        at: Timestamp,
        attempt: &AttemptId,
        host: &HostName,
        boot: &BootId,
    ) -> Result<(), Unfit> {
        let index = self.find(&attempt.job)?;
        if attempt.number as usize != self.jobs[index].attempts.len() + 1 {
            return Err(Unfit::WrongAttempt(attempt.clone()));
        }
        self.step(index, Step::Intend)?;
        let job = &mut self.jobs[index];
        job.tries += 1;
        job.attempts.push(Attempt {
            number: attempt.number,
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
            _ => {}
        }
        self.acts.push(act);
        Ok(())
    }
}
