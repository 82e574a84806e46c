//! Reading: each statement one statement, the same for every database.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

use super::statement::{Asks, Statement};
use super::text::Columns;
use super::{blob, credentials, history, outbox};
use crate::journal::{Head, PasswordRow, RunRow, Sealed, StartsMissed, TokenRow};
use crate::port::{
    Archived, Durations, QueuedMail, Restoration, RunFilter, StoreError, StoreReader, TrialOffset,
    Unsent,
};
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, Epoch, IncidentId, JobName, JobRef, Outcome,
    PersonId, RunId, RunKey, Span, TokenHash,
};
use crate::view::one_job::PastAttempt;

impl<R: Asks> StoreReader for R {
    async fn head(&self) -> Result<Head, StoreError> {
        head_and_epoch(self).await.map(|(head, _)| head)
    }

    async fn all_entries(&self, after: u64, limit: u32) -> Result<Vec<Sealed>, StoreError> {
        let statement = Statement::new(
            "reading the journal",
            "SELECT * FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2",
        );
        let rows = self.ask(statement.count(after).number(i64::from(limit))).await?;
        rows.iter().map(sealed).collect()
    }

    async fn house_entries(&self, after: u64, limit: u32) -> Result<Vec<Sealed>, StoreError> {
        let statement = Statement::new(
            "reading the journal",
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE run IS NULL AND seq > $1 ORDER BY seq LIMIT $2",
        );
        let rows = self.ask(statement.count(after).number(i64::from(limit))).await?;
        rows.iter().map(proven).collect()
    }

    async fn entries(&self, run: &RunId) -> Result<Vec<Sealed>, StoreError> {
        let statement = Statement::new(
            "reading the journal",
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE (run = $1 AND body <> '')
             OR (run IS NULL AND seq > (SELECT opened_seq FROM run WHERE id = $1)) ORDER BY seq",
        );
        self.ask(statement.text(run.to_string())).await?.iter().map(proven).collect()
    }

    async fn open_entries(&self) -> Result<Vec<Sealed>, StoreError> {
        let rows = self.ask(Statement::new("reading the journal", OPEN_ENTRIES)).await?;
        rows.iter().map(proven).collect()
    }

    async fn open_runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let text = "SELECT *, NULL AS archived FROM run WHERE ended IS NULL ORDER BY opened_seq";
        let rows = self.ask(Statement::new("reading runs", text)).await?;
        rows.iter().map(run_row).collect()
    }

    async fn runs_left_in_doubt(&self) -> Result<Vec<RunRow>, StoreError> {
        let statement = Statement::new(
            "reading runs",
            "SELECT *, NULL AS archived FROM run WHERE ended IS NOT NULL
             AND id IN (SELECT run FROM journal WHERE kind = 'in-doubt')
             AND EXISTS (SELECT 1 FROM attempt WHERE attempt.run = run.id AND NOT EXISTS (
                 SELECT 1 FROM job WHERE job.run = attempt.run AND job.name = attempt.job))
             ORDER BY opened_seq",
        );
        self.ask(statement).await?.iter().map(run_row).collect()
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        let statement = Statement::new(
            "reading runs",
            "SELECT *, (SELECT file FROM archive WHERE archive.run = run.id) AS archived
             FROM run WHERE ($1 IS NULL OR batch = $1) AND ($2 IS NULL OR business_date = $2)
             AND ($3 IS NULL OR trial = $3) AND opened_seq < $5
             AND ($6 IS NULL OR ended IS NULL OR ended > $6) AND opened <= $7
             ORDER BY opened_seq DESC LIMIT $4",
        );
        let statement = statement
            .maybe_text(filter.batch.as_ref().map(ToString::to_string))
            .maybe_text(filter.business_date.map(|date| date.to_string()))
            .number(filter.trial.map(i64::from))
            .number(filter.limit.map_or(i64::MAX, i64::from))
            .number(filter.opened_before.map_or(i64::MAX, u64::cast_signed))
            .number(filter.going_after.map(Timestamp::as_microsecond))
            .number(filter.opened_by.map_or(i64::MAX, Timestamp::as_microsecond));
        self.ask(statement).await?.iter().map(run_row).collect()
    }

    async fn next_run_number(&self, batch: &BatchId, key: &RunKey) -> Result<u32, StoreError> {
        let statement = Statement::new(
            "numbering a run",
            "SELECT COALESCE(MAX(number), 0) + 1 AS next FROM run WHERE batch = $1 AND run_key = $2",
        );
        let statement = statement.text(batch.as_str()).text(key.as_str());
        self.ask_one(statement).await?.map_or(Ok(1), |row| row.count("next"))
    }

    async fn next_incident(&self) -> Result<IncidentId, StoreError> {
        let text = "SELECT COALESCE(MAX(id), 0) + 1 AS next FROM incident";
        let row = self.ask_one(Statement::new("numbering an incident", text)).await?;
        row.map_or(Ok(1), |row| row.count("next")).map(IncidentId)
    }

    async fn history(
        &self,
        batch: &BatchId,
        before: Option<&RunId>,
        last: u32,
    ) -> Result<BTreeMap<JobName, Durations>, StoreError> {
        history::history(self, batch, before, last).await
    }

    async fn samples(
        &self,
        batch: &BatchId,
        last: u32,
    ) -> Result<BTreeMap<JobName, Vec<Span>>, StoreError> {
        history::samples(self, batch, last).await
    }

    async fn past_attempts(&self, job: &JobRef, last: u32) -> Result<Vec<PastAttempt>, StoreError> {
        history::past_attempts(self, job, last).await
    }

    async fn took(&self, run: &RunId) -> Result<BTreeMap<JobName, Span>, StoreError> {
        history::took_in(self, run).await
    }

    async fn outcome(
        &self,
        job: &JobRef,
        date: BusinessDate,
    ) -> Result<Option<Outcome>, StoreError> {
        let statement = Statement::new(
            "reading an outcome",
            "SELECT outcome FROM job WHERE name = $2 AND run = (
                 SELECT id FROM run WHERE batch = $1 AND business_date = $3 AND trial = 0
                 ORDER BY opened_seq DESC LIMIT 1)",
        );
        let statement =
            statement.text(job.batch.as_str()).text(job.job.as_str()).text(date.to_string());
        self.ask_one(statement).await?.map_or(Ok(None), |row| row.maybe_word("outcome"))
    }

    async fn standing(&self) -> Result<Vec<Sealed>, StoreError> {
        let statement = Statement::new(
            "reading the journal",
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE seq IN (SELECT seq FROM standing) AND body <> '' ORDER BY seq",
        );
        self.ask(statement).await?.iter().map(proven).collect()
    }

    async fn decided_starts(&self) -> Result<Vec<(BatchId, Timestamp)>, StoreError> {
        let statement = Statement::new(
            "reading starts",
            "SELECT batch, MAX(at) AS at FROM (
                 SELECT batch, MAX(scheduled) AS at FROM run WHERE scheduled IS NOT NULL GROUP BY batch
                 UNION ALL SELECT batch, MAX(last) AS at FROM starts_missed GROUP BY batch) AS decided
             GROUP BY batch",
        );
        let rows = self.ask(statement).await?;
        rows.iter().map(|row| Ok((row.parsed("batch")?, row.time("at")?))).collect()
    }

    async fn starts_missed(&self, since: Timestamp) -> Result<Vec<StartsMissed>, StoreError> {
        let text = "SELECT * FROM starts_missed WHERE at >= $1 ORDER BY first, batch";
        let statement = Statement::new("reading starts", text).number(since.as_microsecond());
        self.ask(statement).await?.iter().map(starts_missed).collect()
    }

    async fn password_of(&self, person: &PersonId) -> Result<Option<PasswordRow>, StoreError> {
        credentials::password_of(self, person).await
    }

    async fn good_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<TokenRow>, StoreError> {
        credentials::good_token(self, hash, now).await
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        credentials::tokens(self).await
    }

    async fn trial_clock(&self, run: &RunId) -> Result<Option<TrialOffset>, StoreError> {
        let text = "SELECT wall, since_boot FROM trial_clock WHERE run = $1";
        let statement = Statement::new("reading a trial's clock", text).text(run.to_string());
        let Some(row) = self.ask_one(statement).await? else { return Ok(None) };
        Ok(Some(TrialOffset {
            wall: SignedDuration::from_micros(row.number("wall")?),
            since_boot: Duration::from_micros(row.count("since_boot")?),
        }))
    }

    async fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<QueuedMail>, StoreError> {
        outbox::due(self, now, limit).await
    }

    async fn outbox_unsent(&self) -> Result<Vec<QueuedMail>, StoreError> {
        outbox::unsent(self).await
    }

    async fn outbox_counted(&self) -> Result<Unsent, StoreError> {
        outbox::counted(self).await
    }

    async fn own_entries(&self, run: &RunId) -> Result<Vec<Sealed>, StoreError> {
        let statement = Statement::new(
            "reading the journal",
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE run = $1 AND body <> '' ORDER BY seq",
        );
        self.ask(statement.text(run.to_string())).await?.iter().map(proven).collect()
    }

    async fn acts_since(&self, since: Timestamp) -> Result<Vec<Sealed>, StoreError> {
        // Nothing in the journal is found by its time: it is walked from the last run that was opened before.
        let statement = Statement::new(
            "reading the journal",
            "SELECT *, (SELECT hash FROM journal AS former WHERE former.seq = journal.seq - 1) AS former
             FROM journal WHERE kind = 'acted' AND at >= $1 AND body <> '' AND seq > COALESCE((
                 SELECT opened_seq FROM run WHERE trial = 0 AND opened < $2
                 ORDER BY opened_seq DESC LIMIT 1), 0)
             AND EXISTS (SELECT 1 FROM run WHERE run.id = journal.run AND run.trial = 0) ORDER BY seq",
        );
        let before = since.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(since);
        let statement = statement.number(since.as_microsecond()).number(before.as_microsecond());
        self.ask(statement).await?.iter().map(proven).collect()
    }

    async fn runs_at_fault(&self) -> Result<Vec<RunId>, StoreError> {
        let text = "SELECT DISTINCT run FROM incident WHERE closed IS NULL AND run <> ''";
        let rows = self.ask(Statement::new("reading incidents", text)).await?;
        rows.iter().map(|row| row.parsed("run")).collect()
    }

    async fn runs_elsewhere(&self) -> Result<Vec<RunId>, StoreError> {
        let text = "SELECT DISTINCT run FROM attempt WHERE host <> 'local'";
        let rows = self.ask(Statement::new("reading attempts", text)).await?;
        rows.iter().map(|row| row.parsed("run")).collect()
    }

    async fn whole_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let text = "SELECT MAX(since) AS since FROM (
                SELECT (SELECT at FROM journal WHERE run IS NULL OR run IN (SELECT id FROM run WHERE trial = 0)
                        ORDER BY seq LIMIT 1) AS since
                UNION ALL
                SELECT MAX(COALESCE(closed, opened)) AS since FROM incident WHERE run IN (
                    SELECT id FROM run WHERE trial = 0 AND id IN (SELECT run FROM archive))
             ) AS known";
        let row = self.ask_one(Statement::new("reading the journal's beginning", text)).await?;
        row.map_or(Ok(None), |row| row.maybe_time("since"))
    }

    async fn output(&self) -> Result<BTreeMap<RunId, (Vec<AttemptId>, u64)>, StoreError> {
        let text = "SELECT run, job, number, output_bytes FROM attempt";
        let rows = self.ask(Statement::new("reading attempts", text)).await?;
        let mut output: BTreeMap<RunId, (Vec<AttemptId>, u64)> = BTreeMap::new();
        for row in &rows {
            let run: RunId = row.parsed("run")?;
            let bytes = row.maybe_number("output_bytes")?.unwrap_or(0);
            let attempt = AttemptId {
                run: run.clone(),
                job: row.parsed("job")?,
                number: row.count("number")?,
            };
            let of_run = output.entry(run).or_default();
            of_run.0.push(attempt);
            of_run.1 += u64::try_from(bytes).unwrap_or(0);
        }
        Ok(output)
    }

    async fn archived(&self) -> Result<Vec<Archived>, StoreError> {
        let text = "SELECT * FROM archive ORDER BY seq";
        let rows = self.ask(Statement::new("reading what was archived", text)).await?;
        rows.iter().map(archived).collect()
    }

    async fn last_archived(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Archived>, StoreError> {
        let text = "SELECT * FROM archive WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
        let statement = Statement::new("reading what was archived", text)
            .number(before.map_or(i64::MAX, u64::cast_signed))
            .number(i64::from(limit));
        self.ask(statement).await?.iter().map(archived).collect()
    }

    async fn attempts(&self) -> Result<BTreeMap<AttemptId, bool>, StoreError> {
        let text = "SELECT run, job, number, ended FROM attempt";
        let rows = self.ask(Statement::new("reading attempts", text)).await?;
        let attempt = |row: &R::Row| {
            let (run, job, number) = (row.parsed("run")?, row.parsed("job")?, row.count("number")?);
            Ok((AttemptId { run, job, number }, row.maybe_number("ended")?.is_some()))
        };
        rows.iter().map(attempt).collect()
    }

    async fn has_ending(&self, attempt: &AttemptId) -> Result<bool, StoreError> {
        let text = "SELECT run FROM attempt WHERE run = $1 AND job = $2 AND number = $3 AND ended IS NOT NULL
            UNION ALL SELECT run FROM archive WHERE run = $1";
        is_there(self, text, attempt).await
    }

    async fn knows(&self, attempt: &AttemptId) -> Result<bool, StoreError> {
        let text = "SELECT run FROM attempt WHERE run = $1 AND job = $2 AND number = $3
            UNION ALL SELECT run FROM archive WHERE run = $1";
        is_there(self, text, attempt).await
    }

    async fn boots(&self) -> Result<Vec<BootId>, StoreError> {
        let text = "SELECT DISTINCT boot FROM attempt";
        let rows = self.ask(Statement::new("reading attempts", text)).await?;
        rows.iter().map(|row| row.text("boot").map(BootId)).collect()
    }

    async fn restoration(&self) -> Result<Option<Restoration>, StoreError> {
        let text = "SELECT made, at FROM restoration";
        let row = self.ask_one(Statement::new("asking whether it was restored", text)).await?;
        row.map(|row| Ok(Restoration { made: row.time("made")?, at: row.time("at")? })).transpose()
    }

    async fn epoch(&self) -> Result<Epoch, StoreError> {
        head_and_epoch(self).await.map(|(_, epoch)| epoch)
    }

    async fn blobs(&self) -> Result<Vec<String>, StoreError> {
        let text = "SELECT address FROM blob ORDER BY address";
        let rows = self.ask(Statement::new("listing kept files", text)).await?;
        rows.iter().map(|row| row.text("address")).collect()
    }

    async fn blob_get(&self, wanted: &str) -> Result<Option<Vec<u8>>, StoreError> {
        blob::get(self, wanted).await
    }
}

async fn is_there(
    reader: &impl Asks,
    text: &'static str,
    attempt: &AttemptId,
) -> Result<bool, StoreError> {
    let statement = Statement::new("reading attempts", text)
        .text(attempt.run.to_string())
        .text(attempt.job.as_str())
        .number(i64::from(attempt.number));
    Ok(reader.ask_one(statement).await?.is_some())
}

pub(super) const HEAD: &str = "SELECT seq, hash, epoch FROM site_head WHERE id = 1";

async fn head_and_epoch(reader: &impl Asks) -> Result<(Head, Epoch), StoreError> {
    match reader.ask_one(Statement::new("reading the journal's head", HEAD)).await? {
        Some(row) => head_of(&row),
        None => Err(StoreError::Damaged("reading the journal's head: there is none".to_owned())),
    }
}

/// From a row of `site_head`.
pub(super) fn head_of(row: &impl Columns) -> Result<(Head, Epoch), StoreError> {
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
pub(super) async fn prove_open(reader: &impl Asks) -> Result<(), StoreError> {
    let mut rows = reader.stream(Statement::new("reading the journal", OPEN_ENTRIES));
    while let Some(row) = rows.try_next().await? {
        proven(&row)?;
    }
    Ok(())
}

/// The end of the journal proves itself: a start reads no more of it than that and the runs that are open.
pub(super) async fn check_end(reader: &impl Asks) -> Result<Head, StoreError> {
    let stored = reader.head().await?;
    let last = reader.all_entries(stored.seq.saturating_sub(2), 3).await?;
    let mut head = match last.split_first() {
        None => Head::default(),
        Some((first, _)) if first.seq == 1 => Head::default(),
        Some((first, _)) => Head { seq: first.seq, hash: first.hash.clone() },
    };
    let known = usize::from(head.seq > 0);
    for entry in last.iter().skip(known) {
        head = head.check_or_pass(entry).map_err(|why| StoreError::Damaged(why.to_string()))?;
    }
    if head != stored {
        return Err(StoreError::Damaged(format!(
            "the journal should end with entry {} and ends with entry {}",
            stored.seq, head.seq
        )));
    }
    Ok(head)
}

fn proven(row: &impl Columns) -> Result<Sealed, StoreError> {
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

fn sealed(row: &impl Columns) -> Result<Sealed, StoreError> {
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

fn archived(row: &impl Columns) -> Result<Archived, StoreError> {
    Ok(Archived {
        run: row.parsed("run")?,
        file: row.text("file")?,
        digest: row.text("digest")?,
        bytes: row.count("bytes")?,
        seq: row.count("seq")?,
        at: row.time("at")?,
    })
}

fn starts_missed(row: &impl Columns) -> Result<StartsMissed, StoreError> {
    Ok(StartsMissed {
        batch: row.parsed("batch")?,
        first: row.time("first")?,
        last: row.time("last")?,
        count: row.count("count")?,
        why: row.json("why")?,
        at: row.time("at")?,
    })
}

fn run_row(row: &impl Columns) -> Result<RunRow, StoreError> {
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
        archived: row.maybe_text("archived")?,
    })
}

/// Where the history of this store goes on, if it was moved.
pub(super) async fn gone(reader: &impl Asks) -> Result<Option<String>, StoreError> {
    let text = "SELECT place FROM relocation WHERE state = 'gone'";
    let row = reader.ask_one(Statement::new("looking for where the history goes on", text)).await?;
    row.map(|row| row.text("place")).transpose()
}
