//! Why a job did not start whose run was never opened: the answer comes from the site and its calendars alone.

use jiff::Timestamp;

use super::why::{NotItsDay, Reason, WhyView};
use crate::core::calendar::{Calendars, Day};
use crate::core::day_rule::Part;
use crate::core::schedule;
use crate::definition::site::{Batch, DayRule, Job, ScheduleRule, Site};
use crate::types::{BusinessDate, JobRef};

/// `None`: the site has no such batch or job.
pub fn why_unopened(
    site: &Site,
    job: &JobRef,
    date: BusinessDate,
    now: Timestamp,
) -> Option<WhyView> {
    let batch = site.batches.get(&job.batch)?;
    let known = batch.job(&job.job)?;
    let calendars = Calendars::new(&site.calendars);
    Some(WhyView {
        job: job.clone(),
        title: known.title.clone(),
        business_date: date,
        run: None,
        now,
        zone: batch.zone.clone(),
        reasons: reasons(&calendars, batch, known, date, now),
    })
}

fn reasons(
    calendars: &Calendars,
    batch: &Batch,
    job: &Job,
    date: BusinessDate,
    now: Timestamp,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let starts = schedule::starts_of_business_date(batch, calendars, date);
    if let Some(calendar) = &batch.calendar
        && let Day::Unknown { last, .. } = calendars.day(calendar, date.0)
    {
        let calendar = calendar.clone();
        reasons.push(Reason::CalendarUnknown { calendar, date: date.0, last });
    } else if starts.is_empty() {
        reasons.extend(no_start(calendars, batch, date));
    }
    if let Some(rule) = &job.days {
        reasons.extend(left_out(calendars, batch, rule, date));
    }
    let batch_id = batch.id.clone();
    let ahead = starts.iter().map(|start| start.at).find(|at| *at > now);
    if ahead.is_some() || batch.schedule.is_none() {
        reasons.push(Reason::BatchNotStarted { batch: batch_id, next: ahead });
    } else if !starts.is_empty() {
        reasons.push(Reason::BatchPast { batch: batch_id, date });
    }
    reasons
}

/// Why the schedule of a batch gives a date no start; `None` where it gives one, or the batch has no schedule.
pub fn schedule_leaves_out(site: &Site, batch: &Batch, date: BusinessDate) -> Option<Reason> {
    let calendars = Calendars::new(&site.calendars);
    let none = schedule::starts_of_business_date(batch, &calendars, date).is_empty();
    none.then(|| no_start(&calendars, batch, date)).flatten()
}

/// Why the schedule gives the date no start, as far as its day words say.
fn no_start(calendars: &Calendars, batch: &Batch, date: BusinessDate) -> Option<Reason> {
    match &batch.schedule.as_ref()?.rule {
        ScheduleRule::Days { on, .. } => left_out(calendars, batch, on, date),
        ScheduleRule::Cron(text) => Some(Reason::NotItsDay(NotItsDay {
            date: date.0,
            rule: None,
            reason: format!("`cron: {text}` gives no start for it"),
        })),
    }
}

fn left_out(
    calendars: &Calendars,
    batch: &Batch,
    rule: &DayRule,
    date: BusinessDate,
) -> Option<Reason> {
    match calendars.takes_part(rule, batch.calendar.as_ref(), date.0) {
        Part::Yes => None,
        Part::No { reason } | Part::Unknown { why: reason } => {
            Some(Reason::NotItsDay(NotItsDay { date: date.0, rule: Some(rule.clone()), reason }))
        }
    }
}
