//! Exit codes, the same for every command.

use std::process::ExitCode;

use crate::core::refused::{Refused, Rule};

/// Ended well (failures of non-critical jobs included).
pub(super) const WELL: u8 = 0;
/// A critical job failed or is unknown; or the command itself could not be carried out.
pub(super) const FAILED: u8 = 1;
/// The job files have defects, or the command line has.
pub(super) const DEFECTS: u8 = 2;
/// A rule says no.
pub(super) const REFUSED: u8 = 3;
/// The supervisor at work does not answer: what was asked of it may or may not be carried out. (4 is a run's that was
/// stopped.)
pub(super) const UNANSWERED: u8 = 5;

/// What a command could not do, with the exit code that says so.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) what: String,
    /// The rule that says no, where it has a name.
    pub(super) rule: Option<Rule>,
}

impl Failure {
    pub(super) fn failed(what: impl ToString) -> Self {
        Self { code: FAILED, what: what.to_string(), rule: None }
    }

    pub(super) fn refused(what: impl ToString) -> Self {
        Self { code: REFUSED, what: what.to_string(), rule: None }
    }

    pub(super) fn by_rule(refused: &Refused) -> Self {
        Self { rule: refused.rule, ..Self::refused(refused) }
    }

    pub(super) fn unanswered(what: impl ToString) -> Self {
        Self { code: UNANSWERED, what: what.to_string(), rule: None }
    }

    pub(super) fn defects(what: impl ToString) -> Self {
        Self { code: DEFECTS, what: what.to_string(), rule: None }
    }
}

/// Prints a failure as one line (or as the lines that it has) and gives its code.
pub(super) fn code(done: Result<u8, Failure>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, what, .. }) => {
            notice_line!("nightrun: {what}");
            ExitCode::from(code)
        }
    }
}
