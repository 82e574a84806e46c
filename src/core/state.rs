//! What is known of every run: the fold of the facts. Nothing here decides.

mod fold;
mod standing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Time;

use super::change::Crew;
use super::fact::{Action, Deadline, RunOpened, RunResult, StopHow, TakenSchedule};
use super::graph::Graph;
use super::incident::{Drilled, Incident};
use super::phase::{Illegal, Phase};
use crate::definition::site::{Batch, Job, Site};
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, ChangeId, DrillName, Ending, HandOverId, HostName,
    IncidentId, JobName, JobRef, Label, Outcome, PersonId, Revision, RunId,
};
use crate::wire::Ended;

pub use standing::{Drain, OrderedFreeze, PoolSize, Request, Standing, Token};

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
    #[error("step {number} of the change {change} is not its next one")]
    WrongStep { change: ChangeId, number: u32 },
    #[error("step {number} of {incident} is not its next one")]
    WrongIncidentStep { incident: IncidentId, number: u32 },
    #[error("step {number} of the hand-over {hand_over} is not its next one")]
    WrongHandOverStep { hand_over: HandOverId, number: u32 },
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
    /// All that are not archived with their runs.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Of these, what is open or lacks its report: the others are looked at by nobody but people.
    pub(super) unfinished: BTreeSet<IncidentId>,
    /// Drills that were started, or not held in time.
    pub drills: BTreeMap<DrillName, Drilled>,
    /// Schedules whose starts are made here, or were.
    pub schedules: BTreeMap<BatchId, Served>,
    /// The commit whose job files runs begin with, where they are taken from commits.
    pub taken: Option<Revision>,
    /// What operators have ordered for the whole site.
    pub standing: Standing,
    /// The host that was chosen last for each label.
    pub placed: BTreeMap<Label, HostName>,
    /// Definitions by digest, which runs refer to.
    definitions: HashMap<String, Arc<Site>>,
}

/// What has become of the starts of one batch's schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// `None`: the batch has none any more.
    pub schedule: Option<Box<TakenSchedule>>,
    /// Every start up to this one was made, or told as missed.
    pub decided: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub opened: RunOpened,
    pub opened_at: Timestamp,
    /// When it was set going last: opened, or reopened when it was over. To go on after a stop is neither.
    pub going_since: Timestamp,
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
    /// A person has given the run up.
    pub cancelled: Option<Cancelled>,
    /// Jobs that were run again last, and are under way again until all of them are over.
    pub rerun: Vec<JobName>,
    /// Who has released its changes, and who watches them.
    pub crew: Crew,
    /// Deadlines that were moved, of the run or of its jobs.
    pub moved: BTreeMap<(Option<JobName>, Deadline), Time>,
    pub acts: Vec<Act>,
    /// Who stopped and resumed it.
    pub turns: Vec<Turn>,
    pub missed: Vec<Missed>,
    /// People were told how it stands at the time of reports.
    pub report_told: bool,
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
    /// Another priority than the declared one.
    pub priority: Option<i32>,
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
    /// It looks at what became of the one before it, and applies nothing.
    pub examine: bool,
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
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
    /// Who said yes to it as the second person.
    pub second: Option<PersonId>,
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

    /// An attempt of the run, by its id.
    pub fn attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        let attempts = &self.jobs[self.index(&id.job)?].attempts;
        attempts.iter().rev().find(|attempt| attempt.number == id.number)
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

    /// Whether an attempt that may be running is to be ended, and if so whether at once: a person has asked for it, the
    /// run was cancelled, or the supervisor is stopped.
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
            _ => (killed || self.cancelled.is_some()).then_some(false),
        }
    }

    /// Higher ones are started first.
    pub fn priority(&self, index: usize) -> i32 {
        self.jobs[index].priority.unwrap_or(self.job(index).priority)
    }

    /// Whether what was run again last is still under way.
    pub fn reruns(&self) -> bool {
        let open = |job: &JobName| {
            let index = self.index(job);
            index.is_some_and(|index| self.jobs[index].phase.is_open())
        };
        self.result.is_none() && self.rerun.iter().any(open)
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

    /// After a run was removed: forgets what only it needed.
    pub(super) fn let_go(&mut self, gone: &Run) {
        let needs = self.runs.values().flat_map(|run| &run.opened.across);
        let wanted: BTreeSet<(&JobRef, BusinessDate)> =
            needs.map(|need| (&need.job, need.date)).collect();
        self.across.retain(|(job, date), _| wanted.contains(&(job, *date)));
        if !self.runs.values().any(|run| run.opened.definition == gone.opened.definition) {
            self.definitions.remove(&gone.opened.definition);
        }
    }

    /// Incidents that are not over, or lack something.
    pub fn unfinished(&self) -> impl Iterator<Item = &Incident> {
        self.unfinished.iter().filter_map(|id| self.incidents.get(id))
    }

    /// What runs go by that name it by this digest.
    pub(super) fn definition(&self, digest: &str) -> Option<&Arc<Site>> {
        self.definitions.get(digest)
    }

    /// Whether a definition is known.
    pub(super) fn defined(&self, digest: &str) -> bool {
        self.definitions.contains_key(digest)
    }

    pub fn run(&self, run: &RunId) -> Result<&Run, Unfit> {
        self.runs.get(run).ok_or_else(|| Unfit::NoRun(run.clone()))
    }
}
