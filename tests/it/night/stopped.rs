//! Ctrl-C once, twice, thrice.

use rustix::process::Signal;

use super::facts::is_there;
use super::house::House;

const TERM_IS_IGNORED: &str = r#"
  a:
    title: A
    shell: |
      trap 'echo ignored' TERM
      . ./job.sh
      echo $$ > "$NIGHTRUN_WORK/pid-a"
      if [ "$NIGHTRUN_ATTEMPT" = 1 ]; then while :; do read -r x < "$NIGHTRUN_WORK/gate-a" || :; done; fi
    grace: GRACE
  b: {title: B, run: [sh, job.sh], needs: [a]}
"#;

#[test]
fn once_nothing_new_starts_and_what_runs_may_end() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
",
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night.signal(Signal::INT);
    assert_eq!(night.event("stopping", "")["how"], "wait");
    assert!(is_there(house.number("pid-a")));
    house.run(&["run", "night", "--date", "2026-10-29"]).refused("is being stopped");
    house.say("a", "go");
    let over = night.ends(4);
    assert_eq!(over.events("run-ended", "")[0]["result"], "stopped");
    assert_eq!(house.ran(), ["a 1"]);
    let status = house.run(&["status"]).code(0).out;
    assert!(status.contains("stopped"), "{status}");

    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
    house.run(&["resume"]).refused("no run is interrupted");
}

#[test]
fn twice_what_runs_is_asked_to_end_and_runs_again_later() {
    let house = House::new(
        r#"
  a:
    title: A
    shell: |
      trap 'echo tidied up; exit 0' TERM
      . ./job.sh
      echo ready
      if [ "$NIGHTRUN_ATTEMPT" = 1 ]; then read -r x < "$NIGHTRUN_WORK/gate-a"; fi
  b: {title: B, run: [sh, job.sh], needs: [a]}
"#,
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let out = house.spool("a", 1).join("out");
    super::facts::eventually("its trap", || super::facts::holds(&out, "ready"));
    night.signal(Signal::INT);
    night.event("stopping", "");
    night.signal(Signal::INT);
    assert_eq!(night.event("stopping", "")["how"], "terminate");
    let ended = night.ended("a");
    assert_eq!(ended["ending"]["how"], "killed");
    assert_eq!(ended["good"], false);
    night.ends(4);
    assert!(super::facts::holds(&out, "tidied up"));
    assert_eq!(house.ran(), ["a 1"]);

    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 2", "b 1"]);
    house.nothing_is_lost();
    assert_eq!(house.mails_of("INC-").len(), 0);
}

#[test]
fn twice_what_does_not_listen_is_killed_after_its_grace() {
    let house = House::new(&TERM_IS_IGNORED.replace("GRACE", "200ms"));
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    night.signal(Signal::INT);
    night.event("stopping", "");
    night.signal(Signal::TERM);
    assert_eq!(night.ended("a")["ending"]["how"], "killed");
    night.ends(4);
    assert!(!is_there(job));
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 2", "b 1"]);
}

#[test]
fn thrice_what_runs_is_killed_at_once() {
    let house = House::new(&TERM_IS_IGNORED.replace("GRACE", "1h"));
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    for how in ["wait", "terminate", "kill"] {
        assert!(is_there(job));
        night.signal(Signal::INT);
        assert_eq!(night.event("stopping", "")["how"], how);
    }
    night.ends(4);
    assert!(!is_there(job));
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 2", "b 1"]);
    house.nothing_is_lost();
}
