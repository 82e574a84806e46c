//! What the folder of a change says of it besides its scripts: what whoever approves it goes by (D1).

use schemars::JsonSchema;
use serde::Serialize;

use super::Who;
use crate::definition::site::{Change, ChangeMode, RowLimits, Site};
use crate::types::{ChangeId, MarketName, ProductLine, Span, WindowClass};

/// As the files in force have it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangePapers {
    pub mode: ChangeMode,
    /// Rows that it may touch in all.
    pub rows: RowLimits,
    /// How long it usually takes.
    pub expected: Option<Span>,
    pub verify_takes: Span,
    pub rollback_takes: Span,
    /// Changes that must be done in the same environment before it.
    pub needs: Vec<ChangeId>,
    /// Must be open besides the windows of the rules.
    pub window: Option<WindowClass>,
    pub product_manager: Option<Who>,
    pub testers: Vec<Who>,
    pub product_line: Option<ProductLine>,
    /// Whose functions it touches.
    pub markets: Vec<MarketName>,
    /// The branch office that asks for it.
    pub branch: Option<String>,
    /// Changes whose fault it puts right.
    pub fixes: Vec<ChangeId>,
    /// Of other teams, in words.
    pub related: Vec<String>,
    /// Configured after it.
    pub permissions: Vec<PermissionLine>,
    /// Files of its folder.
    pub attachments: Vec<String>,
    /// Result of the code review.
    pub review: Option<String>,
    /// Who has read the code.
    pub reviewed_by: Vec<Who>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PermissionLine {
    pub what: String,
    pub by: Who,
}

impl ChangePapers {
    pub(super) fn of(site: &Site, change: &Change) -> Self {
        let papers = &change.papers;
        Self {
            mode: change.mode,
            rows: change.rows,
            expected: change.expected,
            verify_takes: change.verify_takes,
            rollback_takes: change.rollback_takes,
            needs: change.needs.clone(),
            window: change.window.clone(),
            product_manager: papers.product_manager.as_ref().map(|who| Who::of(site, who)),
            testers: papers.testers.iter().map(|who| Who::of(site, who)).collect(),
            product_line: papers.product_line.clone(),
            markets: papers.markets.clone(),
            branch: papers.branch.clone(),
            fixes: papers.fixes.clone(),
            related: papers.related.clone(),
            permissions: papers
                .permissions
                .iter()
                .map(|one| PermissionLine { what: one.what.clone(), by: Who::of(site, &one.by) })
                .collect(),
            attachments: papers.attachments.iter().map(|file| file.display().to_string()).collect(),
            review: papers.review.clone(),
            reviewed_by: papers.reviewed_by.iter().map(|who| Who::of(site, who)).collect(),
        }
    }
}
