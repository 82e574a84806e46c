//! The night as it is expected to go: the same core, driven by made-up endings. From nothing it is the plan, from a live
//! night the forecast of its end.
//!
//! What is made up: every attempt ends well after its expected duration (a wait without one at once, anything else
//! after [`UNKNOWN_TAKES`]); every host can be reached; a confirmation is given the moment it is asked for. What is not:
//! windows, freezes, calendars, pools, priorities, needs across runs, holds and stops are those of the core.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fact::{Action, Fact, RunOpened, RunResult, Why};
use super::gate;
use super::needs::Verdict;
use super::night::{Command, Core, Event, StepError};
use super::obstacle::Obstacle;
use super::phase::Phase;
use super::state::Run;
use crate::definition::site::{Kind, Site};
use crate::types::{
    AttemptId, BootId, BusinessDate, Ending, HostName, JobRef, Now, Outcome, PersonId, RunId,
};
use crate::wire::Ended;

/// What a job takes of which nothing is known.
pub const UNKNOWN_TAKES: Duration = Duration::from_secs(1);

/// How far ahead a forecast looks at the most.
pub const HORIZON: Duration = Duration::from_secs(10 * 86_400);

/// A run to be opened in the made-up night.
#[derive(Debug, Clone)]
pub struct Opening {
    pub at: Timestamp,
    pub opened: Box<RunOpened>,
}

/// How the runs are expected to go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    pub runs: BTreeMap<RunId, RunForecast>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RunForecast {
    /// When the run ends well; `None` where it does not by itself, or not within the horizon.
    pub end: Option<Timestamp>,
    /// By the index of the job in its batch.
    pub jobs: Vec<JobForecast>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobForecast {
    /// Start of the first attempt (for a wait until a time and a confirmation: when its needs are fulfilled).
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    /// Why it came out so, as far as it is not its own work.
    pub why: Option<Why>,
    /// It stands on a person's yes that is only assumed.
    pub assumed: bool,
    /// Where it never starts: what is in the way at the end of the horizon.
    pub obstacles: Vec<Obstacle>,
}

/// From the live night: how the runs under way are expected to end. `expected` of the runs is what their attempts take;
/// one that has taken longer is expected to end now.
pub fn of_night(core: &Core, now: Now) -> Result<Forecast, StepError> {
    let mut ahead = Ahead::new(core.fork(), now, now.wall.saturating_add_duration(HORIZON));
    for run in core.state.runs.values().filter(|run| run.result.is_none()) {
        ahead.watch(run);
        for (index, attempt) in run.flying() {
            let began = attempt.started.unwrap_or(attempt.intended);
            let end = began.saturating_add_duration(takes(run, index)).max(now.wall);
            ahead.endings.push(Reverse((end, run.attempt_id(index, attempt.number))));
        }
    }
    ahead.hosts_up(core.state.runs.values().flat_map(|run| run.site.hosts.keys()).cloned())?;
    ahead.go()
}

/// From nothing: how runs are expected to go that are opened at their instants. `known` is what is taken for granted of
/// jobs of other runs that are not among the openings.
pub fn of_openings(
    definitions: &[(String, Arc<Site>)],
    mut openings: Vec<Opening>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
) -> Result<Forecast, StepError> {
    openings.sort_by(|a, b| (b.at, &b.opened.run).cmp(&(a.at, &a.opened.run)));
    let Some(first) = openings.last() else { return Ok(Forecast::default()) };
    let now = Now { wall: first.at, since_boot: Duration::ZERO };
    let last = openings.first().map_or(first.at, |last| last.at);
    let mut core = Core::new(1);
    for (digest, site) in definitions {
        core.define(digest, Arc::clone(site));
    }
    let mut ahead = Ahead::new(core, now, last.saturating_add_duration(HORIZON));
    ahead.needed = openings
        .iter()
        .flat_map(|opening| &opening.opened.across)
        .filter_map(|need| Some((need.job.clone(), need.wanted()?)))
        .collect();
    ahead.openings = openings;
    ahead.known = known;
    ahead.hosts_up(definitions.iter().flat_map(|(_, site)| site.hosts.keys()).cloned())?;
    ahead.go()
}

/// How a run was expected to go when it was opened, its needs of other runs taken for granted.
pub fn as_opened(run: &Run) -> Result<RunForecast, StepError> {
    let definitions = [(run.opened.definition.clone(), Arc::clone(&run.site))];
    let known = run
        .opened
        .across
        .iter()
        .filter_map(|need| Some(((need.job.clone(), need.wanted()?), Outcome::Succeeded)));
    let opening = Opening { at: run.opened_at, opened: Box::new(run.opened.clone()) };
    let forecast = of_openings(&definitions, vec![opening], known.collect())?;
    let own = forecast.runs.into_values().next();
    Ok(own.unwrap_or(RunForecast { end: None, jobs: Vec::new() }))
}

/// What a job is expected to take.
pub fn takes(run: &Run, index: usize) -> Duration {
    let job = run.job(index);
    let known = run.opened.expected.get(&job.name).copied().or(job.expected);
    let unknown = match job.kind {
        Kind::WaitFile { .. } | Kind::WaitSql { .. } => Duration::ZERO,
        _ => UNKNOWN_TAKES,
    };
    known.map_or(unknown, |span| span.get())
}

/// Saturating addition, so that no horizon overflows.
trait Later {
    fn saturating_add_duration(self, duration: Duration) -> Self;
}

impl Later for Timestamp {
    fn saturating_add_duration(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

/// A made-up night under way.
struct Ahead {
    core: Core,
    now: Now,
    until: Timestamp,
    /// Latest first.
    openings: Vec<Opening>,
    endings: BinaryHeap<Reverse<(Timestamp, AttemptId)>>,
    /// `confirm` jobs of the runs under way that are not confirmed yet.
    confirms: BTreeMap<RunId, Vec<usize>>,
    assumed: HashMap<RunId, Vec<usize>>,
    /// Jobs of other runs that some opening needs.
    needed: BTreeSet<(JobRef, BusinessDate)>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    done: Forecast,
    /// Steps left: a guard, not a plan.
    steps: usize,
}

impl Ahead {
    fn new(core: Core, now: Now, until: Timestamp) -> Self {
        Self {
            core,
            now,
            until,
            openings: Vec::new(),
            endings: BinaryHeap::new(),
            confirms: BTreeMap::new(),
            assumed: HashMap::new(),
            needed: BTreeSet::new(),
            known: BTreeMap::new(),
            done: Forecast::default(),
            steps: 1_000,
        }
    }

    fn watch(&mut self, run: &Run) {
        self.steps += 1_000 + 50 * run.jobs.len();
        let confirms = (0..run.jobs.len()).filter(|index| {
            matches!(run.job(*index).kind, Kind::Confirm { .. })
                && run.jobs[*index].phase == Phase::Waiting
        });
        let confirms: Vec<usize> = confirms.collect();
        // After each step all that is here is looked at.
        if !confirms.is_empty() {
            self.confirms.insert(run.id().clone(), confirms);
        }
    }

    fn hosts_up(&mut self, hosts: impl Iterator<Item = HostName>) -> Result<(), StepError> {
        let hosts: BTreeSet<HostName> = hosts.collect();
        for host in hosts {
            // Nobody is asked here: attempts in flight end as made up.
            self.core.hosts.entry(host).or_insert_with(|| BootId("forecast".to_owned()));
        }
        self.step(Event::Tick)
    }

    fn go(mut self) -> Result<Forecast, StepError> {
        while let Some(next) = self.next()
            && next <= self.until
            && self.steps > 0
        {
            self.steps -= 1;
            if next > self.now.wall {
                let passed = Duration::try_from(next.duration_since(self.now.wall));
                self.now.since_boot += passed.unwrap_or_default();
                self.now.wall = next;
            }
            self.turn()?;
        }
        let left: Vec<RunId> = self
            .core
            .state
            .runs
            .values()
            .filter(|run| run.result.is_none())
            .map(|run| run.id().clone())
            .collect();
        for run in left {
            self.harvest(&run)?;
        }
        Ok(self.done)
    }

    fn next(&self) -> Option<Timestamp> {
        let wake = self.core.next_wake().after(self.now);
        let wake = wake.map(|after| self.now.wall.saturating_add_duration(after));
        let opening = self.openings.last().map(|opening| opening.at);
        let ending = self.endings.peek().map(|Reverse((at, _))| *at);
        [wake, opening, ending].into_iter().flatten().min()
    }

    fn turn(&mut self) -> Result<(), StepError> {
        let now = self.now.wall;
        if let Some(Reverse((at, attempt))) =
            self.endings.peek().filter(|Reverse((at, _))| *at <= now).cloned()
        {
            self.endings.pop();
            return self.end(at, attempt);
        }
        if self.openings.last().is_some_and(|opening| opening.at <= now)
            && let Some(opening) = self.openings.pop()
        {
            return self.open(opening.opened);
        }
        self.step(Event::Tick)
    }

    fn end(&mut self, at: Timestamp, attempt: AttemptId) -> Result<(), StepError> {
        let Ok(run) = self.core.state.run(&attempt.run) else { return Ok(()) };
        let Some(index) = run.index(&attempt.job) else { return Ok(()) };
        let last = run.jobs[index].attempts.last();
        let started = last.map(|last| last.started.unwrap_or(last.intended));
        let code = run.job(index).success.exit_codes.first().copied().unwrap_or(0);
        self.step(Event::Ended(Box::new(Ended {
            attempt,
            ending: Ending::Exited { code },
            started,
            ended: at,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        })))
    }

    fn open(&mut self, opened: Box<RunOpened>) -> Result<(), StepError> {
        let run = opened.run.clone();
        let across = opened
            .across
            .iter()
            .filter_map(|need| Some((need.job.clone(), need.wanted()?)))
            .map(|(job, date)| {
                let outcome = self.outcome(&job, date);
                (job, date, outcome)
            })
            .collect();
        self.step(Event::Open { opened, across })?;
        if let Ok(run) = self.core.state.run(&run) {
            let run = run.clone();
            self.watch(&run);
        }
        self.confirm()
    }

    /// How a job of another run stands: one under way or over in this forecast, else what is taken for granted.
    fn outcome(&self, job: &JobRef, date: BusinessDate) -> Option<Outcome> {
        let live = self.core.state.runs.values().rev().find(|run| {
            run.opened.batch == job.batch && run.opened.business_date == date && !run.opened.trial
        });
        match live {
            Some(run) => run.index(&job.job).and_then(|index| run.jobs[index].phase.outcome()),
            None => self.known.get(&(job.clone(), date)).copied(),
        }
    }

    fn step(&mut self, event: Event) -> Result<(), StepError> {
        self.one_step(event)?;
        self.confirm()
    }

    fn one_step(&mut self, event: Event) -> Result<(), StepError> {
        let turn = self.core.step(self.now, event)?;
        for command in turn.commands {
            let Command::Start { attempt } = command else { continue };
            let run = self.core.state.run(&attempt.run)?;
            let Some(index) = run.index(&attempt.job) else { continue };
            let end = self.now.wall.saturating_add_duration(takes(run, index));
            self.endings.push(Reverse((end, attempt)));
        }
        for fact in turn.facts {
            if let Fact::RunEnded { run, .. } = fact {
                self.harvest(&run)?;
                self.forget(&run);
            }
        }
        Ok(())
    }

    /// Gives every confirmation that is asked for now.
    fn confirm(&mut self) -> Result<(), StepError> {
        loop {
            let Some((run, index)) = self.asked_for() else { return Ok(()) };
            if let Some(left) = self.confirms.get_mut(&run) {
                left.retain(|other| *other != index);
            }
            let state = self.core.state.run(&run)?;
            let job = state.job(index).name.clone();
            let Some(by) = may_confirm(state, index) else { continue };
            self.assumed.entry(run.clone()).or_default().push(index);
            let action = Action::Confirm { job };
            self.one_step(Event::Act { run, by, reason: "assumed".to_owned(), action })?;
        }
    }

    fn asked_for(&self) -> Option<(RunId, usize)> {
        self.confirms.iter().find_map(|(id, indices)| {
            let run = self.core.state.run(id).ok()?;
            let ready = |index: &&usize| {
                let job = &run.jobs[**index];
                job.phase == Phase::Waiting
                    && job.held.is_none()
                    && run.stopping.is_none()
                    && gate::needs_verdict(&self.core.state, run, **index) == Verdict::Go
            };
            indices.iter().find(ready).map(|index| (id.clone(), *index))
        })
    }

    /// Writes down how a run went.
    fn harvest(&mut self, id: &RunId) -> Result<(), StepError> {
        let run = self.core.state.run(id)?;
        let assumed = self.assumed.remove(id).unwrap_or_default();
        let mut jobs = Vec::with_capacity(run.jobs.len());
        for index in 0..run.jobs.len() {
            jobs.push(self.job(run, index, assumed.contains(&index))?);
        }
        let end = run.ended_at.filter(|_| run.result == Some(RunResult::Well));
        self.done.runs.insert(id.clone(), RunForecast { end, jobs });
        Ok(())
    }

    fn job(&self, run: &Run, index: usize, assumed: bool) -> Result<JobForecast, StepError> {
        let job = &run.jobs[index];
        let outcome = job.phase.outcome();
        let begun = job.attempts.first().map(|first| first.started.unwrap_or(first.intended));
        let by_itself = matches!(outcome, Some(Outcome::Succeeded)) && begun.is_none();
        let start = if by_itself { free_since(run, index).or(job.over_at()) } else { begun };
        let why = match &job.phase {
            Phase::Settled { why: Why::Attempt { .. }, .. } => None,
            Phase::Settled { why, .. } => Some(why.clone()),
            _ => None,
        };
        let never = outcome.is_none() && begun.is_none();
        let obstacles =
            if never { self.core.obstacles(run.id(), index, self.now)? } else { Vec::new() };
        let end = job.over_at().filter(|_| start.is_some());
        Ok(JobForecast { start, end, outcome, why, assumed, obstacles })
    }

    fn forget(&mut self, run: &RunId) {
        self.confirms.remove(run);
        let Some(over) = self.core.state.runs.remove(run) else { return };
        self.core.agenda.forget(&over);
        if over.opened.trial {
            return;
        }
        let needed: Vec<(JobRef, BusinessDate)> = self
            .needed
            .iter()
            .filter(|(job, date)| job.batch == over.batch.id && *date == over.opened.business_date)
            .cloned()
            .collect();
        for (job, date) in needed {
            let outcome = over.index(&job.job).and_then(|at| over.jobs[at].phase.outcome());
            if let Some(outcome) = outcome {
                self.known.insert((job, date), outcome);
            }
        }
    }
}

/// When the last of what a job needs within its run was over; the opening of the run where it needs nothing.
fn free_since(run: &Run, index: usize) -> Option<Timestamp> {
    let last = run.graph.predecessors(index).filter_map(|(before, _)| run.jobs[before].over_at());
    Some(last.max().unwrap_or(run.opened_at).max(run.opened_at))
}

/// Somebody who may give a confirmation; `None` where nobody has the role.
fn may_confirm(run: &Run, index: usize) -> Option<PersonId> {
    match &run.job(index).kind {
        Kind::Confirm { role: Some(role), .. } => {
            run.site.with_role(role).next().map(|(id, _)| id.clone())
        }
        _ => PersonId::new("forecast").ok(),
    }
}
