//! `changes/<id>/change.yaml`.

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use crate::definition::site::ChangeClass;
use crate::types::{PersonId, Span, TargetName};

record! {
    /// change.yaml: a database change; backup.sql, change.sql, verify.sql and rollback.sql stand beside it.
    pub(crate) struct ChangeFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// data, structure, parameter, bug-fix or release.
        required class: ChangeClass,
        required reason: Word,
        optional reason_zh: Word,
        /// Who asked for it.
        optional requester: PersonId,
        /// The database that it changes.
        required target: TargetName,
        /// Rows that it may touch in all.
        required rows: RowsRecord,
        /// Time that verification needs at the most; part of the must-fit rule.
        required verify_takes: Span,
        /// Time that the rollback needs at the most; part of the must-fit rule.
        required rollback_takes: Span,
    }
}

record! {
    /// Rows that a change may touch in all; outside of it nothing is committed.
    pub(crate) struct RowsRecord {
        required min: Whole<0, { i64::MAX }>,
        required max: Whole<0, { i64::MAX }>,
    }
}
