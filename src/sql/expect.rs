//! `-- expect: none` and `-- expect: rows`: a SELECT used as a check.

use super::class::{Class, Facts};
use super::lexer::{Kind, Lexer, Token};
use super::splitter::{Script, Statement};

/// What the comment before a statement says about its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any row fails the script.
    None,
    /// No row fails the script.
    Rows,
}

/// A directive that would be read by nobody, or not as its author meant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misplaced {
    pub(super) line: u32,
    pub(super) message: &'static str,
}

const BEFORE: &str = "an `expect:` comment stands on a line of its own before its statement";
const WORDS: &str = "an `expect:` comment says `none` or `rows`";
const NO_ROWS: &str = "an `expect:` comment belongs before a SELECT: this statement gives no rows";
const TWICE: &str = "two `expect:` comments before one statement";

/// The directive before a statement. Only meaningful for scripts in which the lint finds none misplaced.
pub fn of(script: &Script<'_>, statement: &Statement<'_>) -> Option<Expect> {
    lead(script, statement).filter_map(|token| directive(&token)).find_map(meaning)
}

/// Every directive of a script that does not do what it seems to.
pub(super) fn misplaced(script: &Script<'_>) -> Vec<Misplaced> {
    let mut found = Vec::new();
    let mut report = |line, message| found.push(Misplaced { line, message });
    for token in Lexer::new(script.dialect, script.source) {
        let Some(word) = directive(&token) else { continue };
        let own_line = script.source[..token.start]
            .rfind('\n')
            .map_or(&script.source[..token.start], |at| &script.source[at..token.start]);
        let before = script
            .statements
            .iter()
            .find(|statement| (statement.range.start..statement.start).contains(&token.start));
        match before {
            _ if meaning(word).is_none() => report(token.line, WORDS),
            _ if !own_line.trim().is_empty() => report(token.line, BEFORE),
            None => report(token.line, BEFORE),
            Some(statement) => {
                let facts = Facts::of(script.dialect, statement);
                let returning = statement.code(script.dialect).iter().any(|t| t.is("returning"));
                let rows = matches!(facts.class, Class::Select | Class::Pragma) || returning;
                let first = lead(script, statement).find(|other| directive(other).is_some());
                if !rows {
                    report(token.line, NO_ROWS);
                } else if first.is_some_and(|first| first.start != token.start) {
                    report(token.line, TWICE);
                }
            }
        }
    }
    found
}

/// The blanks and comments before a statement. Their offsets are those of the script, their lines are not.
fn lead<'a>(
    script: &Script<'a>,
    statement: &Statement<'a>,
) -> impl Iterator<Item = Token<'a>> + use<'a> {
    let start = statement.range.start;
    Lexer::new(script.dialect, &script.source[start..statement.start])
        .map(move |token| Token { start: token.start + start, ..token })
}

/// What follows `expect:` in a line comment.
fn directive<'a>(token: &Token<'a>) -> Option<&'a str> {
    if token.kind != Kind::Comment {
        return None;
    }
    token.text.strip_prefix("--")?.trim().strip_prefix("expect:").map(str::trim)
}

fn meaning(word: &str) -> Option<Expect> {
    match word {
        "none" => Some(Expect::None),
        "rows" => Some(Expect::Rows),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, split};

    #[test]
    fn a_directive_belongs_to_the_select_after_it() {
        let script = split(
            Dialect::Sqlite,
            "select 0;\n\n-- Nothing may be out of balance.\n-- expect: none\nselect 1;\n\
             -- we expect: nothing\nselect 2;\n  --expect: rows\r\nselect 3",
        );
        let found: Vec<_> = script.statements.iter().map(|s| of(&script, s)).collect();
        assert_eq!(found, [None, Some(Expect::None), None, Some(Expect::Rows)]);
        assert_eq!(misplaced(&script), []);
    }

    #[test]
    fn a_directive_that_nobody_would_read_is_told() {
        for (source, line, message) in [
            ("select 1; -- expect: none\nselect 2", 1, BEFORE),
            ("select 1\n-- expect: none\nfrom t", 2, BEFORE),
            ("select 1;\n-- expect: none\n", 2, BEFORE),
            ("-- expect: no rows\nselect 1", 1, WORDS),
            ("\n-- expect: rows\nupdate t set x = 1", 2, NO_ROWS),
            ("-- expect: rows\n-- expect: none\nselect 1", 2, TWICE),
        ] {
            let found = misplaced(&split(Dialect::Sqlite, source));
            assert_eq!(found, [Misplaced { line, message }], "{source}");
        }
    }
}
