//! What a store lacks that hosts and targets know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::restored::Seen;
use crate::definition::site::{Engine, Site};
use crate::driver::folders::StateFolder;
use crate::driver::store::StateReader;
use crate::driver::witness;
use crate::port::witness::{AgentTold, LostAttempt};
use crate::port::{Folders, RunFilter, StoreError, StoreReader};
use crate::types::{AttemptId, Epoch, HostName, RunId, TargetName};

use super::LOCAL;

/// Everything that is known here and not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Lacks {
    /// Up to when the store knows what has happened.
    pub made: Timestamp,
    pub given: Epoch,
    pub obeyed: Epoch,
    /// Attempts that it does not know.
    pub attempts: Vec<Seen>,
    /// Attempts whose ending it does not know.
    pub unfinished: Vec<Seen>,
    /// Runs that it does not know, and whose attempts went to an archive.
    pub retired: Vec<RunId>,
    /// Runs that it knows.
    pub runs: BTreeSet<RunId>,
    /// The spool is not the one that it knows of.
    pub other_spool: bool,
    /// Targets that could not be asked, with the reason.
    pub unread: Vec<(TargetName, String)>,
}

/// Compares a store with what the agent of this host and the targets of the site know.
pub async fn lacks(
    reader: &StateReader,
    state: &StateFolder,
    site: &Site,
) -> Result<Lacks, StoreError> {
    let io = |why: std::io::Error| StoreError::Trouble(format!("the agent's folder: {why}"));
    let known = reader.attempts().await?;
    let archived: BTreeSet<RunId> =
        reader.archived().await?.into_iter().map(|archived| archived.run).collect();
    let rows = reader.runs(&RunFilter::default()).await?;
    let runs: BTreeSet<RunId> = rows.into_iter().map(|row| row.run).collect();
    let host = HostName::new(LOCAL).map_err(|why| StoreError::Contradiction(why.to_string()))?;
    let wanted =
        |attempt: &AttemptId| !archived.contains(&attempt.run) && known.get(attempt) != Some(&true);
    let AgentTold { epoch, spool, seen, retired } =
        witness::of_agent(&state.agent(), &host, wanted).map_err(io)?;
    let mut seen: BTreeMap<AttemptId, Seen> =
        seen.into_iter().map(|seen| (seen.of.attempt.clone(), seen)).collect();
    let mut unread = Vec::new();
    for (name, target) in &site.targets {
        let Engine::Sqlite { path } = &target.engine else {
            let why = "markers of a server are read by hand, in its table nightrun_change_run";
            unread.push((name.clone(), why.to_owned()));
            continue;
        };
        let marked = match witness::of_target(&state.work().join(path)).await {
            Ok(marked) => marked,
            Err(why) => {
                unread.push((name.clone(), why.to_string()));
                continue;
            }
        };
        for (attempt, applied) in marked {
            if known.contains_key(&attempt) || archived.contains(&attempt.run) {
                continue;
            }
            let of = LostAttempt {
                attempt: attempt.clone(),
                host: host.clone(),
                ended: None,
                marked: Vec::new(),
            };
            let seen = seen.entry(attempt).or_insert(Seen {
                of,
                business_date: None,
                trial: target.trial,
            });
            if applied {
                seen.of.marked.push(name.to_string());
            }
        }
    }
    let (unfinished, attempts) =
        seen.into_values().partition(|seen| known.contains_key(&seen.of.attempt));
    let spools: BTreeSet<String> = reader
        .boots()
        .await?
        .iter()
        .filter_map(|boot| boot.0.split_once(':').map(|(_, spool)| spool.to_owned()))
        .collect();
    let other_spool = !spools.is_empty() && spool.is_none_or(|spool| !spools.contains(&spool));
    Ok(Lacks {
        made: made(reader).await?,
        given: reader.epoch().await?,
        obeyed: epoch,
        attempts,
        unfinished,
        retired: retired.into_iter().filter(|run| !runs.contains(run)).collect(),
        runs,
        other_spool,
        unread,
    })
}

/// Up to when a store knows what has happened: when the backup was made; of a store that was put back without a word, when it was written last.
pub async fn made(reader: &StateReader) -> Result<Timestamp, StoreError> {
    if let Some(restored) = reader.restoration().await? {
        return Ok(restored.made);
    }
    let head = reader.head().await?;
    let last = reader.all_entries(head.seq.saturating_sub(1), 1).await?;
    let last = last.first().and_then(|sealed| sealed.open().ok());
    Ok(last.map_or(Timestamp::UNIX_EPOCH, |last| last.recorded))
}
