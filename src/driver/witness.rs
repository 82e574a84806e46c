//! What the agent of this host and the SQLite targets know of attempts, read from their files: for a store that was restored
//! from a backup, which may know less.
#![expect(clippy::disallowed_methods, reason = "driver: it reads the agent's folder")]

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};

use crate::port::witness::{AgentTold, LostAttempt, Seen};
use crate::types::{AttemptId, Epoch, HostName};
use crate::wire::{Ended, FromAgent, ToAgent, spool};

/// For another writer of a target.
const BUSY: Duration = Duration::from_secs(10);

/// The highest epoch that the agent of a folder has obeyed; 0: nobody yet.
pub fn epoch(dir: &Path) -> io::Result<Epoch> {
    let Some(text) = text(&dir.join("epoch"))? else { return Ok(Epoch(0)) };
    let damaged = |_| io::Error::other(format!("{} holds no epoch", dir.join("epoch").display()));
    text.trim().parse().map(Epoch).map_err(damaged)
}

/// Attempts whose endings are not known to be in a journal.
pub fn live(dir: &Path) -> io::Result<Vec<AttemptId>> {
    let entries = match std::fs::read_dir(dir.join(spool::LIVE)) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why),
    };
    let mut live = Vec::new();
    for entry in entries {
        live.extend(entry?.file_name().to_str().and_then(spool::attempt_of));
    }
    Ok(live)
}

/// What the folder of the agent of `host` holds of those attempts that are wanted.
pub fn of_agent(
    dir: &Path,
    host: &HostName,
    wanted: impl Fn(&AttemptId) -> bool,
) -> io::Result<AgentTold> {
    let spool = text(&dir.join("spool-id"))?.map(|id| id.trim().to_owned());
    let retired = text(&dir.join(spool::RETIRED))?.unwrap_or_default();
    // A line without its end was not written: nothing was given away after it.
    let whole = retired.rfind('\n').map_or("", |end| &retired[..end]);
    let retired = whole.lines().filter_map(|line| line.parse().ok()).collect();
    let mut seen = Vec::new();
    let entries = match std::fs::read_dir(dir.join(spool::SPOOL)) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => {
            return Ok(AgentTold { epoch: epoch(dir)?, spool, seen, retired });
        }
        Err(why) => return Err(why),
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(attempt) = name.to_str().and_then(spool::attempt_of) else { continue };
        if wanted(&attempt) {
            seen.push(of_spool(dir, host, attempt)?);
        }
    }
    seen.sort_by(|a, b| a.of.attempt.cmp(&b.of.attempt));
    Ok(AgentTold { epoch: epoch(dir)?, spool, seen, retired })
}

fn of_spool(dir: &Path, host: &HostName, attempt: AttemptId) -> io::Result<Seen> {
    let mut record = None;
    for path in spool::records(dir, &attempt) {
        if record.is_none() {
            record = text(&path)?;
        }
    }
    let record = record.unwrap_or_default();
    let start = record.lines().next().and_then(|line| serde_json::from_str(line).ok());
    let env = match start {
        Some(ToAgent::Start(start)) => start.env,
        _ => BTreeMap::new(),
    };
    let business_date = env.get("NIGHTRUN_BUSINESS_DATE").and_then(|date| date.parse().ok());
    let ended = spool::ended_line(record.as_bytes()).and_then(ended);
    let of = LostAttempt { attempt, host: host.clone(), ended, marked: Vec::new() };
    Ok(Seen { of, business_date, trial: env.contains_key("NIGHTRUN_TRIAL") })
}

fn ended(line: &[u8]) -> Option<Box<Ended>> {
    match serde_json::from_slice(line) {
        Ok(FromAgent::Ended(ended)) => Some(ended),
        _ => None,
    }
}

/// Attempts that a SQLite target bears a marker of, with whether their change was committed. None where there is no such
/// file, or nothing was ever changed there.
pub async fn of_target(path: &Path) -> Result<BTreeMap<AttemptId, bool>, sqlx::Error> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let mut conn: SqliteConnection = options.pragma("query_only", "ON").connect().await?;
    let marked = markers(&mut conn).await;
    conn.close().await?;
    marked
}

async fn markers(conn: &mut SqliteConnection) -> Result<BTreeMap<AttemptId, bool>, sqlx::Error> {
    let exists = "SELECT count(*) FROM sqlite_schema WHERE name = 'nightrun_change_run'";
    let exists: i64 = sqlx::query_scalar(exists).fetch_one(&mut *conn).await?;
    if exists == 0 {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(
        "SELECT attempt, max(step = 'ready') AS applied FROM nightrun_change_run GROUP BY attempt",
    )
    .fetch_all(conn)
    .await?;
    let mut marked = BTreeMap::new();
    for row in &rows {
        let (attempt, applied): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        marked.extend(attempt.parse::<AttemptId>().ok().map(|attempt| (attempt, applied != 0)));
    }
    Ok(marked)
}

fn text(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read(path) {
        // A record holds whatever a job has written.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(io::Error::new(why.kind(), format!("{}: {why}", path.display()))),
    }
}
