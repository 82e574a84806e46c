//! What jobs get from each other, and what they need of other runs.

use super::house::House;

fn of(house: &House, job: &str) -> String {
    house.run(&["log", job]).code(0).out
}

#[test]
fn values_are_handed_on_to_those_that_need_the_job() {
    let house = House::new(
        r#"
  a: {title: A, shell: 'echo "RATE=1.0825" >> "$NIGHTRUN_OUT"; echo "DAY=friday" >> "$NIGHTRUN_OUT"'}
  b: {title: B, shell: 'echo "DAY=saturday" >> "$NIGHTRUN_OUT"', needs: [a]}
  c: {title: C, shell: 'echo "$RATE $DAY"', needs: [a, b]}
  d: {title: D, shell: 'echo "${RATE-none}"'}
"#,
    );
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(of(&house, "night.c"), "1.0825 saturday\n");
    assert_eq!(of(&house, "night.d"), "none\n");
}

#[test]
fn parameters_are_given_with_the_order() {
    let house = House::bare();
    house.batch(
        "night",
        r#"parameters: {branch: "001", reason: null}
jobs:
  a: {title: A, run: [echo, "{branch} {reason} {business_date_compact} {prev_business_date} {run} {{x}"], env: {BRANCH: "{branch}"}}
"#,
    );
    house.run(&["run", "night", "--date", "2026-10-30"]).refused("give it: `--param reason=…`");
    let unknown = house.run(&["run", "night", "--param", "reson=x", "--date", "2026-10-30"]);
    unknown.refused("did you mean `reason`?");
    assert_eq!(house.run(&["run", "night", "--param", "reason"]).code, Some(2));
    let run = [
        "run",
        "night",
        "--date",
        "2026-10-30",
        "--param",
        "reason=month end",
        "--param",
        "branch=7",
    ];
    house.spawn(&run).ends(0);
    assert_eq!(of(&house, "night.a"), "7 month end 20261030 2026-10-29 night@2026-10-30#1 {x}\n");
}

#[test]
fn only_the_jobs_that_are_asked_for_take_part() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
",
    );
    let over = house.spawn(&["run", "night", "--date", "2026-10-30", "--only", "b"]).ends(0);
    assert_eq!(house.ran(), ["b 1"]);
    assert_eq!(over.events("settled", "c")[0]["left_out"]["why"], "not-asked");
    house.spawn(&["run", "night", "--date", "2026-10-30", "--only", "c", "b"]).ends(0);
    assert_eq!(house.ran(), ["b 1", "b 2", "c 1"]);
    house.spawn(&["run", "night", "--date", "2026-10-30", "--from", "a"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "b 2", "b 3", "c 1", "c 2"]);
    house.nothing_is_lost();
}

/// `late` needs `early.x` of the same date, and of the date before.
fn two() -> House {
    let house = House::bare();
    house.batch("early", "since: 2026-10-30\njobs: {x: {title: X, run: [sh, job.sh, wait]}}\n");
    house.batch(
        "late",
        "jobs: {y: {title: Y, run: [sh, job.sh], needs: [early.x, \"early.x@-1bd\"]}}\n",
    );
    house.gates(&["x"]);
    house
}

#[test]
fn a_job_waits_for_another_batch_of_its_date() {
    let house = two();
    let mut late = house.spawn(&["run", "late", "--date", "2026-10-30"]);
    late.event("run-opened", "");
    let why = house.run(&["why", "late.y"]).code(0).out;
    assert!(why.contains("early.x"), "{why}");
    let mut early = house.spawn(&["run", "early", "--date", "2026-10-30"]);
    early.started("x");
    house.say("x", "go");
    early.ends(0);
    late.ends(0);
    assert_eq!(house.ran(), ["x 1", "y 1"]);
}

#[test]
fn a_killed_night_still_knows_what_it_needs_of_others() {
    let house = two();
    let mut late = house.spawn(&["run", "late", "--date", "2026-10-30"]);
    late.event("run-opened", "");
    late.kill();
    house.say("x", "go");
    house.spawn(&["run", "early", "--date", "2026-10-30"]).ends(0);
    let why = house.run(&["why", "late.y"]).code(0).out;
    assert!(why.contains("No supervisor is at work"), "{why}");
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["x 1", "y 1"]);
    house.nothing_is_lost();
}

#[test]
fn a_job_needs_what_other_batches_did_on_former_dates() {
    let house = two();
    house.say("x", "no");
    house.spawn(&["run", "early", "--date", "2026-10-30"]).ends(1);
    house.say("x", "go");
    house.spawn(&["run", "early", "--date", "2026-10-31"]).ends(0);
    // The failure of the 30th blocks the 31st, until it is put right.
    house.spawn(&["run", "late", "--date", "2026-10-31"]).ends(1);
    assert_eq!(house.job("y")["state"]["state"], "blocked");
    house.say("x", "go");
    house.spawn(&["run", "early", "--date", "2026-10-30", "--from", "x"]).ends(0);
    house.spawn(&["run", "late", "--date", "2026-10-31", "--from", "y"]).ends(0);
    assert_eq!(house.ran(), ["x 1", "x 1", "x 2", "y 1"]);
}

#[test]
fn a_job_is_left_out_on_days_that_are_not_its_own() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh], days: last business day of month}
  b: {title: B, run: [sh, job.sh], needs: [a]}
",
    );
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(over.events("settled", "a")[0]["outcome"], "not-scheduled");
    assert_eq!(house.ran(), ["b 1"]);
    house.spawn(&["run", "night", "--date", "2026-10-31"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "b 1"]);
}

#[test]
fn a_job_that_ran_long_is_measured_by_the_nights_before_its_own() {
    let house = House::new(
        r#"
  a: {title: Post the interest, shell: "if test -e {work}/slow; then sleep 2; fi"}
"#,
    );
    house.run(&["run", "night", "--date", "2026-10-28"]).code(0);
    house.run(&["run", "night", "--date", "2026-10-29"]).code(0);
    std::fs::write(house.work("slow"), "").unwrap();
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let said = |date| {
        let report = house.json(&["report", "--date", date]);
        report["jobs"][0]["ran_long"]["usual_p95"].is_string()
    };
    assert_eq!([said("2026-10-28"), said("2026-10-29"), said("2026-10-30")], [false, false, true]);
    assert!(house.mails().last().unwrap().text.contains("Took longer than usual"));
}
