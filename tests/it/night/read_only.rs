//! Folders that cannot be written: refused with a clear message at the start, or waited for in the night.

use std::os::unix::fs::chown;
use std::process::Command;

use rustix::process::Signal;

use super::disk::{Disk, Frozen};
use super::facts::{eventually, is_there, send};
use super::house::House;

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];

fn house() -> House {
    House::new("  a: {title: A, run: [sh, job.sh]}\n")
}

#[test]
fn a_read_only_state_folder_is_refused_by_name() {
    for known in [false, true] {
        let house = house();
        let disk = Disk::mount(&house.state(), "8m");
        if known {
            house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
            let agent = house.agent_pid().unwrap();
            eventually("the agent's end", || !is_there(agent));
        }
        disk.read_only(true);
        let refused = house.run(RUN).code(1);
        assert!(refused.err.contains("Read-only file system"), "{}", refused.err);
        assert!(refused.err.contains(&*house.state().to_string_lossy()), "{}", refused.err);
        disk.read_only(false);
        house.spawn(RUN).ends(0);
        house.nothing_is_lost();
    }
}

#[test]
fn a_read_only_spool_is_waited_for() {
    let house = house();
    let disk = Disk::mount(&house.state().join("agent"), "1m");
    disk.read_only(true);
    let night = house.spawn(RUN);
    let told = night.notice("Read-only file system");
    assert!(told.contains("state/agent"), "{told}");
    disk.read_only(false);
    night.ends(0);
    house.nothing_is_lost();
}

/// Everything beneath the state folder, from one event of the night to another.
#[test]
fn a_state_folder_that_becomes_read_only_in_mid_night_is_waited_for() {
    let house = House::new(
        "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
  d: {title: D, run: [sh, job.sh, wait]}
",
    );
    house.gates(&["a", "b", "d"]);
    let mut night = house.spawn(RUN);
    night.started("a");
    night.started("d");
    let folders = [house.state().join("agent/spool"), house.state()];
    let frozen = Frozen::folders(&folders);
    house.say("a", "go");
    let told = night.notice("/b/1 waits");
    assert!(told.contains("read-only") && told.contains("make it writable again"), "{told}");
    // Who looks is answered, and what ends meanwhile is heard.
    assert_eq!(house.job("b")["attempts"].as_array().map(Vec::len), Some(1));
    house.say("d", "go");
    night.ended("d");
    assert_eq!(house.ran(), ["a 1", "d 1"]);
    drop(frozen);
    night.started("b");
    // And once more, as long as it lasts.
    let frozen = Frozen::folders(&folders);
    house.say("b", "go");
    night.notice("/c/1 waits");
    drop(frozen);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1"]);
    house.nothing_is_lost();
}

#[test]
fn read_only_reports_and_mail_cost_no_night() {
    let house = house();
    let (reports, mail) = (house.state().join("reports"), house.state().join("mail"));
    let (reports, mail) = (Disk::mount(&reports, "1m"), Disk::mount(&mail, "1m"));
    reports.read_only(true);
    mail.read_only(true);
    let over = house.spawn(RUN).ends(0);
    let said = over.err.join("\n");
    assert!(said.contains("no report of") && said.contains("mail not sent"), "{said}");
    mail.read_only(false);
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(house.mails().len(), 1);
}

#[test]
fn a_read_only_work_folder_is_the_jobs_own_trouble() {
    let house = House::new("  a: {title: A, shell: 'echo done > \"$NIGHTRUN_WORK/ran\"'}\n");
    let disk = Disk::mount(&house.work(""), "1m");
    disk.read_only(true);
    house.spawn(RUN).ends(1);
    let log = house.run(&["log", "night.a"]).code(0);
    assert!(log.err.contains("Read-only file system"), "{}", log.err);
    disk.read_only(false);
    house.spawn(&["retry", "night.a", "--reason", "can be written again"]).ends(0);
    house.nothing_is_lost();
}

/// Everything that reads the store, which must be able to.
#[track_caller]
fn is_read(house: &House, entries: usize) {
    for look in [
        &["status"] as &[&str],
        &["runs"],
        &["report"],
        &["why", "night.a"],
        &["log", "night.a"],
        &["mail", "list"],
        &["journal", "verify"],
    ] {
        let read = house.run(look).code(0);
        assert!(read.err.is_empty(), "{look:?}: {}", read.err);
    }
    assert_eq!(house.journal().len(), entries);
}

#[test]
fn what_lies_on_a_disk_that_has_become_read_only_is_read() {
    let house = house();
    let disk = Disk::mount(&house.state(), "8m");
    house.spawn(RUN).ends(0);
    let entries = house.journal().len();
    let wal = house.state().join("nightrun.db-wal");
    assert!(wal.metadata().is_ok_and(|wal| wal.len() == 0) || !wal.exists(), "closed");
    disk.read_only(true);
    is_read(&house, entries);
    assert!(house.run(&["resume"]).code(1).err.contains("Read-only file system"));
}

/// As after an error of the disk in the night: what was committed lies in the WAL, and the supervisor is dead.
#[test]
fn what_a_killed_supervisor_left_on_a_disk_that_has_become_read_only_is_read() {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    let disk = Disk::mount(&house.state(), "8m");
    let _work = Disk::mount(&house.work(""), "1m");
    house.gates(&["a"]);
    let mut night = house.spawn(RUN);
    night.started("a");
    night.kill();
    let agent = house.agent_pid().unwrap();
    let entries = house.journal().len();
    house.say("a", "go");
    house.ended_unwatched("a", 1);
    send(agent, Signal::KILL);
    eventually("the agent's end", || !is_there(agent));
    // A shim that has nothing left to watch goes with its agent, and its files with it.
    eventually("a disk that nobody writes to", || disk.try_read_only());
    is_read(&house, entries);
}

#[test]
fn what_another_account_may_not_write_is_read() {
    let house = house();
    house.spawn(RUN).ends(0);
    let entries = house.journal().len();
    let agent = house.agent_pid().unwrap();
    eventually("the agent's end", || !is_there(agent));
    let wal = house.state().join("nightrun.db-wal");
    assert!(wal.metadata().is_ok_and(|wal| wal.len() == 0) || !wal.exists(), "closed");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(house.state().parent().unwrap(), open).unwrap();
    // The folder is root's, the files in it are the reader's.
    let (nobody, state) = (Some(65_534), house.state());
    for file in ["nightrun.db", "store.lock"] {
        chown(state.join(file), nobody, nobody).unwrap();
    }
    let mut read = Command::new("setpriv");
    read.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    read.arg(env!("CARGO_BIN_EXE_nightrun")).arg("--state").arg(&state);
    read.args(["journal", "show", "--last", "1000"]);
    let read = read.output().expect("`setpriv` is missing: install util-linux");
    let (out, err) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success(), "{err}");
    assert_eq!(out.lines().count(), entries);
}
