//! `-- expect: none` and `-- expect: rows`: a SELECT used as a check.

use super::class::{Class, Facts};
use super::directive::{self, Directive, Stands};
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

pub(super) const NAME: &str = "expect";
const BEFORE: &str = "an `expect:` comment stands on a line of its own before its statement";
const WORDS: &str = "an `expect:` comment says `none` or `rows`";
const NO_ROWS: &str = "an `expect:` comment belongs before a SELECT: this statement gives no rows";
const TWICE: &str = "two `expect:` comments before one statement";

/// The directive before a statement. Only meaningful for scripts in which the lint finds none misplaced.
pub fn of(script: &Script<'_>, statement: &Statement<'_>) -> Option<Expect> {
    directive::before(script, statement, NAME).and_then(|directive| meaning(directive.words))
}

/// Every directive of a script that does not do what it seems to.
pub(super) fn misplaced(script: &Script<'_>) -> Vec<Misplaced> {
    let told = |(directive, stands): (Directive<'_>, Stands<'_, '_>)| {
        let message = match stands {
            _ if meaning(directive.words).is_none() => Some(WORDS),
            Stands::Elsewhere => Some(BEFORE),
            Stands::Before(statement) => (!gives_rows(script, statement)).then_some(NO_ROWS),
            Stands::Again => Some(TWICE),
        };
        message.map(|message| Misplaced { line: directive.line, message })
    };
    directive::all(script, NAME).filter_map(told).collect()
}

fn gives_rows(script: &Script<'_>, statement: &Statement<'_>) -> bool {
    let class = Facts::of(script.dialect, statement).class;
    matches!(class, Class::Select | Class::Pragma)
        || statement.code(script.dialect).iter().any(|token| token.is("returning"))
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
