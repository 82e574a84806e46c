//! Runs that leave the store for an archive.

use super::turn::Turn;
use super::{Fatal, Supervisor, World};
use crate::core::fact::RunArchived;
use crate::core::night::Event;
use crate::core::service;
use crate::port::{Clock, Store, StoreReader};

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
        let over = |run| service::is_done_with(run, now);
        let here = self.core.state().runs.get(&run);
        if here.is_some_and(|here| !over(here)) || self.is_asked_about(&run) {
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
}
