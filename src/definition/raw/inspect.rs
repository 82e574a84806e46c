//! What an `inspect` job looks at.

use super::leaf::{Whole, Word};
use super::record::record;
use super::{List, OneOrMore};
use crate::definition::site::MemoryOf;
use crate::types::{Reading, Span, Worse};

record! {
    /// One check: exactly one of command, http, tcp, sql, disk, cpu, memory, log.
    pub(crate) struct InspectRecord {
        /// A program with its arguments. Its exit code counts (0 ok, 1 warn, else fail), with thresholds the number that its last line begins with.
        optional command: List<String>,
        /// An address to ask; milliseconds until it answers.
        optional http: Word,
        /// Of `http`: the status of the answer; any 2xx by default.
        optional status: Whole<100, 599>,
        /// Of `http` with https: a file of certificates (PEM) on the job's host that count besides those that the host trusts.
        optional ca: Word,
        /// `host:port`; milliseconds until the connection stands.
        optional tcp: Word,
        /// A query on the job's target; its first value counts, and without thresholds must be true.
        optional sql: Word,
        /// A path; percent of its file system that are in use.
        optional disk: Word,
        /// For how long the processors are watched; percent of the time that they are busy.
        optional cpu: Span,
        /// ram or swap: percent that are in use.
        optional memory: MemoryOf,
        /// A file; lines that have come since the round before.
        optional log: Word,
        /// Of `log`: a line counts that contains one of these texts.
        optional lines: OneOrMore<Word>,
        /// From this value on it is a warning.
        optional warn: Reading,
        /// From this value on it has failed.
        optional fail: Reading,
        /// more (default): greater values are worse; less.
        optional worse: Worse,
        /// How long it may take. Default: 10s.
        optional limit: Span,
    }
}
