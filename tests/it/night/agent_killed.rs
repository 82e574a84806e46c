//! kill -9 of the agent, of agent and supervisor, and of the process that watches one job.

use rustix::process::Signal;
use serde_json::Value;

use super::facts::{eventually, is_there, send};
use super::house::House;

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait], runbook: Ask the desk.}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

fn kill_and_wait(pid: i32) {
    send(pid, Signal::KILL);
    eventually("its end", || !is_there(pid));
}

#[test]
fn a_killed_agent_loses_no_running_job() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    for _ in 0..3 {
        let agent = house.agent_pid().unwrap();
        kill_and_wait(agent);
        eventually("another agent", || house.agent_pid() != Some(agent));
        assert!(is_there(house.number("pid-a")));
    }
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn the_agent_leaves_with_the_last_run() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    let agent = house.agent_pid().unwrap();
    let begun = std::time::Instant::now();
    eventually("its end", || !is_there(agent));
    assert!(begun.elapsed().as_secs() < 20, "it idled until it left by itself");
}

#[test]
fn a_job_that_ends_without_an_agent_is_learned_from_the_next_one() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    house.say("a", "go");
    send(house.agent_pid().unwrap(), Signal::KILL);
    eventually("the job's end", || !is_there(job));
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn killed_agent_and_supervisor_lose_no_running_job() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let (agent, job) = (house.agent_pid().unwrap(), house.number("pid-a"));
    night.kill();
    kill_and_wait(agent);
    assert!(is_there(job));
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    assert!(is_there(job));
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    assert_eq!(house.facts("attempt-started").len(), 2);
    house.nothing_is_lost();
}

#[test]
fn an_ending_that_nobody_saw_is_learned_though_agent_and_supervisor_were_killed() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let agent = house.agent_pid().unwrap();
    night.kill();
    kill_and_wait(agent);
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

/// The night after its job's watcher was killed: in doubt, told once, and over with exit code 1.
fn in_doubt(job_too: bool) -> House {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    let shim = house.shim_pid("a", 1);
    if job_too {
        // Stopped first, so that it cannot see the end of its job.
        send(shim, Signal::STOP);
        kill_and_wait(job);
    }
    send(shim, Signal::KILL);
    let over = night.ends(1);
    let doubt = over.events("in-doubt", "a");
    assert_eq!(doubt.len(), 1);
    let words = doubt[0]["why"].as_str().unwrap();
    assert!(words.contains(if job_too { "lost" } else { "unknown" }), "{words}");
    assert!(words.contains("its watcher was killed"), "{words}");
    assert_eq!(over.events("incident-opened", "a").len(), 1);
    assert_eq!(over.events("incident-opened", "a")[0]["blocks"], 1);
    assert_eq!(over.events("run-ended", "")[0]["result"], "failed");
    assert_eq!(house.job("a")["state"]["state"], "unknown");
    assert_eq!(house.ran(), ["a 1"]);
    let of_fault = house.mails_of("INC-1");
    let mut told: Vec<&str> = of_fault.iter().map(|mail| mail.to.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["ann@bank.example", "wei@bank.example"]);
    house
}

/// People decide, and the run goes on to a good end without a supervisor that waited for them.
fn goes_on(house: &House, act: &str, ran: &[&str]) {
    let mut night = house.spawn(&[act, "night.a", "--reason", "looked at the host"]);
    if act == "retry" {
        night.started("a");
        house.say("a", "go");
    }
    let over = night.ends(0);
    assert_eq!(over.events("incident-closed", "a").len(), 1);
    assert_eq!(house.ran(), ran);
    let acted: Vec<Value> = house.facts("acted");
    assert_eq!(acted.len(), 1);
    assert_eq!(acted[0]["action"]["do"], act);
    assert_eq!(acted[0]["reason"], "looked at the host");
    house.nothing_is_lost();
}

#[test]
fn a_job_whose_watcher_was_killed_is_unknown_and_can_be_forced() {
    let house = in_doubt(false);
    let job = house.number("pid-a");
    assert!(is_there(job), "what may still work is left alone");
    goes_on(&house, "force", &["a 1", "b 1"]);
    send(job, Signal::KILL);
}

#[test]
fn a_job_that_is_lost_with_its_watcher_can_be_skipped() {
    goes_on(&in_doubt(true), "skip", &["a 1", "b 1"]);
}

#[test]
fn a_job_that_is_lost_with_its_watcher_can_be_retried() {
    goes_on(&in_doubt(true), "retry", &["a 1", "a 2", "b 1"]);
}
