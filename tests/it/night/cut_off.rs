//! Two supervisors and a database that goes away: from one of them, from both, for a moment, for minutes.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::facts::eventually;
use super::house::{HOSTS, House};
use super::pair::{LEASE, Pair, epochs, no_epoch_goes_down};
use super::watched::Night;
use crate::api::get;
use crate::postgres_server::Server;
use crate::tcp_wire::Way;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait]}
  c: {title: C, run: [sh, job.sh], needs: [a, b]}
";
const ALL_ONCE: [&str; 3] = ["a 1", "b 1", "c 1"];

/// The first leads and has `b` running, the second stands by.
fn under_way() -> (Pair, Night, Night) {
    let pair = Pair::new(CHAIN, Server::shared());
    pair.house.gates(&["b"]);
    let mut first = pair.serve("one");
    first.notice("serving 0 schedules");
    let ordered = pair.order("one");
    first.started("b");
    first.ended("a");
    drop(ordered);
    let second = pair.serve("two");
    second.notice("standing by: another supervisor leads");
    (pair, first, second)
}

/// The leader is cut off from the database, and from nothing else.
fn leader_cut_off(way: Way) {
    let (pair, first, mut second) = under_way();
    pair.wire("one", way);
    let cut = Instant::now();
    assert_eq!(second.event("run-resumed", "")["running"], 1);
    let took = cut.elapsed();
    assert!(took < LEASE * 2, "taken over after {took:?}");
    // The former leader may have ended by now: the agent refuses it.
    pair.house.say("b", "go");
    second.ended("c");
    second.event("run-ended", "");
    let written = epochs(&pair.house);
    pair.wire("one", Way::Through);
    let over = first.ends(1);
    assert!(over.events("started", "c").is_empty(), "{over:?}");
    let said = over.err.join("\n");
    assert!(said.contains("epoch"), "{said}");
    assert_eq!(epochs(&pair.house), written, "the former leader has written");
    // As its unit would: it is started again, and stands by.
    let again = pair.serve("one");
    again.notice("standing by: another supervisor leads");
    eventually("the report", || !pair.mails("two").is_empty());
    for night in [again, second] {
        night.signal(Signal::TERM);
        night.ends(0);
    }
    assert_eq!((pair.mails("one").len(), pair.mails("two").len()), (0, 1));
    assert_eq!(pair.house.ran(), ALL_ONCE);
    pair.house.nothing_is_lost();
    no_epoch_goes_down(&pair.house);
}

#[test]
fn a_leader_whose_database_falls_silent_is_followed_and_writes_nothing_more() {
    leader_cut_off(Way::Nothing);
}

#[test]
fn a_leader_whose_connections_are_cut_is_followed_and_writes_nothing_more() {
    leader_cut_off(Way::Cut);
}

/// What the leader decides arrives, and it never hears that it has: it may start nothing, and the next one does.
#[test]
fn what_a_leader_wrote_without_an_answer_is_done_by_the_next_one_once() {
    let (pair, first, mut second) = under_way();
    pair.wire("one", Way::NoAnswers);
    pair.house.say("b", "go");
    second.event("run-resumed", "");
    second.ended("c");
    second.event("run-ended", "");
    pair.wire("one", Way::Through);
    let over = first.ends(1);
    assert!(over.events("started", "c").is_empty(), "{over:?}");
    second.signal(Signal::TERM);
    second.ends(0);
    // The end of `b` and the intention of `c` are entries of the former leader.
    let written = pair.house.journal();
    let intended = |entry: &&Value| entry["fact"]["fact"] == "attempt-intended";
    assert_eq!(written.iter().rfind(intended).unwrap()["epoch"], 1);
    assert_eq!(pair.house.ran(), ALL_ONCE);
    pair.house.nothing_is_lost();
    no_epoch_goes_down(&pair.house);
}

#[test]
fn one_that_stands_by_answers_who_looks_and_refuses_who_orders() {
    let (pair, first, mut second) = under_way();
    let status = pair.get("two", "/api/v1/status").ok().json();
    let run = &status["runs"][0];
    assert_eq!(
        run["head"]["run"],
        pair.get("one", "/api/v1/status").json()["runs"][0]["head"]["run"]
    );
    let state = |name: &str| {
        let jobs = run["jobs"].as_array().unwrap();
        jobs.iter().find(|job| job["name"] == name).unwrap()["state"]["state"].clone()
    };
    assert_eq!((state("a"), state("b")), (json!("succeeded"), json!("running")), "{status}");
    let runs = pair.get("two", "/api/v1/runs").ok().json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1, "{runs}");
    let ready = pair.get("two", "/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains("it stands by: another supervisor leads"), "{ready:?}");
    let lives = pair.get("two", "/healthz").ok().json();
    assert_eq!(lives["leads"], false, "{lives}");
    pair.get("one", "/readyz").ok();
    let order = pair.post("two", "/api/v1/runs", &json!({"batch": "night"}));
    assert_eq!(order.status, 503, "{order:?}");
    // It is ready as soon as it leads.
    first.kill();
    second.event("run-resumed", "");
    eventually("readiness", || pair.get("two", "/readyz").status == 200);
    pair.house.say("b", "go");
    second.event("run-ended", "");
    second.signal(Signal::TERM);
    second.ends(0);
    pair.house.nothing_is_lost();
}

const LOAD: usize = 50;

#[test]
fn postgresql_is_restarted_under_load_and_each_job_runs_once() {
    let server = Server::start();
    let jobs = (0..LOAD).fold(String::new(), |mut jobs, n| {
        let trace = "echo \"$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT\" >> \"$NIGHTRUN_WORK/ran\"; sleep 0.4";
        writeln!(jobs, "  j{n}: {{title: J, shell: '{trace}'}}").unwrap();
        jobs
    });
    let pair = Pair::new(&jobs, &server);
    pair.house.write("hosts.yaml", &HOSTS.replace("max_running: 8", "max_running: 16"));
    let mut served = pair.serve("one");
    served.notice("serving 0 schedules");
    let ordered = pair.order("one");
    for (ran, signal) in [(8, "INT"), (24, "QUIT")] {
        eventually("jobs", || pair.house.lines("ran").len() >= ran);
        server.signal(signal);
        server.start_again();
    }
    served.event("run-ended", "");
    drop(ordered);
    served.signal(Signal::TERM);
    served.ends(0);
    let mut expected: Vec<String> = (0..LOAD).map(|n| format!("j{n} 1")).collect();
    expected.sort();
    assert_eq!(pair.house.ran(), expected);
    pair.house.nothing_is_lost();
    no_epoch_goes_down(&pair.house);
}

/// By the clock that the test sets.
const OUTAGE: SignedDuration = SignedDuration::from_secs(60);

#[test]
fn while_the_database_is_down_for_a_minute_what_runs_ends_and_nothing_new_starts() {
    let server = Server::start();
    let mut house = House::new(&format!("{CHAIN}  d: {{title: D, run: [sh, job.sh, wait]}}\n"));
    house.store = Some(super::on_postgres::database(&server));
    house.gates(&["b", "d"]);
    let mut serve = house.command(&["serve", "--format", "json"]);
    serve.env("NIGHTRUN_CLOCK_STEP", house.work("step"));
    let mut served = Night::watch(serve);
    served.notice("serving 0 schedules");
    let ordered = house.spawn(&["run", "night"]);
    served.started("b");
    served.started("d");
    served.ended("a");
    drop(ordered);
    assert_eq!(get(&house, "/api/v1/status").ok().json()["trouble"], Value::Null);

    server.signal("QUIT");
    house.say("b", "go");
    served.notice("the store does not take what was decided");
    house.say("d", "go");
    house.ended_unwatched("d", 1);
    let known = Timestamp::now();
    fs::write(house.work("step"), format!("{}\n", OUTAGE.as_secs())).unwrap();
    let status = get(&house, "/api/v1/status").ok().json();
    let trouble = status["trouble"].as_str().unwrap();
    assert!(trouble.contains("nothing starts until it does"), "{status}");
    assert_eq!(get(&house, "/readyz").status, 503);
    let lives = get(&house, "/healthz").ok().json();
    assert!(lives["note"].as_str().unwrap().contains("does not take"), "{lives}");
    assert_eq!(house.ran(), ["a 1", "b 1", "d 1"]);
    server.start_again();
    served.ended("c");
    served.event("run-ended", "");
    assert_eq!(get(&house, "/api/v1/status").ok().json()["trouble"], Value::Null);
    served.signal(Signal::TERM);
    served.ends(0);

    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1"]);
    house.nothing_is_lost();
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let ended = house.facts("attempt-ended");
    for job in ["b", "d"] {
        let end = format!("/{job}/1");
        let fact = |fact: &&Value| fact["ended"]["attempt"].as_str().unwrap().ends_with(&end);
        let fact = ended.iter().find(fact).unwrap();
        let (real, noted) = (time(&fact["ended"]["ended"]), time(&fact["noted"]));
        assert!(real <= known, "{job}: {real} {known}");
        // The end of `b` was decided before the store was found to be down.
        assert!(job == "b" || noted.duration_since(real) >= OUTAGE, "{job}: {real} {noted}");
    }
    let started = house.facts("attempt-started");
    let c = time(&started.last().unwrap()["noted"]);
    assert!(c.duration_since(known) >= OUTAGE, "c was started at {c}, it was down at {known}");
}
