//! What a lint finds: a rule by name, how much it weighs, and where.

use std::fmt;

pub use super::rule::Rule;

/// Whether a finding stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The worker refuses the script.
    Defect,
    /// Locks much or loses something: whoever approves the change ticks the rule by its name.
    Hazard,
    /// Worth a look; stops nothing.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Defect => "error",
            Self::Hazard => "hazard",
            Self::Warning => "warning",
        })
    }
}

/// The scripts of a change, by their file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Backup,
    Change,
    Verify,
    Rollback,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Backup, Self::Change, Self::Verify, Self::Rollback];

    pub fn file(self) -> &'static str {
        match self {
            Self::Backup => "backup.sql",
            Self::Change => "change.sql",
            Self::Verify => "verify.sql",
            Self::Rollback => "rollback.sql",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub severity: Severity,
    /// Which script of a change; `None` for the script of a job.
    pub part: Option<Part>,
    /// From 1.
    pub line: u32,
    /// What is wrong; of a hazard what it locks or loses.
    pub message: String,
    /// What to do instead.
    pub hint: Option<&'static str>,
}
