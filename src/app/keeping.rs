//! What the doctor says of the past: whether what is over goes where it should, and how old the newest backup is.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::archive::{NotArchived, due};
use crate::definition::retention::Retention;
use crate::driver::store::{StateReader, last_backup};
use crate::port::{StoreError, StoreReader};
use crate::types::Span;
use crate::view::health::Finding;

/// One day, and what an archiving may take.
const LATE: SignedDuration = SignedDuration::from_hours(26);
/// One a night, and what it may take.
const WITHIN: Span = Span::seconds(26 * 60 * 60);

/// What is over its age or its size.
pub(super) async fn of_archive(
    reader: &StateReader,
    retention: Option<&Retention>,
    now: Timestamp,
) -> Finding {
    let Some(retention) = retention else { return Finding::EverythingKept };
    let folder = retention.archive.clone();
    match archive(reader, retention, now).await {
        Ok(finding) => finding,
        Err(why) => Finding::ArchiveUnknown { folder, why: why.to_string() },
    }
}

async fn archive(
    reader: &StateReader,
    retention: &Retention,
    now: Timestamp,
) -> Result<Finding, NotArchived> {
    let folder = retention.archive.clone();
    let last = reader.last_archived(None, 1).await?.first().map(|archived| archived.at);
    // Too much of it there may be since the last night: only its age says that nothing has been done about it.
    let by_age = Retention { logs_at_most: None, ..retention.clone() };
    let before = now.checked_sub(LATE).unwrap_or(Timestamp::MIN);
    let late = due(reader, &by_age, before).await?;
    let count = |runs: &Vec<_>| runs.len() as u64;
    if !late.runs.is_empty() || !late.logs.is_empty() {
        let (runs, logs) = (count(&late.runs), count(&late.logs));
        return Ok(Finding::ArchiveLate { folder, runs, logs, last });
    }
    let due = due(reader, retention, now).await?;
    Ok(Finding::ArchiveGoes { folder, runs: count(&due.runs), logs: count(&due.logs), last })
}

/// How old the newest is; nothing of a store that is younger than a backup may be.
pub(super) async fn of_backup(
    reader: &StateReader,
    state: &Path,
    (within, now): (Option<Span>, Timestamp),
) -> Option<Finding> {
    let unknown = |why: StoreError| Some(Finding::BackupUnknown { why: why.to_string() });
    match backup(reader, state, (within.unwrap_or(WITHIN), now)).await {
        Ok(found) => found,
        Err(why) => unknown(why),
    }
}

async fn backup(
    reader: &StateReader,
    state: &Path,
    (within, now): (Span, Timestamp),
) -> Result<Option<Finding>, StoreError> {
    let within_s = within.get().as_secs();
    let too_old = |at: Timestamp| now.duration_since(at).unsigned_abs() > within.get() && at < now;
    let Some(last) = last_backup(state)? else {
        let first = reader.all_entries(0, 1).await?;
        let begun = first.first().and_then(|sealed| Timestamp::from_microsecond(sealed.at).ok());
        return Ok(begun.filter(|at| too_old(*at)).map(|_| Finding::NoBackup { within_s }));
    };
    let entries = reader.head().await?.seq.saturating_sub(last.seq);
    let (file, made) = (last.file, last.made);
    Ok(Some(match too_old(made) {
        true => Finding::BackupOld { file, made, entries, within_s },
        false => Finding::BackupMade { file, made, entries },
    }))
}
