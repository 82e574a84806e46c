//! Emergency manuals (应急手册) are kept current: which runbooks are to be reviewed (E4).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::calendar::plus;
use crate::definition::site::{Batch, Site};
use crate::types::{BatchId, JobName};

/// A runbook whose review is overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unreviewed {
    pub batch: BatchId,
    pub job: JobName,
    /// `null`: nobody says that it ever was.
    pub reviewed: Option<Date>,
    /// How often it is to be, in days.
    pub every: u16,
}

/// Those of one batch, as of a day; none where the site does not say how often. The day on which a review is due is in time.
pub(super) fn unreviewed_of(site: &Site, batch: &Batch, today: Date) -> Vec<Unreviewed> {
    let every = site.escalation.as_ref().and_then(|escalation| escalation.review_runbooks);
    let Some(every) = every else { return Vec::new() };
    let due = |reviewed: Date| plus(reviewed, i32::from(every));
    let jobs = batch.jobs.iter().filter(|job| job.runbook.is_some());
    let jobs = jobs.filter(|job| job.runbook_reviewed.is_none_or(|at| due(at) < today));
    let lines = jobs.map(|job| Unreviewed {
        batch: batch.id.clone(),
        job: job.name.clone(),
        reviewed: job.runbook_reviewed,
        every,
    });
    lines.collect()
}

/// Those of the whole site.
pub fn unreviewed(site: &Site, today: Date) -> Vec<Unreviewed> {
    site.batches.values().flat_map(|batch| unreviewed_of(site, batch, today)).collect()
}
