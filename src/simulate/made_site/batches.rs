//! Batches: their calendars, schedules, windows and deadlines, and how many jobs each has.

use std::collections::BTreeMap;

use jiff::civil::{Time, time};

use super::which_night::{WhichNight, zone};
use super::{BadSite, Pools, calendars, jobs, needs};
use crate::definition::site::{
    Batch, BusinessDateRule, Change, DayRule, Days, FoldPolicy, GapPolicy, Job, Missed, Period,
    Schedule, ScheduleRule,
};
use crate::simulate::dice::Dice;
use crate::types::{BatchId, CalendarName, ChangeId, Span, Text, WindowClass, Zone};

const IDS: [&str; 4] = ["eod", "reports", "archive", "close"];

/// What batches and jobs may name.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) windows: Vec<WindowClass>,
    pub(super) pools: &'a Pools,
}

/// One to four batches; later ones may need jobs of earlier ones.
pub(super) fn all(
    dice: &mut Dice,
    night: &WhichNight,
    named: &Named<'_>,
    jobs: usize,
) -> Result<(Vec<Batch>, BTreeMap<ChangeId, Change>), BadSite> {
    let jobs = jobs.max(1);
    let count = (dice.of(1..5) as usize).min(jobs);
    let mut changes = BTreeMap::new();
    let mut batches: Vec<Batch> = Vec::new();
    let mut left = jobs;
    for (number, id) in IDS.into_iter().take(count).enumerate() {
        let rest = count - number - 1;
        let own = if rest == 0 { left } else { dice.of(1..(left - rest) as u64 + 1) as usize };
        left -= own;
        let mut batch = empty(dice, night, named, id)?;
        let shape = needs::shape(dice);
        for at in 0..own {
            let mut job = jobs::job(dice, night, named, &batch, at)?;
            if let Some((id, change)) = jobs::change_of(dice, &batch, &job)? {
                changes.insert(id, change);
            }
            job.needs = needs::of(dice, &shape, (&batch, &job), &batches);
            batch.jobs.push(job);
        }
        batches.push(batch);
    }
    Ok((batches, changes))
}

pub(super) fn empty(
    dice: &mut Dice,
    night: &WhichNight,
    named: &Named<'_>,
    id: &str,
) -> Result<Batch, BadSite> {
    let calendar = if dice.percent(75) { Some(calendars::bank()?) } else { None };
    let zone = if dice.percent(70) { night.zone.clone() } else { Zone::named(zone(dice))? };
    let schedule =
        if dice.percent(60) { Some(schedule(dice, &zone, calendar.as_ref())) } else { None };
    let deadline = |dice: &mut Dice, percent| dice.percent(percent).then(|| night_time(dice));
    let window = if dice.percent(20) { dice.pick(&named.windows).cloned() } else { None };
    Ok(Batch {
        id: BatchId::new(id)?,
        title: Text::en(id),
        team: None,
        file: format!("{id}.yaml").into(),
        since: None,
        // Counted back from the date of the start, which takes a calendar.
        on_event: None,
        business_date: BusinessDateRule {
            offset: if calendar.is_some() && dice.percent(20) { -1 } else { 0 },
        },
        calendar,
        schedule,
        zone,
        window,
        must_start_by: deadline(dice, 15),
        must_complete_by: deadline(dice, 40),
        severity: None,
        escalation: None,
        parameters: BTreeMap::new(),
        jobs: Vec::<Job>::new(),
        list: None,
    })
}

/// Between 20:00 and 06:00.
pub(super) fn night_time(dice: &mut Dice) -> Time {
    let minutes = (20 * 60 + dice.of(0..600)) % 1440;
    time((minutes / 60) as i8, (minutes % 60) as i8, 0, 0)
}

fn schedule(dice: &mut Dice, zone: &Zone, calendar: Option<&CalendarName>) -> Schedule {
    let days = |days| DayRule { days, offset: 0, calendar: calendar.cloned() };
    let at = vec![night_time(dice)];
    let rule = match (dice.of(0..5), calendar) {
        (0, Some(_)) => ScheduleRule::Days { on: days(Days::EveryBusinessDay), at },
        (1, Some(_)) => {
            let last = Days::NthBusinessDay { nth: -1, of: Period::Month };
            ScheduleRule::Days { on: days(last), at }
        }
        (2, _) => ScheduleRule::Cron("30 21 * * MON-FRI".to_owned()),
        (3, _) => ScheduleRule::Cron("30 2 * * *".to_owned()),
        _ => ScheduleRule::Days { on: days(Days::EveryDay), at },
    };
    let gaps = [GapPolicy::Shift, GapPolicy::Skip];
    let folds = [FoldPolicy::First, FoldPolicy::Second, FoldPolicy::Both];
    Schedule {
        rule,
        zone: zone.clone(),
        gap: gaps[dice.of(0..2) as usize],
        fold: folds[dice.of(0..3) as usize],
        missed: Missed::Latest { limit: Span::seconds(3600) },
    }
}
