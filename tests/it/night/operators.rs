//! What operators do to a night that is under way.

use super::facts::account;
use super::house::House;
use super::watched::Night;

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

/// A night whose first job waits; the tests' account is the person Olga.
fn night(jobs: &str, gates: &[&str]) -> (House, Night) {
    let house = House::new(jobs);
    house.write(
        "people.yaml",
        &format!(
            "version: 1\npeople:\n  olga: {{name: Olga Operator, team: operations, roles: [operator], unix_user: {}}}\n  \
             ann: {{name: Ann Duty, mail: ann@bank.example, team: operations, roles: [duty, report]}}\n",
            account()
        ),
    );
    house.gates(gates);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    (house, night)
}

fn act(house: &House, act: &str, job: &str) -> super::house::Answer {
    house.run(&[act, &format!("night.{job}"), "--reason", "the desk asked for it"])
}

/// Everything that was done is in the journal, with person and reason.
fn recorded(house: &House, acts: &[(&str, &str)]) {
    let acted = house.facts("acted");
    let done: Vec<(&str, &str)> = acted
        .iter()
        .map(|fact| {
            (fact["action"]["do"].as_str().unwrap(), fact["action"]["job"].as_str().unwrap())
        })
        .collect();
    assert_eq!(done, acts);
    assert!(acted.iter().all(|fact| fact["by"] == "olga"), "{acted:?}");
    assert!(acted.iter().all(|fact| fact["reason"] == "the desk asked for it"), "{acted:?}");
    house.nothing_is_lost();
}

#[test]
fn a_held_job_starts_when_it_is_released() {
    let (house, mut night) = night(JOBS, &["a", "b"]);
    let done = act(&house, "hold", "b").code(0);
    assert!(done.out.contains("done, as olga"), "{}", done.out);
    house.say("a", "go");
    night.ended("a");

    let held = &house.job("b")["state"];
    assert_eq!(held["state"], "held");
    assert_eq!(held["reason"], "the desk asked for it");
    assert_eq!(held["by"]["id"], "olga");
    for command in [&["status"][..], &["why", "night.b"]] {
        let text = house.run(command).code(0).out;
        assert!(text.contains("Olga Operator") && text.contains("the desk asked for it"), "{text}");
    }
    act(&house, "hold", "b").refused("is held already");
    assert_eq!(house.ran(), ["a 1"]);

    act(&house, "release", "b").code(0);
    night.started("b");
    house.say("b", "go");
    night.ends(0);
    recorded(&house, &[("hold", "b"), ("release", "b")]);
}

#[test]
fn what_follows_a_skipped_or_forced_job_goes_on() {
    let (house, night) = night(
        "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [a]}
  d: {title: D, run: [sh, job.sh], needs: [b, c]}
",
        &["a"],
    );
    act(&house, "skip", "b").code(0);
    act(&house, "force", "c").code(0);
    house.say("a", "go");
    let over = night.ends(0);
    assert_eq!(over.events("settled", "b")[0]["outcome"], "skipped");
    assert_eq!(over.events("settled", "c")[0]["outcome"], "forced");
    assert_eq!(house.ran(), ["a 1", "d 1"]);
    recorded(&house, &[("skip", "b"), ("force", "c")]);
    let report = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    assert!(
        report.contains("Olga Operator") && report.contains("the desk asked for it"),
        "{report}"
    );
}

#[test]
fn a_failed_job_is_retried_while_the_night_goes_on() {
    let (house, mut night) = night(
        "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh, wait]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
",
        &["a", "b"],
    );
    house.say("b", "no");
    night.event("incident-opened", "b");
    assert_eq!(night.event("settled", "c")["outcome"], "blocked");
    act(&house, "retry", "c").refused("is blocked");
    act(&house, "retry", "b").code(0);
    house.say("b", "go");
    night.event("incident-closed", "b");
    night.ended("c");
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "b 2", "c 1"]);
    recorded(&house, &[("retry", "b")]);
}

#[test]
fn a_running_job_is_killed_and_that_is_told_apart() {
    let (house, mut night) = night(JOBS, &["a", "b"]);
    act(&house, "kill", "a").code(0);
    assert_eq!(night.ended("a")["ending"]["how"], "killed");
    let over = night.ends(1);
    assert_eq!(over.events("settled", "b")[0]["outcome"], "blocked");
    assert_eq!(house.ran(), ["a 1"]);
    recorded(&house, &[("kill", "a")]);
}

const ASKS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  ask: {title: Ask, confirm: {question: May the ledger be closed?, role: operator}, needs: [a]}
  b: {title: B, run: [sh, job.sh], needs: [ask]}
";

#[test]
fn a_question_waits_for_its_yes_and_never_asks_the_terminal() {
    let (house, mut night) = night(ASKS, &["a"]);
    act(&house, "confirm", "ask").refused("too early");
    act(&house, "confirm", "a").refused("asks for no confirmation");
    house.say("a", "go");
    night.ended("a");
    let why = house.run(&["why", "night.ask"]).code(0).out;
    assert!(why.contains("May the ledger be closed?"), "{why}");
    act(&house, "confirm", "ask").code(0);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    recorded(&house, &[("confirm", "ask")]);
}

#[test]
fn only_who_has_the_role_may_say_yes() {
    let (house, mut night) = night(&ASKS.replace("role: operator", "role: head"), &["a"]);
    house.say("a", "go");
    night.ended("a");
    act(&house, "confirm", "ask").refused("confirmed by somebody with the role `head`");
    act(&house, "skip", "ask").code(0);
    night.ends(0);
}

#[test]
fn what_the_rules_forbid_is_refused_in_words() {
    let (house, night) = night(JOBS, &["a", "b"]);
    act(&house, "hold", "a").refused("only a job that has not started can be held");
    act(&house, "release", "b").refused("b is not held");
    act(&house, "kill", "b").refused("only a running job can be killed");
    act(&house, "retry", "a").refused("a is running");
    act(&house, "skip", "a").refused("`nightrun kill night.a` ends it");
    act(&house, "force", "a").refused("is running");
    act(&house, "skip", "z").refused("has no job z");
    house.run(&["skip", "other.a", "--reason", "x"]).refused("no such run");
    house.run(&["skip", "night.a", "--date", "2026-10-29", "--reason", "x"]).refused("no such run");
    assert_eq!(house.run(&["skip", "night.a"]).code, Some(2), "without a reason");
    house.say("a", "go");
    house.say("b", "go");
    night.ends(0);
    act(&house, "hold", "b").refused("night@2026-10-30#1 is over");
    act(&house, "retry", "b").refused("`nightrun rerun night.b` runs it again");
    assert_eq!(house.facts("acted").len(), 0);
}

#[test]
fn notes_are_kept_with_their_writer() {
    let (house, night) = night(JOBS, &["a", "b"]);
    house.run(&["note", "night", "The desk is late"]).code(0);
    house.run(&["note", "night.b", "Look at its log"]).code(0);
    house.say("a", "go");
    house.say("b", "go");
    night.ends(0);
    // The night is over; a note is still taken.
    house.run(&["note", "night", "All checked"]).code(0);
    let report = house.run(&["report", "--date", "2026-10-30"]).code(0).out;
    for note in ["The desk is late", "Look at its log", "All checked"] {
        assert!(report.contains(note), "{report}");
    }
    let by: Vec<_> = house.facts("acted").iter().map(|fact| fact["by"].clone()).collect();
    assert_eq!(by, ["olga", "olga", "olga"]);
    let shown = house.run(&["journal", "show"]).code(0).out;
    assert!(shown.contains("by=olga") && shown.contains("The desk is late"), "{shown}");
}
