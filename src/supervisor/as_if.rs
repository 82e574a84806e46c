//! What would come of orders and actions (`--dry-run`): decided on a night of its own, from which nothing is stored,
//! started or mailed. A supervisor at work gives a fork of its night; where nobody supervises it is what one would find.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Fatal;
use super::access::person_of;
use super::operators::house_event;
use super::ordering::{Comes, Desk, Prepared, asks_second, ordered_otherwise};
use super::orders::{NotOrdered, again};
use super::recall::{Definition, Recalled, across_now, on_call_of, standing};
use crate::core::fact::RunResult;
use crate::core::forecast::{self, Forecast};
use crate::core::night::{Core, Event, StepError, Turn};
use crate::core::order::Ordered;
use crate::core::refused::Refused;
use crate::core::state::Unfit;
use crate::definition::site::Site;
use crate::port::control::{Caller, House, Order};
use crate::port::{SiteSource, StoreReader};
use crate::types::{BootId, BusinessDate, HostName, JobRef, Now, Outcome, RunId};
use crate::view::of_job::Around;
use crate::view::tried::{Tried, TriedRun, Way};
use crate::view::{self, of_tried};

/// How jobs of other runs stand.
type Others = Vec<(JobRef, BusinessDate, Option<Outcome>)>;

/// A night as it would be.
pub struct AsIf<'a, R> {
    reader: Option<&'a R>,
    core: Core,
    now: Now,
    boot: BootId,
    /// Hosts that were sought: whether they can be reached is known. Any other would be sought, and is taken for reached.
    sought: BTreeSet<HostName>,
    /// Without what is tried.
    before: Forecast,
    decided: Turn,
    /// Runs that it is about.
    runs: Vec<(RunId, Way)>,
}

impl<'a, R: StoreReader> AsIf<'a, R> {
    /// From a night as it stands.
    pub fn new(
        reader: Option<&'a R>,
        core: Core,
        (now, boot): (Now, BootId),
        sought: BTreeSet<HostName>,
    ) -> Self {
        let before = forecast::of_night(&core, now).unwrap_or_default();
        let (decided, runs) = (Turn::default(), Vec::new());
        Self { reader, core, now, boot, sought, before, decided, runs }
    }

    /// From a night in which nobody supervises: what stands for the whole site, and what former runs left in doubt.
    /// Without a reader nothing has run yet.
    pub async fn at_rest(
        reader: Option<&'a R>,
        (now, boot): (Now, BootId),
        trial: bool,
    ) -> Result<Self, Fatal> {
        let mut core = Core::new(1);
        if let Some(reader) = reader {
            standing(reader, &mut core, trial).await?;
            for row in reader.runs_left_in_doubt().await? {
                if row.trial == trial {
                    Recalled::read(reader, &row.run).await?.take_in(&mut core)?;
                }
            }
        }
        Ok(Self::new(reader, core, (now, boot), BTreeSet::new()))
    }

    /// An event comes. A refusal is the answer to what is tried.
    pub fn step(&mut self, event: Event) -> Result<Result<(), Refused>, Fatal> {
        match self.core.step(self.now, event) {
            Ok(Turn { facts, commands, left }) => {
                self.decided.facts.extend(facts);
                self.decided.commands.extend(commands);
                self.decided.left.extend(left);
                Ok(Ok(()))
            }
            Err(StepError::Refused(refused)) => Ok(Err(refused)),
            Err(defect @ StepError::Unfit(_)) => Err(Fatal::Defect(defect)),
        }
    }

    /// An interrupted run goes on.
    pub async fn go_on(
        &mut self,
        run: &RunId,
        caller: &Caller,
    ) -> Result<Result<(), Refused>, Fatal> {
        let known = self.take_in(run).await?;
        let by = person_of(self.core.state().runs.get(run).map(|run| run.site.as_ref()), caller);
        let event = Event::Resume { run: run.clone(), by, boot: self.boot.clone() };
        self.about(run, Way::GoesOn, event, known)
    }

    /// What a person orders for the whole site. A request that is about a run is carried out in it.
    pub async fn house(
        &mut self,
        site: &Site,
        caller: &Caller,
        order: House,
        reason: String,
    ) -> Result<Result<(), Refused>, Fatal> {
        if let House::HandOver { .. } | House::Figure { .. } = &order {
            self.core.have_on_call(on_call_of(&Arc::new(site.clone())));
        }
        if let House::Second { request } = &order
            && let Some(run) = self.core.state().standing.run_of(*request).cloned()
        {
            let known = self.take_in(&run).await?;
            if matches!(self.core.state().run(&run)?.result, None | Some(RunResult::Stopped))
                && let Err(refused) = self.go_on(&run, caller).await?
            {
                return Ok(Err(refused));
            }
            if let Err(refused) = self.step(house_event(Some(site), caller, order, reason))? {
                return Ok(Err(refused));
            }
            return self.hear(known);
        }
        self.step(house_event(Some(site), caller, order, reason))
    }

    /// A run as the store has it, where it is not at hand; how the jobs stand that it needs of others.
    async fn take_in(&mut self, run: &RunId) -> Result<Others, Fatal> {
        let missing = || Unfit::NoRun(run.clone());
        let reader = self.reader.ok_or_else(missing)?;
        if !self.core.state().runs.contains_key(run) {
            Recalled::read(reader, run).await?.take_in(&mut self.core)?;
        }
        let state = self.core.state().run(run)?;
        let (site, batch) = (Arc::clone(&state.site), Arc::clone(&state.batch));
        self.seek(batch.jobs.iter().flat_map(|job| site.hosts_of(&batch, job)));
        across_now(reader, &self.core, run).await
    }

    fn seek<'h>(&mut self, hosts: impl Iterator<Item = &'h HostName>) {
        for host in hosts.filter(|host| !self.sought.contains(*host)) {
            self.core.assume_host_reached(host, &self.boot);
        }
    }

    fn about(
        &mut self,
        run: &RunId,
        way: Way,
        event: Event,
        known: Others,
    ) -> Result<Result<(), Refused>, Fatal> {
        if let Err(refused) = self.step(event)? {
            return Ok(Err(refused));
        }
        self.runs.push((run.clone(), way));
        self.hear(known)
    }

    /// What was read of other runs, as far as nothing newer was decided.
    fn hear(&mut self, known: Others) -> Result<Result<(), Refused>, Fatal> {
        let decided = self.decided.facts.iter().map(|fact| (self.now.wall, fact.clone()));
        let decided: Vec<_> = decided.collect();
        self.step(Event::across_since(known, &decided))
    }

    fn open(&mut self, prepared: Prepared) -> Result<Result<(), Refused>, Fatal> {
        let Prepared { opened, across, copy, .. } = prepared;
        let definition = Definition::new(copy);
        let (run, site) = (opened.run.clone(), Arc::new(definition.copy.site.clone()));
        let hosts = site
            .batches
            .values()
            .flat_map(|batch| batch.jobs.iter().flat_map(|job| site.hosts_of(batch, job)));
        self.seek(hosts);
        self.core.define_by(&opened.definition, site, definition.calendars);
        self.about(&run, Way::Opened, Event::Open { opened, across }, Vec::new())
    }

    /// What has come of it.
    pub fn tried(self) -> Result<Tried, Fatal> {
        let Self { core, now, before, decided, runs, .. } = self;
        let after = forecast::of_night(&core, now).unwrap_or_default();
        let mut tried = of_tried::tried(&core, now, &decided, None, (&before, &after));
        // How these end their own pages say.
        tried.ends.retain(|end| runs.iter().all(|(run, _)| *run != end.head.run));
        for (run, way) in runs {
            let around = Around { ahead: after.runs.get(&run), ..Around::nothing() };
            let status = view::of_run::status(&core, &run, now, around)?;
            let revision = core.state().run(&run)?.opened.revision.as_ref();
            tried.runs.push(TriedRun { way, commit: revision.map(|r| r.short()), status });
        }
        Ok(tried)
    }
}

impl<R: StoreReader, S: SiteSource> Desk<'_, R, S> {
    /// What would come of an order.
    pub async fn would(
        &self,
        mut as_if: AsIf<'_, R>,
        caller: &Caller,
        order: &Order,
    ) -> Result<Result<Tried, NotOrdered>, Fatal> {
        let allowed = match self.made_out(&as_if.core, caller, order).await? {
            Err(not) => return Ok(Err(not)),
            Ok(Comes::GoesOn(run, ordered)) => {
                let allowed = as_if.go_on(&run, caller).await?;
                let otherwise = ordered_otherwise(&as_if.core, &run, &ordered);
                otherwise.map_or(allowed, Err)
            }
            Ok(Comes::Again(run, ordered)) => {
                let known = as_if.take_in(&run).await?;
                as_if.about(&run, Way::Again, again(&run, ordered, order), known)?
            }
            Ok(Comes::Opens(ordered)) => match self.opening(&mut as_if, ordered).await? {
                Ok(allowed) => allowed,
                Err(not) => return Ok(Err(not)),
            },
        };
        match allowed {
            Ok(()) => as_if.tried().map(Ok),
            Err(refused) => Ok(Err(refused.into())),
        }
    }

    /// A run is opened, or another person is asked for first.
    async fn opening(
        &self,
        as_if: &mut AsIf<'_, R>,
        mut ordered: Ordered,
    ) -> Result<Result<Result<(), Refused>, NotOrdered>, Fatal> {
        let site = &self.loaded.site;
        if let Some(event) = asks_second(&as_if.core, site, &mut ordered, self.now.wall) {
            return as_if.step(event).map(Ok);
        }
        match self.prepare(&as_if.core, ordered, None).await? {
            Ok(prepared) => as_if.open(prepared).map(Ok),
            Err(not) => Ok(Err(not)),
        }
    }
}
