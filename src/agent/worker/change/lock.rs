//! One change at a time: on a SQLite target by a lock file beside the database, on a server by a lock of the session
//! that does the work. A session that outlives its worker keeps the lock, so that whoever has it knows that no earlier one
//! is still at work.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::agent::worker::db::{Access, Db, DbError, Target};
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
    pub(super) async fn close(self) {
        self.db.close().await;
        drop(self.file);
    }
}

/// Opens a session that alone works on the change.
pub(super) async fn take(target: &Target<'_>, change: &ChangeId) -> Result<Held, DbError> {
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
        Engine::Postgres(server) | Engine::Mysql(server) => {
            let mut db = target.open(Access::Write).await?;
            let name = lock_name(&server.database, change);
            match lock_session(&mut db, &name).await {
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

/// Polled while no transaction is open: a session that waits for a lock would hold up those that build indexes.
#[expect(clippy::disallowed_methods, reason = "a lock of a session has no limit of its own")]
async fn lock_session(db: &mut Db, name: &str) -> Result<(), DbError> {
    let mut waited = Duration::ZERO;
    loop {
        if try_lock(db, name).await? {
            return Ok(());
        }
        let holder = holder(db, name).await?;
        if waited.is_zero() {
            say!("another session works on this change; waiting for it: {holder}");
        }
        if waited >= PATIENCE {
            let words = format!("another session still works on this change: {holder}");
            return Err(DbError::refused(words));
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

async fn try_lock(db: &mut Db, name: &str) -> Result<bool, DbError> {
    let sql = match db {
        Db::Postgres(_) => "SELECT pg_try_advisory_lock(hashtextextended($1, 0))::int::text",
        _ => "SELECT CAST(GET_LOCK(?, 0) AS CHAR)",
    };
    let rows = db.ask(sql, &[Some(name)]).await?;
    Ok(rows.first().and_then(|row| row.first()).is_some_and(|cell| cell.as_deref() == Some("1")))
}

/// Who has it, since when it does what it does, and what that is.
async fn holder(db: &mut Db, name: &str) -> Result<String, DbError> {
    const POSTGRES: &str = "SELECT pid::text, application_name, coalesce(state, ''), \
         coalesce(extract(epoch FROM clock_timestamp() - query_start)::bigint::text, '?'), left(query, 200) \
         FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
         AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0) \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    const MYSQL: &str = "SELECT CAST(ID AS CHAR), USER, COMMAND, CAST(TIME AS CHAR), \
         LEFT(COALESCE(INFO, ''), 200) FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(?)";
    let sql = if matches!(db, Db::Postgres(_)) { POSTGRES } else { MYSQL };
    let row = db.ask(sql, &[Some(name)]).await?.pop().unwrap_or_default();
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_else(|| "?".to_owned());
    Ok(format!(
        "session {} ({}, {}), for {} s: {}",
        text(0),
        text(1),
        text(2),
        text(3),
        text(4).replace('\n', " ")
    ))
}

/// Takes the lock file of a SQLite target.
#[expect(clippy::disallowed_methods, reason = "the kernel has no lock that waits with a limit")]
fn lock_file(target: &Path) -> Result<File, DbError> {
    let mut path = target.as_os_str().to_owned();
    path.push(".nightrun-lock");
    let path = Path::new(&path);
    let no = |what: String| DbError::refused(format!("{} {what}", path.display()));
    let options = File::options().create(true).truncate(false).write(true).open(path);
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
