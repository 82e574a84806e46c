//! What those who only read go by.

use super::{Supervisor, World};
use crate::port::{Published, Stage};

impl<W: World> Supervisor<W> {
    /// Tells those who only read how far the journal goes, and what keeps it from going on.
    pub(super) fn publish(&self, trouble: Option<&str>) {
        if self.begins {
            return;
        }
        let site = self.known_by();
        let gives = self.service.as_ref().is_some_and(|s| s.loaded.site.life_sign.is_some());
        let (stage, head) = (Stage::Leads { epoch: self.epoch }, self.chain.head().seq);
        let trouble = trouble.map(str::to_owned);
        self.parts.published.send_modify(|known| {
            let sign = known.sign.take().filter(|_| gives);
            *known = Published { stage, head, trouble, site, sign };
        });
    }
}
