//! Windows and freezes: when work may start, and who may say otherwise.

use super::facts::account;
use super::house::House;

const WINDOWS: &str = r#"
version: 1
windows:
  night-work:
    title: The night's window
    open: [{days: every day, from: "22:00", to: "23:00"}]
"#;

const JOBS: &str =
    "window: night-work\njobs: {a: {title: A, run: [sh, job.sh], expected: EXPECTED}}\n";

fn house(expected: &str) -> House {
    let house = House::bare();
    house.write("windows.yaml", WINDOWS);
    house.batch("night", &JOBS.replace("EXPECTED", expected));
    house
}

fn freeze(house: &House) {
    let freezes = "freezes: [{reason: Year-end close, from: \"2026-10-30T00:00\", to: \"2026-11-02T00:00\"}]\n";
    house.write("windows.yaml", &format!("{WINDOWS}{freezes}"));
}

/// When `a` starts in a trial of the evening of 2026-10-30, in UTC, to the minute.
fn starts(house: &House, at: &str) -> String {
    let over = house.spawn(&["run", "night", "--at", at]).ends(0);
    over.events("started", "a")[0]["at"].as_str().unwrap()[..16].to_owned()
}

#[test]
fn a_job_waits_for_its_window() {
    assert_eq!(starts(&house("1s"), "2026-10-30T21:30"), "2026-10-30T21:00");
    assert_eq!(starts(&house("1s"), "2026-10-30T22:30"), "2026-10-30T21:30");
}

#[test]
fn a_job_that_would_not_be_done_in_time_waits_for_the_next_window() {
    // 1.5 × 20 minutes still fit at 22:30, and not at 22:31.
    assert_eq!(starts(&house("20m"), "2026-10-30T22:29"), "2026-10-30T21:29");
    assert_eq!(starts(&house("20m"), "2026-10-30T22:31"), "2026-10-31T21:00");
}

#[test]
fn a_freeze_closes_the_window() {
    let house = house("1s");
    freeze(&house);
    assert_eq!(starts(&house, "2026-10-30T22:10"), "2026-11-02T21:00");
}

#[test]
fn a_plan_names_the_freeze_though_the_window_opens_later_than_the_job_is_ready() {
    let house = house("1s");
    freeze(&house);
    let nightly = "schedule: {on: every day, at: [\"21:30\"]}\n";
    let path = house.site().join("night/night.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace("jobs:", &format!("{nightly}jobs:"));
    std::fs::write(path, text).unwrap();
    for (date, named) in [("2026-10-29", 0), ("2026-10-30", 1), ("2026-11-02", 0)] {
        let plan = house.json(&["plan", "--date", date]);
        let gates = plan["days"][0]["starts"][0]["jobs"][0]["gates"].as_array().unwrap().clone();
        let frozen = gates.iter().filter(|gate| gate["gate"] == "frozen").count();
        assert_eq!(frozen, named, "{date}: {plan}");
    }
}

const OVERRIDE: [&str; 5] =
    ["run", "night", "--at", "2026-10-30T12:00", "--set-window-override=The regulator waits"];

fn give_role(house: &House) {
    house.write(
        "people.yaml",
        &format!(
            "version: 1\npeople:\n  olga: {{name: Olga Head, team: operations, mail: olga@bank.example, \
             roles: [window-override, duty, report], unix_user: {}}}\n",
            account()
        ),
    );
}

#[test]
fn an_override_takes_the_role_and_is_reported() {
    let house = house("1s");
    house.run(&OVERRIDE).refused("takes the role `window-override` in people.yaml");
    assert!(!house.state().join("nightrun.db").exists() || house.facts("run-opened").is_empty());

    give_role(&house);
    let empty = ["run", "night", "--at", "2026-10-30T12:00", "--set-window-override="];
    house.run(&empty).refused("a window override needs a reason");
    let over = house.spawn(&OVERRIDE).ends(0);
    let at = over.events("started", "a")[0]["at"].as_str().unwrap();
    assert!(at.starts_with("2026-10-30T11:00"), "{at}");
    let report = house.run(&["report"]).code(0).out;
    assert!(report.contains("The regulator waits") && report.contains("Olga Head"), "{report}");
    let opened = house.facts("run-opened");
    assert_eq!(opened[0]["window_override"], "The regulator waits");
    assert_eq!(opened[0]["by"], "olga");
}

#[test]
fn an_override_opens_no_freeze() {
    let house = house("1s");
    give_role(&house);
    freeze(&house);
    let over = house.spawn(&OVERRIDE).ends(0);
    let at = over.events("started", "a")[0]["at"].as_str().unwrap();
    assert!(at.starts_with("2026-11-01T23:00"), "the end of the freeze in UTC: {at}");
}

#[test]
fn a_trial_is_refused_on_what_is_not_marked_for_it() {
    let house = house("1s");
    house.write(
        "hosts.yaml",
        &super::house::HOSTS.replace("local: {trial: true,", "local: {trial: false,"),
    );
    house
        .run(&["run", "night", "--at", "2026-10-30T22:10"])
        .refused("not marked for trials: host local");
}
