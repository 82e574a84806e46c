//! What is wrong with a script, by name, before anything is touched.

mod finding;

use super::class::{Class, Facts};
use super::lexer::{Dialect, Kind, Lexer};
use super::splitter::{Script, Statement, split};
use super::{expect, verify};
pub use finding::{Finding, Part, Rule, Severity};

/// The table in a target that says which changes were applied there; only the worker writes it.
pub const MARKER_TABLE: &str = "nightrun_change_run";

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of it in one transaction of nightrun's.
    OneTransaction,
    /// Each statement by itself.
    EachAlone,
}

/// The four scripts of a change.
#[derive(Debug, Clone, Copy)]
pub struct ChangeScripts<'a> {
    pub backup: &'a str,
    pub change: &'a str,
    pub verify: &'a str,
    pub rollback: &'a str,
}

/// What is wrong with the script of an `sql` job.
pub fn script(dialect: Dialect, source: &str, mode: Mode) -> Vec<Finding> {
    let mut findings = Findings { part: None, found: Vec::new() };
    let script = split(dialect, source);
    findings.text(&script);
    findings.placed_expectations(&script);
    findings.transaction(&script, mode);
    if script.statements.is_empty() {
        findings.defect(Rule::EmptyScript, 1, "the script has no statement");
    }
    findings.sorted()
}

/// What is wrong with the query of a `wait`: it must be one SELECT. One that reads no table may still ask for the time,
/// so that is only a warning.
pub fn condition(dialect: Dialect, source: &str) -> Vec<Finding> {
    let mut findings = Findings { part: None, found: Vec::new() };
    let script = split(dialect, source);
    findings.text(&script);
    findings.one_select(&script, &CONDITION);
    findings.sorted()
}

/// What is wrong with the scripts of a change.
pub fn change(dialect: Dialect, scripts: &ChangeScripts<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    let backup = split(dialect, scripts.backup);
    let keeps = does_something(&backup);
    for part in Part::ALL {
        let source = match part {
            Part::Backup => scripts.backup,
            Part::Change => scripts.change,
            Part::Verify => scripts.verify,
            Part::Rollback => scripts.rollback,
        };
        let script = split(dialect, source);
        let mut findings = Findings { part: Some(part), found: Vec::new() };
        findings.text(&script);
        findings.marker(&script);
        if part == Part::Verify {
            findings.verification(&script);
        } else {
            findings.placed_expectations(&script);
            findings.transaction(&script, Mode::OneTransaction);
            findings.effect(&script, part);
        }
        if part == Part::Change {
            findings.rows(&script, keeps);
        } else if part == Part::Rollback {
            findings.rows(&script, true);
        }
        all.extend(findings.sorted());
    }
    all
}

struct Findings {
    part: Option<Part>,
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, rule: Rule, severity: Severity, line: u32, message: impl Into<String>) {
        self.found.push(Finding { rule, severity, part: self.part, line, message: message.into() });
    }

    fn defect(&mut self, rule: Rule, line: u32, message: impl Into<String>) {
        self.add(rule, Severity::Defect, line, message);
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.line);
        self.found
    }

    /// Rules for any text.
    fn text(&mut self, script: &Script<'_>) {
        if let Some(at) = script.source.find('\0') {
            let line = 1 + script.source[..at].matches('\n').count() as u32;
            self.defect(Rule::NulByte, line, "a NUL byte: the database would stop reading here");
        }
        for token in Lexer::new(script.dialect, script.source) {
            if token.kind == Kind::Variable {
                let message = format!(
                    "`{}` is a place for a value that nobody gives (it would be NULL): write the value itself",
                    token.text
                );
                self.defect(Rule::Parameter, token.line, message);
            }
        }
    }

    fn placed_expectations(&mut self, script: &Script<'_>) {
        for misplaced in expect::misplaced(script) {
            self.defect(Rule::Expect, misplaced.line, misplaced.message);
        }
    }

    /// What cannot stand in a script that nightrun runs.
    fn transaction(&mut self, script: &Script<'_>, mode: Mode) {
        for statement in &script.statements {
            let facts = Facts::of(script.dialect, statement);
            let verb = facts.verb.to_ascii_uppercase();
            let one = mode == Mode::OneTransaction;
            match facts.class {
                Class::TransactionControl => {
                    let message = match mode {
                        Mode::OneTransaction => format!(
                            "{verb}: the script runs in one transaction that nightrun begins and commits; take it out"
                        ),
                        Mode::EachAlone => format!(
                            "{verb}: with `transaction: none` each statement is committed by itself; take it out, or use `transaction: one`"
                        ),
                    };
                    self.defect(Rule::TransactionControl, statement.line, message);
                }
                Class::Attach if one => self.defect(
                    Rule::Attach,
                    statement.line,
                    format!("{verb} in a transaction: two files do not commit as one; use a job with `transaction: none`"),
                ),
                Class::Vacuum if one => self.defect(
                    Rule::VacuumInTransaction,
                    statement.line,
                    "VACUUM cannot run in a transaction; use a job with `transaction: none`",
                ),
                Class::Pragma if one => self.pragma(statement, &facts),
                _ => {}
            }
        }
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

    fn marker(&mut self, script: &Script<'_>) {
        for token in Lexer::new(script.dialect, script.source) {
            if token.name().is_some_and(|name| name.eq_ignore_ascii_case(MARKER_TABLE)) {
                let message =
                    format!("{MARKER_TABLE} is nightrun's own record of changes; leave it alone");
                self.defect(Rule::MarkerTable, token.line, message);
            }
        }
    }

    /// A change or a rollback must do something; a backup that keeps nothing is worth a look.
    fn effect(&mut self, script: &Script<'_>, part: Part) {
        if does_something(script) {
            return;
        }
        match part {
            Part::Backup => {
                self.add(Rule::EmptyScript, Severity::Warning, 1, "the backup keeps nothing")
            }
            Part::Rollback => self.defect(
                Rule::EmptyScript,
                1,
                "the rollback changes nothing: a change needs a way back",
            ),
            Part::Change | Part::Verify => {
                self.defect(Rule::EmptyScript, 1, "the script changes nothing");
            }
        }
    }

    fn rows(&mut self, script: &Script<'_>, kept: bool) {
        for statement in &script.statements {
            let facts = Facts::of(script.dialect, statement);
            if !matches!(facts.class, Class::Update | Class::Delete) {
                continue;
            }
            let verb = facts.verb.to_ascii_uppercase();
            if !facts.bounded {
                self.defect(
                    Rule::DmlWithoutWhere,
                    statement.line,
                    format!("{verb} without WHERE touches every row; say which (`WHERE true` if all are meant)"),
                );
            }
            if !kept {
                self.defect(
                    Rule::NoBackup,
                    statement.line,
                    format!("{verb}, and backup.sql keeps nothing: copy the rows there first"),
                );
            }
        }
    }

    fn verification(&mut self, script: &Script<'_>) {
        for token in Lexer::new(script.dialect, script.source) {
            let comment = token.text.trim_start_matches('-').trim_start();
            if token.kind == Kind::Comment && comment.starts_with("expect:") {
                self.defect(
                    Rule::Expect,
                    token.line,
                    "verify.sql is judged by its column `ok`, not by an `expect:` comment",
                );
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
            } else if arm.constant {
                self.defect(
                    Rule::VerifyCannotFail,
                    line,
                    "`ok` is the same whatever the database holds: compute it from the data",
                );
            }
        }
    }

    /// The one SELECT that a script must be; tells what else it is.
    fn one_select<'s, 'a>(
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
struct OneSelect {
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
const CONDITION: OneSelect = OneSelect {
    what: "the condition",
    not_one: Rule::Condition,
    writes: Rule::Condition,
    no_table: Severity::Warning,
};

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

/// Whether a statement of the script may change data or schema.
fn does_something(script: &Script<'_>) -> bool {
    script.statements.iter().any(|statement| {
        matches!(
            Facts::of(script.dialect, statement).class,
            Class::Insert | Class::Update | Class::Delete | Class::Ddl | Class::Other
        )
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
