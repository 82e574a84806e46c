//! One change at a time: on a SQLite target by a lock file beside the database, on a server by a lock of the session
//! that does the work. A session that outlives its worker keeps the lock, so that whoever has it knows that no earlier one
//! is still at work.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::agent::worker::db::{Access, BY_CLIENT, Db, DbError, SessionId, Target};
use crate::agent::worker::halt::Halt;
use crate::agent::worker::log::say;
use crate::definition::site::Engine;
use crate::types::ChangeId;

/// How long a change waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// The session that holds the lock, and where it is a file, that file: the kernel lets go of it when the process ends,
/// however it ends; the file stays.
pub(super) struct Held {
    pub(super) db: Db,
    file: Option<File>,
}

impl Held {
    /// How it is known that nobody else is at work.
    pub(super) fn lock_words(&self) -> &'static str {
        if self.file.is_some() {
            "taken: the file beside the target"
        } else {
            "taken: by its session"
        }
    }

    pub(super) async fn close(self) {
        self.db.close().await;
        drop(self.file);
    }
}

/// Sessions of earlier attempts of the run, which may outlive their workers.
pub(super) struct Earlier {
    /// As the server shows them.
    pub(super) names: Vec<String>,
    pub(super) sessions: Vec<SessionId>,
    /// What such a session does can only be rolled back, so it may be ended. Where each statement commits by itself it
    /// may still come to its end.
    pub(super) may_end: bool,
    /// How long such a session is waited for.
    pub(super) patience: Duration,
}

/// Opens a session that alone works on the change.
pub(super) async fn take(
    target: &Target<'_>,
    change: &ChangeId,
    earlier: &Earlier,
    halt: &Halt,
) -> Result<Held, DbError> {
    match target.engine {
        Engine::Sqlite { path } => {
            if !path.is_file() {
                let place = path.display();
                let words = format!("the target {place} is not there: a change does not make one");
                return Err(DbError::refused(words));
            }
            let file = Some(lock_file(path)?);
            Ok(Held { db: target.open(Access::Write).await?, file })
        }
        Engine::Client(_) => Err(DbError::refused(BY_CLIENT)),
        Engine::Postgres(server) | Engine::Mysql(server) => {
            let mut db = target.open(Access::Write).await?;
            let name = lock_name(&server.database, change);
            match lock_session(&mut db, &name, earlier, halt).await {
                Ok(()) => Ok(Held { db, file: None }),
                Err(error) => {
                    db.close().await;
                    Err(error)
                }
            }
        }
    }
}

/// MySQL's locks are the server's, not the database's, and their names have 64 characters at most.
fn lock_name(database: &str, change: &ChangeId) -> String {
    use sha2::{Digest, Sha256};
    let name = format!("nightrun:{database}:{change}");
    if name.len() <= 64 {
        return name;
    }
    let digest = Sha256::digest(name);
    digest.iter().take(24).fold("nightrun:".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// What is done about a session of an earlier attempt, after how long.
const CANCEL_AFTER: Duration = Duration::from_secs(3);
const END_AFTER: Duration = Duration::from_secs(8);

/// Polled while no transaction is open: a session that waits for a lock would hold up those that build indexes.
#[expect(clippy::disallowed_methods, reason = "a lock of a session has no limit of its own")]
async fn lock_session(
    db: &mut Db,
    name: &str,
    earlier: &Earlier,
    halt: &Halt,
) -> Result<(), DbError> {
    let mut waited = Duration::ZERO;
    let mut told = String::new();
    let mut ended = 0;
    while !try_lock(db, name).await? {
        if let Some(why) = halt.asked() {
            return Err(DbError::halted(why));
        }
        // It may have let go meanwhile.
        if let Some(holder) = holder(db, name).await? {
            let orphan = earlier.is_one(db, &holder);
            let what = if orphan { "a session of an earlier attempt" } else { "another session" };
            if told != holder.words {
                say!("{what} works on this change; waiting for it: {}", holder.words);
                told.clone_from(&holder.words);
            }
            if waited >= if orphan { earlier.patience } else { PATIENCE } {
                let words = format!("{what} still works on this change: {}", holder.words);
                return Err(DbError::refused(words));
            }
            if orphan && earlier.may_end {
                let due =
                    [CANCEL_AFTER, END_AFTER].iter().filter(|after| waited >= **after).count();
                if due > ended {
                    ended = due;
                    db.end(&holder.id, due > 1).await?;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    Ok(())
}

impl Earlier {
    fn is_one(&self, db: &Db, holder: &Holder) -> bool {
        let by_number = |known: &SessionId| match db {
            // It shows no names, and gives no number twice.
            Db::Mysql(_) => known.number == holder.id.number,
            _ => *known == holder.id,
        };
        self.names.contains(&holder.name) || self.sessions.iter().any(by_number)
    }
}

/// Who has the lock.
struct Holder {
    id: SessionId,
    name: String,
    words: String,
}

async fn try_lock(db: &mut Db, name: &str) -> Result<bool, DbError> {
    let sql = match db {
        Db::Postgres(_) => "SELECT pg_try_advisory_lock(hashtextextended($1, 0))::int::text",
        _ => "SELECT CAST(GET_LOCK(?, 0) AS CHAR)",
    };
    let rows = db.ask(sql, &[Some(name)]).await?;
    Ok(rows.first().and_then(|row| row.first()).is_some_and(|cell| cell.as_deref() == Some("1")))
}

/// Who has it, and since when it does what it does.
async fn holder(db: &mut Db, name: &str) -> Result<Option<Holder>, DbError> {
    const POSTGRES: &str = "SELECT pid::text, extract(epoch FROM backend_start)::text, application_name, \
         coalesce(state, ''), to_char(coalesce(query_start, backend_start), 'HH24:MI:SS'), left(query, 200) \
         FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
         AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0) \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    const MYSQL: &str = "SELECT CAST(ID AS CHAR), '', USER, COMMAND, \
         DATE_FORMAT(NOW() - INTERVAL TIME SECOND, '%H:%i:%s'), LEFT(COALESCE(INFO, ''), 200) \
         FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(?)";
    let sql = if matches!(db, Db::Postgres(_)) { POSTGRES } else { MYSQL };
    let Some(row) = db.ask(sql, &[Some(name)]).await?.pop() else { return Ok(None) };
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let number = text(0).parse().unwrap_or_default();
    let query = text(5).replace('\n', " ");
    let words = format!("session {number} ({}, {}), since {}: {query}", text(2), text(3), text(4));
    Ok(Some(Holder { id: SessionId { number, began: text(1) }, name: text(2), words }))
}

/// Who works on a change now, without waiting and without taking anything; `None`: nobody.
pub(super) async fn at_work(
    db: &mut Db,
    engine: &Engine,
    change: &ChangeId,
) -> Result<Option<String>, DbError> {
    match engine {
        Engine::Sqlite { path } => file_is_held(path),
        Engine::Client(_) => Err(DbError::refused(BY_CLIENT)),
        Engine::Postgres(server) | Engine::Mysql(server) => {
            let holder = holder(db, &lock_name(&server.database, change)).await?;
            Ok(holder.map(|holder| holder.words))
        }
    }
}

fn file_is_held(target: &Path) -> Result<Option<String>, DbError> {
    let path = lock_path(target);
    let no = |why: std::io::Error| DbError::refused(format!("{}: {why}", path.display()));
    let file = match File::options().read(true).open(&path) {
        Ok(file) => file,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(no(why)),
    };
    // Let go with the file: a worker that comes in this moment asks again.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Ok(Some(format!("a process of this host holds {}", path.display())))
        }
        Err(why) => Err(no(why.into())),
    }
}

fn lock_path(target: &Path) -> std::path::PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".nightrun-lock");
    path.into()
}

/// Takes the lock file of a SQLite target.
#[expect(clippy::disallowed_methods, reason = "the kernel has no lock that waits with a limit")]
fn lock_file(target: &Path) -> Result<File, DbError> {
    let path = lock_path(target);
    let no = |what: String| DbError::refused(format!("{} {what}", path.display()));
    let options = File::options().create(true).truncate(false).write(true).open(&path);
    let file = options.map_err(|error| no(format!("cannot be opened: {error}")))?;
    let mut waited = Duration::ZERO;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if waited < PATIENCE => {
                if waited.is_zero() {
                    say!("another change works on the target; waiting for it");
                }
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(no("is held: another change still works on the target".to_owned()));
            }
            Err(error) => return Err(no(format!("cannot be locked: {error}"))),
        }
    }
}
