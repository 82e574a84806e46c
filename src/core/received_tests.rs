use std::time::Duration;

use super::fact::{Action, Fact, JobOfRun, Received};
use super::night::{Event, StepError};
use super::obstacle::Obstacle;
use super::phase::Phase;
use super::refused::Rule;
use super::test_night::{Night, boot, name, opened, site};
use super::test_site::job;
use crate::definition::site::{Job, Kind};
use crate::types::{EventKey, EventName, Outcome, PersonId, RunId, Span};

fn delivered() -> EventName {
    EventName::new("positions-delivered").unwrap()
}

fn wait(needs: &[&str], limit: Option<Span>) -> Job {
    let mut wait = job("wait", needs);
    wait.kind = Kind::WaitEvent { event: delivered(), limit };
    wait
}

fn received(key: &str, date: &str) -> Received {
    Received {
        key: EventKey::new(key).unwrap(),
        event: delivered(),
        business_date: date.parse().unwrap(),
        parameters: Default::default(),
        by: PersonId::new("core-banking").unwrap(),
        reason: String::new(),
        runs: Vec::new(),
        jobs: Vec::new(),
    }
}

fn told(key: &str, date: &str) -> Event {
    Event::Receive(Box::new(received(key, date)))
}

fn obstacles(night: &Night) -> Vec<Obstacle> {
    night.core.obstacles(night.run().id(), night.index("wait"), night.now).unwrap()
}

#[test]
fn a_job_waits_for_its_needs_and_for_the_event_of_its_date() {
    let mut night = Night::of(vec![job("a", &[]), wait(&["a"], None), job("b", &["wait"])]);
    let event = delivered();
    assert!(obstacles(&night).contains(&Obstacle::WaitsForEvent { event, until: None }));
    night.must(told("other", "2026-10-29"));
    night.good("a");
    night.started();
    night.pass(3600);
    assert!(night.started().is_empty(), "an event of another date");
    let turn = night.must(told("k", "2026-10-30"));
    let run: RunId = "eod@2026-10-30#1".parse().unwrap();
    let jobs = vec![JobOfRun { run, job: name("wait") }];
    let fact = Fact::EventReceived(Box::new(Received { jobs, ..received("k", "2026-10-30") }));
    assert_eq!(turn.facts[0], fact);
    assert_eq!(night.outcome("wait"), Some(Outcome::Succeeded));
    assert_eq!(night.started(), ["b/1"]);
    night.restart(&boot());
}

#[test]
fn an_event_that_comes_before_the_needs_are_done_is_not_lost() {
    let mut night = Night::of(vec![job("a", &[]), wait(&["a"], None), job("b", &["wait"])]);
    night.must(told("k", "2026-10-30"));
    assert_eq!(night.phase("wait"), &Phase::Waiting);
    night.started();
    night.good("a");
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn an_event_counts_for_runs_that_are_opened_up_to_a_week_after_it() {
    for (days, counts) in [(0, true), (6, true), (7, true), (8, false)] {
        let mut night = Night::new(site(vec![wait(&[], None)]));
        night.must(told("k", "2026-10-30"));
        night.pass(days * 86_400);
        night.open(opened("eod", night.now.wall), Vec::new());
        assert_eq!(night.outcome("wait").is_some(), counts, "{days}");
    }
}

#[test]
fn the_same_key_does_nothing_and_with_another_content_is_refused() {
    let mut night = Night::of(vec![wait(&[], None)]);
    night.must(told("k", "2026-10-30"));
    assert_eq!(night.must(told("k", "2026-10-30")).facts, []);
    let before = night.core.state().clone();
    let mut other = received("k", "2026-10-30");
    other.parameters.insert("branch".to_owned(), "002".to_owned());
    for again in [told("k", "2026-10-29"), Event::Receive(Box::new(other))] {
        let Err(StepError::Refused(refused)) = night.step(again) else { panic!("not refused") };
        assert_eq!(refused.rule, Some(Rule::KeyUsed));
        assert!(refused.to_string().contains("another event needs another key"), "{refused}");
    }
    assert_eq!(*night.core.state(), before);
    // After five weeks the key is free.
    night.pass(35 * 86_400);
    assert!(night.core.state().standing.events.is_empty());
    assert!(matches!(night.facts.last(), Some((_, Fact::EventForgotten { .. }))));
    night.must(told("k", "2026-12-04"));
}

#[test]
fn an_event_that_has_not_come_within_its_limit_fails_the_job_and_opens_an_incident() {
    let limit = Some(Span::seconds(3600));
    let mut night = Night::of(vec![job("a", &[]), wait(&["a"], limit), job("b", &["wait"])]);
    night.pass(7200);
    night.good("a");
    let due = night.now.wall + Duration::from_secs(3600);
    assert_eq!(night.core.next_wake().wall, Some(due));
    let until = Some(due);
    assert_eq!(obstacles(&night), [Obstacle::WaitsForEvent { event: delivered(), until }]);
    night.pass(3599);
    assert_eq!(night.phase("wait"), &Phase::Waiting);
    let turn = night.pass(1);
    assert_eq!(night.outcome("wait"), Some(Outcome::Failed));
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::IncidentOpened { .. })));
    // It waits anew, and then it comes.
    night.act(Action::Retry { job: name("wait") }).unwrap();
    night.started();
    night.pass(3599);
    let turn = night.must(told("k", "2026-10-30"));
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::IncidentClosed { .. })));
    assert_eq!(night.started(), ["b/1"]);
}

#[test]
fn people_decide_without_the_event_and_a_held_job_waits_though_it_came() {
    let waits = || Night::of(vec![wait(&[], None), job("b", &["wait"])]);
    let mut night = waits();
    night.act(Action::Force { job: name("wait") }).unwrap();
    assert_eq!(night.started(), ["b/1"]);
    night.must(told("k", "2026-10-30"));
    assert_eq!(night.outcome("wait"), Some(Outcome::Forced));
    let mut night = waits();
    night.act(Action::Hold { job: name("wait") }).unwrap();
    night.must(told("k", "2026-10-30"));
    assert_eq!(night.phase("wait"), &Phase::Waiting);
    night.act(Action::Release { job: name("wait") }).unwrap();
    assert_eq!(night.started(), ["b/1"]);
    assert!(waits().act(Action::Confirm { job: name("wait") }).is_err());
}

#[test]
fn a_trial_hears_no_event_and_waits_for_none() {
    let mut night = Night::new(site(vec![job("a", &[]), wait(&["a"], None)]));
    let mut trial = opened("eod", night.now.wall);
    trial.trial = true;
    night.open(trial, Vec::new());
    let turn = night.must(told("k", "2026-10-30"));
    assert!(matches!(&turn.facts[0], Fact::EventReceived(received) if received.jobs.is_empty()));
    night.good("a");
    assert_eq!(night.outcome("wait"), Some(Outcome::Succeeded));
}
