//! The rows of a commit by kind, as `turn` takes them (see `turn.sql`, and `postgres/turn.sql`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::text::{encode, int, json, word};
use crate::journal::{OutgoingMail, Row, Sealed, address, lost_rows};
use crate::port::{Commit, StoreError, TrialOffset};
use crate::types::{AttemptId, BatchId, IncidentId, JobName, PersonId, RunId, TokenId};

/// In the order in which the kinds of one batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Journal,
    RunsOpened,
    RunsReopened,
    RunsEnded,
    AttemptsIntended,
    AttemptsEnded,
    JobsReopened,
    JobsSettled,
    IncidentsOpened,
    IncidentsClosed,
    Stands,
    StartsMissed,
    Passwords,
    TokensMade,
    TokensRevoked,
    Mail,
    Blobs,
    Trial,
    TakenIn,
    Archived,
    BlobsLetGo,
    MailLetGo,
}

/// How many kinds there are.
pub(super) const KINDS: usize = Kind::MailLetGo as usize + 1;

/// Rows that go into the store at once, each kind a JSON array of arrays.
#[derive(Debug, Default)]
pub(super) struct Batch {
    columns: [String; KINDS],
}

impl Batch {
    /// The kinds in their order; `None`: no rows.
    pub(super) fn into_columns(self) -> impl Iterator<Item = Option<String>> {
        self.columns.into_iter().map(|rows| match rows.is_empty() {
            true => None,
            false => Some(rows + "]"),
        })
    }

    fn push(&mut self, kind: Kind, row: &impl Serialize) -> Result<(), StoreError> {
        let rows = &mut self.columns[kind as usize];
        rows.push(if rows.is_empty() { '[' } else { ',' });
        rows.push_str(&json(row)?);
        Ok(())
    }

    fn entry(&mut self, entry: &Sealed) -> Result<(), StoreError> {
        let Sealed { seq, run, at, epoch, kind, body, hash } = entry;
        self.push(Kind::Journal, &(int(*seq), run, at, int(epoch.0), kind, body, hash))
    }

    fn mail(&mut self, mail: &OutgoingMail) -> Result<(), StoreError> {
        let (encoding, message) = encode(&mail.bytes);
        let OutgoingMail { message_id, from, to, not_before, .. } = mail;
        let not_before = not_before.as_microsecond();
        self.push(Kind::Mail, &(message_id, from, to, encoding, message, not_before))
    }

    fn blob(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let (encoding, content) = encode(bytes);
        self.push(Kind::Blobs, &(address(bytes), encoding, content))
    }

    fn trial(&mut self, run: &RunId, offset: TrialOffset) -> Result<(), StoreError> {
        let wall = i64::try_from(offset.wall.as_micros()).unwrap_or(i64::MAX);
        let since_boot = i64::try_from(offset.since_boot.as_micros()).unwrap_or(i64::MAX);
        self.push(Kind::Trial, &(run.to_string(), wall, since_boot))
    }

    fn row(&mut self, row: &Row) -> Result<(), StoreError> {
        let kind = about(row).1;
        match row {
            Row::RunOpened(run) => {
                let id = &run.run;
                let ordered = (run.opened.as_microsecond(), int(run.opened_seq));
                let what = (run.business_date.to_string(), i64::from(run.trial));
                self.push(
                    kind,
                    &(
                        id.to_string(),
                        id.batch.as_str(),
                        id.key.as_str(),
                        id.number,
                        what.0,
                        what.1,
                        run.anchor.as_microsecond(),
                        &run.definition,
                        ordered.0,
                        ordered.1,
                        run.scheduled.map(|at| at.as_microsecond()),
                    ),
                )
            }
            Row::RunReopened { run } => self.push(kind, &(run.to_string(),)),
            Row::RunEnded { run, ended, result } => {
                self.push(kind, &(run.to_string(), ended.as_microsecond(), word(result)?))
            }
            Row::AttemptIntended { attempt: id, host, boot, intended } => {
                let id = (id.run.to_string(), id.job.as_str(), id.number);
                let at = intended.as_microsecond();
                self.push(kind, &(id.0, id.1, id.2, host.as_str(), &boot.0, at))
            }
            Row::AttemptEnded {
                attempt: id,
                started,
                ended,
                ending,
                good,
                usage,
                output_bytes,
            } => self.push(
                kind,
                &(
                    id.run.to_string(),
                    id.job.as_str(),
                    id.number,
                    started.map(|at| at.as_microsecond()),
                    ended.as_microsecond(),
                    json(ending)?,
                    i64::from(*good),
                    int(usage.user_us + usage.system_us),
                    int(usage.max_rss_kib),
                    int(*output_bytes),
                ),
            ),
            Row::JobReopened { run, job } => self.push(kind, &(run.to_string(), job.as_str())),
            Row::JobSettled { run, job, outcome, at } => {
                let row = (run.to_string(), job.as_str(), word(outcome)?, at.as_microsecond());
                self.push(kind, &row)
            }
            Row::IncidentOpened { incident, run, job, opened } => {
                let run = run.as_ref().map(ToString::to_string).unwrap_or_default();
                let job = job.as_ref().map(JobName::as_str).unwrap_or_default();
                self.push(kind, &(int(incident.0), run, job, opened.as_microsecond()))
            }
            Row::IncidentClosed { incident, closed } => {
                self.push(kind, &(int(incident.0), closed.as_microsecond()))
            }
            Row::Password(row) => {
                let at = row.at.as_microsecond();
                self.push(kind, &(row.person.as_str(), &row.hash, at, row.by.as_str()))
            }
            Row::TokenMade(made) => {
                let (id, row) = (int(made.row.token.0), &made.row);
                let [at, expires] = [row.made, row.expires].map(|at| at.as_microsecond());
                let (person, by, rights) = (&row.person, &row.by, json(&row.rights)?);
                self.push(kind, &(id, person, &row.name, &made.hash, rights, at, by, expires))
            }
            Row::TokenRevoked { token, at } => {
                self.push(kind, &(int(token.0), at.as_microsecond()))
            }
            Row::Stands { key, seq } => self.push(kind, &(key, int(*seq))),
            Row::StandsNot { key } => self.push(kind, &(key, None::<i64>)),
            Row::StartsMissed(missed) => {
                let [first, last, at] =
                    [missed.first, missed.last, missed.at].map(|at| at.as_microsecond());
                let (batch, why) = (missed.batch.as_str(), json(&missed.why)?);
                self.push(kind, &(batch, first, last, i64::from(missed.count), why, at))
            }
            Row::BlobLetGo { address } => self.push(kind, &(address,)),
            Row::MailLetGo { sent_before } => self.push(kind, &(sent_before.as_microsecond(),)),
            Row::StoreTakenIn => self.push(kind, &()),
            // They go in together: nothing else is known of that run.
            Row::RunLost { lost, seq, at } => {
                lost_rows(lost, *seq, *at).iter().try_for_each(|row| self.row(row))
            }
            Row::RunArchived { archived, seq, at } => {
                let (run, at) = (archived.run.to_string(), at.as_microsecond());
                let (file, digest) = (&archived.file, &archived.digest);
                self.push(kind, &(run, file, digest, int(archived.bytes), int(*seq), at))
            }
        }
    }
}

/// All of a commit; the rest goes with the first of its rows.
pub(super) fn of_commit(commit: &Commit) -> Result<Vec<Batch>, StoreError> {
    let mut batches = batches(&commit.rows)?;
    if let Some(first) = batches.first_mut() {
        commit.entries.iter().try_for_each(|entry| first.entry(entry))?;
        commit.mail.iter().try_for_each(|mail| first.mail(mail))?;
        commit.blobs.iter().try_for_each(|bytes| first.blob(bytes))?;
        commit.trial.iter().try_for_each(|(run, offset)| first.trial(run, *offset))?;
    }
    Ok(batches)
}

/// Puts rows into as few batches as keep the order of those that change the same thing.
fn batches(rows: &[Row]) -> Result<Vec<Batch>, StoreError> {
    let mut batches = vec![Batch::default()];
    for (row, number) in rows.iter().zip(places(rows)) {
        if number == batches.len() {
            batches.push(Batch::default());
        }
        batches[number].row(row)?;
    }
    Ok(batches)
}

/// The number of the batch that each row belongs to. Within a batch the kinds go in their order, and no two rows of one
/// kind change the same thing.
fn places(rows: &[Row]) -> Vec<usize> {
    let mut last: BTreeMap<Thing, (usize, Kind)> = BTreeMap::new();
    let place = |row| {
        let (thing, kind) = about(row);
        let place = match last.get(&thing) {
            Some((batch, before)) if *before < kind => *batch,
            Some((batch, _)) => batch + 1,
            None => 0,
        };
        last.insert(thing, (place, kind));
        place
    };
    rows.iter().map(place).collect()
}

/// What a row changes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Run(&'a RunId),
    Job(&'a RunId, &'a JobName),
    Attempt(&'a AttemptId),
    Incident(IncidentId),
    Standing(&'a str),
    Start(&'a BatchId, Timestamp),
    Password(&'a PersonId),
    Token(TokenId),
    Blob(&'a str),
    Outbox,
    Store,
}

fn about(row: &Row) -> (Thing<'_>, Kind) {
    match row {
        Row::RunOpened(opened) => (Thing::Run(&opened.run), Kind::RunsOpened),
        Row::RunReopened { run } => (Thing::Run(run), Kind::RunsReopened),
        Row::RunEnded { run, .. } => (Thing::Run(run), Kind::RunsEnded),
        Row::AttemptIntended { attempt, .. } => (Thing::Attempt(attempt), Kind::AttemptsIntended),
        Row::AttemptEnded { attempt, .. } => (Thing::Attempt(attempt), Kind::AttemptsEnded),
        Row::JobReopened { run, job } => (Thing::Job(run, job), Kind::JobsReopened),
        Row::JobSettled { run, job, .. } => (Thing::Job(run, job), Kind::JobsSettled),
        Row::IncidentOpened { incident, .. } => (Thing::Incident(*incident), Kind::IncidentsOpened),
        Row::IncidentClosed { incident, .. } => (Thing::Incident(*incident), Kind::IncidentsClosed),
        Row::Stands { key, .. } | Row::StandsNot { key } => (Thing::Standing(key), Kind::Stands),
        Row::Password(row) => (Thing::Password(&row.person), Kind::Passwords),
        Row::TokenMade(made) => (Thing::Token(made.row.token), Kind::TokensMade),
        Row::TokenRevoked { token, .. } => (Thing::Token(*token), Kind::TokensRevoked),
        Row::StartsMissed(missed) => {
            (Thing::Start(&missed.batch, missed.first), Kind::StartsMissed)
        }
        Row::BlobLetGo { address } => (Thing::Blob(address), Kind::BlobsLetGo),
        Row::MailLetGo { .. } => (Thing::Outbox, Kind::MailLetGo),
        Row::StoreTakenIn => (Thing::Store, Kind::TakenIn),
        Row::RunLost { lost, .. } => (Thing::Run(&lost.run), Kind::JobsSettled),
        Row::RunArchived { archived, .. } => (Thing::Run(&archived.run), Kind::Archived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Outcome;

    fn run() -> RunId {
        "eod@2026-10-30#1".parse().unwrap()
    }

    fn settled(job: &str) -> Row {
        let (job, at) = (JobName::new(job).unwrap(), Timestamp::UNIX_EPOCH);
        Row::JobSettled { run: run(), job, outcome: Outcome::Succeeded, at }
    }

    fn reopened(job: &str) -> Row {
        Row::JobReopened { run: run(), job: JobName::new(job).unwrap() }
    }

    fn run_reopened() -> Row {
        Row::RunReopened { run: run() }
    }

    #[test]
    fn rows_of_different_things_share_a_batch_whatever_their_order() {
        let rows = [run_reopened(), settled("a"), settled("b"), reopened("c")];
        assert_eq!(places(&rows), [0, 0, 0, 0]);
        assert_eq!(batches(&rows).unwrap().len(), 1);
        assert_eq!(batches(&[]).unwrap().len(), 1);
    }

    #[test]
    fn what_changes_one_thing_twice_keeps_its_order() {
        // The order of kinds does the first pair by itself; it would turn the second round.
        assert_eq!(places(&[reopened("a"), settled("a")]), [0, 0]);
        assert_eq!(places(&[settled("a"), reopened("a"), settled("b")]), [0, 1, 0]);
        assert_eq!(places(&[settled("a"), reopened("a"), settled("a")]), [0, 1, 1]);
        assert_eq!(places(&[settled("a"), settled("a"), settled("a")]), [0, 1, 2]);
        assert_eq!(places(&[run_reopened(), run_reopened()]), [0, 1]);
    }

    #[test]
    fn a_column_without_rows_is_none() {
        let columns: Vec<_> =
            batches(&[reopened("a"), reopened("b")]).unwrap().remove(0).into_columns().collect();
        let rows = r#"[["eod@2026-10-30#1","a"],["eod@2026-10-30#1","b"]]"#;
        assert_eq!(columns[Kind::JobsReopened as usize].as_deref(), Some(rows));
        assert_eq!(columns.iter().flatten().count(), 1);
    }
}
