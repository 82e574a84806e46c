//! What a night costs beside what nobody can do without: starting its programs.
//!
//! ```text
//! cargo bench --bench night [-- [FOLDER] [--only SHAPE] [--rounds N] [--former PROGRAM]]
//! ```
//!
//! `--former`: another build of nightrun, measured in the same rounds: what a change has brought.
//!
//! Every job is `/bin/true`, so that everything measured is overhead. Each shape is run by three programs, one after the
//! other in each round, so that what else the machine does falls on all of them alike:
//!
//! - **loop**: a loop over `std::process::Command` (`posix_spawn`) that keeps so many children running and starts what has
//!   become free. It records nothing, keeps no output and survives nothing: the floor.
//! - **durable**: the same loop, as durable as a night: before it starts anything it appends what has ended and what it is
//!   about to start to a file (500 bytes each) and calls `fdatasync`, once for all that it knows by then.
//! - **handed on**: the same again, with the hand-overs of a night: what it is about to start passes through two further
//!   processes before it is started, and what has ended through the same two, as through agent and shim. It does
//!   nothing else: what nightrun takes beside it is its own work.
//! - **ninja**: the public yardstick for starting a graph of processes (Debian `ninja-build`). It starts each command
//!   through `/bin/sh -c`, reads its output from a pipe, and writes a log of times that it does not sync. Its edges have
//!   outputs that no command makes, so that nothing is up to date.
//! - **nightrun**: `nightrun run` on a site in a fresh folder, with the host's clock: reads and checks the site, starts the
//!   store and the agent, and for each job records intent, start and ending durably (hash chain, fdatasync) before it
//!   goes on, keeps output and ending in the spool, watches the job from a process of its own that outlives the
//!   supervisor, and at the end writes the report. All of that is in its time.
//!
//! - **PostgreSQL**: the same with the store in a new database of a PostgreSQL server that the benchmark starts, with its own
//!   settings for durability (`fsync` and `synchronous_commit` on). Its folder is a temporary one: on the same disk only where
//!   the measured folder is too.
//!
//! So neither comparison with the loop and ninja is of like with like: they may lose what they did in a power cut, nightrun
//! may not. The ratio to the loop is what is held down; `src/docs/performance.md` has it with the date and where the time goes.
//! Nothing here is a test: a ratio of a shared machine proves nothing by failing.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "../tests/it/postgres_server.rs"]
#[expect(dead_code, reason = "tests do more to a server")]
mod postgres_server;
#[path = "../tests/it/server_process.rs"]
mod server_process;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use postgres_server::Server;
use rustix::process::WaitOptions;

const TRUE: &str = "/bin/true";

/// Jobs by what each needs; needs come before what needs them.
struct Shape {
    name: &'static str,
    at_once: usize,
    jobs: Vec<Vec<usize>>,
    /// Only run when asked for by name.
    long: bool,
}

fn shapes() -> Vec<Shape> {
    let independent = |many: usize| vec![Vec::new(); many];
    let chain = (0..200).map(|job: usize| job.checked_sub(1).into_iter().collect()).collect();
    let shape = |name, at_once, jobs| Shape { name, at_once, jobs, long: false };
    vec![
        shape("one job", 1, independent(1)),
        shape("1,000 independent, 2 at once", 2, independent(1_000)),
        shape("1,000 independent, 16 at once", 16, independent(1_000)),
        shape("chain of 200", 16, chain),
        shape("100 layers of 20, 3 needs each", 16, layers(100, 20)),
        Shape { long: true, ..shape("10,000 independent, 16 at once", 16, independent(10_000)) },
    ]
}

fn layers(many: usize, wide: usize) -> Vec<Vec<usize>> {
    let needs = |layer: usize, place: usize| match layer.checked_sub(1) {
        None => Vec::new(),
        Some(before) => [0, 1, 7].map(|off| before * wide + (place + off) % wide).to_vec(),
    };
    (0..many * wide).map(|job| needs(job / wide, job % wide)).collect()
}

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == RELAY) {
        return relay();
    }
    let arguments = Arguments::read();
    if Command::new("ninja").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("ninja is missing, which this compares with: apt-get install ninja-build");
        std::process::exit(1);
    }
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    println!(
        "medians of {} rounds, ms; ratios of medians, and of the rounds the least and the most",
        arguments.rounds
    );
    println!(
        "{:32} {:>8} {:>8} {:>9} {:>8} {:>9} {:>10}   {:>22} {:>12} {:>14} {:>11} {:>14} {:>17} {:>15}",
        "",
        "loop",
        "durable",
        "handed on",
        "ninja",
        "nightrun",
        "PostgreSQL",
        "nightrun/loop",
        "durable/loop",
        "handed on/loop",
        "ninja/loop",
        "nightrun/ninja",
        "PostgreSQL/SQLite",
        "nightrun/former"
    );
    let server = Server::start_as("", &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = || server.url(&runtime.block_on(server.database()));
    for (number, shape) in shapes().into_iter().enumerate() {
        let wanted = match &arguments.only {
            Some(only) => shape.name.contains(only.as_str()),
            None => !shape.long,
        };
        if wanted {
            // Nothing is removed in between: ext4 makes files slowly where others were removed within seconds.
            let folder = folder.path().join(number.to_string());
            measure(&folder, &shape, &arguments, &database);
        }
    }
}

struct Arguments {
    folder: Option<PathBuf>,
    only: Option<String>,
    rounds: usize,
    former: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Self {
        let mut read = Self { folder: None, only: None, rounds: 5, former: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                // What cargo says to every benchmark.
                "--bench" => {}
                "--only" => read.only = words.next(),
                "--rounds" => read.rounds = words.next().and_then(|n| n.parse().ok()).unwrap(),
                "--former" => read.former = words.next().map(PathBuf::from),
                _ => read.folder = Some(word.into()),
            }
        }
        read
    }
}

fn measure(folder: &Path, shape: &Shape, arguments: &Arguments, database: &dyn Fn() -> String) {
    write_ninja(folder, shape);
    write_site(&folder.join("site"), shape);
    let this = Path::new(env!("CARGO_BIN_EXE_nightrun"));
    let (mut bare, mut ninja, mut nightrun, mut former) = (vec![], vec![], vec![], vec![]);
    let (mut durable, mut handed_on, mut postgres) = (vec![], vec![], vec![]);
    for round in 0..arguments.rounds {
        let record = |name: &str| Record::new(&folder.join(format!("{name}-{round}")));
        bare.push(timed(|| bare_loop(shape, |_| {})));
        durable.push(timed(|| {
            let mut record = record("durable");
            bare_loop(shape, |news| record.append(news));
        }));
        handed_on.push(timed(|| {
            let (mut record, mut others) = (record("handed-on"), Others::new());
            bare_loop(shape, |news| {
                if news.ended > 0 {
                    others.pass();
                }
                record.append(news);
                if news.starts > 0 {
                    others.pass();
                }
            });
        }));
        ninja.push(timed(|| run_ninja(folder, shape)));
        nightrun.push(timed(|| run_nightrun(this, folder, &format!("state-{round}"), "")));
        let (state, url) = (format!("state-postgres-{round}"), database());
        postgres.push(timed(|| run_nightrun(this, folder, &state, &url)));
        if let Some(program) = &arguments.former {
            let state = format!("state-former-{round}");
            former.push(timed(|| run_nightrun(program, folder, &state, "")));
        }
    }
    let ratio = |a: &[Duration], b: &[Duration]| median(a).as_secs_f64() / median(b).as_secs_f64();
    let each: Vec<f64> =
        nightrun.iter().zip(&bare).map(|(n, b)| n.as_secs_f64() / b.as_secs_f64()).collect();
    let (least, most) = each.iter().fold((f64::MAX, 0.0_f64), |(l, m), r| (l.min(*r), m.max(*r)));
    print!(
        "{:32} {:8.0} {:8.0} {:9.0} {:8.0} {:9.0} {:10.0}   {:6.2} ({least:5.2} – {most:5.2}) {:12.2} {:14.2} {:11.2} {:14.2} {:17.2}",
        shape.name,
        millis(&bare),
        millis(&durable),
        millis(&handed_on),
        millis(&ninja),
        millis(&nightrun),
        millis(&postgres),
        ratio(&nightrun, &bare),
        ratio(&durable, &bare),
        ratio(&handed_on, &bare),
        ratio(&ninja, &bare),
        ratio(&nightrun, &ninja),
        ratio(&postgres, &nightrun),
    );
    match former.is_empty() {
        true => println!(),
        false => println!(" {:15.2}", ratio(&nightrun, &former)),
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

fn millis(times: &[Duration]) -> f64 {
    median(times).as_secs_f64() * 1_000.0
}

/// What a turn of the loop has come to know, and what it is about to do.
struct News {
    ended: usize,
    starts: usize,
}

/// Starts what is free, up to so many at once, and waits for any of them; `decided` sees what is known each time before
/// anything is started, and at the end.
fn bare_loop(shape: &Shape, mut decided: impl FnMut(&News)) {
    let mut open: Vec<usize> = shape.jobs.iter().map(Vec::len).collect();
    let mut after = vec![Vec::new(); shape.jobs.len()];
    for (job, needs) in shape.jobs.iter().enumerate() {
        needs.iter().for_each(|need| after[*need].push(job));
    }
    let mut free: std::collections::VecDeque<usize> =
        (0..open.len()).filter(|job| open[*job] == 0).collect();
    let mut running = HashMap::new();
    let mut ended = 0;
    loop {
        let starts = free.len().min(shape.at_once - running.len());
        decided(&News { ended, starts });
        for job in free.drain(..starts) {
            let child = Command::new(TRUE).spawn().unwrap();
            // Waited for below, whichever ends first.
            running.insert(child.id(), (job, child));
        }
        if running.is_empty() {
            return;
        }
        ended = 0;
        // One at the least, and whatever else has ended by now.
        let mut wait = WaitOptions::empty();
        while !running.is_empty()
            && let Some((pid, status)) = rustix::process::wait(wait).unwrap()
        {
            let pid = pid.as_raw_nonzero().get().cast_unsigned();
            let (job, _child) = running.remove(&pid).unwrap();
            assert_eq!(status.exit_status(), Some(0));
            for next in &after[job] {
                open[*next] -= 1;
                if open[*next] == 0 {
                    free.push_back(*next);
                }
            }
            ended += 1;
            wait = WaitOptions::NOHANG;
        }
    }
}

/// What a loop keeps that may lose nothing.
struct Record(File);

impl Record {
    fn new(path: &Path) -> Self {
        Self(File::create_new(path).unwrap())
    }

    fn append(&mut self, news: &News) {
        self.0.write_all(&vec![b'.'; 500 * (news.ended + news.starts)]).unwrap();
        self.0.sync_data().unwrap();
    }
}

/// Said to this program: be one of the two processes that pass lines on.
const RELAY: &str = "--relay";

fn relay() {
    let mut line = [0; 64];
    while let Ok(n @ 1..) = std::io::stdin().read(&mut line) {
        rustix::io::write(rustix::stdio::stdout(), &line[..n]).unwrap();
    }
}

/// Two processes in a row.
struct Others {
    first: Child,
    second: Child,
    back: ChildStdout,
}

impl Others {
    fn new() -> Self {
        let program = std::env::current_exe().unwrap();
        let relay = |input: Stdio| {
            let mut command = Command::new(&program);
            command.arg(RELAY).stdin(input).stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut first = relay(Stdio::piped());
        let mut second = relay(first.stdout.take().unwrap().into());
        let back = second.stdout.take().unwrap();
        Self { first, second, back }
    }

    /// Says something, and hears it from the last one.
    fn pass(&mut self) {
        self.first.stdin.as_mut().unwrap().write_all(b"word\n").unwrap();
        self.back.read_exact(&mut [0; 5]).unwrap();
    }
}

impl Drop for Others {
    /// The first reads the end of its input, and the second that of the first.
    fn drop(&mut self) {
        drop(self.first.stdin.take());
        self.first.wait().unwrap();
        self.second.wait().unwrap();
    }
}

fn write_ninja(folder: &Path, shape: &Shape) {
    std::fs::create_dir_all(folder).unwrap();
    let mut text = format!("rule true\n  command = {TRUE}\n");
    for (job, needs) in shape.jobs.iter().enumerate() {
        let needs: String = needs.iter().map(|need| format!(" j{need}")).collect();
        writeln!(text, "build j{job}: true{needs}").unwrap();
    }
    std::fs::write(folder.join("build.ninja"), text).unwrap();
}

fn run_ninja(folder: &Path, shape: &Shape) {
    let _ = std::fs::remove_file(folder.join(".ninja_log"));
    let status = Command::new("ninja")
        .current_dir(folder)
        .args(["--quiet", "-j", &shape.at_once.to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

fn write_site(site: &Path, shape: &Shape) {
    std::fs::create_dir_all(site.join("calendars")).unwrap();
    std::fs::create_dir_all(site.join("bench")).unwrap();
    let settings = "version: 1\ntitle: Benchmark\nzone: UTC\ncalendar: days\n\
         mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}\n";
    std::fs::write(site.join("site.yaml"), settings).unwrap();
    let at_once = shape.at_once;
    let hosts = format!("version: 1\nhosts:\n  local: {{trial: true, max_running: {at_once}}}\n");
    std::fs::write(site.join("hosts.yaml"), hosts).unwrap();
    let days = "version: 1\ntitle: Every day\nweekly: mon-sun\ncovers: 2025-01-01..2035-12-31\n";
    std::fs::write(site.join("calendars/days.yaml"), days).unwrap();
    let mut batch = "version: 1\nbatch: bench\ntitle: Benchmark\nteam: operations\n\
                     schedule: {on: every day, at: [\"21:30\"]}\njobs:\n"
        .to_owned();
    for (job, needs) in shape.jobs.iter().enumerate() {
        let needs: Vec<String> = needs.iter().map(|need| format!("j{need}")).collect();
        let needs = needs.join(", ");
        writeln!(batch, "  j{job}: {{title: Job {job}, run: [{TRUE}], needs: [{needs}]}}").unwrap();
    }
    std::fs::write(site.join("bench/bench.yaml"), batch).unwrap();
}

/// `store`: the URL of a database; a file in the state folder where it is empty.
fn run_nightrun(program: &Path, folder: &Path, state: &str, store: &str) {
    let status = Command::new(program)
        .current_dir(folder)
        .args(["--site", "site", "--state", state, "run", "bench"])
        .env("NIGHTRUN_STORE", store)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
