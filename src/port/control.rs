//! What people and other programs ask a running supervisor, and its answers. One JSON document a line over its Unix
//! socket; who asks is the peer's account, never a field of the request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::credentials::CredentialOrder;
use crate::core::refused::{Refused, Rule};
use crate::core::select::{Deed, Which};
use crate::definition::site::Freeze;
use crate::types::{
    BatchId, BusinessDate, FreezeId, JobName, JobRef, Lang, PoolName, RequestId, RunId,
};

/// Version of the requests; another one is refused in words.
pub const VERSION: u32 = 1;

/// Who sits at the other end of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub name: String,
}

/// A request on its way to the supervisor.
#[derive(Debug)]
pub struct Asked {
    pub account: Account,
    pub request: Request,
    pub reply: mpsc::UnboundedSender<Reply>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub version: u32,
    pub request: Request,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Request {
    /// A batch for a date. Answered by [`Reply::Done`], then by the run's events as they come, until it ends.
    Order(Box<Order>),
    /// What operators do to a run, or to jobs of it.
    Act {
        on: RunOf,
        which: Which,
        deed: Deed,
        reason: String,
        /// Nothing is done; the answer says what would come of it.
        #[serde(default)]
        dry_run: bool,
    },
    /// What operators order for the whole site.
    House {
        order: House,
        reason: String,
        #[serde(default)]
        dry_run: bool,
    },
    /// Why a job of the latest run of its batch (and date) did not start yet.
    Why { job: JobRef, date: Option<BusinessDate>, language: Lang },
    /// How the open runs stand.
    Status { language: Lang },
    /// Whether turns go on: answered by [`Reply::Done`] in one, or by the trouble that there is.
    Alive,
}

/// What goes beyond one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum House {
    /// Nothing of its scope starts in its time; the reason is that of the request.
    Freeze {
        what: Box<Freeze>,
    },
    Unfreeze {
        freeze: FreezeId,
    },
    /// Another size of a pool until then.
    SizePool {
        pool: PoolName,
        size: u32,
        until: Timestamp,
    },
    /// The second person's yes.
    Second {
        request: RequestId,
    },
    /// Passwords, tokens, logins.
    Credential {
        what: Box<CredentialOrder>,
    },
}

/// Which run is meant: by its id, or the latest one of a batch (and date) that this supervisor has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunOf {
    Run(RunId),
    Batch { batch: BatchId, date: Option<BusinessDate> },
}

/// An order as a person gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub batch: BatchId,
    pub date: Option<BusinessDate>,
    pub parameters: BTreeMap<String, String>,
    pub from: Option<JobName>,
    pub only: Vec<JobName>,
    /// A whole rerun: run number n+1.
    pub rerun: bool,
    pub trial: bool,
    /// Reason of a window override.
    pub window_override: Option<String>,
    /// Why it is run by hand.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Reply {
    /// Done, in words; `run` is the run that it was done to.
    Done { text: String, run: Option<RunId> },
    /// A rule says no; which one, where it has a name.
    Refused {
        what: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Rule>,
    },
    /// The supervisor cannot: store, defects in the job files.
    Failed { what: String, defects: bool },
    /// A page, as text and as data.
    Page { text: String, data: serde_json::Value },
    /// An event of a followed run.
    Event { text: String, data: serde_json::Value },
    /// The followed run is over.
    Over { exit_code: u8 },
}

impl From<Refused> for Reply {
    fn from(refused: Refused) -> Self {
        Self::Refused { what: refused.to_string(), rule: refused.rule }
    }
}
