//! The starts of all schedules, for a supervisor that serves: which are due, and what becomes of those that nobody was
//! there to make. Each start is made once or told as missed, in order; what has been decided is in the state, so that
//! no outage and no step of the clock makes one twice or loses one without a word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendars;
use super::fact::{Fact, LateWhy, MissedWhy, RunOpened, RunResult, TakenSchedule};
use super::incident::OnCall;
use super::night::{Core, Mover, StepError};
use super::phase::Phase;
use super::schedule::{self, Start};
use super::state::{Run, State, Unfit};
use crate::definition::site::{Batch, Missed, Site};
use crate::types::BatchId;

/// A start that can still be made within this time was not missed: no policy is asked.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(5);

/// A start that is made within this time needs no explanation.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);

/// How long a run that is over is kept at hand.
const AT_HAND: SignedDuration = SignedDuration::from_hours(1);

/// From when until when something kept starts from being made.
pub type Hindrance = (Timestamp, Timestamp, LateWhy);

/// What is served now.
#[derive(Debug)]
pub(super) struct Service {
    site: Arc<Site>,
    calendars: Arc<Calendars>,
    /// Starts are told and not made: another scheduler makes them.
    observes: bool,
    /// Since when starts are made here.
    since: Timestamp,
    /// The next start of each batch that has not been decided.
    next: BTreeSet<(Timestamp, BatchId)>,
    of_batch: BTreeMap<BatchId, Timestamp>,
}

/// A start that is to be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueStart {
    pub batch: BatchId,
    pub scheduled: Timestamp,
    /// Why it is made later than meant; `None`: in time.
    pub late: Option<LateWhy>,
}

impl Service {
    fn new(
        (site, calendars): (Arc<Site>, Arc<Calendars>),
        observes: bool,
        since: Timestamp,
    ) -> Self {
        let (next, of_batch) = (BTreeSet::new(), BTreeMap::new());
        Self { site, calendars, observes, since, next, of_batch }
    }

    /// The start that follows what has been decided of a batch.
    fn look_ahead(&mut self, batch: &BatchId, decided: Timestamp) {
        if let Some(before) = self.of_batch.remove(batch) {
            self.next.remove(&(before, batch.clone()));
        }
        let Some(declared) = self.site.batches.get(batch) else { return };
        let Some(schedule) = &declared.schedule else { return };
        let calendar = declared.calendar.as_ref();
        if let Some(start) = schedule::next(schedule, &self.calendars, calendar, decided) {
            self.next.insert((start.at, batch.clone()));
            self.of_batch.insert(batch.clone(), start.at);
        }
    }

    /// Starts of a batch that are undecided and have come, the oldest first; what becomes of them.
    fn come(&self, state: &State, batch: &BatchId, now: Timestamp) -> Come {
        let Some(declared) = self.site.batches.get(batch) else { return Come::default() };
        let (Some(schedule), Some(decided)) = (&declared.schedule, state.decided(batch)) else {
            return Come::default();
        };
        let calendar = declared.calendar.as_ref();
        let starts = schedule::starts(schedule, &self.calendars, calendar, decided, now);
        if self.observes {
            let observed = |start| (start, MissedWhy::Observed);
            return Come { make: Vec::new(), dropped: starts.into_iter().map(observed).collect() };
        }
        Come::of(&schedule.missed, starts, now)
    }
}

/// What becomes of starts that have come.
#[derive(Debug, Default)]
struct Come {
    make: Vec<Start>,
    dropped: Vec<(Start, MissedWhy)>,
}

impl Come {
    fn of(policy: &Missed, starts: Vec<Start>, now: Timestamp) -> Self {
        let in_time = |start: &Start| now.duration_since(start.at) <= ON_TIME;
        let late = starts.partition_point(|start| !in_time(start));
        let mut missed = starts;
        let fresh = missed.split_off(late);
        // One that can still be made in time is later than all that were missed.
        let made_up = match policy {
            Missed::Latest { .. } if !fresh.is_empty() => schedule::CatchUp {
                run: Vec::new(),
                dropped: missed.into_iter().map(|start| (start, MissedWhy::OnlyLatest)).collect(),
            },
            policy => schedule::missed(policy, missed, now),
        };
        let mut make = made_up.run;
        make.extend(fresh);
        Self { make, dropped: made_up.dropped }
    }
}

/// Whether a run that was opened before takes the place of the one start that the schedule has for its date: people have
/// ordered it, and all of it.
pub fn takes_the_place_of_a_start(opened: &RunOpened) -> bool {
    opened.scheduled.is_none() && opened.only.is_empty()
}

/// Whether a service need not keep a run at hand any more: it has been over for a while, nobody has to decide about it, and
/// nobody is still to be told what went wrong in it.
pub fn is_done_with(state: &State, run: &Run, now: Timestamp) -> bool {
    let over = run.result.is_some_and(|result| result != RunResult::Stopped);
    let old = run.ended_at.is_some_and(|ended| now.duration_since(ended) > AT_HAND);
    let told = state.unfinished().any(|incident| {
        incident.what.run.as_ref() == Some(run.id())
            && incident.is_open()
            && incident.acknowledged.is_none()
            && !incident.what.trial
    });
    over && old && !told && !run.jobs.iter().any(|job| matches!(job.phase, Phase::InDoubt { .. }))
}

impl State {
    /// Up to which start a batch's schedule has been decided; `None`: its starts are not made here.
    pub fn decided(&self, batch: &BatchId) -> Option<Timestamp> {
        let known = self.schedules.get(batch)?;
        known.schedule.as_ref().map(|_| known.decided)
    }
}

impl Core {
    /// A start of a batch's schedule was made or told as missed, as the store has it.
    pub fn decided_start(&mut self, batch: &BatchId, scheduled: Timestamp) {
        self.state.decided_start(batch, scheduled);
    }

    /// Starts that are to be made now, at most so many, the earliest first. `hindered`: what kept this supervisor from
    /// making starts, from when until when; `but`: batches that are left alone for now.
    pub fn due_starts(
        &self,
        now: Timestamp,
        hindered: &[Hindrance],
        but: &BTreeSet<BatchId>,
        at_most: usize,
    ) -> Vec<DueStart> {
        let Some(service) = &self.service else { return Vec::new() };
        let come = service.next.iter().take_while(|(at, _)| *at <= now);
        let come = come.filter(|(_, batch)| !but.contains(batch));
        let starts = come.flat_map(|(_, batch)| {
            let make = service.come(&self.state, batch, now).make;
            make.into_iter().map(|start| DueStart {
                batch: batch.clone(),
                scheduled: start.at,
                late: self.lateness(start.at, hindered, now),
            })
        });
        let mut due: Vec<DueStart> = starts.take(at_most).collect();
        due.sort_by(|a, b| (a.scheduled, &a.batch).cmp(&(b.scheduled, &b.batch)));
        due
    }

    /// Why a start that is made now is later than meant; `None`: it is in time.
    pub fn lateness(
        &self,
        scheduled: Timestamp,
        hindered: &[Hindrance],
        now: Timestamp,
    ) -> Option<LateWhy> {
        let service = self.service.as_ref()?;
        if now.duration_since(scheduled) <= AT_ONCE {
            return None;
        }
        if scheduled < service.since {
            return Some(LateWhy::NobodyServed);
        }
        // The first that had not ended by then; what came later only added to it.
        let first = hindered.iter().find(|(_, until, _)| scheduled <= *until);
        Some(first.map_or(LateWhy::Work, |(_, _, why)| *why))
    }

    /// The definitions whose starts are made here.
    pub fn served(&self) -> Option<&Arc<Site>> {
        self.service.as_ref().map(|service| &service.site)
    }

    /// The site that is served here and not beside another scheduler.
    pub(super) fn serves(&self) -> Option<&Arc<Site>> {
        let service = self.service.as_ref().filter(|service| !service.observes)?;
        Some(&service.site)
    }

    /// As [`serves`](Self::serves), with its calendars.
    pub(super) fn serves_by(&self) -> Option<(&Site, &Arc<Calendars>)> {
        let service = self.service.as_ref().filter(|service| !service.observes)?;
        Some((&service.site, &service.calendars))
    }

    /// When the next start is to be made, of all batches but these.
    pub fn next_start(&self, but: &BTreeSet<BatchId>) -> Option<Timestamp> {
        self.next_starts().find(|(_, batch)| !but.contains(batch)).map(|(at, _)| at)
    }

    /// The next start of each batch that is served, the earliest first.
    pub fn next_starts(&self) -> impl Iterator<Item = (Timestamp, &BatchId)> {
        let next = self.service.iter().flat_map(|service| &service.next);
        next.map(|(at, batch)| (*at, batch))
    }
}

impl Mover<'_> {
    /// From now on the starts of these definitions are made. Schedules that are new, were changed or are gone are taken
    /// over from now on; what was missed of a former one will never be made.
    pub(super) fn serve(&mut self, site: Arc<Site>, observes: bool) -> Result<(), StepError> {
        self.core.confirmations.moved = true;
        let now = self.now.wall;
        let since = self.core.service.as_ref().map_or(now, |service| service.since);
        let mut changed: Vec<(BatchId, Option<Box<TakenSchedule>>)> = Vec::new();
        for (id, known) in &self.core.state.schedules {
            if known.schedule.is_some() && taken(site.batches.get(id).map(Arc::as_ref)).is_none() {
                changed.push((id.clone(), None));
            }
        }
        for batch in site.batches.values() {
            let Some(wanted) = taken(Some(batch)) else { continue };
            let known = self.core.state.schedules.get(&batch.id);
            if known.and_then(|known| known.schedule.as_ref()) != Some(&wanted) {
                changed.push((batch.id.clone(), Some(wanted)));
            }
        }
        for (batch, schedule) in changed {
            self.leave_schedule(&site, &batch)?;
            self.emit(Fact::ScheduleTaken { batch, schedule, since: now })?;
        }
        let calendars = Arc::new(Calendars::new(&site.calendars));
        let on_call = OnCall::new(Arc::clone(&site), Arc::clone(&calendars));
        self.core.have_on_call(Arc::new(on_call));
        self.core.keep_shifts();
        let mut service = Service::new((site, calendars), observes, since);
        let batches: Vec<BatchId> = service.site.batches.keys().cloned().collect();
        for batch in batches {
            if let Some(decided) = self.core.state.decided(&batch) {
                service.look_ahead(&batch, decided);
            }
        }
        self.core.service = Some(service);
        Ok(())
    }

    /// Starts of a schedule that nobody made before it was changed.
    fn leave_schedule(&mut self, site: &Site, batch: &BatchId) -> Result<(), Unfit> {
        let Some(known) = self.core.state.schedules.get(batch) else { return Ok(()) };
        let Some(former) = &known.schedule else { return Ok(()) };
        let calendars = Calendars::new(&site.calendars);
        let (from, to) = (known.decided, self.now.wall);
        let calendar = former.calendar.as_ref();
        let starts = schedule::starts(&former.schedule, &calendars, calendar, from, to);
        let dropped = starts.into_iter().map(|start| (start, MissedWhy::ScheduleChanged)).collect();
        self.tell_missed(batch, dropped)
    }

    /// Tells of the starts that have come and will not be made.
    pub(super) fn miss_starts(&mut self) -> Result<(), Unfit> {
        let now = self.now.wall;
        loop {
            let Some(service) = &self.core.service else { return Ok(()) };
            let come = service.next.iter().take_while(|(at, _)| *at <= now);
            let missed = come.map(|(_, batch)| batch).find_map(|batch| {
                let dropped = service.come(&self.core.state, batch, now).dropped;
                (!dropped.is_empty()).then(|| (batch.clone(), dropped))
            });
            let Some((batch, dropped)) = missed else { return Ok(()) };
            self.tell_missed(&batch, dropped)?;
        }
    }

    /// A start that was due and cannot be made.
    pub(super) fn miss_start(
        &mut self,
        batch: BatchId,
        scheduled: Timestamp,
        why: MissedWhy,
    ) -> Result<(), Unfit> {
        let (first, last, count) = (scheduled, scheduled, 1);
        self.emit(Fact::StartsMissed { batch: batch.clone(), first, last, count, why })?;
        self.look_ahead(&batch);
        Ok(())
    }

    /// One fact for those that follow each other for one reason.
    pub(super) fn tell_missed(
        &mut self,
        batch: &BatchId,
        dropped: Vec<(Start, MissedWhy)>,
    ) -> Result<(), Unfit> {
        for alike in dropped.chunk_by(|(_, one), (_, other)| one == other) {
            let [(first, why), ..] = alike else { continue };
            let last = alike.last().map_or(first.at, |(last, _)| last.at);
            let count = u32::try_from(alike.len()).unwrap_or(u32::MAX);
            let (batch, why) = (batch.clone(), why.clone());
            self.emit(Fact::StartsMissed { batch, first: first.at, last, count, why })?;
        }
        self.look_ahead(batch);
        Ok(())
    }

    /// After something has been decided of a batch's schedule.
    pub(super) fn look_ahead(&mut self, batch: &BatchId) {
        let Some(decided) = self.core.state.decided(batch) else { return };
        if let Some(service) = &mut self.core.service {
            service.look_ahead(batch, decided);
        }
    }
}

/// What a batch's schedule is taken over as.
fn taken(batch: Option<&Batch>) -> Option<Box<TakenSchedule>> {
    let batch = batch?;
    let schedule = batch.schedule.clone()?;
    Some(Box::new(TakenSchedule { schedule, calendar: batch.calendar.clone() }))
}
