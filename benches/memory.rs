//! What supervisor, agent and shim hold of memory, and what they do while nothing happens.
//!
//! ```text
//! cargo bench --bench memory [-- SECONDS]        how long is looked at idleness; 10 by default
//! ```
//!
//! PSS (proportional set size) from `/proc/<pid>/smaps_rollup`: pages of the program that several processes share are
//! counted once among them. Idle: 16 jobs that wait, nothing else. Wakeups are context switches of all threads; whoever
//! polls has some. Serving: 500 schedules of which none is due, against one. Peak: the highest PSS seen while 1,000 `/bin/true` run, 16 at once. The yardstick is the program that
//! waits (`cat` on a pipe).

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/process.rs"]
mod process;
#[path = "house/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Duration;

use process::ticks;
use rustix::fs::{CWD, Mode, mkfifoat};
use site::House;

const WAITING: usize = 16;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10);
    idle(Duration::from_secs(seconds));
    peak();
    serving(Duration::from_secs(seconds));
}

fn idle(time: Duration) {
    let mut jobs = String::new();
    (0..WAITING)
        .for_each(|n| writeln!(jobs, "  j{n}: {{title: J, run: [cat, HERE/gate]}}").unwrap());
    let house = House::new(WAITING, &jobs);
    let gate = house.path("gate");
    mkfifoat(CWD, &gate, Mode::RUSR | Mode::WUSR).unwrap();
    // Nobody waits for somebody who opens the other end, and all end when this is dropped.
    let held = OpenOptions::new().read(true).write(true).open(&gate).unwrap();
    let mut supervisor = house.nightrun(&["run", "bench"]).spawn().unwrap();
    let found = loop {
        let found = processes(supervisor.id());
        if found.get("program").is_some_and(|pids| pids.len() == WAITING) {
            break found;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    // What the start has left to do (the news that programs run, a commit) is over.
    std::thread::sleep(Duration::from_secs(2));
    let before: BTreeMap<u32, (u64, u64)> =
        found.values().flatten().map(|pid| (*pid, (switches(*pid), ticks(*pid)))).collect();
    std::thread::sleep(time);
    println!("idle, {WAITING} jobs that wait:");
    println!(
        "{:12} {:>6} {:>14} {:>22} {:>14}",
        "", "number", "PSS KiB each", "wakeups each a minute", "CPU ms"
    );
    for (who, pids) in &found {
        let many = pids.len() as u64;
        let pss: u64 = pids.iter().filter_map(|pid| pss(*pid)).sum();
        let woken: u64 = pids.iter().map(|pid| switches(*pid) - before[pid].0).sum();
        let spent: u64 = pids.iter().map(|pid| ticks(*pid) - before[pid].1).sum();
        let minute = woken as f64 / many as f64 * 60.0 / time.as_secs_f64();
        println!("{who:12} {many:6} {:14} {minute:22.1} {:14}", pss / many, spent * 10);
    }
    drop(held);
    assert!(supervisor.wait().unwrap().success());
}

fn peak() {
    let mut jobs = String::new();
    (0..1_000).for_each(|n| writeln!(jobs, "  j{n}: {{title: J, run: [/bin/true]}}").unwrap());
    let house = House::new(16, &jobs);
    let mut supervisor = house.nightrun(&["run", "bench"]).spawn().unwrap();
    let mut most: BTreeMap<&str, u64> = BTreeMap::new();
    while supervisor.try_wait().unwrap().is_none() {
        for (who, pids) in processes(supervisor.id()) {
            for pid in pids {
                let most = most.entry(who).or_default();
                *most = pss(pid).unwrap_or(0).max(*most);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("peak, 1,000 jobs, 16 at once:");
    for (who, kib) in most {
        println!("{who:12} {kib:21}");
    }
}

/// A service that waits for the starts of so many schedules, against that of one.
fn serving(time: Duration) {
    println!("serving, nothing due:");
    println!(
        "{:12} {:>14} {:>16} {:>14}",
        "schedules", "PSS KiB", "wakeups a minute", "CPU ms a minute"
    );
    for batches in [1, 500] {
        let house = House::new(4, "  j: {title: J, run: [/bin/true]}\n");
        for n in 1..batches {
            // None is due while this looks, and all are after it.
            let text = format!(
                "version: 1\nbatch: b{n}\ntitle: B\nschedule: {{cron: \"{} {} 1 1 *\"}}\njobs:\n  j: {{title: J, run: [/bin/true]}}\n",
                n % 60,
                n % 24
            );
            std::fs::write(house.path(&format!("site/b{n}.yaml")), text).unwrap();
        }
        let mut service = house.nightrun(&["serve"]).stderr(Stdio::null()).spawn().unwrap();
        while !house.path("state/api.sock").exists() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_secs(3));
        let pid = service.id();
        let before = (switches(pid), ticks(pid));
        std::thread::sleep(time);
        let a_minute = |spent: u64| spent as f64 * 60.0 / time.as_secs_f64();
        println!(
            "{batches:12} {:14} {:16.1} {:14.0}",
            pss(pid).unwrap(),
            a_minute(switches(pid) - before.0),
            a_minute((ticks(pid) - before.1) * 10)
        );
        service.kill().unwrap();
        service.wait().unwrap();
    }
}

/// The supervisor and what it has started, by what they are. A kernel may lack the list of a process's children, so
/// that each is asked for its parent.
fn processes(supervisor: u32) -> BTreeMap<&'static str, Vec<u32>> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut found = BTreeMap::from([("supervisor", vec![supervisor])]);
    let mut above = vec![supervisor];
    for who in ["agent", "shim", "program"] {
        let is_below = |(pid, parent): &(u32, u32)| above.contains(parent).then_some(*pid);
        above = parents.iter().filter_map(is_below).collect();
        if above.is_empty() {
            break;
        }
        found.insert(who, above.clone());
    }
    found
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn pss(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Times that a thread of the process has been given a processor.
fn switches(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_task = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let counts = text.lines().filter(|line| line.contains("ctxt_switches"));
        counts.filter_map(|line| line.rsplit('\t').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    tasks.flatten().map(of_task).sum()
}
