//! `changes/<id>/change.yaml`.

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names, OneOrMore};
use crate::definition::site::{ChangeClass, ChangeKind, ChangeMode};
use crate::types::{
    ChangeId, MarketName, PersonId, ProductLine, Span, TargetName, TeamName, WindowClass,
};

record! {
    /// change.yaml: a database change; backup.sql, change.sql, verify.sql and rollback.sql stand beside it.
    pub(crate) struct ChangeFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// data, structure, parameter, bug-fix or release.
        required class: ChangeClass,
        /// normal (default) or emergency.
        optional kind: ChangeKind,
        required reason: Word,
        optional reason_zh: Word,
        /// Who asked for it.
        optional requester: PersonId,
        /// The team that asked for it.
        optional team: TeamName,
        /// The branch office that asked for it.
        optional branch: Word,
        /// Number of the governance record.
        optional governance: Word,
        /// Reference of another system's ticket.
        optional ticket: Word,
        /// The database that it changes.
        optional target: TargetName,
        /// In place of `target`: the database of each environment.
        optional targets: Names<String, TargetName>,
        /// transactional (default): all in one transaction; journalled: statement by statement.
        optional mode: ChangeMode,
        /// Rows that it may touch in all.
        required rows: RowsRecord,
        /// In place of backup.sql: rows that nightrun keeps, and puts back where there is no rollback.sql.
        optional backup: BackupRecord,
        /// How long it usually takes; a job of it that says nothing else has this.
        optional expected: Span,
        /// Time that verification needs at the most; part of the must-fit rule.
        required verify_takes: Span,
        /// Time that the rollback needs at the most; part of the must-fit rule.
        required rollback_takes: Span,
        /// Changes that must be done in the same environment before it.
        optional needs: List<ChangeId>,
        /// Changes whose fault it puts right: an emergency soon after them makes them abnormal ones.
        optional fixes: List<ChangeId>,
        /// A window class that must be open besides that of the rules.
        optional window: WindowClass,
        /// Whom to ask whether it worked.
        optional verification_contact: PersonId,
        /// Who wrote the scripts: one person or a list.
        optional author: OneOrMore<PersonId>,
        optional product_manager: PersonId,
        /// One person or a list.
        optional tester: OneOrMore<PersonId>,
        optional product_line: ProductLine,
        /// Markets whose functions it touches.
        optional markets: List<MarketName>,
        /// Changes of other teams that go with it, in words.
        optional related: List<Word>,
        /// What is configured after it, by its own person.
        optional permissions: List<PermissionRecord>,
        /// Files of this folder.
        optional attachments: List<Word>,
        /// Result of the code review.
        optional review: Word,
        /// Who has read the code, besides its authors.
        optional reviewed_by: OneOrMore<PersonId>,
    }
}

record! {
    /// Rows that a change may touch in all; outside of it nothing is committed.
    pub(crate) struct RowsRecord {
        required min: Whole<0, { i64::MAX }>,
        required max: Whole<0, { i64::MAX }>,
    }
}

record! {
    /// A permission that is configured after the change.
    pub(crate) struct PermissionRecord {
        required what: Word,
        required by: PersonId,
    }
}

record! {
    /// Rows that are kept before the change.
    pub(crate) struct BackupRecord {
        /// In the order in which their rows can be put back: what others refer to first.
        required tables: List<BackupTableRecord>,
        /// Whether the change must touch exactly as many rows as are kept.
        optional exact: bool,
    }
}

record! {
    /// Rows of one table that are kept.
    pub(crate) struct BackupTableRecord {
        required table: Word,
        /// Which rows, as after WHERE; `true` for all.
        required r#where: Word,
        /// Columns that tell its rows apart; by default its primary key.
        optional key: OneOrMore<Word>,
    }
}
