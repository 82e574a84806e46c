//! What of a change is not as it was submitted and approved.

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use crate::core::change::ChangeStep;
use crate::core::state::Standing;
use crate::definition::copy::CHANGE_SCRIPTS;
use crate::definition::site::Site;
use crate::types::{ChangeId, Role};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeDiff {
    pub change: ChangeId,
    /// When it was submitted last.
    pub submitted: Option<Timestamp>,
    /// Whether scripts, mode, row limits and class are what was submitted.
    pub same: bool,
    pub scripts: Vec<ScriptDiff>,
    pub approvals: Vec<ApprovalDiff>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScriptDiff {
    pub script: String,
    /// SHA-256 as it was submitted, and as it is; in hex.
    pub submitted: Option<String>,
    pub now: Option<String>,
}

/// Whether an approval is bound to what is there now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApprovalDiff {
    pub environment: String,
    pub role: Role,
    pub by: Who,
    pub at: Timestamp,
    pub bound: String,
    pub now: Option<String>,
}

/// `None` where nothing is known of the change.
pub fn of(site: &Site, standing: &Standing, id: &ChangeId) -> Option<ChangeDiff> {
    let (declared, life) = (site.changes.get(id), standing.changes.get(id));
    if declared.is_none() && life.is_none() {
        return None;
    }
    let steps = life.map(|life| life.steps.as_slice()).unwrap_or_default();
    let handed_in = steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Submitted { content, scripts, .. } => Some((taken.at, content, scripts)),
        _ => None,
    });
    let now = declared.map(|change| change.scripts.as_slice()).unwrap_or_default();
    let before = handed_in.map(|(_, _, scripts)| scripts.as_slice()).unwrap_or_default();
    let scripts = CHANGE_SCRIPTS.iter().enumerate().map(|(at, script)| ScriptDiff {
        script: (*script).to_owned(),
        submitted: before.get(at).cloned(),
        now: now.get(at).cloned(),
    });
    let places = super::change::digests(site, standing, id);
    let approvals = steps.iter().filter_map(|taken| match &taken.step {
        ChangeStep::Approved { environment, digest, role, .. } => Some(ApprovalDiff {
            environment: environment.clone(),
            role: role.clone(),
            by: Who::of(site, &taken.by),
            at: taken.at,
            bound: digest.clone(),
            now: places.get(environment).cloned(),
        }),
        _ => None,
    });
    Some(ChangeDiff {
        change: id.clone(),
        submitted: handed_in.map(|(at, ..)| at),
        same: handed_in.map(|(_, content, _)| content) == declared.map(|change| &change.content),
        scripts: scripts.collect(),
        approvals: approvals.collect(),
    })
}
