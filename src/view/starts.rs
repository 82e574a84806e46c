//! Starts of schedules that came late or not at all.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::fact::{Fact, LateWhy, MissedWhy};
use crate::definition::site::Site;
use crate::types::{BatchId, Span, Text, Zone};

/// How much later than meant a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Late {
    pub by: Span,
    pub why: LateWhy,
}

/// Starts of one schedule, one after the other, that were not made.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Missed {
    pub batch: BatchId,
    pub title: Text,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
    pub why: MissedWhy,
    /// Of the batch; its times are told in it.
    pub zone: Zone,
    /// A job of the batch is critical, and nobody has decided that it should not run.
    pub alarming: bool,
}

impl Missed {
    /// A fact that tells of missed starts, as the site knows its batch.
    pub fn of_fact(site: &Site, fact: &Fact) -> Option<Self> {
        let Fact::StartsMissed { batch, first, last, count, why } = fact else { return None };
        Some(Self::of(site, batch, (*first, *last, *count), why))
    }

    /// `count` starts of a batch from the first to the last.
    pub fn of(
        site: &Site,
        batch: &BatchId,
        (first, last, count): (Timestamp, Timestamp, u32),
        why: &MissedWhy,
    ) -> Self {
        let declared = site.batches.get(batch);
        let critical = declared.is_some_and(|batch| batch.jobs.iter().any(|job| job.critical));
        let meant = matches!(why, MissedWhy::OrderedBefore { .. } | MissedWhy::Observed);
        Self {
            batch: batch.clone(),
            title: declared.map_or_else(|| Text::en(batch.as_str()), |batch| batch.title.clone()),
            first,
            last,
            count,
            why: why.clone(),
            zone: declared.map_or_else(|| site.zone.clone(), |batch| batch.zone.clone()),
            alarming: critical && !meant,
        }
    }
}
