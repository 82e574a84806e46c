//! Jobs that multiply, hide, take their watcher with them, or write what nobody can read.

use std::env::temp_dir;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;
use serde_json::Value;

use super::facts::{PATIENCE, eventually, is_there, send, stands_still};
use super::house::House;

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];
const MIB: u64 = 1024 * 1024;

/// The program of `unruly.c`, compiled once for a process of tests.
fn unruly() -> PathBuf {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/night/unruly.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-pthread", "-o"]).arg(folder.path().join("unruly")).arg(source);
        let made = cc.status().expect("`cc` is missing: install gcc");
        assert!(made.success(), "{cc:?}");
        folder
    });
    folder.path().join("unruly")
}

/// A night of one job `a`, whose processes all hold the pipe `held`.
struct Held {
    house: House,
    all_gone: Receiver<()>,
}

impl Held {
    /// `script`: where it says `unruly` the program of `unruly.c` runs.
    fn new(settings: &str, script: &str) -> Self {
        let script = script.replace("unruly", &unruly().display().to_string());
        let house = House::new(&format!(
            "  a:\n    title: A\n{settings}    shell: |\n      exec 9> \"$NIGHTRUN_WORK/held\"\n      {script}\n"
        ));
        let path = house.work("held");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        let (gone, all_gone) = channel();
        std::thread::spawn(move || {
            // The end of the file is the end of the last process that has the pipe.
            let read = File::open(path).and_then(|mut pipe| pipe.read_to_end(&mut Vec::new()));
            let _ = read.map(|_| gone.send(()));
        });
        Self { house, all_gone }
    }

    #[track_caller]
    fn nobody_is_left(&self) {
        self.all_gone.recv_timeout(PATIENCE).expect("some process of the job is still there");
    }

    fn attempt(&self) -> Value {
        self.house.job("a")["attempts"].as_array().unwrap().last().unwrap().clone()
    }

    /// Processes of the job that live, zombies left out.
    fn processes(&self) -> usize {
        let mark = format!("NIGHTRUN_WORK={}", self.house.work("").display());
        let mark = mark.trim_end_matches('/').to_owned();
        let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: i32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment.split(|byte| *byte == 0).any(|e| e == mark.as_bytes()).then_some(pid)
        });
        pids.filter(|pid| is_there(*pid)).count()
    }
}

#[test]
fn what_hides_from_its_job_ends_with_it() {
    for kind in ["daemon", "bomb 60", "chain", "hop", "headless"] {
        let held = Held::new("    grace: 100ms\n", &format!("unruly {kind} > /dev/null &"));
        held.house.spawn(RUN).ends(0);
        held.nobody_is_left();
        let notes = held.attempt()["notes"].to_string();
        assert!(notes.contains("that it left behind"), "{kind}: {notes}");
    }
}

#[test]
fn a_kill_ends_a_bomb_of_two_hundred() {
    let held = Held::new("    grace: 100ms\n", "unruly bomb 200");
    let mut night = held.house.spawn(RUN);
    night.started("a");
    eventually("the whole bomb", || held.processes() >= 200);
    held.house.run(&["kill", "night.a", "--reason", "it multiplies"]).code(0);
    night.ends(1);
    held.nobody_is_left();
    assert_eq!(held.attempt()["ending"]["how"], "killed");
    held.house.nothing_is_lost();
}

#[test]
fn a_maker_of_zombies_ends_at_its_time_limit_and_leaves_none() {
    let held = Held::new("    time_limit: 500ms\n    grace: 100ms\n", "unruly zombies 200");
    held.house.spawn(RUN).ends(1);
    held.nobody_is_left();
    assert_eq!(held.attempt()["ending"]["how"], "timed-out");
    assert_eq!(held.processes(), 0);
}

#[test]
fn a_job_that_kills_its_watcher_is_in_doubt_and_left_alone() {
    let held = Held::new("", "kill -KILL $PPID; read -r x < \"$NIGHTRUN_WORK/gate-a\"");
    held.house.gates(&["a"]);
    let over = held.house.spawn(RUN).ends(1);
    let why = over.events("in-doubt", "a")[0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("its watcher was killed") && why.contains("left alone"), "{why}");
    assert_eq!(over.events("incident-opened", "a").len(), 1);
    held.house.say("a", "go");
    held.nobody_is_left();
    held.house.nothing_is_lost();
}

#[test]
fn what_else_a_job_sends_its_watcher_is_not_heard() {
    // All but KILL and STOP, which no process can refuse. By USR1 its agent asks a watcher for the end of its job.
    let all = "n=1; while [ $n -le 64 ]; do case $n in 9 | 19) ;; *) kill -$n $PPID ;; esac; n=$((n + 1)); done";
    let held = Held::new("", all);
    held.house.spawn(RUN).ends(0);
    held.nobody_is_left();
    let attempt = held.attempt();
    assert_eq!((&attempt["good"], attempt["notes"].to_string().as_str()), (&true.into(), "[]"));
}

#[test]
fn a_job_that_signals_its_watcher_can_be_killed() {
    let held = Held::new(
        "    grace: 100ms\n",
        "kill -USR1 $PPID; echo sent > \"$NIGHTRUN_WORK/sent\"; while :; do kill -USR1 $PPID; done",
    );
    let night = held.house.spawn(RUN);
    eventually("the signal", || held.house.work("sent").exists());
    held.house.run(&["kill", "night.a", "--reason", "it hangs"]).code(0);
    night.ends(1);
    held.nobody_is_left();
    assert_eq!(held.attempt()["ending"]["how"], "killed");
}

#[test]
fn a_job_that_stops_its_watcher_can_be_killed() {
    let held = Held::new(
        "    grace: 100ms\n",
        "echo $PPID > \"$NIGHTRUN_WORK/shim\"; kill -STOP $PPID; read -r x < \"$NIGHTRUN_WORK/gate-a\"",
    );
    held.house.gates(&["a"]);
    let night = held.house.spawn(RUN);
    let shim = held.house.number("shim");
    eventually("the stop", || stands_still(shim));
    held.house.run(&["kill", "night.a", "--reason", "it hangs"]).code(0);
    let _goes_on = GoesOn(shim);
    night.ends(1);
    held.nobody_is_left();
    assert_eq!(held.attempt()["ending"]["how"], "killed");
}

/// A process that was stopped is left to go on, however its test ended.
struct GoesOn(i32);

impl Drop for GoesOn {
    fn drop(&mut self) {
        send(self.0, Signal::CONT);
    }
}

#[test]
fn standard_input_is_at_its_end() {
    let held = Held::new("    time_limit: 20s\n", "cat; read -r x || echo nothing to read");
    held.house.spawn(RUN).ends(0);
    assert_eq!(held.house.run(&["log", "night.a"]).code(0).out, "nothing to read\n");
}

/// A command of the house that has 160 MB of address space, as has everything that it starts.
fn bounded(house: &House, arguments: &[&str]) -> Command {
    let plain = house.command(arguments);
    let mut command = Command::new("prlimit");
    command.arg("--as=167772160").arg("--").arg(plain.get_program()).args(plain.get_args());
    command.env("MALLOC_ARENA_MAX", "1");
    command
}

/// Compares what a command prints with a file, byte for byte.
#[track_caller]
fn prints(command: &mut Command, file: &Path) {
    let mut printing = command.stdout(Stdio::piped()).spawn().unwrap();
    let printed = printing.stdout.take().unwrap();
    let same = Command::new("cmp").arg("-").arg(file).stdin(printed).status();
    assert!(same.expect("`cmp` is missing: install diffutils").success(), "{command:?}");
    assert!(printing.wait().unwrap().success(), "{command:?}");
}

/// 1 GB in 115 million lines, each different: all of them are kept and shown, and neither supervisor nor agent, shim or
/// reader needs more memory for it.
#[test]
fn every_byte_of_a_gigabyte_is_kept() {
    const LINES: &str = "115000000";
    const BYTES: u64 = 1_038_888_898;
    let held = Held::new("    output_limit: 2GiB\n", &format!("seq 1 {LINES}"));
    let room = rustix::fs::statvfs(held.house.work("")).unwrap();
    let room = room.f_bavail.saturating_mul(room.f_frsize);
    assert!(room > 2 * BYTES, "this test needs 2 GB: {} has {room} bytes", temp_dir().display());
    let mut run = bounded(&held.house, RUN);
    run.args(["--format", "json"]);
    super::watched::Night::watch(run).ends(0);
    let out = held.house.spool("a", 1).join("out");
    assert_eq!(out.metadata().unwrap().len(), BYTES);
    assert_eq!(held.house.facts("attempt-ended")[0]["ended"]["output_bytes"], BYTES);
    prints(Command::new("seq").args(["1", LINES]), &out);
    prints(&mut bounded(&held.house, &["log", "night.a"]), &out);
    let tail = held.house.facts("attempt-ended")[0]["ended"]["tail"].clone();
    assert_eq!(tail.as_array().unwrap().last().unwrap(), LINES);
}

/// One line of 200 MB: nobody may hold it whole. The jobs of this night have 160 MB of address space, and so has the
/// reader of the log.
#[test]
fn a_line_without_an_end_is_nobodys_memory() {
    let held = Held::new(
        "    output_limit: 2GiB\n    success: {line: the load is done}\n",
        "unruly write 200; echo the load is done",
    );
    let mut run = bounded(&held.house, RUN);
    run.args(["--format", "json"]);
    super::watched::Night::watch(run).ends(0);
    assert_eq!(held.attempt()["good"], true);
    let shown = bounded(&held.house, &["log", "night.a"]).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert_eq!(shown.stdout.len() as u64, 200 * MIB + 17);
}

#[test]
fn what_writes_on_though_it_is_asked_to_end_gets_no_grace() {
    let held = Held::new("    output_limit: 1MiB\n    grace: 30s\n", "unruly write 20000");
    held.house.spawn(RUN).ends(1);
    held.nobody_is_left();
    let attempt = held.attempt();
    assert_eq!(attempt["ending"]["how"], "output-limit");
    assert!(attempt["notes"].to_string().contains("grace cut short"), "{attempt}");
    let size = held.house.spool("a", 1).join("out").metadata().unwrap().len();
    assert!(size < 4_000 * MIB, "{size}");
}

/// Bytes that a terminal would obey, that are no text, and that are nothing at all.
const BYTES: &[u8] = b"a\xff\xfeb\0c\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\r\nlast\x9b1m\n";

#[test]
fn what_is_no_text_is_kept_and_shown_without_harm() {
    let held =
        Held::new("", "cat \"$NIGHTRUN_WORK/bytes\"; cat \"$NIGHTRUN_WORK/bytes\" >&2; exit 1");
    fs::write(held.house.work("bytes"), BYTES).unwrap();
    held.house.spawn(RUN).ends(1);
    // Whoever reads it by a program gets each byte.
    let mut log = held.house.command(&["log", "night.a"]);
    let shown = log.output().unwrap();
    assert_eq!((shown.stdout.as_slice(), shown.stderr.as_slice()), (BYTES, BYTES));
    // A person does not.
    let mut script = Command::new("script");
    let words: Vec<String> = std::iter::once(log.get_program())
        .chain(log.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    script.args(["-qec", &words.join(" "), "/dev/null"]).stdin(Stdio::null());
    let shown = script.output().expect("`script` is missing: install bsdutils").stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("^[]0;owned^G^[[2Jred"), "{shown:?}");
    harmless(&shown.replace("\r\n", "\n"));
    harmless(&held.house.run(&["report"]).code(0).out);
    harmless(&held.house.run(&["status"]).code(0).out);
    for mail in held.house.mails() {
        harmless(&mail.text.replace("\r\n", "\n"));
        harmless(&mail.subject);
    }
    for page in ["report.en.html", "report.zh-CN.html", "report.en.txt"] {
        let path = held.house.state().join("reports/night@2026-10-30#1").join(page);
        harmless(&fs::read_to_string(path).unwrap());
    }
}

#[track_caller]
fn harmless(text: &str) {
    let evil = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
    assert_eq!(evil, None, "{text:?}");
}
