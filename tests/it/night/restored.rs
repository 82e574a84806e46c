//! A store that was restored from a backup: it starts nothing before a person has taken in what it lacks, and then nothing
//! runs twice.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use super::facts::eventually;
use super::house::House;
use super::serving::{DAILY, Town, at};

const NIGHT: &str = "  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
  d: {title: D, run: [sh, job.sh, wait], needs: [c]}
  e: {title: E, run: [sh, job.sh], needs: [d]}
";

impl House {
    fn backed_up(&self) -> PathBuf {
        let file = self.state().with_file_name("backup.db");
        self.run(&["backup", file.to_str().unwrap()]).code(0);
        file
    }

    /// The disk of the store is lost, and the backup restored.
    fn put_back(&self, file: &Path) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.state().join(format!("nightrun.db{end}")));
        }
        self.run(&["restore", file.to_str().unwrap()]).code(0);
    }

    /// Every attempt of the spool has its ending in the journal, once.
    #[track_caller]
    fn nothing_runs_that_is_not_recorded(&self) {
        self.run(&["journal", "verify"]).code(0);
        let live = fs::read_dir(self.state().join("agent/live")).unwrap();
        assert_eq!(live.count(), 0);
        let ended = self.facts("attempt-ended");
        let name = |fact: &Value| fact["ended"]["attempt"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = ended.iter().map(name).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "an ending was recorded twice");
    }

    fn accept(&self) {
        self.run(&["restore", "accept", "--reason", "the disk was replaced"]).code(0);
    }
}

#[test]
fn a_night_goes_on_from_a_backup_and_nothing_of_it_runs_twice() {
    let house = House::new(NIGHT);
    house.batch("other", "jobs:\n  x: {title: X, run: [sh, job.sh]}\n");
    house.gates(&["b", "d"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let file = house.backed_up();
    house.say("b", "go");
    night.started("d");
    house.run(&["run", "other", "--date", "2026-10-30"]).code(0);
    night.kill();
    let pid = house.number("pid-d");
    assert!(pid > 0);
    house.put_back(&file);

    for command in [
        &["resume"][..],
        &["serve"],
        &["run", "night", "--date", "2026-10-31"],
        &["skip", "night.e", "--reason", "r"],
    ] {
        let refused = house.run(command).refused("it was restored from a backup");
        for words in [
            "night@2026-10-30#1/c/1: ended",
            "night@2026-10-30#1/d/1: no ending is known",
            "other@2026-10-30#1, a run that it does not have, with 1 attempt",
            "other@2026-10-30#1/x/1: ended",
            "restore accept",
        ] {
            assert!(refused.err.contains(words), "{command:?}: `{words}`: {}", refused.err);
        }
        assert!(!refused.err.contains("/b/1"), "what it knows is not lacking: {}", refused.err);
    }
    house.accept();
    house.run(&["restore", "accept", "--reason", "twice"]).refused("nothing to accept");
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    house.say("d", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1", "e 1", "x 1"]);

    // The lost run counts, and is run again only where somebody asks for that.
    let runs = house.json(&["runs", "--batch", "other"]);
    assert_eq!(
        (&runs[0]["run"], &runs[0]["result"]),
        (&"other@2026-10-30#1".into(), &"lost".into())
    );
    house.run(&["run", "other", "--date", "2026-10-30"]).code(3);
    house.run(&["run", "other", "--date", "2026-10-30", "--rerun"]).code(0);
    assert_eq!(house.json(&["runs", "--batch", "other"])[0]["run"], "other@2026-10-30#2");
    let restored = &house.facts("store-restored")[0];
    assert_eq!(
        (&restored["by"], &restored["reason"]),
        (&house.me().into(), &"the disk was replaced".into())
    );
    house.run(&["journal", "verify"]).code(0);
    house.run(&["report", "--run", "night@2026-10-30#1"]).code(0);
}

#[test]
fn a_start_of_the_lost_time_is_not_made_again_and_is_told_as_missed() {
    let town = Town::new();
    let house = &town.house;
    house.batch("eod", &DAILY.replace(", wait]", "]"));
    town.set_clock(at("21:00:00"));
    let served = town.serve();
    served.notice("serving 1 schedule");
    let file = house.backed_up();
    town.set_clock(at("21:29:59"));
    let mut served = served;
    served.ended("post");
    served.event("run-ended", "");
    served.kill();
    house.put_back(&file);
    town.set_clock(at("21:40:00"));
    let refused = town.run(&["serve"], 3);
    assert!(
        refused.contains("eod: the start of 2026-11-02 21:30:00 CET may have been made"),
        "{refused}"
    );
    assert!(
        refused.contains("eod@2026-11-02#1, a run that it does not have, with 2 attempts"),
        "{refused}"
    );
    town.run(&["restore", "accept", "--reason", "r"], 0);
    let mut served = town.serve();
    let told = served.notice("serving 1 schedule");
    assert!(told.contains("2026-11-03 21:30"), "{told}");
    let missed = house.facts("starts-missed");
    assert_eq!(missed[0]["why"]["why"], "store-restored");
    eventually("the mail about it", || !house.mails().is_empty());
    town.set_clock("2026-11-03T21:29:59+01:00".parse().unwrap());
    served.event("run-ended", "");
    served.signal(Signal::TERM);
    served.ends(0);
    assert_eq!(house.ran(), ["load 1", "load 1", "post 1", "post 1"]);
    let opened: Vec<Value> = house.facts("run-opened");
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0]["run"], "eod@2026-11-03#1");
}

#[test]
fn an_older_file_that_was_put_back_by_hand_is_found_by_what_the_agent_has_obeyed() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
    let file = house.backed_up();
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(house.state().join(format!("nightrun.db{end}")));
    }
    fs::copy(&file, house.state().join("nightrun.db")).unwrap();
    let refused =
        house.run(&["run", "night", "--date", "2026-10-30"]).refused("is older than what has run");
    // Whatever interrupts it: what is lacking is not forgotten.
    let mut killed = house.command(&["restore", "accept", "--reason", "r"]);
    killed.env("NIGHTRUN_FAULT", "restore.raised").output().unwrap();
    house.run(&["resume"]).refused("it was restored from a backup");
    assert!(refused.err.contains("night@2026-10-30#1/a/1: ended"), "{}", refused.err);
    house.accept();
    house.run(&["run", "night", "--date", "2026-10-30"]).code(3);
    house.spawn(&["run", "night", "--date", "2026-10-31"]).ends(0);
    assert_eq!(house.ran(), ["a 1", "a 1", "a 1"]);
    house.run(&["journal", "verify"]).code(0);
}

#[test]
fn on_another_host_what_waits_is_held_until_somebody_releases_it() {
    let house = House::new(NIGHT);
    house.gates(&["b", "d"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let file = house.backed_up();
    house.say("b", "go");
    night.started("d");
    night.kill();
    house.say("d", "go");
    house.ended_unwatched("d", 1);
    // The host is gone with its spool.
    if let Some(pid) = house.agent_pid() {
        super::facts::send(pid, Signal::KILL);
    }
    eventually("the agent's end", || {
        !PathBuf::from(format!("/proc/{}", house.agent_pid().unwrap())).exists()
    });
    fs::remove_dir_all(house.state().join("agent")).unwrap();
    house.put_back(&file);
    let refused = house.run(&["resume"]).refused("it was restored");
    assert!(
        refused.err.contains("every job that waits in an open run will be held"),
        "{}",
        refused.err
    );
    house.accept();
    // Nothing of it moves by itself.
    let over = house.spawn(&["resume"]).ends(1);
    assert_eq!(over.events("in-doubt", "b").len(), 1);
    let held = house.facts("acted");
    let of = |fact: &Value| fact["action"]["job"].as_str().unwrap().to_owned();
    assert_eq!(held.iter().map(of).collect::<Vec<_>>(), ["c", "d", "e"]);
    assert!(held.iter().all(|fact| fact["reason"] == "the disk was replaced"), "{held:?}");
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1"]);
}

#[test]
fn a_backup_that_was_altered_and_a_store_that_is_there_are_refused() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
    let file = house.backed_up();
    let name = file.to_str().unwrap();
    let again = house.run(&["backup", name]).code(1);
    assert!(again.err.contains("no backup is written over"), "{}", again.err);
    house.run(&["restore", name]).refused("a store is not written over");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    fs::remove_file(house.state().join("nightrun.db")).unwrap();
    let refused = house.run(&["restore", name]).code(1);
    assert!(refused.err.contains("is not what it was when it was made"), "{}", refused.err);
    assert!(!house.state().join("nightrun.db").exists());
}

/// The host is gone with its spool; the database that was changed says so itself.
#[test]
fn a_change_that_only_its_target_knows_of_is_not_applied_again() {
    let house = House::new(
        "  wait: {title: W, run: [sh, job.sh, wait]}\n  fix: {title: F, change: fix, needs: [wait]}\n",
    );
    house.write("changes/fix/change.yaml", "version: 1\ntitle: Fix\nclass: data\nreason: r\nrequester: ann\ntarget: bank\nrows: {min: 1, max: 1}\nverify_takes: 1s\nrollback_takes: 1s\n");
    house.write("changes/fix/backup.sql", "create table before_fix as select * from fee;\n");
    house.write("changes/fix/change.sql", "update fee set rate = rate + 1 where id = 1;\n");
    house.write(
        "changes/fix/verify.sql",
        "select 'rate', rate = 2, rate || '' from fee where id = 1;\n",
    );
    house.write(
        "changes/fix/rollback.sql",
        "update fee set rate = rate - 1 where id = 1; drop table before_fix;\n",
    );
    let bank = house.work("bank.db");
    sql(
        &bank,
        "create table fee (id integer primary key, rate integer); insert into fee values (1, 1)",
    );
    house.gates(&["wait"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("wait");
    let file = house.backed_up();
    house.say("wait", "go");
    night.ends(0);
    assert_eq!(rate(&bank), 2);
    if let Some(pid) = house.agent_pid() {
        super::facts::send(pid, Signal::KILL);
    }
    fs::remove_dir_all(house.state().join("agent")).unwrap();
    house.put_back(&file);
    let refused = house.run(&["resume"]).refused("it was restored");
    assert!(
        refused.err.contains(
            "night@2026-10-30#1/fix/1: no host knows of it; its change is committed in bank"
        ),
        "{}",
        refused.err
    );
    house.accept();
    let over = house.spawn(&["resume"]).ends(1);
    assert_eq!(over.events("in-doubt", "fix").len(), 1);
    // An examining attempt finds the marker, and only verifies.
    let looks = |fact: &Value| fact["examine"] == true;
    assert_eq!(house.facts("attempt-intended").iter().filter(|fact| looks(fact)).count(), 1);
    house.run(&["force", "night.wait", "--reason", "it had ended"]).code(0);
    assert_eq!(rate(&bank), 2);
    house.run(&["journal", "verify"]).code(0);
}

pub(crate) fn sql(file: &Path, text: &'static str) -> i64 {
    use sqlx::{ConnectOptions, Connection};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
    runtime.block_on(async {
        let mut conn = options.connect().await.unwrap();
        let row = sqlx::raw_sql(text).fetch_optional(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        row.map_or(0, |row| sqlx::Row::get(&row, 0))
    })
}

pub(super) fn rate(bank: &Path) -> i64 {
    sql(bank, "select rate from fee where id = 1")
}

/// From a database into a file, from the file into another database: it is refused there as well.
#[test]
fn a_database_is_backed_up_while_it_is_led_and_goes_on_in_another() {
    let server = crate::postgres_server::Server::shared();
    let mut house = House::new(NIGHT);
    house.store = Some(super::on_postgres::database(server));
    house.gates(&["b", "d"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let file = house.backed_up();
    house.say("b", "go");
    night.started("d");
    night.kill();

    let other = super::on_postgres::database(server);
    house.store = None;
    house.run(&["restore", file.to_str().unwrap()]).code(0);
    house.run(&["resume"]).refused("it was restored");
    house.run(&["store", "copy", "--to", &other]).code(0);
    house.store = Some(other);
    let refused = house.run(&["resume"]).refused("it was restored");
    assert!(refused.err.contains("night@2026-10-30#1/c/1: ended"), "{}", refused.err);
    house.accept();
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    house.say("d", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1", "e 1"]);
    house.run(&["journal", "verify"]).code(0);
}

#[test]
fn a_backup_or_a_restore_that_is_killed_leaves_nothing_that_passes_for_one() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
    let file = house.state().with_file_name("backup.db");
    let name = file.to_str().unwrap();
    for point in ["backup.copied", "backup.moved"] {
        let mut killed = house.command(&["backup", name]);
        assert_eq!(killed.env("NIGHTRUN_FAULT", point).output().unwrap().status.code(), None);
        assert_eq!(house.run(&["restore", name]).code, Some(1), "{point}");
        let _ = fs::remove_file(&file);
    }
    house.backed_up();
    let store = house.state().join("nightrun.db");
    fs::rename(&store, house.state().join("former.db")).unwrap();
    // A backup that was killed may have left what stands beside it.
    for beside in ["nightrun.db-wal", "nightrun.db-shm"] {
        let _ =
            fs::rename(house.state().join(beside), house.state().join(format!("former-{beside}")));
    }
    let mut killed = house.command(&["restore", name]);
    killed.env("NIGHTRUN_FAULT", "restore.marked").output().unwrap();
    assert!(!store.exists());
    house.run(&["restore", name]).code(0);
    house.run(&["resume"]).refused("it was restored");
}

/// A trial counts for nothing but itself, also where nobody knows more of it than its host.
#[test]
fn a_lost_trial_takes_its_number_and_no_real_date() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
    let file = house.backed_up();
    let trial = ["run", "night", "--date", "2026-10-30", "--at", "2026-10-30T21:30"];
    house.spawn(&trial).ends(0);
    house.put_back(&file);
    house.accept();
    let runs = house.json(&["runs"]);
    assert_eq!((&runs[0]["run"], &runs[0]["trial"]), (&"night@2026-10-30#1".into(), &true.into()));
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    assert_eq!(house.json(&["runs"])[0]["run"], "night@2026-10-30#2");
    house.run(&["journal", "verify"]).code(0);
}

/// Within one leadership the epoch says nothing; what runs does.
#[test]
fn an_older_file_of_the_same_leadership_is_found_by_what_runs() {
    let house = House::new(NIGHT);
    house.gates(&["b", "d"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let file = house.backed_up();
    house.say("b", "go");
    night.started("d");
    night.kill();
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(house.state().join(format!("nightrun.db{end}")));
    }
    fs::copy(&file, house.state().join("nightrun.db")).unwrap();
    let refused = house
        .run(&["resume"])
        .refused("the agent has night@2026-10-30#1/d/1, which it does not know");
    assert!(refused.err.contains("night@2026-10-30#1/c/1: ended"), "{}", refused.err);
    house.accept();
    let mut night = house.spawn(&["resume"]);
    night.event("run-resumed", "");
    house.say("d", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1", "c 1", "d 1", "e 1"]);
    house.nothing_runs_that_is_not_recorded();
}
