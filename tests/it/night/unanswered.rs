//! A supervisor that stands still (SIGSTOP): nobody who asks it waits without end, and what was given up is not done later.

use rustix::process::Signal;

use super::facts::eventually;
use super::house::House;

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";
const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];

#[test]
fn who_asks_a_supervisor_that_stands_still_is_told_so_and_what_he_asked_is_not_done_behind_his_back()
 {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(RUN);
    night.started("a");
    night.signal(Signal::STOP);
    let ask = |words: &[&str]| house.run(&[words, &["--answer-within", "1s"]].concat()).code(5).err;
    for look in [&["status"] as &[&str], &["why", "night.b"]] {
        let said = ask(look);
        assert!(
            said.contains(&format!("(process {}) has not answered for 1s", night.pid())),
            "{said}"
        );
        assert!(
            said.contains("kill -CONT") && said.contains("read the store without it"),
            "{said}"
        );
    }
    let hold = ["hold", "night.b", "--reason", "not now"];
    let said = ask(&hold);
    assert!(
        said.contains("may still be carried out") && said.contains("`nightrun journal show"),
        "{said}"
    );
    // What needs no supervisor goes on.
    assert_eq!(house.json(&["runs"])[0]["run"], "night@2026-10-30#1");
    assert!(house.facts("acted").is_empty());
    night.signal(Signal::CONT);
    house.run(&["status"]).code(0);
    assert!(house.facts("acted").is_empty(), "he has given up");
    house.run(&["note", "night", "it answers"]).code(0);
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    assert_eq!(house.facts("acted").len(), 1);
    house.nothing_is_lost();
}

#[test]
fn who_follows_a_run_of_a_supervisor_that_stands_still_waits_and_is_told() {
    let house = House::new(PAIR);
    house.batch("other", "jobs:\n  c: {title: C, run: [sh, job.sh, wait]}\n");
    house.gates(&["a", "c"]);
    let mut night = house.spawn(RUN);
    night.started("a");
    let run = ["run", "other", "--date", "2026-10-30", "--answer-within", "1s"];
    let mut followed = house.spawn(&run);
    followed.started("c");
    night.signal(Signal::STOP);
    followed.notice("has not answered for 1s");
    followed.notice("goes on waiting");
    assert_eq!(followed.code(), None);
    night.signal(Signal::CONT);
    followed.notice("answers again");
    house.say("c", "go");
    followed.ends(0);
    house.say("a", "go");
    night.ends(0);
    eventually("both runs", || house.ran() == ["a 1", "b 1", "c 1"]);
}
