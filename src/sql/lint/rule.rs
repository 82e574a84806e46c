//! The rules by name. The names stand in messages, in approvals and in the documentation, so they stay what they are.

use std::fmt;

/// Makes the enum, its list and its names from one table.
macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal,)*) => {
        /// What a script breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// Its name in messages, approvals and the documentation.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }
        }
    };
}

rules! {
    // What cannot stand in a script.
    /// BEGIN, COMMIT and the like where nightrun itself begins and commits.
    TransactionControl = "transaction-control",
    /// A statement that refuses to run in a transaction.
    RefusesTransaction = "refuses-transaction",
    /// MySQL: a statement that commits whatever ran before it.
    ImplicitCommit = "implicit-commit",
    /// Statements that belong in one transaction beside some that cannot stand in one.
    MixedStatements = "mixed-statements",
    /// ATTACH in a transaction: a commit over two files is not one commit.
    Attach = "attach",
    /// A PRAGMA that does nothing in a transaction or weakens it.
    Pragma = "pragma",
    /// A setting that outlives the transaction, or one that is nightrun's to make.
    SessionState = "session-state",
    /// Lets go of the lock by which nightrun runs a change once.
    AdvisoryUnlock = "advisory-unlock",
    /// A line for `psql` or `mysql` that no server reads.
    ClientCommand = "client-command",
    /// COPY from or to a client that is not there.
    CopyStream = "copy-stream",
    /// COPY that runs a program on the server.
    CopyProgram = "copy-program",
    /// `/*! … */`, which some MySQL servers run and others do not.
    ExecutableComment = "executable-comment",
    /// UPDATE or DELETE of a change without a WHERE of its own.
    DmlWithoutWhere = "dml-without-where",
    /// No statement, or none that could do what the script is for.
    EmptyScript = "empty-script",
    /// A verification that says the same whatever the database holds.
    VerifyCannotFail = "verify-cannot-fail",
    VerifyWrites = "verify-writes",
    /// A verification that does not give `(check_name, ok, detail)`.
    VerifyShape = "verify-shape",
    /// Rows are updated or deleted, and nothing keeps them.
    NoBackup = "no-backup",
    /// Without a rollback script, something that kept rows do not undo.
    RollbackMissing = "rollback-missing",
    /// The query of a `wait` that is not one reading SELECT.
    Condition = "condition",
    /// The script names [`super::MARKER_TABLE`].
    MarkerTable = "marker-table",
    /// An `expect:` comment that nobody would read.
    Expect = "expect",
    /// A `done_when:` comment that tells nothing or that nobody would read.
    DoneWhen = "done-when",
    /// A statement of journalled mode of which nobody could tell whether it was done.
    DoneWhenMissing = "done-when-missing",
    /// A place for a bound value, which would silently be NULL.
    Parameter = "parameter",
    /// A NUL byte, at which SQLite stops reading.
    NulByte = "nul-byte",
    /// A character that turns the direction of text: what is read is not what is run.
    TurnedText = "turned-text",
    // What is worth a look.
    /// Data changed statement by statement: after a crash a part of it stays.
    JournalledDml = "journalled-dml",
    /// MySQL: without ALGORITHM the server copies the table where it must.
    AlgorithmNotNamed = "algorithm-not-named",
    /// ALTER TYPE … ADD VALUE: not in a transaction before PostgreSQL 12, and not usable in the same one since.
    EnumValue = "enum-value",
    // What an approver ticks by name.
    AddingNotNullableField = "adding-not-nullable-field",
    VolatileDefault = "volatile-default",
    SetNotNull = "set-not-null",
    ChangingColumnType = "changing-column-type",
    ConstraintMissingNotValid = "constraint-missing-not-valid",
    UniqueConstraintWithoutIndex = "unique-constraint-without-index",
    IndexWithoutConcurrently = "index-without-concurrently",
    IndexIfNotExists = "index-if-not-exists",
    TableRewrite = "table-rewrite",
    AlterTableCopy = "alter-table-copy",
    Partition = "partition",
    LockTable = "lock-table",
    DropTable = "drop-table",
    DropColumn = "drop-column",
    DropSchema = "drop-schema",
    DropObject = "drop-object",
    DropConstraint = "drop-constraint",
    DropCascade = "drop-cascade",
    Truncate = "truncate",
    TruncateCascade = "truncate-cascade",
    Renaming = "renaming",
    DisablesChecks = "disables-checks",
    ChangesRights = "changes-rights",
    ServerSettings = "server-settings",
    ServerFile = "server-file",
    /// Code that the lint does not read: DO, CALL, EXECUTE.
    OpaqueCode = "opaque-code",
}

impl Rule {
    /// The rule of that name, as an approver gives it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
