//! What `check` and `plan` cost on a big site: 10,000 jobs in 500 files.
//!
//! ```text
//! cargo bench --bench plan [-- --rounds N] [--days N]
//! ```
//!
//! - **parse**: the bare YAML parser (`serde-saphyr`) over the same files into nothing: what reading YAML costs at all.
//! - **check**: everything that `nightrun check` does, from the folder: read, parse with places, resolve, look for defects.
//! - **plan**: 30 days of the whole site, with the core that a run has: 15,000 runs of 20 jobs are opened and played.
//!
//! The three are measured in one process, one after the other in each round. Requirement: such a site checks in well
//! under a second.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, writes files of its own, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use nightrun::app::{self, Checked};
use nightrun::view::of_plan::{self, Wanted};

const FILES: usize = 500;
const JOBS: usize = 20;
const TODAY: Date = date(2026, 10, 1);

fn main() {
    let (mut rounds, mut days) = (5_usize, 30);
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse().ok()).unwrap();
        match word.as_str() {
            "--rounds" => rounds = number,
            "--days" => days = number,
            _ => panic!("no such argument: {word}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let texts = write_site(folder.path());
    let (mut parse, mut check, mut plan) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        parse.push(timed(|| bare_parse(&texts)).0);
        let (took, checked) = timed(|| checked(folder.path()));
        check.push(took);
        plan.push(timed(|| planned(&checked, days)).0);
    }
    let [parse, check, plan] = [parse, check, plan].map(median);
    println!("{} jobs in {FILES} files, medians of {rounds} rounds", FILES * JOBS);
    println!("parse {parse:8.0} ms");
    println!("check {check:8.0} ms = {:5.2} × parse", check / parse);
    println!(
        "plan  {plan:8.0} ms = {:5.2} × check ({days} days, {} runs)",
        plan / check,
        days * FILES
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let got = work();
    (begun.elapsed(), got)
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

fn bare_parse(texts: &[String]) {
    for text in texts {
        let read: Result<serde::de::IgnoredAny, _> = serde_saphyr::from_str(text);
        read.unwrap();
    }
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
    let wanted = Wanted { batch: None, from: TODAY, to, today: TODAY, expected: &expected };
    let plan = of_plan::plan(site, "now", wanted).unwrap();
    let runs: usize = plan.days.iter().map(|day| day.starts.len()).sum();
    assert_eq!(runs, days * FILES);
}

/// Batches as banks have them: chains with a few branches, a deadline, a pool, some environment. Gives the batch files.
fn write_site(site: &Path) -> Vec<String> {
    std::fs::create_dir_all(site.join("calendars")).unwrap();
    let settings = "version: 1\ntitle: Benchmark\nzone: Asia/Shanghai\ncalendar: days\n\
                    mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}\n\
                    hosts:\n  local: {trial: true, max_running: 64}\npools:\n  ledger: 8\n";
    std::fs::write(site.join("site.yaml"), settings).unwrap();
    let days = "version: 1\ntitle: Every day\nweekly: mon-sun\ncovers: 2025-01-01..2035-12-31\n";
    std::fs::write(site.join("calendars/days.yaml"), days).unwrap();
    let texts: Vec<String> = (0..FILES).map(batch).collect();
    for (number, text) in texts.iter().enumerate() {
        let folder = site.join(format!("area-{:02}", number % 20));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("batch-{number:03}.yaml")), text).unwrap();
    }
    texts
}

fn batch(number: usize) -> String {
    let mut text = format!(
        "version: 1\nbatch: batch-{number:03}\ntitle: Batch {number}\ntitle_zh: 批次 {number}\nteam: operations\n\
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
