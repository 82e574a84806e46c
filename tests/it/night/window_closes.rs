//! Windows that close on work of a service: who is told, and of what. The tests set the clock, and a real mail server hears
//! what is sent.

use rustix::process::Signal;

use super::facts::eventually;
use super::letter::Letter;
use super::post::{sink, smtp};
use super::serving::{Town, at};

const WINDOWS: &str = r#"
version: 1
windows:
  core:
    title: Core banking
    open: [{days: every day, from: "22:00", to: "23:00"}]
"#;

/// `post` takes its place in the window when `load` is done; `sweep` begins with it.
const BATCH: &str = "
schedule: {cron: \"30 21 * * *\"}
jobs:
  load: {title: L, run: [sh, job.sh, wait], expected: 10m}
  post: {title: P, run: [sh, job.sh], needs: [load], window: core, expected: 20m}
  sweep: {title: S, run: [sh, job.sh, wait], window: core, expected: 5m}
";

#[test]
fn people_are_told_once_of_work_that_misses_its_window_and_of_work_that_runs_over_it() {
    let town = Town::new();
    let house = &town.house;
    let server = sink(&[]);
    smtp(house, server.port);
    house.write("windows.yaml", WINDOWS);
    house.batch("eod", BATCH);
    house.gates(&["load", "sweep"]);
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    served.started("load");
    town.set_clock(at("22:20:00"));
    served.started("sweep");
    // It looks when it is asked to, as well as each minute: until 22:30 there is room for `post`.
    served.signal(Signal::HUP);
    town.set_clock(at("22:40:00"));
    served.signal(Signal::HUP);
    let of = |incident: &str| -> Vec<Letter> {
        let letters = server.messages().into_iter();
        let letters = letters.map(|message| Letter::read(message.as_bytes()));
        letters.filter(|letter| letter.subject.contains(incident)).collect()
    };
    eventually("who misses its window", || of("INC-1").len() == 2);
    let told = of("INC-1").into_iter().find(|letter| letter.to.starts_with("ann")).unwrap();
    let subject = "[P2] INC-1 eod post is too late for its window: expected 11-03 22:00, closes 23:00 (2026-11-02)";
    assert_eq!(told.subject, subject);
    assert!(told.text.contains("It then waits for the next opening."), "{}", told.text);

    town.set_clock(at("23:01:00"));
    served.signal(Signal::HUP);
    eventually("who runs over its window", || of("INC-2").len() == 2);
    let told = of("INC-2").into_iter().find(|letter| letter.to.starts_with("ann")).unwrap();
    let subject = "[P2] INC-2 eod sweep still runs, and its window closed at 23:00 (2026-11-02)";
    assert_eq!(told.subject, subject);
    for part in ["Nothing is ended because a window closes", "nightrun kill eod.sweep"] {
        assert!(told.text.contains(part), "{part}: {}", told.text);
    }
    let steps = house.facts("incident-moved");
    assert!(steps.iter().all(|moved| moved["step"]["step"] != "repeated"), "{steps:?}");

    house.say("sweep", "go");
    served.ended("sweep");
    eventually("its end", || of("[OK] INC-2").len() == 2);
    assert_eq!(of("[OK] INC-1").len(), 0, "`post` is not in yet");
    house.say("load", "go");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.facts("incident-opened").len(), 2);
}
