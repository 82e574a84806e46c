//! Mail between the turn that decided it and the server that took it.

use jiff::Timestamp;

use super::statement::{Asks, Statement};
use super::text::{Columns, decode, int, storable};
use crate::journal::OutgoingMail;
use crate::port::{QueuedMail, StoreError, Unsent};
use crate::types::Epoch;

/// `under` is the leadership that notes it, where another may have begun without this one's knowing.
pub(super) fn sent(id: u64, at: Timestamp, reply: &str, under: Option<Epoch>) -> Statement {
    let text = "UPDATE outbox SET sent = $2, reply = $3, due = NULL
        WHERE id = $1 AND ($4 IS NULL OR EXISTS (SELECT 1 FROM site_head WHERE epoch = $4))";
    Statement::new("noting sent mail", text)
        .count(id)
        .number(at.as_microsecond())
        .text(storable(reply))
        .number(under.map(|epoch| int(epoch.0)))
}

/// A message that was sent stays sent: a late word of failure changes nothing.
pub(super) fn failed(
    id: u64,
    why: &str,
    next_try: Option<Timestamp>,
    under: Option<Epoch>,
) -> Statement {
    let text =
        "UPDATE outbox SET tries = tries + 1, why = $2, due = CASE WHEN sent IS NULL THEN $3 END
        WHERE id = $1 AND ($4 IS NULL OR EXISTS (SELECT 1 FROM site_head WHERE epoch = $4))";
    Statement::new("noting unsent mail", text)
        .count(id)
        .text(storable(why))
        .number(next_try.map(|at| at.as_microsecond()))
        .number(under.map(|epoch| int(epoch.0)))
}

/// A note of a message that is not there says that something is wrong.
pub(super) fn known(id: u64, rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Contradiction(format!("the outbox has no message {id}"))),
        _ => Ok(()),
    }
}

pub(super) async fn due(
    reader: &impl Asks,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<QueuedMail>, StoreError> {
    let text = "SELECT * FROM outbox WHERE sent IS NULL AND due <= $1 ORDER BY id LIMIT $2";
    let statement = Statement::new("reading the outbox", text);
    let rows = reader.ask(statement.number(now.as_microsecond()).number(i64::from(limit))).await?;
    rows.iter().map(queued).collect()
}

pub(super) async fn unsent(reader: &impl Asks) -> Result<Vec<QueuedMail>, StoreError> {
    let text = "SELECT * FROM outbox WHERE sent IS NULL ORDER BY id";
    let rows = reader.ask(Statement::new("reading the outbox", text)).await?;
    rows.iter().map(queued).collect()
}

pub(super) async fn counted(reader: &impl Asks) -> Result<Unsent, StoreError> {
    let text = "SELECT count(*) AS messages, count(due) AS waiting, min(due) AS next,
            min(CASE WHEN due IS NOT NULL THEN not_before END) AS since
        FROM outbox WHERE sent IS NULL";
    let rows = reader.ask(Statement::new("counting the outbox", text)).await?;
    let Some(row) = rows.first() else { return Ok(Unsent::default()) };
    Ok(Unsent {
        all: row.count("messages")?,
        waiting: row.count("waiting")?,
        waiting_since: row.maybe_time("since")?,
        next: row.maybe_time("next")?,
    })
}

fn queued(row: &impl Columns) -> Result<QueuedMail, StoreError> {
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
