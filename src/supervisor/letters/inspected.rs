//! Rounds of inspections with what their checks have found: of runs at hand from the core, of others from the store.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::core::fact::Fact;
use crate::core::inspection::checks_of;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::port::StoreReader;
use crate::supervisor::Fatal;
use crate::types::RunId;
use crate::view::inspection::{self, InspectionsView, Results};

/// Days that a report tells of at the most: those before the end of its run.
const MOST: i32 = 3;

/// Inspections of some days. `core`: it has taken in what stands.
///
/// # Errors
/// The store cannot be read, or does not fit what it should be.
pub async fn inspections_of<R: StoreReader>(
    reader: &R,
    (core, site): (&Core, &Site),
    (days, now): ((Date, Date), Timestamp),
) -> Result<InspectionsView, Fatal> {
    let known = &core.state().standing.inspected;
    let mut results = Results::new();
    for round in inspection::rounds_of(known, days) {
        let jobs = results.entry(round.run.clone()).or_default();
        if let Some(run) = core.state().runs.get(&round.run) {
            let found = (0..run.jobs.len()).filter_map(|index| {
                let (checks, _) = checks_of(run, index)?;
                Some((run.job(index).name.clone(), checks.to_vec()))
            });
            jobs.extend(found);
            continue;
        }
        for sealed in reader.own_entries(&round.run).await? {
            if let Fact::AttemptEnded { ended, .. } = sealed.open()?.fact
                && let Some(checks) = ended.checks()
            {
                jobs.insert(ended.attempt.job.clone(), checks.to_vec());
            }
        }
    }
    Ok(inspection::of(site, known, (days, now), results))
}

/// Rounds of the days on which a run was at work, for its report; `None`: it is a trial, or none were wanted or done.
///
/// # Errors
/// As [`inspections_of`].
pub async fn rounds_beside<R: StoreReader>(
    reader: &R,
    core: &Core,
    run: &RunId,
    now: Timestamp,
) -> Result<Option<InspectionsView>, Fatal> {
    let run = core.state().run(run)?;
    if run.opened.trial || run.site.inspections.is_none() {
        return Ok(None);
    }
    let date = |at: Timestamp| run.site.zone.tz().to_datetime(at).date();
    let to = date(run.ended_at.unwrap_or(now));
    let earliest = to.saturating_sub((MOST - 1).days());
    let days = (date(run.opened_at).max(earliest), to);
    let view = inspections_of(reader, (core, &run.site), (days, now)).await?;
    Ok((!view.days.is_empty()).then_some(view))
}
