//! What `check` and `plan` cost on a big site, in time and memory.
//!
//! ```text
//! cargo bench --bench plan [-- --rounds N] [--days N]
//! ```
//!
//! - **parse**: the bare YAML parser (`serde-saphyr`) over the same files into untyped values that are kept: what reading
//!   YAML costs at all.
//! - **check**: everything that `nightrun check` does, from the folder: read, parse with places, resolve, look for defects.
//! - **plan**: 30 days of the whole site, with the core that a run has: of 10,000 jobs, 15,000 runs of 20 jobs are opened
//!   and played. The check before it is not in its time, and is in its memory.
//!
//! Each is a process of its own, one after the other in each round, that says how long its work took and what its memory
//! was at the most (`VmHWM`). Requirement: 10,000 jobs check in well under a second.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, writes files of its own, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use nightrun::app::{self, Checked};
use nightrun::view::of_plan::{self, Wanted};

const JOBS: usize = 20;
const TODAY: Date = date(2026, 10, 1);

fn main() {
    let (mut rounds, mut days) = (5_usize, 30);
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rounds" => rounds = words.next().and_then(|number| number.parse().ok()).unwrap(),
            "--days" => days = words.next().and_then(|number| number.parse().ok()).unwrap(),
            // A process of one measurement.
            "--work" => return work(&words.next().unwrap(), &words.next().unwrap(), days),
            _ => panic!("no such argument: {word}"),
        }
    }
    for (files, works) in [(500, &["parse", "check", "plan"][..]), (5_000, &["parse", "check"])] {
        measure(files, works, rounds, days);
    }
}

fn measure(files: usize, works: &[&str], rounds: usize, days: usize) {
    let folder = tempfile::tempdir().unwrap();
    write_site(folder.path(), files);
    let mut measured: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for _ in 0..rounds {
        for work in works {
            measured.entry(work).or_default().push(in_its_own_process(work, folder.path(), days));
        }
    }
    println!("{} jobs in {files} files, medians of {rounds} rounds", files * JOBS);
    let parse = medians(&measured["parse"]);
    for work in works {
        let (ms, mib) = medians(&measured[work]);
        let of_days = if *work == "plan" { format!(" ({days} days)") } else { String::new() };
        println!(
            "{work} {ms:8.0} ms = {:6.2} × parse, {mib:6.0} MiB = {:6.2} × parse{of_days}",
            ms / parse.0,
            mib / parse.1
        );
    }
}

/// Milliseconds and MiB.
fn in_its_own_process(work: &str, site: &Path, days: usize) -> (f64, f64) {
    let days = days.to_string();
    let said = Command::new(std::env::current_exe().unwrap())
        .args(["--days", &days, "--work", work])
        .arg(site)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let mut numbers = said.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn work(which: &str, site: &str, days: usize) {
    let site = Path::new(site);
    let took = match which {
        "parse" => timed(|| bare_parse(site)).0,
        "check" => timed(|| checked(site)).0,
        "plan" => {
            let checked = checked(site);
            timed(|| planned(&checked, days)).0
        }
        _ => panic!("no such work: {which}"),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: f64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    println!("{} {}", took.as_secs_f64() * 1_000.0, kib / 1_024.0);
}

/// Each by itself.
fn medians(measured: &[(f64, f64)]) -> (f64, f64) {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (
        middle(measured.iter().map(|(ms, _)| *ms).collect()),
        middle(measured.iter().map(|(_, mib)| *mib).collect()),
    )
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let got = work();
    (begun.elapsed(), got)
}

/// One file after the other, as a program that reads them has to.
fn bare_parse(site: &Path) -> Vec<serde_json::Value> {
    let mut kept = Vec::new();
    for area in std::fs::read_dir(site).unwrap() {
        let area = area.unwrap().path();
        if !area.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(area).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            kept.push(serde_saphyr::from_str(&text).unwrap());
        }
    }
    kept
}

fn checked(site: &Path) -> Checked {
    let checked = app::check(site, TODAY).unwrap();
    assert!(checked.site.is_some(), "{:?}", checked.defects.first());
    checked
}

fn planned(checked: &Checked, days: usize) {
    let site = checked.site.as_ref().unwrap();
    let to = TODAY.checked_add(jiff::Span::new().days(days as i64 - 1)).unwrap();
    let expected = BTreeMap::new();
    let wanted =
        Wanted { batch: None, from: TODAY, to, today: TODAY, expected: &expected, lives: None };
    let plan = of_plan::plan(site, "now", wanted).unwrap();
    let runs: usize = plan.days.iter().map(|day| day.starts.len()).sum();
    assert_eq!(runs, days * site.batches.len());
}

/// Batches as banks have them: chains with a few branches, a deadline, a pool, some environment.
fn write_site(site: &Path, files: usize) {
    std::fs::create_dir_all(site.join("calendars")).unwrap();
    let settings = "version: 1\ntitle: Benchmark\nzone: Asia/Shanghai\ncalendar: days\n\
                    mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}\n\
                    pools:\n  ledger: 8\n";
    std::fs::write(site.join("site.yaml"), settings).unwrap();
    let hosts = "version: 1\nhosts:\n  local: {trial: true, max_running: 64}\n";
    std::fs::write(site.join("hosts.yaml"), hosts).unwrap();
    let days = "version: 1\ntitle: Every day\nweekly: mon-sun\ncovers: 2025-01-01..2035-12-31\n";
    std::fs::write(site.join("calendars/days.yaml"), days).unwrap();
    for number in 0..files {
        let folder = site.join(format!("area-{:02}", number % 20));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("batch-{number:04}.yaml")), batch(number)).unwrap();
    }
}

fn batch(number: usize) -> String {
    let mut text = format!(
        "version: 1\nbatch: batch-{number:04}\ntitle: Batch {number}\ntitle_zh: 批次 {number}\nteam: operations\n\
         schedule:\n  on: every day\n  at: [\"{:02}:{:02}\"]\nmust_complete_by: \"06:30\"\njobs:\n",
        20 + number % 4,
        number % 60
    );
    for job in 0..JOBS {
        write!(
            text,
            "  job-{job:02}:\n    title: Job {job} of batch {number}\n    run: [sh, -c, \"exit 0\", \"{{business_date}}\"]\n    \
             expected: {}m\n    retry: {{max: 2, wait: 30s}}\n    runbook: Look at the log, then retry.\n",
            1 + job % 5
        )
        .unwrap();
        if job % 7 == 3 {
            text.push_str("    pools: {ledger: 1}\n    env: {AREA: retail, LEVEL: \"2\"}\n");
        }
        match job {
            0 => {}
            n if n % 5 == 0 => {
                writeln!(text, "    needs: [job-{:02}, job-{:02}]", n - 1, n - 3).unwrap()
            }
            n => writeln!(text, "    needs: [job-{:02}]", n - 1).unwrap(),
        }
    }
    text
}
