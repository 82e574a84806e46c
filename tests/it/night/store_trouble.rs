//! A store that cannot be written while a night runs, and one that was tampered with.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::house::{House, SITE};

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

pub(crate) struct Database {
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
}

impl Database {
    pub(crate) fn open(house: &House) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new().filename(house.state().join("nightrun.db"));
        let connection = runtime.block_on(options.connect()).unwrap();
        Self { runtime, connection }
    }

    pub(crate) fn execute(&mut self, sql: &'static str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.connection.close()).unwrap();
    }
}

#[test]
fn a_store_that_another_program_holds_stops_new_starts_until_it_is_free() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    house.say("a", "go");
    night.notice("the store does not take what was decided");
    assert_eq!(house.ran(), ["a 1"]);
    database.execute("rollback");
    database.close();
    let over = night.ends(0);
    assert!(over.err.iter().any(|line| line.contains("again")), "{:?}", over.err);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn a_stop_is_heard_while_the_store_is_in_trouble_and_twice_it_leaves() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    house.say("a", "go");
    night.notice("the store does not take what was decided");
    // Who looks is told why there is nothing to see; what is asked for waits.
    let status = house.run(&["status"]).code(0);
    assert!(status.out.starts_with("! the store does not take"), "{}", status.out);
    night.signal(Signal::INT);
    night.notice("the stop is heard");
    assert_eq!(night.code(), None);
    night.signal(Signal::TERM);
    let over = night.ends(1);
    assert!(over.err.iter().any(|line| line.contains("`nightrun resume`")), "{:?}", over.err);
    assert_eq!(house.ran(), ["a 1"]);
    database.execute("rollback");
    database.close();
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

#[test]
fn a_stop_that_came_while_the_store_was_in_trouble_is_carried_out_after_it() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    // The note is what the store does not take: `a` runs on, and `b` must not start when it has ended.
    let note = house.spawn(&["note", "night", "the store is locked"]);
    night.notice("the store does not take what was decided");
    night.signal(Signal::INT);
    night.notice("the stop is heard");
    database.execute("rollback");
    database.close();
    assert_eq!(night.event("stopping", "")["how"], "wait");
    note.ends(0);
    house.say("a", "go");
    night.ends(4);
    assert_eq!(house.ran(), ["a 1"]);
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

/// A small file system of its own.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(path: &'a Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "nightrun-test"]).arg(path);
        let status = mount.status().expect("`mount` is missing: install util-linux");
        assert!(status.success(), "a disk of its own for the test needs root: {mount:?}");
        Self(path)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: what still has files open in it does not keep it.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 1024]).is_ok() {}
}

#[test]
fn a_full_disk_loses_nothing_and_the_night_goes_on_when_there_is_room() {
    let house = House::new(
        r#"
  a: {title: A, shell: 'read -r word < "$NIGHTRUN_WORK/gate-a"'}
  b: {title: B, run: [sh, job.sh], needs: [a]}
"#,
    );
    let state = house.state();
    let _disk = Disk::mount(&state);
    std::fs::create_dir_all(house.work("")).unwrap();
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let ballast = house.work("ballast");
    fill(&ballast);
    // What an operator asks for waits until it can be recorded; the end of a job waits where it was seen.
    let note = house.spawn(&["note", "night", "the disk is full"]);
    night.notice("no room");
    house.say("a", "go");
    assert!(house.ran().is_empty());
    std::fs::remove_file(&ballast).unwrap();
    note.ends(0);
    night.ends(0);
    assert_eq!(house.ran(), ["b 1"]);
    assert_eq!(house.facts("acted").len(), 1);
    house.nothing_is_lost();
}

#[test]
fn what_became_of_mail_waits_for_the_store_too() {
    let house =
        House::new("  a: {title: A, shell: exit 1}\n  b: {title: B, run: [sh, job.sh, wait]}\n");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let smtp = format!("smtp: {{host: 127.0.0.1, port: {port}, tls: none}}");
    house.write("site.yaml", &SITE.replace("folder: mail", &smtp));
    house.gates(&["b"]);
    let night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    let (mut client, _) = server.accept().unwrap();
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    client.write_all(b"421 not tonight\r\n").unwrap();
    drop((client, server));
    night.notice("the store does not take");
    database.execute("rollback");
    database.close();
    house.say("b", "go");
    night.ends(1);
    let list = house.run(&["mail", "list"]).code(0).out;
    assert!(list.contains("not tonight"), "{list}");
    house.nothing_is_lost();
}

#[test]
fn a_report_that_cannot_be_written_stops_no_night() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    std::fs::write(house.state().join("reports"), "no folder").unwrap();
    let over = house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert!(over.err.iter().any(|line| line.contains("report")), "{:?}", over.err);
    assert_eq!(house.mails().len(), 1);
    house.nothing_is_lost();
}

#[test]
fn an_entry_that_was_altered_is_named() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    house.run(&["journal", "verify"]).code(0);
    let mut database = Database::open(&house);
    database.execute(
        "update journal set body = replace(body, 'pid', 'pie') where kind = 'attempt-started'",
    );
    database.close();
    let broken = house.run(&["journal", "verify"]).code(1);
    assert!(broken.err.contains("entry 3"), "{}", broken.err);
    let mut database = Database::open(&house);
    database.execute(
        "update journal set body = replace(body, 'pie', 'pid') where kind = 'attempt-started'",
    );
    house.run(&["journal", "verify"]).code(0);
    database.execute("delete from journal where seq = (select max(seq) from journal)");
    database.close();
    let broken = house.run(&["journal", "verify"]).code(1);
    assert!(broken.err.contains("ends with"), "{}", broken.err);
    // And nobody goes on from a journal that is not whole.
    let refused = house.run(&["run", "night", "--date", "2026-10-31"]).code(1);
    assert!(refused.err.contains("journal"), "{}", refused.err);
}
