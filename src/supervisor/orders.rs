//! Orders of batches: a new run, the same one taken up again, or some of its jobs once more.

use std::sync::Arc;

use super::access::person_of;
use super::as_if::AsIf;
use super::ordering::{Comes, Desk, Prepared, ordered_otherwise};
use super::recall::{self, Definition, Recalled, on_call_of};
use super::turn::Turn;
use super::{Fatal, Supervisor, World, stopping};
use crate::core::fact::{LateWhy, RunResult};
use crate::core::night::{Event, StepError};
use crate::core::order::Ordered;
use crate::core::placement;
use crate::core::refused::{Refused, Rule};
use crate::journal::RunRow;
use crate::port::control::{Caller, Order};
use crate::port::{Clock, Folders, LoadedSite, Store, StoreReader};
use crate::types::{BusinessDate, JobRef, Outcome, PersonId, RunId};
use crate::view::tried::Tried;

/// An order that came to nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotOrdered {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The job files have defects, as printed by `check`.
    #[error("{0}")]
    Defects(String),
    /// A run goes by its own copy, and that cannot be made now. Nothing has been opened, and what else runs is not
    /// touched by it.
    #[error("a run goes by its own copy, and {0}; put that right and order it again")]
    NoCopy(String),
}

/// Good attempts of a job that its expected duration is taken from.
pub(super) const HISTORY: u32 = 30;

impl<W: World> Supervisor<W> {
    /// Carries an order out. A run that was interrupted goes on; one that has ended is only run again where the order
    /// says so.
    pub async fn order(
        &mut self,
        caller: &Caller,
        order: &Order,
    ) -> Result<Result<RunId, NotOrdered>, Fatal> {
        if let Some(refused) = self.takes_no_orders(order.trial) {
            return Ok(Err(refused.into()));
        }
        let loaded = match self.loaded() {
            Ok(loaded) => loaded,
            Err(defects) => return Ok(Err(NotOrdered::Defects(defects.0))),
        };
        match self.desk(&loaded).made_out(&self.core, caller, order).await? {
            Err(not) => Ok(Err(not)),
            Ok(Comes::GoesOn(run, ordered)) => {
                self.load(&run).await?;
                if let Some(refused) = ordered_otherwise(&self.core, &run, &ordered) {
                    return Ok(Err(refused.into()));
                }
                self.take_up(&run, caller).await?;
                Ok(Ok(run))
            }
            Ok(Comes::Again(run, ordered)) => self.again_in(run, ordered, order).await,
            Ok(Comes::Opens(mut ordered)) => {
                if let Some(refused) = self.without_second(&loaded.site, &mut ordered).await? {
                    return Ok(Err(refused.into()));
                }
                let mut turn = Turn::default();
                let opened = self.open(&mut turn, &loaded, ordered, None).await?;
                self.finish(turn).await?;
                Ok(opened)
            }
        }
    }

    /// What would come of an order: decided on a fork of the night.
    pub(super) async fn would_order(
        &self,
        caller: &Caller,
        order: &Order,
    ) -> Result<Result<Tried, NotOrdered>, Fatal> {
        if let Some(refused) = self.takes_no_orders(order.trial) {
            return Ok(Err(refused.into()));
        }
        let loaded = match self.loaded() {
            Ok(loaded) => loaded,
            Err(defects) => return Ok(Err(NotOrdered::Defects(defects.0))),
        };
        let desk = self.desk(&loaded);
        let as_if = AsIf::new(
            desk.reader,
            self.core.over(self.core.state().clone()),
            (desk.now, desk.boot.clone()),
            self.reached.keys().cloned().collect(),
        );
        desk.would(as_if, caller, order).await
    }

    fn takes_no_orders(&self, trial: bool) -> Option<Refused> {
        if trial != self.parts.clock.offset().is_some() {
            return Some(other_clock(trial));
        }
        if self.stopping {
            return Some(stopping());
        }
        self.observes().then(|| {
            let what = "this supervisor only observes, and starts nothing";
            let hint = "for a trial: --at, with a state folder of its own";
            Refused::by(Rule::Observing, what).hint(hint)
        })
    }

    pub(super) fn desk<'a>(
        &'a self,
        loaded: &'a LoadedSite,
    ) -> Desk<'a, <W::Store as Store>::Reader, W::Source> {
        Desk {
            reader: Some(self.parts.store.reader()),
            source: &self.parts.source,
            loaded,
            own: &self.parts.own,
            now: self.parts.clock.now(),
            boot: self.parts.clock.boot(),
        }
    }

    /// A run of that date has ended, and gets further attempts.
    async fn again_in(
        &mut self,
        run: RunId,
        ordered: Ordered,
        order: &Order,
    ) -> Result<Result<RunId, NotOrdered>, Fatal> {
        self.load(&run).await?;
        let event = again(&run, ordered, order);
        let known = self.others(&run).await?;
        let mut turn = Turn::default();
        if let Err(refused) = self.try_step(&mut turn, event)? {
            return Ok(Err(refused.into()));
        }
        let others = Event::across_since(known, &turn.facts);
        self.step(&mut turn, others)?;
        self.expect_hosts(&run);
        self.finish(turn).await?;
        Ok(Ok(run))
    }

    /// Decides the opening of a new run; it is for whoever calls it to finish the turn.
    pub(super) async fn open(
        &mut self,
        turn: &mut Turn,
        loaded: &LoadedSite,
        ordered: Ordered,
        late: Option<LateWhy>,
    ) -> Result<Result<RunId, NotOrdered>, Fatal> {
        let Prepared { opened, across, copy, bytes, files } =
            match self.desk(loaded).prepare(&self.core, ordered, late).await? {
                Ok(prepared) => prepared,
                Err(not) => return Ok(Err(not)),
            };
        let run = opened.run.clone();
        if let Err(why) = self.parts.folders.lay_copy(&run, &files) {
            let what = format!("that of {run} cannot be made: {why}");
            return Ok(Err(NotOrdered::NoCopy(what)));
        }
        turn.blobs.push(bytes);
        turn.blobs.extend(files.into_values());
        self.define(opened.definition.clone(), Definition::new(copy));
        if self.core.served().is_none() {
            self.core.have_on_call(on_call_of(&loaded.site));
        }
        self.step(turn, Event::Open { opened, across })?;
        self.expect_hosts(&run);
        Ok(Ok(run))
    }

    fn define(&mut self, digest: String, definition: Definition) {
        let site = Arc::new(definition.copy.site.clone());
        self.core.define_by(&digest, site, Arc::clone(&definition.calendars));
        self.copies.insert(digest, Arc::new(definition));
    }

    /// Hosts of a run must have been reached before a trial's clock may jump.
    pub(super) fn expect_hosts(&mut self, run: &RunId) {
        let Some(run) = self.core.state().runs.get(run) else { return };
        for index in 0..run.jobs.len() {
            for host in placement::hosts(run, index) {
                self.reached.entry(host.clone()).or_insert(false);
            }
        }
        self.know_hosts();
    }

    /// Replays a run that is not here yet, and lays its copy out again.
    pub(super) async fn load(&mut self, run: &RunId) -> Result<(), Fatal> {
        if self.core.state().runs.contains_key(run) {
            return Ok(());
        }
        let reader = self.parts.store.reader();
        let recalled = Recalled::read(reader, run).await?;
        let files = recall::files(reader, &recalled.definition.copy).await?;
        self.parts.folders.lay_copy(run, &files)?;
        let (digest, definition) = recalled.take_in(&mut self.core)?;
        self.copies.insert(digest, Arc::new(definition));
        self.know_hosts();
        Ok(())
    }

    /// Takes in the runs that have ended with jobs in doubt: what such a job took is kept from other runs until a person
    /// has decided, whichever supervisor leads.
    pub(super) async fn load_doubts(&mut self) -> Result<(), Fatal> {
        let trial = self.parts.clock.offset().is_some();
        for row in self.parts.store.reader().runs_left_in_doubt().await? {
            // Trials count for nothing else, and nothing else for them.
            if row.trial == trial {
                self.load(&row.run).await?;
            }
        }
        Ok(())
    }

    /// How the jobs of other runs stand that a run needs which was taken in again. Read before anything is decided, so
    /// that nothing is decided which a store in trouble then keeps out of the journal.
    pub(super) async fn others(
        &self,
        run: &RunId,
    ) -> Result<Vec<(JobRef, BusinessDate, Option<Outcome>)>, Fatal> {
        recall::across_now(self.parts.store.reader(), &self.core, run).await
    }

    /// Goes on with a run: what runs is taken over, what ended unwatched is learned, nothing starts twice.
    pub async fn take_up(&mut self, run: &RunId, caller: &Caller) -> Result<(), Fatal> {
        self.load(run).await?;
        let known = self.others(run).await?;
        let mut turn = Turn::default();
        self.step(&mut turn, self.resumption(run, caller))?;
        let others = Event::across_since(known, &turn.facts);
        self.step(&mut turn, others)?;
        self.expect_hosts(run);
        self.finish(turn).await
    }

    fn resumption(&self, run: &RunId, caller: &Caller) -> Event {
        let (by, boot) = (self.person(run, caller), self.parts.clock.boot());
        Event::Resume { run: run.clone(), by, boot }
    }

    /// A person's action on a run that nobody supervises: it is taken up with it, and left alone where the action is
    /// refused. The answer is in words.
    pub async fn act_on(
        &mut self,
        run: &RunId,
        caller: &Caller,
        event: impl FnOnce(PersonId, bool) -> Event,
    ) -> Result<Result<String, Refused>, Fatal> {
        self.load(run).await?;
        let known = self.others(run).await?;
        let by = self.person(run, caller);
        let event = event(by.clone(), self.knows(&by));
        let interrupted = matches!(self.result(run), None | Some(RunResult::Stopped));
        let resumption = interrupted.then(|| self.resumption(run, caller));
        let now = self.parts.clock.now();
        let mut as_if = self.core.over(self.core.state().clone());
        for event in resumption.iter().chain([&event]) {
            match as_if.step(now, event.clone()) {
                Ok(_) => {}
                Err(StepError::Refused(refused)) => return Ok(Err(refused)),
                Err(defect @ StepError::Unfit(_)) => return Err(Fatal::Defect(defect)),
            }
        }
        let mut turn = Turn::default();
        for event in resumption.into_iter().chain([event]) {
            self.step(&mut turn, event)?;
        }
        let said = self.done(&turn.facts, &std::mem::take(&mut turn.left), &by);
        let others = Event::across_since(known, &turn.facts);
        self.step(&mut turn, others)?;
        self.expect_hosts(run);
        self.finish(turn).await?;
        Ok(Ok(said))
    }

    /// The person who asks, as any run here knows people.
    pub(super) fn somebody(&self, caller: &Caller) -> PersonId {
        person_of(self.core.state().runs.values().next().map(|run| run.site.as_ref()), caller)
    }

    pub(super) fn person(&self, run: &RunId, caller: &Caller) -> PersonId {
        person_of(self.core.state().runs.get(run).map(|run| run.site.as_ref()), caller)
    }
}

/// Interrupted by a crash, or stopped by a person: it can go on.
pub fn is_interrupted(row: &RunRow) -> bool {
    matches!(row.result, None | Some(RunResult::Stopped))
}

/// The further attempts that an order asks for.
pub(super) fn again(run: &RunId, ordered: Ordered, order: &Order) -> Event {
    Event::Rerun {
        run: run.clone(),
        jobs: ordered.only,
        by: ordered.order.by,
        reason: order.reason.clone().unwrap_or_default(),
    }
}

fn other_clock(trial: bool) -> Refused {
    if trial {
        Refused::new("a supervisor with the host's clock is at work on this state folder; a trial (--at) needs its own")
            .hint("wait until it has ended, or give --state another folder")
    } else {
        Refused::new("a trial with a set clock is at work on this state folder")
            .hint("wait until it has ended, or give --state another folder")
    }
}
