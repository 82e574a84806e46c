//! Hand-overs of shifts: their mails, and what people noted in runs that are not at hand any more.

use std::sync::Arc;

use jiff::Timestamp;

use super::recall::{across_now, on_call_of, recall, standing};
use super::{Fatal, Supervisor, World};
use crate::core::fact::{Action, Fact};
use crate::core::hand_over::{HandOverOrder, HandOverWish, Note};
use crate::core::incident::Audience;
use crate::core::night::{Core, HandOverNotice};
use crate::definition::site::Site;
use crate::journal::OutgoingMail;
use crate::port::{Clock, Store, StoreReader};
use crate::render;
use crate::render::mail::Reader;
use crate::types::{BootId, HandOverId, PersonId};
use crate::view::of_hand_over;

impl<W: World> Supervisor<W> {
    /// One mail about the hand-over of a shift to each of these people.
    pub(super) async fn hand_over_mail(
        &mut self,
        id: &HandOverId,
        people: &[PersonId],
        notice: HandOverNotice,
    ) -> Vec<OutgoingMail> {
        let now = self.parts.clock.now();
        let noted = match self.noted(id).await {
            Ok(noted) => noted,
            // It goes out all the same: the page has them when the store can be read again.
            Err(why) => {
                self.notice(now.wall, &format!("notes are left out of the mail of {id}: {why}"));
                Vec::new()
            }
        };
        let Some(site) = self.core.on_call().map(|on_call| Arc::clone(&on_call.site)) else {
            return Vec::new();
        };
        let Some(view) = of_hand_over::view(&self.core, id, &noted, now) else { return Vec::new() };
        let thread = format!("hand-over.{}.{}", id.shift, id.date);
        let write = |lang, _: Reader<'_>| render::hand_over::mail(lang, &view, notice);
        let to = Audience::of(people.to_vec());
        self.messages(&site, &to, &thread, write, &[])
    }

    /// Whoever accepts is given what was noted in runs that are over, too.
    pub(super) async fn with_notes(&self, order: &mut HandOverOrder) -> Result<(), Fatal> {
        if order.wish == HandOverWish::Accept {
            order.noted = self.noted(&order.hand_over).await?;
        }
        Ok(())
    }

    async fn noted(&self, id: &HandOverId) -> Result<Vec<Note>, Fatal> {
        let known = self.core.state().standing.hand_overs.get(id);
        let Some((since, _)) = known.map(|known| known.span()) else { return Ok(Vec::new()) };
        noted_since(self.parts.store.reader(), &self.core, since).await
    }
}

/// What people noted since an instant in real runs that a core has not at hand.
pub async fn noted_since<R: StoreReader>(
    reader: &R,
    core: &Core,
    since: Timestamp,
) -> Result<Vec<Note>, Fatal> {
    let mut notes = Vec::new();
    for sealed in reader.acts_since(since).await? {
        let entry = sealed.open()?;
        let Fact::Acted { run, by, action: Action::Note { job, text }, .. } = entry.fact else {
            continue;
        };
        if !core.state().runs.contains_key(&run) {
            let on = job.map_or_else(|| run.to_string(), |job| format!("{run} {job}"));
            notes.push(Note { at: entry.at, by, on, text });
        }
    }
    Ok(notes)
}

/// The night as the store has it, for a look at all of it: what stands, and every real run that is under way.
pub async fn night_as_stored<R: StoreReader>(
    reader: &R,
    site: &Arc<Site>,
    boot: &BootId,
) -> Result<Core, Fatal> {
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(site));
    let open = reader.open_runs().await?;
    for row in open.iter().filter(|row| !row.trial) {
        recall(reader, &mut core, &row.run).await?;
    }
    standing(reader, &mut core, false).await?;
    for row in open.iter().filter(|row| !row.trial) {
        for (job, date, outcome) in across_now(reader, &core, &row.run).await? {
            core.replay(row.opened, &Fact::AcrossKnown { job, date, outcome })?;
        }
    }
    core.assume_hosts_reached(boot);
    Ok(core)
}
