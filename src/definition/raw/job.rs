//! A job of a batch file.

use jiff::civil::{Date, Time};

use super::inspect::InspectRecord;
use super::leaf::{Environ, Growth, Whole, Word};
use super::placement::Placed;
use super::record::record;
use super::slurm::EngineRecord;
use super::{List, Names};
use crate::definition::byte_size::ByteSize;
use crate::definition::day_words::DayWords;
use crate::definition::site::{Containment, EndingKind, Survivors, Transaction};
use crate::types::{
    CalendarName, ChangeId, CheckName, EventName, PoolName, Role, Severity, Span, TargetName,
    WindowClass,
};

record! {
    /// A job: exactly one of run, shell, sql, change, wait, confirm, inspect.
    pub(crate) struct JobRecord {
        required title: Word,
        optional title_zh: Word,
        /// A program with its arguments; no shell.
        optional run: List<String>,
        /// A line or script for /bin/sh.
        optional shell: Word,
        /// An SQL script, from this file's folder; with target.
        optional sql: Word,
        /// A database change: a folder of changes/.
        optional change: ChangeId,
        /// Of `change`: where it is executed, if it goes to more than one environment.
        optional environment: String,
        /// Waits for a file, a time, an SQL condition, or an event.
        optional wait: WaitRecord,
        /// Waits for a person's yes.
        optional confirm: ConfirmRecord,
        /// Looks at hosts, services, databases and logs: checks by name.
        optional inspect: Names<CheckName, InspectRecord>,
        /// The database that `sql`, or a check of `inspect`, runs against.
        optional target: TargetName,
        /// Of `sql`: the script in one transaction (one, default), or each statement by itself (none).
        optional transaction: Transaction,
        /// Who runs `run` or `shell`: slurm, or {slurm: …} with its settings. Its own host by default.
        optional engine: EngineRecord,
        /// `job`, `job:ended`, `job:failed`, `batch.job@-1bd`.
        optional needs: List<Word>,
        /// Whether its failure fails the run and mails people. Default: true.
        optional critical: bool,
        /// How grave its failure is: p1, p2, p3; the batch's by default.
        optional severity: Severity,
        optional retry: RetryRecord,
        optional time_limit: Span,
        /// Between TERM and KILL. Default: 10s.
        optional grace: Span,
        /// Bytes of stdout and stderr together. Default: 64MiB.
        optional output_limit: ByteSize,
        /// What follows one of these texts in its log, up to the next white space, is not shown.
        optional log_masks: List<Word>,
        /// The first such clock time at or after the scheduled start.
        optional must_start_by: Time,
        /// The first such clock time at or after the scheduled start.
        optional must_complete_by: Time,
        /// How long it usually takes; needed for what belongs to a window class.
        optional expected: Span,
        /// Units of each pool that it takes.
        optional pools: Names<PoolName, Whole<1, 100_000>>,
        /// Higher starts first among jobs that could all start now. Default: 0.
        optional priority: Whole<-1_000_000, 1_000_000>,
        /// Environment variables.
        optional env: Names<Environ, String>,
        /// Working folder; the run's copy of this file's folder by default.
        optional dir: Word,
        /// Account to run as; only those that the agent's own settings allow.
        optional user: Word,
        /// The name of a host, or a label, or the job whose host it is to be; the batch's by default.
        optional host: Placed,
        /// What the operator does when it fails; printed in its alert.
        optional runbook: Word,
        optional runbook_zh: Word,
        /// The date on which somebody has looked through the runbook last, where escalation.yaml says how often that is done.
        optional runbook_reviewed: Date,
        /// What its incident offers to do first: retry, kill, skip, force, hold (what follows it). All of them by default,
        /// as far as its state allows.
        optional contain: List<Containment>,
        /// When it ended well; exit code 0 by default.
        optional success: SuccessRecord,
        /// Takes part only on these business dates: days in words.
        optional days: DayWords,
        /// Of `days`; the batch's calendar by default.
        optional calendar: CalendarName,
        /// A window class beside the batch's: both must be open.
        optional window: WindowClass,
        /// What becomes of processes that it leaves behind: kill (default) or leave.
        optional survivors: Survivors,
    }
}

record! {
    /// Waits for exactly one of file, until, sql, event.
    pub(crate) struct WaitRecord {
        /// A file that is there.
        optional file: Word,
        /// How long its size must not change. Default: 2s.
        optional stable: Span,
        /// The first such clock time at or after the scheduled start, in the batch's zone.
        optional until: Time,
        /// A query whose first row's first column becomes true.
        optional sql: Word,
        /// What another system tells for the business date of the run.
        optional event: EventName,
        /// The database of `sql`.
        optional target: TargetName,
        /// How often it is looked at. Default: 5s.
        optional every: Span,
        /// How long at the most; needed with file and sql, and without end with event where it is left out.
        optional limit: Span,
    }
}

record! {
    /// A person's yes.
    pub(crate) struct ConfirmRecord {
        required question: Word,
        optional question_zh: Word,
        /// Who may say it: everyone with this role. Default: everyone.
        optional role: Role,
    }
}

record! {
    /// Further attempts after the first.
    pub(crate) struct RetryRecord {
        required max: Whole<0, 100>,
        /// Before the second attempt. Default: 0s.
        optional wait: Span,
        /// Each wait is this many times the one before. Default: 1.
        optional growth: Growth,
        /// On which endings. Default: exit, signal, timeout.
        optional on: List<EndingKind>,
    }
}

record! {
    /// When a program ended well.
    pub(crate) struct SuccessRecord {
        /// Default: 0.
        optional exit_codes: List<Whole<0, 255>>,
        /// A line of its output contains this text.
        optional line: Word,
    }
}
