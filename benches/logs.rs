//! How fast a job's output reaches its log, beside `cat` that writes the same bytes into a file of the same disk.
//!
//! ```text
//! cargo bench --bench logs [-- [MIB] [ROUNDS]]        1024 and 4 by default
//! ```
//!
//! One job that prints so many MiB (`cat` of a file in the page cache), and 16 at once that print a quarter each. The time
//! of nightrun is that of the whole `nightrun run`, start and report included.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use site::House;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let (mib, rounds) = (numbers.next().unwrap_or(1_024), numbers.next().unwrap_or(4));
    println!("medians of {rounds} rounds");
    println!("{:24} {:>12} {:>14} {:>16}", "", "cat, MiB/s", "nightrun, MiB/s", "nightrun / cat");
    measure(1, mib, rounds);
    measure(16, mib / 4, rounds);
}

fn measure(jobs: usize, mib: usize, rounds: usize) {
    let mut lines = String::new();
    for n in 0..jobs {
        writeln!(
            lines,
            "  j{n}: {{title: J, run: [cat, HERE/source], output_limit: {}MiB}}",
            mib + 1
        )
        .unwrap();
    }
    let house = House::new(jobs, &lines);
    let mut source = File::create(house.path("source")).unwrap();
    let line = format!("{}\n", "x".repeat(99)).repeat((1 << 20) / 100);
    (0..mib).for_each(|_| source.write_all(line.as_bytes()).unwrap());
    let bytes = source.metadata().unwrap().len() * jobs as u64;
    drop(source);
    let (mut bare, mut night) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // The second one finds the disk busy with what the first one wrote: it is not always the same.
        if round % 2 == 0 {
            bare.push(timed(|| cat(&house, jobs)));
        }
        night.push(timed(|| {
            assert!(house.nightrun(&["run", "bench"]).status().unwrap().success());
        }));
        if round % 2 == 1 {
            bare.push(timed(|| cat(&house, jobs)));
        }
        // Not in anybody's time.
        (0..jobs).for_each(|n| std::fs::remove_file(house.path(&format!("copy-{n}"))).unwrap());
        let spool = house.path("state/agent/spool");
        let kept = std::fs::read_dir(&spool).unwrap().flatten();
        let kept: u64 = kept.map(|a| a.path().join("out").metadata().unwrap().len()).sum();
        assert_eq!(kept, bytes, "every byte is in a log");
        std::fs::remove_dir_all(house.path("state")).unwrap();
    }
    let rate = |times: Vec<f64>| bytes as f64 / f64::from(1 << 20) / median(times);
    let (bare, night) = (rate(bare), rate(night));
    let what = format!("{jobs} × {mib} MiB");
    println!("{what:24} {bare:12.0} {night:15.0} {:16.2}", bare / night);
}

fn cat(house: &House, jobs: usize) {
    let start = |n: usize| -> Child {
        let to = File::create(house.path(&format!("copy-{n}"))).unwrap();
        Command::new("cat").arg(house.path("source")).stdout(Stdio::from(to)).spawn().unwrap()
    };
    let cats: Vec<Child> = (0..jobs).map(start).collect();
    for mut cat in cats {
        assert!(cat.wait().unwrap().success());
    }
}

/// In seconds.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
