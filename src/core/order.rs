//! From an order to the opening of a run, or the words why not. A start by the schedule is an order too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar::{BeyondData, Calendars, Day};
use super::fact::{AcrossNeed, RunOpened};
use super::graph::Graph;
use super::refused::{Refused, Rule};
use super::schedule;
use crate::definition::site::{Batch, Job, NeedOf, Site};
use crate::types::{
    BatchId, BootId, BusinessDate, HostName, InvalidName, JobName, JobRef, PersonId, Role, RunId,
    RunKey, Span,
};

/// Who may run work outside of its windows.
pub const OVERRIDE_ROLE: &str = "window-override";

/// A next start within this time is nearer to an order than any former one can be meant (see [`default_date`]).
const SOON: SignedDuration = SignedDuration::from_hours(6);

/// How far back the last scheduled start is looked for.
const FORMER: SignedDuration = SignedDuration::from_hours(40 * 24);

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Order {
    pub batch: BatchId,
    /// `None`: see [`default_date`].
    pub business_date: Option<BusinessDate>,
    /// The instant of the schedule, where the schedule asks; `None` for people.
    pub scheduled: Option<Timestamp>,
    pub parameters: BTreeMap<String, String>,
    /// Only these jobs (`--only`).
    pub only: Vec<JobName>,
    /// These jobs and all that follows them (`--from`).
    pub from: Vec<JobName>,
    pub trial: bool,
    /// The reason of a window override.
    pub window_override: Option<String>,
    pub by: PersonId,
    /// The second person's yes to the override, where the site asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<PersonId>,
}

impl Order {
    /// The whole batch, nothing special.
    pub fn of(batch: BatchId, by: PersonId) -> Self {
        Self {
            batch,
            business_date: None,
            scheduled: None,
            parameters: BTreeMap::new(),
            only: Vec::new(),
            from: Vec::new(),
            trial: false,
            window_override: None,
            by,
            second: None,
        }
    }
}

/// An order that the rules allow, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    pub order: Order,
    pub business_date: BusinessDate,
    /// What deadlines count from: the order's own scheduled instant, else the first one that the schedule gives for the
    /// business date, else the instant of the order.
    pub anchor: Timestamp,
    pub parameters: BTreeMap<String, String>,
    pub only: Vec<JobName>,
    pub across: Vec<AcrossNeed>,
    /// The schedule gives several starts for this business date: each is a run of its own.
    pub several: bool,
}

impl Ordered {
    /// What makes the run one and the same: the scheduled instant where the schedule gives several for the business
    /// date, else that date. So a batch that people have ordered for its date is not started again by its schedule.
    pub fn key(&self) -> Result<RunKey, InvalidName> {
        match self.order.scheduled {
            Some(at) if self.several => RunKey::new(&at.strftime("%Y%m%dT%H%M%SZ").to_string()),
            _ => RunKey::new(&self.business_date.to_string()),
        }
    }

    /// The opening, once the run has its number and its stored definition.
    pub fn opened(
        self,
        run: RunId,
        definition: String,
        expected: BTreeMap<JobName, Span>,
        (boot, since_boot): (BootId, Duration),
    ) -> RunOpened {
        RunOpened {
            run,
            batch: self.order.batch,
            business_date: self.business_date,
            anchor: self.anchor,
            trial: self.order.trial,
            definition,
            parameters: self.parameters,
            by: self.order.by,
            only: self.only,
            across: self.across,
            expected,
            boot,
            since_boot,
            window_override: self.order.window_override,
            second: self.order.second,
            scheduled: self.order.scheduled,
            late: None,
            revision: None,
            list: None,
        }
    }
}

/// Resolves an order against the site, all its rules applied. `now` is the wall time of the run's own clock.
pub fn resolve(
    site: &Site,
    calendars: &Calendars,
    order: Order,
    now: Timestamp,
) -> Result<Ordered, Refused> {
    let batch = site.batches.get(&order.batch).ok_or_else(|| {
        let known = site.batches.keys().map(BatchId::as_str);
        nearest(
            Refused::new(format!("there is no batch `{}`", order.batch)),
            order.batch.as_str(),
            known,
        )
    })?;
    let parameters = parameters(batch, &order.parameters)?;
    let only = asked_for(batch, &order)?;
    let business_date = match order.business_date {
        Some(date) => date,
        None => default_date(batch, calendars, order.scheduled, now)?,
    };
    within_data(batch, calendars, business_date)?;
    if order.trial {
        trial_only(site, batch, &only)?;
    }
    may_override(site, &order)?;
    let first = schedule::starts_of_business_date(batch, calendars, business_date);
    let anchor = order.scheduled.or(first.first().map(|start| start.at)).unwrap_or(now);
    // A trial stands alone: what it needs of other runs counts as fulfilled.
    let across =
        if order.trial { Vec::new() } else { across(site, batch, calendars, business_date)? };
    let several = first.len() > 1;
    Ok(Ordered { order, business_date, anchor, parameters, only, across, several })
}

/// The business date of an order that names none: that of the scheduled start nearest to `now`, among the last one at or
/// before it and the next one within 6 hours. So an order at 20:00 means the start of 21:30, and one at 06:00 that of
/// last night. For a batch without a schedule: of today's date in the batch's zone.
pub fn default_date(
    batch: &Batch,
    calendars: &Calendars,
    scheduled: Option<Timestamp>,
    now: Timestamp,
) -> Result<BusinessDate, Refused> {
    let calendar = batch.calendar.as_ref();
    let today = batch.zone.tz().to_datetime(scheduled.unwrap_or(now)).date();
    let date = match (&batch.schedule, scheduled) {
        (None, _) => today,
        (Some(schedule), _) => {
            let shift = |by| now.checked_add(by).unwrap_or(now);
            let (from, to) = match scheduled {
                // `from` itself is no part of the answer.
                Some(at) => (shift_from(at, SignedDuration::from_secs(-1)), at),
                None => (shift(-FORMER), shift(SOON)),
            };
            let starts = schedule::starts(schedule, calendars, calendar, from, to);
            let away = |at: Timestamp| at.duration_since(scheduled.unwrap_or(now)).abs();
            let former = starts.iter().rev().find(|start| start.at <= scheduled.unwrap_or(now));
            let next = starts.iter().find(|start| start.at > scheduled.unwrap_or(now));
            let nearest = former.into_iter().chain(next).min_by_key(|start| away(start.at));
            nearest.map(schedule::Start::date).ok_or_else(|| {
                Refused::new(format!("the schedule of batch {} gives no start near now", batch.id))
                    .hint("say for which business date: `--date YYYY-MM-DD`")
            })?
        }
    };
    schedule::business_date(&batch.business_date, calendar, date, calendars).map_err(|error| {
        Refused::new(format!("the business date of batch {} is not known: {error}", batch.id))
            .hint("say for which business date: `--date YYYY-MM-DD`")
    })
}

fn shift_from(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// Needs of other runs with the dates that they mean: business days count in the calendar of the batch that needs, and
/// before the needed batch's `since:` they count as done.
pub fn across(
    site: &Site,
    batch: &Batch,
    calendars: &Calendars,
    business_date: BusinessDate,
) -> Result<Vec<AcrossNeed>, Refused> {
    let wanted: BTreeSet<(&JobRef, i32)> = batch
        .jobs
        .iter()
        .flat_map(|job| &job.needs)
        .filter_map(|need| match &need.of {
            NeedOf::Across { job, offset } => Some((job, *offset)),
            NeedOf::Job(_) => None,
        })
        .collect();
    wanted
        .into_iter()
        .map(|(job, offset)| {
            let date = across_date(batch, calendars, business_date.0, offset).map_err(|why| {
                Refused::new(format!(
                    "the date of the need `{job}@{offset:+}bd` is not known: {why}"
                ))
            })?;
            let since = site.batches.get(&job.batch).and_then(|needed| needed.since);
            let counts_as_done = since.is_some_and(|since| date < since);
            Ok(AcrossNeed { job: job.clone(), offset, date: BusinessDate(date), counts_as_done })
        })
        .collect()
}

fn across_date(
    batch: &Batch,
    calendars: &Calendars,
    date: Date,
    offset: i32,
) -> Result<Date, String> {
    if offset == 0 {
        return Ok(date);
    }
    let calendar = batch.calendar.as_ref().ok_or("the batch names no calendar")?;
    calendars.add(calendar, date, offset).map_err(|beyond| beyond.to_string())
}

fn parameters(
    batch: &Batch,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refused> {
    if let Some(name) = given.keys().find(|name| !batch.parameters.contains_key(*name)) {
        let refused = Refused::new(format!("batch {} has no parameter `{name}`", batch.id));
        return Err(nearest(refused, name, batch.parameters.keys().map(String::as_str)));
    }
    batch
        .parameters
        .iter()
        .map(|(name, default)| {
            let value = given.get(name).or(default.as_ref()).ok_or_else(|| {
                Refused::new(format!("batch {} needs the parameter `{name}`", batch.id))
                    .hint(format!("give it: `--param {name}=…`"))
            })?;
            Ok((name.clone(), value.clone()))
        })
        .collect()
}

/// The jobs that take part, in the order of the file; empty for all.
fn asked_for(batch: &Batch, order: &Order) -> Result<Vec<JobName>, Refused> {
    if let Some(job) = order.only.iter().chain(&order.from).next()
        && batch.list.is_some()
    {
        let what = format!("`{job}`: the jobs of {} are what is on its list", batch.id);
        let hint = "a run of it takes the whole list; `nightrun skip` leaves a job of it out";
        return Err(Refused::by(Rule::NoSuchJob, what).hint(hint));
    }
    let graph = Graph::new(batch);
    let number = |job: &JobName| {
        graph.index(job).ok_or_else(|| {
            let what = format!("batch {} has no job `{job}`", batch.id);
            let refused = Refused::by(Rule::NoSuchJob, what);
            nearest(refused, job.as_str(), batch.jobs.iter().map(|job| job.name.as_str()))
        })
    };
    let mut follow: Vec<usize> = order.from.iter().map(&number).collect::<Result<_, _>>()?;
    let mut wanted = BTreeSet::new();
    while let Some(index) = follow.pop() {
        if wanted.insert(index) {
            follow.extend(graph.successors(index).map(|(next, _)| next));
        }
    }
    for job in &order.only {
        wanted.insert(number(job)?);
    }
    Ok(wanted.into_iter().map(|index| graph.name(index).clone()).collect())
}

fn within_data(batch: &Batch, calendars: &Calendars, date: BusinessDate) -> Result<(), Refused> {
    let Some(calendar) = &batch.calendar else { return Ok(()) };
    match calendars.day(calendar, date.0) {
        Day::Unknown { first, last } => {
            let beyond = BeyondData { calendar: calendar.clone(), date: date.0, first, last };
            Err(Refused::new(beyond.to_string()))
        }
        Day::Business { .. } | Day::Off { .. } => Ok(()),
    }
}

/// Every target and every host of a trial must be marked for it.
fn trial_only(site: &Site, batch: &Batch, only: &[JobName]) -> Result<(), Refused> {
    let part = |job: &&Job| only.is_empty() || only.contains(&job.name);
    let mut not_marked = BTreeSet::new();
    for job in batch.jobs.iter().filter(part) {
        let hosts = site.hosts_of(batch, job);
        let marked = |name: &&HostName| site.hosts.get(*name).is_some_and(|host| host.trial);
        if !hosts.iter().any(marked) {
            not_marked.extend(hosts.iter().map(|host| format!("host {host}")));
        }
        if let Some(target) = job.kind.target(site)
            && !site.targets.get(target).is_some_and(|known| known.trial)
        {
            not_marked.insert(format!("target {target}"));
        }
    }
    if not_marked.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = not_marked.into_iter().collect();
    Err(Refused::new(format!(
        "a run with a set clock is a trial, and this is not marked for trials: {}",
        names.join(", ")
    ))
    .hint("mark what is not production with `trial: true` in site.yaml, or run without `--at`"))
}

fn may_override(site: &Site, order: &Order) -> Result<(), Refused> {
    let Some(reason) = &order.window_override else { return Ok(()) };
    if reason.trim().is_empty() {
        return Err(Refused::new("a window override needs a reason"));
    }
    let has_role = Role::new(OVERRIDE_ROLE).is_ok_and(|role| {
        site.people.get(&order.by).is_some_and(|person| person.roles.contains(&role))
    });
    if has_role {
        return Ok(());
    }
    Err(Refused::by(Rule::RoleMissing, format!("{} may not override windows", order.by))
        .hint(format!("that takes the role `{OVERRIDE_ROLE}` in people.yaml")))
}

/// Adds the nearest known name, or the first few where none is near.
fn nearest<'a>(
    refused: Refused,
    wanted: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Refused {
    let near = known
        .clone()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min();
    if let Some((_, name)) = near {
        return refused.hint(format!("did you mean `{name}`?"));
    }
    let few: Vec<&str> = known.take(8).collect();
    if few.is_empty() { refused } else { refused.hint(format!("known: {}", few.join(", "))) }
}
