//! Days and rounds, as tables with given times.

use jiff::civil::DateTime;

use super::*;
use crate::core::event::Event;
use crate::core::test_night::{self, Night};
use crate::core::test_site;
use crate::definition::site::{DayRule, Days, RoundRule};
use crate::types::{CheckName, Ending, Reading, Severity, Thresholds, Unit};
use crate::wire::Work;

const ZONE: &str = "Europe/Berlin";

fn rule(per_day: u32, days: Days) -> RoundRule {
    RoundRule {
        batch: BatchId::new("eod").unwrap(),
        per_day,
        days: DayRule { days, offset: 0, calendar: None },
        from: None,
        to: None,
    }
}

fn house(rounds: Vec<RoundRule>) -> Site {
    let mut site = test_site::site(Vec::new());
    site.zone = Zone::named(ZONE).unwrap();
    site.inspections = Some(InspectionRules { rounds, severity: Severity::P3 });
    site
}

fn local(text: &str) -> Timestamp {
    text.parse::<DateTime>().unwrap().in_tz(ZONE).unwrap().timestamp()
}

/// A round of the day that ended then; its run is named by the instant.
fn round(known: &mut Inspected, date: &str, ended: &str, site: &Site) {
    let at = local(ended);
    let run: RunId = format!("eod@{}#1", at.strftime("%Y%m%dT%H%M%SZ")).parse().unwrap();
    let date: Date = date.parse().unwrap();
    let late = at >= end_of(date, &site.zone);
    known.rounds.insert(run.clone(), Round { run, date, at, late, ok: 1, warn: 0, fail: 0 });
}

/// What is counted by a supervisor that begins, and looks at each of these times.
fn counted(site: &Site, known: &mut Inspected, looks: &[&str]) -> Vec<String> {
    let calendars = Calendars::new(&site.calendars);
    let mut told = Vec::new();
    for look in looks {
        while let Some(day) = due(site, &calendars, known, local(look)) {
            let lines = day.batches.iter().map(|line| format!(" {}/{}", line.done, line.wanted));
            told.push(format!("{}:{}", day.date, lines.collect::<String>()));
            known.days.insert(day.date, (local(look), day.batches));
        }
    }
    told
}

/// Rounds by their days and ends, looks of a supervisor, what it counts.
type Case =
    (&'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str]);

#[test]
fn a_day_is_counted_once_when_it_is_over() {
    let mon_fri = [true, true, true, true, true, false, false];
    let site = house(vec![rule(2, Days::Weekdays(mon_fri))]);
    // Friday 2026-10-30; on Sunday 2026-10-25 the clock had been set back.
    let table: [Case; 8] = [
        // The day on which it begins is nobody's fault.
        (&[], &["2026-10-29T12:00", "2026-10-29T23:59"], &["2026-10-29:"]),
        (
            &[("2026-10-30", "2026-10-30T08:00"), ("2026-10-30", "2026-10-30T23:59")],
            &["2026-10-29T12:00", "2026-10-30T23:59", "2026-10-31T00:00", "2026-10-31T00:01"],
            &["2026-10-29:", "2026-10-30: 2/2"],
        ),
        // A late one counts for no day, and more than wanted are no fault.
        (
            &[("2026-10-29", "2026-10-30T00:00"), ("2026-10-30", "2026-10-30T08:00")],
            &["2026-10-28T12:00", "2026-10-31T09:00"],
            &["2026-10-28:", "2026-10-29: 0/2", "2026-10-30: 1/2"],
        ),
        // A weekend, slept through by whoever supervises.
        (
            &[("2026-10-31", "2026-10-31T08:00")],
            &["2026-10-30T12:00", "2026-11-03T07:00"],
            &["2026-10-30:", "2026-10-31: 1/0", "2026-11-01:", "2026-11-02: 0/2"],
        ),
        // 25 hours, and then 23.
        (
            &[],
            &["2026-10-24T12:00", "2026-10-25T23:59", "2026-10-26T00:00"],
            &["2026-10-24:", "2026-10-25:"],
        ),
        (
            &[],
            &["2027-03-27T12:00", "2027-03-28T23:59", "2027-03-29T00:00"],
            &["2027-03-27:", "2027-03-28:"],
        ),
        // A clock that is set back an hour counts nothing twice.
        (
            &[],
            &["2026-10-29T12:00", "2026-10-31T00:10", "2026-10-30T23:10", "2026-10-31T00:10"],
            &["2026-10-29:", "2026-10-30: 0/2"],
        ),
        // What one that was a week ahead has counted is counted anew, each day when it is really over.
        (
            &[("2026-10-30", "2026-10-30T08:00")],
            &["2026-10-29T12:00", "2026-11-02T12:00", "2026-10-30T12:00", "2026-10-31T09:00"],
            &["2026-10-29:", "2026-10-30: 1/2", "2026-10-31:", "2026-11-01:", "2026-10-30: 1/2"],
        ),
    ];
    for (rounds, looks, expected) in table {
        let mut known = Inspected::default();
        rounds.iter().for_each(|(date, ended)| round(&mut known, date, ended, &site));
        assert_eq!(counted(&site, &mut known, looks), expected, "{rounds:?} {looks:?}");
    }
}

#[test]
fn the_rule_that_asks_for_most_counts_and_none_asks_for_a_time_before_it() {
    let date = |text: &str| Some(text.parse::<Date>().unwrap());
    let year_end =
        RoundRule { from: date("2026-12-28"), to: date("2027-01-03"), ..rule(6, Days::EveryDay) };
    let mut site = house(vec![
        rule(4, Days::EveryDay),
        year_end,
        // No calendar can say whether it is one: then it is.
        RoundRule {
            from: date("2026-12-31"),
            to: date("2026-12-31"),
            ..rule(8, Days::EveryBusinessDay)
        },
        RoundRule { batch: BatchId::new("other").unwrap(), ..rule(9, Days::EveryDay) },
    ]);
    let calendars = Calendars::new(&site.calendars);
    let rules = site.inspections.clone().unwrap();
    let eod = BatchId::new("eod").unwrap();
    let wanted = |day: &str| wanted(&rules, &calendars, &eod, day.parse().unwrap());
    let days = ["2026-12-27", "2026-12-28", "2026-12-31", "2027-01-03", "2027-01-04"];
    assert_eq!(days.map(wanted), [4, 6, 8, 6, 4]);

    let mut known = Inspected::default();
    site.inspections = None;
    assert_eq!(counted(&site, &mut known, &["2026-11-01T12:00"]), Vec::<String>::new());
    site.inspections =
        Some(InspectionRules { rounds: vec![rule(4, Days::EveryDay)], severity: Severity::P3 });
    assert_eq!(counted(&site, &mut known, &["2026-11-01T12:00"]), ["2026-11-01:"]);
    site.inspections = None;
    assert_eq!(counted(&site, &mut known, &["2026-11-03T12:00"]), ["2026-11-02:"]);
    site.inspections = Some(rules);
    assert_eq!(counted(&site, &mut known, &["2026-11-04T12:00"]), ["2026-11-03: 0/4 0/9"]);
}

fn found(name: &str, value: f64) -> Checked {
    let value = Reading::new(value).unwrap();
    let thresholds =
        Thresholds { warn: Reading::new(1.0), fail: Reading::new(2.0), ..Thresholds::default() };
    Checked {
        name: CheckName::new(name).unwrap(),
        value: Some(value),
        unit: Unit::Number,
        thresholds,
        verdict: thresholds.verdict(value),
        words: String::new(),
    }
}

fn inspects(name: &str) -> crate::definition::site::Job {
    let mut job = test_site::job(name, &[]);
    job.kind = Kind::Inspect { target: None, checks: Vec::new() };
    job
}

/// A night whose batch is counted, with two inspections and another job.
fn night(per_day: u32) -> Night {
    let mut site =
        test_night::site(vec![inspects("one"), inspects("two"), test_site::job("long", &[])]);
    let batch = site.batches.keys().next().unwrap().clone();
    let of_batch = RoundRule { batch, ..rule(per_day, Days::EveryDay) };
    site.inspections = Some(InspectionRules { rounds: vec![of_batch], severity: Severity::P3 });
    Night::with(site, |_| {})
}

fn tell(night: &mut Night, job: &str, code: i32, work: Option<Work>) {
    let ended = night.ended(job, Ending::Exited { code });
    night.must(Event::Ended(Box::new(crate::wire::Ended { work, ..ended })));
}

fn rounds(night: &Night) -> Vec<(u32, u32, u32)> {
    let facts = night.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::RoundInspected(round) => Some((round.ok, round.warn, round.fail)),
        _ => None,
    });
    facts.collect()
}

#[test]
fn a_run_is_a_round_once_all_of_its_inspections_have_told_what_they_found() {
    let checks = |values: &[f64]| {
        let all = values.iter().enumerate().map(|(n, value)| found(&format!("c{n}"), *value));
        Some(Work::Inspect { checks: all.collect() })
    };
    let mut night = night(4);
    tell(&mut night, "one", 0, checks(&[0.0, 1.0]));
    assert_eq!(rounds(&night), [], "one has not told");
    // Ends well by its code, and has told nothing.
    tell(&mut night, "two", 1, None);
    assert_eq!(rounds(&night), []);
    night.act(crate::core::fact::Action::Retry { job: test_night::name("two") }).unwrap();
    tell(&mut night, "two", 1, checks(&[2.0]));
    // What else the batch does is not waited for.
    assert_eq!(rounds(&night), [(1, 1, 1)]);
    night.good("long");
    assert_eq!(rounds(&night), [(1, 1, 1)], "once");
    assert!(
        night.core.state().incidents.values().any(|i| i.what.job == Some(test_night::name("two")))
    );
}

#[test]
fn a_clock_that_was_ahead_puts_no_count_off_once_it_is_right_again() {
    let mut night = night(4);
    let (right, site) = (night.now.wall, std::sync::Arc::clone(&night.site));
    night.must(Event::Serve { site, observes: false, revision: None });
    let counted =
        |night: &Night| night.core.state().standing.inspected.last_counted(Timestamp::MAX);
    assert_eq!(counted(&night), Some("2026-10-30".parse().unwrap()));
    night.pass(20 * 24 * 3600);
    assert_eq!(counted(&night), Some("2026-11-18".parse().unwrap()));
    night.now.wall = right;
    night.must(Event::Tick);
    // The first day after the one on which counting began is over at the end of the 31st.
    let end = "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap();
    assert!(night.core.next_wake().wall.is_some_and(|wake| wake <= end));
}
