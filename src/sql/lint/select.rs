//! Scripts that must be one SELECT: verifications and conditions.

use super::{Findings, Rule, Severity, first_line};
use crate::sql::class::Facts;
use crate::sql::lexer::{Kind, Lexer};
use crate::sql::splitter::{Script, Statement};
use crate::sql::verify;

impl Findings {
    pub(super) fn verification(&mut self, script: &Script<'_>) {
        for token in Lexer::new(script.dialect, script.source) {
            let comment = token.text.trim_start_matches('-').trim_start();
            for (name, rule) in [("expect:", Rule::Expect), ("done_when:", Rule::DoneWhen)] {
                if token.kind == Kind::Comment && comment.starts_with(name) {
                    let message = format!(
                        "verify.sql is judged by its column `ok`, not by a comment `{name}`"
                    );
                    self.defect(rule, token.line, message);
                }
            }
        }
        let Some(statement) = self.one_select(script, &VERIFICATION) else { return };
        for arm in verify::arms(&statement.code(script.dialect)) {
            let line = statement.line + arm.line - 1;
            if arm.columns.is_some_and(|columns| columns != 3) {
                self.defect(
                    Rule::VerifyShape,
                    line,
                    "verify.sql gives three columns: check_name, ok (1 or 0), detail",
                );
            } else if arm.is_constant(1) {
                self.defect(
                    Rule::VerifyCannotFail,
                    line,
                    "`ok` is the same whatever the database holds: compute it from the data",
                );
            }
        }
    }

    /// The one SELECT that a script must be; tells what else it is.
    pub(super) fn one_select<'s, 'a>(
        &mut self,
        script: &'s Script<'a>,
        as_a: &OneSelect,
    ) -> Option<&'s Statement<'a>> {
        let what = as_a.what;
        let mut select = None;
        for statement in &script.statements {
            if Facts::of(script.dialect, statement).writes {
                let message = format!("{what} only reads: `{}`", first_line(statement.text));
                self.defect(as_a.writes, statement.line, message);
            } else if select.is_some() {
                let message = format!("{what} is one SELECT: join several with UNION ALL");
                self.defect(as_a.not_one, statement.line, message);
            } else {
                select = Some(statement);
            }
        }
        if script.statements.is_empty() {
            self.defect(Rule::EmptyScript, 1, format!("{what} has no statement"));
        }
        let select = select?;
        if verify::tables(&select.code(script.dialect)).is_empty() {
            let message = format!(
                "{what} reads no table: its answer is the same whatever the database holds"
            );
            self.add(as_a.not_one, as_a.no_table, select.line, message);
        }
        Some(select)
    }
}

/// What must be one SELECT, and which rules say so.
pub(super) struct OneSelect {
    what: &'static str,
    not_one: Rule,
    writes: Rule,
    no_table: Severity,
}

const VERIFICATION: OneSelect = OneSelect {
    what: "verify.sql",
    not_one: Rule::VerifyCannotFail,
    writes: Rule::VerifyWrites,
    no_table: Severity::Defect,
};
pub(super) const CONDITION: OneSelect = OneSelect {
    what: "the condition",
    not_one: Rule::Condition,
    writes: Rule::Condition,
    no_table: Severity::Warning,
};
