//! What a night has left: what its jobs wrote, what its target holds, what its journal says, and the mail.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::killed_night::KilledNight;
use super::made_site::Kind;

/// What a program wrote of one attempt.
#[derive(Debug, Default)]
pub(super) struct Did {
    pub(super) begun: Vec<Timestamp>,
    /// When it ended, and the code that it ended with.
    pub(super) ended: Vec<(Timestamp, i64)>,
}

/// What the journal says of one attempt.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) job: String,
    pub(super) number: u64,
    pub(super) intended: Vec<Timestamp>,
    /// The ending, and when it was noted.
    pub(super) ended: Vec<(Value, Timestamp)>,
}

impl Told {
    /// How it ended: `exited`, `lost`, …
    pub(super) fn how(&self) -> &str {
        self.ended.first().and_then(|(ended, _)| ended["ending"]["how"].as_str()).unwrap_or("-")
    }

    pub(super) fn code(&self) -> Option<i64> {
        self.ended.first()?.0["ending"]["code"].as_i64()
    }
}

#[derive(Debug)]
pub(super) struct Evidence {
    /// By attempt, from the files of the jobs.
    pub(super) did: BTreeMap<String, Did>,
    /// By attempt, from the journal.
    pub(super) told: BTreeMap<String, Told>,
    pub(super) journal: Vec<Value>,
    /// Rows in the target by job, and by change.
    pub(super) rows: BTreeMap<String, u64>,
    /// Lines that nobody could have written whole.
    pub(super) odd_lines: Vec<String>,
}

impl Evidence {
    /// How many attempts ended how.
    pub(super) fn endings(&self) -> BTreeMap<&str, u32> {
        let mut counts = BTreeMap::new();
        for told in self.told.values() {
            *counts.entry(told.how()).or_insert(0) += 1;
        }
        counts
    }
}

pub(super) fn gather(night: &KilledNight) -> Evidence {
    let mut did: BTreeMap<String, Did> = BTreeMap::new();
    let mut odd_lines = Vec::new();
    for job in &night.site.jobs {
        if !matches!(job.kind, Kind::Program { .. }) {
            continue;
        }
        for line in night.house.lines(&format!("effect-{}", job.name)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at =
                |text: &str| text.parse().ok().and_then(|n| Timestamp::from_nanosecond(n).ok());
            match words[..] {
                ["begin", id, ns] if at(ns).is_some() => {
                    did.entry(id.to_owned()).or_default().begun.extend(at(ns));
                }
                ["end", id, ns, code] if at(ns).is_some() => {
                    let code = code.parse().unwrap_or(-1);
                    did.entry(id.to_owned()).or_default().ended.extend(at(ns).map(|at| (at, code)));
                }
                _ => odd_lines.push(format!("{}: `{line}`", job.name)),
            }
        }
    }
    let journal = night.house.journal();
    let bank = night.house.work("bank.db");
    let mut rows = BTreeMap::new();
    for sql in [
        "select job || '=' || count(*) from effect group by job",
        "select change || '=' || count(*) from applied group by change",
    ] {
        for row in query(&bank, sql) {
            let (name, count) = row.split_once('=').unwrap();
            rows.insert(name.to_owned(), count.parse().unwrap());
        }
    }
    Evidence { told: told(&journal), did, journal, rows, odd_lines }
}

fn told(journal: &[Value]) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for entry in journal {
        let (fact, at) = (&entry["fact"], time(&entry["at"]));
        let ended = &fact["ended"];
        let id = fact["attempt"].as_str().or(ended["attempt"].as_str());
        let kind = fact["fact"].as_str().unwrap();
        let (Some(id), "attempt-intended" | "attempt-ended") = (id, kind) else { continue };
        let mut parts = id.split('/').skip(1);
        let known = told.entry(id.to_owned()).or_insert_with(|| Told {
            job: parts.next().unwrap().to_owned(),
            number: parts.next().unwrap().parse().unwrap(),
            intended: Vec::new(),
            ended: Vec::new(),
        });
        match kind {
            "attempt-intended" => known.intended.push(at),
            _ => known.ended.push((ended.clone(), at)),
        }
    }
    told
}

pub(super) fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Runs SQL on a target as another program would.
pub(super) fn execute(path: &Path, sql: &str) {
    on(async {
        let mut db = connect(path).await;
        db.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        db.close().await.unwrap();
    });
}

/// The first column of each row.
fn query(path: &Path, sql: &str) -> Vec<String> {
    on(async {
        let mut db = connect(path).await;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}
