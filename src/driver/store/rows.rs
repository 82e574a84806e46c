//! Writing rows: one statement each, prepared once a connection.

use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::text::{int, json, word};
use super::trouble::trouble;
use crate::journal::{Row, RunRow};
use crate::port::StoreError;
use crate::types::AttemptId;

type Statement<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

/// Writes one row. A row that should be there and is not is a contradiction.
pub(super) async fn write(conn: &mut SqliteConnection, row: &Row) -> Result<(), StoreError> {
    let done = statement(row)?.execute(conn).await.map_err(trouble("writing rows"))?;
    // A job may be opened again before it ever was settled.
    if done.rows_affected() == 0 && !matches!(row, Row::JobReopened { .. }) {
        return Err(StoreError::Contradiction(format!(
            "nothing is stored that this changes: {row:?}"
        )));
    }
    Ok(())
}

fn statement(row: &Row) -> Result<Statement<'_>, StoreError> {
    Ok(match row {
        Row::RunOpened(run) => run_opened(run),
        Row::RunEnded { run, ended, result } => {
            sqlx::query("UPDATE run SET ended = $2, result = $3 WHERE id = $1")
                .bind(run.to_string())
                .bind(ended.as_microsecond())
                .bind(word(result)?)
        }
        Row::RunReopened { run } => {
            sqlx::query("UPDATE run SET ended = NULL, result = NULL WHERE id = $1")
                .bind(run.to_string())
        }
        Row::JobSettled { run, job, outcome, at } => sqlx::query(
            "INSERT INTO job (run, name, outcome, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (run, name) DO UPDATE SET outcome = excluded.outcome, at = excluded.at",
        )
        .bind(run.to_string())
        .bind(job.as_str())
        .bind(word(outcome)?)
        .bind(at.as_microsecond()),
        Row::JobReopened { run, job } => {
            sqlx::query("DELETE FROM job WHERE run = $1 AND name = $2")
                .bind(run.to_string())
                .bind(job.as_str())
        }
        Row::IncidentOpened { incident, run, job, opened } => {
            sqlx::query("INSERT INTO incident (id, run, job, opened) VALUES ($1, $2, $3, $4)")
                .bind(int(incident.0))
                .bind(run.to_string())
                .bind(job.as_str())
                .bind(opened.as_microsecond())
        }
        Row::IncidentClosed { incident, closed } => {
            sqlx::query("UPDATE incident SET closed = $2 WHERE id = $1")
                .bind(int(incident.0))
                .bind(closed.as_microsecond())
        }
        Row::AttemptIntended { .. } | Row::AttemptEnded { .. } => attempt(row)?,
    })
}

fn run_opened(run: &RunRow) -> Statement<'_> {
    sqlx::query(
        "INSERT INTO run (id, batch, run_key, number, business_date, trial, anchor, definition, opened, opened_seq)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(run.run.to_string())
    .bind(run.run.batch.as_str())
    .bind(run.run.key.as_str())
    .bind(i64::from(run.run.number))
    .bind(run.business_date.to_string())
    .bind(i64::from(run.trial))
    .bind(run.anchor.as_microsecond())
    .bind(&run.definition)
    .bind(run.opened.as_microsecond())
    .bind(int(run.opened_seq))
}

fn attempt(row: &Row) -> Result<Statement<'_>, StoreError> {
    fn of<'q>(statement: Statement<'q>, id: &'q AttemptId) -> Statement<'q> {
        statement.bind(id.run.to_string()).bind(id.job.as_str()).bind(i64::from(id.number))
    }
    Ok(match row {
        Row::AttemptIntended { attempt, host, boot, intended } => of(
            sqlx::query(
                "INSERT INTO attempt (run, job, number, batch, trial, host, boot, intended)
                 SELECT id, $2, $3, batch, trial, $4, $5, $6 FROM run WHERE id = $1",
            ),
            attempt,
        )
        .bind(host.as_str())
        .bind(&boot.0)
        .bind(intended.as_microsecond()),
        Row::AttemptEnded { attempt, started, ended, ending, good, usage, output_bytes } => of(
            sqlx::query(
                "UPDATE attempt SET started = $4, ended = $5, ending = $6, good = $7,
                 cpu_us = $8, max_rss_kib = $9, output_bytes = $10
                 WHERE run = $1 AND job = $2 AND number = $3",
            ),
            attempt,
        )
        .bind(started.map(|at| at.as_microsecond()))
        .bind(ended.as_microsecond())
        .bind(json(ending)?)
        .bind(i64::from(*good))
        .bind(int(usage.user_us + usage.system_us))
        .bind(int(usage.max_rss_kib))
        .bind(int(*output_bytes)),
        other => {
            return Err(StoreError::Contradiction(format!("not a row of an attempt: {other:?}")));
        }
    })
}
