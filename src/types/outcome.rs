//! How a job stands to those that need it.

use serde::{Deserialize, Serialize};

/// How a job of a run came out. The table in `src/docs/format.md` says what each means for its successors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Ended well by its success rule.
    Succeeded,
    /// Failed after its retries.
    Failed,
    /// A person let it be left out.
    Skipped,
    /// Not its day, or the condition it waits for did not come (such as the failure of a job that went well).
    NotScheduled,
    /// A person declared it done, with a reason.
    Forced,
    /// A job that it needs failed and stays failed; retrying that one opens it again.
    Blocked,
    /// Its run was cancelled before it had started.
    Cancelled,
}

/// What a job needs of its predecessor.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It ended well (or was left out, or forced).
    #[default]
    Ok,
    /// It is over, however it came out.
    Ended,
    /// It failed.
    Failed,
}
