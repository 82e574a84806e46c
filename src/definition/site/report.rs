//! In which forms the report of a run is given.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportFormat {
    Html,
    Text,
    Pdf,
    /// A workbook.
    Xlsx,
}

impl ReportFormat {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Text => "txt",
            Self::Pdf => "pdf",
            Self::Xlsx => "xlsx",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What becomes of the report of each run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRules {
    /// Files beside the run.
    pub files: Vec<ReportFormat>,
    /// Files in the mail.
    pub attach: Vec<ReportFormat>,
    /// When people are told of a run that is still under way, by the clock of the site's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

impl Default for ReportRules {
    fn default() -> Self {
        Self {
            files: vec![ReportFormat::Html, ReportFormat::Text],
            attach: vec![ReportFormat::Html],
            at: None,
        }
    }
}

impl ReportRules {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
