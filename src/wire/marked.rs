//! What a target says of a change by itself, read without writing anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A row of `nightrun_change_run` in a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MarkerRow {
    pub attempt: String,
    pub content_digest: String,
    /// Such as `started`, `backup`, `ready`, `rollback`.
    pub step: String,
    /// As the worker wrote it.
    pub at: String,
    pub rows: Option<i64>,
    pub outcome: Option<String>,
    /// The transaction that wrote it, by PostgreSQL's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xid: Option<String>,
    /// The session that wrote it, and its account; of servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What the server says now became of that transaction; `None`: it does not tell, or it was too long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// The rows of one change in a target, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Marked {
    /// Which database that is, by its own word; none of a file.
    pub identity: Option<String>,
    pub rows: Vec<MarkerRow>,
}

impl MarkerRow {
    /// The last row of a change's transaction: whoever sees it sees the whole change.
    pub const READY: &str = "ready";
    pub const BACKUP: &str = "backup";
    pub const ROLLBACK: &str = "rollback";
    /// After the rollback the former state was proven.
    pub const FORMER: &str = "former";
    /// Before the step, where what was executed was taken back again and is not the change that stays.
    pub const REHEARSAL: &str = "rehearsal-";
}

/// What the marker of a target says of the change in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "found")]
pub enum Found {
    NotApplied,
    Applied {
        attempt: String,
        rows: u64,
    },
    RolledBack {
        attempt: String,
    },
    /// Journalled: so many statements are done, `of` as far as the script is kept; `open` was begun.
    Cut {
        done: u32,
        of: Option<u32>,
        open: Option<u32>,
    },
    /// Journalled: so many statements of its rollback are done, counted alike.
    CutBack {
        done: u32,
        of: Option<u32>,
        open: Option<u32>,
        /// Nothing tells whether `open` is done, so that it cannot go on.
        stuck: bool,
    },
    /// The rows contradict each other, or the journal.
    Conflict {
        why: String,
    },
    Unread {
        why: String,
    },
}

/// What a look at a target and at what a worker has left gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looked {
    pub found: Found,
    /// What was asked, in the order of asking.
    pub evidence: Vec<super::Evidence>,
}
