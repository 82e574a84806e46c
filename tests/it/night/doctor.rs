//! `nightrun doctor`: a host where all is well, and one thing wrong after the other.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nightrun::core::fact::Fact;
use nightrun::driver::clock::HostClock;
use nightrun::driver::store::SqliteStore;
use nightrun::port::{Clock, Store};
use rustix::process::Signal;
use serde_json::Value;
use sqlx::{Connection, Executor, SqliteConnection};

use super::facts::{eventually, is_there, send};
use super::house::{Answer, HOSTS, House};
use super::post::{closed_port, sink, smtp};
use crate::journal_writer::{Writer, opened, run};

const JOBS: &str = "  a: {title: A, run: [sh, job.sh]}\n";
const WAITS: &str = "  a: {title: A, run: [sh, job.sh, wait]}\n";

fn ran() -> House {
    let house = House::new(JOBS);
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    house
}

fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What is found, but for what hangs on the host that the tests run on.
fn findings(answer: &Answer) -> Vec<Value> {
    let all = answer.json();
    let of_host = |found: &Value| {
        ["kernel-lacks", "state-volatile", "little-room", "clock-not-synchronised"]
            .contains(&found["found"]["finding"].as_str().unwrap())
    };
    all.as_array().unwrap().iter().filter(|found| !of_host(found)).cloned().collect()
}

/// Exactly one finding is not well; it is given back.
#[track_caller]
fn one(answer: Answer, grade: &str, name: &str) -> Value {
    let answer = answer.code(i32::from(grade == "fail"));
    let bad: Vec<Value> =
        findings(&answer).into_iter().filter(|found| found["grade"] != "ok").collect();
    assert_eq!(bad.len(), 1, "{}", answer.out);
    assert_eq!(
        (&bad[0]["grade"], &bad[0]["found"]["finding"]),
        (&grade.into(), &name.into()),
        "{}",
        answer.out
    );
    bad[0].clone()
}

impl House {
    fn doctor(&self) -> Answer {
        self.run(&["doctor", "--format", "json"])
    }

    /// The doctor, started by a shell after these words.
    fn doctor_after(&self, words: &str) -> Answer {
        let doctor = self.command(&["doctor", "--format", "json"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{words} && exec \"$0\" \"$@\"")]);
        answer(shell.arg(doctor.get_program()).args(doctor.get_args()))
    }
}

#[test]
fn a_host_where_all_is_well() {
    let house = ran();
    let answer = house.doctor().code(0);
    let names: Vec<Value> =
        findings(&answer).iter().map(|found| found["found"]["finding"].clone()).collect();
    assert_eq!(
        names,
        [
            "site-loads",
            "not-in-git",
            "state-usable",
            "store-whole",
            "everything-kept",
            "no-agent",
            "mail-folder-usable",
            "no-life-sign",
            "clock-plausible",
            "zones-agree",
            "enough-files",
            "enough-processes",
            "kernel-has"
        ]
    );
    assert!(findings(&answer).iter().all(|found| found["grade"] == "ok"), "{}", answer.out);
    let found = |name: &str| {
        let all = findings(&answer);
        all.into_iter().find(|found| found["found"]["finding"] == name).unwrap()["found"].clone()
    };
    assert_eq!(found("site-loads")["jobs"], 1);
    assert_eq!(found("store-whole")["entries"], house.journal().len());
    assert_eq!(found("zones-agree")["zones"], serde_json::json!(["Europe/Berlin"]));

    // One line each, in both languages; nothing is left behind.
    let lines = answer.json().as_array().unwrap().len();
    let [en, zh] = ["en", "zh"].map(|lang| house.run(&["--lang", lang, "doctor"]).code(0).out);
    assert_eq!((en.lines().count(), zh.lines().count()), (lines, lines));
    assert!(en.starts_with("ok    site      ") && zh.starts_with("正常  站点      "), "{en}{zh}");
    for folder in [house.state(), house.state().join("mail")] {
        let mut names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        assert!(names.all(|name| !name.to_string_lossy().contains("doctor")));
    }
}

#[test]
fn it_may_be_asked_while_a_night_runs() {
    let house = House::new(WAITS);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let all = findings(&house.doctor().code(0));
    let agent = all.iter().find(|found| found["part"] == "agent").unwrap();
    assert_eq!(agent["found"]["pid"].as_i64(), house.agent_pid().map(i64::from));
    assert_eq!((&agent["found"]["running"], &agent["found"]["unrecorded"]), (&1.into(), &0.into()));
    house.say("a", "go");
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn before_the_first_run_nothing_is_there_and_nothing_is_made() {
    let house = House::bare();
    fs::remove_dir_all(house.state()).unwrap();
    one(house.doctor(), "warn", "no-state");
    assert!(!house.state().exists());
}

#[test]
fn a_site_with_defects_or_none() {
    let house = House::new("  a: {title: A, run: [sh, job.sh], needs: [b]}\n");
    let found = one(house.doctor(), "fail", "site-has-defects");
    assert_eq!(found["found"]["errors"], 1);
    fs::remove_dir_all(house.site()).unwrap();
    one(house.doctor(), "fail", "site-unreadable");
}

#[test]
fn a_state_folder_that_is_none_or_cannot_be_written() {
    let house = House::new(JOBS);
    fs::remove_dir_all(house.state()).unwrap();
    fs::write(house.state(), "").unwrap();
    let all = findings(&house.doctor().code(1));
    assert!(all.iter().any(|found| found["found"]["finding"] == "state-unusable"), "{all:?}");

    // A folder in which not even root makes a file.
    let site = house.site();
    let mut sys = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    sys.arg("--site").arg(site).args(["--state", "/sys", "--format", "json", "doctor"]);
    let all = findings(&answer(&mut sys).code(1));
    assert!(all.iter().any(|found| found["found"]["finding"] == "state-unusable"), "{all:?}");
    assert!(all.iter().any(|found| found["found"]["finding"] == "mail-folder-unusable"), "{all:?}");
}

#[test]
fn a_state_folder_of_somebody_else() {
    let house = House::new(JOBS);
    if rustix::process::geteuid().is_root() {
        chown(house.state(), Some(65_534), None).unwrap();
        let found = one(house.doctor(), "warn", "state-of-another");
        assert_eq!(found["found"]["own"], "root");
    } else {
        // Root's, and everybody may write it.
        let state = Path::new("/var/tmp");
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_nightrun"));
        doctor.arg("--site").arg(house.site()).arg("--state").arg(state);
        let all = findings(&answer(doctor.args(["--format", "json", "doctor"])).code(1));
        assert!(all.iter().any(|found| found["found"]["owner"] == "root"), "{all:?}");
    }
}

#[test]
fn a_state_folder_or_store_that_is_open_to_others() {
    let house = ran();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    mode(&house.state(), 0o777);
    let found = one(house.doctor(), "fail", "state-open-to-others");
    assert!(found["text"].as_str().unwrap().contains("(mode 777)"), "{found}");
    mode(&house.state(), 0o755);
    mode(&house.state().join("nightrun.db"), 0o644);
    one(house.doctor(), "warn", "store-open-to-others");
}

#[test]
fn a_disk_with_little_room() {
    let house = House::new(JOBS);
    let state = house.state();
    let mount = format!("mount -t tmpfs -o size=8m none {}", state.display());
    let doctor = house.command(&["doctor", "--format", "json"]);
    let mut inside = Command::new("unshare");
    inside.args([
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &format!("{mount} && exec \"$0\" \"$@\""),
    ]);
    let all = answer(inside.arg(doctor.get_program()).args(doctor.get_args()));
    assert!(all.err.is_empty(), "a mount namespace is needed for this test: {}", all.err);
    let all = all.code(1).json();
    let found = |name: &str| all.as_array().unwrap().iter().find(|f| f["found"]["finding"] == name);
    assert_eq!(found("little-room").unwrap()["grade"], "fail");
    assert_eq!(found("state-volatile").unwrap()["grade"], "warn");
}

#[test]
fn a_path_of_any_length_is_short_enough_for_sockets() {
    let house = House::new(JOBS);
    let deep = house.state().join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_nightrun"));
    doctor.arg("--site").arg(house.site()).arg("--state").arg(deep);
    let all = findings(&answer(doctor.args(["--format", "json", "doctor"])).code(0));
    assert!(all.iter().all(|found| found["grade"] == "ok"), "{all:?}");
}

#[test]
fn a_store_that_cannot_be_trusted() {
    let house = ran();
    let file = house.state().join("nightrun.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut conn = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        let sql = "UPDATE journal SET at = at + 1 WHERE seq = (SELECT MAX(seq) FROM journal)";
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    });
    let found = one(house.doctor(), "fail", "store-unusable");
    assert!(found["text"].as_str().unwrap().contains("column `at` was altered"), "{found}");
    let mut bytes = fs::read(&file).unwrap();
    bytes[63] = 9;
    fs::write(&file, &bytes).unwrap();
    let found = one(house.doctor(), "fail", "store-unusable");
    assert!(found["text"].as_str().unwrap().contains("schema version 9"), "{found}");
    fs::write(&file, "not a store").unwrap();
    one(house.doctor(), "fail", "store-unusable");
    assert_eq!(fs::read(&file).unwrap(), b"not a store", "it is left as it is");
}

#[test]
fn an_agent_that_is_missed() {
    let house = House::new(WAITS);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night.kill();
    let agent = house.agent_pid().unwrap();
    send(agent, Signal::KILL);
    eventually("the agent's end", || !is_there(agent));
    let found = one(house.doctor(), "warn", "no-agent");
    assert_eq!(found["found"]["attempts"], 1);
    house.say("a", "go");
    house.spawn(&["resume"]).ends(0);
    one_agent_is_well(&house);
}

fn one_agent_is_well(house: &House) {
    let all = findings(&house.doctor().code(0));
    assert!(all.iter().all(|found| found["grade"] == "ok"), "{all:?}");
}

/// An agent that says this to whoever greets it, and nothing where it is empty.
fn sham_agent(house: &House, says: &'static str) {
    let folder = house.state().join("agent");
    fs::create_dir_all(&folder).unwrap();
    let listener = UnixListener::bind(folder.join("agent.sock")).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            assert!(line.contains("hello"), "{line}");
            if says.is_empty() {
                // Until it is hung up on.
                let _ = BufReader::new(stream).read_line(&mut line);
            } else {
                stream.write_all(says.as_bytes()).unwrap();
            }
        }
    });
}

#[test]
fn an_agent_that_says_nothing_or_speaks_another_language() {
    let house = House::new(JOBS);
    sham_agent(&house, "");
    let found = one(house.doctor(), "fail", "agent-unusable");
    assert!(found["text"].as_str().unwrap().contains("does not answer in 5s"), "{found}");
    let other = House::new(JOBS);
    sham_agent(&other, "{\"say\":\"welcome\",\"version\":9,\"boot\":\"b:s\",\"pid\":1}\n");
    one(other.doctor(), "fail", "agent-speaks-other");
}

#[test]
fn an_agents_folder_that_lost_what_must_not_be_guessed() {
    let house = ran();
    fs::write(house.state().join("agent/epoch"), "x").unwrap();
    let found = one(house.doctor(), "fail", "agent-unusable");
    assert!(found["text"].as_str().unwrap().contains("epoch does not hold an epoch"), "{found}");
}

#[test]
fn mail_that_cannot_leave() {
    let house = House::new(JOBS);
    fs::write(house.state().join("mail"), "a file in the way").unwrap();
    one(house.doctor(), "fail", "mail-folder-unusable");

    smtp(&house, closed_port());
    let found = one(house.doctor(), "fail", "mail-server-unusable");
    assert!(found["text"].as_str().unwrap().contains("refused"), "{found}");
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let sink = sink(&[]);
    smtp(&house, sink.port);
    let found = one(house.doctor(), "warn", "mail-waits");
    assert_eq!((&found["found"]["mails"], &found["found"]["given_up"]), (&1.into(), &0.into()));
    assert!(sink.heard().iter().all(|heard| heard.message.is_none()), "nothing is sent by looking");
    assert_eq!(sink.heard()[0].commands.last().map(String::as_str), Some("QUIT"));
}

/// A store whose last run was opened at these times of the two clocks.
fn opened_at(house: &House, at: Timestamp, since_boot: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = HostClock::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&house.state()).await.unwrap();
        let mut writer = Writer::lead(store).await;
        // The writer's clock moves on by a second before it writes.
        writer.at = at - SignedDuration::from_secs(1);
        let Fact::RunOpened(mut fact) = opened(&run("eod@2026-10-30#1"), "2026-10-30", false)
        else {
            panic!("a run is opened");
        };
        (fact.boot, fact.since_boot) = (clock.boot(), since_boot);
        writer.write(&[Fact::RunOpened(fact)]).await.unwrap();
        writer.store.close().await;
    });
}

#[test]
fn a_clock_that_was_set() {
    let now = HostClock::new().unwrap().now();
    let hour = Duration::from_secs(3_600);
    for (at, since_boot, grade, name) in [
        (now.wall, now.since_boot, "ok", "clock-plausible"),
        (now.wall - hour, now.since_boot, "warn", "clock-stepped"),
        (now.wall, now.since_boot.saturating_sub(hour / 6), "warn", "clock-stepped"),
    ] {
        let house = House::new(JOBS);
        opened_at(&house, at, since_boot);
        if grade == "ok" {
            assert!(findings(&house.doctor().code(0)).iter().all(|found| found["grade"] == "ok"));
        } else {
            let found = one(house.doctor(), grade, name);
            let by = found["found"]["by_s"].as_i64().unwrap();
            let forward = at < now.wall;
            assert!(if forward { by > 3_000 } else { by < -60 }, "{found}");
        }
    }
    let house = House::new(JOBS);
    opened_at(&house, now.wall + hour, now.since_boot + hour);
    one(house.doctor(), "fail", "clock-behind-journal");
}

#[test]
fn a_hosts_zone_data_that_are_not_ours() {
    let house = House::new(JOBS);
    let data = tempfile::tempdir().unwrap();
    fs::create_dir_all(data.path().join("Europe")).unwrap();
    // RFC 9636, version 1: one kind of time, 3 hours east, and no change.
    let mut file = b"TZif\0".to_vec();
    file.extend([0; 15]);
    for count in [0_u32, 0, 0, 0, 1, 4] {
        file.extend(count.to_be_bytes());
    }
    file.extend(10_800_i32.to_be_bytes());
    file.extend(b"\0\0XXX\0");
    fs::write(data.path().join("Europe/Berlin"), file).unwrap();
    let found = one(
        house.doctor_after(&format!("export TZDIR={}", data.path().display())),
        "warn",
        "zone-differs",
    );
    assert_eq!(
        (&found["found"]["zone"], &found["found"]["host"]),
        (&"Europe/Berlin".into(), &"+03".into())
    );
}

#[test]
fn limits_that_are_too_low_for_what_may_run() {
    let house = House::new(JOBS);
    house.write("hosts.yaml", &HOSTS.replace("max_running: 8", "max_running: 500"));
    let found = one(house.doctor_after("ulimit -n 600"), "fail", "too-few-files");
    assert_eq!((&found["found"]["limit"], &found["found"]["needed"]), (&600.into(), &756.into()));
    if !rustix::process::geteuid().is_root() {
        // The kernel does not count those of root.
        house.write("hosts.yaml", &HOSTS.replace("max_running: 8", "max_running: 10000"));
        let all = findings(&house.doctor_after("ulimit -u 15000").code(1));
        assert!(
            all.iter().any(|found| found["found"]["finding"] == "too-few-processes"),
            "{all:?}"
        );
    }
}

#[cfg(feature = "faults")]
#[test]
fn a_kernel_that_lacks_something() {
    let house = House::new(JOBS);
    let answer =
        house.doctor_after("export NIGHTRUN_WITHOUT=pidfd,close_range,dnotify").code(0).json();
    let all = answer.as_array().unwrap();
    for feature in ["pidfd", "close_range", "dnotify"] {
        let found = all.iter().find(|found| found["found"]["feature"] == feature).unwrap();
        assert_eq!(found["grade"], "warn");
        assert!(found["found"]["without"].as_str().unwrap().len() > 10, "{found}");
    }
}
