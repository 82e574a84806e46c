//! Mail between the turn that decided it and the server that took it.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::text::{Columns, decode, int};
use super::trouble::trouble;
use crate::journal::OutgoingMail;
use crate::port::{QueuedMail, StoreError};

pub(super) async fn sent(
    conn: &mut SqliteConnection,
    id: u64,
    at: Timestamp,
    reply: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE outbox SET sent = $2, reply = $3, due = NULL WHERE id = $1")
        .bind(int(id))
        .bind(at.as_microsecond())
        .bind(reply)
        .execute(conn)
        .await
        .map_err(trouble("noting sent mail"))?;
    known(id, done.rows_affected())
}

/// A message that was sent stays sent: a late word of failure changes nothing.
pub(super) async fn failed(
    conn: &mut SqliteConnection,
    id: u64,
    why: &str,
    next_try: Option<Timestamp>,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE outbox SET tries = tries + 1, why = $2, due = CASE WHEN sent IS NULL THEN $3 END WHERE id = $1",
    )
    .bind(int(id))
    .bind(why)
    .bind(next_try.map(|at| at.as_microsecond()))
    .execute(conn)
    .await
    .map_err(trouble("noting unsent mail"))?;
    known(id, done.rows_affected())
}

fn known(id: u64, rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Contradiction(format!("the outbox has no message {id}"))),
        _ => Ok(()),
    }
}

pub(super) async fn due(
    pool: &SqlitePool,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<QueuedMail>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM outbox WHERE sent IS NULL AND due <= $1 ORDER BY id LIMIT $2")
            .bind(now.as_microsecond())
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
            .map_err(trouble("reading the outbox"))?;
    rows.iter().map(queued).collect()
}

pub(super) async fn unsent(pool: &SqlitePool) -> Result<Vec<QueuedMail>, StoreError> {
    let rows = sqlx::query("SELECT * FROM outbox WHERE sent IS NULL ORDER BY id")
        .fetch_all(pool)
        .await
        .map_err(trouble("reading the outbox"))?;
    rows.iter().map(queued).collect()
}

fn queued(row: &SqliteRow) -> Result<QueuedMail, StoreError> {
    let id = row.count("id")?;
    let bytes = decode(&row.text("encoding")?, row.text("message")?)
        .ok_or_else(|| StoreError::Damaged(format!("message {id} of the outbox")))?;
    Ok(QueuedMail {
        id,
        mail: OutgoingMail {
            message_id: row.text("message_id")?,
            from: row.text("sender")?,
            to: row.text("recipient")?,
            bytes,
            not_before: row.time("not_before")?,
        },
        tries: row.count("tries")?,
        why: row.maybe_text("why")?,
        due: row.maybe_time("due")?,
    })
}
