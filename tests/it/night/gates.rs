//! What a job waits for before it starts: files, times, conditions, resources.

use super::facts::{eventually, holds};
use super::house::House;

#[test]
fn a_wait_ends_when_its_file_arrives() {
    let house = House::new(
        r#"
  file: {title: F, wait: {file: "{work}/in.csv", stable: 50ms, every: 20ms, limit: 1h}}
  b: {title: B, run: [sh, job.sh], needs: [file]}
"#,
    );
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("file");
    let log = house.spool("file", 1).join("out");
    eventually("its first look", || holds(&log, "in.csv"));
    assert_eq!(house.ran().len(), 0);
    std::fs::write(house.work("in.csv"), "EUR,1\n").unwrap();
    night.ends(0);
    assert_eq!(house.ran(), ["b 1"]);
}

#[test]
fn a_wait_fails_when_its_limit_has_passed() {
    let house = House::new(
        r#"
  file: {title: F, wait: {file: "{work}/in.csv", stable: 50ms, every: 20ms, limit: 100ms}}
  sql: {title: S, wait: {sql: select 0, target: bank, every: 20ms, limit: 100ms}}
"#,
    );
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
    for job in ["file", "sql"] {
        let ending = &over.events("ended", job)[0]["ending"];
        assert_eq!((&ending["how"], &ending["code"]), (&"exited".into(), &4.into()), "{job}");
    }
}

#[test]
fn a_wait_ends_when_its_query_becomes_true() {
    let house = House::new(
        r#"
  wait: {title: W, wait: {sql: "select count(*) from rate where day = '2026-10-30'", target: bank, every: 20ms, limit: 1h}}
  gate: {title: G, run: [sh, job.sh, wait]}
  load: {title: L, sql: load.sql, target: bank, needs: [gate]}
  b: {title: B, run: [sh, job.sh], needs: [wait]}
"#,
    );
    house.write(
        "night/load.sql",
        "create table rate (day text, micro integer);\ninsert into rate values ('2026-10-30', 1082500);\n",
    );
    house.gates(&["gate"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("wait");
    house.say("gate", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["b 1", "gate 1"]);
}

#[test]
fn a_trial_jumps_to_the_time_that_is_waited_for() {
    let house = House::new(
        r#"
  until: {title: U, wait: {until: "23:30"}}
  b: {title: B, run: [sh, job.sh], needs: [until]}
"#,
    );
    let over = house.spawn(&["run", "night", "--at", "2026-10-30T21:30"]).ends(0);
    let at = over.events("started", "b")[0]["at"].as_str().unwrap();
    assert!(at.starts_with("2026-10-30T22:30:0"), "23:30 in Berlin, told in UTC: {at}");
    assert_eq!(house.json(&["runs"])[0]["trial"], true);
}

#[test]
fn no_more_than_a_pool_holds_run_at_a_time() {
    let job = |name: &str, pools: &str| {
        format!(
            "  {name}: {{title: J, pools: {pools}, shell: 'echo + >> \"$NIGHTRUN_WORK/{name}\"; \
             echo + >> \"$NIGHTRUN_WORK/marks\"; sleep 0.05; echo - >> \"$NIGHTRUN_WORK/marks\"'}}\n"
        )
    };
    for (pool, most) in [("one", 1), ("two", 2)] {
        let jobs: Vec<String> =
            (0..8).map(|n| job(&format!("j{n}"), &format!("{{{pool}: 1}}"))).collect();
        let house = House::new(&jobs.concat());
        house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
        let (mut running, mut highest) = (0, 0);
        for mark in house.lines("marks") {
            running += if mark == "+" { 1 } else { -1 };
            highest = highest.max(running);
        }
        assert_eq!(running, 0);
        assert!(highest <= most, "{highest} of {pool}");
    }
}

#[test]
fn a_pool_is_shared_by_all_runs_of_the_site() {
    let house = House::bare();
    house.batch("first", "jobs: {a: {title: A, run: [sh, job.sh, wait], pools: {one: 1}}}\n");
    house.batch("second", "jobs: {b: {title: B, run: [sh, job.sh], pools: {one: 1}}}\n");
    house.gates(&["a"]);
    let mut first = house.spawn(&["run", "first", "--date", "2026-10-30"]);
    first.started("a");
    let mut second = house.spawn(&["run", "second", "--date", "2026-10-30"]);
    second.event("run-opened", "");
    let why = house.run(&["why", "second.b"]).code(0).out;
    assert!(why.contains("one") && why.contains("first"), "{why}");
    house.say("a", "go");
    second.ends(0);
    first.ends(0);
    let starts: Vec<String> = house
        .facts("attempt-started")
        .iter()
        .map(|fact| fact["attempt"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(starts, ["first@2026-10-30#1/a/1", "second@2026-10-30#1/b/1"]);
    let ended = house.facts("attempt-ended");
    let time =
        |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time(&ended[0]["ended"]["ended"]) <= time(&ended[1]["ended"]["started"]));
}

#[test]
fn the_highest_priority_starts_first() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh, wait], pools: {one: 1}, priority: 100}
  low: {title: L, run: [sh, job.sh], pools: {one: 1}, priority: -5}
  plain: {title: P, run: [sh, job.sh], pools: {one: 1}}
  high: {title: H, run: [sh, job.sh], pools: {one: 1}, priority: 10}
",
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.lines("ran"), ["a 1", "high 1", "plain 1", "low 1"]);
}
