//! How a run stands now: `nightrun status` and the live display.

use serde::Serialize;

use super::job::JobLine;
use super::report::IncidentLine;
use super::run::{RunHead, Totals};
use super::standing::StandingView;
use crate::core::fact::StopHow;

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
