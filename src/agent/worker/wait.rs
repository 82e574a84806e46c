//! The `wait-file` and `wait-sql` tasks: look, wait, look again, until it is so or the limit is reached.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::db::{Access, Cell, DbError, Target};
use super::log::{complain, count, say};
use super::{Exit, script};
use crate::definition::site::Engine;
use crate::sql::lint;
use crate::types::Span;

/// A limit that runs, and the shortest pause between two looks.
struct Patience {
    began: Instant,
    limit: Duration,
}

const SHORTEST: Duration = Duration::from_millis(10);
/// What a query is given when the limit is reached while it runs.
const LAST_LOOK: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "waiting for the outside world is this task's work")]
impl Patience {
    fn new(limit: Span) -> Self {
        Self { began: Instant::now(), limit: limit.get() }
    }

    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.began.elapsed())
    }

    /// Pauses; false when the limit is reached instead.
    fn pause(&self, pause: Duration) -> bool {
        let left = self.left();
        std::thread::sleep(pause.max(SHORTEST).min(left));
        !left.is_zero()
    }

    fn now() -> Instant {
        Instant::now()
    }
}

/// Says each new state once, however often it is looked at.
#[derive(Default)]
struct Status(String);

impl Status {
    fn set(&mut self, words: String) {
        if self.0 != words {
            say!("{words}");
            self.0 = words;
        }
    }
}

/// Waits for a regular file whose size and time of change stay the same for `stable`.
pub(super) fn for_file(path: &Path, stable: Span, every: Span, limit: Span) -> Exit {
    let patience = Patience::new(limit);
    let name = path.display();
    let mut status = Status::default();
    let mut same: Option<(Seen, Instant)> = None;
    loop {
        let mut pause = every.get();
        match look(path) {
            Ok(seen) => {
                let since = match &same {
                    Some((before, since)) if *before == seen => *since,
                    _ => Patience::now(),
                };
                let size = count(seen.size, "byte");
                same = Some((seen, since));
                let lasted = since.elapsed();
                if lasted >= stable.get() {
                    say!("{name} is there: {size}, unchanged for {stable}");
                    return Exit::Good;
                }
                status.set(format!("{name} is there with {size}; it must stay so for {stable}"));
                pause = pause.min(stable.get() - lasted);
            }
            Err(why) => {
                same = None;
                status.set(format!("{name} {why}"));
            }
        }
        if !patience.pause(pause) {
            break;
        }
    }
    if same.is_some() {
        complain!("{name} is there, but did not stay the same for {stable} within {limit}");
    } else {
        complain!("{name} did not arrive within {limit} (it {})", status_of(path));
    }
    Exit::LimitPassed
}

/// A file as it looks from outside.
#[derive(PartialEq)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    /// Another file under the same name is a new one.
    inode: u64,
}

fn look(path: &Path) -> Result<Seen, String> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => {
            Ok(Seen { size: meta.len(), changed: meta.modified().ok(), inode: meta.ino() })
        }
        Ok(_) => Err("is not a regular file".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("is not there yet".to_owned())
        }
        Err(error) => Err(format!("cannot be looked at: {error}")),
    }
}

fn status_of(path: &Path) -> String {
    look(path).err().unwrap_or_else(|| "came too late".to_owned())
}

/// Waits until the first column of the query's first row is true: not NULL, not 0, not empty.
pub(super) async fn for_sql(database: &Target<'_>, query: &str, every: Span, limit: Span) -> Exit {
    if script::refused(&lint::condition(database.dialect(), query), "query") {
        return Exit::Refused;
    }
    let patience = Patience::new(limit);
    let target = database.name();
    let mut status = Status::default();
    loop {
        let words = match tokio::time::timeout(patience.left().max(LAST_LOOK), ask(database, query))
            .await
        {
            Ok(Ok(Some(true))) => {
                say!("{target}: the condition is met");
                return Exit::Good;
            }
            Ok(Ok(Some(false))) => "not met yet".to_owned(),
            Ok(Ok(None)) => "not met yet: the query gives no row".to_owned(),
            Ok(Err(error)) => format!("not yet: {error}"),
            Err(_) => "no answer before the limit".to_owned(),
        };
        status.set(format!("{target}: {words}"));
        if !patience.pause(every.get()) {
            break;
        }
    }
    complain!(
        "the condition on {} was not met within {limit} ({})",
        database.engine.place(),
        status.0
    );
    Exit::LimitPassed
}

/// One look.
async fn ask(target: &Target<'_>, query: &str) -> Result<Option<bool>, DbError> {
    Ok(first_value(target, query).await?.map(|cell| cell.is_true()))
}

/// The first column of a query's first row. A database that is not there yet is not made by looking.
pub(super) async fn first_value(target: &Target<'_>, query: &str) -> Result<Option<Cell>, DbError> {
    if let Engine::Sqlite { path } = target.engine
        && !path.exists()
    {
        return Err(DbError::refused("the database is not there"));
    }
    let mut db = target.open(Access::Read).await?;
    let answer = db.run(query, 1).await;
    db.close().await;
    Ok(answer?.rows.into_iter().next().and_then(|row| row.into_iter().next()))
}
