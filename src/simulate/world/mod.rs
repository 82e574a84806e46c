//! One made-up night from its first order to its last ending: the real core, journal and views, and a world around them
//! in which everything goes wrong that the scenario allows.

mod clock;
mod former;
mod happen;
mod jobs;
mod pages;
mod store;
mod story;
mod supervisor;

pub(in crate::simulate) use self::happen::act;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::clock::Clock;
use self::former::Former;
use self::store::Store;
use super::agent::{Agents, At, Post};
use super::check::{Violation, Witness};
use super::dice::Dice;
use super::faults::{Fault, Faults, LASTS, Plan};
use super::made_site::{self, Asked};
use super::operator;
use super::scenario::{Moment, Scenario};
use crate::core::calendar::Calendars;
use crate::core::fact::{Fact, RunResult};
use crate::core::night::{Command, Core, Event};
use crate::core::phase::Phase;
use crate::core::state::{State, Unfit};
use crate::definition::site::Site;
use crate::journal::{Broken, NotSealed, Sealed};
use crate::types::{AttemptId, BusinessDate, Epoch, HostName, IncidentId, JobRef, Outcome, RunId};

/// A job of another date has come out so.
type News = (JobRef, BusinessDate, Outcome);

/// The digest that the made-up site goes by.
const DIGEST: &str = "made-up";
/// How long after the faults everything must have come to its end: windows of any week have been open by then.
const PATIENCE: Duration = Duration::from_secs(15 * 86_400);
/// How often operators look after the faults.
const TIDIES: Duration = Duration::from_secs(60);

/// A rule that a night broke.
#[derive(Debug, thiserror::Error)]
pub enum Breach {
    #[error(transparent)]
    Rule(#[from] Violation),
    #[error("{0} ran twice")]
    RanTwice(AttemptId),
    #[error("{0} was to look only, and has applied its change")]
    Applied(AttemptId),
    #[error("by {attempt} its change came out as {outcome:?}, and its target says otherwise")]
    Untrue { attempt: AttemptId, outcome: Outcome },
    #[error("a former leader has started {0}, whose end is in the journal")]
    StartedAfter(AttemptId),
    #[error("an agent that knows epoch {} takes the start of {attempt} from epoch {}", .knows.0, .epoch.0)]
    Obeyed { attempt: AttemptId, epoch: Epoch, knows: Epoch },
    #[error("an entry of epoch {} is taken, and epoch {} was claimed before", .0.0, .1.0)]
    Stale(Epoch, Epoch),
    #[error("mail about {0} is put into the outbox twice")]
    MailedTwice(IncidentId),
    #[error(transparent)]
    Journal(#[from] Broken),
    #[error("the journal's head is not that of its entries")]
    Head,
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    #[error("a refused event has changed something: {0}")]
    Changed(String),
    #[error("a page contradicts the state: {0}")]
    Page(String),
}

impl From<Unfit> for Breach {
    fn from(unfit: Unfit) -> Self {
        Self::Rule(unfit.into())
    }
}

impl Breach {
    /// Whether two nights broke the same rule, whatever jobs and times they name.
    pub fn is_like(&self, other: &Self) -> bool {
        use std::mem::discriminant;
        match (self, other) {
            (Self::Rule(one), Self::Rule(other)) => discriminant(one) == discriminant(other),
            (one, other) => discriminant(one) == discriminant(other),
        }
    }
}

/// A night that is over, and broke no rule.
#[derive(Debug)]
pub struct Night {
    /// The journal, as it was stored.
    pub entries: Vec<Sealed>,
    /// What runs go by besides the site: those of lists.
    pub drawn: Vec<(String, Arc<Site>)>,
    /// What was carried out, in order.
    pub commands: Vec<Command>,
    pub counts: Counts,
    /// How often each kind of fault came.
    pub struck: Vec<(Fault, u64)>,
}

/// What happened in a night, or in many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub jobs: u64,
    pub turns: u64,
    pub commits: u64,
    pub facts: u64,
    /// Bytes of the journal.
    pub bytes: u64,
    pub starts: u64,
    /// Supervisors that came after the first one.
    pub recoveries: u64,
    pub refused: u64,
    /// Commits of former leaders that the store refused.
    pub stale_commits: u64,
    /// Starts of former leaders that agents refused.
    pub stale_starts: u64,
    pub incidents: u64,
    /// Pages that were built.
    pub pages: u64,
}

impl Counts {
    pub fn add(&mut self, more: &Self) {
        let Self { jobs, turns, commits, facts, bytes, starts, recoveries, .. } = more;
        self.jobs += jobs;
        self.turns += turns;
        self.commits += commits;
        self.facts += facts;
        self.bytes += bytes;
        self.starts += starts;
        self.recoveries += recoveries;
        self.refused += more.refused;
        self.stale_commits += more.stale_commits;
        self.stale_starts += more.stale_starts;
        self.incidents += more.incidents;
        self.pages += more.pages;
    }
}

/// A night that broke a rule.
#[derive(Debug)]
pub struct Failure {
    pub breach: Breach,
    /// The turn of the breach, counted from 1.
    pub turn: usize,
    /// The last that happened, as people read it.
    pub story: Vec<String>,
}

/// A night under way.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    site: Arc<Site>,
    clock: Clock,
    agents: Agents,
    store: Store,
    faults: Faults,
    plan: Plan,
    /// What of the plan has happened.
    planned: usize,
    /// For what is no fault and must be chosen all the same.
    dice: Dice,
    core: Core,
    /// Knows the site's rules and nothing of the night: what each supervisor begins as.
    blank: Core,
    calendars: Arc<Calendars>,
    epoch: Epoch,
    /// Whether a supervisor is there.
    up: bool,
    /// Supervisors that have lost the lead and do not know.
    formers: Vec<Former>,
    /// Whether it is still taking up what its predecessor left.
    recalls: bool,
    /// When the next one comes; the core of the present one is called.
    wakes: Option<Duration>,
    /// Hosts that the supervisor can reach.
    reached: Arc<BTreeSet<HostName>>,
    witness: Witness,
    /// The sites of runs whose jobs are the changes of a list, with what they go by.
    drawn: Vec<(String, Arc<Site>)>,
    orders: VecDeque<(Duration, Asked)>,
    /// How jobs of other dates come out, by when that is heard of; and what is known of them already.
    news: VecDeque<(Duration, News)>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    /// When operators look next.
    tidies: Duration,
    /// Whether its supervisor looks at the windows that close; as many jobs as no night has that is kept for what it showed.
    looks_ahead: bool,
    /// It does not, and should: a control.
    is_blind: bool,
    disk_full_until: Duration,
    /// The crash of the scenario, until it has come.
    crash: Option<(usize, Moment)>,
    calm: bool,
    turns: usize,
    commands: Vec<Command>,
    counts: Counts,
    /// What happened besides facts: after how many of them, and what.
    log: Vec<(usize, Timestamp, String)>,
}

fn made(error: &impl ToString) -> Breach {
    Violation::Made(error.to_string()).into()
}

impl World {
    /// Makes the site and the beginning of its night.
    pub fn new(scenario: Scenario) -> Result<Self, Breach> {
        let mut dice = Dice::new(scenario.seed);
        let jobs = scenario.jobs as usize;
        let mut night = made_site::made(&mut dice, jobs).map_err(|error| made(&error))?;
        jobs::leave(&mut night, &scenario.only);
        let (site, begin) = (Arc::clone(&night.site), night.begins);
        let mut blank = Core::new(1);
        blank.define_by(DIGEST, Arc::clone(&site), Arc::clone(&night.calendars));
        let witness = Witness::of(DIGEST, Arc::clone(&site));
        let of_night =
            |at: Timestamp| Duration::try_from(at.duration_since(begin)).unwrap_or_default();
        let orders = night.asked.into_iter().map(|asked| (of_night(asked.at), asked)).collect();
        let news = night.news.into_iter().map(|(at, what)| (of_night(at), what)).collect();
        let (faults, plan) = Faults::new(scenario.seed, &scenario.without);
        let mut world = Self {
            agents: Agents::new(&site),
            core: fresh(&blank, &site, &[]),
            blank,
            calendars: night.calendars,
            clock: Clock::new(begin),
            store: Store::default(),
            faults,
            plan,
            planned: 0,
            dice,
            epoch: Epoch(1),
            up: true,
            formers: Vec::new(),
            recalls: false,
            wakes: None,
            reached: Arc::default(),
            witness,
            drawn: Vec::new(),
            orders,
            news,
            known: night.known,
            tidies: LASTS,
            looks_ahead: scenario.jobs % 10 == 9,
            is_blind: false,
            disk_full_until: Duration::ZERO,
            crash: scenario.crash,
            calm: false,
            turns: 0,
            commands: Vec::new(),
            counts: Counts::default(),
            log: Vec::new(),
            scenario,
            site,
        };
        world.counts.jobs = world.site.batches.values().map(|b| b.jobs.len() as u64).sum();
        world.seek_agents();
        Ok(world)
    }

    /// Plays the night to its end.
    pub fn play(mut self) -> Result<Night, Box<Failure>> {
        match self.go_to_the_end() {
            Ok(()) => Ok(self.over()),
            Err(breach) => Err(Box::new(self.failure(breach))),
        }
    }

    fn go_to_the_end(&mut self) -> Result<(), Breach> {
        self.serve()?;
        loop {
            let next = self.next();
            // Lists of the week come for ever.
            if (next.is_none() || self.serves() && self.is_still()) && self.is_over() {
                return self.last_look();
            }
            let Some(next) = next else {
                return Err(Violation::Endless(self.what_is_left()).into());
            };
            self.pass_until(next);
            if self.clock.passed() > LASTS + PATIENCE || self.turns > self.most_turns() {
                return Err(Violation::Endless(self.what_is_left()).into());
            }
            self.happen()?;
        }
    }

    /// Whether nothing is on its way, and nobody is about to do anything.
    fn is_still(&self) -> bool {
        let moves = self.agents.next().is_some() || !self.news.is_empty();
        self.calm && !moves && self.formers.iter().all(|former| former.epoch >= self.epoch)
    }

    /// Turns that a night may take in all; a night that takes more goes round in circles.
    fn most_turns(&self) -> usize {
        10_000 + 200 * self.counts.jobs as usize
    }

    fn over(mut self) -> Night {
        self.counts.turns = self.turns as u64;
        self.counts.commits = self.store.commits() as u64;
        self.counts.facts = self.store.facts().len() as u64;
        self.counts.bytes = self.store.bytes() as u64;
        self.counts.incidents = self.witness.state.incidents.len() as u64;
        Night {
            struck: self.faults.struck().collect(),
            entries: self.store.into_entries(),
            drawn: self.drawn,
            commands: self.commands,
            counts: self.counts,
        }
    }

    /// When something happens next; `None`: nothing moves any more.
    fn next(&self) -> Option<Duration> {
        // Without a supervisor nobody takes an order, and people wait for the next one.
        let order = self.orders.front().map(|(at, _)| *at).filter(|_| self.up);
        let news = self.news.front().map(|(at, _)| *at);
        let plan = self.plan.get(self.planned).map(|(at, _)| *at).filter(|_| !self.calm);
        let looks = self.up && (self.calm || plan.is_none());
        let tidies = Some(self.tidies).filter(|_| looks && !self.is_over());
        let former = self.formers.iter().filter(|former| former.epoch < self.epoch);
        let former = former.map(|former| former.goes_on).min();
        let times = [self.wakes, order, news, plan, self.agents.next(), tidies, former];
        times.into_iter().flatten().min()
    }

    fn pass_until(&mut self, next: Duration) {
        self.clock.pass_until(next);
        if !self.calm && self.clock.passed() >= LASTS {
            self.be_calm();
        }
    }

    /// From here on nothing goes wrong, and people put right what has.
    fn be_calm(&mut self) {
        self.calm = true;
        self.faults.stop();
        self.disk_full_until = Duration::ZERO;
        self.tidies = self.clock.passed() + TIDIES;
        if !self.up {
            self.wakes = Some(self.clock.passed());
        }
        self.note("the faults are over");
    }

    fn is_over(&self) -> bool {
        self.up
            && self.orders.is_empty()
            && self.core.state().unfinished().next().is_none()
            && self.core.state().standing.hand_overs.values().all(|known| !known.is_open())
            && self.core.state().runs.values().all(|run| {
                let bad = |outcome| matches!(outcome, Outcome::Failed | Outcome::Blocked);
                let left = run.jobs.iter().any(|job| match &job.phase {
                    Phase::InDoubt { .. } => true,
                    // A run that was given up keeps its failures.
                    Phase::Settled { outcome, .. } => run.cancelled.is_none() && bad(*outcome),
                    _ => false,
                });
                matches!(run.result, Some(RunResult::Well | RunResult::Cancelled)) && !left
            })
    }

    fn what_is_left(&self) -> String {
        let runs = self.core.state().runs.values();
        let left: Vec<String> = runs
            .flat_map(|run| {
                let open = run.jobs.iter().enumerate().filter(|(_, job)| {
                    let outcome = job.phase.outcome();
                    matches!(outcome, None | Some(Outcome::Failed | Outcome::Blocked))
                });
                open.map(|(index, job)| {
                    let why = self.core.obstacles(run.id(), index, self.clock.now());
                    let why = why.map_or_else(|unfit| unfit.to_string(), |why| format!("{why:?}"));
                    let name = &run.job(index).name;
                    format!("{}/{name} {:?} ({:?}) {why}", run.id(), job.phase, run.result)
                })
            })
            .collect();
        format!("{} at {}", left.join(", "), self.clock.wall())
    }

    fn at(&self) -> At {
        (self.clock.passed(), self.clock.wall())
    }

    fn note(&mut self, what: impl Into<String>) {
        self.log.push((self.store.facts().len(), self.clock.wall(), what.into()));
    }

    fn seek_agents(&mut self) {
        let dice = &mut self.dice;
        let takes = || Duration::from_millis(dice.of(0..30_000));
        self.agents.sought(self.clock.passed(), takes);
    }

    fn runs_that(&self, wanted: impl Fn(Option<RunResult>) -> bool) -> Vec<RunId> {
        let runs = self.core.state().runs.values();
        runs.filter(|run| wanted(run.result)).map(|run| run.id().clone()).collect()
    }
}

/// A supervisor that has heard of nothing yet.
fn fresh(blank: &Core, site: &Arc<Site>, drawn: &[(String, Arc<Site>)]) -> Core {
    let mut core = blank.over(known(site, drawn));
    core.keep_shifts();
    core
}

/// Nothing has happened yet. `drawn`: what runs go by besides the site.
fn known(site: &Arc<Site>, drawn: &[(String, Arc<Site>)]) -> State {
    let mut state = State::default();
    state.define(DIGEST, Arc::clone(site));
    drawn.iter().for_each(|(digest, site)| state.define(digest, Arc::clone(site)));
    state
}
