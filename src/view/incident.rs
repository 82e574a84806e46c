//! Incidents as lists, pages and mails show them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Who;
use super::job::JobLine;
use super::run::RunHead;
use crate::core::containment::Offer;
use crate::core::incident::{AtRisk, Fault, IncidentStep};
use crate::types::{
    BusinessDate, ChannelName, ClockKind, IncidentId, IncidentKind, JobName, PolicyName, RunId,
    Severity, Text, Zone,
};

/// An incident (事件) on one line.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct IncidentLine {
    pub id: IncidentId,
    pub kind: IncidentKind,
    pub severity: Severity,
    pub fault: Fault,
    /// The run that it belongs to, and its job; neither where it is about the whole site.
    pub run: Option<RunId>,
    pub job: Option<JobName>,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub blocks: Vec<JobName>,
    pub told: Vec<Who>,
    /// Rooms that were told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<ChannelName>,
    /// Who takes care of it.
    pub owner: Option<Who>,
}

/// All of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct IncidentView {
    #[serde(flatten)]
    pub line: IncidentLine,
    /// Zone of the times that are written for people.
    pub zone: Zone,
    pub site: Text,
    /// Where a browser shows it and takes an answer; where the site says how it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Whoever opened it; nightrun where nobody did.
    pub by: Option<Who>,
    pub policy: Option<PolicyName>,
    pub acknowledged: Option<Timestamp>,
    pub at_risk: Vec<AtRisk>,
    pub clocks: Vec<ClockLine>,
    /// Nobody is told until then.
    pub muted: Option<Timestamp>,
    /// When somebody is told again, or a limit is near.
    pub next: Option<Timestamp>,
    pub steps: Vec<StepLine>,
    /// Of its run, where that is at hand.
    pub business_date: Option<BusinessDate>,
    /// What can be done about it now, what helps most first; empty where its run is not at hand.
    pub offers: Vec<Offer>,
}

/// A limit of the service contract (E3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ClockLine {
    pub kind: ClockKind,
    pub due: Timestamp,
    pub met: Option<Timestamp>,
    /// Passed before it was met.
    pub missed: bool,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StepLine {
    pub at: Timestamp,
    /// Whose step it is; nightrun's where it is nobody's.
    pub by: Option<Who>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(flatten)]
    pub step: IncidentStep,
    /// Whom a step told, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Who>,
}

/// What a mail about an incident is made of.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct IncidentMail {
    pub incident: IncidentView,
    /// Of its run, where that is at hand.
    pub head: Option<RunHead>,
    /// With its attempts, tail and runbook.
    pub job: Option<JobLine>,
    /// What it blocks, in the order of the file.
    pub blocks: Vec<BlockedJob>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BlockedJob {
    pub name: JobName,
    pub title: Text,
}

/// Which incidents a list has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    #[default]
    Open,
    /// Open, or its report is owed.
    Unfinished,
    All,
}

impl Which {
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unfinished => "unfinished",
            Self::All => "all",
        }
    }
}
