//! Plan equals run: the plan of a night against a calm night that is played here, without the planner.
//!
//! In a calm night every host is there and answers at once, every attempt ends well after exactly what it was expected
//! to take, people say yes the moment they are asked, and everything of other dates is known from the beginning. Then
//! each job starts (first attempt) at the very instant of the plan, and what the plan never starts is never started.
//! Of endings at one instant the attempt's id decides which is told first, and endings are told before orders, as the
//! planner has it: where two jobs wait for one place, that decides who gets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Violation;
use crate::core::calendar::Calendars;
use crate::core::fact::{Action, Fact, RunOpened};
use crate::core::forecast::{self, Opening};
use crate::core::night::{Command, Core, Event, StepError};
use crate::core::order;
use crate::core::phase::Phase;
use crate::definition::site::Kind;
use crate::simulate::dice::Dice;
use crate::simulate::made_site::{self, Made};
use crate::simulate::operator;
use crate::types::{
    AttemptId, BootId, BusinessDate, Ending, HostName, JobName, JobRef, Now, Outcome, RunId,
};
use crate::wire::Ended;

const DIGEST: &str = "made-up";

/// Jobs of runs, with the instant of their first start.
type Starts = BTreeMap<(RunId, JobName), Timestamp>;

/// Makes the site of a seed with so many jobs, plans its night, plays it calmly, and compares.
pub fn plan_holds(seed: u64, jobs: usize) -> Result<(), Violation> {
    let made = made_site::made(&mut Dice::new(seed), jobs);
    keeps(&made.map_err(|error| Violation::Made(error.to_string()))?)
}

fn keeps(made: &Made) -> Result<(), Violation> {
    let openings = openings(made)?;
    let known = everything(made);
    let definitions = [(DIGEST.to_owned(), Arc::clone(&made.site))];
    let plan = forecast::of_openings(&definitions, openings.clone(), known.clone());
    let plan = plan.map_err(|error| Violation::Plan(error.to_string()))?;
    let horizon = openings.last().map_or(made.begins, |last| last.at) + forecast::HORIZON;
    let calm = Calm::new(made, known, horizon).play(openings)?;
    let mut planned = Starts::new();
    for (id, run) in &plan.runs {
        let batch = &made.site.batches[&id.batch];
        for (index, job) in run.jobs.iter().enumerate() {
            let definition = &batch.jobs[index];
            let starts = definition.kind.starts();
            if let Some(start) = job.start.filter(|_| starts) {
                planned.insert((id.clone(), definition.name.clone()), start);
            }
        }
    }
    let jobs: BTreeSet<_> = planned.keys().chain(calm.keys()).collect();
    let differs = jobs.into_iter().find(|job| planned.get(*job) != calm.get(*job));
    match differs {
        None => Ok(()),
        Some(job) => Err(Violation::Plan(format!(
            "{} {} was to start at {:?} and did at {:?}",
            job.0,
            job.1,
            planned.get(job),
            calm.get(job)
        ))),
    }
}

fn everything(made: &Made) -> BTreeMap<(JobRef, BusinessDate), Outcome> {
    let news = made.news.values().map(|(job, date, outcome)| ((job.clone(), *date), *outcome));
    made.known.iter().map(|(of, outcome)| (of.clone(), *outcome)).chain(news).collect()
}

/// The openings of a made-up night, as its orders resolve.
pub(super) fn openings(made: &Made) -> Result<Vec<Opening>, Violation> {
    let calendars = Calendars::new(&made.site.calendars);
    let mut openings = Vec::new();
    for asked in &made.asked {
        let bad = |error: &dyn ToString| Violation::Made(error.to_string());
        let ordered = order::resolve(&made.site, &calendars, asked.order.clone(), asked.at)
            .map_err(|error| bad(&error))?;
        let key = ordered.key().map_err(|error| bad(&error))?;
        let run = RunId { batch: asked.order.batch.clone(), key, number: 1 };
        let clock = (BootId("calm".to_owned()), Duration::ZERO);
        let opened = ordered.opened(run, DIGEST.to_owned(), asked.expected.clone(), clock);
        openings.push(Opening { at: asked.at, opened: Box::new(opened) });
    }
    Ok(openings)
}

/// A calm night under way.
struct Calm {
    core: Core,
    now: Now,
    until: Timestamp,
    endings: BTreeSet<(Timestamp, AttemptId)>,
    known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    starts: Starts,
    hosts: Vec<HostName>,
}

impl Calm {
    fn new(
        made: &Made,
        known: BTreeMap<(JobRef, BusinessDate), Outcome>,
        until: Timestamp,
    ) -> Self {
        let mut core = Core::new(1);
        core.define(DIGEST, Arc::clone(&made.site));
        core.assume_people();
        let now = Now { wall: made.begins, since_boot: Duration::from_secs(100) };
        let (endings, starts) = Default::default();
        let hosts = made.site.hosts.keys().cloned().collect();
        Self { core, now, until, endings, known, starts, hosts }
    }

    fn play(mut self, openings: Vec<Opening>) -> Result<Starts, Violation> {
        for host in std::mem::take(&mut self.hosts) {
            self.step(Event::HostUp { host, boot: BootId("calm".to_owned()) })?;
        }
        let mut openings = openings.into_iter().peekable();
        loop {
            let wake = self.core.next_move().after(self.now).map(|after| self.now.wall + after);
            let opening = openings.peek().map(|opening| opening.at);
            let ending = self.endings.first().map(|(at, _)| *at);
            let Some(next) = [wake, opening, ending].into_iter().flatten().min() else { break };
            if next > self.until {
                break;
            }
            let passed = Duration::try_from(next.duration_since(self.now.wall)).unwrap_or_default();
            self.now =
                Now { wall: next.max(self.now.wall), since_boot: self.now.since_boot + passed };
            if ending.is_some_and(|at| at <= self.now.wall) {
                let Some((at, attempt)) = self.endings.pop_first() else { break };
                self.end(at, attempt)?;
            } else if opening.is_some_and(|at| at <= self.now.wall) {
                let Some(opening) = openings.next() else { break };
                self.open(opening.opened)?;
            } else {
                self.step(Event::Tick)?;
            }
        }
        Ok(self.starts)
    }

    fn open(&mut self, opened: Box<RunOpened>) -> Result<(), Violation> {
        let wanted = opened.across.iter().filter_map(|need| Some((&need.job, need.wanted()?)));
        let across = wanted
            .map(|(job, date)| {
                let here =
                    self.core.state().runs.values().find(|run| {
                        run.opened.batch == job.batch && run.opened.business_date == date
                    });
                let outcome = match here {
                    Some(run) => {
                        run.index(&job.job).and_then(|index| run.jobs[index].phase.outcome())
                    }
                    None => self.known.get(&(job.clone(), date)).copied(),
                };
                (job.clone(), date, outcome)
            })
            .collect();
        self.step(Event::Open { opened, across })
    }

    fn end(&mut self, at: Timestamp, attempt: AttemptId) -> Result<(), Violation> {
        let started = self.starts.get(&(attempt.run.clone(), attempt.job.clone())).copied();
        self.step(Event::Ended(Box::new(Ended {
            attempt,
            ending: Ending::Exited { code: 0 },
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

    fn step(&mut self, event: Event) -> Result<(), Violation> {
        let mut next = Some(event);
        // Answered in the order of the plan, because what is answered first may take the last place.
        let mut asked: BTreeSet<(RunId, usize)> = BTreeSet::new();
        while let Some(event) = next.take() {
            let turn = match self.core.step(self.now, event) {
                Ok(turn) => turn,
                Err(StepError::Refused(refused)) => {
                    return Err(Violation::Plan(refused.to_string()));
                }
                Err(StepError::Unfit(unfit)) => return Err(unfit.into()),
            };
            for fact in turn.facts {
                match fact {
                    Fact::AttemptIntended { attempt, .. } => {
                        let job = (attempt.run, attempt.job);
                        self.starts.entry(job).or_insert(self.now.wall);
                    }
                    Fact::Asked { run, job } => {
                        let index = self.core.state().run(&run)?.index(&job);
                        asked.extend(index.map(|index| (run, index)));
                    }
                    _ => {}
                }
            }
            for command in turn.commands {
                if let Command::Start { attempt } = command {
                    let run = self.core.state().run(&attempt.run)?;
                    let Some(index) = run.index(&attempt.job) else { continue };
                    let end = self.now.wall + forecast::takes(run, index);
                    self.endings.insert((end, attempt));
                }
            }
            while next.is_none()
                && let Some((run, index)) = asked.pop_first()
            {
                next = self.answer(run, index)?;
            }
        }
        Ok(())
    }

    /// What somebody says to a job that waits for it; an event is there as soon as it is waited for.
    fn answer(&self, run: RunId, index: usize) -> Result<Option<Event>, Violation> {
        let state = self.core.state().run(&run)?;
        if state.jobs[index].phase != Phase::Waiting {
            return Ok(None);
        }
        if let Kind::WaitEvent { event, .. } = &state.job(index).kind {
            return Ok(operator::the_event(event, state.opened.business_date));
        }
        let by = made_site::operator().map_err(|error| Violation::Made(error.to_string()))?;
        let action = Action::Confirm { job: state.job(index).name.clone() };
        Ok(Some(Event::Act { run, by, reason: "yes".to_owned(), action }))
    }
}
