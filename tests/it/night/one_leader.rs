//! One supervisor for a store: what a second command gets.

use super::facts::eventually;
use super::house::House;

const WAITS: &str = "jobs: {a: {title: A, run: [sh, job.sh, wait]}}\n";

fn two_batches() -> House {
    let house = House::bare();
    house.batch("first", WAITS);
    house.batch("second", "jobs: {b: {title: B, run: [sh, job.sh, wait]}}\n");
    house.gates(&["a", "b"]);
    house
}

#[test]
fn a_second_run_is_served_by_the_first_supervisor() {
    let house = two_batches();
    let mut first = house.spawn(&["run", "first", "--date", "2026-10-30"]);
    first.started("a");
    let mut second = house.spawn(&["run", "second", "--date", "2026-10-30"]);
    second.started("b");
    first.started("b");
    house.say("b", "no");
    // It is told of its own run to the end, and ends while the first goes on.
    second.ends(1);
    let status = house.json(&["status"]);
    assert_eq!(status["runs"].as_array().unwrap().len(), 2);
    house.say("a", "go");
    first.ends(0);
    house.nothing_is_lost();
    assert!(house.facts("run-opened").iter().all(|opened| opened["by"] == house.me()));
}

#[test]
fn the_first_supervisor_serves_the_second_run_to_its_end() {
    let house = two_batches();
    let mut first = house.spawn(&["run", "first", "--date", "2026-10-30"]);
    first.started("a");
    let mut second = house.spawn(&["run", "second", "--date", "2026-10-30"]);
    second.started("b");
    house.say("a", "no");
    first.ended("a");
    house.say("b", "go");
    second.ends(0);
    first.ends(1);
    house.nothing_is_lost();
}

#[test]
fn what_a_second_command_may_not_is_refused() {
    let house = two_batches();
    let mut first = house.spawn(&["run", "first", "--date", "2026-10-30"]);
    first.started("a");
    house
        .run(&["run", "second", "--at", "2026-10-30T21:30"])
        .refused("a trial (--at) needs its own");
    house.run(&["run", "first", "--date", "2026-10-30"]).refused("is under way");
    house.run(&["resume"]).refused("a supervisor is at work");
    house.run(&["mail", "flush"]).refused("sends the mail itself");
    let unknown = house.run(&["run", "secnd", "--date", "2026-10-30"]);
    unknown.refused("did you mean `second`?");
    house.batch("second", "jobs: {b: {title: B, runn: x}}\n");
    let defects = house.run(&["run", "second", "--date", "2026-10-30"]).code(2);
    assert!(defects.err.contains("did you mean `run`?"), "{}", defects.err);
    house.say("a", "go");
    first.ends(0);
}

#[test]
fn a_real_run_beside_a_trial_is_refused() {
    let house = two_batches();
    let mut trial = house.spawn(&["run", "first", "--at", "2026-10-30T21:30"]);
    trial.started("a");
    house.run(&["run", "second"]).refused("a trial with a set clock is at work");
    let mut other = house.spawn(&["run", "second", "--at", "2026-10-30T21:30"]);
    other.started("b");
    house.say("b", "go");
    other.ends(0);
    house.say("a", "go");
    trial.ends(0);
    let runs = house.json(&["runs"]);
    assert!(runs.as_array().unwrap().iter().all(|run| run["trial"] == true), "{runs}");
}

#[test]
fn of_two_runs_at_the_same_instant_one_leads_and_serves_the_other() {
    for _ in 0..5 {
        let house = two_batches();
        house.say("a", "go");
        house.say("b", "go");
        let nights =
            ["first", "second"].map(|batch| house.spawn(&["run", batch, "--date", "2026-10-30"]));
        for night in nights {
            night.ends(0);
        }
        assert_eq!(house.ran(), ["a 1", "b 1"]);
        assert_eq!(house.facts("run-opened").len(), 2);
        house.nothing_is_lost();
    }
}

#[test]
fn of_two_runs_of_one_batch_at_the_same_instant_one_runs() {
    for _ in 0..5 {
        let house = two_batches();
        let run = ["run", "first", "--date", "2026-10-30"];
        let mut nights = vec![house.spawn(&run), house.spawn(&run)];
        // One of them is refused while the other's job waits.
        let mut code = None;
        eventually("a refusal", || {
            code = nights.iter_mut().find_map(super::watched::Night::code);
            code.is_some()
        });
        assert_eq!(code, Some(3));
        house.say("a", "go");
        let mut codes: Vec<_> = nights.into_iter().map(|night| night.over().code).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(3)]);
        assert_eq!(house.ran(), ["a 1"]);
        house.nothing_is_lost();
    }
}

/// Orders that arrive while a supervisor comes to its end are not lost.
#[test]
fn an_order_is_served_by_a_supervisor_or_by_the_next() {
    let house = House::bare();
    let names: Vec<String> = (0..12).map(|n| format!("batch{n}")).collect();
    for name in &names {
        house.batch(name, "jobs: {a: {title: A, run: [sh, job.sh]}}\n");
    }
    let mut nights = Vec::new();
    for name in &names {
        let mut night = house.spawn(&["run", name, "--date", "2026-10-30"]);
        // The next one is ordered when this one is about to end.
        night.ended("a");
        nights.push(night);
    }
    for night in nights {
        night.ends(0);
    }
    assert_eq!(house.ran().len(), names.len());
    house.nothing_is_lost();
}
