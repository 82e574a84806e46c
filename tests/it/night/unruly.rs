//! Jobs that do not behave.

use rustix::process::Signal;
use serde_json::Value;

use super::facts::{eventually, is_there, send};
use super::house::House;

/// A night of one job `a`.
fn of(job: &str) -> House {
    House::new(&format!("  a:\n    title: A\n{job}"))
}

fn ending(house: &House) -> Value {
    let job = house.job("a");
    job["attempts"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_job_may_truncate_its_log() {
    let house = of("    shell: |
      for n in 1 2 3 4 5 6 7 8; do echo a line that will be gone; done
      : > /dev/stdout
      echo what is left
");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(ending(&house)["good"], true);
    assert_eq!(house.run(&["log", "night.a"]).code(0).out, "what is left\n");
}

#[test]
fn what_a_job_leaves_behind_is_killed_unless_it_may_stay() {
    for (survivors, stays) in [("kill", false), ("leave", true)] {
        let house = of(&format!(
            "    survivors: {survivors}
    shell: |
      setsid sh -c 'echo $$ > \"$NIGHTRUN_WORK/pid-daemon\"; read -r x < \"$NIGHTRUN_WORK/gate-daemon\"' > /dev/null 2>&1 &
      while ! [ -s \"$NIGHTRUN_WORK/pid-daemon\" ]; do :; done
",
        ));
        house.gates(&["daemon"]);
        house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
        let daemon = house.number("pid-daemon");
        let attempt = ending(&house);
        assert!(attempt["notes"].to_string().contains(&daemon.to_string()), "{attempt}");
        if stays {
            assert!(is_there(daemon));
            send(daemon, Signal::KILL);
        } else {
            eventually("the daemon's end", || !is_there(daemon));
        }
    }
}

#[test]
fn a_kill_reaches_what_left_the_session() {
    let house = of(
        "    grace: 100ms
    shell: |
      trap '' TERM
      setsid sh -c 'trap \"\" TERM; echo $$ > \"$NIGHTRUN_WORK/pid-grandchild\"; read -r x < \"$NIGHTRUN_WORK/gate-a\"'
",
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let grandchild = house.number("pid-grandchild");
    house.run(&["kill", "night.a", "--reason", "it hangs"]).code(0);
    night.ends(1);
    eventually("the grandchild's end", || !is_there(grandchild));
}

#[test]
fn a_job_may_close_its_output_and_go_on() {
    let house = of("    shell: |
      echo said
      exec <&- >&- 2>&-
      echo \"$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT\" >> \"$NIGHTRUN_WORK/ran\"
");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(house.ran(), ["a 1"]);
    assert_eq!(house.run(&["log", "night.a"]).code(0).out, "said\n");
}

#[test]
fn a_job_that_ignores_term_ends_at_its_time_limit() {
    let house = of("    time_limit: 300ms
    grace: 100ms
    shell: |
      trap '' TERM
      echo $$ > \"$NIGHTRUN_WORK/pid-a\"
      while :; do read -r x < \"$NIGHTRUN_WORK/gate-a\"; done
");
    house.gates(&["a"]);
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
    assert_eq!(ending(&house)["ending"]["how"], "timed-out");
    assert!(!is_there(house.number("pid-a")));
}

#[test]
fn a_job_that_writes_too_much_is_ended() {
    let house = of("    output_limit: 64KiB\n    shell: while :; do echo and so on and on; done\n");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
    assert_eq!(ending(&house)["ending"]["how"], "output-limit");
}

#[test]
fn what_cannot_be_started_says_why() {
    for (job, why) in [
        ("    run: [no-such-program]\n", "no-such-program"),
        ("    run: [sh, job.sh]\n    user: nobody\n", "nobody"),
        ("    run: [sh, job.sh]\n    dir: /no/such/folder\n", "/no/such/folder"),
    ] {
        let house = of(job);
        house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(1);
        let ending = &ending(&house)["ending"];
        assert_eq!(ending["how"], "could-not-start");
        assert!(ending["why"].as_str().unwrap().contains(why), "{ending}");
        assert_eq!(house.lines("ran").len(), 0);
    }
}
