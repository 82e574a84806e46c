//! Two supervisors of one site serve from one database and one agent: one leads, the other stands by.

use std::process::Command;

use rustix::process::Signal;

use super::facts::eventually;
use super::house::House;
use super::on_postgres::database;
use super::watched::Night;
use crate::postgres_server::Server;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

/// A site, and two supervisors with state folders of their own.
struct Pair {
    house: House,
}

impl Pair {
    fn new() -> Self {
        let mut house = House::new(CHAIN);
        house.store = Some(database(Server::shared()));
        house.gates(&["b"]);
        Self { house }
    }

    fn command(&self, which: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        command.arg("--site").arg(self.house.site()).arg("--shared").arg(self.house.state());
        command.arg("--state").arg(self.house.state().with_file_name(which)).args(arguments);
        command.env("NIGHTRUN_STORE", self.house.store.as_ref().unwrap());
        command
    }

    fn serve(&self, which: &str) -> Night {
        Night::watch(self.command(which, &["serve", "--format", "json"]))
    }

    /// Gives the order to the one that leads, in the background.
    fn order(&self, which: &str) -> Night {
        Night::watch(self.command(which, &["run", "night", "--format", "json"]))
    }

    /// Mails that one of them has sent.
    fn mails(&self, which: &str) -> usize {
        let folder = std::fs::read_dir(self.house.state().with_file_name(which).join("mail"));
        let names = folder.into_iter().flatten().map(|entry| entry.unwrap().path());
        names.filter(|path| path.extension().is_some_and(|end| end == "eml")).count()
    }

    #[track_caller]
    fn nothing_is_doubled(&self) {
        assert_eq!(self.house.ran(), ["a 1", "b 1", "c 1"]);
        self.house.nothing_is_lost();
    }
}

#[test]
fn when_the_leader_is_killed_the_one_that_stands_by_takes_its_jobs_over() {
    let pair = Pair::new();
    let mut first = pair.serve("one");
    first.notice("serving 0 schedules");
    let ordered = pair.order("one");
    first.started("b");
    let mut second = pair.serve("two");
    second.notice("standing by: another supervisor leads");
    // Meanwhile it answers who only looks.
    let runs = pair.command("two", &["runs"]).output().unwrap();
    assert!(String::from_utf8_lossy(&runs.stdout).contains("night@"), "{runs:?}");
    first.kill();
    assert_eq!(second.event("run-resumed", "")["running"], 1);
    pair.house.say("b", "go");
    second.ended("c");
    second.event("run-ended", "");
    assert_ne!(
        ordered.over().code,
        Some(0),
        "whoever followed is told that its supervisor has gone"
    );
    second.signal(Signal::TERM);
    second.ends(0);
    pair.nothing_is_doubled();
}

#[test]
fn a_leader_that_was_stopped_past_its_lease_starts_and_writes_nothing_more() {
    let pair = Pair::new();
    let mut first = pair.serve("one");
    first.notice("serving 0 schedules");
    let ordered = pair.order("one");
    first.started("b");
    first.signal(Signal::STOP);
    let mut second = pair.serve("two");
    assert_eq!(second.event("run-resumed", "")["running"], 1);
    first.signal(Signal::CONT);
    pair.house.say("b", "go");
    let over = first.ends(1);
    let said = over.err.join("\n");
    assert!(said.contains("no longer leads") || said.contains("follows epoch"), "{said}");
    assert!(over.events("started", "c").is_empty(), "{over:?}");
    second.ended("c");
    second.event("run-ended", "");
    drop(ordered);
    second.signal(Signal::TERM);
    second.ends(0);
    pair.nothing_is_doubled();
    // The report is mailed once, and not by each of them.
    eventually("the report", || pair.mails("two") > 0);
    assert_eq!((pair.mails("one"), pair.mails("two")), (0, 1));
}

#[test]
fn one_that_stands_by_can_be_told_to_end() {
    let pair = Pair::new();
    let first = pair.serve("one");
    first.notice("serving 0 schedules");
    let second = pair.serve("two");
    second.notice("standing by");
    second.signal(Signal::TERM);
    second.ends(0);
    first.signal(Signal::TERM);
    first.ends(0);
    // The lead was given back: the next one need not wait for it to run out.
    let third = pair.serve("two");
    third.notice("serving 0 schedules");
    third.signal(Signal::TERM);
    third.ends(0);
}
