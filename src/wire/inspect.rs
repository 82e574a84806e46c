//! What a worker inspects, and what it has found.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::definition::site::{Engine, InspectCheck};
use crate::types::{CheckName, CheckVerdict, Reading, Thresholds, Unit};

/// Checks that are made one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectTask {
    /// The database that its `sql` checks ask.
    pub engine: Option<Engine>,
    pub checks: Vec<InspectCheck>,
    /// Where the host keeps how far each log was read. `None`: nothing is kept, and logs are counted from where they stand.
    pub memory: Option<PathBuf>,
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Checked {
    pub name: CheckName,
    /// `None`: nothing could be measured, which `words` explain.
    pub value: Option<Reading>,
    pub unit: Unit,
    #[serde(flatten)]
    pub thresholds: Thresholds,
    pub verdict: CheckVerdict,
    /// What should be known besides the value, in English like logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

impl Checked {
    /// The value with its unit; `-` where there is none.
    pub fn measured(&self) -> String {
        self.value.map_or_else(|| "-".to_owned(), |value| format!("{value}{}", self.unit.symbol()))
    }
}
