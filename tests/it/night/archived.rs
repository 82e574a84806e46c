//! Runs that are over go to an archive: nothing is lost on the way, wherever it is interrupted, and the chain still proves
//! itself.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use rustix::process::Signal;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::house::House;
use super::serving::Town;
use super::watched::Night;
use crate::api::get;

const RETENTION: &str =
    "version: 1\nretention: {archive: archive, runs: {keep: 2d}, at: \"12:00\"}\n";
const OLD: &str = "night@2026-10-29#1";

/// A town with two runs that are over for weeks, and one batch.
struct Attic(Town);

impl Attic {
    fn new(settings: &str) -> Self {
        let town = Town::new();
        town.house.batch("night", "jobs:\n  a: {title: A, run: [sh, job.sh]}\n  b: {title: B, run: [sh, job.sh], needs: [a]}\n");
        fs::write(town.house.state().with_file_name("settings.yaml"), settings).unwrap();
        for date in ["2026-10-29", "2026-10-30"] {
            town.set_clock(format!("{date}T22:00:00+01:00").parse().unwrap());
            town.run(&["run", "night", "--date", date], 0);
        }
        town.set_clock("2026-11-16T09:00:00+01:00".parse().unwrap());
        Self(town)
    }

    fn house(&self) -> &House {
        &self.0.house
    }

    fn folder(&self) -> PathBuf {
        self.house().state().with_file_name("archive")
    }

    fn file(&self) -> PathBuf {
        self.folder().join(format!("{OLD}.jsonl.gz"))
    }

    fn settings(&self) -> String {
        self.house().state().with_file_name("settings.yaml").display().to_string()
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.0.run(&[arguments, &["--settings", &self.settings()]].concat(), code)
    }

    fn interrupted(&self, point: &str) -> Output {
        let settings = self.settings();
        let mut command = self.0.command(&["archive", "--settings", &settings]);
        command.env("NIGHTRUN_FAULT", point).output().unwrap()
    }

    fn in_spool(&self) -> Vec<String> {
        let spool = fs::read_dir(self.house().state().join("agent/spool")).unwrap();
        let names = spool.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[track_caller]
    fn is_archived(&self) {
        let whole = self.run(&["journal", "verify"], 0);
        assert!(whole.contains("chain whole") && whole.contains("archives of 1 runs"), "{whole}");
        let proven =
            self.run(&["journal", "verify", "--archive", self.folder().to_str().unwrap()], 0);
        assert!(!proven.contains("archives of"), "{proven}");
        assert_eq!(self.in_spool(), ["night@2026-10-30#1~a~1", "night@2026-10-30#1~b~1"]);
        for gone in ["runs", "reports"] {
            assert!(!self.house().state().join(gone).join(OLD).exists(), "{gone}");
            assert!(self.house().state().join(gone).join("night@2026-10-30#1").exists());
        }
        let files: Vec<_> = fs::read_dir(self.folder()).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
    }
}

#[test]
fn a_run_that_is_old_goes_to_a_file_and_says_where_it_is() {
    let attic = Attic::new(RETENTION);
    let all = attic.house().journal();
    assert_eq!(attic.run(&["archive", "--dry-run"], 0).trim(), OLD);
    assert!(!attic.folder().exists());
    let report = attic.run(&["report", "--run", OLD], 0);
    let said = attic.run(&["archive"], 0);
    assert!(said.starts_with("1 runs"), "{said}");
    attic.is_archived();
    assert_eq!(attic.run(&["archive", "--dry-run"], 0), "");

    let runs = attic.house().json(&["runs"]);
    assert_eq!((&runs[1]["run"], &runs[1]["result"]), (&OLD.into(), &"well".into()));
    assert_eq!(runs[1]["archived"], format!("{OLD}.jsonl.gz"));
    for command in [
        &["report", "--run", OLD][..],
        &["log", "night.a", "--run", OLD],
        &["why", "night.a", "--date", "2026-10-29"],
        &["run", "night", "--date", "2026-10-29"],
        &["run", "night", "--date", "2026-10-29", "--from", "b"],
        &["retry", "night.a", "--run", OLD, "--reason", "r"],
    ] {
        let refused = attic.run(command, 3);
        assert!(refused.contains(&format!("{OLD} was archived: {OLD}.jsonl.gz")), "{refused}");
    }
    // What it was is in the file: its entries as they were, and its report.
    let shown = attic.run(&["archive", "show", OLD, "--format", "json"], 0);
    let of_run = |entry: &&serde_json::Value| entry["fact"].to_string().contains(OLD);
    let before: Vec<String> = all.iter().filter(of_run).map(|e| e["seq"].to_string()).collect();
    let after: Vec<String> = shown
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].to_string())
        .collect();
    assert_eq!(before, after);
    let shown = attic.run(&["archive", "show", OLD], 0);
    let title = report.lines().next().unwrap();
    assert!(shown.contains(title), "{title}: {shown}");

    // The number is not given again, and nothing of the former one is started.
    attic.run(&["run", "night", "--date", "2026-10-29", "--rerun"], 0);
    assert_eq!(attic.house().json(&["runs"])[0]["run"], "night@2026-10-29#2");
    assert_eq!(attic.house().ran(), ["a 1", "a 1", "a 1", "b 1", "b 1", "b 1"]);
    attic.run(&["status"], 0);

    // A file that was altered, or is gone, proves nothing.
    let archive = attic.folder();
    let mut bytes = fs::read(attic.file()).unwrap();
    bytes[40] ^= 1;
    fs::write(attic.file(), bytes).unwrap();
    attic.run(&["journal", "verify"], 0);
    let broken = attic.run(&["journal", "verify", "--archive", archive.to_str().unwrap()], 1);
    assert!(broken.contains("it is not the file that was made"), "{broken}");
}

#[test]
fn an_archiving_that_is_killed_anywhere_loses_nothing_and_is_finished_by_the_next() {
    for point in [
        "archive.written",
        "archive.moved",
        "supervisor.decided",
        "supervisor.committed",
        "supervisor.acted",
        "agent.retired",
        "agent.cleared",
        "agent.cleared:2",
    ] {
        let attic = Attic::new(RETENTION);
        let killed = attic.interrupted(point);
        assert_ne!(killed.status.code(), Some(0), "{point}: it was not passed");
        attic.run(&["journal", "verify"], 0);
        attic.run(&["archive"], 0);
        let retired = fs::read_to_string(attic.house().state().join("agent/retired")).unwrap();
        assert_eq!(retired.matches(OLD).count(), 1, "{point}: {retired}");
        attic.is_archived();
        assert_eq!(attic.house().facts("run-archived").len(), 1, "{point}");
    }
}

/// From the file of its archive, where that is at hand; and where it is not the audit says so.
#[test]
fn an_audit_tells_what_was_done_in_runs_that_were_archived() {
    let attic = Attic::new(RETENTION);
    attic.run(&["note", "night", "seen by the auditors", "--date", "2026-10-29"], 0);
    let before = attic.run(&["audit", "--csv"], 0);
    attic.run(&["archive"], 0);
    let list = attic.run(&["archive", "list"], 0);
    assert!(list.contains(OLD) && list.contains(&format!("{OLD}.jsonl.gz")), "{list}");
    let lines = |csv: &str| -> Vec<String> {
        csv.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert!(before.contains("seen by the auditors"), "{before}");
    assert_eq!(lines(&attic.run(&["audit", "--csv"], 0)), lines(&before));
    // Without the settings nobody knows where the files are.
    let without = attic.0.run(&["audit", "--csv"], 0);
    assert!(!without.contains("seen by the auditors"), "{without}");
    assert!(without.contains("# archived runs that are not told here: 1"), "{without}");
    let later = attic.0.run(&["audit", "--from", "2100-01-01"], 0);
    assert!(!later.contains("not told here"), "{later}");
    fs::write(attic.file(), "something else").unwrap();
    assert!(attic.run(&["audit"], 1).contains("it is not the file that was made"));
}

#[test]
fn the_doctor_says_what_is_due_and_how_old_the_newest_backup_is() {
    let attic = Attic::new(RETENTION);
    let found = |settings: bool| -> Vec<serde_json::Value> {
        let more = attic.settings();
        let more: &[&str] = if settings { &["--settings", &more] } else { &[] };
        let output =
            attic.0.command(&[&["doctor", "--format", "json"], more].concat()).output().unwrap();
        let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let of =
            |found: &&serde_json::Value| found["part"] == "archive" || found["part"] == "backup";
        all.as_array().unwrap().iter().filter(of).cloned().collect()
    };
    let is = |found: &[serde_json::Value], expected: [(&str, &str); 2]| {
        let name = |found: &serde_json::Value| {
            (
                found["grade"].as_str().unwrap().to_owned(),
                found["found"]["finding"].as_str().unwrap().to_owned(),
            )
        };
        let names: Vec<_> = found.iter().map(name).collect();
        let expected = expected.map(|(grade, name)| (grade.to_owned(), name.to_owned()));
        assert_eq!(names, expected, "{found:?}");
    };
    let before = found(true);
    is(&before, [("warn", "archive-late"), ("warn", "no-backup")]);
    assert_eq!(
        (&before[0]["found"]["runs"], &before[0]["found"]["last"]),
        (&1.into(), &serde_json::Value::Null)
    );
    is(&found(false), [("ok", "everything-kept"), ("warn", "no-backup")]);
    let backup = attic.house().state().with_file_name("backup.db");
    attic.run(&["backup", backup.to_str().unwrap()], 0);
    attic.run(&["archive"], 0);
    let after = found(true);
    is(&after, [("ok", "archive-goes"), ("ok", "backup-made")]);
    assert!(after[0]["text"].as_str().unwrap().contains("2026-11-16"), "{after:?}");
    assert_eq!(after[1]["found"]["entries"], 1, "the entry that archived the run");
    attic.0.set_clock("2026-11-17T09:00:00+01:00".parse().unwrap());
    is(&found(true), [("ok", "archive-goes"), ("ok", "backup-made")]);
    attic.0.set_clock("2026-11-17T12:00:00+01:00".parse().unwrap());
    is(&found(true), [("ok", "archive-goes"), ("warn", "backup-old")]);
    let settings = format!("{RETENTION}backup: {{within: 8d}}\n");
    fs::write(attic.settings(), settings).unwrap();
    is(&found(true), [("ok", "archive-goes"), ("ok", "backup-made")]);
    fs::write(attic.house().state().join("last-backup.json"), "{").unwrap();
    is(&found(true), [("ok", "archive-goes"), ("warn", "backup-unknown")]);
}

/// Of the store's file.
fn count(house: &House, sql: &'static str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = SqliteConnectOptions::new().filename(house.state().join("nightrun.db"));
        let mut conn = SqliteConnection::connect_with(&file.read_only(true)).await.unwrap();
        let (count,): (i64,) = sqlx::query_as(sql).fetch_one(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        count
    })
}

/// What only archived runs went by leaves with them; what an audit needs stays, and so does what another run goes by.
#[test]
fn scripts_definitions_and_mail_leave_when_no_run_needs_them() {
    let attic = Attic::new(RETENTION);
    let house = attic.house();
    let runs = |date: &str, sign: &str| {
        house.write("night/more.sh", &format!("echo {sign}\n"));
        attic.0.set_clock(format!("{date}T22:00:00+01:00").parse().unwrap());
        attic.run(&["run", "night", "--date", date], 0);
    };
    // Two with other scripts; before the second somebody has left.
    runs("2026-11-02", "once");
    let people = fs::read_to_string(house.site().join("people.yaml")).unwrap();
    let left: Vec<&str> = people.lines().filter(|line| !line.contains("wei:")).collect();
    house.write("people.yaml", &left.join("\n"));
    runs("2026-11-03", "twice");
    runs("2026-11-16", "now");
    attic.0.set_clock("2026-11-20T09:00:00+01:00".parse().unwrap());
    let count = |sql: &'static str| count(house, sql);
    let audit = attic.run(&["audit", "--csv"], 0);
    let (blobs, mail) = (count("SELECT count(*) FROM blob"), count("SELECT count(*) FROM outbox"));
    assert!(mail > 3, "a report each");
    attic.run(&["archive"], 0);
    // Left: the script of all runs, that of the last one, its definition, the first one and that of the change of people.
    let kept = count("SELECT count(*) FROM blob");
    assert!(kept < blobs, "{kept} of {blobs}");
    assert_eq!(count("SELECT count(*) FROM blob WHERE content LIKE 'echo %'"), 1);
    assert_eq!(count("SELECT count(*) FROM blob WHERE content LIKE '{%'"), 3);
    assert_eq!(count("SELECT count(*) FROM outbox WHERE sent IS NOT NULL"), 1, "the last");
    attic.run(&["journal", "verify", "--archive", attic.folder().to_str().unwrap()], 0);
    let lines = |csv: &str| -> Vec<String> {
        csv.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(lines(&attic.run(&["audit", "--csv"], 0)), lines(&audit));
    for (date, has) in [("2026-10-30", true), ("2026-11-02", true), ("2026-11-03", false)] {
        let access = attic.run(&["audit", "--access", date], 0);
        assert_eq!(access.contains("Wei Duty"), has, "{date}: {access}");
    }
    // The last run goes on by what it began with, and a backup holds all that it needs.
    attic.run(&["report", "--date", "2026-11-16"], 0);
    attic.run(&["retry", "night.a", "--date", "2026-11-16", "--reason", "r"], 3);
    attic.run(&["run", "night", "--date", "2026-11-16", "--rerun"], 0);
    let file = house.state().with_file_name("after.db");
    attic.run(&["backup", file.to_str().unwrap()], 0);
}

/// A note to an old run may be the last entry before the one that archives it.
#[test]
fn the_end_of_the_journal_proves_itself_over_what_was_archived() {
    let attic = Attic::new(RETENTION);
    attic.run(&["note", "night", "the auditors have seen it", "--date", "2026-10-29"], 0);
    attic.run(&["archive"], 0);
    attic.run(&["journal", "verify"], 0);
    attic.run(&["archive"], 0);
    attic.run(&["run", "night", "--date", "2026-11-02"], 0);
    let archive = attic.folder();
    attic.run(&["journal", "verify", "--archive", archive.to_str().unwrap()], 0);
    let shown = attic.run(&["archive", "show", OLD], 0);
    assert!(shown.contains("the auditors have seen it"), "{shown}");
}

/// The older copy knows the run as it was; what the spool had of it is in the first file, which stays.
#[test]
fn a_store_of_before_the_archiving_archives_beside_the_former_file() {
    let attic = Attic::new(RETENTION);
    let house = attic.house();
    let file = house.state().with_file_name("backup.db");
    attic.run(&["backup", file.to_str().unwrap()], 0);
    attic.run(&["archive"], 0);
    let first = fs::read(attic.file()).unwrap();
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(house.state().join(format!("nightrun.db{end}")));
    }
    attic.run(&["restore", file.to_str().unwrap()], 0);
    let refused = attic.run(&["archive"], 3);
    assert!(refused.contains("no attempt, run or start that is known here"), "{refused}");
    attic.run(&["restore", "accept", "--reason", "r"], 0);
    attic.run(&["archive"], 0);
    assert!(fs::read(attic.file()).unwrap() == first, "the first file was written over");
    assert_eq!(house.json(&["runs"])[1]["archived"], format!("{OLD}.2.jsonl.gz"));
    attic.run(&["journal", "verify", "--archive", attic.folder().to_str().unwrap()], 0);
}

/// A run that was opened, ended and archived in the time that the store has lost.
#[test]
fn a_lost_run_that_was_archived_is_known_by_the_agent_and_its_number_is_not_given_again() {
    let attic = Attic::new(RETENTION);
    let house = attic.house();
    let file = house.state().with_file_name("backup.db");
    attic.run(&["backup", file.to_str().unwrap()], 0);
    for date in ["2026-11-02", "2026-11-03"] {
        attic.run(&["run", "night", "--date", date], 0);
    }
    attic.0.set_clock("2026-12-01T09:00:00+01:00".parse().unwrap());
    attic.run(&["archive"], 0);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(house.state().join(format!("nightrun.db{end}")));
    }
    attic.run(&["restore", file.to_str().unwrap()], 0);
    let refused = attic.run(&["run", "night", "--date", "2026-11-02"], 3);
    assert!(
        refused.contains(
            "night@2026-11-02#1, a run that it does not have; its attempts are in an archive"
        ),
        "{refused}"
    );
    attic.run(&["restore", "accept", "--reason", "r"], 0);
    attic.run(&["run", "night", "--date", "2026-11-02"], 3);
    attic.run(&["run", "night", "--date", "2026-11-02", "--rerun"], 0);
    assert_eq!(house.json(&["runs"])[0]["run"], "night@2026-11-02#2");
    house.run(&["journal", "verify"]).code(0);
}

#[test]
fn output_goes_before_its_run_and_the_log_says_where() {
    let attic =
        Attic::new("version: 1\nretention: {archive: archive, logs: {at_most: 1KiB, keep: 2d}}\n");
    assert!(attic.run(&["log", "night.a", "--run", OLD], 0).contains("the test says go"));
    let due = attic.run(&["archive", "--dry-run"], 0);
    assert_eq!(
        due.lines().collect::<Vec<_>>(),
        ["night@2026-10-29#1: output", "night@2026-10-30#1: output"]
    );
    attic.run(&["archive"], 0);
    let refused = attic.run(&["log", "night.a", "--run", OLD], 3);
    assert!(refused.contains("archive/night@2026-10-29#1.logs.jsonl.gz"), "{refused}");
    // Everything else of the run is where it was.
    attic.run(&["report", "--run", OLD], 0);
    assert_eq!(attic.in_spool().len(), 4);
    assert_eq!(attic.run(&["archive", "--dry-run"], 0), "");
    attic.house().nothing_is_lost();
}

#[test]
fn a_supervisor_that_serves_archives_at_its_hour() {
    let attic = Attic::new(RETENTION);
    attic.0.set_clock("2026-11-16T11:59:50+01:00".parse().unwrap());
    let settings = attic.settings();
    let mut command = attic.0.command(&["serve", "--format", "json", "--settings", &settings]);
    command.env("RUST_BACKTRACE", "1");
    let served = Night::watch(command);
    served.notice("no start lies ahead");
    attic.0.set_clock("2026-11-16T12:00:01+01:00".parse().unwrap());
    served.notice("1 runs, and the output of 0 more, were archived");
    let refused = attic.run(&["archive"], 3);
    assert!(refused.contains("archives by itself at 12:00"), "{refused}");
    let page = get(attic.house(), "/api/v1/archives").ok().json();
    assert_eq!((&page["items"][0]["run"], &page["next"]), (&OLD.into(), &serde_json::Value::Null));
    assert_eq!(page["items"][0]["file"], format!("{OLD}.jsonl.gz"));
    let served_audit = get(attic.house(), "/api/v1/audit").ok().json();
    assert_eq!(served_audit["proof"]["unread_runs"], 0, "{served_audit}");
    attic.run(&["status"], 0);
    served.signal(Signal::TERM);
    served.ends(0);
    attic.is_archived();
}
