//! Made-up nights on all cores: the long campaign, and what a night costs.
//!
//! ```text
//! cargo bench --bench nights [-- --from SEED] [--count N] [--jobs N] [--look N] [--threads N] [--crash-each]
//! cargo bench --bench nights -- --replay 'seed=17 jobs=100 without=clock'
//! ```
//!
//! A night that breaks a rule is shrunk; the smallest one is told with its last lines and the command that plays it
//! again, and the exit code is 1. `--look N` looks at state and pages after every N turns (16 if not given; shrinking looks
//! after each). `--crash-each` kills the supervisor at every commit of each night, before and after it.
//!
//! Nights a minute and core are counted by processor time. The yardstick is `serde_json` reading the same journals into
//! values, by the same clock in the same threads.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nightrun::simulate::{Counts, Failure, Fault, Moment, Night, Scenario, Shrunk, play, shrink};

fn main() {
    let arguments = Arguments::read();
    let well = match &arguments.replay {
        Some(scenario) => replayed(scenario),
        None => campaign(&arguments),
    };
    std::process::exit(if well { 0 } else { 1 });
}

struct Arguments {
    from: u64,
    count: u64,
    jobs: u64,
    look: usize,
    threads: usize,
    crash_each: bool,
    replay: Option<Scenario>,
}

impl Arguments {
    fn read() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (from, count, jobs, look) = (0, 2_000, 100, 16);
        let mut read = Self { from, count, jobs, look, threads, crash_each: false, replay: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| usage(&word));
            let number = |text: String| text.parse().unwrap_or_else(|_| usage(&text));
            match word.as_str() {
                // What cargo says to every benchmark.
                "--bench" => {}
                "--from" => read.from = number(value()),
                "--count" => read.count = number(value()),
                "--jobs" => read.jobs = number(value()),
                "--look" => read.look = number(value()).max(1) as usize,
                "--threads" => read.threads = number(value()).max(1) as usize,
                "--crash-each" => read.crash_each = true,
                "--replay" => match value().parse() {
                    Ok(scenario) => read.replay = Some(scenario),
                    Err(why) => usage(&why),
                },
                _ => usage(&word),
            }
        }
        read
    }
}

fn usage(what: &str) -> ! {
    eprintln!("cannot take `{what}`; see the top of benches/nights.rs");
    std::process::exit(2);
}

/// What the nights of one campaign came to.
#[derive(Default)]
struct Sum {
    nights: u64,
    counts: Counts,
    struck: BTreeMap<Fault, u64>,
    /// What the nights took, and what reading their journals took, of one core.
    played: Duration,
    parsed: Duration,
}

impl Sum {
    fn add(&mut self, night: &Night, played: Duration, parsed: Duration) {
        self.nights += 1;
        self.counts.add(&night.counts);
        for (fault, times) in &night.struck {
            *self.struck.entry(*fault).or_default() += times;
        }
        self.played += played;
        self.parsed += parsed;
    }
}

fn campaign(arguments: &Arguments) -> bool {
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let sum = Mutex::new(Sum::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= arguments.count {
                        return;
                    }
                    let scenario = Scenario {
                        look: arguments.look,
                        ..Scenario::of(arguments.from.wrapping_add(number), arguments.jobs)
                    };
                    if !plays_well(&scenario, arguments.crash_each, &sum)
                        && !failed.swap(true, Ordering::Relaxed)
                    {
                        return;
                    }
                }
            });
        }
    });
    tell(&sum.into_inner().unwrap(), begun.elapsed(), arguments);
    !failed.into_inner()
}

/// Plays a night; with `crash_each` as often as it has commits, twice.
fn plays_well(scenario: &Scenario, crash_each: bool, sum: &Mutex<Sum>) -> bool {
    let Some(commits) = plays(scenario, sum) else { return false };
    let commits = if crash_each { commits as usize } else { 0 };
    let crashes = (1..=commits).flat_map(|at| [(at, Moment::Before), (at, Moment::After)]);
    let mut nights = crashes.map(|crash| Scenario { crash: Some(crash), ..scenario.clone() });
    nights.all(|night| plays(&night, sum).is_some())
}

fn plays(scenario: &Scenario, sum: &Mutex<Sum>) -> Option<u64> {
    let begun = cpu();
    match play(scenario) {
        Ok(night) => {
            let played = cpu() - begun;
            let begun = cpu();
            for entry in &night.entries {
                let value: serde_json::Value = serde_json::from_str(&entry.body).unwrap();
                std::hint::black_box(value);
            }
            sum.lock().unwrap().add(&night, played, cpu() - begun);
            Some(night.counts.commits)
        }
        Err(failure) => {
            explain(scenario.clone(), *failure);
            None
        }
    }
}

/// Processor time of this thread: what a night costs does not depend on who else is at work on the machine.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap()
}

fn tell(sum: &Sum, took: Duration, arguments: &Arguments) {
    let of = &sum.counts;
    println!(
        "{} nights of {} jobs from seed {} in {:.1} s on {} threads: {:.0} a minute of a core",
        sum.nights,
        arguments.jobs,
        arguments.from,
        took.as_secs_f64(),
        arguments.threads,
        sum.nights as f64 / sum.played.as_secs_f64() * 60.0,
    );
    println!(
        "a night takes {:.2} ms, {:.1} times what serde_json takes to read its journal into values",
        sum.played.as_secs_f64() * 1e3 / sum.nights as f64,
        sum.played.as_secs_f64() / sum.parsed.as_secs_f64(),
    );
    println!(
        "turns {}, commits {}, entries {} ({} bytes), starts {}, recoveries {}, refused {}, incidents {}, pages {}",
        of.turns,
        of.commits,
        of.facts,
        of.bytes,
        of.starts,
        of.recoveries,
        of.refused,
        of.incidents,
        of.pages
    );
    let struck: Vec<String> = sum.struck.iter().map(|(f, times)| format!("{f} {times}")).collect();
    println!("faults: {}", struck.join(", "));
}

fn replayed(scenario: &Scenario) -> bool {
    match play(scenario) {
        Ok(night) => {
            println!("{scenario}: well; {:?}", night.counts);
            true
        }
        Err(failure) => {
            print(scenario, &failure);
            false
        }
    }
}

/// Shrinks a night that broke a rule, and tells what is left of it.
fn explain(scenario: Scenario, failure: Failure) {
    println!("BROKEN in turn {}: {}\n  {scenario}", failure.turn, failure.breach);
    let fails = |smaller: &Scenario| {
        let broken = play(smaller).err()?;
        broken.breach.is_like(&failure.breach).then_some(*broken)
    };
    // Looked at after each turn, it may be found earlier.
    let closer = Scenario { look: 1, ..scenario.clone() };
    let Some((scenario, first)) = [closer, scenario]
        .into_iter()
        .find_map(|scenario| fails(&scenario).map(|failure| (scenario, failure)))
    else {
        return println!("the same scenario did not break again: the world is not deterministic");
    };
    let size = (scenario.jobs as usize, first.turn);
    let Shrunk { scenario, failure, nights } = shrink(scenario, first, size, fails);
    println!("shrunk with {nights} nights:");
    print(&scenario, &failure);
}

fn print(scenario: &Scenario, failure: &Failure) {
    for line in &failure.story {
        println!("  {line}");
    }
    println!("  turn {}: {}", failure.turn, failure.breach);
    println!("cargo bench --bench nights -- --replay '{scenario}'");
}
