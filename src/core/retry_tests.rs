use std::time::Duration;

use super::fact::{Action, Fact, RunResult};
use super::night::{Command, Event};
use super::phase::Phase;
use super::test_night::{Night, boot, local, name, site};
use super::test_site::job;
use crate::definition::site::{EndingKind, Freeze, FreezeScope, Job};
use crate::types::{BootId, Ending, Outcome, Span, Text};

fn retrying(name: &str, max: u32) -> Job {
    let mut job = job(name, &[]);
    job.retry.max = max;
    job.retry.wait = Span::seconds(10);
    job.retry.growth = 3.0;
    job.retry.on = vec![EndingKind::Exit];
    job
}

#[test]
fn each_wait_before_a_retry_grows() {
    let mut night = Night::of(vec![retrying("a", 2)]);
    assert_eq!(night.started(), ["a/1"]);
    night.bad("a");
    assert!(matches!(night.phase("a"), Phase::RetryWait { wait, .. } if wait.as_secs() == 10));
    night.pass(9);
    assert!(night.started().is_empty());
    night.pass(1);
    assert_eq!(night.started(), ["a/2"]);
    night.bad("a");
    assert!(matches!(night.phase("a"), Phase::RetryWait { wait, .. } if wait.as_secs() == 30));
    assert_eq!(night.core.next_wake().since_boot, Some(Duration::from_secs(1000 + 40)));
    night.pass(30);
    assert_eq!(night.started(), ["a/3"]);
    night.bad("a");
    assert_eq!(night.outcome("a"), Some(Outcome::Failed));
    assert_eq!(night.run().result, Some(RunResult::Failed));
}

#[test]
fn only_the_listed_endings_are_tried_again() {
    let mut night = Night::of(vec![retrying("a", 2)]);
    night.end("a", Ending::TimedOut);
    assert_eq!(night.outcome("a"), Some(Outcome::Failed));
}

#[test]
fn one_fault_opens_one_incident_and_a_good_retry_closes_it() {
    let mut night = Night::of(vec![job("a", &[]), job("b", &["a"])]);
    let turn = night.bad("a");
    let opened = |facts: &[Fact]| {
        facts.iter().filter(|fact| matches!(fact, Fact::IncidentOpened { .. })).count()
    };
    assert_eq!(opened(&turn.facts), 1);
    let told = turn.facts.iter().find_map(|fact| match fact {
        Fact::IncidentOpened(what) => Some((what.blocks.clone(), what.notify.len())),
        _ => None,
    });
    assert_eq!(told, Some((vec![name("b")], 1)));
    assert_eq!(night.outcome("b"), Some(Outcome::Blocked));
    night.started();
    night.act(Action::Retry { job: name("a") }).unwrap();
    assert_eq!(night.started(), ["a/2"]);
    let again = night.bad("a");
    assert_eq!(opened(&again.facts), 0, "the same fault");
    night.act(Action::Retry { job: name("a") }).unwrap();
    let turn = night.good("a");
    assert!(turn.facts.iter().any(|fact| matches!(fact, Fact::IncidentClosed { .. })));
    night.good("b");
    assert_eq!(night.run().result, Some(RunResult::Well));
}

#[test]
fn late_double_and_disordered_reports_move_nothing() {
    let mut night = Night::of(vec![retrying("a", 1)]);
    let first = night.ended("a", Ending::Exited { code: 1 });
    night.must(Event::Ended(Box::new(first.clone())));
    let before = night.core.state().clone();
    let again = night.must(Event::Ended(Box::new(first.clone())));
    assert!(again.facts.is_empty());
    assert!(matches!(again.commands[..], [Command::Recorded { .. }]), "the agent may forget it");
    night.must(Event::Started { attempt: first.attempt.clone(), pid: 7, at: night.now.wall });
    assert_eq!(*night.core.state(), before);
    night.pass(10);
    night.must(Event::Ended(Box::new(first)));
    assert_eq!(*night.phase("a"), Phase::Starting, "the second attempt is not the first");
    let second = night.attempt("a");
    night.good("a");
    night.must(Event::Started { attempt: second, pid: 8, at: night.now.wall });
    assert_eq!(night.outcome("a"), Some(Outcome::Succeeded));
}

#[test]
fn an_attempt_that_the_same_boot_does_not_know_is_started_with_the_same_id() {
    let mut night = Night::of(vec![job("a", &[])]);
    night.started();
    night.restart(&boot());
    let turn = night.must(Event::HostUp { host: local(), boot: boot() });
    let attempt = night.attempt("a");
    let asked = Command::Ask { host: local(), attempts: vec![attempt.clone()] };
    assert_eq!(turn.commands, [asked]);
    let turn = night.must(Event::NotKnown { attempt: attempt.clone() });
    assert_eq!(turn.commands, [Command::Start { attempt }]);
    assert!(turn.facts.is_empty());
}

#[test]
fn what_its_host_has_not_begun_is_taken_back_once_it_may_not_begin_any_more() {
    let mut site = site(vec![job("a", &[])]);
    site.freezes.push(Freeze {
        reason: Text::en("Year end"),
        from: "2026-10-30T22:00:00Z".parse().unwrap(),
        to: "2026-10-30T23:00:00Z".parse().unwrap(),
        scope: FreezeScope::default(),
    });
    let mut night = Night::with(site, |_| {});
    let first = night.attempt("a");
    let given_again = |turn: super::night::Turn| {
        turn.commands.iter().any(|command| matches!(command, Command::Start { .. }))
    };
    night.pass(60);
    assert!(given_again(night.must(Event::NotKnown { attempt: first.clone() })));
    night.pass(3_000);
    assert!(!given_again(night.must(Event::NotKnown { attempt: first })), "frozen by now");
    assert!(matches!(night.phase("a"), Phase::RetryWait { .. }));
    assert_eq!(night.run().jobs[0].tries, 0, "it has not had its try");
    night.started();
    night.pass(3_600);
    assert_eq!(night.started(), ["a/2"], "the freeze is over");
}

#[test]
fn an_attempt_that_another_boot_does_not_know_is_lost() {
    let mut night = Night::of(vec![job("a", &[])]);
    let other = BootId("boot-2".to_owned());
    night.restart(&other);
    night.must(Event::HostUp { host: local(), boot: other });
    night.must(Event::NotKnown { attempt: night.attempt("a") });
    assert!(matches!(night.phase("a"), Phase::InDoubt { why } if why.contains("restarted")));
    assert_eq!(night.run().result, Some(RunResult::Failed), "people are asked");
}

#[test]
fn an_attempt_that_a_new_spool_of_the_same_boot_does_not_know_may_still_run() {
    let mut night = Night::of(vec![job("a", &[])]);
    let other = BootId(format!("{}:another-spool", boot().0));
    night.restart(&other);
    night.must(Event::HostUp { host: local(), boot: other });
    night.must(Event::NotKnown { attempt: night.attempt("a") });
    assert!(matches!(night.phase("a"), Phase::InDoubt { why } if why.contains("lost its spool")));
}

#[test]
fn a_retry_whose_predecessor_fails_meanwhile_is_blocked_and_opened_again_with_it() {
    let mut late = retrying("b", 1);
    late.needs = job("b", &["a"]).needs;
    let mut night = Night::of(vec![job("a", &[]), late]);
    night.good("a");
    night.bad("b");
    let (run, by) = (night.run_id(), night.run().opened.by.clone());
    let reason = "wrong input".to_owned();
    night.must(Event::Rerun { run, jobs: vec![name("a")], by, reason });
    night.pass(60);
    assert!(matches!(night.phase("b"), Phase::RetryWait { .. }), "a is not over");
    night.bad("a");
    assert_eq!(night.outcome("b"), Some(Outcome::Blocked));
    night.act(Action::Retry { job: name("a") }).unwrap();
    night.started();
    night.good("a");
    assert_eq!(night.started(), ["b/2"]);
}

/// `j` waits for the pool when what it needs is run again, and so is queued twice by the time that it starts.
#[test]
fn a_job_that_was_queued_before_waits_for_its_next_try_all_the_same() {
    let pool = crate::types::PoolName::new("ledger").unwrap();
    let mut jobs = vec![job("h", &[]), job("x", &[]), retrying("j", 1)];
    jobs[2].needs = job("j", &["h"]).needs;
    for (job, priority) in jobs.iter_mut().zip([2, 1, 0]) {
        job.pools.insert(pool.clone(), 1);
        job.priority = priority;
    }
    let mut site = site(jobs);
    site.pools.insert(pool, 1);
    let mut night = Night::with(site, |_| {});
    night.good("h");
    assert_eq!(night.started(), ["h/1", "x/1"]);
    let (run, by) = (night.run_id(), super::test_night::li_wei());
    let reason = "once more".to_owned();
    night.must(Event::Rerun { run, jobs: vec![name("h")], by, reason });
    night.good("x");
    night.good("h");
    assert_eq!(night.started(), ["h/2", "j/1"]);
    night.bad("j");
    assert!(night.started().is_empty());
    night.pass(10);
    assert_eq!(night.started(), ["j/2"]);
}
