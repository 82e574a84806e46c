//! SIGSTOP of supervisor, agent, shim and job for a while: nobody is taken for dead, nothing starts twice, and all goes
//! on after SIGCONT. The while is measured by a job that goes on ticking: seconds stand for minutes.

use std::fs;

use rustix::process::Signal;

use super::prey;
use crate::night::facts::{eventually, holds, is_there, send, stands_still};
use crate::night::house::House;
use crate::night::watched::Night;

/// `a` waits for the test's word, `b` needs it; `clock` ticks ten times a second until it is told.
const JOBS: &str = r#"
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
  clock:
    title: Ticks
    shell: |
      while ! [ -e "$NIGHTRUN_WORK/enough" ]; do echo tick >> "$NIGHTRUN_WORK/ticks"; sleep 0.1; done
"#;
const RUN: [&str; 4] = ["run", "night", "--date", "2026-10-30"];

fn house() -> (House, Night) {
    let house = House::new(JOBS);
    house.gates(&["a"]);
    let mut night = house.spawn(&RUN);
    night.started("a");
    night.started("clock");
    house.number("pid-a");
    (house, night)
}

/// Three seconds of the clock that goes on whoever stands still.
fn a_while(house: &House) {
    let now = house.lines("ticks").len();
    eventually("ticks", || house.lines("ticks").len() >= now + 30);
}

#[track_caller]
fn nothing_is_judged(house: &House) {
    for kind in ["attempt-ended", "in-doubt"] {
        assert_eq!(house.facts(kind), Vec::<serde_json::Value>::new());
    }
}

/// Each job has run once, and no agent came but those expected.
fn ends_well(house: &House, night: Night, agents: usize) {
    fs::write(house.work("enough"), "").unwrap();
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
    assert_eq!(agents_that_came(house), agents);
}

fn agents_that_came(house: &House) -> usize {
    let log = fs::read_to_string(house.state().join("agent/agent.log")).unwrap();
    log.lines().filter(|line| line.contains(" is here")).count()
}

#[test]
fn a_supervisor_that_stands_still_for_a_while_goes_on() {
    let (house, night) = house();
    night.signal(Signal::STOP);
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    let known = jiff::Timestamp::now();
    // Nobody else may lead meanwhile.
    house.run(&["resume"]).refused("a supervisor is at work");
    a_while(&house);
    night.signal(Signal::CONT);
    ends_well(&house, night, 1);
    let ended = house.facts("attempt-ended");
    let a = ended.iter().find(|e| e["ended"]["attempt"] == "night@2026-10-30#1/a/1").unwrap();
    let real: jiff::Timestamp = a["ended"]["ended"].as_str().unwrap().parse().unwrap();
    assert!(real <= known, "{real} {known}");
}

#[test]
fn an_agent_that_stands_still_for_a_while_goes_on() {
    let (house, night) = house();
    let agent = house.agent_pid().unwrap();
    send(agent, Signal::STOP);
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    a_while(&house);
    nothing_is_judged(&house);
    send(agent, Signal::CONT);
    ends_well(&house, night, 1);
}

#[test]
fn an_agent_that_stands_still_is_waited_for_by_the_next_supervisor() {
    let (house, night) = house();
    let agent = house.agent_pid().unwrap();
    send(agent, Signal::STOP);
    night.kill();
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    let night = house.spawn(&["resume"]);
    night.notice("the agent does not answer");
    a_while(&house);
    nothing_is_judged(&house);
    send(agent, Signal::CONT);
    ends_well(&house, night, 1);
}

#[test]
fn a_shim_that_stands_still_for_a_while_is_not_taken_for_dead() {
    let (house, night) = house();
    night.kill();
    let agent = house.agent_pid().unwrap();
    send(agent, Signal::KILL);
    eventually("the agent's end", || !is_there(agent));
    let shim = house.shim_pid("a", 1);
    send(shim, Signal::STOP);
    let job = house.number("pid-a");
    house.say("a", "go");
    eventually("the job's end", || !is_there(job));
    // Not by another agent and another supervisor either.
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    eventually("another agent", || agents_that_came(&house) == 2);
    a_while(&house);
    nothing_is_judged(&house);
    send(shim, Signal::CONT);
    night.ended("a");
    ends_well(&house, night, 2);
}

/// The kernel wakes what stands still in a group whose last parent has gone, with a SIGHUP before.
#[test]
fn a_shim_that_stands_still_when_its_agent_is_killed_goes_on() {
    let (house, night) = house();
    let shim = house.shim_pid("a", 1);
    send(shim, Signal::STOP);
    // The kernel wakes who stands still at that time, and not who stops just after.
    eventually("a shim that stands still", || stands_still(shim));
    send(house.agent_pid().unwrap(), Signal::KILL);
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    ends_well(&house, night, 2);
}

#[test]
fn a_job_that_stands_still_for_a_while_goes_on() {
    let (house, night) = house();
    let job = house.number("pid-a");
    send(job, Signal::STOP);
    house.say("a", "go");
    a_while(&house);
    assert!(is_there(job));
    nothing_is_judged(&house);
    send(job, Signal::CONT);
    ends_well(&house, night, 1);
}

/// A supervisor that stood still while somebody removed its lock and let another lead: it stops, and starts nothing.
#[test]
fn a_supervisor_of_an_older_epoch_that_wakes_up_starts_nothing() {
    let (house, mut old) = house();
    old.signal(Signal::STOP);
    for held in ["store.lock", "api.sock"] {
        fs::remove_file(house.state().join(held)).unwrap();
    }
    let mut new = house.spawn(&["resume"]);
    assert_eq!(new.event("run-resumed", "")["running"], 2);
    house.say("a", "go");
    new.ended("b");
    let epoch = fs::read_to_string(house.state().join("agent/epoch")).unwrap();
    assert_eq!(epoch.trim(), "2");
    old.signal(Signal::CONT);
    eventually("the end of the old supervisor", || old.code().is_some());
    assert_eq!(old.code(), Some(1));
    let said = old.over().err.join("\n");
    assert!(said.contains("epoch"), "{said}");
    ends_well(&house, new, 1);
    let entries = house.journal();
    let first_of_new = entries.iter().position(|entry| entry["epoch"] == 2).unwrap();
    assert!(entries[first_of_new..].iter().all(|entry| entry["epoch"] == 2), "{entries:?}");
    assert!(prey::of(&house).is_empty());
    assert!(!holds(&house.state().join("agent/agent.log"), "panicked"));
}
