//! What is wrong with a script, by name, before anything is touched.

mod costs;
mod finding;
mod hazard;
mod rule;
mod select;
mod session;
mod text;
mod transaction;
mod unfit;

use super::class::{self, Class, Facts, skip_parens, split_with};
use super::lexer::{Dialect, Kind, Lexer, Token};
use super::splitter::{Script, Statement, split};
use super::words::calls;
use super::{backup, expect, verify};
pub use finding::{Finding, Part, Rule, Severity};
use select::CONDITION;

/// The table in a target that says which changes were applied there; only the worker writes it.
pub const MARKER_TABLE: &str = "nightrun_change_run";

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of it in one transaction of nightrun's: a job with `transaction: one`, a change with `mode: transactional`.
    OneTransaction,
    /// Each statement by itself: a job with `transaction: none`.
    EachAlone,
    /// Each statement by itself, written down before and after: a change with `mode: journalled`.
    Journalled,
}

impl Mode {
    /// Why a script has no BEGIN and no COMMIT.
    fn owns_transaction(self) -> &'static str {
        match self {
            Self::OneTransaction => {
                "the script runs in one transaction that nightrun begins and commits; take it out"
            }
            Self::EachAlone => {
                "with `transaction: none` each statement is committed by itself; take it out, or use `transaction: one`"
            }
            Self::Journalled => {
                "with `mode: journalled` each statement is committed by itself; take it out, or use `mode: transactional`"
            }
        }
    }
}

/// The four scripts of a change.
#[derive(Debug, Clone, Copy)]
pub struct ChangeScripts<'a> {
    /// `None`: nightrun keeps rows of `kept`.
    pub backup: Option<&'a str>,
    pub change: &'a str,
    pub verify: &'a str,
    /// `None`: nightrun puts the rows back that it kept.
    pub rollback: Option<&'a str>,
    /// Tables whose rows nightrun keeps, as their author writes them.
    pub kept: &'a [String],
}

impl<'a> ChangeScripts<'a> {
    fn text(&self, part: Part) -> Option<&'a str> {
        match part {
            Part::Backup => self.backup,
            Part::Change => Some(self.change),
            Part::Verify => Some(self.verify),
            Part::Rollback => self.rollback,
        }
    }
}

/// What is wrong with the script of an `sql` job.
pub fn script(dialect: Dialect, source: &str, mode: Mode) -> Vec<Finding> {
    let mut findings = Findings { part: None, found: Vec::new() };
    let script = split(dialect, source);
    let reading = Reading::of(&script);
    findings.text(&reading);
    findings.copies(&reading, mode);
    findings.placed_expectations(&script);
    findings.transaction(&reading, mode);
    findings.probes(&reading, mode);
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
    findings.text(&Reading::of(&script));
    findings.one_select(&script, &CONDITION);
    findings.sorted()
}

/// What is wrong with the scripts of a change, and what of it is hazardous.
pub fn change(dialect: Dialect, mode: Mode, scripts: &ChangeScripts<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    // In the order in which the scripts run: what the change makes, its rollback may take away again.
    let mut made = hazard::Made::default();
    let keeps = scripts.backup.is_none_or(|backup| {
        let script = split(dialect, backup);
        does_something(&Reading::of(&script))
    });
    let kept = kept_tables(dialect, scripts.kept);
    for part in Part::ALL {
        let Some(source) = scripts.text(part) else { continue };
        let script = split(dialect, source);
        let mut findings = Findings { part: Some(part), found: Vec::new() };
        let reading = Reading::of(&script);
        findings.text(&reading);
        findings.marker(&script);
        if part == Part::Verify {
            findings.verification(&script);
        } else {
            findings.copies(&reading, mode);
            findings.placed_expectations(&script);
            findings.transaction(&reading, mode);
            findings.statements_of_change(&reading, mode, &mut made);
            findings.probes(&reading, mode);
            findings.effect(&reading, part);
            if mode == Mode::OneTransaction {
                findings.mixed(&reading);
            }
        }
        if part == Part::Change {
            findings.rows(&reading, keeps);
            if scripts.backup.is_none() {
                findings.kept(&reading, &kept, scripts.rollback.is_none());
            }
        } else if part == Part::Rollback {
            findings.rows(&reading, true);
        }
        all.extend(findings.sorted());
    }
    all
}

/// A script with its words, which every rule reads: they are looked for once.
struct Reading<'s, 'a> {
    script: &'s Script<'a>,
    statements: Vec<Read<'s, 'a>>,
}

struct Read<'s, 'a> {
    statement: &'s Statement<'a>,
    code: Vec<Token<'a>>,
    facts: Facts,
}

impl<'s, 'a> Reading<'s, 'a> {
    fn of(script: &'s Script<'a>) -> Self {
        let read = |statement: &'s Statement<'a>| {
            let code = statement.code(script.dialect);
            let facts = class::read(script.dialect, &code);
            Read { statement, code, facts }
        };
        Self { script, statements: script.statements.iter().map(read).collect() }
    }
}

struct Findings {
    part: Option<Part>,
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, rule: Rule, severity: Severity, line: u32, message: impl Into<String>) {
        let message = message.into();
        self.found.push(Finding { rule, severity, part: self.part, line, message, hint: None });
    }

    /// What a rule says of a statement that is no defect.
    fn hazard(&mut self, dialect: Dialect, rule: Rule, line: u32) {
        let (message, hint) = costs::of(dialect, rule);
        let severity = match rule {
            Rule::AlgorithmNotNamed | Rule::EnumValue => Severity::Warning,
            _ => Severity::Hazard,
        };
        self.found.push(Finding {
            rule,
            severity,
            part: self.part,
            line,
            message: message.into(),
            hint,
        });
    }

    fn defect(&mut self, rule: Rule, line: u32, message: impl Into<String>) {
        self.add(rule, Severity::Defect, line, message);
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| (finding.line, finding.rule));
        self.found
    }

    fn placed_expectations(&mut self, script: &Script<'_>) {
        for misplaced in expect::misplaced(script) {
            self.defect(Rule::Expect, misplaced.line, misplaced.message);
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
    fn effect(&mut self, reading: &Reading<'_, '_>, part: Part) {
        if does_something(reading) {
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

    fn rows(&mut self, reading: &Reading<'_, '_>, kept: bool) {
        for Read { statement, code, facts } in &reading.statements {
            let touches = matches!(facts.class, Class::Update | Class::Delete);
            let within = common_dml(code);
            if !touches && within.is_empty() {
                continue;
            }
            let verb = match within.first() {
                Some(inner) if !touches => inner.verb.to_ascii_uppercase(),
                _ => facts.verb.to_ascii_uppercase(),
            };
            // TRUNCATE has no WHERE to ask for: it is a hazard.
            let bounded = !touches || facts.bounded || facts.verb == "truncate";
            if !bounded || within.iter().any(|inner| !inner.bounded) {
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

    /// Of a change whose rows nightrun keeps: it overwrites no others, and where nightrun puts them back, that undoes it.
    fn kept(&mut self, reading: &Reading<'_, '_>, kept: &[String], puts_back: bool) {
        for Read { statement, code, facts } in &reading.statements {
            let verb = facts.verb.to_ascii_uppercase();
            for table in backup::overwritten(code) {
                if !kept.iter().any(|name| backup::same_table(name, &table)) {
                    let message = format!(
                        "{verb} of {table}, and `backup:` of change.yaml keeps no rows of that table"
                    );
                    self.defect(Rule::NoBackup, statement.line, message);
                }
            }
            if puts_back && !backup::undone_by_rows(facts, code) {
                let message = format!(
                    "{verb} is not undone by putting the kept rows back: write a rollback.sql"
                );
                self.defect(Rule::RollbackMissing, statement.line, message);
            }
        }
    }
}

/// In small letters, as statements name them.
fn kept_tables(dialect: Dialect, kept: &[String]) -> Vec<String> {
    let path = |name: &String| Some(backup::path(dialect, name)?.join(".").to_lowercase());
    kept.iter().filter_map(path).collect()
}

/// PostgreSQL: UPDATE and DELETE within `WITH … AS (…)`.
fn common_dml(code: &[Token<'_>]) -> Vec<Facts> {
    let (with, _) = split_with(code);
    let begins = with.windows(2).enumerate().filter(|(_, pair)| {
        pair[0].kind == Kind::Open && (pair[1].is("update") || pair[1].is("delete"))
    });
    begins
        .map(|(at, _)| class::read(Dialect::Postgres, &with[at + 1..skip_parens(with, at) - 1]))
        .collect()
}

/// Whether a statement of the script may change data or schema.
fn does_something(reading: &Reading<'_, '_>) -> bool {
    let dialect = reading.script.dialect;
    reading.statements.iter().any(|Read { code, facts, .. }| match facts.class {
        Class::TransactionControl | Class::Pragma | Class::Attach => false,
        Class::Select => facts.writes || calls_only(dialect, code),
        _ => true,
    })
}

/// `select setval('s', 100)`, `select correct_fees()`: what a SELECT without a table is for.
fn calls_only(dialect: Dialect, code: &[Token<'_>]) -> bool {
    dialect != Dialect::Sqlite && verify::tables(code).is_empty() && calls(code).next().is_some()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
