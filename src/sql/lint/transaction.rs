//! What cannot stand in a script because of how nightrun runs it: in one transaction, or statement by statement.

use super::unfit::{self, Unfit};
use super::{Findings, Mode, Part, Read, Reading, Rule, Severity, first_line, hazard, session};
use crate::sql::class::{Class, Facts};
use crate::sql::done_when;
use crate::sql::lexer::Dialect;
use crate::sql::splitter::Statement;

impl Findings {
    /// What cannot stand in a script that nightrun runs.
    pub(super) fn transaction(&mut self, reading: &Reading<'_, '_>, mode: Mode) {
        for read in &reading.statements {
            let Read { statement, facts, .. } = read;
            let verb = facts.verb.to_ascii_uppercase();
            if facts.class == Class::TransactionControl {
                let message = format!("{verb}: {}", mode.owns_transaction());
                self.defect(Rule::TransactionControl, statement.line, message);
            } else if mode == Mode::OneTransaction {
                match facts.class {
                    Class::Attach => self.defect(
                        Rule::Attach,
                        statement.line,
                        format!("{verb} in a transaction: two files do not commit as one; use a job with `transaction: none`"),
                    ),
                    Class::Pragma => self.pragma(statement, facts),
                    _ => self.fits(reading.script.dialect, read),
                }
            }
        }
    }

    fn fits(&mut self, dialect: Dialect, Read { statement, code, .. }: &Read<'_, '_>) {
        let Some(unfit) = unfit::of(dialect, code) else { return };
        let (rule, why) = match unfit {
            Unfit::Refused => (Rule::RefusesTransaction, "cannot run in a transaction"),
            Unfit::Commits => {
                (Rule::ImplicitCommit, "commits at once, and whatever ran before it too")
            }
        };
        let instead = match self.part {
            Some(_) => "use `mode: journalled`",
            None => "use `transaction: none`",
        };
        let message = format!("`{}` {why}; {instead}", first_line(statement.text));
        self.defect(rule, statement.line, message);
    }

    fn pragma(&mut self, statement: &Statement<'_>, facts: &Facts) {
        let allowed = facts.pragma.as_ref().is_some_and(|(name, given)| {
            let name = name.as_str();
            LOOKS.contains(&name) || SETS.contains(&name) || (!given && SHOWS.contains(&name))
        });
        if !allowed {
            self.defect(
                Rule::Pragma,
                statement.line,
                format!(
                    "`{}` does nothing in a transaction or weakens it; use a job with `transaction: none`",
                    first_line(statement.text)
                ),
            );
        }
    }

    /// Statements that belong together beside some that can stand in no transaction: no mode is right for both.
    pub(super) fn mixed(&mut self, reading: &Reading<'_, '_>) {
        let alone = |read: &&Read<'_, '_>| unfit::of(reading.script.dialect, &read.code).is_some();
        let dml = |read: &&Read<'_, '_>| {
            matches!(read.facts.class, Class::Insert | Class::Update | Class::Delete)
                && !alone(read)
        };
        let Some(alone) = reading.statements.iter().find(alone) else { return };
        let Some(dml) = reading.statements.iter().find(dml) else { return };
        let message = format!(
            "data is changed here, and line {} cannot be undone with it: make two changes, one of which `needs` the other",
            alone.statement.line
        );
        self.defect(Rule::MixedStatements, dml.statement.line, message);
    }

    /// What a change may not do to its session, and what an approver must know of it.
    pub(super) fn statements_of_change(
        &mut self,
        reading: &Reading<'_, '_>,
        mode: Mode,
        made: &mut hazard::Made,
    ) {
        let transactional = mode == Mode::OneTransaction;
        let dialect = reading.script.dialect;
        for Read { statement, code, .. } in &reading.statements {
            for (rule, why) in session::of(dialect, transactional, code) {
                let message = format!("`{}`: {why}", first_line(statement.text));
                self.defect(rule, statement.line, message);
            }
            for rule in hazard::of(dialect, code, made) {
                self.hazard(dialect, rule, statement.line);
            }
        }
    }

    /// Whether a recovery can tell of each statement of a journalled change if it was done.
    pub(super) fn probes(&mut self, reading: &Reading<'_, '_>, mode: Mode) {
        let script = reading.script;
        for misplaced in done_when::misplaced(script) {
            self.defect(Rule::DoneWhen, misplaced.line, misplaced.message);
        }
        for Read { statement, code, facts } in &reading.statements {
            let probe = done_when::of(script, statement).is_some();
            if mode != Mode::Journalled {
                if probe {
                    const NOBODY: &str = "a `done_when:` comment is for `mode: journalled`: a transaction is done or it is not";
                    self.defect(Rule::DoneWhen, statement.line, NOBODY);
                }
                continue;
            }
            let unfit = unfit::of(script.dialect, code).is_some();
            match facts.class {
                Class::Select | Class::TransactionControl if !unfit => {}
                Class::Insert | Class::Update | Class::Delete if !unfit => {
                    const STAYS: &str = "rows changed in a journalled change stay when a later statement fails: a change with `mode: transactional` undoes them";
                    self.add(Rule::JournalledDml, Severity::Warning, statement.line, STAYS);
                }
                _ if !probe && self.part != Some(Part::Backup) => {
                    let message = format!(
                        "nobody could tell after a crash whether `{}` was done: write `-- done_when: select …` before it",
                        first_line(statement.text)
                    );
                    self.defect(Rule::DoneWhenMissing, statement.line, message);
                }
                _ => {}
            }
        }
    }
}

/// PRAGMAs that only look, whatever they are given.
const LOOKS: [&str; 14] = [
    "foreign_key_check",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "collation_list",
    "compile_options",
    "database_list",
    "function_list",
];
/// PRAGMAs that belong to the transaction they stand in.
const SETS: [&str; 3] = ["user_version", "application_id", "defer_foreign_keys"];
/// PRAGMAs that only show, as long as they are given no value.
const SHOWS: [&str; 8] = [
    "foreign_keys",
    "journal_mode",
    "synchronous",
    "page_count",
    "page_size",
    "freelist_count",
    "encoding",
    "schema_version",
];
