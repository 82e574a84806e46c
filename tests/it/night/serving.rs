//! `nightrun serve`: the starts of the schedules, through outages, edits and a store that hangs. The tests set the clock.

use std::fs;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

use super::facts::eventually;
use super::house::House;
use super::store_trouble::Database;
use super::watched::Night;

/// A house whose supervisors have a clock of their own.
pub(super) struct Town {
    pub(super) house: House,
}

impl Town {
    pub(super) fn new() -> Self {
        Self { house: House::bare() }
    }

    pub(super) fn set_clock(&self, to: Timestamp) {
        set_clock(&self.house, to);
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.house.command(arguments);
        command.env("NIGHTRUN_CLOCK_STEP", self.house.work("step"));
        command
    }

    pub(super) fn serve(&self) -> Night {
        Night::watch(self.command(&["serve", "--format", "json"]))
    }

    #[track_caller]
    pub(super) fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        String::from_utf8(output.stdout).unwrap() + &said
    }
}

/// Sets the clock of a house so that it shows `to`, in seconds from the next full minute of the host.
pub(super) fn set_clock(house: &House, to: Timestamp) {
    let step = to.duration_since(Timestamp::now()).as_secs();
    // Whole at each moment: it is read every few milliseconds.
    fs::write(house.work("step.new"), format!("{step}\n")).unwrap();
    fs::rename(house.work("step.new"), house.work("step")).unwrap();
}

/// A clock time of the night of the tests, in the site's zone (Berlin, winter time).
pub(super) fn at(time: &str) -> Timestamp {
    format!("2026-11-02T{time}+01:00").parse().unwrap()
}

fn keys(house: &House) -> Vec<String> {
    house.facts("run-opened").iter().map(|fact| fact["run"].as_str().unwrap().to_owned()).collect()
}

pub(super) const DAILY: &str = "
schedule: {cron: \"30 21 * * *\", missed: latest, missed_limit: 2h}
jobs:
  load: {title: L, run: [sh, job.sh, wait]}
  post: {title: P, run: [sh, job.sh], needs: [load]}
";

const QUARTERS: &str = "
schedule: {cron: \"0,15,30,45 * * * *\"}
jobs:
  look: {title: L, run: [sh, job.sh]}
";

#[test]
fn every_schedule_starts_when_it_is_due_and_a_stop_in_between_loses_nothing() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", DAILY);
    house.batch("watch", QUARTERS);
    house.gates(&["load"]);
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    let told = served.notice("serving 2 schedules");
    assert!(told.contains("2026-11-02 21:30"), "{told}");
    let load = served.started("load");
    assert_eq!(load["run"], "eod@2026-11-02#1");
    served.ended("look");
    let status = town.run(&["status"], 0);
    assert!(status.contains("Next starts: watch 21:45, "), "{status}");
    assert!(status.contains("eod@2026-11-02#1"), "{status}");

    // TERM: it goes, and what runs stays.
    served.signal(Signal::TERM);
    served.ends(0);
    house.say("load", "go");
    house.ended_unwatched("load", 1);
    assert_eq!(house.ran(), ["load 1", "look 1"]);
    town.set_clock(at("21:45:01"));
    let mut served = town.serve();
    served.ended("post");
    served.event("run-ended", "");
    served.ended("look");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.ran(), ["load 1", "look 1", "look 1", "post 1"]);
    let expected = ["eod@2026-11-02#1", "watch@20261102T203000Z#1", "watch@20261102T204500Z#1"];
    let mut runs = keys(house);
    runs.sort();
    assert_eq!(runs, expected);
    let opened = house.facts("run-opened");
    let late: Vec<&Value> = opened.iter().map(|run| &run["late"]).collect();
    assert!(late.iter().all(|late| late.is_null()), "{late:?}");
    house.nothing_is_lost();
}

#[test]
fn an_outage_is_made_up_for_as_each_schedule_says_and_people_are_told() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", &DAILY.replace(", wait]", "]"));
    house.batch("watch", QUARTERS);
    town.set_clock(at("20:50:00"));
    let served = town.serve();
    served.notice("serving 2 schedules");
    served.signal(Signal::TERM);
    served.ends(0);
    // Nobody is there until 22:50.
    town.set_clock(at("22:50:10"));
    let mut served = town.serve();
    served.event("run-opened", "");
    served.event("run-ended", "");
    eventually("the mail about missed starts", || house.mails().len() >= 3);
    served.signal(Signal::TERM);
    served.ends(0);
    // `missed: latest` within two hours; without a word about it, none.
    assert_eq!(keys(house), ["eod@2026-11-02#1"]);
    let opened = &house.facts("run-opened")[0];
    assert_eq!(opened["late"], "nobody-served");
    let missed = house.facts("starts-missed");
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!((&missed[0]["batch"], &missed[0]["count"]), (&"watch".into(), &8.into()));
    assert_eq!(missed[0]["why"]["why"], "not-made-up");
    let mails = house.mails();
    let about: Vec<_> = mails.iter().filter(|mail| mail.subject.contains("watch")).collect();
    let to: Vec<&str> = about.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to.len(), 2, "{mails:?}");
    assert!(to.contains(&"ann@bank.example") && to.contains(&"wei@bank.example"), "{to:?}");
    let english = about.iter().find(|mail| mail.to.starts_with("ann")).unwrap();
    assert_eq!(english.subject, "[P1] watch was not started, 8 starts missed");
    assert!(english.text.contains("watch: 8 starts from 2026-11-02 21:00"), "{}", english.text);
    let report = town.run(&["report", "--batch", "eod"], 0);
    assert!(report.contains("1h 20m late: no supervisor was there"), "{report}");
    // The next run of the batch tells of its own.
    town.set_clock(at("22:59:58"));
    let mut served = town.serve();
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    let report = town.run(&["report", "--batch", "watch"], 0);
    assert!(report.contains("8 starts from 2026-11-02 21:00"), "{report}");
    house.nothing_is_lost();
}

#[test]
fn a_date_that_was_ordered_by_hand_is_not_started_again() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", &DAILY.replace(", wait]", "]"));
    town.set_clock(at("21:29:50"));
    let mut served = town.serve();
    served.notice("serving 1 schedule");
    let ordered = town.run(&["run", "eod"], 0);
    assert!(ordered.contains("eod@2026-11-02#1 is under way"), "{ordered}");
    town.set_clock(at("21:29:59"));
    let missed = served.event("starts-missed", "");
    assert_eq!(missed["missed"]["why"]["run"], "eod@2026-11-02#1");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(keys(house), ["eod@2026-11-02#1"]);
    // Nobody is alarmed by what people have done themselves.
    assert!(house.mails().iter().all(|mail| !mail.subject.contains("was not started")));
}

#[test]
fn a_part_that_was_ordered_by_hand_is_not_taken_for_the_night() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", &DAILY.replace(", wait]", "]"));
    town.set_clock(at("21:29:50"));
    let mut served = town.serve();
    served.notice("serving 1 schedule");
    town.run(&["run", "eod", "--only", "load"], 0);
    served.event("run-ended", "");
    town.set_clock(at("21:29:59"));
    served.ended("post");
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(keys(house), ["eod@2026-11-02#1", "eod@2026-11-02#2"]);
    assert_eq!(house.ran(), ["load 1", "load 1", "post 1"]);
    assert!(house.facts("starts-missed").is_empty());
}

#[test]
fn a_batch_whose_files_cannot_be_read_keeps_no_other_from_its_start() {
    let town = Town::new();
    let house = &town.house;
    house.batch("watch", QUARTERS);
    let text = "version: 1\nbatch: bad\ntitle: B\nschedule: {cron: \"0,15,30,45 * * * *\"}\n\
                jobs: {a: {title: A, run: [\"true\"]}}\n";
    house.write("bad/bad.yaml", text);
    std::os::unix::fs::symlink("nowhere", house.site().join("bad/note.txt")).unwrap();
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    served.notice("serving 2 schedules");
    served.notice("bad cannot be started for now: its copy, that of the files beside the batch");
    served.ended("look");
    // Put right: it is started, and says why it was late.
    fs::remove_file(house.site().join("bad/note.txt")).unwrap();
    served.signal(Signal::HUP);
    let run = loop {
        let opened = served.event("run-opened", "");
        if opened["run"].as_str().unwrap().starts_with("bad@") {
            break opened;
        }
    };
    assert!(run["run"].is_string());
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.ran(), ["look 1"]);
}

#[test]
fn edited_files_are_taken_over_and_broken_ones_are_not() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", &DAILY.replace(", wait]", "]"));
    town.set_clock(at("20:59:00"));
    let mut served = town.serve();
    served.notice("serving 1 schedule");
    house.batch("eod", "schedule: {cron: \"30 21 * * *\"\njobs: {}\n");
    served.signal(Signal::HUP);
    let told = served.notice("cannot be used; runs begin with what was there before");
    assert!(told.contains("defects"), "{told}");
    house.batch("eod", &DAILY.replace(", wait]", "]").replace("30 21", "00 21"));
    served.signal(Signal::HUP);
    served.notice("the job files have changed");
    town.set_clock(at("20:59:59"));
    served.event("run-opened", "");
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(keys(house), ["eod@2026-11-02#1"]);
    assert_eq!(house.facts("schedule-taken").len(), 2);
    house.nothing_is_lost();
}

#[test]
fn four_thousand_jobs_due_while_the_store_hangs_for_a_minute_all_start_once() {
    let town = Town::new();
    let house = &town.house;
    let jobs: String =
        (0..100).map(|job| format!("  j{job}: {{title: J, run: [\"true\"]}}\n")).collect();
    for batch in 0..40 {
        let rest = format!("schedule: {{cron: \"0 21 * * *\"}}\njobs:\n{jobs}");
        house.batch(&format!("b{batch}"), &rest);
    }
    let before = SignedDuration::from_secs(20);
    let begun = Timestamp::now();
    town.set_clock(at("21:00").checked_sub(before).unwrap());
    let mut served = town.serve();
    served.notice("serving 40 schedules");
    let mut database = Database::open(house);
    database.execute("begin immediate");
    let hangs = before + SignedDuration::from_secs(60);
    eventually_within("a minute", 180, || Timestamp::now().duration_since(begun) > hangs);
    assert_eq!(house.facts("run-opened").len(), 0);
    database.execute("rollback");
    database.close();
    for _ in 0..40 {
        served.event("run-ended", "");
    }
    served.signal(Signal::TERM);
    served.ends(0);
    let opened = house.facts("run-opened");
    let mut runs: Vec<&str> = opened.iter().map(|run| run["batch"].as_str().unwrap()).collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!((opened.len(), runs.len()), (40, 40));
    let why = |why: &str| opened.iter().filter(|run| run["late"] == why).count();
    // The first was decided in time, and waited for the store.
    assert!(why("store") >= 39, "{} of 40", why("store"));
    assert_eq!(house.facts("attempt-intended").len(), 4_000);
    house.nothing_is_lost();
}

/// As [`eventually`], for what takes longer.
#[track_caller]
fn eventually_within(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < seconds, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
