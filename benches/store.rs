//! How fast the store takes commits, beside a bare file that gets the same bytes with one fdatasync a commit: the disk's
//! own limit. Run with `cargo bench --bench store [-- FOLDER]`; the folder's disk is the one that is measured. With NIGHTRUN_STORE set,
//! also an empty PostgreSQL database.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, writes files of its own, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nightrun::core::fact::{Fact, RunOpened};
use nightrun::driver::store::SqliteStore;
use nightrun::driver::store::postgres::{LeaseTimes, PostgresStore};
use nightrun::journal::{Chain, rows};
use nightrun::port::{Commit, Store, StoreReader};
use nightrun::types::{
    AttemptId, BootId, Ending, Epoch, HostName, JobName, PersonId, RunId, Usage,
};
use nightrun::wire::Ended;

/// How long each kind of commit is measured.
const TIME: Duration = Duration::from_secs(2);

fn main() {
    let folder = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let folder = match folder {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(folder.path()));
}

async fn measure(folder: &Path) {
    println!("entries a commit | store, entries/s | bare file, entries/s | share of the bare file");
    for size in [1, 3, 16, 64, 256] {
        let store = sqlite(&folder.join(format!("store-{size}")), size).await;
        let bare = bare(&folder.join(format!("bare-{size}")), size);
        println!("{size:16} | {store:16.0} | {bare:20.0} | {:21.0} %", 100.0 * store / bare);
    }
    let Ok(url) = std::env::var("NIGHTRUN_STORE") else { return };
    println!("entries a commit | {url}, entries/s");
    let times = LeaseTimes::default();
    let store = PostgresStore::open(&url.parse().unwrap(), "the bench".to_owned(), times).await;
    let mut store = store.unwrap();
    for (number, size) in (1..).zip([1, 3, 16, 64, 256]) {
        println!("{size:16} | {:16.0}", fill(&mut store, number, size).await);
    }
    store.close().await;
}

async fn sqlite(state: &Path, size: usize) -> f64 {
    let mut store = SqliteStore::open(state).await.unwrap();
    let rate = fill(&mut store, 1, size).await;
    store.close().await;
    rate
}

/// Entries a second through the whole way: sealed, with their rows, committed.
async fn fill<S: Store>(store: &mut S, number: u32, size: usize) -> f64 {
    let epoch = store.claim_epoch().await.unwrap();
    let mut chain = Chain::after(store.reader().head().await.unwrap());
    store.commit(&turn(&mut chain, epoch, &[opened(number)])).await.unwrap();
    let mut facts = facts(number);
    let (begun, mut written) = (Instant::now(), 0);
    while begun.elapsed() < TIME {
        let turned: Vec<Fact> = facts.by_ref().take(size).collect();
        store.commit(&turn(&mut chain, epoch, &turned)).await.unwrap();
        written += size;
    }
    rate(written, begun)
}

/// The same bodies and hashes, appended to a file.
fn bare(path: &Path, size: usize) -> f64 {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut chain = Chain::after(Default::default());
    let mut facts = facts(1);
    let (begun, mut written) = (Instant::now(), 0);
    while begun.elapsed() < TIME {
        let turned: Vec<Fact> = facts.by_ref().take(size).collect();
        let lines: String = turn(&mut chain, Epoch(1), &turned)
            .entries
            .iter()
            .map(|entry| format!("{} {}\n", entry.hash, entry.body))
            .collect();
        file.write_all(lines.as_bytes()).unwrap();
        file.sync_data().unwrap();
        written += size;
    }
    rate(written, begun)
}

fn rate(written: usize, begun: Instant) -> f64 {
    written as f64 / begun.elapsed().as_secs_f64()
}

fn turn(chain: &mut Chain, epoch: Epoch, facts: &[Fact]) -> Commit {
    let mut commit = Commit { epoch, ..Commit::default() };
    for fact in facts {
        let sealed = chain.seal(epoch, at(), at(), fact).unwrap();
        commit.rows.extend(rows(sealed.seq, at(), fact));
        commit.entries.push(sealed);
    }
    commit
}

/// Intent, start and end of attempt after attempt.
fn facts(run_number: u32) -> impl Iterator<Item = Fact> {
    (1..).flat_map(move |number| {
        let attempt =
            AttemptId { run: run(run_number), job: JobName::new("load-rates").unwrap(), number };
        let ended = Ended {
            attempt: attempt.clone(),
            ending: Ending::Exited { code: 0 },
            started: Some(at()),
            ended: at(),
            usage: Usage { user_us: 120_000, system_us: 30_000, max_rss_kib: 20_480 },
            line_found: true,
            output_bytes: 512,
            tail: vec!["loaded 31 rates for 2026-10-30".to_owned(); 5],
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        };
        let (host, boot) = (HostName::new("local").unwrap(), BootId("0".repeat(36)));
        [
            Fact::AttemptIntended { attempt: attempt.clone(), host, boot, examine: false },
            Fact::AttemptStarted { attempt, pid: 4711, at: at() },
            Fact::AttemptEnded { ended: Box::new(ended), good: true },
        ]
    })
}

fn opened(run_number: u32) -> Fact {
    Fact::RunOpened(Box::new(RunOpened {
        run: run(run_number),
        batch: run(run_number).batch,
        business_date: "2026-10-30".parse().unwrap(),
        anchor: at(),
        trial: false,
        definition: "0".repeat(64),
        parameters: BTreeMap::new(),
        by: PersonId::new("li-wei").unwrap(),
        only: Vec::new(),
        across: Vec::new(),
        expected: BTreeMap::new(),
        boot: BootId("0".repeat(36)),
        since_boot: Duration::ZERO,
        window_override: None,
        second: None,
        scheduled: None,
        late: None,
        revision: None,
        list: None,
    }))
}

fn run(number: u32) -> RunId {
    format!("eod@2026-10-30#{number}").parse().unwrap()
}

fn at() -> Timestamp {
    Timestamp::constant(1_793_392_200, 0)
}
