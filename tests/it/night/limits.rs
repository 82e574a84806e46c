//! Limits of the host: open files, processes, a spool that has grown for years.

use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use super::facts::account;
use super::house::{HOSTS, House};
use super::watched::{Night, Over};

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30", "--format", "json"];
const MANY: usize = 40;

/// `MANY` jobs that may all run at once.
fn wide(settings: &str, shell: &str) -> House {
    let jobs: Vec<String> = (0..MANY)
        .map(|n| format!("  j{n}:\n    title: J\n{settings}    shell: |\n      {shell}\n"))
        .collect();
    let house = House::new(&jobs.concat());
    house.write("hosts.yaml", &HOSTS.replace("max_running: 8", "max_running: 100"));
    house
}

/// A command of the house, by way of another program with these words.
fn by(house: &House, words: &[&str], arguments: &[&str]) -> Command {
    let plain = house.command(arguments);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(house.site()).stdin(std::process::Stdio::null());
    command
}

fn ran_once(house: &House) {
    let mut once: Vec<String> = (0..MANY).map(|n| format!("j{n} 1")).collect();
    once.sort();
    assert_eq!(house.ran(), once);
}

fn said(over: &Over, words: &str) -> bool {
    over.err.iter().any(|line| line.contains(words))
}

#[test]
fn with_few_open_files_some_wait_and_none_is_lost() {
    let shell = r#"echo "$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT" >> "$NIGHTRUN_WORK/ran"; sleep 0.5"#;
    let house = wide("", shell);
    let over = Night::watch(by(&house, &["prlimit", "--nofile=32:32", "--"], RUN)).ends(0);
    assert!(said(&over, "raise the agent's limit of open files"), "{:?}", over.err);
    assert!(said(&over, "can be started again"), "{:?}", over.err);
    ran_once(&house);
    house.nothing_is_lost();
}

#[test]
fn with_few_processes_some_wait_or_say_so_and_none_is_lost() {
    assert_eq!(account(), "root", "becomes an account of its own, which needs root");
    // Nobody else's, so that its processes are those of this night.
    let uid = 61_000 + std::process::id() % 1_000;
    let shell = r#"echo "$NIGHTRUN_JOB" >> "$NIGHTRUN_WORK/ran"; sleep 0.5"#;
    let retry = "    retry: {max: 50, wait: 500ms, on: [could-not-start, exit]}\n";
    let house = wide(retry, shell);
    let parent = house.site().parent().unwrap().to_owned();
    for path in [parent.clone(), house.state(), house.work("")] {
        chown(&path, Some(uid), Some(uid)).unwrap();
    }
    std::fs::set_permissions(&parent, PermissionsExt::from_mode(0o755)).unwrap();
    let uid = format!("--reuid={uid}");
    let words =
        ["setpriv", &uid, "--regid=65534", "--clear-groups", "prlimit", "--nproc=40:40", "--"];
    let over = Night::watch(by(&house, &words, RUN)).ends(0);
    let mut ran = house.ran();
    ran.dedup();
    assert_eq!(ran.len(), MANY);
    let ended = house.facts("attempt-ended");
    let honest = |how: &str| ended.iter().filter(|e| e["ended"]["ending"]["how"] == how).count();
    assert_eq!(honest("exited") + honest("could-not-start"), ended.len(), "{ended:#?}");
    let waited = said(&over, "no room for another process");
    assert!(waited || honest("could-not-start") > 0, "the limit was never met");
    house.nothing_is_lost();
}

/// User and system time of a process in hundredths of a second, and the most memory that it ever had in KiB.
fn cost(pid: i32) -> (u64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    (ticks, peak.trim().trim_end_matches(" kB").parse().unwrap())
}

/// What nights of years leave behind is looked through once after a restart of the host, and never for a job.
#[test]
fn a_hundred_thousand_old_attempts_cost_a_night_nothing() {
    let house = House::new(
        &(0..50).map(|n| format!("  j{n}: {{title: J, shell: 'true'}}\n")).collect::<String>(),
    );
    house.batch("wait", "jobs:\n  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.gates(&["a"]);
    let _disk = super::disk::Disk::mount(&house.state().join("agent"), "512m");
    let spool = house.state().join("agent/spool");
    std::fs::create_dir(&spool).unwrap();
    for n in 0..100_000 {
        let attempt = spool.join(format!("old@2020-01-01#{n}~a~1"));
        std::fs::create_dir(&attempt).unwrap();
        std::fs::File::create(attempt.join("record")).unwrap();
    }
    let mut wait = house.spawn(&["run", "wait", "--date", "2026-10-30"]);
    wait.started("a");
    let agent = house.agent_pid().unwrap();
    let (begun, _) = cost(agent);
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let (ended, peak) = cost(agent);
    house.say("a", "go");
    wait.ends(0);
    assert!(ended - begun < 100, "{} hundredths of a second for fifty jobs", ended - begun);
    assert!(peak < 64 * 1024, "{peak} KiB");
    house.nothing_is_lost();
}
