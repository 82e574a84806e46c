//! One made-up night from its first order to its last ending.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::agent::Agents;
use super::check::{Violation, Witness};
use super::dice::Dice;
use super::made_site::{self, Asked, Made};
use super::operator;
use crate::core::calendar::Calendars;
use crate::core::fact::{Fact, RunOpened, RunResult, StopHow};
use crate::core::gate;
use crate::core::needs::Verdict;
use crate::core::night::{Command, Core, Event, StepError};
use crate::core::order;
use crate::definition::site::{Kind, Site};
use crate::types::{
    AttemptId, BootId, Ending, HostName, InvalidName, JobName, Now, Outcome, PersonId, RunId,
};

/// How long faults and pranks last.
const FAULTS: Duration = Duration::from_secs(6 * 3600);
/// Steps that a night may take in all; a night that takes more does not come to its end.
const MOST_STEPS: usize = 20_000;
/// The digest that the made-up site goes by.
const DIGEST: &str = "made-up";

/// A night that is over, and broke no rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Night {
    pub facts: Vec<(Timestamp, Fact)>,
    pub steps: usize,
    pub crashes: usize,
}

/// A night under way.
#[derive(Debug)]
pub struct World {
    dice: Dice,
    site: Arc<Site>,
    core: Core,
    now: Now,
    faults_end: Timestamp,
    boot: BootId,
    agents: Agents,
    /// Hosts that the supervisor can reach.
    reached: BTreeSet<HostName>,
    witness: Witness,
    made: Made,
    orders: VecDeque<Asked>,
    next_prank: Timestamp,
    night: Night,
}

fn somebody() -> Result<PersonId, Violation> {
    PersonId::new("operator").map_err(|error| made(&error))
}

fn made(error: &impl ToString) -> Violation {
    Violation::Made(error.to_string())
}

impl World {
    /// Makes the site and the beginning of its night from a seed.
    pub fn new(seed: u64) -> Result<Self, Violation> {
        let mut dice = Dice::new(seed);
        let jobs = if dice.percent(90) { dice.of(4..40) } else { dice.of(40..100) };
        let made = made_site::made(&mut dice, jobs as usize).map_err(|error| made(&error))?;
        let site = Arc::clone(&made.site);
        let wall = made.begins;
        let now = Now { wall, since_boot: Duration::from_secs(1_000) };
        let mut witness = Witness::default();
        witness.state.define(DIGEST, Arc::clone(&site));
        let orders = made.asked.iter().cloned().collect();
        Ok(Self {
            agents: Agents::new(&site),
            core: Self::core(&site),
            site,
            now,
            faults_end: wall + FAULTS,
            boot: BootId("supervisor-1".to_owned()),
            reached: BTreeSet::new(),
            witness,
            made,
            orders,
            next_prank: wall,
            night: Night { facts: Vec::new(), steps: 0, crashes: 0 },
            dice,
        })
    }

    fn core(site: &Arc<Site>) -> Core {
        let mut core = Core::new(1);
        core.define(DIGEST, Arc::clone(site));
        core
    }

    /// Plays the night to its end.
    pub fn play(mut self) -> Result<Night, Violation> {
        self.hosts_up();
        while self.night.steps < MOST_STEPS {
            let Some(next) = self.next() else {
                if self.is_over() {
                    self.witness.look_at_all(&self.core, self.now)?;
                    return Ok(self.night);
                }
                return Err(Violation::Endless(self.what_is_left()));
            };
            self.advance(next);
            self.turn()?;
        }
        Err(Violation::Endless(self.what_is_left()))
    }

    fn faulty(&self) -> bool {
        self.now.wall < self.faults_end
    }

    fn is_over(&self) -> bool {
        self.orders.is_empty()
            && self.core.state().runs.values().all(|run| run.result == Some(RunResult::Well))
    }

    fn what_is_left(&self) -> String {
        let runs = self.core.state().runs.values();
        let left: Vec<String> = runs
            .flat_map(|run| {
                let good = |outcome: Option<Outcome>| {
                    !matches!(outcome, None | Some(Outcome::Failed | Outcome::Blocked))
                };
                let left =
                    run.jobs.iter().enumerate().filter(move |(_, j)| !good(j.phase.outcome()));
                left.map(|(index, job)| {
                    let name = &run.job(index).name;
                    format!("{}/{name} {:?} ({:?})", run.id(), job.phase, run.result)
                })
            })
            .collect();
        format!("{} at {}", left.join(", "), self.now.wall)
    }

    /// When something happens next.
    fn next(&self) -> Option<Timestamp> {
        let wake = self.core.next_wake().after(self.now).map(|after| self.now.wall + after);
        let order = self.orders.front().map(|asked| asked.at);
        let news = self.made.news.keys().next().copied();
        let prank = self.faulty().then_some(self.next_prank.max(self.now.wall));
        let tidy = self.tidies().then_some(self.now.wall + Duration::from_secs(1));
        [wake, order, news, prank, tidy, self.agents.next()].into_iter().flatten().min()
    }

    fn tidies(&self) -> bool {
        !self.faulty() && (self.tidy().is_some() || self.stopped().is_some())
    }

    fn advance(&mut self, next: Timestamp) {
        if next > self.now.wall {
            let passed = Duration::try_from(next.duration_since(self.now.wall));
            self.now.since_boot += passed.unwrap_or_default();
            self.now.wall = next;
        }
    }

    fn turn(&mut self) -> Result<(), Violation> {
        if let Some(event) = self.agents.arrived(self.now.wall) {
            if let Event::HostUp { host, .. } = &event {
                self.reached.insert(host.clone());
            }
            return self.step(event);
        }
        if self.orders.front().is_some_and(|asked| asked.at <= self.now.wall)
            && let Some(asked) = self.orders.pop_front()
        {
            return self.order(asked);
        }
        if self.made.news.first_key_value().is_some_and(|(at, _)| *at <= self.now.wall)
            && let Some((_, (job, date, outcome))) = self.made.news.pop_first()
        {
            self.made.known.insert((job.clone(), date), outcome);
            return self.step(Event::Across { known: vec![(job, date, Some(outcome))] });
        }
        if self.faulty() && self.next_prank <= self.now.wall {
            self.next_prank = self.now.wall + Duration::from_secs(self.dice.of(1..400));
            return self.prank();
        }
        if !self.faulty() {
            if let Some(run) = self.stopped() {
                return self.step(Event::Resume { run, by: somebody()?, boot: self.boot.clone() });
            }
            if let Some((run, action)) = self.tidy() {
                return self.act(run, action);
            }
        }
        self.step(Event::Tick)
    }

    fn stopped(&self) -> Option<RunId> {
        let mut runs = self.core.state().runs.values();
        runs.find(|run| run.result == Some(RunResult::Stopped)).map(|run| run.id().clone())
    }

    fn tidy(&self) -> Option<(RunId, crate::core::fact::Action)> {
        let state = self.core.state();
        operator::tidy(state, |run, index| {
            gate::needs_verdict(state, run, index) == Verdict::Go && run.result.is_none()
        })
    }

    fn order(&mut self, asked: Asked) -> Result<(), Violation> {
        let opened = self.opened(asked).map_err(|error| made(&error))?;
        let across = opened
            .across
            .iter()
            .filter_map(|need| Some((need.job.clone(), need.wanted()?)))
            .map(|(job, date)| {
                let mut here = self.core.state().runs.values().filter(|run| {
                    run.opened.batch == job.batch && run.opened.business_date == date
                });
                let outcome = match here.next() {
                    Some(run) => run.index(&job.job).and_then(|at| run.jobs[at].phase.outcome()),
                    None => self.made.known.get(&(job.clone(), date)).copied(),
                };
                (job, date, outcome)
            })
            .collect();
        self.step(Event::Open { opened: Box::new(opened), across })
    }

    fn opened(&self, asked: Asked) -> Result<RunOpened, StepError> {
        let bad = |error: InvalidName| crate::core::refused::Refused::new(error.to_string());
        let calendars = Calendars::new(&self.site.calendars);
        let ordered = order::resolve(&self.site, &calendars, asked.order, asked.at)?;
        let batch = ordered.order.batch.clone();
        let run = RunId { batch, key: ordered.key().map_err(bad)?, number: 1 };
        let clock = (self.boot.clone(), self.now.since_boot);
        Ok(ordered.opened(run, DIGEST.to_owned(), asked.expected, clock))
    }

    fn prank(&mut self) -> Result<(), Violation> {
        match self.dice.of(0..24) {
            0 => self.crash(),
            1 => {
                let how = [StopHow::Wait, StopHow::Terminate, StopHow::Kill];
                let how = self.dice.pick(&how).copied().unwrap_or(StopHow::Wait);
                self.step(Event::Stop { by: somebody()?, how })
            }
            2..=6 => match self.stopped() {
                Some(run) => {
                    self.step(Event::Resume { run, by: somebody()?, boot: self.boot.clone() })
                }
                None => self.step(Event::Tick),
            },
            7 | 8 => {
                let hosts = self.agents.hosts();
                let Some(host) = self.dice.pick(&hosts).cloned() else { return Ok(()) };
                self.away(host)
            }
            9 | 10 => match operator::again(&mut self.dice, self.core.state()) {
                Some((run, jobs)) => {
                    let by = somebody()?;
                    self.step(Event::Rerun { run, jobs, by, reason: "again".to_owned() })
                }
                None => Ok(()),
            },
            _ => match operator::anything(&mut self.dice, self.core.state()) {
                Some((run, action)) => self.act(run, action),
                None => Ok(()),
            },
        }
    }

    fn act(&mut self, run: RunId, action: crate::core::fact::Action) -> Result<(), Violation> {
        let by = somebody()?;
        self.step(Event::Act { run, by, reason: "made up".to_owned(), action })
    }

    /// A host cannot be reached for a while; every other time it has restarted.
    fn away(&mut self, host: HostName) -> Result<(), Violation> {
        if self.dice.percent(50) {
            self.agents.restart(&host, self.now.wall);
        }
        self.reached.remove(&host);
        let back = self.now.wall + Duration::from_secs(self.dice.of(1..300));
        let boot = self.agents.boot(&host);
        self.agents.post(back, Event::HostUp { host: host.clone(), boot });
        self.step(Event::HostAway { host })
    }

    fn hosts_up(&mut self) {
        for host in self.agents.hosts() {
            let at = self.now.wall + Duration::from_secs(self.dice.of(0..30));
            let boot = self.agents.boot(&host);
            self.agents.post(at, Event::HostUp { host, boot });
        }
    }

    /// The supervisor dies and another takes the night up from its facts.
    fn crash(&mut self) -> Result<(), Violation> {
        self.night.crashes += 1;
        let mut core = Self::core(&self.site);
        for (at, fact) in &self.night.facts {
            core.replay(*at, fact)?;
        }
        if core.state() != self.core.state() {
            return Err(Violation::Replay);
        }
        self.witness.look_at_all(&self.core, self.now)?;
        self.witness.crashed();
        self.core = core;
        self.agents.lose_post();
        self.reached.clear();
        if self.dice.percent(20) {
            self.boot = BootId(format!("supervisor-{}", self.night.crashes + 1));
            self.now.since_boot = Duration::from_secs(5);
        }
        let open = |result| result != Some(RunResult::Well) && result != Some(RunResult::Failed);
        let runs = self.core.state().runs.values().filter(|run| open(run.result));
        let runs: Vec<RunId> = runs.map(|run| run.id().clone()).collect();
        for run in runs {
            self.step(Event::Resume { run, by: somebody()?, boot: self.boot.clone() })?;
        }
        self.hosts_up();
        Ok(())
    }

    /// One step of the core, watched.
    fn step(&mut self, event: Event) -> Result<(), Violation> {
        self.night.steps += 1;
        let turn = match self.core.step(self.now, event) {
            Ok(turn) => turn,
            Err(StepError::Refused(_)) => return self.unchanged(),
            Err(StepError::Unfit(unfit)) => return Err(unfit.into()),
        };
        for fact in turn.facts {
            self.witnessed(&fact)?;
            self.night.facts.push((self.now.wall, fact));
        }
        self.witness.look(&self.core, self.now)?;
        // A supervisor that dies between its facts and its acts has carried out some of them, or none.
        let dies = self.faulty() && self.dice.percent(1);
        for command in turn.commands {
            if dies && self.dice.percent(50) {
                break;
            }
            self.carry_out(command);
        }
        if dies { self.crash() } else { Ok(()) }
    }

    fn unchanged(&self) -> Result<(), Violation> {
        if *self.core.state() == self.witness.state { Ok(()) } else { Err(Violation::Replay) }
    }

    fn witnessed(&mut self, fact: &Fact) -> Result<(), Violation> {
        if let Fact::AttemptIntended { attempt, .. } = fact
            && self.night.steps.is_multiple_of(2)
        {
            self.no_obstacle(attempt)?;
        }
        self.witness.take(self.now.wall, fact, &self.reached)
    }

    /// What is started has nothing in its way.
    fn no_obstacle(&self, attempt: &AttemptId) -> Result<(), Violation> {
        let before = self.core.over(self.witness.state.clone());
        let run = before.state().run(&attempt.run)?;
        let Some(index) = run.index(&attempt.job) else { return Ok(()) };
        let obstacles = before.obstacles(&attempt.run, index, self.now)?;
        if obstacles.is_empty() {
            return Ok(());
        }
        Err(Violation::Obstacle(attempt.clone(), format!("{obstacles:?}")))
    }

    fn carry_out(&mut self, command: Command) {
        let now = self.now.wall;
        match command {
            Command::Start { attempt } => {
                let Some((host, takes)) = self.job(&attempt.run, &attempt.job) else { return };
                let takes = takes.mul_f64(self.dice.of(0..200) as f64 / 100.0);
                let ending = self.ending();
                self.agents.start(&mut self.dice, now, attempt, (host, takes, ending));
            }
            Command::Kill { attempt, .. } => self.agents.kill(&mut self.dice, now, &attempt),
            Command::Ask { attempts, .. } => {
                for attempt in attempts {
                    self.agents.report(&mut self.dice, now, &attempt);
                }
            }
            Command::Recorded { .. } | Command::Notify { .. } | Command::Report { .. } => {}
        }
    }

    fn job(&self, run: &RunId, job: &JobName) -> Option<(HostName, Duration)> {
        let job = self.site.batches.get(&run.batch)?.job(job)?;
        let takes = match job.kind {
            Kind::WaitFile { .. } => Duration::from_secs(60),
            _ => job.expected.unwrap_or_default().get(),
        };
        Some((job.host.clone(), takes))
    }

    fn ending(&mut self) -> Ending {
        if !self.faulty() {
            return Ending::Exited { code: 0 };
        }
        match self.dice.of(0..100) {
            0..=9 => Ending::Exited { code: 1 },
            10..=12 => Ending::TimedOut,
            13 => Ending::Signalled { signal: 11 },
            14 => Ending::OutputLimit,
            15 | 16 => Ending::CouldNotStart { why: "no such program".to_owned() },
            17 | 18 => Ending::Lost { why: "its shim died".to_owned() },
            19 => Ending::Unknown { why: "nobody knows".to_owned() },
            _ => Ending::Exited { code: 0 },
        }
    }
}
