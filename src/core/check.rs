//! Defects of a site that only time shows: schedules that never fire, windows that nothing fits into.

use jiff::civil::Date;

use crate::definition::site::Site;
use crate::types::{BatchId, JobName};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// `None` for what belongs to no batch, such as a calendar.
    pub batch: Option<BatchId>,
    pub job: Option<JobName>,
    pub what: String,
    pub hint: String,
}

/// What is wrong with the site as seen from `today`.
pub fn check(_site: &Site, _today: Date) -> Vec<Finding> {
    todo!()
}
