//! Whether jobs that need each other can ever be scheduled for the same business date.
//!
//! A calendar's data reach a year or two, and a quarter may begin on a Friday only later. So "never" is looked for
//! over 28 years, after which dates fall on the same weekdays again; behind their data, calendars go on with their
//! weekly rule.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::calendar::{Calendars, days_between, plus};
use super::cron_time::CivilCron;
use super::day_rule::Part;
use crate::definition::site::{Batch, Calendar, CalendarRule, DayRule, Job, ScheduleRule};
use crate::types::{BatchId, CalendarName};

/// Until dates fall on the same weekdays again.
const DAYS: i32 = 28 * 365 + 7;

/// Answers for a site, each question once.
#[derive(Debug)]
pub(super) struct SameDay<'a> {
    declared: &'a BTreeMap<CalendarName, Calendar>,
    /// With the weekly rule beyond their data; laid out when first asked.
    endless: OnceCell<Calendars>,
    today: Date,
    /// Every schedule and every `days:` once: batches and jobs share few.
    dates: Vec<Dates<'a>>,
    batches: HashMap<&'a BatchId, usize>,
    rules: Vec<(&'a DayRule, Option<&'a CalendarName>)>,
    together: HashMap<(Days, Days), bool>,
    at_all: HashMap<Days, bool>,
}

/// Numbers of a batch's dates and of a job's own days.
type Days = (usize, Option<usize>);

/// The business dates of a batch's starts.
#[derive(Debug, PartialEq)]
struct Dates<'a> {
    /// `None`: ordered by hand, for any date.
    schedule: Option<&'a ScheduleRule>,
    offset: i32,
    calendar: Option<&'a CalendarName>,
    cron: Option<CivilCron>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unknown if other() == Self::No => Self::No,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl<'a> SameDay<'a> {
    pub(super) fn new(declared: &'a BTreeMap<CalendarName, Calendar>, today: Date) -> Self {
        Self {
            declared,
            endless: OnceCell::new(),
            today,
            dates: Vec::new(),
            batches: HashMap::new(),
            rules: Vec::new(),
            together: HashMap::new(),
            at_all: HashMap::new(),
        }
    }

    /// Whether two jobs never have a business date in common, although each has some.
    pub(super) fn never(&mut self, one: (&'a Batch, &'a Job), other: (&'a Batch, &'a Job)) -> bool {
        let key = (self.days(one), self.days(other));
        if let Some(known) = self.together.get(&key) {
            return *known;
        }
        let never = self.apart(|date| (self.on(key.0, date), self.on(key.1, date)));
        self.together.insert(key, never);
        never
    }

    /// Whether a job takes part on none of its batch's dates, although both its days and the batch's dates exist.
    pub(super) fn never_at_all(&mut self, batch: &'a Batch, job: &'a Job) -> bool {
        let (dates, Some(rule)) = self.days((batch, job)) else { return false };
        if let Some(known) = self.at_all.get(&(dates, Some(rule))) {
            return *known;
        }
        let never = self.apart(|date| (self.on_rule(rule, date), self.on((dates, None), date)));
        self.at_all.insert((dates, Some(rule)), never);
        never
    }

    fn days(&mut self, (batch, job): (&'a Batch, &'a Job)) -> Days {
        let calendar = batch.calendar.as_ref();
        let dates = match self.batches.get(&batch.id) {
            Some(known) => *known,
            None => {
                let schedule = batch.schedule.as_ref().map(|schedule| &schedule.rule);
                let cron = match schedule {
                    Some(ScheduleRule::Cron(text)) => text.parse().ok(),
                    _ => None,
                };
                let offset = batch.business_date.offset;
                let new = number(&mut self.dates, Dates { schedule, offset, calendar, cron });
                self.batches.insert(&batch.id, new);
                new
            }
        };
        let rule = job
            .days
            .as_ref()
            .map(|rule| number(&mut self.rules, (rule, rule.calendar.as_ref().or(calendar))));
        (dates, rule)
    }

    fn on(&self, (dates, rule): Days, date: Date) -> Answer {
        let own = rule.map_or(Answer::Yes, |rule| self.on_rule(rule, date));
        own.and(|| {
            self.dates.get(dates).map_or(Answer::Unknown, |dates| self.on_dates(dates, date))
        })
    }

    fn on_rule(&self, rule: usize, date: Date) -> Answer {
        let Some((rule, calendar)) = self.rules.get(rule) else { return Answer::Unknown };
        self.answer(rule, *calendar, date)
    }

    fn answer(&self, rule: &DayRule, calendar: Option<&CalendarName>, date: Date) -> Answer {
        match self.endless().takes_part(rule, calendar, date) {
            Part::Yes => Answer::Yes,
            Part::No { .. } => Answer::No,
            Part::Unknown { .. } => Answer::Unknown,
        }
    }

    /// Whether a start of the batch has that business date.
    fn on_dates(&self, dates: &Dates<'_>, date: Date) -> Answer {
        let starts_on = |day: Date| match (dates.schedule, &dates.cron) {
            (None, _) => Answer::Yes,
            (Some(ScheduleRule::Days { on, .. }), _) => self.answer(on, dates.calendar, day),
            (Some(ScheduleRule::Cron(_)), Some(cron)) if cron.fires_on(day) => Answer::Yes,
            (Some(ScheduleRule::Cron(_)), _) => Answer::No,
        };
        let origins = match dates.calendar {
            _ if dates.offset == 0 || dates.schedule.is_none() => return starts_on(date),
            None => return Answer::Unknown,
            Some(calendar) => match self.endless().origins(calendar, date, dates.offset) {
                Err(_) => return Answer::Unknown,
                Ok(None) => return Answer::No,
                Ok(Some(origins)) => origins,
            },
        };
        let mut answer = if origins.complete { Answer::No } else { Answer::Unknown };
        for at in 0..=days_between(origins.first, origins.last) {
            match starts_on(plus(origins.first, at)) {
                Answer::Yes => return Answer::Yes,
                Answer::Unknown => answer = Answer::Unknown,
                Answer::No => {}
            }
        }
        answer
    }

    /// Never together, although each comes by itself; what is unknown might be together.
    fn apart(&self, on: impl Fn(Date) -> (Answer, Answer)) -> bool {
        let (mut one_comes, mut other_comes) = (false, false);
        // The data of the months behind us count too: there the holidays are known.
        for at in -366..DAYS {
            let (one, other) = on(plus(self.today, at));
            let known = one == Answer::No || other == Answer::No;
            if !known && (at >= 0 || one == Answer::Yes && other == Answer::Yes) {
                return false;
            }
            one_comes |= one == Answer::Yes;
            other_comes |= other == Answer::Yes;
        }
        one_comes && other_comes
    }

    fn endless(&self) -> &Calendars {
        self.endless.get_or_init(|| {
            let mut calendars = self.declared.clone();
            for calendar in calendars.values_mut() {
                if matches!(calendar.rule, CalendarRule::Listed { .. }) {
                    // More than is looked at, so that the last year is known to its end.
                    calendar.last = calendar.last.max(plus(self.today, DAYS + 400));
                }
            }
            Calendars::new(&calendars)
        })
    }
}

/// The place of a thing in a list that has each once.
fn number<T: PartialEq>(list: &mut Vec<T>, thing: T) -> usize {
    list.iter().position(|known| *known == thing).unwrap_or_else(|| {
        list.push(thing);
        list.len() - 1
    })
}
