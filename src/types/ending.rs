//! Every way in which an attempt can end, told apart.

use serde::{Deserialize, Serialize};

/// How an attempt ended, as its host saw it. Nothing is folded: what a night does next depends on which it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Ending {
    /// The program ended by itself.
    Exited { code: i32 },
    /// A signal that nobody here sent ended it.
    Signalled { signal: i32 },
    /// It was ended at its time limit.
    TimedOut,
    /// A person or a stopping supervisor ended it.
    Killed,
    /// It was ordered, its host never began it, and by now it may not begin any more.
    TakenBack { why: String },
    /// It wrote more than its output limit and was ended.
    OutputLimit,
    /// No program was started: missing, not executable, no such directory, user not allowed.
    CouldNotStart { why: String },
    /// Its host restarted (other boot id), or its shim died while it ran and no process of it is left.
    Lost { why: String },
    /// What became of it cannot be known. Never failed, never retried by itself unless the file says so.
    Unknown { why: String },
}

impl Ending {
    /// Whether the host vouches for the end of the work. False for what was lost or cannot be known: part of the
    /// work may be done, or may still go on.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Lost { .. } | Self::Unknown { .. })
    }

    /// Whether something of it may still run. What is lost does not: its host has restarted since, or has looked for its
    /// processes and found none.
    pub fn may_go_on(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit code {code}"),
            Self::Signalled { signal } => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Killed => f.write_str("killed"),
            Self::TakenBack { why } => write!(f, "taken back before it began: {why}"),
            Self::OutputLimit => f.write_str("output limit"),
            Self::CouldNotStart { why } => write!(f, "could not start: {why}"),
            Self::Lost { why } => write!(f, "lost: {why}"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}
