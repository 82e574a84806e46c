//! What people and other programs ask a running supervisor, and its answers: a message of the API on its way to the
//! turn, and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::credentials::CredentialOrder;
use crate::core::change::Wish;
use crate::core::figure::FigureOrder;
use crate::core::hand_over::HandOverOrder;
use crate::core::incident::IncidentOrder;
use crate::core::refused::{Refused, Rule};
use crate::core::select::{Deed, Which};
use crate::definition::site::Freeze;
use crate::types::{
    BatchId, BusinessDate, ChangeId, EventKey, EventName, FreezeId, HostName, JobName, JobRef,
    PersonId, PoolName, RequestId, Rights, RunId,
};
use crate::view::hosts::HostsPage;
use crate::view::one_job::JobView;
use crate::view::status::StatusPage;
use crate::view::tried::{Done, EventTaken, Tried};
use crate::view::why::WhyView;

/// Who sits at the other end of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub name: String,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An account of this host, as the kernel names it.
    Account(Account),
    /// A person who has proven to be that, by a password or a token.
    Person {
        person: PersonId,
        /// No more than this, whatever the person's roles allow.
        within: Rights,
    },
}

impl From<Account> for Caller {
    fn from(account: Account) -> Self {
        Self::Account(account)
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => f.write_str(&account.name),
            Self::Person { person, .. } => f.write_str(person.as_str()),
        }
    }
}

/// A request on its way to the supervisor. Nobody waits for the answer any more where `reply` is closed.
#[derive(Debug)]
pub struct Asked {
    pub caller: Caller,
    pub request: Request,
    pub reply: oneshot::Sender<Reply>,
    /// Set as soon as it is looked at: before that nothing of it was done.
    pub taken: Arc<AtomicBool>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A batch for a date. Answered by [`Reply::Ordered`], or [`Reply::Tried`].
    Order(Box<Order>),
    /// What operators do to a run, or to jobs of it.
    Act {
        on: RunOf,
        which: Which,
        deed: Deed,
        reason: String,
        /// Nothing is done; the answer says what would come of it.
        dry_run: bool,
    },
    /// What operators order for the whole site.
    House { order: House, reason: String, dry_run: bool },
    /// A step with a change.
    Change { asked: Box<ChangeAsked>, reason: String, dry_run: bool },
    /// What another system tells. Answered by [`Reply::Received`].
    Event(Box<EventIn>),
    /// Why a job of the latest run of its batch (and date) did not start yet.
    Why { job: JobRef, date: Option<BusinessDate> },
    /// One job of a run as it stands.
    Job { run: RunId, job: JobName },
    /// The scripts of changes as they are in force. Answered by [`Reply::Scripts`].
    Scripts { changes: Vec<ChangeId> },
    /// How the open runs stand.
    Status,
    /// How the hosts of the site stand.
    Hosts,
    /// Whether turns go on: answered by [`Reply::Alive`] in one, or by the trouble that there is.
    Alive,
}

impl Request {
    /// Whether it only asks what would come of something.
    pub fn is_dry_run(&self) -> bool {
        match self {
            Self::Act { dry_run, .. }
            | Self::House { dry_run, .. }
            | Self::Change { dry_run, .. } => *dry_run,
            Self::Order(order) => order.dry_run,
            _ => false,
        }
    }

    /// Whether it only looks, and takes no more than the right to read.
    pub fn looks(&self) -> bool {
        match self {
            Self::Why { .. }
            | Self::Job { .. }
            | Self::Scripts { .. }
            | Self::Hosts
            | Self::Status => true,
            Self::Order(_)
            | Self::Act { .. }
            | Self::House { .. }
            | Self::Change { .. }
            | Self::Event(_)
            | Self::Alive => false,
        }
    }
}

/// What somebody wants to do with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeAsked {
    pub change: ChangeId,
    pub wish: Wish,
    /// The same key again creates nothing, and is answered as the first time.
    pub key: Option<EventKey>,
}

/// What goes beyond one run.
#[derive(Debug, Clone, PartialEq)]
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
    /// A host takes no new attempts, or takes them again.
    Drain {
        host: HostName,
        drain: bool,
    },
    /// The second person's yes.
    Second {
        request: RequestId,
    },
    /// Passwords, tokens, logins.
    Credential {
        what: Box<CredentialOrder>,
    },
    /// A new incident, or a step with one.
    Incident {
        order: Box<IncidentOrder>,
    },
    /// A figure of the service levels; the reason of the request says where it is from.
    Figure {
        order: Box<FigureOrder>,
    },
    /// A step with the hand-over of a shift; what is said is the reason of the request.
    HandOver {
        order: Box<HandOverOrder>,
    },
}

/// Which run is meant: by its id, or the latest one of a batch (and date) that this supervisor has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOf {
    Run(RunId),
    Batch { batch: BatchId, date: Option<BusinessDate> },
}

/// An order as a person gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub batch: BatchId,
    /// The business date; the one that the schedule has now where it is left out.
    #[serde(default)]
    pub date: Option<BusinessDate>,
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Only this job and what follows it.
    #[serde(default)]
    pub from: Option<JobName>,
    /// Only these jobs.
    #[serde(default)]
    pub only: Vec<JobName>,
    /// A whole rerun: run number n+1.
    #[serde(default)]
    pub rerun: bool,
    /// Beside a trial that is at work, by its clock.
    #[serde(default)]
    pub trial: bool,
    /// Reason of a window override.
    #[serde(default)]
    pub window_override: Option<String>,
    /// Why it is run by hand.
    #[serde(default)]
    pub reason: Option<String>,
    /// Nothing is opened; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// An event as another system tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventIn {
    /// What makes it one and the same: the same key again does nothing, and is answered as the first time.
    pub key: EventKey,
    /// As the job files name it.
    pub event: EventName,
    /// The date of the run that waits for it where it is left out and there is one only.
    #[serde(default)]
    pub business_date: Option<BusinessDate>,
    /// Of the batch that it orders.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Done(Done),
    /// The run that an order has opened or taken up; what happens in it comes after this entry of the journal.
    Ordered {
        run: RunId,
        after: u64,
    },
    /// The event is taken in, now or before.
    Received(Box<EventTaken>),
    /// What would come of it.
    Tried(Box<Tried>),
    Status(Box<StatusPage>),
    Hosts(Box<HostsPage>),
    Why(Box<WhyView>),
    Job(Box<JobView>),
    Scripts(Vec<Vec<u8>>),
    Alive,
    /// A rule says no; which one, where it has a name.
    Refused {
        what: String,
        rule: Option<Rule>,
    },
    /// The supervisor cannot: store, defects in the job files.
    Failed {
        what: String,
        defects: bool,
    },
}

impl From<Refused> for Reply {
    fn from(refused: Refused) -> Self {
        Self::Refused { what: refused.to_string(), rule: refused.rule }
    }
}
