//! The host restarts, or loses its power: what ran is lost, and never started again by itself unless its file says so.

use std::fs::{self, File};
use std::path::Path;

use super::prey;
use crate::night::facts::eventually;
use crate::night::house::{HOSTS, House};
use crate::night::watched::{Night, Over};

const JOBS: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  r: {title: R, run: [sh, job.sh, wait], retry: {max: 1, on: [lost]}}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";
/// What runs of them in a night whose host goes down.
const RAN: [&str; 3] = ["a 1", "r 1", "r 2"];

fn spawn(house: &House, arguments: &[&str], boot: &str) -> Night {
    let mut command = house.command(arguments);
    command.args(["--format", "json"]).env("NIGHTRUN_BOOT_ID", boot);
    Night::watch(command)
}

/// A night whose host goes down while `a` and `r` run. `ended`: `a` has ended by then, and nobody has heard of it.
fn went_down(ended: bool) -> House {
    let house = House::new(JOBS);
    house.gates(&["a", "r"]);
    let mut night = spawn(&house, &["run", "night", "--date", "2026-10-30"], "boot-1");
    night.started("a");
    night.started("r");
    for job in ["a", "r"] {
        house.number(&format!("pid-{job}"));
    }
    night.kill();
    if ended {
        house.say("a", "go");
        house.ended_unwatched("a", 1);
    }
    all_processes_end(&house);
    house
}

/// Who watches goes first: nobody sees the end of another.
fn all_processes_end(house: &House) {
    for watches in [true, false] {
        eventually("the end of every process", || {
            let mut left = prey::of(house);
            left.retain(|prey| {
                !watches || matches!(prey.role, prey::Role::Agent | prey::Role::Shim)
            });
            left.iter().for_each(prey::Prey::kill);
            left.is_empty()
        });
    }
}

/// The night after the restart: `r` is tried again by itself, `a` is for people.
fn goes_on(house: &House) -> Over {
    let mut night = spawn(house, &["resume"], "boot-2");
    night.started("r");
    house.say("r", "go");
    night.ends(1)
}

fn is_lost(house: &House, over: &Over) {
    let doubt = over.events("in-doubt", "a");
    assert_eq!(doubt.len(), 1, "{:#?}", over.events);
    let why = doubt[0]["why"].as_str().unwrap();
    assert!(why.contains("lost") && why.contains("restarted"), "{why}");
    assert_eq!(over.events("incident-opened", "a").len(), 1);
    house.nothing_is_lost();
}

#[test]
fn what_ran_when_the_host_restarted_is_lost() {
    let house = went_down(false);
    let over = goes_on(&house);
    is_lost(&house, &over);
    assert_eq!(house.ran(), RAN);
    // The next supervisor changes nothing of it.
    let refused = house.run(&["resume"]);
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    assert_eq!(house.ran(), ["a 1", "r 1", "r 2"]);
}

#[test]
fn what_ended_before_the_host_restarted_is_learned() {
    let house = went_down(true);
    let over = goes_on_well(&house);
    assert!(over.events("in-doubt", "").is_empty());
    assert_eq!(house.ran(), ["a 1", "b 1", "r 1", "r 2"]);
    house.nothing_is_lost();
}

fn goes_on_well(house: &House) -> Over {
    let mut night = spawn(house, &["resume"], "boot-2");
    night.started("r");
    house.say("r", "go");
    night.ends(0)
}

/// Everything that nobody has synced is gone: endings too.
#[test]
fn after_a_power_cut_that_took_the_spool_everything_is_lost() {
    for ended in [false, true] {
        let house = went_down(ended);
        for gone in ["spool", "live"] {
            fs::remove_dir_all(house.state().join("agent").join(gone)).unwrap();
        }
        fs::remove_dir_all(house.state().join("runs")).unwrap();
        let over = goes_on(&house);
        is_lost(&house, &over);
        assert_eq!(house.ran(), RAN);
    }
}

/// What a power cut may leave of an attempt whose ending was written and not synced.
#[test]
fn an_ending_that_a_power_cut_tore_is_lost() {
    type Tear = fn(folder: &Path, record: &Path);
    let tears: [(&str, Tear); 4] = [
        ("an empty record", |_, record| drop(File::create(record).unwrap())),
        ("a record without its last byte", |_, record| {
            let text = fs::read(record).unwrap();
            fs::write(record, &text[..text.len() - 1]).unwrap();
        }),
        ("a folder and no record", |_, record| fs::remove_file(record).unwrap()),
        ("an empty folder and nothing else", |folder, record| {
            fs::remove_dir_all(folder).unwrap();
            fs::create_dir(folder).unwrap();
            fs::remove_file(record).unwrap();
        }),
    ];
    for (what, tear) in tears {
        let house = went_down(true);
        let folder = house.spool("a", 1);
        let record = house.state().join("agent/live").join(folder.file_name().unwrap());
        tear(&folder, &record);
        let over = goes_on(&house);
        assert_eq!(over.events("in-doubt", "a").len(), 1, "{what}: {:#?}", over.events);
        is_lost(&house, &over);
        assert_eq!(house.ran(), RAN);
    }
}

#[test]
fn what_is_lost_with_its_host_has_no_place_on_it() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh, wait]}
  c: {title: C, run: [sh, job.sh]}
",
    );
    house.write("hosts.yaml", &HOSTS.replace("max_running: 8", "max_running: 1"));
    house.gates(&["a"]);
    let mut night = spawn(&house, &["run", "night", "--date", "2026-10-30"], "boot-1");
    night.started("a");
    house.number("pid-a");
    night.kill();
    all_processes_end(&house);
    let over = spawn(&house, &["resume"], "boot-2").ends(1);
    is_lost(&house, &over);
    assert_eq!(house.ran(), ["a 1", "c 1"]);
}
