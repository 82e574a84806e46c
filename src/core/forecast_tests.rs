use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::time;

use super::fact::{Action, StopHow};
use super::forecast::{self, JobForecast, Opening};
use super::night::Event;
use super::obstacle::Obstacle;
use super::test_night::{Night, across, li_wei, name, opened, site};
use super::test_site::{batch, job};
use crate::definition::site::{Days, Job, Kind, Site};
use crate::types::{BusinessDate, Outcome, PoolName, Span, Text};

fn takes(name: &str, needs: &[&str], seconds: u64) -> Job {
    Job { expected: Some(Span::seconds(seconds)), ..job(name, needs) }
}

fn at(text: &str) -> Timestamp {
    format!("2026-10-30T{text}Z").parse().unwrap()
}

/// The jobs of one run, opened at 21:30, of the first batch.
fn planned(site: Site) -> Vec<JobForecast> {
    let opening = Opening { at: at("21:30:00"), opened: Box::new(opened("eod", at("21:30:00"))) };
    let definitions = [("d".to_owned(), Arc::new(site))];
    let forecast = forecast::of_openings(&definitions, vec![opening], BTreeMap::new()).unwrap();
    forecast.runs.into_values().next().unwrap().jobs
}

fn starts(jobs: &[JobForecast]) -> Vec<Option<Timestamp>> {
    jobs.iter().map(|job| job.start).collect()
}

#[test]
fn a_plan_follows_needs_pools_times_and_people() {
    let pool = PoolName::new("ledger").unwrap();
    let mut one = takes("one", &["a"], 60);
    let mut two = takes("two", &["a"], 60);
    for job in [&mut one, &mut two] {
        job.pools.insert(pool.clone(), 1);
    }
    let mut until = job("until", &[]);
    until.kind = Kind::WaitUntil { time: time(23, 0, 0, 0) };
    let mut ask = job("ask", &["until"]);
    ask.kind = Kind::Confirm { question: Text::en("Go?"), role: None };
    let mut not_today = takes("monthly", &[], 5);
    not_today.days = Some(super::test_site::rule(Days::Once(jiff::civil::date(2020, 1, 1)), 0));
    let jobs =
        vec![takes("a", &[], 600), one, two, until, ask, takes("b", &["ask"], 10), not_today];
    let mut site = site(jobs);
    site.pools.insert(pool, 1);
    let jobs = planned(site);
    let (late, eleven) = (Some(at("21:40:00")), Some(at("23:00:00")));
    assert_eq!(
        starts(&jobs),
        [
            Some(at("21:30:00")),
            late,
            Some(at("21:41:00")),
            Some(at("21:30:00")),
            eleven,
            eleven,
            None
        ]
    );
    assert_eq!(jobs[3].end, eleven, "the wait lasts until its time");
    assert!(jobs[4].assumed && !jobs[5].assumed);
    assert_eq!(jobs[5].end, Some(at("23:00:10")));
    assert_eq!(jobs[6].outcome, Some(Outcome::NotScheduled));
}

#[test]
fn what_never_starts_says_what_is_in_the_way() {
    let site = site(vec![takes("a", &["rep.print"], 1), takes("b", &["a"], 1)]);
    let mut opened = opened("eod", at("21:30:00"));
    opened.across = vec![across("rep.print")];
    let opening = Opening { at: at("21:30:00"), opened: Box::new(opened) };
    let definitions = [("d".to_owned(), Arc::new(site))];
    let forecast = forecast::of_openings(&definitions, vec![opening], BTreeMap::new()).unwrap();
    let run = forecast.runs.values().next().unwrap();
    assert_eq!(run.end, None);
    assert!(matches!(run.jobs[0].obstacles[..], [Obstacle::Across { outcome: None, .. }]));
    assert!(matches!(run.jobs[1].obstacles[..], [Obstacle::Need { .. }]));
}

#[test]
fn a_live_night_is_forecast_from_where_it_stands() {
    let mut night = Night::of(vec![takes("a", &[], 600), takes("b", &["a"], 60)]);
    let end = |night: &Night| {
        let forecast = forecast::of_night(&night.core, night.now).unwrap();
        forecast.runs.values().next().unwrap().end
    };
    assert_eq!(end(&night), Some(at("21:41:00")));
    night.pass(900);
    assert_eq!(end(&night), Some(at("21:46:00")), "a has run over: it is expected to end now");
    let before = night.core.state().clone();
    night.good("a");
    assert_ne!(*night.core.state(), before);
    night.pass(30);
    assert_eq!(end(&night), Some(at("21:46:00")));
    let mut stopping = Night::of(vec![takes("a", &[], 600), takes("b", &["a"], 60)]);
    stopping.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
    assert_eq!(end(&stopping), None, "b is not started any more");
}

#[test]
fn a_held_or_failed_job_leaves_the_end_open() {
    let mut night = Night::of(vec![takes("a", &[], 600), takes("b", &["a"], 60)]);
    night.act(Action::Hold { job: name("b") }).unwrap();
    let run = |night: &Night| {
        let forecast = forecast::of_night(&night.core, night.now).unwrap();
        forecast.runs.into_values().next()
    };
    let held = run(&night).unwrap();
    assert_eq!(held.end, None);
    assert!(matches!(held.jobs[1].obstacles[..], [Obstacle::Held(_)]));
    assert_eq!(night.run().result, None, "looking ahead moves nothing");
    night.bad("a");
    assert_eq!(run(&night), None, "the run has ended");
}

#[test]
fn runs_of_one_plan_share_hosts_and_wait_for_each_other() {
    let mut site = site(vec![takes("close", &[], 600)]);
    let report = batch("rep", None, vec![takes("print", &["eod.close"], 60)]);
    site.batches.insert(report.id.clone(), report.into());
    let definitions = [("d".to_owned(), Arc::new(site))];
    let mut report = opened("rep", at("21:31:00"));
    report.across = vec![across("eod.close")];
    let openings = vec![
        Opening { at: at("21:31:00"), opened: Box::new(report) },
        Opening { at: at("21:30:00"), opened: Box::new(opened("eod", at("21:30:00"))) },
    ];
    let forecast = forecast::of_openings(&definitions, openings, BTreeMap::new()).unwrap();
    let print = forecast.runs.iter().find(|(run, _)| run.batch.as_str() == "rep").unwrap().1;
    assert_eq!(print.jobs[0].start, Some(at("21:40:00")));
    assert_eq!(print.end, Some(at("21:41:00")));
}

#[test]
fn a_trial_needs_nothing_of_other_runs() {
    let site = site(vec![takes("a", &["rep.print@-1bd"], 1)]);
    let night = Night::with(site, |opened| {
        opened.trial = true;
        let date = BusinessDate(jiff::civil::date(2026, 10, 29));
        opened.across = vec![super::fact::AcrossNeed { date, ..across("rep.print") }];
    });
    assert!(night.phase("a").in_flight());
}

/// `rep` is over before the job that it would have needed comes out.
#[test]
fn a_run_that_is_over_early_does_not_trouble_those_that_it_needed() {
    let mut site = site(vec![takes("close", &[], 60)]);
    let rep = batch("rep", None, vec![takes("print", &["eod.close"], 1), takes("mail", &[], 1)]);
    site.batches.insert(rep.id.clone(), rep.into());
    let mut part = opened("rep", at("21:30:00"));
    part.across = vec![across("eod.close")];
    part.only = vec![name("mail")];
    let whole = opened("eod", at("21:30:00"));
    let openings =
        [part, whole].map(|opened| Opening { at: at("21:30:00"), opened: opened.into() });
    let definitions = [("d".to_owned(), Arc::new(site))];
    let forecast = forecast::of_openings(&definitions, openings.to_vec(), BTreeMap::new()).unwrap();
    let ends: Vec<_> = forecast.runs.values().map(|run| run.end).collect();
    assert_eq!(ends, [Some(at("21:31:00")), Some(at("21:30:01"))]);
}
