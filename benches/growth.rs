//! What a job costs as the night grows.
//!
//! ```text
//! cargo bench --bench growth [-- JOBS...]        1000 10000 by default; 100000 takes some minutes
//! ```
//!
//! Each night has so many independent `/bin/true`, 16 at once, in a fresh state folder. CPU is that of all processes
//! (supervisor, agent, shims, programs), as the kernel accounts it to whoever waits for them: this process takes in what
//! they leave behind. The yardstick is a loop that starts the same number of programs and waits for each, as `sh` does.
//! A cost per job that is the same for all sizes is what is wanted. Memory is the supervisor's, at the most: while jobs are
//! left to start, and with the report that ends the night.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use nightrun::driver::store::SqliteReader;
use nightrun::port::StoreReader;
use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper};
use site::House;

const TRUE: &str = "/bin/true";

fn main() {
    let asked = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let mut sizes: Vec<usize> = asked.collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000];
    }
    set_child_subreaper(Some(getpid())).unwrap();
    println!(
        "{:>8} {:>12} {:>10} {:>8} {:>12} {:>14} {:>16} {:>14} {:>14}",
        "jobs",
        "wall ms/job",
        "CPU ms/job",
        "/ loop",
        "jobs run",
        "report",
        "journal B/job",
        "store B/job",
        "entries/job"
    );
    for size in sizes {
        let loop_cpu = cpu_of(|| bare_loop(size));
        let night = night(size);
        let per_job = |value: f64| value / size as f64;
        println!(
            "{size:8} {:12.2} {:10.2} {:8.2} {:8} MiB {:10} MiB {:16.0} {:14.0} {:14.2}",
            per_job(night.wall.as_secs_f64() * 1_000.0),
            per_job(night.cpu.as_secs_f64() * 1_000.0),
            night.cpu.as_secs_f64() / loop_cpu.as_secs_f64(),
            night.running_kib / 1_024,
            night.peak_kib / 1_024,
            per_job(night.journal_bytes as f64),
            per_job(night.store_bytes as f64),
            per_job(night.entries as f64),
        );
    }
}

struct Night {
    wall: Duration,
    cpu: Duration,
    /// The supervisor's peak while jobs were left to start, and its peak at all.
    running_kib: u64,
    peak_kib: u64,
    journal_bytes: usize,
    store_bytes: u64,
    entries: u64,
}

fn night(size: usize) -> Night {
    let mut jobs = String::new();
    (0..size).for_each(|n| writeln!(jobs, "  j{n}: {{title: J, run: [{TRUE}]}}").unwrap());
    let house = House::new(16, &jobs);
    let (mut wall, mut running_kib, mut peak_kib) = (Duration::ZERO, 0, 0);
    let cpu = cpu_of(|| {
        let begun = Instant::now();
        let mut supervisor = house.nightrun(&["run", "bench"]).spawn().unwrap();
        let mut counted = begun;
        let status = loop {
            peak_kib = peak(supervisor.id()).unwrap_or(peak_kib);
            // Counting is work for the disk's cache: not at each look.
            if counted.elapsed() > Duration::from_millis(500) {
                counted = Instant::now();
                let spool =
                    std::fs::read_dir(house.path("state/agent/spool")).into_iter().flatten();
                if spool.count() < size {
                    running_kib = peak_kib;
                }
            }
            match supervisor.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        assert!(status.success());
        wall = begun.elapsed();
        // The agent, which has left its parent behind.
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::empty()) {}
    });
    let (journal_bytes, entries) = journal(&house);
    let store_bytes = std::fs::metadata(house.path("state/nightrun.db")).unwrap().len();
    Night { wall, cpu, running_kib, peak_kib, journal_bytes, store_bytes, entries }
}

/// The most memory that a process has had, KiB.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn journal(house: &House) -> (usize, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let reader = SqliteReader::open(&house.path("state")).await.unwrap().unwrap();
        let (mut bytes, mut last) = (0, 0);
        loop {
            let page = reader.all_entries(last, 2_000).await.unwrap();
            bytes += page.iter().map(|entry| entry.body.len()).sum::<usize>();
            match page.last() {
                Some(entry) => last = entry.seq,
                None => return (bytes, last),
            }
        }
    })
}

fn bare_loop(size: usize) {
    for _ in 0..size {
        assert!(Command::new(TRUE).status().unwrap().success());
    }
}

/// CPU time of everything that was started and waited for meanwhile.
fn cpu_of(work: impl FnOnce()) -> Duration {
    let before = waited_for();
    work();
    waited_for() - before
}

/// User and system time of children that were waited for, with theirs.
fn waited_for() -> Duration {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", Pid::as_raw(Some(getpid())))).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    // `cutime` and `cstime` of proc(5), in ticks of 10 ms.
    let ticks: u64 =
        after_name.split_whitespace().skip(13).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
