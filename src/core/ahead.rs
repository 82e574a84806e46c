//! A made-up night around the real core, from event to event: what the core does not decide, a [`Script`] makes up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::fact::{Action, Fact, RunOpened, RunResult, Why};
use super::forecast::{Forecast, JobForecast, Opening, RunForecast, takes};
use super::gate;
use super::needs::Verdict;
use super::night::{Command, Core, Event, StepError};
use super::phase::Phase;
use super::received::Received;
use super::script::{Bad, Script};
use super::state::Run;
use crate::definition::site::Kind;
use crate::types::{
    AttemptId, BootId, BusinessDate, Ending, EventKey, HostName, JobRef, Now, Outcome, PersonId,
    RunId,
};
use crate::wire::Ended;

/// A made-up night that is over.
#[derive(Debug)]
pub struct Played {
    pub core: Core,
    /// When the last thing happened.
    pub now: Now,
    pub forecast: Forecast,
}

/// Saturating addition, so that no horizon overflows.
pub(super) trait Later {
    fn saturating_add_duration(self, duration: Duration) -> Self;
}

impl Later for Timestamp {
    fn saturating_add_duration(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

/// A made-up night under way.
pub(super) struct Ahead<S> {
    core: Core,
    script: S,
    now: Now,
    until: Timestamp,
    /// Latest first.
    openings: Vec<Opening>,
    endings: BinaryHeap<Reverse<(Timestamp, AttemptId)>>,
    /// Of those endings that are not good.
    bad: HashMap<AttemptId, Bad>,
    /// When hosts go (false) and come back (true), latest first.
    hosts: Vec<(Timestamp, HostName, bool)>,
    /// Outages under way.
    away: BTreeMap<HostName, u32>,
    /// `confirm` jobs of the runs under way that are not confirmed yet.
    confirms: BTreeMap<RunId, Vec<usize>>,
    assumed: HashMap<RunId, Vec<usize>>,
    /// Jobs of other runs that some opening needs.
    needed: BTreeSet<(JobRef, BusinessDate)>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    done: Forecast,
    /// Whether runs that are over stay in the core, to be looked at.
    keep: bool,
    /// Steps left: a guard, not a plan.
    steps: usize,
}

impl<S: Script> Ahead<S> {
    pub(super) fn new(mut core: Core, now: Now, until: Timestamp, script: S) -> Self {
        core.assume_people();
        let mut hosts: Vec<(Timestamp, HostName, bool)> = Vec::new();
        for outage in script.outages() {
            hosts.push((outage.from, outage.host.clone(), false));
            hosts.push((outage.to, outage.host.clone(), true));
        }
        hosts.sort_by(|a, b| b.cmp(a));
        Self {
            core,
            script,
            now,
            until,
            openings: Vec::new(),
            endings: BinaryHeap::new(),
            bad: HashMap::new(),
            steps: 1_000 + 4 * hosts.len(),
            hosts,
            away: BTreeMap::new(),
            confirms: BTreeMap::new(),
            assumed: HashMap::new(),
            needed: BTreeSet::new(),
            known: BTreeMap::new(),
            done: Forecast::default(),
            keep: false,
        }
    }

    /// Runs to be opened, and what is known of jobs of other runs.
    pub(super) fn open_later(
        mut self,
        openings: Vec<Opening>,
        known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    ) -> Self {
        self.needed = openings
            .iter()
            .flat_map(|opening| &opening.opened.across)
            .filter_map(|need| Some((need.job.clone(), need.wanted()?)))
            .collect();
        (self.openings, self.known) = (openings, known);
        self
    }

    /// Runs that are over stay in the core.
    pub(super) fn kept(mut self) -> Self {
        self.keep = true;
        self
    }

    /// A run that is under way already, with the attempts in flight.
    pub(super) fn under_way(&mut self, run: &Run) {
        self.watch(run);
        for (index, attempt) in run.flying() {
            let began = attempt.started.unwrap_or(attempt.intended);
            let end = began.saturating_add_duration(takes(run, index)).max(self.now.wall);
            self.endings.push(Reverse((end, run.attempt_id(index, attempt.number))));
        }
    }

    fn watch(&mut self, run: &Run) {
        let tries: usize = run.batch.jobs.iter().map(|job| job.retry.max as usize).sum();
        self.steps += 1_000 + 50 * run.jobs.len() + 4 * tries;
        let confirms = (0..run.jobs.len()).filter(|index| {
            matches!(run.job(*index).kind, Kind::Confirm { .. } | Kind::WaitEvent { .. })
                && run.jobs[*index].phase == Phase::Waiting
        });
        let confirms: Vec<usize> = confirms.collect();
        // After each step all that is here is looked at.
        if !confirms.is_empty() {
            self.confirms.insert(run.id().clone(), confirms);
        }
    }

    pub(super) fn hosts_up(
        &mut self,
        hosts: impl Iterator<Item = HostName>,
    ) -> Result<(), StepError> {
        let hosts: BTreeSet<HostName> = hosts.collect();
        for host in hosts {
            // Nobody is asked here: attempts in flight end as made up.
            self.core.hosts.entry(host).or_insert_with(|| BootId("forecast".to_owned()));
        }
        self.step(Event::Tick)
    }

    pub(super) fn go(mut self) -> Result<Played, StepError> {
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
        Ok(Played { core: self.core, now: self.now, forecast: self.done })
    }

    fn next(&self) -> Option<Timestamp> {
        let wake = self.core.next_move().after(self.now);
        let wake = wake.map(|after| self.now.wall.saturating_add_duration(after));
        let opening = self.openings.last().map(|opening| opening.at);
        let ending = self.endings.peek().map(|Reverse((at, _))| *at);
        let host = self.hosts.last().map(|(at, ..)| *at);
        [wake, opening, ending, host, self.next_answer()].into_iter().flatten().min()
    }

    /// When the next person says yes who has been asked already.
    fn next_answer(&self) -> Option<Timestamp> {
        let after = self.script.answers_after().filter(|after| !after.is_zero())?;
        let asked = self.confirms.iter().flat_map(|(id, indices)| {
            let run = self.core.state.runs.get(id);
            indices.iter().filter_map(move |index| run?.jobs.get(*index)?.asked_at)
        });
        let due = asked.map(|asked| asked.saturating_add_duration(after));
        due.filter(|due| *due > self.now.wall).min()
    }

    fn turn(&mut self) -> Result<(), StepError> {
        let now = self.now.wall;
        if let Some(Reverse((at, attempt))) =
            self.endings.peek().filter(|Reverse((at, _))| *at <= now).cloned()
        {
            self.endings.pop();
            return self.end(at, attempt);
        }
        if self.hosts.last().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, host, back)) = self.hosts.pop()
        {
            return if back { self.host_back(host) } else { self.host_gone(host) };
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
        let (ending, work) = match self.bad.remove(&attempt) {
            Some(bad) => (bad.ending, bad.work),
            None => (Ending::Exited { code }, None),
        };
        self.step(Event::Ended(Box::new(Ended {
            attempt,
            ending,
            started,
            ended: at,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work,
        })))
    }

    /// Nobody hears of it any more; what runs there comes to no end of its own.
    fn host_gone(&mut self, host: HostName) -> Result<(), StepError> {
        let times = self.away.entry(host.clone()).or_default();
        *times += 1;
        if *times > 1 {
            return Ok(());
        }
        let runs = &self.core.state.runs;
        let there = |attempt: &AttemptId| {
            let run = runs.get(&attempt.run).and_then(|run| run.attempt(attempt));
            run.is_some_and(|attempt| attempt.host == host)
        };
        self.endings.retain(|Reverse((_, attempt))| !there(attempt));
        self.bad.retain(|attempt, _| !there(attempt));
        self.step(Event::HostAway { host })
    }

    /// It has started anew: asked after what ran there, its agent says that it is lost.
    fn host_back(&mut self, host: HostName) -> Result<(), StepError> {
        let times = self.away.entry(host.clone()).or_default();
        *times = times.saturating_sub(1);
        if *times > 0 {
            return Ok(());
        }
        let boot = BootId(format!("{host} since {}", self.now.wall));
        self.step(Event::HostUp { host, boot })
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
            match command {
                Command::Start { attempt } => self.begin(attempt)?,
                Command::Ask { attempts, .. } => {
                    for attempt in attempts {
                        let why = "the host restarted".to_owned();
                        let bad = Bad { ending: Ending::Lost { why }, work: None };
                        self.bad.insert(attempt.clone(), bad);
                        self.endings.push(Reverse((self.now.wall, attempt)));
                    }
                }
                _ => {}
            }
        }
        for fact in turn.facts {
            if let Fact::RunEnded { run, .. } = fact {
                self.harvest(&run)?;
                self.forget(&run);
            }
        }
        Ok(())
    }

    fn begin(&mut self, attempt: AttemptId) -> Result<(), StepError> {
        let run = self.core.state.run(&attempt.run)?;
        let Some(index) = run.index(&attempt.job) else { return Ok(()) };
        if self.core.stands_on_people(run, index, self.now) {
            self.assumed.entry(attempt.run.clone()).or_default().push(index);
        }
        let made = self.script.attempt(run, index, attempt.number, self.now.wall);
        let end = self.now.wall.saturating_add_duration(made.after);
        if let Some(bad) = made.bad {
            self.bad.insert(attempt.clone(), bad);
        }
        self.endings.push(Reverse((end, attempt)));
        Ok(())
    }

    /// Gives every confirmation whose time has come. An event of another system is there as soon as it is waited for.
    fn confirm(&mut self) -> Result<(), StepError> {
        loop {
            let Some((run, index)) = self.asked_for() else { return Ok(()) };
            if let Some(left) = self.confirms.get_mut(&run) {
                left.retain(|other| *other != index);
            }
            let state = self.core.state.run(&run)?;
            let job = state.job(index).name.clone();
            let Some(by) = may_confirm(state, index) else { continue };
            if let Some(received) = assumed_event(state, index, &by) {
                self.one_step(Event::Receive(Box::new(received)))?;
                continue;
            }
            self.assumed.entry(run.clone()).or_default().push(index);
            let action = Action::Confirm { job };
            self.one_step(Event::Act { run, by, reason: "assumed".to_owned(), action })?;
        }
    }

    fn asked_for(&self) -> Option<(RunId, usize)> {
        let after = self.script.answers_after();
        let due = |asked: Option<Timestamp>| {
            after.is_some_and(|after| {
                after.is_zero()
                    || asked.is_some_and(|at| at.saturating_add_duration(after) <= self.now.wall)
            })
        };
        self.confirms.iter().find_map(|(id, indices)| {
            let run = self.core.state.run(id).ok()?;
            let ready = |index: &&usize| {
                let job = &run.jobs[**index];
                job.phase == Phase::Waiting
                    && job.held.is_none()
                    && (matches!(run.job(**index).kind, Kind::WaitEvent { .. })
                        || due(job.asked_at))
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
        if self.keep {
            return;
        }
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

/// The event that a job waits for, as it is taken for granted.
fn assumed_event(run: &Run, index: usize, by: &PersonId) -> Option<Received> {
    let Kind::WaitEvent { event, .. } = &run.job(index).kind else { return None };
    let key = EventKey::new(&format!("forecast {event} {}", run.opened.business_date)).ok()?;
    Some(Received {
        key,
        event: event.clone(),
        business_date: run.opened.business_date,
        parameters: BTreeMap::new(),
        by: by.clone(),
        reason: String::new(),
        runs: Vec::new(),
        jobs: Vec::new(),
    })
}
