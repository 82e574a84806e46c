//! nightrun is upgraded in the midst of a night, as an administrator does it: a new file in place of the old, and a restart of
//! the service. Supervisor and agent become the new release; jobs notice nothing.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use super::facts::{eventually, is_there};
use super::house::House;
use super::watched::Night;
use crate::installed::{Installed, next_release};

const NIGHT: &str = "
  before: {title: B, run: [sh, job.sh]}
  long:   {title: L, run: [sh, job.sh, wait], needs: [before]}
  beside: {title: S, run: [sh, job.sh, wait], needs: [before]}
  after:  {title: A, run: [sh, job.sh, wait], needs: [long, beside]}
  last:   {title: Z, run: [sh, job.sh], needs: [after]}
";

const DATE: &str = "2026-10-30";

/// A house whose commands are of a program that can be replaced.
struct Bank {
    house: House,
    installed: Installed,
}

impl Bank {
    fn new() -> Self {
        let house = House::new(NIGHT);
        house.gates(&["long", "beside", "after"]);
        let installed = Installed::at(house.state().with_file_name("nightrun"));
        Self { house, installed }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let given = self.house.command(arguments);
        let mut command = Command::new(&self.installed.path);
        command.args(given.get_args()).current_dir(given.get_current_dir().unwrap());
        command
    }

    fn serve(&self) -> Night {
        Night::watch(self.command(&["serve", "--format", "json"]))
    }

    /// What the doctor finds of the agent.
    fn agent(&self) -> serde_json::Value {
        let output = self.command(&["doctor", "--format", "json"]).output().unwrap();
        let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = all.as_array().unwrap().iter().find(|found| found["part"] == "agent");
        found.unwrap()["found"].clone()
    }

    fn agent_log(&self) -> String {
        fs::read_to_string(self.house.state().join("agent/agent.log")).unwrap()
    }

    /// Pids of program and shim.
    fn processes(&self, job: &str) -> [i32; 2] {
        [self.house.number(&format!("pid-{job}")), self.house.shim_pid(job, 1)]
    }

    #[track_caller]
    fn each_ran_once_with_whole_logs(&self) {
        let mut ran = self.house.ran();
        ran.sort();
        assert_eq!(ran, ["after 1", "before 1", "beside 1", "last 1", "long 1"]);
        for job in ["before", "long", "beside", "after", "last"] {
            let out = fs::read_to_string(self.house.spool(job, 1).join("out")).unwrap();
            assert_eq!(out, "the test says go\n", "{job}");
        }
        self.house.nothing_is_lost();
    }
}

#[test]
fn a_night_goes_on_while_supervisor_and_agent_become_the_next_release() {
    let bank = Bank::new();
    let house = &bank.house;
    let mut served = bank.serve();
    served.notice("serving 0 schedules");
    let ordered = Night::watch(bank.command(&["run", "night", "--date", DATE, "--format", "json"]));
    for job in ["long", "beside"] {
        served.started(job);
        eventually("the job has begun", || house.work(&format!("pid-{job}")).exists());
    }
    let agent = house.agent_pid().unwrap();
    let (long, beside) = (bank.processes("long"), bank.processes("beside"));

    // The new file is there, and nothing has noticed yet.
    bank.installed.upgrade();
    let found = bank.agent();
    assert_eq!(found["finding"], "agent-outdated");
    served.signal(Signal::TERM);
    served.ends(0);
    drop(ordered);
    // While nobody leads one of them ends.
    house.say("beside", "go");
    house.ended_unwatched("beside", 1);
    assert!(long.iter().all(|pid| is_there(*pid)) && !is_there(beside[0]));

    let mut served = bank.serve();
    served.ended("beside");
    eventually("the agent of the next release", || bank.agent()["finding"] == "agent-here");
    let line = format!("agent {agent} is here, release {}, was ", next_release());
    assert!(bank.agent_log().contains(&line), "{}", bank.agent_log());
    assert_eq!(house.agent_pid(), Some(agent));
    assert_eq!(bank.processes("long"), long);
    assert!(long.iter().all(|pid| is_there(*pid)));
    house.say("long", "go");
    served.ended("long");
    served.started("after");
    assert!(house.shim_pid("after", 1) != long[1], "a shim of the former release has new work");

    // And back again, at any moment: the former release is put in its place, and the service restarted.
    bank.installed.rebuild();
    served.signal(Signal::TERM);
    served.ends(0);
    let mut served = bank.serve();
    let line = format!("was {}", next_release());
    eventually("the agent of the former release", || bank.agent_log().contains(&line));
    house.say("after", "go");
    served.ended("last");
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.agent_pid(), Some(agent));
    bank.each_ran_once_with_whole_logs();
}

#[cfg(feature = "faults")]
#[test]
fn an_agent_that_dies_of_its_upgrade_is_followed_by_another_and_the_night_goes_on() {
    for point in ["agent.hands-over", "agent.taken-over"] {
        let bank = Bank::new();
        let house = &bank.house;
        let once = house.state().with_file_name("killed");
        let mut command = bank.command(&["serve", "--format", "json"]);
        command.env("NIGHTRUN_FAULT", point).env("NIGHTRUN_FAULT_ONCE", &once);
        let mut served = Night::watch(command);
        served.notice("serving 0 schedules");
        let order = bank.command(&["run", "night", "--date", DATE, "--format", "json"]);
        let ordered = Night::watch(order);
        served.started("long");
        served.started("beside");
        let agent = house.agent_pid();
        bank.installed.upgrade();
        served.signal(Signal::TERM);
        served.ends(0);
        drop(ordered);
        let mut served = bank.serve();
        eventually("the next agent", || house.agent_pid() != agent);
        assert!(once.exists(), "{point}");
        for job in ["long", "beside"] {
            house.say(job, "go");
            served.ended(job);
        }
        house.say("after", "go");
        served.event("run-ended", "");
        served.signal(Signal::TERM);
        served.ends(0);
        bank.each_ran_once_with_whole_logs();
    }
}

#[test]
fn a_supervisor_of_another_program_that_cannot_be_become_says_so_and_leads_the_agent_as_it_is() {
    let bank = Bank::new();
    let house = &bank.house;
    let mut served = bank.serve();
    served.notice("serving 0 schedules");
    let ordered = Night::watch(bank.command(&["run", "night", "--date", DATE, "--format", "json"]));
    served.started("long");
    served.started("beside");
    let agent = house.agent_pid();
    served.signal(Signal::TERM);
    served.ends(0);
    drop(ordered);
    // Half a file stands where the agent's program stood; the supervisor is started from where it is whole.
    let whole = fs::read(&bank.installed.path).unwrap();
    bank.installed.put(&whole[..whole.len() / 3]);
    let mut served = house.spawn(&["serve"]);
    let said = served.notice("was not upgraded");
    assert!(said.contains("cannot take over") && said.contains("it stays release"), "{said}");
    for job in ["long", "beside"] {
        house.say(job, "go");
        served.ended(job);
    }
    house.say("after", "go");
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.agent_pid(), agent);
    bank.each_ran_once_with_whole_logs();
}
