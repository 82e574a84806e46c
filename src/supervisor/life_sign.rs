//! Life signs: now and then the service says that it lives, for whoever watches from another host. No entry of the journal
//! is made of it. It is given by the loop itself, so that one that hangs gives none, and written by somebody else, so that
//! a file system that hangs holds up nothing.

use std::time::Duration;

use super::{Fatal, Supervisor, World};
use crate::port::{Clock, Store, StoreReader};
use crate::types::{LifeSign, NextStart};

/// What is said, and where.
pub type SignToWrite = (std::path::PathBuf, LifeSign);

impl<W: World> Supervisor<W> {
    /// How long the loop may sleep before the next sign; `None`: the site asks for none.
    pub(super) fn sign_wakes(&self) -> Option<Duration> {
        let service = self.service.as_ref()?;
        service.loaded.site.life_sign.as_ref()?;
        Some(service.sign.saturating_sub(self.parts.clock.now().since_boot))
    }

    /// Gives a sign where one is due. A store that does not answer gives none: nothing is done without it.
    pub(super) async fn give_sign(&mut self) -> Result<(), Fatal> {
        let now = self.parts.clock.now();
        let Some(service) = &mut self.service else { return Ok(()) };
        let Some(rule) = service.loaded.site.life_sign.clone() else { return Ok(()) };
        if now.since_boot < service.sign {
            return Ok(());
        }
        service.sign = now.since_boot + rule.every.get();
        let site = service.loaded.site.title.get(service.loaded.site.language).to_owned();
        let Ok(unsent) = self.parts.store.reader().outbox_counted().await else {
            return Ok(());
        };
        let head = self.chain.head();
        let next = self.core.next_starts().next();
        let sign = LifeSign {
            version: LifeSign::VERSION,
            at: self.parts.clock.real(),
            site,
            epoch: self.epoch.0,
            entries: head.seq,
            head: head.hash.clone(),
            next: next.map(|(at, batch)| NextStart { batch: batch.clone(), at }),
            waiting: unsent.waiting,
            waiting_since: unsent.waiting_since,
        };
        // Whoever writes them has gone only when this process ends.
        self.parts.signs.send(Some((rule.file, sign))).ok();
        Ok(())
    }
}
