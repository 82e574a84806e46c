//! What would run on some dates: the schedules' starts, each opened in one made-up night with the real core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use super::list::ListView;
use super::of_plan_job::{self, Shown};
use super::plan::{
    BatchLeftOut, BatchLeftOutWhy, CalendarEnd, PlanDay, PlanStart, PlanView, StartNote,
};
use super::why::NotItsDay;
use crate::core::calendar::Calendars;
use crate::core::change::Lives;
use crate::core::change::list::{self, Drawn};
use crate::core::deadline;
use crate::core::fact::RunOpened;
use crate::core::forecast::{self, Forecast, Opening};
use crate::core::night::StepError;
use crate::core::order::{self, Order};
use crate::core::schedule::{self, DaylightNote, LeftOutReason, Start};
use crate::core::window::Windows;
use crate::definition::site::{Batch, Schedule, ScheduleRule, Site};
use crate::types::{
    BatchId, BootId, BusinessDate, CalendarName, ChangeId, InvalidName, JobRef, Outcome, PersonId,
    RunId, Span,
};

/// What is to be planned. Dates are civil dates in the zone of each schedule.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Only this batch is shown; the others take their share of hosts and pools all the same.
    pub batch: Option<&'a BatchId>,
    pub from: Date,
    pub to: Date,
    /// What the calendars' ends count from.
    pub today: Date,
    /// Durations from history; as declared where there are none.
    pub expected: &'a BTreeMap<JobRef, Span>,
    /// Of changes, for what is on lists; where nothing is known nothing is on them.
    pub lives: Option<&'a Lives>,
}

/// Why nothing could be planned: a defect of the core, or a name that it made up badly.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// How jobs of other runs came out.
type Known = BTreeMap<(JobRef, BusinessDate), Outcome>;

/// The runs of one made-up night.
#[derive(Debug, Clone, Default)]
pub struct Night {
    pub openings: Vec<Opening>,
    /// Taken for granted of jobs of runs before it.
    pub known: Known,
    /// The runs that are asked about, in the order of their starts. The others are there because they take their share,
    /// or because one of these needs them.
    pub shown: Vec<RunId>,
    /// Of those asked about: what does not start, and why.
    pub left_out: Vec<(Date, BatchLeftOut)>,
}

/// Starts with what is left out, day by day.
type Meanings<'a> = (Vec<Meant<'a>>, Vec<(Date, BatchLeftOut)>);

/// A start with the run that it would open, or why it would not.
struct Meant<'a> {
    batch: &'a Batch,
    start: Start,
    opened: Result<Box<RunOpened>, BatchLeftOutWhy>,
    /// Its list, where it is one.
    drawn: Option<Drawn>,
}

/// Plans the dates. `digest` names the site's definition, as runs would.
pub fn plan(site: &Arc<Site>, digest: &str, wanted: Wanted<'_>) -> Result<PlanView, PlanError> {
    let planner = Planner { site, digest, wanted, calendars: Calendars::new(&site.calendars) };
    let (starts, mut left_out) = planner.starts()?;
    let forecast = planner.forecast(&starts)?;
    let windows = Windows::new(site);
    let mut shown: BTreeMap<Date, Vec<PlanStart>> = BTreeMap::new();
    for meant in starts.iter().filter(|meant| planner.is_shown(&meant.batch.id)) {
        let date = meant.start.date();
        match &meant.opened {
            Ok(opened) => {
                let start = planner.shown(meant, opened, &forecast, &windows);
                shown.entry(date).or_default().push(start);
            }
            Err(why) => left_out.push((date, of_batch(meant.batch, why.clone()))),
        }
    }
    let mut days = Vec::new();
    let mut date = wanted.from;
    while date <= wanted.to {
        let mut starts = shown.remove(&date).unwrap_or_default();
        starts.sort_by(|a, b| (a.at, &a.batch).cmp(&(b.at, &b.batch)));
        let left_out = left_out.iter().filter(|(day, _)| *day == date);
        days.push(PlanDay { date, starts, left_out: left_out.map(|(_, l)| l.clone()).collect() });
        let Ok(tomorrow) = date.tomorrow() else { break };
        date = tomorrow;
    }
    let calendar_ends = planner.calendar_ends();
    Ok(PlanView { site: site.title.clone(), zone: site.zone.clone(), days, calendar_ends })
}

/// What the starts of the dates open in one made-up night, `digest` naming the definition.
pub fn night(site: &Arc<Site>, digest: &str, wanted: Wanted<'_>) -> Result<Night, PlanError> {
    let planner = Planner { site, digest, wanted, calendars: Calendars::new(&site.calendars) };
    let (mut starts, mut left_out) = planner.starts()?;
    starts.sort_by_key(|meant| meant.start.at);
    let mut shown = Vec::new();
    for meant in starts.iter().filter(|meant| planner.is_shown(&meant.batch.id)) {
        match &meant.opened {
            Ok(opened) => shown.push(opened.run.clone()),
            Err(why) => left_out.push((meant.start.date(), of_batch(meant.batch, why.clone()))),
        }
    }
    let (openings, known) = planner.openings(&starts)?;
    Ok(Night { openings, known, shown, left_out })
}

struct Planner<'a> {
    site: &'a Arc<Site>,
    digest: &'a str,
    wanted: Wanted<'a>,
    calendars: Calendars,
}

impl<'a> Planner<'a> {
    fn is_shown(&self, batch: &BatchId) -> bool {
        self.wanted.batch.is_none_or(|wanted| wanted == batch)
    }

    /// Every start of every batch on the dates, and the days left out of those shown.
    fn starts(&self) -> Result<Meanings<'a>, PlanError> {
        let (mut starts, mut left_out) = (Vec::new(), Vec::new());
        for batch in self.site.batches.values() {
            let Some(schedule) = &batch.schedule else {
                // Order-only batches are told where one day or that batch is asked for.
                if self.is_shown(&batch.id)
                    && (self.wanted.batch.is_some() || self.wanted.from == self.wanted.to)
                {
                    let entry = of_batch(batch, BatchLeftOutWhy::NoSchedule);
                    left_out.push((self.wanted.from, entry));
                }
                continue;
            };
            let midnight = |date: Date| {
                let zoned = date.to_datetime(Time::midnight()).to_zoned(schedule.zone.tz().clone());
                zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
            };
            let before = SignedDuration::from_secs(-1);
            let from = midnight(self.wanted.from).checked_add(before).unwrap_or(Timestamp::MIN);
            let to = self.wanted.to.tomorrow().map_or(Timestamp::MAX, midnight);
            let to = to.checked_add(before).unwrap_or(to);
            let calendar = batch.calendar.as_ref();
            let found = schedule::timetable(schedule, &self.calendars, calendar, from, to);
            for start in found.starts {
                let opened = self.opened(batch, &start)?;
                starts.push(Meant { batch, start, opened, drawn: None });
            }
            for left in found.left_out.into_iter().filter(|_| self.is_shown(&batch.id)) {
                let why = self.left_out(batch, schedule, left.date, left.reason);
                left_out.push((left.date, of_batch(batch, why)));
            }
        }
        self.draw_lists(&mut starts);
        Ok((starts, left_out))
    }

    /// Draws the lists, the earliest first: what one takes is no matter of a later one, which the lives of now do not say.
    fn draw_lists(&self, starts: &mut [Meant<'a>]) {
        let Some(lives) = self.wanted.lives else { return };
        let mut in_time: Vec<&mut Meant<'a>> = starts.iter_mut().collect();
        in_time.sort_by_key(|meant| meant.start.at);
        let mut taken = BTreeMap::new();
        for meant in in_time {
            let Ok(opened) = &mut meant.opened else { continue };
            let known = list::Known { lives, under_way: &taken };
            let at = (meant.start.at, opened.anchor);
            let Some(mut drawn) = list::draw(self.site, meant.batch, known, at) else { continue };
            let environment = drawn.list.environment.clone();
            let place = |change: &ChangeId| (change.clone(), environment.clone());
            drawn.list.left_out.retain(|left| !taken.contains_key(&place(&left.change)));
            taken.extend(
                drawn.list.changes.iter().map(|it| (place(&it.change), opened.run.clone())),
            );
            opened.definition = format!("{} {}", self.digest, opened.run);
            opened.list = Some(Box::new(drawn.list.clone()));
            meant.drawn = Some(drawn);
        }
    }

    /// The run that a start would open.
    fn opened(
        &self,
        batch: &Batch,
        start: &Start,
    ) -> Result<Result<Box<RunOpened>, BatchLeftOutWhy>, InvalidName> {
        let mut order = Order::of(batch.id.clone(), PersonId::new("plan")?);
        order.scheduled = Some(start.at);
        // What has no default is given with the order; its value changes nothing here.
        let open = batch.parameters.iter().filter(|(_, default)| default.is_none());
        order.parameters = open.map(|(name, _)| (name.clone(), String::new())).collect();
        match order::resolve(self.site, &self.calendars, order, start.at) {
            Ok(ordered) => {
                let key = ordered.key()?;
                let run = RunId { batch: batch.id.clone(), key, number: 1 };
                let expected = self.wanted.expected.iter();
                let expected = expected
                    .filter(|(job, _)| job.batch == batch.id)
                    .map(|(job, takes)| (job.job.clone(), *takes));
                let clock = (BootId("plan".to_owned()), Duration::ZERO);
                let definition = self.digest.to_owned();
                let opened = ordered.opened(run, definition, expected.collect(), clock);
                Ok(Ok(Box::new(opened)))
            }
            Err(refused) => {
                let known = batch.calendar.as_ref().and_then(|name| self.unknown(name));
                Ok(Err(known.unwrap_or_else(|| {
                    BatchLeftOutWhy::NotItsDay(NotItsDay {
                        date: start.date(),
                        rule: None,
                        reason: refused.to_string(),
                    })
                })))
            }
        }
    }

    fn unknown(&self, calendar: &CalendarName) -> Option<BatchLeftOutWhy> {
        let (_, last) = self.calendars.range(calendar)?;
        Some(BatchLeftOutWhy::CalendarUnknown { calendar: calendar.clone(), last })
    }

    fn left_out(
        &self,
        batch: &Batch,
        schedule: &Schedule,
        date: Date,
        reason: LeftOutReason,
    ) -> BatchLeftOutWhy {
        let rule = match &schedule.rule {
            ScheduleRule::Days { on, .. } => Some(on),
            ScheduleRule::Cron(_) => None,
        };
        let calendar = rule.and_then(|on| on.calendar.as_ref()).or(batch.calendar.as_ref());
        let not_its_day = |reason: String| {
            BatchLeftOutWhy::NotItsDay(NotItsDay { date, rule: rule.cloned(), reason })
        };
        match (reason, calendar) {
            (LeftOutReason::NotABusinessDay(name), Some(calendar)) => {
                BatchLeftOutWhy::NoBusinessDay { calendar: calendar.clone(), name: Some(name) }
            }
            (LeftOutReason::NotABusinessDay(name), None) => not_its_day(name),
            (LeftOutReason::Gap { meant }, _) => BatchLeftOutWhy::GapSkipped { wished: meant },
            (LeftOutReason::Unknown(why), calendar) => {
                calendar.and_then(|name| self.unknown(name)).unwrap_or_else(|| not_its_day(why))
            }
        }
    }

    /// Opens every start in one made-up night.
    fn forecast(&self, starts: &[Meant<'a>]) -> Result<Forecast, PlanError> {
        let (openings, known) = self.openings(starts)?;
        let mut definitions = vec![(self.digest.to_owned(), Arc::clone(self.site))];
        for meant in starts {
            if let (Some(drawn), Ok(opened)) = (&meant.drawn, &meant.opened) {
                let mut site = Site::clone(self.site);
                site.batches.insert(drawn.batch.id.clone(), Arc::clone(&drawn.batch));
                definitions.push((opened.definition.clone(), Arc::new(site)));
            }
        }
        let lives = self.wanted.lives.cloned().unwrap_or_default();
        Ok(forecast::of_lists(&definitions, openings, known, lives)?)
    }

    /// Every start as an opening. Runs of before the first count as done; later ones that a start needs are added.
    fn openings(&self, starts: &[Meant<'a>]) -> Result<(Vec<Opening>, Known), PlanError> {
        let mut openings: Vec<Opening> = starts
            .iter()
            .filter_map(|meant| {
                let opened = meant.opened.clone().ok()?;
                Some(Opening { at: meant.start.at, opened })
            })
            .collect();
        let Some(first) = openings.iter().map(|opening| opening.at).min() else {
            return Ok((Vec::new(), BTreeMap::new()));
        };
        let last = openings.iter().map(|opening| opening.at).max().unwrap_or(first);
        let until = last.checked_add(forecast::HORIZON).unwrap_or(Timestamp::MAX);
        let mut known = BTreeMap::new();
        let run = |opened: &RunOpened| (opened.batch.clone(), opened.business_date);
        let mut there: BTreeSet<(BatchId, BusinessDate)> =
            openings.iter().map(|opening| run(&opening.opened)).collect();
        let mut next = 0;
        while let Some(opening) = openings.get(next) {
            next += 1;
            for (job, date) in needed(&opening.opened.clone()) {
                if there.contains(&(job.batch.clone(), date)) {
                    continue;
                }
                let Some(batch) = self.site.batches.get(&job.batch) else { continue };
                let found = schedule::starts_of_business_date(batch, &self.calendars, date);
                match found.into_iter().next() {
                    Some(start) if start.at < first => {
                        known.insert((job, date), Outcome::Succeeded);
                    }
                    Some(start) if start.at <= until => {
                        there.insert((job.batch.clone(), date));
                        if let Ok(opened) = self.opened(batch, &start)? {
                            openings.push(Opening { at: start.at, opened });
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok((openings, known))
    }

    fn shown(
        &self,
        meant: &Meant<'_>,
        opened: &RunOpened,
        forecast: &Forecast,
        windows: &Windows,
    ) -> PlanStart {
        let batch = meant.drawn.as_ref().map_or(meant.batch, |drawn| &drawn.batch);
        let due = |time: Option<Time>| {
            time.map(|time| deadline::first_at_or_after(opened.anchor, time, &batch.zone))
        };
        let ahead = forecast.runs.get(&opened.run);
        let shown = Shown { site: self.site, windows, batch, opened, at: meant.start.at };
        let jobs = ahead.map(|ahead| ahead.jobs.as_slice()).unwrap_or_default();
        let (jobs, left_out) = of_plan_job::jobs(&shown, jobs);
        PlanStart {
            batch: batch.id.clone(),
            title: batch.title.clone(),
            at: meant.start.at,
            business_date: opened.business_date,
            notes: meant.start.note.into_iter().map(note).collect(),
            must_start_by: due(batch.must_start_by),
            must_complete_by: due(batch.must_complete_by),
            expected_end: ahead.and_then(|ahead| ahead.end),
            jobs,
            left_out,
            list: meant
                .drawn
                .as_ref()
                .map(|drawn| Box::new(ListView { commit: None, list: drawn.list.clone() })),
        }
    }

    fn calendar_ends(&self) -> Vec<CalendarEnd> {
        let calendars = self.site.calendars.iter();
        calendars
            .filter(|(name, _)| self.calendars.ends_soon(name, self.wanted.to).is_some())
            .filter_map(|(name, calendar)| {
                let (_, last) = self.calendars.range(name)?;
                let days_left = last.duration_since(self.wanted.today).as_hours() / 24;
                Some(CalendarEnd {
                    calendar: name.clone(),
                    title: calendar.title.clone(),
                    last,
                    days_left: days_left as i32,
                })
            })
            .collect()
    }
}

fn needed(opened: &RunOpened) -> Vec<(JobRef, BusinessDate)> {
    opened.across.iter().filter_map(|need| Some((need.job.clone(), need.wanted()?))).collect()
}

fn of_batch(batch: &Batch, why: BatchLeftOutWhy) -> BatchLeftOut {
    BatchLeftOut { batch: batch.id.clone(), title: batch.title.clone(), why }
}

fn note(note: DaylightNote) -> StartNote {
    match note {
        DaylightNote::Gap { meant } => StartNote::GapShifted { wished: meant },
        DaylightNote::FoldFirst => StartNote::Fold { second: false },
        DaylightNote::FoldSecond => StartNote::Fold { second: true },
    }
}
