//! A run goes by its own copy of definition and scripts to its end.

use std::fs;

use super::house::House;

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, later.sh], needs: [a]}
";

fn house() -> House {
    let house = House::new(JOBS);
    house.write("night/later.sh", "echo as it was\n. ./job.sh\n");
    house.gates(&["a"]);
    house
}

#[test]
fn an_edit_in_the_middle_of_a_run_is_for_the_next_one() {
    let house = house();
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    house.write("night/later.sh", "echo as it is now\n. ./job.sh\n");
    house.batch("night", "jobs: {b: {title: B, run: [sh, later.sh]}}\n");
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.run(&["log", "night.b"]).out, "as it was\nthe test says go\n");

    house.spawn(&["run", "night", "--date", "2026-10-30", "--rerun"]).ends(0);
    assert_eq!(house.run(&["log", "night.b"]).out, "as it is now\nthe test says go\n");
    assert_eq!(house.ran(), ["a 1", "b 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn a_site_that_is_gone_does_not_stop_its_run() {
    let house = house();
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    fs::remove_dir_all(house.site()).unwrap();
    night.kill();
    // The copy on disk is gone as well: it comes again from the store.
    fs::remove_dir_all(house.state().join("runs")).unwrap();
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.run(&["log", "night.b"]).out, "as it was\nthe test says go\n");
    house.nothing_is_lost();
}

#[test]
fn an_order_whose_files_cannot_be_copied_is_refused_and_disturbs_nobody() {
    let house = house();
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let order = ["run", "night", "--date", "2026-10-31"];
    let odd = house.site().join("night/odd.sh");
    std::os::unix::fs::symlink("nowhere", &odd).unwrap();
    house.run(&order).refused("odd.sh");
    fs::remove_file(&odd).unwrap();

    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &odd, mode).unwrap();
    house.run(&order).refused("odd.sh");
    fs::remove_file(&odd).unwrap();

    fs::write(house.state().join("runs/night@2026-10-31#1"), "in the way").unwrap();
    house.run(&order).refused("night@2026-10-31#1");
    house.say("a", "go");
    night.ends(0);
    house.nothing_is_lost();
}
