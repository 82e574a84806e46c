//! Two supervisors of one site serve from one database and one agent: one leads, the other stands by.

use rustix::process::Signal;

use super::facts::eventually;
use super::pair::Pair;
use crate::api::exchange;
use crate::postgres_server::Server;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

fn pair() -> Pair {
    let pair = Pair::new(CHAIN, Server::shared());
    pair.house.gates(&["b"]);
    pair
}

#[track_caller]
fn nothing_is_doubled(pair: &Pair) {
    assert_eq!(pair.house.ran(), ["a 1", "b 1", "c 1"]);
    pair.house.nothing_is_lost();
}

#[test]
fn when_the_leader_is_killed_the_one_that_stands_by_takes_its_jobs_over() {
    let pair = pair();
    let mut first = pair.serve("one");
    first.notice("serving 0 schedules");
    let ordered = pair.order("one");
    first.started("b");
    let mut second = pair.serve("two");
    second.notice("standing by: another supervisor leads");
    // Meanwhile it answers who only looks.
    let runs = pair.command("two", &["runs"]).output().unwrap();
    assert!(String::from_utf8_lossy(&runs.stdout).contains("night@"), "{runs:?}");
    // Its pages say who leads, where whoever looks would press something.
    let status = pair.get("two", "/api/v1/status").ok().json();
    let run = status["runs"][0]["head"]["run"].as_str().unwrap().replace('#', "%23");
    let path = format!("/runs/{run}/jobs/b");
    let html = [("accept", "text/html")];
    let job = exchange(pair.socket("two"), ("GET", &path), &html, None).ok().body;
    assert!(job.contains("this supervisor stands by (another supervisor leads"), "{job}");
    first.kill();
    assert_eq!(second.event("run-resumed", "")["running"], 1);
    pair.house.say("b", "go");
    second.ended("c");
    second.event("run-ended", "");
    assert_ne!(
        ordered.over().code,
        Some(0),
        "whoever followed is told that its supervisor has gone"
    );
    second.signal(Signal::TERM);
    second.ends(0);
    nothing_is_doubled(&pair);
}

#[test]
fn a_leader_that_was_stopped_past_its_lease_starts_and_writes_nothing_more() {
    let pair = pair();
    let mut first = pair.serve("one");
    first.notice("serving 0 schedules");
    let ordered = pair.order("one");
    first.started("b");
    first.signal(Signal::STOP);
    let mut second = pair.serve("two");
    assert_eq!(second.event("run-resumed", "")["running"], 1);
    first.signal(Signal::CONT);
    pair.house.say("b", "go");
    let over = first.ends(1);
    let said = over.err.join("\n");
    assert!(said.contains("no longer leads") || said.contains("follows epoch"), "{said}");
    assert!(over.events("started", "c").is_empty(), "{over:?}");
    second.ended("c");
    second.event("run-ended", "");
    drop(ordered);
    second.signal(Signal::TERM);
    second.ends(0);
    nothing_is_doubled(&pair);
    // The report is mailed once, and not by each of them.
    eventually("the report", || !pair.mails("two").is_empty());
    assert_eq!((pair.mails("one").len(), pair.mails("two").len()), (0, 1));
}

#[test]
fn one_that_stands_by_can_be_told_to_end() {
    let pair = pair();
    let first = pair.serve("one");
    first.notice("serving 0 schedules");
    let second = pair.serve("two");
    second.notice("standing by");
    second.signal(Signal::TERM);
    second.ends(0);
    first.signal(Signal::TERM);
    first.ends(0);
    // The lead was given back: the next one need not wait for it to run out.
    let third = pair.serve("two");
    third.notice("serving 0 schedules");
    third.signal(Signal::TERM);
    third.ends(0);
}
