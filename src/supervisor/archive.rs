//! Runs that leave the store for an archive.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::recall::definition;
use super::turn::Turn;
use super::{Fatal, Supervisor, World};
use crate::core::change::ChangeStep;
use crate::core::fact::RunArchived;
use crate::core::night::Event;
use crate::core::service;
use crate::journal::Row;
use crate::port::{Clock, Commit, RunFilter, Store, StoreReader};

/// What nothing in the store goes by any more.
#[derive(Debug, Default)]
pub struct Unneeded {
    /// The names of kept bytes.
    pub blobs: Vec<String>,
    /// Mail that a server took, and hand-overs that were over, before this instant; `None`: all of them stay.
    pub over_before: Option<Timestamp>,
    /// The entry that opened the last run of those that were looked at.
    pub seen: u64,
}

/// Runs that may have been opened since somebody looked; where there are more nothing is let go this time.
const SINCE: u32 = 1_000;
/// Rows of one commit.
const AT_A_TIME: usize = 1_000;

impl<W: World> Supervisor<W> {
    /// From here on a run is in its file alone. False: it has been taken up again, or somebody asks about it.
    pub async fn archived(&mut self, archived: RunArchived) -> Result<bool, Fatal> {
        let mut turn = Turn::default();
        let gone = self.archive(&mut turn, archived).await?;
        self.finish(turn).await?;
        Ok(gone)
    }

    /// In a commit of its own: what an order of the same turn has taken up must not leave with it.
    pub(super) async fn archive(
        &mut self,
        turn: &mut Turn,
        archived: RunArchived,
    ) -> Result<bool, Fatal> {
        self.finish(std::mem::take(turn)).await?;
        let (run, now) = (archived.run.clone(), self.parts.clock.now().wall);
        let state = self.core.state();
        let owed = state.unfinished().any(|incident| incident.what.run.as_ref() == Some(&run));
        let over = |run| !owed && service::is_done_with(state, run, now);
        let here = self.core.state().runs.get(&run);
        if here.map_or(owed, |here| !over(here)) || self.is_asked_about(&run) {
            return Ok(false);
        }
        // Somebody may have added a note since the file was written.
        let entries = self.parts.store.reader().own_entries(&run).await?;
        if entries.len() as u64 != archived.entries {
            return Ok(false);
        }
        self.core.let_go(&run);
        self.reports.remove(&run);
        let mut turn = Turn::default();
        self.step(&mut turn, Event::Archived(Box::new(archived)))?;
        self.finish(turn).await?;
        Ok(true)
    }

    /// Removes what is not needed any more, but for what runs go by that were opened since that was found out: they are
    /// opened here, so that none comes in between. Returns how many kept files went.
    pub async fn remove_unneeded(&mut self, mut unneeded: Unneeded) -> Result<usize, Fatal> {
        if let Some(before) = unneeded.over_before {
            let mut turn = Turn::default();
            self.step(&mut turn, Event::ForgetHandOvers { before })?;
            self.finish(turn).await?;
        }
        let reader = self.parts.store.reader();
        let filter = RunFilter { limit: Some(SINCE), ..RunFilter::default() };
        let mut since = reader.runs(&filter).await?;
        let all_since = since.len() == SINCE as usize;
        since.retain(|row| row.opened_seq > unneeded.seen && !row.definition.is_empty());
        if all_since && since.len() == SINCE as usize {
            return Ok(0);
        }
        let mut taken = BTreeSet::new();
        for row in since {
            if taken.insert(row.definition.clone()) {
                let of_run = definition(reader, &row.definition).await?;
                taken.extend(of_run.copy.files.into_values());
            }
        }
        // What was submitted is shown for as long as the change is known.
        for life in self.core.state().standing.changes.values() {
            for step in &life.steps {
                if let ChangeStep::Submitted { scripts, .. } = &step.step {
                    taken.extend(scripts.iter().cloned());
                }
            }
        }
        unneeded.blobs.retain(|address| !taken.contains(address));
        let gone = unneeded.blobs.len();
        let blobs = unneeded.blobs.into_iter().map(|address| Row::BlobLetGo { address });
        let mail = unneeded.over_before.map(|sent_before| Row::MailLetGo { sent_before });
        let rows: Vec<Row> = mail.into_iter().chain(blobs).collect();
        for some in rows.chunks(AT_A_TIME) {
            let commit = Commit { epoch: self.epoch, rows: some.to_vec(), ..Commit::default() };
            self.store(&commit).await?;
        }
        Ok(gone)
    }
}
