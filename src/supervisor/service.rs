//! The service (`nightrun serve`): the starts of the schedules are made, for as long as nobody stops it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::life_sign::Signs;
use super::orders::NotOrdered;
use super::recall::on_call_of;
use super::turn::Turn;
use super::{Fatal, Supervisor, World};
use crate::core::closing;
use crate::core::fact::{Fact, LateWhy, MissedWhy, Proposed};
use crate::core::forecast;
use crate::core::night::Event;
use crate::core::order::Order;
use crate::core::service::{self, DueStart};
use crate::core::state::Unfit;
use crate::definition::site::Site;
use crate::journal::RunRow;
use crate::port::control::Caller;
use crate::port::{Clock, Defects, LoadedSite, SiteSource, Store, StoreError, StoreReader};
use crate::types::{BatchId, PersonId, RunId};

/// Who orders a start of a schedule, in place of a person.
const SCHEDULE: &str = "schedule";
/// How often the job files are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Between two tries of a start that cannot be made for now.
const AGAIN: Duration = Duration::from_secs(1);
/// Starts that are made before what else has come is heard.
const STARTS_AT_A_TIME: usize = 16;
/// What a supervisor that serves goes by.
pub(super) struct Service {
    /// The definitions of starts and orders: the last that had no defect.
    pub(super) loaded: LoadedSite,
    /// Of the files when they were read last, with or without defects.
    stamp: u64,
    observes: bool,
    /// When the files are looked at again, by the time since boot.
    look: Duration,
    pub(super) signs: Signs,
    /// No start can be made for now: when they are tried again, by the time since boot.
    put_off: Option<Duration>,
    /// Batches whose runs get no copy for now, and when they are tried again.
    without_copy: BTreeMap<BatchId, Duration>,
}

/// The service cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    #[error(transparent)]
    Fatal(#[from] Fatal),
    #[error(transparent)]
    Defects(#[from] Defects),
}

impl<W: World> Supervisor<W> {
    /// Takes in what was decided before, takes up every run that is under way, and serves the schedules from now on.
    /// `observes`: starts are told of and not made, beside another scheduler.
    pub async fn begin_service(
        &mut self,
        caller: &Caller,
        observes: bool,
    ) -> Result<(), NotServed> {
        // Until it is known by which job files people are known.
        self.begins = true;
        let reader = self.parts.store.reader().clone();
        self.replay_schedules().await?;
        let stamp = self.parts.source.stamp();
        let (loaded, defects) = self.first_definitions()?;
        // Whom incidents are told to is known before anything moves.
        self.core.have_on_call(on_call_of(&loaded.site));
        let open = reader.open_runs().await.map_err(Fatal::from)?;
        for row in open.into_iter().filter(|row| !row.trial) {
            self.take_up(&row.run, caller).await?;
            self.lives();
        }
        let look = self.parts.clock.now().since_boot + LOOK;
        let first = loaded.clone();
        self.service = Some(Service {
            loaded,
            stamp,
            observes,
            look,
            signs: Signs::begin(self.parts.clock.now().wall),
            put_off: None,
            without_copy: BTreeMap::new(),
        });
        self.take_over(first).await?;
        if let Some(defects) = defects {
            self.refuse_definitions(&defects).await?;
        }
        self.say_what_is_served();
        Ok(())
    }

    /// The newest definitions; where these cannot be used, those of the commit that was taken last, with what is wrong.
    fn first_definitions(&self) -> Result<(LoadedSite, Option<Defects>), NotServed> {
        let taken = self.core.state().taken.as_ref();
        let defects = match self.parts.source.read() {
            Ok(loaded) => {
                // A branch that was not fetched for a while is no step back.
                let newer = taken.filter(|taken| self.parts.source.is_older(&loaded, taken));
                return match newer {
                    Some(taken) => Ok((self.parts.source.read_former(taken)?, None)),
                    None => Ok((loaded, None)),
                };
            }
            Err(defects) => defects,
        };
        match taken.map(|revision| self.parts.source.read_former(revision)) {
            Some(Ok(former)) => Ok((former, Some(defects))),
            Some(Err(_)) | None => Err(defects.into()),
        }
    }

    /// Runs begin with these definitions from now on.
    async fn take_over(&mut self, loaded: LoadedSite) -> Result<(), Fatal> {
        let Some(service) = &mut self.service else { return Ok(()) };
        let (site, observes) = (Arc::clone(&loaded.site), service.observes);
        let revision = loaded.revision.clone().filter(|revision| !revision.dirty);
        service.loaded = loaded;
        self.know_hosts();
        if let Some(revision) = &revision {
            self.parts.source.took(revision);
        }
        let mut turn = Turn::default();
        self.step(&mut turn, Event::Serve { site, observes, revision })?;
        self.finish(turn).await?;
        // People may have changed where no schedule has.
        self.begins = false;
        self.publish(None);
        Ok(())
    }

    /// Files with defects are told of, and what was good before stays.
    async fn refuse_definitions(&mut self, defects: &Defects) -> Result<(), Fatal> {
        let now = self.parts.clock.now().wall;
        let text = format!(
            "the job files were changed and cannot be used; runs begin with what was there before: {defects}"
        );
        self.notice(now, &text);
        let mut turn = Turn::default();
        self.step(&mut turn, Event::RefuseDefinitions { why: defects.0.clone() })?;
        self.finish(turn).await
    }

    fn say_what_is_served(&mut self) {
        let now = self.parts.clock.now().wall;
        let schedules = self.core.next_starts().count();
        let next = match (self.core.next_starts().next(), self.served_site()) {
            (Some((at, batch)), Some(site)) => {
                let at = at.to_zoned(site.zone.tz().clone()).strftime("%Y-%m-%d %H:%M");
                format!("the next start is {batch} at {at}")
            }
            _ => "no start lies ahead".to_owned(),
        };
        let text = match schedules {
            1 => format!("serving 1 schedule; {next}"),
            many => format!("serving {many} schedules; {next}"),
        };
        self.notice(now, &text);
    }

    /// Makes the starts of the schedules and whatever follows from them, until it is told to leave. What runs then goes
    /// on under its agent.
    pub async fn serve(&mut self) -> Result<(), Fatal> {
        self.post_due_mail().await?;
        while !self.leaving {
            self.go_round().await?;
            if !self.leaving {
                self.look_around().await?;
                self.give_sign().await?;
                self.make_starts().await?;
            }
        }
        Ok(())
    }

    /// How long the supervisor may sleep for what the service has to do; `None`: it does not serve.
    pub(super) fn service_wakes(&self) -> Option<Duration> {
        let service = self.service.as_ref()?;
        let now = self.parts.clock.now();
        let start = match service.put_off {
            Some(again) => Some(again.saturating_sub(now.since_boot)),
            None => {
                let copies = service.without_copy.values().min();
                let copies = copies.map(|again| again.saturating_sub(now.since_boot));
                let but = service.without_copy.keys().cloned().collect();
                let next = self.core.next_start(&but).map(|at| {
                    Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO)
                });
                copies.into_iter().chain(next).min()
            }
        };
        let look = service.look.saturating_sub(now.since_boot);
        Some(start.map_or(look, |start| start.min(look)))
    }

    async fn make_starts(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        if service.put_off.is_some_and(|again| now.since_boot < again) {
            return Ok(());
        }
        let in_trouble = service.put_off.take().is_some();
        let waits = service.without_copy.iter().filter(|(_, again)| now.since_boot < **again);
        let mut but: BTreeSet<BatchId> = waits.map(|(batch, _)| batch.clone()).collect();
        let hindered = self.hindered.make_contiguous();
        for mut start in self.core.due_starts(now.wall, hindered, &but, STARTS_AT_A_TIME) {
            if but.contains(&start.batch) {
                continue;
            }
            // Those before it may have taken their time.
            let now = self.parts.clock.now().wall;
            let hindered = self.hindered.make_contiguous();
            start.late = self.core.lateness(start.scheduled, hindered, now);
            let batch = start.batch.clone();
            match self.make_start(start).await? {
                Ok(()) => drop(self.service.as_mut().map(|s| s.without_copy.remove(&batch))),
                Err(NotNow::Store(why)) => {
                    self.put_off_starts(in_trouble, &why);
                    break;
                }
                Err(NotNow::Copy(why)) => {
                    self.put_off_batch(&batch, &why);
                    but.insert(batch);
                }
            }
        }
        Ok(())
    }

    /// The store does not say what it holds: every start waits.
    fn put_off_starts(&mut self, told: bool, why: &str) {
        let now = self.parts.clock.now();
        self.note_hindrance(now.wall, LateWhy::Store);
        if !told {
            let text = format!("starts of schedules cannot be made for now: {why}; trying again");
            self.notice(now.wall, &text);
        }
        if let Some(service) = &mut self.service {
            service.put_off = Some(now.since_boot + AGAIN);
        }
    }

    /// A run of one batch gets no copy: its starts wait, and the others do not.
    fn put_off_batch(&mut self, batch: &BatchId, why: &str) {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return };
        let before = service.without_copy.insert(batch.clone(), now.since_boot + AGAIN);
        if before.is_none() {
            let text = format!("{batch} cannot be started for now: its copy, {why}; trying again");
            self.notice(now.wall, &text);
        }
    }

    /// Makes one start, or tells that it will not be made. The inner error: it cannot be made for now.
    async fn make_start(&mut self, mut start: DueStart) -> Result<Result<(), NotNow>, Fatal> {
        let waited =
            self.service.as_ref().is_some_and(|s| s.without_copy.contains_key(&start.batch));
        if waited && start.late.is_some() {
            start.late = Some(LateWhy::Copy);
        }
        let tried = match self.try_start(&start).await {
            Err(Fatal::Store(StoreError::Trouble(why))) => return Ok(Err(NotNow::Store(why))),
            tried => tried?,
        };
        let why = match tried {
            Ok(()) => return Ok(Ok(())),
            Err(NotMade::Missed(why)) => why,
            Err(NotMade::NoCopy(why)) => return Ok(Err(NotNow::Copy(why))),
        };
        let DueStart { batch, scheduled, .. } = start;
        let mut turn = Turn::default();
        self.step(&mut turn, Event::MissStart { batch, scheduled, why })?;
        self.finish(turn).await?;
        Ok(Ok(()))
    }

    async fn try_start(&mut self, start: &DueStart) -> Result<Result<(), NotMade>, Fatal> {
        let Some(service) = &self.service else { return Ok(Ok(())) };
        let loaded = service.loaded.clone();
        let order = Order {
            scheduled: Some(start.scheduled),
            ..Order::of(start.batch.clone(), scheduler()?)
        };
        let ordered = match self.desk(&loaded).resolve(order) {
            Ok(ordered) => ordered,
            Err(refused) => return Ok(Err(NotMade::refused(&refused))),
        };
        if !ordered.several
            && let Some(before) = self.desk(&loaded).latest_run(&ordered).await?
            && self.stands_for(&before).await?
        {
            return Ok(Err(NotMade::Missed(MissedWhy::OrderedBefore { run: before.run })));
        }
        let mut turn = Turn::default();
        match self.open(&mut turn, &loaded, ordered, start.late).await? {
            Ok(_) => {
                self.finish(turn).await?;
                Ok(Ok(()))
            }
            Err(NotOrdered::NoCopy(why)) => Ok(Err(NotMade::NoCopy(why))),
            Err(other) => Ok(Err(NotMade::refused(&other))),
        }
    }

    /// Whether a run of a date takes the place of the start that the schedule has for it.
    async fn stands_for(&self, before: &RunRow) -> Result<bool, Fatal> {
        // What it was nobody can say: people decide.
        if before.not_at_hand().is_some() {
            return Ok(true);
        }
        for sealed in self.parts.store.reader().entries(&before.run).await? {
            if let Fact::RunOpened(opened) = sealed.open()?.fact {
                return Ok(service::takes_the_place_of_a_start(&opened));
            }
        }
        Err(Fatal::Unfit(Unfit::NoRun(before.run.clone())))
    }

    /// What is done now and then: the job files are looked at, and runs that are over are let go.
    async fn look_around(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        let asked = std::mem::take(&mut self.reload);
        if now.since_boot < service.look && !asked {
            return Ok(());
        }
        service.look = now.since_boot + LOOK;
        self.let_go();
        self.foresee().await?;
        if !asked {
            return self.look_at_files().await;
        }
        self.reads_anew(false);
        self.look_at_files().await?;
        self.reads_anew(true);
        Ok(())
    }

    /// Deadlines that will be missed, and windows that close too early, are told before.
    async fn foresee(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let mut runs = self.core.state().runs.values();
        let open = runs.any(|run| run.result.is_none() && run.batch.has_limits());
        let known = self.core.state().unfinished().next().is_some();
        if !open && !known {
            return Ok(());
        }
        // Where the night cannot be looked ahead of, it is no later for that.
        let Ok(ahead) = forecast::of_night(&self.core, now) else { return Ok(()) };
        let late = forecast::late(self.core.state(), &ahead, now.wall);
        let mut turn = Turn::default();
        let closing = closing::closing(&self.core, &ahead, now);
        self.step(&mut turn, Event::Foresee { late, closing })?;
        self.finish(turn).await
    }

    /// Reads the job files again where they have changed. Files with defects are told of, and what was good before stays.
    async fn look_at_files(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        let stamp = self.parts.source.stamp();
        if stamp == service.stamp {
            return Ok(());
        }
        service.stamp = stamp;
        match self.parts.source.read() {
            Ok(loaded) => {
                let same = *loaded.site == *service.loaded.site;
                if !same || loaded.revision != service.loaded.revision {
                    let text = match &loaded.revision {
                        Some(revision) => format!(
                            "the job files have changed: runs begin with those of commit {} by {} from now on",
                            revision.short(),
                            revision.author
                        ),
                        None => "the job files have changed: runs begin with them from now on"
                            .to_owned(),
                    };
                    self.notice(now.wall, &text);
                }
                self.take_over(loaded).await
            }
            Err(defects) => self.refuse_definitions(&defects).await,
        }
    }

    /// Runs that are over and hold nothing are not kept in memory for ever: the store has them. The last one of each batch
    /// stays at hand.
    fn let_go(&mut self) {
        let now = self.parts.clock.now().wall;
        let runs = &self.core.state().runs;
        let mut last: BTreeMap<&BatchId, (Timestamp, &RunId)> = BTreeMap::new();
        for run in runs.values() {
            let this = (run.opened_at, run.id());
            let newest = last.entry(&run.opened.batch).or_insert(this);
            *newest = (*newest).max(this);
        }
        let old = runs.values().filter(|run| service::is_done_with(self.core.state(), run, now));
        let old = old.filter(|run| last.get(&run.opened.batch).is_some_and(|l| l.1 != run.id()));
        let old = old.filter(|run| !self.is_asked_about(run.id()));
        let gone: Vec<RunId> = old.map(|run| run.id().clone()).collect();
        for run in gone {
            self.core.let_go(&run);
            self.reports.remove(&run);
        }
        let definitions = self.core.definitions();
        self.copies.retain(|digest, _| definitions.contains(digest));
    }

    /// A second person may still say yes to what was asked of it.
    pub(super) fn is_asked_about(&self, run: &RunId) -> bool {
        let mut requests = self.core.state().standing.requests.values();
        requests.any(|request| matches!(&request.what, Proposed::Acts { run: of, .. } if of == run))
    }

    /// The definitions that orders go by: those that are served, else the files as they are.
    pub(super) fn loaded(&self) -> Result<LoadedSite, Defects> {
        match &self.service {
            Some(service) => Ok(service.loaded.clone()),
            None => self.parts.source.read(),
        }
    }

    /// Whether starts are told of and none is made.
    pub(super) fn observes(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.observes)
    }

    /// The site of whoever asks for what belongs to no run.
    pub(super) fn served_site(&self) -> Option<&Site> {
        self.service.as_ref().map(|service| service.loaded.site.as_ref())
    }

    /// The site by which people are known here: what is served, else that of the last run.
    pub(super) fn known_by(&self) -> Option<Arc<Site>> {
        let served = self.service.as_ref().map(|service| Arc::clone(&service.loaded.site));
        let runs = self.core.state().runs.values();
        served.or_else(|| runs.max_by_key(|run| run.opened_at).map(|run| Arc::clone(&run.site)))
    }
}

/// Why a start was not made.
enum NotMade {
    /// It never will be.
    Missed(MissedWhy),
    /// Not for now.
    NoCopy(String),
}

/// Why a start cannot be made for now.
enum NotNow {
    Store(String),
    Copy(String),
}

impl NotMade {
    fn refused(why: &impl ToString) -> Self {
        Self::Missed(MissedWhy::Refused { what: why.to_string() })
    }
}

fn scheduler() -> Result<PersonId, Fatal> {
    PersonId::new(SCHEDULE).map_err(|why| Fatal::Definition(why.to_string()))
}
