//! Which calendars a batch cannot do without.

use std::collections::BTreeSet;

use super::day_rule::needs_calendar;
use crate::definition::site::{
    Batch, DayRule, Job, Kind, Need, NeedOf, Schedule, ScheduleRule, Site,
};
use crate::types::{CalendarName, WindowClass};

/// The calendars that the batch cannot do without.
pub(super) fn calendars_used<'a>(site: &'a Site, batch: &'a Batch) -> BTreeSet<&'a CalendarName> {
    let own = batch.calendar.as_ref();
    let scheduled = batch.schedule.iter().filter_map(schedule_days);
    let rules = scheduled.chain(batch.jobs.iter().flat_map(|job| &job.days));
    let mut used: BTreeSet<&CalendarName> =
        rules.filter_map(|rule| calendar_of(Some(rule), own)).collect();
    let counts = |need: &Need| matches!(need.of, NeedOf::Across { offset, .. } if offset != 0);
    if batch.business_date.offset != 0
        || batch.jobs.iter().any(|job| job.needs.iter().any(counts) || names_other_dates(job))
    {
        used.extend(own);
    }
    let classes = batch.window.iter().chain(batch.jobs.iter().flat_map(|job| &job.window));
    for class in classes.collect::<BTreeSet<_>>() {
        let rules = window_rules(site, class);
        used.extend(rules.filter_map(|rule| calendar_of(Some(rule), site.calendar.as_ref())));
    }
    used
}

/// Whether a job's words ask for the business day before or after.
fn names_other_dates(job: &Job) -> bool {
    let asks =
        |text: &str| text.contains("{prev_business_date}") || text.contains("{next_business_date}");
    let kind = match &job.kind {
        Kind::Run { argv } => argv.iter().any(|text| asks(text)),
        Kind::Shell { script } => asks(script),
        Kind::WaitFile { path, .. } => asks(path),
        Kind::Inspect { checks, .. } => checks.iter().any(|check| check.any_text(asks)),
        _ => false,
    };
    kind || job.env.values().any(|text| asks(text))
        || job.dir.as_ref().is_some_and(|dir| asks(&dir.to_string_lossy()))
}

/// The calendar words of a schedule that has them.
pub(super) fn schedule_days(schedule: &Schedule) -> Option<&DayRule> {
    match &schedule.rule {
        ScheduleRule::Days { on, .. } => Some(on),
        ScheduleRule::Cron(_) => None,
    }
}

/// The calendar that a rule's answers come from, where it needs one.
pub(super) fn calendar_of<'a>(
    rule: Option<&'a DayRule>,
    default: Option<&'a CalendarName>,
) -> Option<&'a CalendarName> {
    rule.filter(|rule| needs_calendar(rule)).and_then(|rule| rule.calendar.as_ref().or(default))
}

/// The day words of a window class.
pub(super) fn window_rules<'a>(
    site: &'a Site,
    class: &WindowClass,
) -> impl Iterator<Item = &'a DayRule> {
    site.windows.get(class).into_iter().flat_map(|window| &window.open).map(|open| &open.days)
}
