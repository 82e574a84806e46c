//! What a lint finds: a rule by name, how much it weighs, and where.

use std::fmt;

/// What a script breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// BEGIN, COMMIT and the like where nightrun itself begins and commits.
    TransactionControl,
    /// ATTACH in a transaction: a commit over two files is not one commit.
    Attach,
    /// A PRAGMA that does nothing in a transaction or weakens it.
    Pragma,
    VacuumInTransaction,
    /// UPDATE or DELETE of a change without a WHERE of its own.
    DmlWithoutWhere,
    /// No statement, or none that could do what the script is for.
    EmptyScript,
    /// A verification that says the same whatever the database holds.
    VerifyCannotFail,
    VerifyWrites,
    /// The query of a `wait` that is not one reading SELECT.
    Condition,
    /// A verification that does not give `(check_name, ok, detail)`.
    VerifyShape,
    /// Rows are updated or deleted, and nothing keeps them.
    NoBackup,
    /// The script names [`super::MARKER_TABLE`].
    MarkerTable,
    /// An `expect:` comment that nobody would read.
    Expect,
    /// A place for a bound value, which would silently be NULL.
    Parameter,
    /// A NUL byte, at which SQLite stops reading.
    NulByte,
}

impl Rule {
    /// Its name in messages and in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::TransactionControl => "transaction-control",
            Self::Attach => "attach",
            Self::Pragma => "pragma",
            Self::VacuumInTransaction => "vacuum-in-transaction",
            Self::DmlWithoutWhere => "dml-without-where",
            Self::EmptyScript => "empty-script",
            Self::VerifyCannotFail => "verify-cannot-fail",
            Self::VerifyWrites => "verify-writes",
            Self::Condition => "condition",
            Self::VerifyShape => "verify-shape",
            Self::NoBackup => "no-backup",
            Self::MarkerTable => "marker-table",
            Self::Expect => "expect",
            Self::Parameter => "parameter",
            Self::NulByte => "nul-byte",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a finding stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The worker refuses the script.
    Defect,
    /// Worth a look; stops nothing.
    Warning,
}

/// The scripts of a change, by their file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    Backup,
    Change,
    Verify,
    Rollback,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Backup, Self::Change, Self::Verify, Self::Rollback];

    pub fn file(self) -> &'static str {
        match self {
            Self::Backup => "backup.sql",
            Self::Change => "change.sql",
            Self::Verify => "verify.sql",
            Self::Rollback => "rollback.sql",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub severity: Severity,
    /// Which script of a change; `None` for the script of a job.
    pub part: Option<Part>,
    /// From 1.
    pub line: u32,
    /// What is wrong and what to do.
    pub message: String,
}
