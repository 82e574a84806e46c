//! Orders of batches: a new run, the same one taken up again, or some of its jobs once more.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::access::{allow, person_of};
use super::recall::{self, Definition, Recalled, pack};
use super::turn::Turn;
use super::{Fatal, Supervisor, World, stopping};
use crate::core::calendar::Calendars;
use crate::core::fact::{LateWhy, RunOpened, RunResult};
use crate::core::night::{Event, StepError};
use crate::core::order::{self, Ordered};
use crate::core::refused::{Refused, Rule};
use crate::definition::copy::RunCopy;
use crate::definition::site::Site;
use crate::journal::{RunRow, address};
use crate::port::control::{Caller, Order};
use crate::port::{Clock, Folders, LoadedSite, RunFilter, SiteSource, Store, StoreReader};
use crate::types::{BusinessDate, JobName, JobRef, Outcome, PersonId, Right, RunId, Span};

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

/// For a run that is over and whose own entries are not here.
const RERUN: &str = "--rerun runs the whole batch again";

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
        if order.trial != self.parts.clock.offset().is_some() {
            return Ok(Err(NotOrdered::Refused(other_clock(order.trial))));
        }
        if self.stopping {
            return Ok(Err(stopping().into()));
        }
        if self.observes() {
            let what = "this supervisor only observes, and starts nothing";
            let hint = "for a trial: --at, with a state folder of its own";
            return Ok(Err(Refused::by(Rule::Observing, what).hint(hint).into()));
        }
        let loaded = self.loaded().and_then(|loaded| {
            self.parts.source.usable(&loaded, &order.batch, self.today()).map(|()| loaded)
        });
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(defects) => return Ok(Err(NotOrdered::Defects(defects.0))),
        };
        if let Err(refused) = allow(Some(&loaded.site), &self.parts.own, caller, Right::Order) {
            return Ok(Err(refused.into()));
        }
        let by = person_of(Some(&loaded.site), caller);
        let asked = order::Order {
            batch: order.batch.clone(),
            business_date: order.date,
            scheduled: None,
            parameters: order.parameters.clone(),
            only: order.only.clone(),
            from: order.from.iter().cloned().collect(),
            trial: order.trial,
            window_override: order.window_override.clone(),
            by: by.clone(),
            second: None,
        };
        let mut ordered = match self.resolve(&loaded, asked) {
            Ok(ordered) => ordered,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let latest = self.latest_run(&ordered).await?;
        match latest {
            Some(row) if !order.rerun && is_interrupted(&row) => {
                if self.is_under_way(&row.run) {
                    let what = format!("{} is under way here", row.run);
                    return Ok(Err(Refused::by(Rule::RunUnderWay, what)
                        .hint("`nightrun status` shows it")
                        .into()));
                }
                self.load(&row.run).await?;
                if let Some(refused) = self.ordered_otherwise(&row.run, &ordered) {
                    return Ok(Err(refused.into()));
                }
                self.take_up(&row.run, caller).await?;
                Ok(Ok(row.run))
            }
            Some(row) if order.rerun && is_interrupted(&row) => {
                let hint = "go on with it (the same command without --rerun), or skip what is left";
                let what = format!("{} has not come to its end", row.run);
                Ok(Err(Refused::by(Rule::RunUnderWay, what).hint(hint).into()))
            }
            Some(row) if !order.trial && !order.rerun && row.not_at_hand().is_some() => {
                let what = row.not_at_hand().unwrap_or_default();
                Ok(Err(Refused::by(Rule::RunOver, what).hint(RERUN).into()))
            }
            Some(row) if !order.trial && !order.rerun => {
                self.again_in(&row, &ordered, order, by).await
            }
            _ => {
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

    pub(super) fn resolve(
        &self,
        loaded: &LoadedSite,
        order: order::Order,
    ) -> Result<Ordered, Refused> {
        let calendars = Calendars::new(&loaded.site.calendars);
        order::resolve(&loaded.site, &calendars, order, self.parts.clock.now().wall)
    }

    /// A run goes on as it was ordered: another wish is refused rather than forgotten.
    fn ordered_otherwise(&self, run: &RunId, ordered: &Ordered) -> Option<Refused> {
        let opened = &self.core.state().runs.get(run)?.opened;
        let differs = if opened.parameters != ordered.parameters {
            "other parameters"
        } else if opened.only != ordered.only {
            "other jobs"
        } else if opened.window_override != ordered.order.window_override {
            "another window override"
        } else {
            return None;
        };
        let what =
            format!("{run} was interrupted and goes on as it was ordered, not with {differs}");
        Some(
            Refused::new(what)
                .hint("`nightrun resume` goes on with it; `--rerun` comes after its end"),
        )
    }

    pub(super) fn today(&self) -> jiff::civil::Date {
        self.parts.clock.now().wall.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    fn is_under_way(&self, run: &RunId) -> bool {
        self.core.state().runs.get(run).is_some_and(|run| run.result.is_none())
    }

    /// The run of the same batch, date and kind that was opened last.
    pub(super) async fn latest_run(&self, ordered: &Ordered) -> Result<Option<RunRow>, Fatal> {
        let filter = RunFilter {
            batch: Some(ordered.order.batch.clone()),
            business_date: Some(ordered.business_date),
            trial: Some(ordered.order.trial),
            limit: Some(1),
            ..RunFilter::default()
        };
        Ok(self.parts.store.reader().runs(&filter).await?.into_iter().next())
    }

    /// A run of that date has ended: `--from` and `--only` add attempts to it, everything else must ask for a rerun.
    async fn again_in(
        &mut self,
        row: &RunRow,
        ordered: &Ordered,
        order: &Order,
        by: PersonId,
    ) -> Result<Result<RunId, NotOrdered>, Fatal> {
        let opens = ordered.order.window_override.is_some() || !ordered.order.parameters.is_empty();
        if opens && !ordered.only.is_empty() {
            let what = format!("{} has its parameters and windows from its beginning", row.run);
            let hint = "leave --param and --set-window-override out, or give --rerun";
            return Ok(Err(Refused::new(what).hint(hint).into()));
        }
        if ordered.only.is_empty() {
            let ended = match row.result {
                Some(RunResult::Well) => "has ended well",
                _ => "has ended, not well",
            };
            let hint = "--from JOB runs a job and what follows it again, --rerun the whole batch";
            let what = format!("{} {ended}", row.run);
            return Ok(Err(Refused::by(Rule::RunOver, what).hint(hint).into()));
        }
        self.load(&row.run).await?;
        let event = Event::Rerun {
            run: row.run.clone(),
            jobs: ordered.only.clone(),
            by,
            reason: order.reason.clone().unwrap_or_default(),
        };
        let known = self.others(&row.run).await?;
        let mut turn = Turn::default();
        if let Err(refused) = self.try_step(&mut turn, event)? {
            return Ok(Err(refused.into()));
        }
        let others = Event::across_since(known, &turn.facts);
        self.step(&mut turn, others)?;
        self.expect_hosts(&row.run);
        self.finish(turn).await?;
        Ok(Ok(row.run.clone()))
    }

    /// Decides the opening of a new run; it is for whoever calls it to finish the turn.
    pub(super) async fn open(
        &mut self,
        turn: &mut Turn,
        loaded: &LoadedSite,
        ordered: Ordered,
        late: Option<LateWhy>,
    ) -> Result<Result<RunId, NotOrdered>, Fatal> {
        let batch = ordered.order.batch.clone();
        let key = ordered.key().map_err(|why| Fatal::Definition(why.to_string()))?;
        let reader = self.parts.store.reader();
        let number = reader.next_run_number(&batch, &key).await?;
        let history = reader.history(&batch, None, HISTORY).await?;
        let mut across = Vec::new();
        for need in &ordered.across {
            if let Some(date) = need.wanted() {
                let outcome = reader.outcome(&need.job, date).await?;
                across.push((need.job.clone(), date, outcome));
            }
        }
        let run = RunId { batch: batch.clone(), key, number };
        let part = loaded.site.part(&batch);
        let folder = part.batches.get(&batch).map(|b| b.folder().to_owned()).unwrap_or_default();
        let wanted = |path: &Path| RunCopy::wants(&part, &folder, path);
        let files = match self.parts.source.files(loaded, &wanted) {
            Ok(files) => files,
            Err(why) => {
                let what = format!("that of the files beside the batch cannot be made: {why}");
                return Ok(Err(NotOrdered::NoCopy(what)));
            }
        };
        let digests = files.iter().map(|(path, bytes)| (path.clone(), address(bytes))).collect();
        let copy = RunCopy { site: part, files: digests };
        let (digest, bytes) = pack(&copy)?;
        if let Err(why) = self.parts.folders.lay_copy(&run, &files) {
            let what = format!("that of {run} cannot be made: {why}");
            return Ok(Err(NotOrdered::NoCopy(what)));
        }
        turn.blobs.push(bytes);
        turn.blobs.extend(files.into_values());
        let expected = expected(&copy.site, &batch, &history);
        self.define(digest.clone(), Definition::new(copy));
        let now = self.parts.clock.now();
        let boot = (self.parts.clock.boot(), now.since_boot);
        let opened = ordered.opened(run.clone(), digest, expected, boot);
        let revision = loaded.revision.clone();
        let opened = Box::new(RunOpened { late, revision, ..opened });
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
        for job in &run.batch.jobs {
            self.reached.entry(job.host.clone()).or_insert(false);
        }
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

fn other_clock(trial: bool) -> Refused {
    if trial {
        Refused::new("a supervisor with the host's clock is at work on this state folder; a trial (--at) needs its own")
            .hint("wait until it has ended, or give --state another folder")
    } else {
        Refused::new("a trial with a set clock is at work on this state folder")
            .hint("wait until it has ended, or give --state another folder")
    }
}

/// What jobs take: as history says, else as declared.
fn expected(
    site: &Site,
    batch: &crate::types::BatchId,
    history: &BTreeMap<JobName, crate::port::Durations>,
) -> BTreeMap<JobName, Span> {
    let jobs = site.batches.get(batch).map(|batch| batch.jobs.as_slice()).unwrap_or_default();
    jobs.iter()
        .filter_map(|job| {
            let learned = history.get(&job.name).map(|durations| durations.p50);
            learned.or(job.expected).map(|span| (job.name.clone(), span))
        })
        .collect()
}
