//! What a run began with.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::SealedList;
use super::fact::LateWhy;
use crate::types::{
    BatchId, BootId, BusinessDate, JobName, JobRef, PersonId, Revision, RunId, Span,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOpened {
    pub run: RunId,
    pub batch: BatchId,
    pub business_date: BusinessDate,
    /// The scheduled instant, or that of the order: what deadlines count from.
    pub anchor: Timestamp,
    pub trial: bool,
    /// SHA-256 of the stored definition that the run goes by, in hex.
    pub definition: String,
    pub parameters: BTreeMap<String, String>,
    pub by: PersonId,
    /// Only these jobs take part (`--only`), or these and what follows them (`--from`); all when empty.
    pub only: Vec<JobName>,
    /// Needs of other runs, with the dates that they mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub across: Vec<AcrossNeed>,
    /// Expected durations: from history where there is one, else as declared. Seconds of the host's clock.
    pub expected: BTreeMap<JobName, Span>,
    pub boot: BootId,
    pub since_boot: Duration,
    /// A window override with its reason: role checked, counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_override: Option<String>,
    /// Who said yes to the override as the second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<PersonId>,
    /// The start of the schedule that this run is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
    /// Why that start was made later than meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateWhy>,
    /// The commit that the job files came from, where they lie in a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The list that it was opened with, where it is the run of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Box<SealedList>>,
}

/// A need of another batch or date, resolved when the run was ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcrossNeed {
    pub job: JobRef,
    /// Business days from the run's business date.
    pub offset: i32,
    pub date: BusinessDate,
    /// The date lies before the needed batch's `since:`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_as_done: bool,
}

impl AcrossNeed {
    /// The date whose outcome is waited for; `None` where it counts as done.
    pub fn wanted(&self) -> Option<BusinessDate> {
        (!self.counts_as_done).then_some(self.date)
    }
}
