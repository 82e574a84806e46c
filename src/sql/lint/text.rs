//! Rules for any text, whatever its statements do.

use super::{Findings, Mode, Read, Reading, Rule, Severity, first_line};
use crate::sql::class::word_at;
use crate::sql::lexer::{Dialect, Kind, Lexer, Token};
use crate::sql::words::{Words, says};
use crate::types::turns_text;

impl Findings {
    /// Rules for any text.
    pub(super) fn text(&mut self, reading: &Reading<'_, '_>) {
        let script = reading.script;
        if let Some(at) = script.source.find('\0') {
            let line = 1 + script.source[..at].matches('\n').count() as u32;
            self.defect(Rule::NulByte, line, "a NUL byte: the database would stop reading here");
        }
        self.turned(script.source);
        self.parameters(reading);
        let tokens: Vec<Token<'_>> = Lexer::new(script.dialect, script.source)
            .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
            .collect();
        self.client_commands(script.dialect, &tokens);
        if script.dialect == Dialect::Mysql {
            self.executable_comments(&tokens);
        }
    }

    /// Whoever approves a change ticks it; of a job it is worth a look.
    fn turned(&mut self, source: &str) {
        let Some(at) = source.find(turns_text) else { return };
        let line = 1 + source[..at].matches('\n').count() as u32;
        let severity = self.part.map_or(Severity::Warning, |_| Severity::Hazard);
        const OTHER: &str =
            "a character that turns the direction of text: what is read is not what is run";
        self.add(Rule::TurnedText, severity, line, OTHER);
    }

    fn parameters(&mut self, reading: &Reading<'_, '_>) {
        for Read { statement, code, .. } in &reading.statements {
            // `$1` is an argument of the function or the statement that is being made.
            let makes = word_at(code, 0, "create") || word_at(code, 0, "prepare");
            if makes && reading.script.dialect == Dialect::Postgres {
                continue;
            }
            for token in code.iter().filter(|token| token.kind == Kind::Variable) {
                let message = format!(
                    "`{}` is a place for a value that nobody gives (it would be NULL): write the value itself",
                    token.text
                );
                self.defect(Rule::Parameter, statement.line + token.line - 1, message);
            }
        }
    }

    fn client_commands(&mut self, dialect: Dialect, tokens: &[Token<'_>]) {
        let mut brackets = 0_i32;
        for (at, token) in tokens.iter().enumerate() {
            brackets += i32::from(token.text == "[") - i32::from(token.text == "]");
            let (client, means) = match dialect {
                Dialect::Sqlite => (token.text == "." && starts(tokens, at), "sqlite3"),
                Dialect::Postgres => (
                    token.kind == Kind::Client || brackets == 0 && is_psql_variable(tokens, at),
                    "psql",
                ),
                Dialect::Mysql => (
                    token.kind == Kind::Other && token.text == "\\"
                        || token.is("source") && starts(tokens, at),
                    "mysql",
                ),
            };
            if client {
                let what = first_line(token.text).trim_end();
                let what = if token.text == ":" { ":name" } else { what };
                let message = format!(
                    "`{what}` is for the program {means}, and no server reads it: write the SQL itself"
                );
                self.defect(Rule::ClientCommand, token.line, message);
            }
        }
    }

    /// `/*!40101 … */` is code on one server and a comment on the next.
    fn executable_comments(&mut self, tokens: &[Token<'_>]) {
        for token in tokens.iter().filter(|token| token.text.starts_with("/*")) {
            let message = format!(
                "`{}` runs on some servers and is a comment to others: write the statement itself",
                first_line(token.text)
            );
            self.defect(Rule::ExecutableComment, token.line, message);
        }
    }

    /// COPY with a partner that is not there, or that no transaction undoes.
    pub(super) fn copies(&mut self, reading: &Reading<'_, '_>, mode: Mode) {
        for Read { statement, code, .. } in &reading.statements {
            let copy = reading.script.dialect == Dialect::Postgres && word_at(code, 0, "copy");
            let load = Words::of(code).next_is("load data local")
                || Words::of(code).next_is("load xml local");
            if load || copy && (says(code, "from stdin") || says(code, "to stdout")) {
                const NOBODY: &str =
                    "nobody is at the other end to send or take the rows: write INSERT or SELECT";
                self.defect(Rule::CopyStream, statement.line, NOBODY);
            } else if copy
                && says(code, "program")
                && (self.part.is_some() || mode == Mode::OneTransaction)
            {
                const UNDONE: &str = "a program runs on the database server, and no ROLLBACK undoes it: use a `run` job";
                self.defect(Rule::CopyProgram, statement.line, UNDONE);
            }
        }
    }
}

/// Whether a statement begins here.
fn starts(tokens: &[Token<'_>], at: usize) -> bool {
    at == 0 || tokens[at - 1].kind == Kind::End
}

/// `:name` and `:'name'` of psql; not `::type`, not `:=`, and not the `:` of a slice.
fn is_psql_variable(tokens: &[Token<'_>], at: usize) -> bool {
    let is_colon =
        |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(|t| t.text == ":");
    let next = tokens.get(at + 1);
    is_colon(Some(at))
        && !is_colon(at.checked_sub(1))
        && next.is_some_and(|next| {
            matches!(next.kind, Kind::Word | Kind::Name | Kind::Text)
                && next.start == tokens[at].end()
        })
}
