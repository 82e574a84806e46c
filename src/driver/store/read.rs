//! Reading: each question one statement.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteExecutor;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::open::SqliteReader;
use super::text::{Columns, decode, int};
use super::trouble::trouble;
use super::{history, outbox};
use crate::journal::{Head, RunRow, Sealed, StartsMissed, address};
use crate::port::{Durations, QueuedMail, RunFilter, StoreError, StoreReader, TrialOffset};
use crate::types::{
    BatchId, BusinessDate, Epoch, IncidentId, JobName, JobRef, Outcome, RunId, RunKey, Span,
};

impl StoreReader for SqliteReader {
    async fn head(&self) -> Result<Head, StoreError> {
        head_and_epoch(&self.pool).await.map(|(head, _)| head)
    }

    async fn all_entries(&self, after: u64, limit: u32) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query("SELECT * FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2");
        let rows = query.bind(int(after)).bind(i64::from(limit)).fetch_all(&self.pool).await;
        rows.map_err(trouble("reading the journal"))?.iter().map(sealed).collect()
    }

    async fn entries(&self, run: &RunId) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query(
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE run = $1
             OR (run IS NULL AND seq > (SELECT opened_seq FROM run WHERE id = $1)) ORDER BY seq",
        );
        let rows = query.bind(run.to_string()).fetch_all(&self.pool).await;
        rows.map_err(trouble("reading the journal"))?.iter().map(proven).collect()
    }

    async fn open_entries(&self) -> Result<Vec<Sealed>, StoreError> {
        let rows = sqlx::query(OPEN_ENTRIES).fetch_all(&self.pool).await;
        rows.map_err(trouble("reading the journal"))?.iter().map(proven).collect()
    }

    async fn open_runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM run WHERE ended IS NULL ORDER BY opened_seq");
        let rows = query.fetch_all(&self.pool).await.map_err(trouble("reading runs"))?;
        rows.iter().map(run_row).collect()
    }

    async fn runs_left_in_doubt(&self) -> Result<Vec<RunRow>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM run WHERE ended IS NOT NULL
             AND id IN (SELECT run FROM journal WHERE kind = 'in-doubt')
             AND EXISTS (SELECT 1 FROM attempt WHERE attempt.run = run.id AND NOT EXISTS (
                 SELECT 1 FROM job WHERE job.run = attempt.run AND job.name = attempt.job))
             ORDER BY opened_seq",
        );
        let rows = query.fetch_all(&self.pool).await.map_err(trouble("reading runs"))?;
        rows.iter().map(run_row).collect()
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM run WHERE ($1 IS NULL OR batch = $1) AND ($2 IS NULL OR business_date = $2)
             AND ($3 IS NULL OR trial = $3) ORDER BY opened_seq DESC LIMIT $4",
        );
        let rows = query
            .bind(filter.batch.as_ref().map(BatchId::as_str))
            .bind(filter.business_date.map(|date| date.to_string()))
            .bind(filter.trial.map(i64::from))
            .bind(filter.limit.map_or(i64::MAX, i64::from))
            .fetch_all(&self.pool)
            .await;
        rows.map_err(trouble("reading runs"))?.iter().map(run_row).collect()
    }

    async fn next_run_number(&self, batch: &BatchId, key: &RunKey) -> Result<u32, StoreError> {
        let query = sqlx::query(
            "SELECT COALESCE(MAX(number), 0) + 1 AS next FROM run WHERE batch = $1 AND run_key = $2",
        );
        let row = query.bind(batch.as_str()).bind(key.as_str()).fetch_one(&self.pool).await;
        row.map_err(trouble("numbering a run"))?.count("next")
    }

    async fn next_incident(&self) -> Result<IncidentId, StoreError> {
        let query = sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 AS next FROM incident");
        let row = query.fetch_one(&self.pool).await.map_err(trouble("numbering an incident"))?;
        row.count("next").map(IncidentId)
    }

    async fn history(
        &self,
        batch: &BatchId,
        before: Option<&RunId>,
        last: u32,
    ) -> Result<BTreeMap<JobName, Durations>, StoreError> {
        history::history(&self.pool, batch, before, last).await
    }

    async fn samples(
        &self,
        batch: &BatchId,
        last: u32,
    ) -> Result<BTreeMap<JobName, Vec<Span>>, StoreError> {
        history::samples(&self.pool, batch, last).await
    }

    async fn outcome(
        &self,
        job: &JobRef,
        date: BusinessDate,
    ) -> Result<Option<Outcome>, StoreError> {
        let query = sqlx::query(
            "SELECT outcome FROM job WHERE name = $2 AND run = (
                 SELECT id FROM run WHERE batch = $1 AND business_date = $3 AND trial = 0
                 ORDER BY opened_seq DESC LIMIT 1)",
        );
        let row = query
            .bind(job.batch.as_str())
            .bind(job.job.as_str())
            .bind(date.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(trouble("reading an outcome"))?;
        row.map_or(Ok(None), |row| row.maybe_word("outcome"))
    }

    async fn standing(&self) -> Result<Vec<Sealed>, StoreError> {
        let query = sqlx::query(
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE seq IN (SELECT seq FROM standing) ORDER BY seq",
        );
        let rows = query.fetch_all(&self.pool).await;
        rows.map_err(trouble("reading the journal"))?.iter().map(proven).collect()
    }

    async fn decided_starts(&self) -> Result<Vec<(BatchId, Timestamp)>, StoreError> {
        let query = sqlx::query(
            "SELECT batch, MAX(at) AS at FROM (
                 SELECT batch, MAX(scheduled) AS at FROM run WHERE scheduled IS NOT NULL GROUP BY batch
                 UNION ALL SELECT batch, MAX(last) AS at FROM starts_missed GROUP BY batch) AS decided
             GROUP BY batch",
        );
        let rows = query.fetch_all(&self.pool).await.map_err(trouble("reading starts"))?;
        rows.iter().map(|row| Ok((row.parsed("batch")?, row.time("at")?))).collect()
    }

    async fn starts_missed(&self, since: Timestamp) -> Result<Vec<StartsMissed>, StoreError> {
        let query = sqlx::query("SELECT * FROM starts_missed WHERE at >= $1 ORDER BY first, batch");
        let rows = query.bind(since.as_microsecond()).fetch_all(&self.pool).await;
        rows.map_err(trouble("reading starts"))?.iter().map(starts_missed).collect()
    }

    async fn trial_clock(&self, run: &RunId) -> Result<Option<TrialOffset>, StoreError> {
        let query = sqlx::query("SELECT wall, since_boot FROM trial_clock WHERE run = $1");
        let row = query.bind(run.to_string()).fetch_optional(&self.pool).await;
        let Some(row) = row.map_err(trouble("reading a trial's clock"))? else {
            return Ok(None);
        };
        Ok(Some(TrialOffset {
            wall: SignedDuration::from_micros(row.number("wall")?),
            since_boot: Duration::from_micros(row.count("since_boot")?),
        }))
    }

    async fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<QueuedMail>, StoreError> {
        outbox::due(&self.pool, now, limit).await
    }

    async fn outbox_unsent(&self) -> Result<Vec<QueuedMail>, StoreError> {
        outbox::unsent(&self.pool).await
    }

    async fn blob_get(&self, wanted: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query("SELECT encoding, content FROM blob WHERE address = $1");
        let row = query.bind(wanted).fetch_optional(&self.pool).await;
        let Some(row) = row.map_err(trouble("reading a kept file"))? else {
            return Ok(None);
        };
        match decode(&row.text("encoding")?, row.text("content")?) {
            Some(bytes) if address(&bytes) == wanted => Ok(Some(bytes)),
            _ => Err(StoreError::Damaged(format!("the kept file {wanted} is not what it was"))),
        }
    }
}

pub(super) async fn head_and_epoch(
    executor: impl SqliteExecutor<'_>,
) -> Result<(Head, Epoch), StoreError> {
    let query = sqlx::query("SELECT seq, hash, epoch FROM site_head WHERE id = 1");
    let row = query.fetch_one(executor).await.map_err(trouble("reading the journal's head"))?;
    head_of(&row)
}

/// From a row of `site_head`.
pub(super) fn head_of(row: &SqliteRow) -> Result<(Head, Epoch), StoreError> {
    let head = Head { seq: row.count("seq")?, hash: row.text("hash")? };
    Ok((head, Epoch(row.count("epoch")?)))
}

/// Entries with the hash before each, which proves them.
const OPEN_ENTRIES: &str =
    "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
     FROM journal WHERE run IN (SELECT id FROM run WHERE ended IS NULL)
     OR (run IS NULL AND seq > (SELECT MIN(opened_seq) FROM run WHERE ended IS NULL))
     ORDER BY seq";

/// Proves what a supervisor that starts will go by, one entry at a time.
pub(super) async fn prove_open(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut rows = sqlx::query(OPEN_ENTRIES).fetch(pool);
    while let Some(row) = rows.try_next().await.map_err(trouble("reading the journal"))? {
        proven(&row)?;
    }
    Ok(())
}

fn proven(row: &SqliteRow) -> Result<Sealed, StoreError> {
    let entry = sealed(row)?;
    let before = entry.seq.saturating_sub(1);
    let head = match row.maybe_text("former")? {
        Some(hash) => Head { seq: before, hash },
        None if before == 0 => Head::default(),
        None => {
            let what = format!("journal entry {}: entry {before} before it is missing", entry.seq);
            return Err(StoreError::Damaged(what));
        }
    };
    head.then(&entry).map_err(|why| StoreError::Damaged(why.to_string()))?;
    Ok(entry)
}

fn sealed(row: &SqliteRow) -> Result<Sealed, StoreError> {
    Ok(Sealed {
        seq: row.count("seq")?,
        run: row.maybe_text("run")?,
        at: row.number("at")?,
        epoch: Epoch(row.count("epoch")?),
        kind: Cow::Owned(row.text("kind")?),
        body: row.text("body")?,
        hash: row.text("hash")?,
    })
}

fn starts_missed(row: &SqliteRow) -> Result<StartsMissed, StoreError> {
    Ok(StartsMissed {
        batch: row.parsed("batch")?,
        first: row.time("first")?,
        last: row.time("last")?,
        count: row.count("count")?,
        why: row.json("why")?,
        at: row.time("at")?,
    })
}

fn run_row(row: &SqliteRow) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        run: row.parsed("id")?,
        business_date: row.parsed("business_date")?,
        trial: row.number("trial")? != 0,
        anchor: row.time("anchor")?,
        definition: row.text("definition")?,
        opened: row.time("opened")?,
        opened_seq: row.count("opened_seq")?,
        ended: row.maybe_time("ended")?,
        result: row.maybe_word("result")?,
        scheduled: row.maybe_time("scheduled")?,
    })
}
