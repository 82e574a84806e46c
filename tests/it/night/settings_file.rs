//! What the settings of a host change: who starts the agent, and whether anything starts at all.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::house::House;
use super::watched::Night;

const JOBS: &str = "  a: {title: A, run: [sh, job.sh]}\n";

fn with(house: &House, settings: &str, arguments: &[&str]) -> Command {
    let file = house.state().with_file_name("settings.yaml");
    fs::write(&file, format!("version: 1\nsite: site\nstate: state\n{settings}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    command.arg("--settings").arg(file).args(arguments).args(["--format", "json"]);
    command
}

#[test]
fn a_supervisor_waits_for_the_agents_own_unit_and_starts_none() {
    let house = House::new(JOBS);
    let mut night = Night::watch(with(&house, "agent: await\n", &["serve"]));
    night.notice("its own unit starts the agent");
    let ordered = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    assert!(!house.state().join("agent/agent.lock").exists());
    let mut agent = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    agent.args(["agent", "--linger", "0s", "--dir"]).arg(house.state().join("agent"));
    let mut agent = agent.stdout(Stdio::null()).spawn().unwrap();
    night.ended("a");
    ordered.ends(0);
    night.signal(Signal::TERM);
    night.ends(0);
    // It stays, though nobody is there any more.
    assert_eq!(agent.try_wait().unwrap(), None);
    agent.kill().unwrap();
    agent.wait().unwrap();
    house.nothing_is_lost();
}

#[cfg(feature = "faults")]
#[test]
fn beside_an_old_scheduler_starts_are_told_of_and_recorded_and_none_is_made() {
    let house = House::bare();
    let schedule = "schedule: {cron: \"* * * * *\"}\njobs:\n";
    house.batch("night", &format!("{schedule}{JOBS}"));
    // The minute is over in a moment, by the clock of this house.
    let to_go = 59 - jiff::Timestamp::now().as_second() % 60;
    let step = house.state().with_file_name("step");
    fs::write(&step, format!("{}\n", to_go - 2)).unwrap();
    let mut command = with(&house, "mode: observe\n", &["serve"]);
    command.env("NIGHTRUN_CLOCK_STEP", step);
    let mut night = Night::watch(command);
    let missed = night.event("starts-missed", "");
    assert!(missed.to_string().contains("observ"), "{missed}");
    // By hand neither; before, beside and after it.
    house.run(&["run", "night"]).refused("only observes");
    night.signal(Signal::TERM);
    night.ends(0);
    let output = with(&house, "mode: observe\n", &["run", "night"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let recorded = house.facts("starts-missed");
    assert!(!recorded.is_empty() && recorded[0].to_string().contains("observed"), "{recorded:?}");
    assert!(house.ran().is_empty());
    assert!(house.facts("run-opened").is_empty());
}
