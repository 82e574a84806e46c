//! What is only tried: the answer is what the same command would come to, and nothing of it is left anywhere.

use std::fs;

use serde_json::Value;

use super::committed::git;
use super::facts::account;
use super::house::{House, SITE};

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";
const RUN: [&str; 4] = ["run", "night", "--date", "2026-10-30"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

/// The answer to an order that is tried, in words and as data.
#[track_caller]
fn tried(house: &House, words: &[&str]) -> (String, Value) {
    let words = with(words, &["--dry-run"]);
    (house.run(&words).code(0).out, house.json(&words))
}

fn states(tried: &Value) -> Vec<&str> {
    let jobs = tried["runs"][0]["status"]["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["state"]["state"].as_str().unwrap()).collect()
}

#[test]
fn an_order_is_tried_where_nothing_has_run_yet_and_nothing_is_made() {
    let house = House::new(JOBS);
    git(&house.site(), &["init", "--quiet", "--initial-branch=main"]);
    git(&house.site(), &["add", "--all"]);
    git(&house.site(), &["commit", "--quiet", "-m", "begin"]);
    let commit = git(&house.site(), &["rev-parse", "--short=12", "HEAD"]);
    let made = || fs::read_dir(house.state()).unwrap().count();
    let before = made();
    let (text, data) = tried(&house, &RUN);
    let opened = format!("is opened, for business date 2026-10-30, by commit {commit}\n");
    assert!(text.starts_with("Nothing was done.") && text.contains(&opened), "{text}");
    assert!(text.contains("a of night@2026-10-30#1 starts at once"), "{text}");
    assert_eq!(data["runs"][0]["way"], "opened");
    assert_eq!(states(&data), ["starting", "waiting"]);
    let waits = &data["runs"][0]["status"]["jobs"][1]["state"]["reasons"];
    assert!(waits.to_string().contains("\"a\""), "{waits}");
    let (_, part) = tried(&house, &with(&RUN, &["--only", "b"]));
    assert_eq!(states(&part), ["not-scheduled", "starting"]);
    house.run(&with(&RUN, &["--only", "z", "--dry-run"])).refused("has no job `z`");
    let trial = ["run", "night", "--at", "2026-10-30T21:30", "--date", "2026-10-30"];
    assert_eq!(tried(&house, &trial).1["runs"][0]["status"]["head"]["trial"], true);
    assert_eq!(made(), before, "not even a store");
}

#[test]
fn a_rerun_is_tried_and_then_comes_out_as_it_was_told() {
    let house = House::new(JOBS);
    house.gates(&["a"]);
    let mut night = house.spawn(&RUN);
    night.started("a");
    house.say("a", "no");
    night.ends(1);
    let entries = house.journal().len();
    house.run(&with(&RUN, &["--dry-run"])).refused("(rule: run-over)");
    let refused = house.run(&with(&RUN, &["--dry-run", "--format", "json"])).code(3);
    assert_eq!(refused.json()["rule"], "run-over");
    let (text, again) = tried(&house, &with(&RUN, &["--from", "b"]));
    assert!(text.contains("night@2026-10-30#1 runs jobs again"), "{text}");
    assert_eq!(again["starts"], serde_json::json!([]), "a failed, and b waits for it");
    let (_, again) = tried(&house, &with(&RUN, &["--from", "a"]));
    assert_eq!(
        (&again["runs"][0]["way"], states(&again)),
        (&"again".into(), vec!["starting", "waiting"])
    );
    let (_, rerun) = tried(&house, &with(&RUN, &["--rerun"]));
    assert_eq!(rerun["runs"][0]["status"]["head"]["run"], "night@2026-10-30#2");
    let acts = ["rerun", "night.a", "--reason", "x"];
    assert!(tried(&house, &acts).0.contains("a of night@2026-10-30#1 starts at once"));
    assert_eq!(house.journal().len(), entries, "nothing is recorded");
    house.say("a", "go");
    house.spawn(&with(&RUN, &["--rerun"])).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 1", "b 1"]);
    assert_eq!(house.json(&["runs"])[0]["run"], "night@2026-10-30#2");
    house.nothing_is_lost();
}

#[test]
fn going_on_with_an_interrupted_run_is_tried_and_leaves_it_alone() {
    let house = House::new(JOBS);
    house.gates(&["a"]);
    let mut night = house.spawn(&RUN);
    night.started("a");
    night.kill();
    let entries = house.journal().len();
    for words in [&RUN[..], &["resume"], &["resume", "night@2026-10-30#1"]] {
        let (text, data) = tried(&house, words);
        assert!(text.contains("night@2026-10-30#1 goes on"), "{text}");
        assert_eq!(states(&data), ["running", "waiting"]);
    }
    house.run(&with(&RUN, &["--rerun", "--dry-run"])).refused("(rule: run-under-way)");
    house.run(&with(&RUN, &["--only", "b", "--dry-run"])).refused("not with other jobs");
    house.run(&["resume", "night@2026-10-31#1", "--dry-run"]).refused("is not interrupted");
    assert_eq!(house.journal().len(), entries);
    let mut night = house.spawn(&["resume"]);
    // Beside a supervisor it is that one which answers.
    night.event("run-resumed", "");
    house.run(&with(&RUN, &["--dry-run"])).refused("(rule: run-under-way)");
    house.run(&["resume", "--dry-run"]).refused("a supervisor is at work");
    house.say("a", "go");
    night.ends(0);
    house.nothing_is_lost();
}

const CLOSED: &str = "version: 1\nwindows:\n  once: {title: Once, open: [{days: 2020-01-01, from: \"10:00\", to: \"11:00\"}]}\n";

#[test]
fn an_order_that_takes_two_asks_nobody_while_it_is_tried() {
    let house = House::bare();
    house.write("windows.yaml", CLOSED);
    house.write("site.yaml", &format!("{SITE}second_person: [window-override]\n"));
    let roles = "mail: olga@bank.example, team: operations, roles: [window-override, duty, report]";
    house.write(
        "people.yaml",
        &format!(
            "version: 1\npeople:\n  olga: {{name: Olga, {roles}, unix_user: {}}}\n",
            account()
        ),
    );
    house.batch("night", "window: once\njobs:\n  b: {title: B, run: [sh, job.sh], expected: 1m}\n");
    let (text, data) = tried(&house, &RUN);
    assert_eq!(
        (states(&data), text.contains("starts at once")),
        (vec!["waiting"], false),
        "{text}"
    );
    let (text, data) = tried(&house, &with(&RUN, &["--set-window-override", "the file was late"]));
    assert_eq!(data["site_wide"], serde_json::json!(["second-asked"]), "{text}");
    assert_eq!(house.run(&["status"]).code, Some(3), "nothing has run");
}

#[test]
fn what_goes_for_the_whole_site_is_tried_where_nobody_supervises() {
    let house = House::new(JOBS);
    house.write("site.yaml", &format!("{SITE}second_person: [unfreeze, kill-change]\n"));
    let freeze =
        ["freeze", "--until", "2099-01-01T00:00", "--scope", "batch=night", "--reason", "x"];
    let pool = ["pool", "two", "0", "--until", "2099-01-01T00:00", "--reason", "x"];
    for (words, entry) in [(&freeze[..], "frozen"), (&pool, "pool-sized")] {
        let (text, data) = tried(&house, words);
        assert!(text.contains(&format!("an entry `{entry}` in the journal")), "{text}");
        assert_eq!(data["site_wide"], serde_json::json!([entry]));
    }
    let unfreeze = ["unfreeze", "F-1", "--reason", "x"];
    let second = ["second", "R-1", "--reason", "x"];
    for words in [unfreeze, second] {
        house.run(&with(&words, &["--dry-run"])).refused("(rule: no-such-thing)");
    }
    house
        .run(&[
            "freeze",
            "--until",
            "2020-01-01T00:00",
            "--scope",
            "site",
            "--reason",
            "x",
            "--dry-run",
        ])
        .refused("(rule: past)");
    assert_eq!(house.run(&["freezes"]).code(0).out, "nothing is frozen\n");
    house.run(&freeze).code(0);
    let entries = house.journal().len();
    // An order is tried under the freeze that stands.
    let (_, data) = tried(&house, &RUN);
    let waits = data["runs"][0]["status"]["jobs"][0]["state"]["reasons"].to_string();
    assert!(waits.contains("2098-12-31T23:00:00Z"), "{waits}");
    assert_eq!(tried(&house, &unfreeze).1["site_wide"], serde_json::json!(["second-asked"]));
    assert_eq!(house.journal().len(), entries);
    house.run(&unfreeze).code(0);
    house.run(&with(&second, &["--dry-run"])).refused("(rule: second-person)");
    assert_eq!(house.facts("second-given").len(), 0);
}
