//! How long `nightrun check` takes on a large site: 10,000 jobs in 500 files. Compares `definition::load` with a bare
//! parse of the same files into untyped values, in the same run.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a measurement reads the clock and stops at a surprise"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use nightrun::definition::load;
use nightrun::definition::source::{SourceFile, SourceTree};
use nightrun::definition::starter;

const BATCHES: usize = 500;
const JOBS: usize = 20;
const ROUNDS: usize = 9;

fn main() {
    let tree = site();
    let jobs = load(&tree)
        .site
        .expect("the made site is sound")
        .batches
        .values()
        .map(|b| b.jobs.len())
        .sum::<usize>();
    let (load_time, parse_time) = (median(|| drop(load(&tree))), median(|| parse(&tree)));
    let bytes: usize = contents(&tree).map(<[u8]>::len).sum();
    println!("{jobs} jobs in {} files, {} KiB", tree.iter().count(), bytes / 1024);
    println!("load          {:>8.1} ms", millis(load_time));
    println!("untyped parse {:>8.1} ms", millis(parse_time));
    println!("ratio         {:>8.2}", load_time.as_secs_f64() / parse_time.as_secs_f64());
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn contents(tree: &SourceTree) -> impl Iterator<Item = &[u8]> {
    tree.iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "yaml"))
        .filter_map(|(_, file)| match file {
            SourceFile::Content(bytes) => Some(bytes.as_slice()),
            SourceFile::Present | SourceFile::Unreadable(_) => None,
        })
}

fn parse(tree: &SourceTree) {
    for bytes in contents(tree) {
        let value: serde_json::Value =
            serde_saphyr::from_slice(bytes).expect("the made site is YAML");
        drop(value);
    }
}

/// The starter with many batches beside it.
fn site() -> SourceTree {
    let starter =
        starter::FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let batches = (0..BATCHES).map(|n| (format!("team-{:02}/batch-{n}.yaml", n % 25), batch(n)));
    let script =
        (0..25).map(|n| (format!("team-{n:02}/sql/step.sql"), "update t set x = 1;\n".to_owned()));
    starter.chain(batches).chain(script).collect()
}

fn batch(n: usize) -> String {
    let mut text = format!(
        "version: 1\nbatch: batch-{n}\ntitle: Batch {n}\ntitle_zh: 批次 {n}\nteam: operations\nschedule:\n  \
         on: every business day\n  at: [\"21:30\"]\n  missed: latest\n  missed_limit: 6h\n\
         must_complete_by: \"06:30\"\nparameters:\n  branch: \"001\"\njobs:\n"
    );
    for job in 0..JOBS {
        let needs = match (job, n) {
            (0, 0) => "[]".to_owned(),
            (0, _) => format!("[\"batch-{}.job-{}@-1bd\"]", n - 1, JOBS - 1),
            (1, _) => "[job-0]".to_owned(),
            _ => format!(
                "[job-{}, job-{}:ended]",
                job - 1,
                job / 2 - usize::from(job / 2 == job - 1)
            ),
        };
        let kind = match job % 3 {
            0 => "run: [sh, -c, \"echo {business_date} {branch}\"]".to_owned(),
            1 => "shell: echo {business_date} | sort".to_owned(),
            _ => "sql: sql/step.sql\n    target: ledger\n    pools: {ledger: 1}".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  job-{job}:\n    title: Step {job} of batch {n}\n    title_zh: 第 {job} 步\n    {kind}\n    needs: {needs}\n    \
             retry: {{max: 2, wait: 30s, growth: 2}}\n    time_limit: 10m\n    expected: 30s\n    \
             runbook: Look at the log, then retry.\n"
        );
    }
    text
}
