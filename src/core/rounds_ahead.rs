//! Whether the schedules of inspections make as many rounds as the days ahead want (I1): what they do not make is missed for
//! certain, unless people order it.

use jiff::civil::{Date, Time};

use super::calendar::{Calendars, plus};
use super::calendar_use::calendars_used;
use super::inspection::wanted;
use super::roster::instant;
use super::schedule::starts;
use crate::definition::site::{Batch, Site};

/// How many days ahead are looked at.
const AHEAD: i32 = 35;

/// Days on which a schedule makes fewer rounds than are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooFew {
    /// The first of them.
    pub date: Date,
    pub made: usize,
    pub wanted: u32,
    /// How many such days there are within 35.
    pub days: usize,
}

/// From the day after `today` on, as far as the calendars of the batch reach; `None`: none of them lacks one. What another system
/// orders is not looked at.
pub(super) fn too_few(
    site: &Site,
    calendars: &Calendars,
    batch: &Batch,
    today: Date,
) -> Option<TooFew> {
    let rules = site.inspections.as_ref()?;
    if batch.on_event.is_some() || !rules.rounds.iter().any(|rule| rule.batch == batch.id) {
        return None;
    }
    let reach = calendars_used(site, batch).into_iter().filter_map(|name| calendars.range(name));
    let last = reach.map(|(_, last)| last).chain([plus(today, AHEAD)]).min()?;
    let midnight = |date| instant(date, Time::midnight(), &site.zone);
    // A start at midnight belongs to the day that begins.
    let begin = midnight(plus(today, 1));
    let from = begin.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(begin);
    let made = batch.schedule.iter().flat_map(|schedule| {
        let calendar = batch.calendar.as_ref();
        starts(schedule, calendars, calendar, from, midnight(plus(last, 1)))
    });
    let made: Vec<Date> = made.map(|start| site.zone.tz().to_datetime(start.at).date()).collect();
    let ahead = (1..).map(|days| plus(today, days)).take_while(|date| *date <= last);
    let lacks = ahead.filter_map(|date| {
        let wanted = wanted(rules, calendars, &batch.id, date);
        let made = made.iter().filter(|start| **start == date).count();
        (made < wanted as usize).then_some((date, made, wanted))
    });
    let lacks: Vec<(Date, usize, u32)> = lacks.collect();
    let (date, made, wanted) = *lacks.first()?;
    Some(TooFew { date, made, wanted, days: lacks.len() })
}
