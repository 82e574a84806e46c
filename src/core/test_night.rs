//! A small night for the tests of the core: one run, one host, and words for what happens in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;

use super::fact::{AcrossNeed, Action, Fact, RunOpened};
use super::night::{Command, Core, Event, StepError, Turn};
use super::phase::Phase;
use super::state::Run;
use super::test_site;
use crate::definition::site::{Host, Job, Person, Site};
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, Ending, HostName, JobName, JobRef, Now, Outcome,
    PersonId, Role, RunId, Text,
};
use crate::wire::Ended;

pub(crate) struct Night {
    pub(crate) core: Core,
    pub(crate) now: Now,
    pub(crate) facts: Vec<(Timestamp, Fact)>,
    pub(crate) commands: Vec<Command>,
    pub(crate) site: Arc<Site>,
}

pub(crate) fn boot() -> BootId {
    BootId("boot-1".to_owned())
}

pub(crate) fn local() -> HostName {
    HostName::new("local").unwrap()
}

pub(crate) fn name(job: &str) -> JobName {
    JobName::new(job).unwrap()
}

pub(crate) fn site(jobs: Vec<Job>) -> Site {
    let mut site = test_site::site(vec![test_site::batch("eod", None, jobs)]);
    site.hosts.insert(local(), Host { trial: true, max_running: 4, ..Host::default() });
    let duty = Person {
        name: Text::en("Li Wei"),
        language: None,
        mail: Some("li.wei@bank.example".to_owned()),
        phone: None,
        webhook: None,
        team: None,
        roles: vec![Role::new("duty").unwrap()],
        unix_user: None,
    };
    site.people.insert(li_wei(), duty);
    site
}

pub(crate) fn opened(batch: &str, at: Timestamp) -> RunOpened {
    RunOpened {
        run: format!("{batch}@2026-10-30#1").parse().unwrap(),
        batch: BatchId::new(batch).unwrap(),
        business_date: BusinessDate(date(2026, 10, 30)),
        anchor: at,
        trial: false,
        definition: "d".to_owned(),
        parameters: BTreeMap::new(),
        by: li_wei(),
        only: Vec::new(),
        across: Vec::new(),
        expected: BTreeMap::new(),
        boot: boot(),
        since_boot: Duration::from_secs(1000),
        window_override: None,
        second: None,
        scheduled: None,
        late: None,
        revision: None,
        list: None,
    }
}

impl Night {
    /// One run of one batch, opened on Friday 2026-10-30 at 21:30 UTC, its host there.
    pub(crate) fn of(jobs: Vec<Job>) -> Self {
        Self::with(site(jobs), |_| {})
    }

    pub(crate) fn with(site: Site, change: impl FnOnce(&mut RunOpened)) -> Self {
        let mut night = Self::new(site);
        let mut opened = opened("eod", night.now.wall);
        change(&mut opened);
        night.open(opened, Vec::new());
        night
    }

    pub(crate) fn new(site: Site) -> Self {
        let wall = "2026-10-30T21:30:00Z".parse().unwrap();
        let now = Now { wall, since_boot: Duration::from_secs(1000) };
        let site = Arc::new(site);
        let mut core = Core::new(1);
        core.define("d", Arc::clone(&site));
        let mut night = Self { core, now, facts: Vec::new(), commands: Vec::new(), site };
        night.must(Event::HostUp { host: local(), boot: boot() });
        night
    }

    pub(crate) fn open(
        &mut self,
        opened: RunOpened,
        across: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
    ) {
        self.must(Event::Open { opened: Box::new(opened), across });
    }

    pub(crate) fn step(&mut self, event: Event) -> Result<Turn, StepError> {
        let turn = self.core.step(self.now, event)?;
        self.facts.extend(turn.facts.iter().map(|fact| (self.now.wall, fact.clone())));
        self.commands.extend(turn.commands.clone());
        Ok(turn)
    }

    pub(crate) fn must(&mut self, event: Event) -> Turn {
        self.step(event).unwrap()
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, seconds: u64) -> Turn {
        self.now.wall += Duration::from_secs(seconds);
        self.now.since_boot += Duration::from_secs(seconds);
        self.must(Event::Tick)
    }

    pub(crate) fn run(&self) -> &Run {
        self.core.state().runs.values().next().unwrap()
    }

    pub(crate) fn run_id(&self) -> RunId {
        self.run().id().clone()
    }

    pub(crate) fn index(&self, job: &str) -> usize {
        self.run().index(&name(job)).unwrap()
    }

    pub(crate) fn phase(&self, job: &str) -> &Phase {
        &self.run().jobs[self.index(job)].phase
    }

    pub(crate) fn outcome(&self, job: &str) -> Option<Outcome> {
        self.phase(job).outcome()
    }

    /// The attempts that were started since the last call, as `job/number`.
    pub(crate) fn started(&mut self) -> Vec<String> {
        let commands = std::mem::take(&mut self.commands);
        let started = commands.into_iter().filter_map(|command| match command {
            Command::Start { attempt } => Some(format!("{}/{}", attempt.job, attempt.number)),
            _ => None,
        });
        started.collect()
    }

    pub(crate) fn attempt(&self, job: &str) -> AttemptId {
        let index = self.index(job);
        self.run().attempt_id(index, self.run().jobs[index].attempts.len() as u32)
    }

    /// The latest attempt of a job ends so.
    pub(crate) fn end(&mut self, job: &str, ending: Ending) -> Turn {
        let ended = self.ended(job, ending);
        self.must(Event::Ended(Box::new(ended)))
    }

    pub(crate) fn ended(&self, job: &str, ending: Ending) -> Ended {
        let attempt = self.attempt(job);
        let run = self.core.state().run(&attempt.run).unwrap();
        let index = run.index(&attempt.job).unwrap();
        let known = run.jobs[index].attempts.last().and_then(|attempt| attempt.started);
        Ended {
            attempt,
            ending,
            started: known.or(Some(self.now.wall)),
            ended: self.now.wall,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        }
    }

    pub(crate) fn good(&mut self, job: &str) -> Turn {
        self.end(job, Ending::Exited { code: 0 })
    }

    pub(crate) fn bad(&mut self, job: &str) -> Turn {
        self.end(job, Ending::Exited { code: 1 })
    }

    pub(crate) fn act(&mut self, action: Action) -> Result<Turn, StepError> {
        let run = self.run_id();
        let by = li_wei();
        self.step(Event::Act { run, by, reason: "because".to_owned(), action })
    }

    /// A new supervisor takes the night up from its facts; the host is not heard of yet.
    pub(crate) fn restart(&mut self, boot: &BootId) {
        let mut core = Core::new(1);
        core.define("d", Arc::clone(&self.site));
        for (at, fact) in &self.facts {
            core.replay(*at, fact).unwrap();
        }
        assert_eq!(core.state(), self.core.state());
        self.core = core;
        let runs: Vec<RunId> = self.core.state().runs.keys().cloned().collect();
        for run in runs {
            self.must(Event::Resume { by: li_wei(), run, boot: boot.clone() });
        }
    }
}

pub(crate) fn across(job: &str) -> AcrossNeed {
    let date = BusinessDate(date(2026, 10, 30));
    AcrossNeed { job: job.parse().unwrap(), offset: 0, date, counts_as_done: false }
}

pub(super) fn li_wei() -> PersonId {
    PersonId::new("li-wei").unwrap()
}
