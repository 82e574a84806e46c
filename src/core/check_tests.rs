use std::sync::Arc;

use jiff::civil::{Time, date, time};

use super::super::calendar::tests::{listed, named};
use super::super::test_site::{batch, cron, job, on_days, rule, site};
use super::*;
use crate::definition::site::{
    BusinessDateRule, Change, DayRule, Escalation, ExceptionKind, InspectionRules, Kind, Opening,
    Period, RoundRule, RowLimits, Schedule, Window,
};
use crate::types::{ChangeId, TargetName, Text, Zone};

const TODAY: Date = date(2026, 10, 30);

#[test]
fn a_runbook_that_was_not_reviewed_for_long_is_said_where_the_site_says_how_often() {
    let with = |name, reviewed: Option<Date>| {
        let (runbook, runbook_reviewed) = (Some(Text::en("Call the desk.")), reviewed);
        Job { runbook, runbook_reviewed, ..job(name, &[]) }
    };
    let jobs = vec![
        with("never", None),
        with("old", Some(date(2026, 7, 31))),
        with("today", Some(date(2026, 8, 1))),
        job("none", &[]),
    ];
    let mut site = bank(vec![batch("eod", None, jobs)]);
    let said = |site: &Site| -> Vec<String> {
        told(site, TODAY).into_iter().filter(|line| line.contains("runbook")).collect()
    };
    assert_eq!(said(&site), [""; 0], "nobody asks");
    site.escalation = Some(Arc::new(Escalation {
        policies: Default::default(),
        policy: "night".parse().unwrap(),
        severities: Default::default(),
        clocks: Vec::new(),
        drills: Default::default(),
        review_runbooks: Some(90),
        warn_before: Span::default(),
        overlap: Span::default(),
    }));
    assert_eq!(
        said(&site),
        [
            "W eod.never: nobody says when its runbook was reviewed, which is due every 90 days",
            "W eod.old: its runbook was reviewed on 2026-07-31, and that is due every 90 days",
        ]
    );
}

fn class(name: &str) -> WindowClass {
    WindowClass::new(name).unwrap()
}

fn nth(nth: i32, of: Period) -> DayRule {
    rule(Days::NthBusinessDay { nth, of }, 0)
}

fn days_of(mut job: Job, days: DayRule) -> Job {
    job.days = Some(days);
    job
}

/// A site whose every batch has the calendar `bank` (2025 and 2026) and a change window of two hours on weekdays.
fn bank(batches: Vec<Batch>) -> Site {
    let batches =
        batches.into_iter().map(|batch| Batch { calendar: Some(named("bank")), ..batch }).collect();
    let mut site = site(batches);
    site.calendar = Some(named("bank"));
    let closed = [(date(2026, 12, 25), ExceptionKind::Holiday, "Christmas Day")];
    let bank = listed(date(2025, 1, 1), date(2026, 12, 31), &closed);
    site.calendars.insert(named("bank"), bank);
    window(&mut site, "change", rule(Days::EveryBusinessDay, 0), time(22, 0, 0, 0));
    site
}

/// A window of two hours.
fn window(site: &mut Site, name: &str, days: DayRule, from: Time) {
    let to = from.wrapping_add(SignedDuration::from_hours(2));
    let open = vec![Opening { days, from, to, zone: Zone::utc(), only_while: None }];
    site.windows.insert(class(name), Window { title: Text::default(), open });
}

fn nightly() -> Schedule {
    on_days(Days::EveryBusinessDay, &[time(21, 30, 0, 0)], "Europe/Berlin")
}

/// `severity batch.job: what`, a line each.
fn told(site: &Site, today: Date) -> Vec<String> {
    let line = |finding: &Finding| {
        let severity = if finding.severity == Severity::Error { "E" } else { "W" };
        let batch = finding.batch.as_ref().map_or("-", BatchId::as_str);
        let job = finding.job.as_ref().map_or("-", JobName::as_str);
        assert!(!finding.hint.is_empty());
        format!("{severity} {batch}.{job}: {}", finding.what)
    };
    check(site, today).iter().map(line).collect()
}

#[test]
fn a_sound_site_has_no_findings() {
    let mut change = job("change", &["close", "eod.close@-1bd"]);
    change.window = Some(class("change"));
    change.expected = Some(Span::seconds(3600));
    let jobs = vec![
        job("close", &[]),
        change,
        days_of(job("month-end", &["close"]), nth(-1, Period::Month)),
        days_of(job("year-end", &["month-end"]), nth(-1, Period::Year)),
    ];
    let mut month = batch(
        "month",
        Some(cron("0 3 1 * *", "Europe/Berlin")),
        vec![job("statement", &["eod.close"])],
    );
    month.business_date = BusinessDateRule { offset: -1 };
    assert_eq!(
        told(&bank(vec![batch("eod", Some(nightly()), jobs), month]), TODAY),
        Vec::<String>::new()
    );
}

#[test]
fn a_schedule_that_never_fires_is_an_error() {
    let table: [(Schedule, &[&str]); 7] = [
        (cron("0 12 29 FEB *", "UTC"), &[]),
        (
            cron("0 12 31 FEB *", "UTC"),
            &["E b.-: the schedule `0 12 31 FEB *` starts nothing within four years"],
        ),
        (
            cron("0 12 31 FEB", "UTC"),
            &[
                "E b.-: `0 12 31 FEB` has 4 fields: write five (minute hour day month weekday), such as `30 21 * * MON-FRI`",
            ],
        ),
        (
            on_days(Days::NthBusinessDay { nth: 6, of: Period::Week }, &[time(9, 0, 0, 0)], "UTC"),
            // The week in which the data end is not known to its end.
            &[
                "W b.-: the schedule starts nothing as far as is known: calendar `bank` has no data for 2027-01-01 (it covers 2025-01-01 to 2026-12-31): bring its file up to date",
            ],
        ),
        (
            on_days(Days::Weekdays([false; 7]), &[time(9, 0, 0, 0)], "UTC"),
            &["E b.-: the schedule `` starts nothing within four years"],
        ),
        (
            on_days(Days::EveryDay, &[], "UTC"),
            &["E b.-: the schedule `every day` starts nothing within four years"],
        ),
        (
            on_days(Days::Once(date(2026, 10, 29)), &[time(9, 0, 0, 0)], "UTC"),
            &["W b.-: the schedule's only day, 2026-10-29, has passed"],
        ),
    ];
    for (schedule, expected) in table {
        let rule = format!("{:?}", schedule.rule);
        assert_eq!(
            told(&bank(vec![batch("b", Some(schedule), Vec::new())]), TODAY),
            expected,
            "{rule}"
        );
    }
}

#[test]
fn jobs_that_need_each_other_must_have_a_day_in_common() {
    let first = nth(1, Period::Month);
    let last = nth(-1, Period::Month);
    let jobs = vec![
        days_of(job("first", &[]), first.clone()),
        days_of(job("last", &["first"]), last.clone()),
        days_of(job("repair", &["first:failed"]), last.clone()),
        days_of(job("after", &["first:ended"]), last.clone()),
        // A quarter's first day is a month's first day; the friday of one week in many is a month's last.
        days_of(job("quarter", &["first"]), nth(1, Period::Quarter)),
        days_of(
            job("friday", &["last"]),
            rule(Days::Weekdays([false, false, false, false, true, false, false]), 0),
        ),
        days_of(
            job("saturday", &[]),
            rule(Days::Weekdays([false, false, false, false, false, true, false]), 0),
        ),
    ];
    let saturday = on_days(
        Days::Weekdays([false, false, false, false, false, true, false]),
        &[time(9, 0, 0, 0)],
        "UTC",
    );
    let weekly =
        batch("weekly", Some(saturday), vec![job("sum", &["eod.quarter", "eod.first@-1bd"])]);
    let site = bank(vec![batch("eod", Some(nightly()), jobs), weekly]);
    let common = "which can never be scheduled on the same day";
    assert_eq!(
        told(&site, TODAY),
        [
            format!("E eod.last: needs `first`, {common}"),
            format!("E eod.repair: needs `first:failed`, {common}"),
            "W eod.saturday: takes part on `sat`, which is never a date of the batch".to_owned(),
            format!("E weekly.sum: needs `eod.quarter`, {common}"),
        ]
    );
    // The saturday's work is for the business day before it.
    let mut site = site;
    let mut weekly = Batch::clone(&site.batches[&BatchId::new("weekly").unwrap()]);
    weekly.business_date = BusinessDateRule { offset: -1 };
    site.batches.insert(weekly.id.clone(), Arc::new(weekly));
    assert!(
        !told(&site, TODAY).iter().any(|line| line.contains("weekly")),
        "2027 begins on a Friday, beyond the data"
    );
}

#[test]
fn the_end_of_a_calendar_is_told_before_and_after() {
    let site = bank(vec![
        batch("eod", Some(nightly()), Vec::new()),
        batch("free", Some(cron("0 3 * * *", "UTC")), vec![job("a", &[])]),
    ]);
    assert_eq!(told(&site, date(2026, 11, 30)), Vec::<String>::new());
    assert_eq!(
        told(&site, date(2026, 12, 2)),
        ["W -.-: the data of calendar `bank` end on 2026-12-31: 29 days left"]
    );
    assert_eq!(
        told(&site, date(2027, 1, 4)),
        [
            "E eod.-: the data of calendar `bank` ended on 2026-12-31; what goes by it does not run",
            "W -.-: window `change` does not open within 400 days; nothing belongs to it",
        ]
    );
    // Used through a need, a job's words, a window.
    let mut word = job("word", &[]);
    word.env.insert("DAY".to_owned(), "{prev_business_date}".to_owned());
    let mut windowed = job("windowed", &[]);
    windowed.window = Some(class("change"));
    for user in [job("need", &["eod.a@-1bd"]), word, windowed] {
        let site = bank(vec![batch("user", None, vec![user])]);
        assert_eq!(
            told(&site, date(2027, 1, 4))[0],
            "E user.-: the data of calendar `bank` ended on 2026-12-31; what goes by it does not run"
        );
    }
}

#[test]
fn what_fits_into_no_window_is_an_error() {
    let in_window = |name: &str, minutes: u64, window: &str| {
        let mut job = job(name, &[]);
        job.expected = Some(Span::seconds(minutes * 60));
        job.window = Some(class(window));
        job
    };
    let mut correction = in_window("correct", 78, "change");
    correction.kind = Kind::Change { change: ChangeId::new("fee").unwrap(), environment: None };
    let mut eod = batch(
        "eod",
        None,
        vec![
            in_window("fits", 80, "change"),
            in_window("long", 81, "change"),
            correction,
            in_window("never", 1, "past"),
            in_window("apart", 1, "noon"),
            in_window("overlap", 40, "eve"),
            in_window("overlap-long", 41, "eve"),
        ],
    );
    eod.window = Some(class("change"));
    let mut site = bank(vec![eod]);
    site.changes.insert(
        ChangeId::new("fee").unwrap(),
        Change {
            verify_takes: Span::seconds(120),
            rollback_takes: Span::seconds(120),
            ..Change::plain(
                ChangeId::new("fee").unwrap(),
                TargetName::new("bank").unwrap(),
                RowLimits { min: 1, max: 1 },
            )
        },
    );
    window(&mut site, "past", rule(Days::Once(date(2026, 10, 1)), 0), time(9, 0, 0, 0));
    window(&mut site, "noon", rule(Days::EveryDay, 0), time(12, 0, 0, 0));
    window(&mut site, "eve", rule(Days::EveryDay, 0), time(21, 0, 0, 0));
    window(&mut site, "unused", rule(Days::Once(date(2026, 10, 1)), 0), time(9, 0, 0, 0));
    let rule_words = "(1.5 × expected, verification, rollback)";
    assert_eq!(
        told(&site, TODAY),
        [
            "W -.-: window `unused` does not open within 400 days; nothing belongs to it"
                .to_owned(),
            format!(
                "E eod.long: needs 2h1m30s {rule_words}, but `change` is never open for more than 2h"
            ),
            format!(
                "E eod.correct: needs 2h1m {rule_words}, but `change` is never open for more than 2h"
            ),
            "W eod.never: the only days of window `past` have passed".to_owned(),
            "E eod.apart: windows `change` and `noon` are not open together within 400 days"
                .to_owned(),
            format!(
                "E eod.overlap-long: needs 1h1m30s {rule_words}, but `change` and `eve` is never open for more than 1h"
            ),
        ]
    );
}

#[test]
fn a_need_counted_beyond_the_calendar_is_an_error() {
    let needing =
        |needs: &[&str]| batch("eod", Some(nightly()), vec![job("close", &[]), job("a", needs)]);
    let site = bank(vec![needing(&["eod.close@-1bd", "eod.close@-600bd"])]);
    assert_eq!(
        told(&site, TODAY),
        [
            "E eod.a: needs `eod.close@-600bd`, counted from 2026-10-30: calendar `bank` has no data for 2024-12-31 (it covers 2025-01-01 to 2026-12-31): bring its file up to date"
        ]
    );
    // What lies before `since` counts as done.
    let mut since = needing(&["eod.close@-600bd"]);
    since.since = Some(date(2026, 10, 1));
    assert_eq!(told(&bank(vec![since]), TODAY), Vec::<String>::new());
    let mut none = bank(vec![needing(&["eod.close@-1bd"])]);
    let mut eod = needing(&["eod.close@-1bd"]);
    eod.schedule = None;
    none.batches.insert(eod.id.clone(), Arc::new(eod));
    assert_eq!(
        told(&none, TODAY),
        ["E eod.a: needs `eod.close@-1bd`, but the batch names no calendar to count in"]
    );
}

#[test]
fn a_site_of_ten_thousand_jobs_is_looked_at_without_a_wait() {
    let batches = (0..500).map(|number| {
        let jobs = (0..20).map(|at| {
            let before = match at {
                0..3 => format!("b{}.j{at}@-1bd", (number + 1) % 500),
                _ => format!("j{}", at - 3),
            };
            let mut job =
                job(&format!("j{at}"), &[&before, &format!("b{}.j19:failed", (number + 7) % 500)]);
            job.window = Some(class("change"));
            job.expected = Some(Span::seconds(60));
            if at % 3 == 0 { days_of(job, nth(-1 - (at % 2), Period::Month)) } else { job }
        });
        batch(&format!("b{number}"), Some(nightly()), jobs.collect())
    });
    let site = bank(batches.collect());
    // The days of j0, j3, … are the last and the last but one of the month by turns, and never meet.
    let findings = check(&site, TODAY);
    assert_eq!(findings.len(), 6 * 500);
    assert!(findings.iter().all(|finding| finding.what.contains("never be scheduled")));
}

/// Times of a schedule on business days, rounds that every day or only business days want, what is said.
#[test]
fn a_schedule_that_makes_fewer_rounds_than_a_day_must_have_is_said() {
    let at = |hours: &[i8]| hours.iter().map(|hour| time(*hour, 0, 0, 0)).collect::<Vec<_>>();
    let weekend = "W look.-: its schedule makes 0 of the 2 rounds of inspections that 2026-10-31 must have; such days within 35: 10";
    let monday = "W look.-: its schedule makes 2 of the 3 rounds of inspections that 2026-11-02 must have; such days within 35: 25";
    let table: [(&[i8], Days, u32, &[&str]); 5] = [
        (&[7, 19], Days::EveryBusinessDay, 2, &[]),
        (&[7, 13, 19], Days::EveryBusinessDay, 2, &[]),
        // The first instant of a day is of that day.
        (&[0, 19], Days::EveryBusinessDay, 2, &[]),
        (&[7, 19], Days::EveryDay, 2, &[weekend]),
        (&[7, 19], Days::EveryBusinessDay, 3, &[monday]),
    ];
    for (hours, days, per_day, expected) in table {
        let schedule = on_days(Days::EveryBusinessDay, &at(hours), "UTC");
        let mut site = bank(vec![batch("look", Some(schedule), Vec::new())]);
        site.zone = Zone::utc();
        let days = DayRule { calendar: Some(named("bank")), ..rule(days, 0) };
        let batch = BatchId::new("look").unwrap();
        let rule = RoundRule { batch, per_day, days, from: None, to: None };
        let (rounds, severity) = (vec![rule], crate::types::Severity::P3);
        site.inspections = Some(InspectionRules { rounds, severity });
        assert_eq!(told(&site, TODAY), expected, "{hours:?}");
        // What another system orders is not known here; what nobody makes is.
        let look = Arc::make_mut(site.batches.values_mut().next().unwrap());
        look.schedule = None;
        assert!(told(&site, TODAY)[0].contains("its schedule makes 0 of the"), "{hours:?}");
        let look = Arc::make_mut(site.batches.values_mut().next().unwrap());
        look.on_event = Some("look-now".parse().unwrap());
        assert_eq!(told(&site, TODAY), [""; 0], "{hours:?}");
    }
}
