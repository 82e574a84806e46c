//! What operators order beyond one job: many jobs at once, a whole run, the whole site; with a second person, and on trial.

use super::facts::account;
use super::house::{House, SITE};
use super::watched::Night;

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

/// The tests' account is Olga; Paul has another one.
fn house(jobs: &str) -> House {
    let house = House::new(jobs);
    people(&house, &account());
    house
}

/// Whom this account speaks for changes with the file, as between two people at one desk.
fn people(house: &House, olga: &str) {
    let (olga, paul) =
        if olga == account() { (olga, "somebody-else") } else { (olga, "the-account") };
    let paul = if paul == "the-account" { account() } else { paul.to_owned() };
    house.write(
        "people.yaml",
        &format!(
            "version: 1\npeople:\n  olga: {{name: Olga Operator, team: operations, roles: [operator], unix_user: {olga}}}\n  \
             paul: {{name: Paul Partner, team: operations, roles: [operator], unix_user: {paul}}}\n  \
             ann: {{name: Ann Duty, mail: ann@bank.example, team: operations, roles: [duty, report]}}\n"
        ),
    );
}

fn begun(house: &House) -> Night {
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night
}

const WHY: [&str; 2] = ["--reason", "the desk asked for it"];

#[track_caller]
fn ask(house: &House, words: &[&str]) -> super::house::Answer {
    house.run(&[words, &WHY].concat())
}

#[test]
fn of_many_jobs_it_is_done_to_those_that_the_rules_allow() {
    let house = house(JOBS);
    let night = begun(&house);
    let done = ask(&house, &["hold", "night.*"]).code(0).out;
    assert!(done.contains("done, as olga, on 2 jobs (b, c)"), "{done}");
    assert!(done.contains("not done: a is running (rule: in-flight)"), "{done}");
    ask(&house, &["hold", "night.b+"]).refused("(rule: held)");
    let refused = ask(&house, &["hold", "night.b+", "--format", "json"]).code(3);
    assert_eq!(refused.json()["rule"], "held");
    ask(&house, &["skip", "night.x*"]).refused("(rule: no-such-job)");
    ask(&house, &["release", "night.b+"]).code(0);
    house.say("a", "go");
    night.ends(0);
    let acted = house.facts("acted");
    assert_eq!(acted.len(), 4);
    assert!(acted.iter().all(|fact| fact["by"] == "olga"), "{acted:?}");
}

#[test]
fn what_is_only_tried_changes_nothing() {
    let house = house(JOBS);
    let night = begun(&house);
    let before = house.json(&["status"])["runs"][0]["jobs"].clone();
    let entries = house.facts("acted").len();
    let said = ask(&house, &["skip", "night.b", "--dry-run"]).code(0).out;
    assert!(said.starts_with("Nothing was done."), "{said}");
    assert!(said.contains("b was skipped") || said.contains("skipped b"), "{said}");
    let tried = ask(&house, &["kill", "night.a", "--dry-run", "--format", "json"]).code(0).json();
    assert_eq!(tried["events"].as_array().unwrap().len(), 1, "{tried}");
    ask(&house, &["release", "night.b", "--dry-run"]).refused("(rule: not-held)");
    ask(&house, &["freeze", "--until", "2099-01-01T00:00", "--scope", "site", "--dry-run"]).code(0);
    let states = |jobs: &serde_json::Value| {
        let jobs = jobs.as_array().unwrap().iter();
        jobs.map(|job| job["state"]["state"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(states(&house.json(&["status"])["runs"][0]["jobs"]), states(&before));
    assert_eq!((house.facts("acted").len(), house.facts("frozen").len()), (entries, 0));
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1"]);
}

#[test]
fn a_cancelled_run_ends_what_runs_and_starts_nothing() {
    let house = house(JOBS);
    let mut night = begun(&house);
    ask(&house, &["cancel", "night"]).code(0);
    assert_eq!(night.ended("a")["ending"]["how"], "killed");
    let over = night.ends(1);
    assert_eq!(over.events("settled", "c")[0]["outcome"], "cancelled");
    assert_eq!(house.ran(), ["a 1"]);
    assert_eq!(house.facts("incident-opened").len(), 0);
    let runs = house.json(&["runs"]);
    assert_eq!(runs[0]["result"], "cancelled");
    let report = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    assert!(report.contains("Olga Operator") && report.contains("cancelled"), "{report}");
    ask(&house, &["retry", "night.a"]).refused("(rule: run-cancelled)");
    ask(&house, &["cancel", "night"]).refused("(rule: run-cancelled)");
    house.nothing_is_lost();
}

#[test]
fn a_rerun_pressed_twice_starts_one() {
    let jobs =
        JOBS.replace("c: {title: C, run: [sh, job.sh]", "c: {title: C, run: [sh, job.sh, wait]");
    let house = house(&jobs);
    house.gates(&["c"]);
    let mut night = begun(&house);
    house.say("a", "go");
    night.started("c");
    house.say("c", "no");
    night.ends(1);
    let entries = house.journal().len();
    let tried = ask(&house, &["rerun", "night.b", "--dry-run"]).code(0).out;
    assert!(tried.contains("b of night@2026-10-30#1 starts at once"), "{tried}");
    ask(&house, &["rerun", "night.z", "--dry-run"]).refused("(rule: no-such-job)");
    assert_eq!(house.journal().len(), entries, "nothing is recorded");
    let mut again = house.spawn(&["rerun", "night.b", WHY[0], WHY[1]]);
    again.started("c");
    ask(&house, &["rerun", "night.b"]).refused("(rule: rerun-under-way)");
    house.say("c", "go");
    again.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "b 2", "c 1", "c 2"]);
    assert_eq!(house.json(&["runs"]).as_array().unwrap().len(), 1);
    house.nothing_is_lost();
}

#[test]
fn a_freeze_holds_jobs_back_until_it_is_lifted() {
    let house = house(JOBS);
    let mut night = begun(&house);
    let said = ask(&house, &["freeze", "--until", "2099-01-01T00:00", "--scope", "batch=night"]);
    assert!(said.code(0).out.contains("F-1: frozen from"));
    house.say("a", "go");
    night.ended("a");
    for command in [&["status"][..], &["why", "night.b"], &["freezes"]] {
        let text = house.run(command).code(0).out;
        // A line of the status may be broken.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["01-01 00:00", "by Olga Operator: the", "desk asked for it"] {
            assert!(text.contains(words), "{text}");
        }
    }
    assert_eq!(house.ran(), ["a 1"]);
    ask(&house, &["unfreeze", "F-2"]).refused("(rule: no-such-thing)");
    ask(&house, &["unfreeze", "F-1"]).code(0);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1"]);
    assert_eq!(house.run(&["freezes"]).code(0).out, "nothing is frozen\n");
}

#[test]
fn a_freeze_is_ordered_where_nobody_supervises_and_heeded_by_who_comes() {
    let house = house("  b: {title: B, run: [sh, job.sh]}\n");
    ask(&house, &["freeze", "--until", "2020-01-01T00:00", "--scope", "site"])
        .refused("(rule: past)");
    ask(&house, &["freeze", "--until", "2099-01-01T00:00", "--scope", "host=nowhere"]).code(2);
    house.batch(
        "later",
        "schedule: {on: every day, at: [\"21:30\"]}\njobs:\n  b: {title: B, run: [sh, job.sh]}\n",
    );
    let plan = ["plan", "later", "--date", "2098-10-30"];
    assert!(!house.run(&plan).code(0).out.to_lowercase().contains("frozen"));
    let said = ask(&house, &["freeze", "--until", "2099-01-01T00:00", "--scope", "host=local"]);
    assert!(said.code(0).out.contains("until 2099-01-01 00:00, as olga"), "in the site's zone");
    let plan = house.run(&plan).code(0).out;
    assert!(plan.contains("frozen until"), "{plan}");
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.event("run-opened", "");
    let why = house.run(&["why", "night.b"]).code(0).out;
    assert!(why.contains("until 01-01 00:00 by") && why.contains("Olga Operator"), "{why}");
    ask(&house, &["unfreeze", "F-1"]).code(0);
    night.ends(0);
    assert_eq!(house.ran(), ["b 1"]);
    house.nothing_is_lost();
}

#[test]
fn what_takes_two_waits_for_another_person() {
    let house = house(JOBS);
    house.write("site.yaml", &format!("{SITE}second_person: [force]\n"));
    let night = begun(&house);
    let asked = ask(&house, &["force", "night.b"]).code(0).out;
    assert!(asked.contains("R-1 waits until"), "{asked}");
    let status = house.run(&["status"]).code(0).out;
    assert!(status.contains("R-1 waits until") && status.contains("Olga Operator"), "{status}");
    ask(&house, &["second", "R-1"]).refused("(rule: second-person)");
    ask(&house, &["second", "R-9"]).refused("(rule: no-such-thing)");
    assert_eq!(house.facts("acted").len(), 0);
    // What takes two takes one no less in the end: Olga leaves it.
    ask(&house, &["skip", "night.b"]).code(0);
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "c 1"]);
}

#[test]
fn the_second_person_carries_it_out_under_both_names() {
    let house = house(JOBS);
    house.write("site.yaml", &format!("{SITE}second_person: [unfreeze]\n"));
    ask(&house, &["freeze", "--until", "2099-01-01T00:00", "--scope", "site"]).code(0);
    let asked = ask(&house, &["unfreeze", "F-1"]).code(0).out;
    assert!(asked.contains("R-1 waits until"), "{asked}");
    ask(&house, &["second", "R-1"]).refused("(rule: second-person)");
    // Paul sits down at the desk.
    people(&house, "another-account");
    ask(&house, &["second", "R-1"]).code(0);
    let lifted = &house.facts("unfrozen")[0];
    assert_eq!((&lifted["by"], &lifted["second"]), (&"olga".into(), &"paul".into()));
    assert_eq!(house.run(&["freezes"]).code(0).out, "nothing is frozen\n");
}

#[test]
fn a_moved_deadline_and_a_pools_size_are_for_this_night() {
    let house = House::bare();
    people(&house, &account());
    house.batch(
        "night",
        "must_complete_by: \"06:30\"\njobs:\n  a: {title: A, run: [sh, job.sh, wait]}\n  \
         b: {title: B, run: [sh, job.sh], needs: [a], pools: {two: 1}}\n",
    );
    let mut night = begun(&house);
    let ran_out = ask(&house, &["deadline", "night", "--complete-by", "06:30"]);
    ran_out.refused("(rule: no-change)");
    ask(&house, &["deadline", "night.b", "--start-by", "07:00"]).refused("(rule: no-such-thing)");
    ask(&house, &["pool", "twos", "0"]).code(2);
    ask(&house, &["pool", "two", "0", "--until", "2099-01-01T00:00"]).code(0);
    house.say("a", "go");
    night.ended("a");
    let status = house.run(&["status"]).code(0).out;
    assert!(status.contains("Pool two has 0 until 2099-01-01"), "{status}");
    ask(&house, &["priority", "night.b", "--to", "-3"]).code(0);
    ask(&house, &["pool", "two", "1", "--until", "2099-01-01T00:00"]).code(0);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
}

/// A window that is open on one day of the past.
const CLOSED: &str = "version: 1\nwindows:\n  once: {title: Once, open: [{days: 2020-01-01, from: \"10:00\", to: \"11:00\"}]}\n";

#[test]
fn an_override_of_the_window_is_ordered_again_after_the_second_persons_yes() {
    let house = House::bare();
    let me = account();
    house.write("windows.yaml", CLOSED);
    house.write("site.yaml", &format!("{SITE}second_person: [window-override]\n"));
    house.batch("night", "window: once\njobs:\n  b: {title: B, run: [sh, job.sh], expected: 1m}\n");
    let overriders = |olga: &str, paul: &str| {
        let person = |id, name, user: &str| {
            format!(
                "  {id}: {{name: {name}, mail: {id}@bank.example, team: operations, \
                 roles: [window-override, duty, report], unix_user: {user}}}\n"
            )
        };
        let people = [person("olga", "Olga Operator", olga), person("paul", "Paul Partner", paul)];
        house.write("people.yaml", &format!("version: 1\npeople:\n{}", people.concat()));
    };
    let order =
        ["run", "night", "--date", "2026-10-30", "--set-window-override", "the file came late"];
    overriders(&me, "somebody-else");
    house.run(&order).refused("R-1 waits until");
    house.run(&order).refused("(rule: no-change)");
    overriders("somebody-else", &me);
    ask(&house, &["second", "R-1"]).code(0);
    overriders(&me, "somebody-else");
    house.run(&order).code(0);
    assert_eq!(house.ran(), ["b 1"]);
    let report = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    assert!(report.contains("with the yes of Paul"), "{report}");
    // One yes is for one run.
    house.run(&[&order[..], &["--rerun"]].concat()).refused("R-2 waits until");
    house.nothing_is_lost();
}
