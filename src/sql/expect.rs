//! `-- expect: none`, `-- expect: rows`, `-- expect: 1 to 20 rows`: how many rows a statement gives or changes.

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
    /// Fewer and more rows fail the script: of a SELECT those that it gives, else those that it changes.
    Between(u64, u64),
}

/// A directive that would be read by nobody, or not as its author meant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misplaced {
    pub(super) line: u32,
    pub(super) message: &'static str,
}

pub(super) const NAME: &str = "expect";
const BEFORE: &str = "an `expect:` comment stands on a line of its own before its statement";
const WORDS: &str = "an `expect:` comment says `none`, `rows`, `3 rows` or `1 to 20 rows`";
const NO_ROWS: &str = "an `expect:` comment belongs before a SELECT: this statement gives no rows";
const UNCOUNTED: &str = "an `expect:` comment with a number belongs before a SELECT, INSERT, UPDATE or DELETE: \
                         rows of this statement are not counted";
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
            Stands::Before(statement) => match meaning(directive.words) {
                Some(Expect::Between(..)) => (!is_counted(script, statement)).then_some(UNCOUNTED),
                _ => (!gives_rows(script, statement)).then_some(NO_ROWS),
            },
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

/// TRUNCATE empties a table and counts nothing.
fn is_counted(script: &Script<'_>, statement: &Statement<'_>) -> bool {
    let facts = Facts::of(script.dialect, statement);
    let changes = matches!(facts.class, Class::Insert | Class::Update | Class::Delete);
    changes && facts.verb != "truncate" || gives_rows(script, statement)
}

fn meaning(words: &str) -> Option<Expect> {
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["none"] => Some(Expect::None),
        ["rows"] => Some(Expect::Rows),
        [exact, "row" | "rows"] => {
            let exact = exact.parse().ok()?;
            Some(Expect::Between(exact, exact))
        }
        [min, "to", max, "rows"] => {
            let (min, max) = (min.parse().ok()?, max.parse().ok()?);
            (min <= max).then_some(Expect::Between(min, max))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, split};

    #[test]
    fn a_directive_belongs_to_the_statement_after_it() {
        let script = split(
            Dialect::Sqlite,
            "select 0;\n\n-- Nothing may be out of balance.\n-- expect: none\nselect 1;\n\
             -- we expect: nothing\nselect 2;\n  --expect: rows\r\nselect 3;\n\
             -- expect: 1 to 20 rows\nupdate t set x = 1;\n-- expect: 1 row\ndelete from t where x = 2",
        );
        let found: Vec<_> = script.statements.iter().map(|s| of(&script, s)).collect();
        let (some, one) = (Some(Expect::Between(1, 20)), Some(Expect::Between(1, 1)));
        assert_eq!(found, [None, Some(Expect::None), None, Some(Expect::Rows), some, one]);
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
            ("-- expect: 20 to 1 rows\nupdate t set x = 1", 1, WORDS),
            ("-- expect: -1 rows\nupdate t set x = 1", 1, WORDS),
            ("-- expect: 1 to 2\nupdate t set x = 1", 1, WORDS),
            ("-- expect: 2 rows\ncreate table t (x int)", 1, UNCOUNTED),
            ("-- expect: rows\n-- expect: none\nselect 1", 2, TWICE),
        ] {
            let found = misplaced(&split(Dialect::Sqlite, source));
            assert_eq!(found, [Misplaced { line, message }], "{source}");
        }
    }
}
