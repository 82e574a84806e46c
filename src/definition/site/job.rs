//! A job: what it is, what it needs, when it counts as good and is tried again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::Site;
use super::calendar::DayRule;
use super::change::Change;
use super::inspection::InspectCheck;
use super::placement::Placement;
use super::slurm::Slurm;
use crate::types::{
    ChangeId, Condition, EventName, HostName, JobName, JobRef, PoolName, Role, Severity, Span,
    TargetName, Text, WindowClass,
};

/// One node of a batch (作业).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub name: JobName,
    pub title: Text,
    pub kind: Kind,
    /// Slurm runs its program; `None`: its host does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<Slurm>,
    pub needs: Vec<Need>,
    /// Whether its failure fails the run, opens an incident and mails people.
    pub critical: bool,
    /// How grave its failure is; the batch's where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    pub retry: Retry,
    pub time_limit: Option<Span>,
    /// Between TERM and KILL.
    pub grace: Span,
    /// Bytes of stdout and stderr together.
    pub output_limit: u64,
    /// What follows one of these texts in its log, up to the next white space, is not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_masks: Vec<String>,
    pub must_start_by: Option<Time>,
    pub must_complete_by: Option<Time>,
    pub expected: Option<Span>,
    /// Units of each pool; mutexes are pools of one.
    pub pools: BTreeMap<PoolName, u32>,
    /// Higher starts first among jobs that could all start now.
    pub priority: i32,
    pub env: BTreeMap<String, String>,
    /// Working folder; the run's copy of the batch file's folder where absent.
    pub dir: Option<PathBuf>,
    pub user: Option<String>,
    /// Where its attempts run.
    pub host: Placement,
    pub runbook: Option<Text>,
    /// When somebody has looked through it last (E4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook_reviewed: Option<Date>,
    /// What its incident offers to do first; all that its state allows where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contain: Option<Vec<Containment>>,
    pub success: Success,
    /// On which business dates it takes part; every one where absent.
    pub days: Option<DayRule>,
    pub window: Option<WindowClass>,
    pub survivors: Survivors,
}

impl Job {
    /// The grace of a job that says nothing.
    pub const GRACE: Span = Span::seconds(10);
    /// Bytes of output of a job that says nothing.
    pub const OUTPUT_LIMIT: u64 = 64 << 20;

    /// A change as a job of its own name, of which nothing else is said.
    pub fn of_change(name: JobName, change: &Change, environment: &str, host: HostName) -> Self {
        let named = (!change.targets.is_empty()).then(|| environment.to_owned());
        Self {
            name,
            title: change.title.clone(),
            kind: Kind::Change { change: change.id.clone(), environment: named },
            slurm: None,
            needs: Vec::new(),
            critical: true,
            severity: None,
            retry: Retry::default(),
            time_limit: None,
            grace: Self::GRACE,
            output_limit: Self::OUTPUT_LIMIT,
            log_masks: Vec::new(),
            must_start_by: None,
            must_complete_by: None,
            expected: change.expected,
            pools: BTreeMap::new(),
            priority: 0,
            env: BTreeMap::new(),
            dir: None,
            user: None,
            host: host.into(),
            runbook: None,
            runbook_reviewed: None,
            contain: None,
            success: Success::default(),
            days: None,
            window: None,
            survivors: Survivors::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Run {
        argv: Vec<String>,
    },
    Shell {
        script: String,
    },
    /// `script` is a path from the batch file's folder, or begins with the word `{work}`: then an earlier job writes it,
    /// its words are replaced at the start, and no copy is kept.
    Sql {
        target: TargetName,
        script: PathBuf,
        transaction: Transaction,
    },
    Change {
        change: ChangeId,
        /// Where it goes to more than one environment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
    },
    WaitFile {
        path: String,
        stable: Span,
        every: Span,
        limit: Span,
    },
    /// The first such clock time at or after the scheduled start, in the batch's zone.
    WaitUntil {
        time: Time,
    },
    /// Met when the query's first row has a true value (not 0, not empty, not NULL) in its first column.
    WaitSql {
        target: TargetName,
        query: String,
        every: Span,
        limit: Span,
    },
    /// What another system tells for the business date of the run; without a limit it waits on.
    WaitEvent {
        event: EventName,
        limit: Option<Span>,
    },
    Confirm {
        question: Text,
        role: Option<Role>,
    },
    /// Looks at things one after the other; `target` is the one that its `sql` checks ask.
    Inspect {
        target: Option<TargetName>,
        checks: Vec<InspectCheck>,
    },
}

impl Kind {
    /// Whether it only looks at a target, and takes none of its connections.
    pub fn only_looks(&self) -> bool {
        matches!(self, Self::WaitFile { .. } | Self::WaitSql { .. } | Self::Inspect { .. })
    }

    /// Whether something of it is ever started on a host: no time, no person and no event is.
    pub fn starts(&self) -> bool {
        !matches!(self, Self::WaitUntil { .. } | Self::WaitEvent { .. } | Self::Confirm { .. })
    }

    /// The target that it works on or looks at.
    pub fn target<'a>(&'a self, site: &'a Site) -> Option<&'a TargetName> {
        match self {
            Self::Sql { target, .. } | Self::WaitSql { target, .. } => Some(target),
            Self::Inspect { target, .. } => target.as_ref(),
            Self::Change { change, environment } => {
                site.changes.get(change)?.target_in(environment.as_deref())
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transaction {
    /// The whole script in one transaction.
    #[default]
    One,
    /// Each statement by itself.
    None,
}

/// What a job needs before it may start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub of: NeedOf,
    pub when: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedOf {
    /// A job of the same batch and run.
    Job(JobName),
    /// A job of another batch (or of another date of this one): `eod.close@-1bd`. Business days are counted in the
    /// calendar of the batch that needs.
    Across { job: JobRef, offset: i32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Further attempts after the first.
    pub max: u32,
    pub wait: Span,
    /// Each wait is this many times the one before.
    pub growth: f64,
    pub on: Vec<EndingKind>,
}

/// `growth` is a number: from 1 to 100 in a file, and JSON has no other. So a site equals itself, and two `Arc`s of one
/// are compared without looking into it.
impl Eq for Retry {}

impl Retry {
    /// Endings after which a job is tried again that does not say after which.
    pub const ON: [EndingKind; 3] = [EndingKind::Exit, EndingKind::Signal, EndingKind::Timeout];
}

impl Default for Retry {
    /// No further attempt.
    fn default() -> Self {
        Self { max: 0, wait: Span::default(), growth: 1.0, on: Self::ON.to_vec() }
    }
}

/// Endings by name, as `retry.on` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndingKind {
    /// An exit code or output that the success rule does not take.
    Exit,
    Signal,
    Timeout,
    OutputLimit,
    CouldNotStart,
    Lost,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    pub exit_codes: Vec<i32>,
    /// A line of stdout or stderr must contain this text.
    pub line: Option<String>,
}

impl Default for Success {
    /// It ends with 0.
    fn default() -> Self {
        Self { exit_codes: vec![0], line: None }
    }
}

/// Processes that a job leaves behind when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survivors {
    #[default]
    Kill,
    Leave,
}

/// What operators do first about a job that went wrong (先应急，后排障).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Containment {
    Retry,
    Kill,
    Skip,
    Force,
    /// What follows it is not started.
    Hold,
}
