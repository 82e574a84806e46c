//! The steps of a change's life, as the journal keeps them.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::site::{ChangeClass, ChangeKind, Permission};
use crate::types::{
    AttemptId, ChangeId, CheckName, EventKey, MarketName, PersonId, Role, TargetName, TeamName,
    WindowClass,
};
use crate::wire::{ChangeState, CutDecision, Progress, RehearsalStep};

/// One step in the life of a change, from its request to its archive. What happens in its execution follows from the
/// facts of runs in the same turn; it is kept here because runs go to the archive and are forgotten long before the
/// question comes up what was done in a former environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum ChangeStep {
    /// Asked for, here or by another system; its folder may not be there yet.
    /// `key`: of the request of another system.
    Created {
        request: Box<ChangeRequest>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<EventKey>,
    },
    /// Who is to see to it.
    Assigned {
        to: PersonId,
    },
    /// The scripts are written. `environment`: for which it is handed in; all where none is named.
    Submitted {
        content: String,
        /// SHA-256 of each script.
        #[serde(default)]
        scripts: Vec<String>,
        environment: Option<String>,
        authors: Vec<PersonId>,
        /// When it was accepted, as whoever submits it says.
        accepted: Option<Date>,
        confirmed: Vec<CheckName>,
        /// Whom the commits that touched its folder name; they count as authors too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        in_git: Vec<InGit>,
    },
    /// `complete`: with it enough people have reviewed. `ticked`: warnings that were seen, by name.
    Reviewed {
        content: String,
        role: Role,
        stands_in: bool,
        ticked: Vec<String>,
        complete: bool,
    },
    /// `digest`: the approval digest. `complete`: with it the last role of the environment has approved.
    Approved {
        environment: String,
        digest: String,
        role: Role,
        stands_in: bool,
        ticked: Vec<String>,
        complete: bool,
    },
    /// An item of the checklist, `late` or `acceptance`.
    /// `environment`: none of what is confirmed of a request, before its scripts are handed in.
    /// `content`: the digest of the scripts, or of what a request asks for.
    /// `role`: none of a permission, which its own person has configured.
    Confirmed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        item: CheckName,
        content: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    },
    /// On the list of its environment. `opens`, `closes`: its window, where it has one.
    Scheduled {
        environment: String,
        digest: String,
        opens: Option<Timestamp>,
        closes: Option<Timestamp>,
    },
    /// Its attempt is meant.
    Began {
        began: Box<Began>,
    },
    /// Its attempt ended.
    Ended {
        ended: Box<Executed>,
    },
    /// Two people have looked at a change in doubt. `accepted`: it is half done, and stays as it is.
    Decided {
        environment: String,
        applied: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accepted: bool,
    },
    /// Two people have said how a change that stopped half way goes on, after what `attempt` has left.
    GoesOn {
        environment: String,
        attempt: AttemptId,
        how: CutDecision,
    },
    /// It was done, and its target knows nothing of it any more: restored from an older copy, or failed over to one.
    /// `complete`: the second person who says so.
    Lost {
        environment: String,
        attempt: AttemptId,
        complete: bool,
    },
    /// The requester knows the outcome.
    FedBack,
    Closed,
    Archived,
    /// Sent back: it starts again.
    Returned,
    Withdrawn,
}

/// Whom a commit names as its author or committer. It can be forged, so that it lets nobody in and only keeps people out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InGit {
    /// The newest commit that names them, in hex.
    pub commit: String,
    pub mail: String,
    /// Who has this address; `None`: nobody of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

/// A change as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    pub title: String,
    pub class: ChangeClass,
    #[serde(default)]
    pub kind: ChangeKind,
    /// A person of the site.
    #[serde(default)]
    pub requester: Option<PersonId>,
    #[serde(default)]
    pub team: Option<TeamName>,
    /// Reference of the other system's ticket.
    #[serde(default)]
    pub ticket: Option<String>,
    /// Number of the governance record.
    #[serde(default)]
    pub governance: Option<String>,
    /// The branch office that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// A change as it is started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Began {
    pub environment: String,
    pub target: TargetName,
    pub attempt: AttemptId,
    pub content: String,
    /// The approval digest; empty without rules of changes.
    pub digest: String,
    /// Why it may start now; `None`: nothing of the rules says so.
    pub window: Option<WindowDecision>,
    /// Who has released it.
    pub executor: Option<PersonId>,
    /// The second one, who watches.
    pub watcher: Option<PersonId>,
    /// What figures of the past go by, whatever its file says later. `None`: it began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
}

/// What the file of a change says of it when it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    pub class: ChangeClass,
    pub kind: ChangeKind,
    /// Of the change, else of its requester.
    pub team: Option<TeamName>,
    /// Changes that it puts right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<ChangeId>,
    /// Markets whose functions it touches. `None`: it began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markets: Option<Vec<MarketName>>,
    /// What is configured after it in that environment. `None`: it began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
}

/// Why a change was allowed to start when it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "window")]
pub enum WindowDecision {
    /// No window is declared for it.
    Unlimited,
    /// All of these are open.
    Open { classes: Vec<WindowClass>, closes: Option<Timestamp> },
    /// An emergency, outside of its window; it is counted.
    Emergency,
    /// Its window has passed, and this person lets it run; it is counted.
    Late { by: PersonId },
    /// Without rules of changes: this person has ordered its run outside of its windows.
    Overridden { by: PersonId },
}

/// What came of an attempt of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Executed {
    pub environment: String,
    pub attempt: AttemptId,
    pub content: String,
    pub state: ChangeState,
    pub rows: u64,
    pub backup_rows: u64,
    pub started: Option<Timestamp>,
    pub ended: Timestamp,
    /// Rows of the verification after it, and how many of them were good.
    pub checks: u32,
    pub good: u32,
    pub why: Option<String>,
    /// Of a journalled change: how far it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What was rehearsed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsal: Vec<RehearsalStep>,
}

impl ChangeStep {
    /// The name of the step, as the journal, the API and the table of `states.md` have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Assigned { .. } => "assigned",
            Self::Submitted { .. } => "submitted",
            Self::Reviewed { .. } => "reviewed",
            Self::Approved { .. } => "approved",
            Self::Confirmed { .. } => "confirmed",
            Self::Scheduled { .. } => "scheduled",
            Self::Began { .. } => "began",
            Self::Ended { .. } => "ended",
            Self::Decided { .. } => "decided",
            Self::GoesOn { .. } => "goes-on",
            Self::Lost { .. } => "lost",
            Self::FedBack => "fed-back",
            Self::Closed => "closed",
            Self::Archived => "archived",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }
}
