//! How long a night stands still after its supervisor was killed.
//!
//! ```text
//! cargo bench --bench recovery [-- [ENDED] [RUNNING] [WAITING]]        5000, 1000 and 4000 by default
//! ```
//!
//! A night of which so many jobs have ended, so many run and so many wait. The supervisor is killed (`kill -9`), one of
//! the running jobs ends unwatched, and `nightrun resume` is started: the time until it says that the run goes on, and
//! until the job that waited for the one that ended has been started. The yardsticks read the same journal: `sqlite3`
//! printing every body, and a bare loop that reads and parses them.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nightrun::driver::store::SqliteReader;
use nightrun::port::StoreReader;
use rustix::fs::{CWD, Mode, mkfifoat};
use site::House;

fn main() {
    let numbers: Vec<usize> =
        std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [ended, running, waiting] = match numbers[..] {
        [ended, running, waiting] => [ended, running, waiting],
        _ => [5_000, 1_000, 4_000],
    };
    let house = House::new(running, &jobs(ended, running, waiting));
    let (all, one) = (gate(&house.path("gate")), gate(&house.path("gate-one")));
    let mut supervisor = events(&house, &["run", "bench"]);
    let mut begun = 0;
    until(&mut supervisor, |event, job| {
        begun += usize::from(event == "started" && job.starts_with('r'));
        begun == running
    });
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    let mut release = &one;
    release.write_all(b"go\n").unwrap();
    drop(one);

    let begun = Instant::now();
    let mut resumed = events(&house, &["resume"]);
    let mut goes_on = None;
    until(&mut resumed, |event, job| {
        if event == "run-resumed" {
            goes_on = Some(begun.elapsed());
        }
        event == "started" && job == "w0"
    });
    let next = begun.elapsed();
    resumed.kill().unwrap();
    resumed.wait().unwrap();
    drop(all);

    let sqlite = timed(|| sqlite3(&house.path("state/nightrun.db")));
    let mut entries = 0;
    let parse = timed(|| entries = read_and_parse(&house.path("state")));
    println!("{ended} jobs ended, {running} run, {waiting} wait; {entries} entries");
    let line = |what: &str, ms: f64| {
        println!(
            "{what:44} {ms:8.0} ms = {:6.2} × sqlite3 = {:6.2} × read and parse",
            ms / sqlite,
            ms / parse
        );
    };
    line("sqlite3 prints the journal", sqlite);
    line("read and parse the journal", parse);
    line("resume, until the run goes on", goes_on.unwrap().as_secs_f64() * 1_000.0);
    line("resume, until the next job has been started", next.as_secs_f64() * 1_000.0);
}

/// `r…` wait at a gate, `r0` at its own; `w…` need one of them each; all else ends at once.
fn jobs(ended: usize, running: usize, waiting: usize) -> String {
    let mut jobs = String::new();
    for n in 0..ended {
        writeln!(jobs, "  e{n}: {{title: E, run: [/bin/true]}}").unwrap();
    }
    for n in 0..running {
        let gate = if n == 0 { "gate-one" } else { "gate" };
        writeln!(jobs, "  r{n}: {{title: R, shell: read -r word < HERE/{gate} || true}}").unwrap();
    }
    for n in 0..waiting {
        writeln!(jobs, "  w{n}: {{title: W, run: [/bin/true], needs: [r{}]}}", n % running)
            .unwrap();
    }
    jobs
}

/// A pipe that is held open: whoever reads from it waits until it is written to or dropped.
fn gate(path: &Path) -> File {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

fn events(house: &House, words: &[&str]) -> Child {
    let mut command = house.nightrun(words);
    command.args(["--format", "json"]).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads events until one is the wanted; the pipe stays open behind it.
fn until(supervisor: &mut Child, mut wanted: impl FnMut(&str, &str) -> bool) {
    let out = supervisor.stdout.as_mut().unwrap();
    for line in BufReader::new(out).lines() {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        if wanted(&word("event"), &word("job")) {
            return;
        }
    }
    panic!("the supervisor has ended");
}

fn sqlite3(store: &Path) {
    let printed = Command::new("sqlite3")
        .arg(store)
        .arg("SELECT body FROM journal ORDER BY seq")
        .stdout(Stdio::null())
        .status();
    let Ok(status) = printed else {
        eprintln!("sqlite3 is missing, which this compares with: apt-get install sqlite3");
        std::process::exit(1);
    };
    assert!(status.success());
}

fn read_and_parse(state: &Path) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let reader = SqliteReader::open(state).await.unwrap().unwrap();
        let (mut entries, mut last) = (0, 0);
        loop {
            let page = reader.all_entries(last, 2_000).await.unwrap();
            for entry in &page {
                let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&entry.body);
                read.unwrap();
            }
            entries += page.len();
            match page.last() {
                Some(entry) => last = entry.seq,
                None => return entries,
            }
        }
    })
}

/// In milliseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1_000.0
}
