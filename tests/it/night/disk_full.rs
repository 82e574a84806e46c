//! Disks that are full at some moment of the night and free again later: nothing is lost, nothing comes twice, what is
//! decided waits, and the operator reads what to free.

use std::fs;

use super::disk::Disk;
use super::house::House;
use super::watched::Night;

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];
const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";
const ONCE: [&str; 3] = ["a 1", "b 1", "c 1"];

/// A house whose jobs write elsewhere than to the disk that is full.
fn house() -> House {
    let house = House::new(CHAIN);
    house.gates(&["a", "b"]);
    house
}

/// The moments at which a disk becomes full, and at which it is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Begin,
    ARuns,
    AEnded,
    BRuns,
}

const MOMENTS: [Moment; 4] = [Moment::Begin, Moment::ARuns, Moment::AEnded, Moment::BRuns];

/// A night in which the agent's folder is full from this moment on until the operator was told of it.
fn spool_full_from(moment: Moment) {
    let house = house();
    let disk = Disk::mount(&house.state().join("agent"), "1m");
    if moment == Moment::Begin {
        disk.fill();
    }
    let mut night = house.spawn(RUN);
    if moment == Moment::Begin {
        let told = night.notice("No space left on device");
        assert!(told.contains(&*house.state().join("agent").to_string_lossy()), "{told}");
        disk.free();
    }
    night.started("a");
    match moment {
        Moment::ARuns => disk.fill(),
        Moment::AEnded => disk.nearly_fill(),
        _ => {}
    }
    house.say("a", "go");
    if matches!(moment, Moment::ARuns | Moment::AEnded) {
        nothing_starts(&night, "b");
        disk.free();
    }
    night.started("b");
    if moment == Moment::BRuns {
        disk.fill();
    }
    house.say("b", "go");
    if moment == Moment::BRuns {
        nothing_starts(&night, "c");
        disk.free();
    }
    night.ends(0);
    assert_eq!(house.ran(), ONCE, "{moment:?}");
    house.nothing_is_lost();
}

#[track_caller]
fn nothing_starts(night: &Night, job: &str) {
    let told = night.notice("nothing can be started");
    assert!(told.contains(&format!("/{job}/1 waits")) && told.contains("free some room"), "{told}");
}

#[test]
fn a_spool_without_room_makes_the_night_wait() {
    MOMENTS.into_iter().for_each(spool_full_from);
}

#[test]
fn what_waits_for_room_can_be_killed() {
    let house = house();
    let disk = Disk::mount(&house.state().join("agent"), "1m");
    let mut night = house.spawn(RUN);
    night.started("a");
    disk.nearly_fill();
    house.say("a", "go");
    nothing_starts(&night, "b");
    house.run(&["kill", "night.b", "--reason", "not tonight"]).code(0);
    night.ends(1);
    assert_eq!(house.ran(), ["a 1"]);
    assert_eq!(house.job("b")["attempts"][0]["ending"]["how"], "killed");
    house.nothing_is_lost();
}

/// The store and everything else but the jobs' own files, full from each moment on until it was told, or for the time
/// that the next job takes where the store had room left in what it had taken before.
#[test]
fn a_state_folder_without_room_makes_the_night_wait() {
    for moment in [Moment::ARuns, Moment::AEnded, Moment::BRuns] {
        let house = House::new(CHAIN);
        let disk = Disk::mount(&house.state(), "2m");
        let _work = Disk::mount(&house.work(""), "1m");
        house.gates(&["a", "b"]);
        let mut night = house.spawn(RUN);
        night.started("a");
        if moment == Moment::ARuns {
            disk.fill();
        }
        house.say("a", "go");
        if moment > Moment::ARuns {
            night.started("b");
            disk.fill();
        }
        house.say("b", "go");
        // By the store, or by the agent where the store had room left in what it has.
        night.notice("free some");
        assert!(!house.ran().contains(&"c 1".to_owned()));
        disk.free();
        night.ends(0);
        assert_eq!(house.ran(), ONCE, "{moment:?}");
        house.nothing_is_lost();
    }
}

/// Bytes that a file takes from its disk at a time.
const PAGE: u64 = 4_096;

#[test]
fn an_ending_that_finds_no_room_is_written_when_there_is_some() {
    let house = House::bare();
    house.gates(&["a"]);
    let batch = |pad: u64| {
        let pad = "x".repeat(usize::try_from(pad).unwrap());
        let shell = r#"read -r word < "$NIGHTRUN_WORK/gate-a"; echo said || :"#;
        house.batch(
            "night",
            &format!("jobs:\n  a: {{title: A, env: {{PAD: '{pad}'}}, shell: '{shell}'}}\n"),
        );
    };
    let disk = Disk::mount(&house.state().join("agent"), "1m");
    let record = |date: &str| house.state().join(format!("agent/live/night@{date}#1~a~1"));
    // How long the record of a running attempt is, to make the next one end just before a page does.
    batch(1);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-29"]);
    night.started("a");
    let length = record("2026-10-29").metadata().unwrap().len();
    house.say("a", "go");
    night.ends(0);
    batch(1 + 2 * PAGE - 100 - length);
    let mut night = house.spawn(RUN);
    night.started("a");
    assert!(record("2026-10-30").metadata().unwrap().len() % PAGE > PAGE - 200);
    disk.fill();
    house.say("a", "go");
    let told = night.notice("its ending cannot be written");
    assert!(told.contains("No space left") && told.contains("free some room in"), "{told}");
    disk.free();
    night.ends(0);
    let ended = &house.facts("attempt-ended")[1]["ended"];
    assert_eq!(ended["ending"]["code"], 0);
    assert!(ended["notes"].to_string().contains("log tail left out"), "{ended}");
    house.nothing_is_lost();
}

#[test]
fn mail_and_reports_without_room_cost_no_night() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    let reports = Disk::mount(&house.state().join("reports"), "64k");
    let mail = Disk::mount(&house.state().join("mail"), "1m");
    reports.fill();
    mail.fill();
    let over = house.spawn(RUN).ends(0);
    let said = over.err.join("\n");
    assert!(said.contains("no report of") && said.contains("`nightrun report` shows it"), "{said}");
    assert!(said.contains("mail not sent") && said.contains("No space left"), "{said}");
    assert!(house.run(&["report"]).code(0).out.contains("night"), "shown all the same");
    assert!(house.mails().is_empty());
    let listed = house.run(&["mail", "list"]).code(0).out;
    assert!(listed.contains("No space left"), "{listed}");
    mail.free();
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(house.mails().len(), 1);
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(house.mails().len(), 1, "once");
    house.nothing_is_lost();
}

/// Standard output and standard error of the supervisor itself, on a disk that is full.
#[test]
fn a_full_disk_behind_its_own_words_ends_no_night() {
    for format in ["text", "json"] {
        let house =
            House::new("  a: {title: A, run: [sh, job.sh]}\n  b: {title: B, shell: exit 3}\n");
        let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut run = house.command(&[RUN, &["--format", format]].concat());
        let status = run.stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1));
        assert_eq!(house.ran(), ["a 1"]);
        house.nothing_is_lost();
        // What was asked for and cannot be written is a failure, and says so.
        let mut show = house.command(&["journal", "show", "--last", "100"]);
        let shown = show.stdout(full()).output().unwrap();
        assert_eq!(shown.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&shown.stderr).contains("standard output: No space"));
    }
}
