//! How a run stands now: `nightrun status` and the live display.

use jiff::Timestamp;
use serde::Serialize;

use super::incident::IncidentLine;
use super::job::JobLine;
use super::run::{RunHead, Totals};
use super::standing::StandingView;
use crate::core::fact::StopHow;
use crate::types::{BatchId, Zone};

/// What a supervisor has in hand.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StatusPage {
    /// The runs that are under way; where there is none, the last one.
    pub runs: Vec<StatusView>,
    /// Open incidents that belong to none of these runs: to no run at all, or to one that is not shown; the newest first.
    pub incidents: Vec<IncidentLine>,
    /// Starts of schedules that lie ahead, the next first; `null` where no schedules are served.
    pub next: Option<Vec<NextStart>>,
    pub now: Timestamp,
    /// The site's.
    pub zone: Zone,
    /// Why nothing starts: the store does not take what is decided. What is shown is then of before.
    pub trouble: Option<String>,
}

/// A start of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct NextStart {
    pub at: Timestamp,
    pub batch: BatchId,
}

/// One run as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StatusView {
    pub head: RunHead,
    /// Always [`Totals::of`] the jobs.
    pub totals: Totals,
    /// In the order of the file.
    pub jobs: Vec<JobLine>,
    /// Those not closed.
    pub incidents: Vec<IncidentLine>,
    pub stopping: Option<StopHow>,
    pub unsent_mail: u32,
    /// Ordered for the whole site.
    pub standing: StandingView,
}
