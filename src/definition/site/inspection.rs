//! Inspections (巡检): what an `inspect` job looks at, and how often a day somebody has to look (I1).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::DayRule;
use crate::types::{BatchId, CheckName, Severity, Span, Thresholds};

/// One look of an `inspect` job (检查项). Words in braces are replaced when its attempt starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectCheck {
    pub name: CheckName,
    pub look: Look,
    pub thresholds: Thresholds,
    /// How long it may take; then it has failed.
    pub limit: Span,
}

impl InspectCheck {
    /// The limit of a check that says nothing.
    pub const LIMIT: Span = Span::seconds(10);

    /// The same look with other texts.
    ///
    /// # Errors
    /// Whatever `fill` says of one of its texts.
    pub fn filled<E>(&self, fill: impl Fn(&str) -> Result<String, E>) -> Result<Self, E> {
        let look = match &self.look {
            Look::Command { argv } => {
                let argv: Result<Vec<String>, E> = argv.iter().map(|word| fill(word)).collect();
                Look::Command { argv: argv? }
            }
            Look::Http { url, status, ca } => {
                let ca = ca.as_deref().map(&fill).transpose()?;
                Look::Http { url: fill(url)?, status: *status, ca }
            }
            Look::Tcp { address } => Look::Tcp { address: fill(address)? },
            Look::Sql { query } => Look::Sql { query: fill(query)? },
            Look::Disk { path } => Look::Disk { path: fill(path)? },
            Look::Log { path, lines } => Look::Log { path: fill(path)?, lines: lines.clone() },
            Look::Cpu { .. } | Look::Memory { .. } => self.look.clone(),
        };
        Ok(Self { look, ..self.clone() })
    }

    /// Whether one of its texts has a word.
    pub fn any_text(&self, has: impl Fn(&str) -> bool) -> bool {
        match &self.look {
            Look::Command { argv } => argv.iter().any(|word| has(word)),
            Look::Http { url, ca, .. } => has(url) || ca.as_deref().is_some_and(has),
            Look::Tcp { address: text }
            | Look::Sql { query: text }
            | Look::Disk { path: text }
            | Look::Log { path: text, .. } => has(text),
            Look::Cpu { .. } | Look::Memory { .. } => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Without thresholds by its exit code: 0 is ok, 1 a warning, any other a failure. With thresholds by the number that its last
    /// line of output begins with.
    Command { argv: Vec<String> },
    /// Milliseconds until the answer; another status than this one, or without it than 2xx, is a failure.
    Http {
        url: String,
        status: Option<u16>,
        /// A file on the job's host: certificates that count besides those that the host trusts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca: Option<String>,
    },
    /// Milliseconds until the connection stands; `host:port`.
    Tcp { address: String },
    /// On the target of the job: the first value of its first row; without thresholds it must be true.
    Sql { query: String },
    /// Percent of a file system that are in use, as `df` counts.
    Disk { path: String },
    /// Percent of the time that the processors are busy, measured for so long.
    Cpu { during: Span },
    /// Percent that are in use.
    Memory { of: MemoryOf },
    /// Lines with one of these texts that have come since the round before.
    Log { path: String, lines: Vec<String> },
}

/// Which memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryOf {
    /// What programs could still get without swapping counts as free.
    Ram,
    Swap,
}

/// How often a day somebody has to look, and how grave it is where nobody did (I1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionRules {
    /// In the order of the file; of those that are for a day the one that asks for most counts.
    pub rounds: Vec<RoundRule>,
    /// Of the incident of rounds that were missed.
    pub severity: Severity,
}

/// Runs of this batch are rounds, and a day has at least so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundRule {
    pub batch: BatchId,
    pub per_day: u32,
    pub days: DayRule,
    /// The first and the last date that it is for.
    pub from: Option<Date>,
    pub to: Option<Date>,
}
