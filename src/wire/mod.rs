//! Layer 1: the versioned protocol between a supervisor and the agent of a host.
//!
//! One JSON document a line over a Unix socket (`agent.sock` in the agent's folder). The supervisor speaks first with
//! [`ToAgent::Hello`]; the agent answers [`FromAgent::Welcome`] and then reports by itself whatever ends.

mod copy;
mod inspect;
mod marked;
mod rehearsal;
mod slurm;
#[cfg(test)]
mod specimens;
pub mod spool;
mod version;

pub use copy::CopyPiece;
pub use inspect::{Checked, InspectTask};
pub use marked::{Found, Looked, Marked, MarkerRow};
pub use rehearsal::{Did, RehearsalStep, is_rehearsed};
pub use slurm::{Earlier, SlurmEnd, SlurmTask, SlurmWork};
use version::first_version;
pub use version::{
    AgentProgram, OLDEST, VERSION, agreed, can_upgrade, lays_copies, program_path, release,
};

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::site::{Backup, ChangeMode, Engine, RowLimits, Survivors, Transaction};
use crate::types::{AttemptId, BootId, ChangeId, Ending, Epoch, RunId, Span, Usage};

/// Bytes of the longest line that either side accepts.
pub const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// From the supervisor to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say")]
pub enum ToAgent {
    /// First on every connection, but for [`Clock`](Self::Clock), which anybody may ask for. The agent keeps the highest epoch it has seen and refuses lower ones.
    Hello {
        version: u32,
        epoch: Epoch,
        #[serde(default = "first_version")]
        oldest: u32,
        /// It is what this leader commands by: an earlier one of the same epoch is over, whatever of it is still on its way.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        link: bool,
    },
    /// Starts an attempt, once: an id that the spool knows is answered with what became of it, never started again.
    Start(Box<Start>),
    /// TERM to the whole group and every descendant, after the grace KILL.
    Kill { attempt: AttemptId, grace: Span },
    /// What became of these? Answered for each with `Started`, `Ended` or `NotKnown`.
    Ask { attempts: Vec<AttemptId> },
    /// Their endings are in the journal: the spool need not offer them again (logs stay).
    Recorded { attempts: Vec<AttemptId> },
    /// What is kept of the attempts of these runs is in an archive, and goes; none of them is ever started again. Answered
    /// with `Retired`. `logs_only`: only their output goes.
    Retire { runs: Vec<RunId>, logs_only: bool },
    /// Leave as soon as no attempt runs.
    Leave,
    /// Go on as this program, by default as what stands now where the agent's own stood. What runs goes on. The agent
    /// closes its connections and listens on; or it stays as it is and says [`FromAgent::NotUpgraded`].
    Upgrade { program: Option<PathBuf> },
    /// A part of a run's copy: what the run goes by is laid before anything of it is started.
    Copy(Box<CopyPiece>),
    /// Every part of the run's copy was told: so many files.
    CopyWhole { run: RunId, files: usize },
    /// What time is it there? Answered with [`FromAgent::Clock`].
    Clock,
}

impl ToAgent {
    /// The greeting of this release, of who commands.
    pub fn link(epoch: Epoch) -> Self {
        Self::Hello { version: VERSION, epoch, oldest: OLDEST, link: true }
    }

    /// The greeting of this release, of who has only a word to say.
    pub fn hello(epoch: Epoch) -> Self {
        Self::Hello { version: VERSION, epoch, oldest: OLDEST, link: false }
    }
}

/// From an agent to the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say")]
pub enum FromAgent {
    /// `version` is what is spoken from here on, where it is among what the supervisor speaks.
    Welcome {
        version: u32,
        boot: BootId,
        pid: u32,
        /// What the agent is; `None` before version 2.
        #[serde(default)]
        program: Option<AgentProgram>,
        /// Where things lie on its host; `None` before version 3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        here: Option<Here>,
    },
    /// The program runs (or is known to have been started).
    Started {
        attempt: AttemptId,
        pid: u32,
        at: Timestamp,
    },
    Ended(Box<Ended>),
    /// The spool has never seen this id.
    NotKnown {
        attempt: AttemptId,
    },
    /// The command's epoch is lower than one that the agent has seen.
    Stale {
        seen: Epoch,
    },
    /// Nothing is kept of these any more. A run that is not among them has an attempt that runs, or whose ending is not known
    /// to be in the journal.
    Retired {
        runs: Vec<RunId>,
    },
    /// What people at the supervisor should know of this host: something waits until it is put right.
    Notice {
        what: String,
    },
    /// The agent stays the program that it is.
    NotUpgraded {
        why: String,
    },
    /// By the clock of its host.
    Clock {
        at: Timestamp,
    },
}

/// Where things lie on an agent's host, and what jobs find programs by. Folders are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// The folder of the copies of runs, each named as its run.
    pub copies: PathBuf,
    /// The work of jobs.
    pub work: PathBuf,
    /// `PATH` and `HOME` of the agent.
    pub path: String,
    pub home: String,
}

/// Whether a line is a [`FromAgent::Ended`], by its first bytes: for whoever passes lines on as they are.
pub fn says_ended(line: &[u8]) -> bool {
    line.starts_with(br#"{"say":"ended","#)
}

/// As [`says_ended`], for a [`FromAgent::Notice`].
pub fn says_notice(line: &[u8]) -> bool {
    line.starts_with(br#"{"say":"notice","#)
}

/// What an attempt is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    pub attempt: AttemptId,
    pub program: Program,
    /// The whole environment; nothing else is passed on.
    pub env: BTreeMap<String, String>,
    pub dir: PathBuf,
    /// Account to run as; only those that the agent's own settings allow.
    pub user: Option<String>,
    pub time_limit: Option<Span>,
    pub grace: Span,
    /// Bytes of stdout and stderr together.
    pub output_limit: u64,
    /// Text that a line of the output must contain; looked for at the end, on this host.
    pub success_line: Option<String>,
    pub survivors: Survivors,
    /// It goes by a copy of its run that must have been laid here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    Argv(Vec<String>),
    /// [`SHELL`] with this script.
    Shell(String),
    /// nightrun itself, as a worker process.
    Worker(Box<Task>),
}

/// What runs a script of [`Program::Shell`].
pub const SHELL: [&str; 3] = ["/bin/sh", "-eu", "-c"];

/// What a worker process does. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "task")]
pub enum Task {
    Sql {
        engine: Engine,
        script: PathBuf,
        transaction: Transaction,
        /// From the start of the worker.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_limit: Option<Span>,
    },
    Change(Box<ChangeTask>),
    WaitFile {
        path: PathBuf,
        stable: Span,
        every: Span,
        limit: Span,
    },
    WaitSql {
        engine: Engine,
        query: String,
        every: Span,
        limit: Span,
    },
    Inspect(Box<InspectTask>),
    Slurm(Box<SlurmTask>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeTask {
    pub change: ChangeId,
    pub engine: Engine,
    /// The run's copy of the change's folder.
    pub folder: PathBuf,
    pub rows: RowLimits,
    /// Rows that the worker keeps itself, in place of `backup.sql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// SHA-256 over the four scripts, mode, row limits, class and `backup:`, in hex.
    pub content_digest: String,
    /// From the start of the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Span>,
    /// Until its window closes, from when the order was given. `None`: it has none, or not within 400 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_left: Option<Span>,
    /// Of that, what verification and rollback are declared to take.
    #[serde(default)]
    pub reserve: Span,
    #[serde(default)]
    pub mode: ChangeMode,
    /// What people have decided about a change that was cut off between two of its statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<CutDecision>,
    /// Only find out what became of an earlier attempt: nothing is applied. What is found applied is verified, and rolled
    /// back where that fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub examine: bool,
    /// What must be there before it is applied: a target without it was restored from an older copy, or failed over to one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// It is executed, taken back, and executed again (D6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rehearse: bool,
}

/// A change that the journal calls done on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub change: ChangeId,
    /// This attempt, or an earlier one of its run and job, has committed it.
    pub attempt: AttemptId,
}

impl Mark {
    /// Whether a row of the target is the last one of the transaction that it is about.
    pub fn is_of(&self, attempt: &str, step: &str) -> bool {
        step == MarkerRow::READY
            && attempt.parse().is_ok_and(|id: AttemptId| {
                let of = &self.attempt;
                id.run == of.run && id.job == of.job && id.number <= of.number
            })
    }
}

/// A journalled change that stopped half way never goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CutDecision {
    /// The statements that are not done.
    Continue,
    /// `rollback.sql`.
    RollBack,
}

/// How an attempt ended, with all that its host knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub attempt: AttemptId,
    pub ending: Ending,
    /// `None`: no program was started.
    pub started: Option<Timestamp>,
    pub ended: Timestamp,
    pub usage: Usage,
    /// Whether `success_line` was found; true where none was asked for.
    pub line_found: bool,
    /// Bytes of stdout and stderr together, as counted.
    pub output_bytes: u64,
    /// Last lines of the output, at most [`TAIL_LINES`] and [`TAIL_BYTES`], not UTF-8 replaced. Where the
    /// attempt did not exit with code 0, of stderr, after what room it leaves for stdout; else of stdout, else of stderr.
    pub tail: Vec<String>,
    /// What the job handed on through `$NIGHTRUN_OUT`.
    pub values: BTreeMap<String, String>,
    /// What an operator should know: survivors killed, a log cut by its own job, values refused.
    pub notes: Vec<String>,
    pub work: Option<Work>,
}

impl Ended {
    /// What it has found; `None`: it is no inspection, or left no results.
    pub fn checks(&self) -> Option<&[Checked]> {
        match &self.work {
            Some(Work::Inspect { checks }) => Some(checks),
            _ => None,
        }
    }
}

/// Lines of output that travel with an ending.
pub const TAIL_LINES: usize = 20;
/// Bytes of output that travel with an ending.
pub const TAIL_BYTES: usize = 4_096;

/// What a worker did, beyond its exit code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "work")]
pub enum Work {
    Sql {
        statements: u32,
        rows: u64,
    },
    Change(ChangeWork),
    /// Of an inspection: every check, in the order of the file.
    Inspect {
        checks: Vec<Checked>,
    },
    Slurm(SlurmWork),
}

/// A change as far as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeWork {
    pub state: ChangeState,
    /// Rows that the change touched.
    pub rows: u64,
    /// Rows that the backup kept.
    pub backup_rows: u64,
    /// Verification before the change (must fail or differ), and after it.
    pub before: Vec<Check>,
    pub after: Vec<Check>,
    /// What went wrong, in words.
    pub why: Option<String>,
    /// Of an examining attempt: what was asked, in the order of asking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Of an examining attempt in doubt: the target could not be asked, so that another look may say more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Journalled: how far it came; where its rollback failed, how far that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Rows that the worker itself has kept, by table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptRows>,
    /// Kept rows that somebody else has changed after the change, so that nothing was rolled back; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_since: Vec<ChangedRow>,
    /// Executed and taken back before, as far as that came; everything above is of the last execution.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsal: Vec<RehearsalStep>,
}

impl ChangeWork {
    /// Nothing of a change, in this state.
    pub fn none(state: ChangeState) -> Self {
        Self {
            state,
            rows: 0,
            backup_rows: 0,
            before: Vec::new(),
            after: Vec::new(),
            why: None,
            evidence: Vec::new(),
            unread: false,
            progress: None,
            kept: Vec::new(),
            changed_since: Vec::new(),
            rehearsal: Vec::new(),
        }
    }
}

/// Statements of a journalled change, or of its rollback, that are known to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Progress {
    pub done: u32,
    pub of: u32,
}

/// Rows of a table as they were before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeptRows {
    /// As `change.yaml` names it.
    pub table: String,
    /// The table of the target that holds them, as SQL.
    pub kept_in: String,
    pub rows: u64,
    /// Over the values of all of them, whatever their order.
    pub checksum: String,
}

/// A row that is not what the change has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangedRow {
    pub table: String,
    /// `column=value`, of each column of its key.
    pub key: String,
    pub now: RowNow,
}

/// What became of a row after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowNow {
    /// It has other values.
    Changed,
    /// It was deleted.
    Gone,
    /// The change had deleted it, and it is there again.
    Back,
}

impl RowNow {
    pub const ALL: [Self; 3] = [Self::Changed, Self::Gone, Self::Back];

    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Back => "back",
        }
    }
}

/// What somebody asked a target, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// A query, or what was looked at in words.
    pub query: String,
    pub answer: String,
    /// By the clock of the host that asked.
    pub at: Timestamp,
}

/// The states in which a worker leaves a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeState {
    /// Applied and verified.
    Done,
    /// Journalled: some of its statements are done, and the others are not.
    Partial,
    /// Proven that nothing was applied.
    FailedClean,
    /// A guard (rows, backup) refused before COMMIT; nothing was applied.
    FailedGuard,
    RolledBack,
    RollbackFailed,
    InDoubt,
}

impl ChangeState {
    /// What is at the target is neither the former state nor a change that is good: people say how it goes on.
    pub fn stays_between(self) -> bool {
        matches!(self, Self::Partial | Self::RollbackFailed)
    }
}

/// One row of a verification script: `(check_name, ok, detail)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}
