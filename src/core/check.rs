//! Defects of a site that only time shows: schedules that never fire, windows that nothing fits into, calendars that
//! end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendars;
use super::calendar_use::{calendar_of, calendars_used, schedule_days, window_rules};
use super::day_rule::words;
use super::gate::must_fit_of;
use super::manuals::{Unreviewed, unreviewed_of};
use super::opening::later;
use super::rounds_ahead::{TooFew, too_few};
use super::same_day::SameDay;
use super::schedule::{LeftOutReason, next, timetable};
use super::window::Windows;
use crate::definition::site::{Batch, DayRule, Days, Job, Need, NeedOf, ScheduleRule, Site};
use crate::types::{BatchId, CalendarName, Condition, JobName, Span, WindowClass};

/// How far ahead a schedule is looked at.
const AHEAD: SignedDuration = SignedDuration::from_hours(4 * 366 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// `None` for what belongs to no batch, such as a calendar.
    pub batch: Option<BatchId>,
    pub job: Option<JobName>,
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// What is wrong with the site as seen from the beginning of `today` in its zone: calendars first, then batch by batch.
pub fn check(site: &Site, today: Date) -> Vec<Finding> {
    let calendars = Calendars::new(&site.calendars);
    let now = today.to_zoned(site.zone.tz().clone()).map_or(Timestamp::MIN, |day| day.timestamp());
    let mut check = Check {
        site,
        today,
        now,
        calendars: &calendars,
        windows: Windows::new(site),
        longest: BTreeMap::new(),
        jobs: site
            .batches
            .values()
            .flat_map(|batch| {
                batch.jobs.iter().map(|job| ((&batch.id, &job.name), (&**batch, job)))
            })
            .collect(),
        findings: Vec::new(),
    };
    let mut same_day = SameDay::new(&site.calendars, today);
    check.calendars_end();
    check.unused_windows();
    for batch in site.batches.values() {
        check.schedule(batch);
        check.windows(batch);
        check.needs(batch, &mut same_day);
        check.rounds(batch);
        check.manuals(batch);
    }
    check.findings
}

struct Check<'a> {
    site: &'a Site,
    today: Date,
    now: Timestamp,
    calendars: &'a Calendars,
    windows: Windows,
    /// The longest common opening of classes, each asked once.
    longest: BTreeMap<Vec<&'a WindowClass>, Option<Duration>>,
    jobs: HashMap<(&'a BatchId, &'a JobName), (&'a Batch, &'a Job)>,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn say(
        &mut self,
        severity: Severity,
        at: (Option<&BatchId>, Option<&JobName>),
        what: String,
        hint: impl Into<String>,
    ) {
        let (batch, job) = (at.0.cloned(), at.1.cloned());
        self.findings.push(Finding { severity, batch, job, what, hint: hint.into() });
    }

    /// A round that no schedule makes is missed unless somebody orders it.
    fn rounds(&mut self, batch: &Batch) {
        let found = too_few(self.site, self.calendars, batch, self.today);
        let Some(TooFew { date, made, wanted, days }) = found else { return };
        let what = format!(
            "its schedule makes {made} of the {wanted} rounds of inspections that {date} must have; such days within 35: {days}"
        );
        let hint = "add times to its `schedule:`, or change `inspections:` in site.yaml";
        self.say(Severity::Warning, (Some(&batch.id), None), what, hint);
    }

    /// A manual that nobody has looked through for long leads people astray at 03:00.
    fn manuals(&mut self, batch: &Batch) {
        for Unreviewed { job, reviewed, every, .. } in unreviewed_of(self.site, batch, self.today) {
            let what = match reviewed {
                Some(at) => {
                    format!("its runbook was reviewed on {at}, and that is due every {every} days")
                }
                None => format!(
                    "nobody says when its runbook was reviewed, which is due every {every} days"
                ),
            };
            let hint = "look through it, and put the date into `runbook_reviewed:`";
            self.say(Severity::Warning, (Some(&batch.id), Some(&job)), what, hint);
        }
    }

    fn calendars_end(&mut self) {
        let mut users: BTreeMap<&CalendarName, Vec<&'a BatchId>> = BTreeMap::new();
        for (id, batch) in &self.site.batches {
            for calendar in calendars_used(self.site, batch) {
                users.entry(calendar).or_default().push(id);
            }
        }
        for name in self.site.calendars.keys() {
            let Some(left) = self.calendars.ends_soon(name, self.today) else { continue };
            let hint = format!("add the later dates to the file of calendar `{name}`");
            let last = self.calendars.range(name).map(|(_, last)| last);
            let what = match last {
                None => format!("calendar `{name}` has no data at all"),
                Some(last) if left < 0 => format!("the data of calendar `{name}` ended on {last}"),
                Some(last) => {
                    let days = if left == 1 { "day" } else { "days" };
                    let what =
                        format!("the data of calendar `{name}` end on {last}: {left} {days} left");
                    self.say(Severity::Warning, (None, None), what, hint);
                    continue;
                }
            };
            let batches = users.remove(name).unwrap_or_default();
            if batches.is_empty() {
                self.say(Severity::Warning, (None, None), what.clone(), hint.clone());
            }
            for batch in batches {
                let what = format!("{what}; what goes by it does not run");
                self.say(Severity::Error, (Some(batch), None), what, hint.clone());
            }
        }
    }

    /// Whether the calendar's data ended before today: said once for the calendar, and not again for what follows.
    fn has_ended(&self, calendar: Option<&CalendarName>) -> bool {
        calendar
            .and_then(|name| self.calendars.ends_soon(name, self.today))
            .is_some_and(|left| left < 0)
    }

    fn schedule(&mut self, batch: &Batch) {
        let Some(schedule) = &batch.schedule else { return };
        let default = batch.calendar.as_ref();
        let horizon = later(self.now, AHEAD);
        let first = next(schedule, self.calendars, default, self.now);
        if first.is_some_and(|start| start.at <= horizon) {
            return;
        }
        let at = (Some(&batch.id), None);
        if let Some(day) = schedule_days(schedule).and_then(|rule| passed(rule, self.today)) {
            let what = format!("the schedule's only day, {day}, has passed");
            self.say(Severity::Warning, at, what, "remove the batch, or give it another day");
            return;
        }
        let calendar = calendar_of(schedule_days(schedule), default);
        if self.has_ended(calendar) {
            return;
        }
        let never = timetable(schedule, self.calendars, default, self.now, horizon);
        let unknown = never.left_out.into_iter().find_map(|left_out| match left_out.reason {
            LeftOutReason::Unknown(why) => Some(why),
            LeftOutReason::NotABusinessDay(_) | LeftOutReason::Gap { .. } => None,
        });
        match (&schedule.rule, unknown) {
            (ScheduleRule::Cron(text), Some(why)) => {
                self.say(Severity::Error, at, why, format!("correct `cron: {text}`"));
            }
            (_, Some(why)) => {
                let what = format!("the schedule starts nothing as far as is known: {why}");
                self.say(Severity::Warning, at, what, "bring the calendar up to date");
            }
            (ScheduleRule::Cron(text), None) => {
                let what = format!("the schedule `{text}` starts nothing within four years");
                let hint = "both day and weekday must hold; does the month have that day?";
                self.say(Severity::Error, at, what, hint);
            }
            (ScheduleRule::Days { on, at: times }, None) => {
                let what = format!("the schedule `{}` starts nothing within four years", words(on));
                let hint = if times.is_empty() {
                    "give it `at:` times"
                } else {
                    "is there such a day? A zone's clock may also skip its time (`gap: skip`)"
                };
                self.say(Severity::Error, at, what, hint);
            }
        }
    }

    fn longest(&mut self, classes: &[&'a WindowClass]) -> Option<Duration> {
        if let Some(known) = self.longest.get(classes) {
            return *known;
        }
        let owned: Vec<WindowClass> = classes.iter().map(|class| (*class).clone()).collect();
        let longest = self.windows.longest(&owned, self.now);
        self.longest.insert(classes.to_vec(), longest);
        longest
    }

    fn unused_windows(&mut self) {
        let batches = self.site.batches.values();
        let used: BTreeSet<&WindowClass> = batches
            .flat_map(|batch| {
                batch.window.iter().chain(batch.jobs.iter().flat_map(|job| &job.window))
            })
            .collect();
        for class in self.site.windows.keys().filter(|class| !used.contains(*class)) {
            if self.longest(&[class]).is_none() {
                let what = format!(
                    "window `{class}` does not open within 400 days; nothing belongs to it"
                );
                self.say(Severity::Warning, (None, None), what, "remove it, or correct its days");
            }
        }
    }

    /// Windows that never open, and jobs that fit into none of their openings.
    fn windows(&mut self, batch: &'a Batch) {
        let mut closed: BTreeSet<Vec<&WindowClass>> = BTreeSet::new();
        for job in &batch.jobs {
            let mut classes: Vec<&WindowClass> = batch.window.iter().chain(&job.window).collect();
            classes.dedup();
            if classes.is_empty() {
                continue;
            }
            let names = quoted(&classes);
            let Some(longest) = self.longest(&classes) else {
                if closed.insert(classes.clone()) && !self.window_calendars_ended(&classes) {
                    self.never_open(batch, job, &classes);
                }
                continue;
            };
            let needs = must_fit_of(self.site, job, job.expected, false);
            if needs > longest {
                let (needs, longest) = (Span::of(needs), Span::of(longest));
                let what = format!(
                    "needs {needs} (1.5 × expected, verification, rollback), but {names} is never open for more than {longest}"
                );
                let hint = "shorten the job, split it, or give it a longer window: as it is, it never starts";
                self.say(Severity::Error, (Some(&batch.id), Some(&job.name)), what, hint);
            }
        }
    }

    /// One error for the classes of a batch or of a job, or a warning where all was for days that are over.
    fn never_open(&mut self, batch: &Batch, job: &Job, classes: &[&WindowClass]) {
        let names = quoted(classes);
        let job = job.window.as_ref().map(|_| &job.name);
        let at = (Some(&batch.id), job);
        let over: Vec<&WindowClass> = classes
            .iter()
            .copied()
            .filter(|class| {
                let mut rules = window_rules(self.site, class).peekable();
                rules.peek().is_some() && rules.all(|rule| passed(rule, self.today).is_some())
            })
            .collect();
        if !over.is_empty() {
            let what = format!("the only days of window {} have passed", quoted(&over));
            self.say(
                Severity::Warning,
                at,
                what,
                "remove the work with its window, or give it another day",
            );
            return;
        }
        let what = match classes {
            [_] => format!("window {names} does not open within 400 days"),
            _ => format!("windows {names} are not open together within 400 days"),
        };
        let hint = "correct the window's days, or let the job belong to another";
        self.say(Severity::Error, at, what, hint);
    }

    fn window_calendars_ended(&self, classes: &[&WindowClass]) -> bool {
        classes.iter().any(|class| {
            window_rules(self.site, class)
                .any(|rule| self.has_ended(calendar_of(Some(rule), self.site.calendar.as_ref())))
        })
    }

    fn needs(&mut self, batch: &'a Batch, same_day: &mut SameDay<'a>) {
        for job in &batch.jobs {
            let at = (Some(&batch.id), Some(&job.name));
            if let Some(days) = job.days.as_ref().filter(|_| same_day.never_at_all(batch, job)) {
                let what =
                    format!("takes part on `{}`, which is never a date of the batch", words(days));
                let hint = "correct the job's days or the batch's schedule";
                self.say(Severity::Warning, at, what, hint);
                continue;
            }
            for need in &job.needs {
                let other = match &need.of {
                    NeedOf::Job(name) => self.jobs.get(&(&batch.id, name)),
                    NeedOf::Across { job, offset: 0 } => self.jobs.get(&(&job.batch, &job.job)),
                    NeedOf::Across { offset, .. } => {
                        self.offset_need(batch, job, need, *offset);
                        None
                    }
                };
                let Some(other) = other.copied().filter(|_| need.when != Condition::Ended) else {
                    continue;
                };
                let same_batch = std::ptr::eq(other.0, batch);
                if same_batch && (job.days.is_none() || other.1.days.is_none()) {
                    continue;
                }
                if same_day.never((batch, job), other) {
                    let what = format!(
                        "needs `{}`, which can never be scheduled on the same day",
                        need_words(need)
                    );
                    let hint =
                        "correct the days of one of them, or need it of another date (`@-1bd`)";
                    self.say(Severity::Error, at, what, hint);
                }
            }
        }
    }

    /// A need that counts business days, from today, as an example of every date to come.
    fn offset_need(&mut self, batch: &Batch, job: &Job, need: &Need, offset: i32) {
        let at = (Some(&batch.id), Some(&job.name));
        let Some(calendar) = &batch.calendar else {
            let what = format!(
                "needs `{}`, but the batch names no calendar to count in",
                need_words(need)
            );
            self.say(Severity::Error, at, what, "add `calendar:` to the batch or the site");
            return;
        };
        let Some((first, last)) = self.calendars.range(calendar) else { return };
        let Err(beyond) = self.calendars.add(calendar, self.today, offset) else { return };
        let counts_as_done = match &need.of {
            NeedOf::Across { job, .. } => {
                let since = self.site.batches.get(&job.batch).and_then(|batch| batch.since);
                offset < 0 && since.is_some_and(|since| since >= first)
            }
            NeedOf::Job(_) => false,
        };
        // The end of the data is spoken of by itself when it comes near.
        let near_end = offset > 0 && self.calendars.ends_soon(calendar, self.today).is_some();
        if counts_as_done || near_end || self.today > last {
            return;
        }
        let what = format!("needs `{}`, counted from {}: {beyond}", need_words(need), self.today);
        self.say(Severity::Error, at, what, "correct the offset, or give the calendar more data");
    }
}

/// The only day of a rule, when it is over (or today, and nothing of it is left).
fn passed(rule: &DayRule, today: Date) -> Option<Date> {
    match rule.days {
        Days::Once(day) if day <= today => Some(day),
        _ => None,
    }
}

fn quoted(classes: &[&WindowClass]) -> String {
    classes.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(" and ")
}

fn need_words(need: &Need) -> String {
    let when = match need.when {
        Condition::Ok => "",
        Condition::Ended => ":ended",
        Condition::Failed => ":failed",
    };
    match &need.of {
        NeedOf::Job(job) => format!("{job}{when}"),
        NeedOf::Across { job, offset: 0 } => format!("{job}{when}"),
        NeedOf::Across { job, offset } => format!("{job}@{offset:+}bd{when}"),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
