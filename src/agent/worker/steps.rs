//! What the worker is about to do, durably before it does it: one JSON document a line.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::db::SessionId;
use crate::fault;
use crate::types::AttemptId;
use crate::wire::{ChangeState, ChangedRow, Check, KeptRows, RehearsalStep, SlurmEnd, spool};

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub at: Timestamp,
    #[serde(flatten)]
    pub step: Step,
}

/// A step, written before its act unless it names a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Nothing was touched yet.
    Intent {
        /// The script or the change.
        what: String,
        target: PathBuf,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_digest: Option<String>,
    },
    /// A server let the worker in. A change holds its lock from here on.
    Connected {
        identity: String,
        session: SessionId,
    },
    /// What the server says became of the transaction of an earlier attempt, whose marker is not there.
    Status {
        attempt: String,
        xid: String,
        status: Option<String>,
    },
    /// An earlier attempt of the run had committed the change: only its end is left to do.
    Found {
        attempt: String,
    },
    /// What the server was told: how long a statement may wait for a lock, and take; `None`: as long as it takes.
    Limits {
        lock_wait_ms: u64,
        statement_s: Option<u64>,
    },
    /// Verification before the change, with its result.
    Before {
        checks: Vec<Check>,
    },
    /// What is executed from here on is taken back again.
    Rehearsing,
    /// It was taken back, and the former state is proven: from here on the change itself is executed.
    Rehearsed {
        did: Vec<RehearsalStep>,
    },
    /// BEGIN comes next, and in a change the marker row.
    Started,
    /// The marker row is written, and not committed.
    Marker {
        /// What PostgreSQL calls the transaction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xid: Option<String>,
    },
    /// The backup script comes next.
    Backup,
    /// The rows of `backup:` are kept, and proven to be what is in their tables.
    Kept {
        kept: Vec<KeptRows>,
    },
    /// What the change has made of the kept rows is written down.
    Image {
        rows: u64,
    },
    /// So many kept rows are not what the change has left, these among them: nothing is rolled back.
    ChangedSince {
        count: u64,
        rows: Vec<ChangedRow>,
    },
    /// This statement comes next.
    Statement {
        script: String,
        number: u32,
        line: u32,
    },
    /// The guards were passed.
    Guards {
        rows: u64,
        backup_rows: u64,
    },
    /// COMMIT comes next.
    Precommit {
        rows: u64,
    },
    /// COMMIT was answered.
    Committed,
    /// Verification after the change, with its result.
    Verify {
        checks: Vec<Check>,
    },
    /// The rollback script comes next.
    RollingBack,
    /// The rollback script was committed.
    RolledBack {
        rows: u64,
    },
    /// Verification after the rollback: whether it says what it said before the change.
    Former {
        same: bool,
        checks: Vec<Check>,
    },
    Ended {
        state: ChangeState,
    },
    /// `sbatch` comes next; the job is named so.
    Submitting {
        name: AttemptId,
    },
    /// Slurm has taken it.
    Submitted {
        job: u64,
    },
    /// How Slurm says that the job of an attempt stands.
    Seen {
        name: AttemptId,
        job: u64,
        state: String,
    },
    /// `scancel` comes next.
    Cancelling {
        job: u64,
    },
    /// What became of it.
    Over {
        job: Option<u64>,
        end: SlurmEnd,
    },
}

impl Step {
    /// For people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Statement { script, number, line } => {
                format!("statement {number} of {script} (line {line})")
            }
            Self::Marker { xid: Some(xid) } => format!("marker, transaction {xid}"),
            Self::Limits { lock_wait_ms, statement_s } => {
                let seconds = Duration::from_millis(*lock_wait_ms).as_secs_f64();
                let takes = statement_s.map_or("no limit".to_owned(), |takes| format!("{takes} s"));
                format!("limits of a statement: {seconds} s for a lock, {takes} in all")
            }
            Self::Connected { session, .. } => format!("connected, session {}", session.number),
            other => other.name().to_owned(),
        }
    }

    /// The name of its fault point.
    fn name(&self) -> &'static str {
        match self {
            Self::Intent { .. } => "intent",
            Self::Connected { .. } => "connected",
            Self::Status { .. } => "status",
            Self::Found { .. } => "found",
            Self::Limits { .. } => "limits",
            Self::Before { .. } => "before",
            Self::Rehearsing => "rehearsing",
            Self::Rehearsed { .. } => "rehearsed",
            Self::Started => "started",
            Self::Marker { .. } => "marker",
            Self::Backup => "backup",
            Self::Kept { .. } => "kept",
            Self::Image { .. } => "image",
            Self::ChangedSince { .. } => "changed-since",
            Self::Statement { .. } => "statement",
            Self::Guards { .. } => "guards",
            Self::Precommit { .. } => "precommit",
            Self::Committed => "committed",
            Self::Verify { .. } => "verify",
            Self::RollingBack => "rolling-back",
            Self::RolledBack { .. } => "rolled-back",
            Self::Former { .. } => "former",
            Self::Ended { .. } => "ended",
            Self::Submitting { .. } => "submitting",
            Self::Submitted { .. } => "submitted",
            Self::Seen { .. } => "seen",
            Self::Cancelling { .. } => "cancelling",
            Self::Over { .. } => "over",
        }
    }
}

/// The steps could not be made durable.
#[derive(Debug, thiserror::Error)]
#[error("the steps cannot be written to {file}: {error}")]
pub struct StepError {
    file: String,
    error: std::io::Error,
}

/// The open file of steps; without one nothing is recorded.
pub(super) struct Steps {
    file: Option<(PathBuf, File)>,
    /// Before the names of fault points, so that each pass of a change has its own.
    pass: &'static str,
}

impl Steps {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, StepError> {
        let Some(path) = path else { return Ok(Self { file: None, pass: "" }) };
        match File::options().create(true).append(true).open(path) {
            Ok(file) => Ok(Self { file: Some((path.to_owned(), file)), pass: "" }),
            Err(error) => Err(StepError { file: path.display().to_string(), error }),
        }
    }

    /// From here on the fault points are those of this pass.
    pub(super) fn of_pass(&mut self, pass: &'static str) {
        self.pass = pass;
    }

    /// Something is done that no step tells of.
    pub(super) fn point(&self, name: &str) {
        fault::point(&format!("worker.{}{name}", self.pass));
    }

    /// What an earlier attempt has written; nothing where this host knows nothing of it.
    #[expect(clippy::disallowed_methods, reason = "the worker reads what its former self has left")]
    pub(super) fn of_earlier(&self, attempt: &AttemptId) -> Vec<Step> {
        let file = self.file.as_ref().and_then(|(path, _)| {
            let spool = path.parent()?.parent()?;
            Some(spool.join(spool::folder_name(attempt)).join(path.file_name()?))
        });
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        // The last line may be torn.
        text.lines()
            .filter_map(|line| Some(serde_json::from_str::<Line>(line).ok()?.step))
            .collect()
    }

    /// Makes a step durable.
    pub(super) fn record(&mut self, step: Step) -> Result<(), StepError> {
        self.write(step, true)
    }

    /// Writes a step whose loss matters to nobody: what it announces is rolled back with its transaction.
    pub(super) fn note(&mut self, step: Step) -> Result<(), StepError> {
        self.write(step, false)
    }

    #[expect(clippy::disallowed_methods, reason = "steps carry the real time, in a trial too")]
    fn write(&mut self, step: Step, durably: bool) -> Result<(), StepError> {
        let name = step.name();
        if let Some((path, file)) = &mut self.file {
            let line = Line { at: Timestamp::now(), step };
            let mut text = serde_json::to_vec(&line).unwrap_or_default();
            text.push(b'\n');
            // One write, so that a kill leaves a whole line or a torn last one.
            let written = file.write_all(&text);
            let kept = written.and_then(|()| if durably { file.sync_data() } else { Ok(()) });
            kept.map_err(|error| StepError { file: path.display().to_string(), error })?;
        }
        self.point(name);
        Ok(())
    }
}
