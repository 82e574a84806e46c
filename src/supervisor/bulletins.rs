//! Bulletins: what is read for one, and its mails.

use jiff::Timestamp;

use super::recurring::recurring;
use super::{Fatal, Supervisor, World};
use crate::core::bulletin::Bulletin;
use crate::core::incident::Audience;
use crate::core::night::Core;
use crate::journal::{OutgoingMail, RunRow};
use crate::port::{RunFilter, Store, StoreReader};
use crate::render::{self, mail::Reader};
use crate::view::bulletin::{self, BulletinView, RunTold};
use crate::view::starts::Missed;

impl<W: World> Supervisor<W> {
    /// One mail to each of the bulletin's people. It is compiled when the store can be read.
    pub(super) async fn bulletin_mail(
        &mut self,
        told: &Bulletin,
    ) -> Result<Vec<OutgoingMail>, Fatal> {
        let mut troubled = false;
        let view = loop {
            let reader = self.parts.store.reader();
            match bulletin_of(reader, &self.core, (told.from, told.to)).await {
                Ok(view) => break view,
                // What was decided is sealed and not stored: it waits, and the bulletin with it.
                Err(Fatal::Store(why)) => self.store_in_trouble(why, &mut troubled).await?,
                Err(other) => return Err(other),
            }
        };
        self.store_is_well(troubled);
        let site = self.core.on_call().map(|on_call| std::sync::Arc::clone(&on_call.site));
        let (Some(view), Some(site)) = (view, site) else { return Ok(Vec::new()) };
        let thread = format!("bulletin.{}", told.slot.as_second());
        let write = |lang, _: Reader<'_>| render::bulletin::mail(lang, &view);
        Ok(self.messages(&site, &Audience::of(told.people.clone()), &thread, write, &[]))
    }
}

/// What happened in a time; `None`: no site is known to the core. Incidents, changes and hand-overs are the core's.
pub async fn bulletin_of<R: StoreReader>(
    reader: &R,
    core: &Core,
    (from, to): (Timestamp, Timestamp),
) -> Result<Option<BulletinView>, Fatal> {
    let (going_after, opened_by) = (Some(from), Some(to));
    let filter = RunFilter { trial: Some(false), going_after, opened_by, ..RunFilter::default() };
    let rows = reader.runs(&filter).await?;
    let mut runs: Vec<RunTold> = rows.into_iter().map(told).collect();
    // The first opened first.
    runs.reverse();
    let Some(on_call) = core.on_call() else { return Ok(None) };
    let rows = reader.starts_missed(from).await?;
    let missed = rows.iter().filter(|row| from < row.at && row.at <= to).map(|row| {
        Missed::of(&on_call.site, &row.batch, (row.first, row.last, row.count), &row.why)
    });
    let missed = missed.collect();
    let again = recurring(reader, core, &on_call.site, (from, to)).await?;
    Ok(bulletin::of(core, (from, to), runs, (missed, again)))
}

fn told(row: RunRow) -> RunTold {
    RunTold {
        run: row.run,
        business_date: row.business_date,
        opened: row.opened,
        ended: row.ended,
        result: row.result,
    }
}
