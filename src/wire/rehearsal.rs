//! A change that is executed with rehearsal: change, verification, rollback, proof of the former state, and only then the change
//! that stays (D6).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was done of a rehearsal before the change that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RehearsalStep {
    pub did: Did,
    /// By the clock of the worker's host.
    pub at: Timestamp,
    /// Rows that were changed, or that the rollback touched.
    #[serde(default)]
    pub rows: u64,
    /// Checks of the verification; all of them were as they must be.
    #[serde(default)]
    pub checks: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Did {
    Changed,
    /// The verification after the change passed.
    Verified,
    RolledBack,
    /// The verification says again what it said before the change.
    FormerVerified,
}

impl Did {
    /// In the order in which they are done.
    pub const ALL: [Self; 4] =
        [Self::Changed, Self::Verified, Self::RolledBack, Self::FormerVerified];

    /// In logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Verified => "verified",
            Self::RolledBack => "rolled back",
            Self::FormerVerified => "former state verified",
        }
    }
}

/// Whether the steps are those of a whole rehearsal: one that was rolled back because it did not verify is none.
pub fn is_rehearsed(steps: &[RehearsalStep]) -> bool {
    steps.iter().map(|step| step.did).eq(Did::ALL)
}
