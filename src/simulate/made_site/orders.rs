//! Who orders what, and what is known of the dates before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use super::which_night::WhichNight;
use super::windows::LONGEST;
use super::{Asked, BadSite, Made, operator};
use crate::core::calendar::Calendars;
use crate::core::order::{self, Order};
use crate::definition::site::{Batch, Site};
use crate::simulate::dice::Dice;
use crate::types::{BatchId, BusinessDate, JobName, JobRef, Outcome, Span};

/// Orders each batch for the night's date, and on some sites again for the business date after it, a day later.
pub(super) fn of(dice: &mut Dice, site: Site, night: &WhichNight) -> Result<Made, BadSite> {
    let calendars = Arc::new(Calendars::new(&site.calendars));
    let trial = dice.percent(8);
    let mut asked = Vec::new();
    let mut at = night.begins;
    for batch in site.batches.values() {
        asked.push(one(dice, batch, (at, BusinessDate(night.date)), trial)?);
        at += Duration::from_secs(1 + dice.of(0..3_600));
    }
    if dice.percent(15) {
        let mut at = night.begins + Duration::from_secs(86_400);
        for batch in site.batches.values() {
            let next = match &batch.calendar {
                Some(calendar) => calendars.add(calendar, night.date, 1).ok(),
                None => night.date.checked_add(1.day()).ok(),
            };
            let Some(next) = next else { continue };
            asked.push(one(dice, batch, (at, BusinessDate(next)), trial)?);
            at += Duration::from_secs(1 + dice.of(0..3_600));
        }
    }
    let (mut known, mut news) = (BTreeMap::new(), BTreeMap::new());
    for (job, date) in of_other_dates(&site, &calendars, &asked)? {
        // Of the good outcomes, because nobody here could ever mend a bad one.
        let outcomes =
            [Outcome::Succeeded, Outcome::Skipped, Outcome::NotScheduled, Outcome::Forced];
        let outcome = outcomes[dice.of(0..8).saturating_sub(4) as usize];
        if dice.percent(75) {
            known.insert((job, date), outcome);
        } else {
            let mut at = night.begins + Duration::from_secs(dice.of(1..6 * 3_600));
            while news.contains_key(&at) {
                at += Duration::from_secs(1);
            }
            news.insert(at, (job, date, outcome));
        }
    }
    asked.sort_by_key(|asked| asked.at);
    let site = Arc::new(site);
    Ok(Made { site, calendars, begins: night.begins, asked, known, news })
}

fn one(
    dice: &mut Dice,
    batch: &Batch,
    (at, date): (Timestamp, BusinessDate),
    trial: bool,
) -> Result<Asked, BadSite> {
    let mut order = Order::of(batch.id.clone(), operator()?);
    order.business_date = Some(date);
    order.trial = trial;
    match dice.of(0..20) {
        0 => order.only = some(dice, batch),
        1 => order.from = some(dice, batch),
        2 => order.window_override = Some("made up".to_owned()),
        _ => {}
    }
    let mut expected = BTreeMap::new();
    for job in batch.jobs.iter().filter(|job| job.expected.is_some()) {
        if dice.percent(20) {
            expected.insert(job.name.clone(), Span::seconds(dice.of(1..LONGEST)));
        }
    }
    Ok(Asked { at, order, expected })
}

fn some(dice: &mut Dice, batch: &Batch) -> Vec<JobName> {
    let jobs = batch.jobs.iter().filter(|_| dice.percent(40));
    jobs.map(|job| job.name.clone()).collect()
}

/// Needed jobs of dates for which nothing is ordered here.
fn of_other_dates(
    site: &Site,
    calendars: &Calendars,
    asked: &[Asked],
) -> Result<BTreeSet<(JobRef, BusinessDate)>, BadSite> {
    let here: BTreeSet<(BatchId, Option<BusinessDate>)> =
        asked.iter().map(|asked| (asked.order.batch.clone(), asked.order.business_date)).collect();
    let mut others = BTreeSet::new();
    for asked in asked {
        let ordered = order::resolve(site, calendars, asked.order.clone(), asked.at)?;
        others.extend(ordered.across.into_iter().filter_map(|need| {
            let date = need.wanted()?;
            let elsewhere = !here.contains(&(need.job.batch.clone(), Some(date)));
            elsewhere.then_some((need.job, date))
        }));
    }
    Ok(others)
}
