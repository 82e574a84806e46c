//! What past attempts say of the time that a job takes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::statement::{Asks, Statement};
use super::text::Columns;
use crate::port::{Durations, StoreError};
use crate::types::{BatchId, JobName, JobRef, RunId, Span};
use crate::view::one_job::PastAttempt;

pub(super) async fn history(
    reader: &impl Asks,
    batch: &BatchId,
    before: Option<&RunId>,
    last: u32,
) -> Result<BTreeMap<JobName, Durations>, StoreError> {
    let took = took(reader, batch, before, last).await?;
    Ok(took.into_iter().filter_map(|(job, took)| Some((job, durations(&took)?))).collect())
}

/// Each of the times that [`history`] is reckoned from, shortest first.
pub(super) async fn samples(
    reader: &impl Asks,
    batch: &BatchId,
    last: u32,
) -> Result<BTreeMap<JobName, Vec<Span>>, StoreError> {
    let took = took(reader, batch, None, last).await?;
    Ok(took.into_iter().map(|(job, took)| (job, took.into_iter().map(span).collect())).collect())
}

/// From the first start of each job of a run to its last end.
pub(super) async fn took_in(
    reader: &impl Asks,
    run: &RunId,
) -> Result<BTreeMap<JobName, Span>, StoreError> {
    let statement = Statement::new(
        "reading what a run took",
        "SELECT job, MAX(ended) - MIN(started) AS took FROM attempt
         WHERE run = $1 AND started IS NOT NULL AND ended IS NOT NULL GROUP BY job",
    );
    let rows = reader.ask(statement.text(run.to_string())).await?;
    rows.iter().map(|row| Ok((row.parsed("job")?, span(row.number("took")?)))).collect()
}

async fn took(
    reader: &impl Asks,
    batch: &BatchId,
    before: Option<&RunId>,
    last: u32,
) -> Result<BTreeMap<JobName, Vec<i64>>, StoreError> {
    let statement = Statement::new(
        "reading history",
        "SELECT job, ended - started AS took FROM (
             SELECT job, started, ended, ROW_NUMBER() OVER (PARTITION BY job ORDER BY ended DESC) AS nth
             FROM attempt
             WHERE batch = $1 AND good = 1 AND trial = 0 AND started IS NOT NULL
               AND ($3 IS NULL OR run IN (
                   SELECT id FROM run
                   WHERE batch = $1 AND opened_seq < (SELECT opened_seq FROM run WHERE id = $3)))
         ) AS past WHERE nth <= $2 ORDER BY job, took",
    );
    let statement = statement
        .text(batch.as_str())
        .number(i64::from(last))
        .maybe_text(before.map(ToString::to_string));
    let rows = reader.ask(statement).await?;
    let mut took: BTreeMap<JobName, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        took.entry(row.parsed("job")?).or_default().push(row.number("took")?);
    }
    Ok(took)
}

/// The last attempts of a job that have started and ended, the oldest first.
pub(super) async fn past_attempts(
    reader: &impl Asks,
    job: &JobRef,
    last: u32,
) -> Result<Vec<PastAttempt>, StoreError> {
    let statement = Statement::new(
        "reading past attempts",
        "SELECT attempt.run, run.business_date, attempt.ended - attempt.started AS took, attempt.good
         FROM attempt JOIN run ON run.id = attempt.run
         WHERE attempt.batch = $1 AND attempt.job = $2 AND attempt.trial = 0
             AND attempt.started IS NOT NULL AND attempt.ended IS NOT NULL AND attempt.good IS NOT NULL
         ORDER BY attempt.ended DESC LIMIT $3",
    );
    let statement =
        statement.text(job.batch.as_str()).text(job.job.as_str()).number(i64::from(last));
    let rows = reader.ask(statement).await?;
    let past = |row: &_| -> Result<PastAttempt, StoreError> {
        Ok(PastAttempt {
            run: Columns::parsed(row, "run")?,
            business_date: Columns::parsed(row, "business_date")?,
            took: span(Columns::number(row, "took")?),
            good: Columns::number(row, "good")? == 1,
        })
    };
    rows.iter().rev().map(past).collect()
}

/// From durations in microseconds, shortest first.
fn durations(took: &[i64]) -> Option<Durations> {
    // Nearest rank: the smallest value that at least so many in a hundred do not exceed.
    let rank = |percent: usize| {
        let nth = (took.len() * percent).div_ceil(100).max(1);
        took.get(nth - 1).copied().map(span)
    };
    let attempts = u32::try_from(took.len()).ok()?;
    Some(Durations { attempts, p50: rank(50)?, p95: rank(95)? })
}

/// Rounded up to whole milliseconds; below zero (the host's clock was set back) is zero.
fn span(micros: i64) -> Span {
    let millis = u64::try_from(micros).unwrap_or(0).div_ceil(1_000);
    Span::of(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let millis = |many: i64| (1..=many).map(|n| n * 1_000).collect::<Vec<_>>();
        let ms = |n| Span::of(Duration::from_millis(n));
        let all = durations(&millis(20)).unwrap();
        assert_eq!((all.attempts, all.p50, all.p95), (20, ms(10), ms(19)));
        let one = durations(&[1_500]).unwrap();
        assert_eq!((one.p50, one.p95), (ms(2), ms(2)));
        let three = durations(&millis(3)).unwrap();
        assert_eq!((three.p50, three.p95), (ms(2), ms(3)));
        assert_eq!(durations(&[-5]).unwrap().p50, ms(0));
        assert_eq!(durations(&[]), None);
    }
}
