//! What `backup:` of a change names: tables, columns and conditions, as an author writes them in SQL.

use super::class::{self, Class};
use super::lexer::{Dialect, Kind, Lexer, Token};
use super::splitter::{Statement, split};
use super::verify;
use super::words::{Words, calls};

/// The parts of `schema.table` or of a column's name, as the database calls them; `None` where it is no name.
pub fn path(dialect: Dialect, text: &str) -> Option<Vec<String>> {
    let tokens: Vec<Token<'_>> = Lexer::new(dialect, text).filter(|t| t.kind.is_code()).collect();
    let parts = leading_path(dialect, &tokens);
    let whole = tokens.len() + 1 == 2 * parts.len();
    (whole && parts.len() <= 2).then_some(parts)
}

/// The parts of `a.b.c` with which the tokens begin, as the database calls them.
pub(super) fn leading_path(dialect: Dialect, code: &[Token<'_>]) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = code.iter();
    while let Some((token, name)) = rest.next().and_then(|token| Some((token, token.name()?))) {
        let bare = dialect == Dialect::Postgres && token.kind == Kind::Word;
        parts.push(if bare { name.to_lowercase() } else { name });
        if rest.next().is_none_or(|token| token.text != ".") {
            break;
        }
    }
    parts
}

/// A name of the database as SQL.
pub fn quoted(dialect: Dialect, name: &str) -> String {
    let quote = if dialect == Dialect::Mysql { '`' } else { '"' };
    format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
}

/// Why a text cannot stand after WHERE.
pub fn wrong_condition(dialect: Dialect, text: &str) -> Option<&'static str> {
    let mut depth = 0_i32;
    for token in Lexer::new(dialect, text) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => {
                return Some("a parenthesis is closed that was not opened");
            }
            Kind::Close => depth -= 1,
            Kind::End | Kind::Client => return Some("it is more than one condition"),
            Kind::Variable => return Some("nobody gives a value for what stands in it"),
            _ => {}
        }
    }
    if depth > 0 {
        return Some("a parenthesis is not closed");
    }
    let whole = format!("SELECT 1 FROM t WHERE (\n{text}\n)");
    let script = split(dialect, &whole);
    let [statement] = script.statements.as_slice() else {
        return Some("it is not one condition");
    };
    let code = statement.code(dialect);
    let whole = code.last().is_some_and(|token| token.kind == Kind::Close) && code.len() > 7;
    let writes = class::read(dialect, &code).writes;
    (!whole || writes).then_some("it is not a condition")
}

/// Tables whose rows a statement updates or deletes, within WITH too, in small letters, as far as its words say.
pub(super) fn overwritten(code: &[Token<'_>]) -> Vec<String> {
    let (with, main) = class::split_with(code);
    let within = (0..with.len()).filter(|at| with[*at].kind == Kind::Open);
    within.flat_map(|at| overwrites(&with[at + 1..])).chain(overwrites(main)).collect()
}

/// Whether a statement updates or deletes rows of a table that `backup:` names.
pub fn touches(dialect: Dialect, statement: &Statement<'_>, table: &str) -> bool {
    let Some(table) = path(dialect, table) else { return false };
    let table = table.join(".").to_lowercase();
    overwritten(&statement.code(dialect)).iter().any(|named| same_table(named, &table))
}

fn overwrites(code: &[Token<'_>]) -> Vec<String> {
    let mut words = Words::of(code);
    match words.eat_any(&[
        "update",
        "delete from",
        "delete",
        "truncate table",
        "truncate",
        "merge into",
        "merge",
    ]) {
        Some("update" | "delete from") => {
            words.skip(&[
                "low_priority",
                "quick",
                "ignore",
                "only",
                "or rollback",
                "or abort",
                "or fail",
                "or ignore",
                "or replace",
            ]);
            words.path().into_iter().collect()
        }
        Some(_) => {
            words.skip(&["low_priority", "quick", "ignore", "only"]);
            words.paths()
        }
        None => Vec::new(),
    }
}

/// Whether two names may be of one table: one of them may leave the schema out.
pub(super) fn same_table(a: &str, b: &str) -> bool {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    a == b || (a.contains('.') != b.contains('.') && last(a) == last(b))
}

/// Whether putting former rows back undoes a statement whole.
pub(super) fn undone_by_rows(facts: &class::Facts, code: &[Token<'_>]) -> bool {
    let (with, main) = class::split_with(code);
    let adds = |token: &Token<'_>| token.is("insert") || token.is("merge");
    let merges = main.first().is_some_and(|token| token.is("merge"));
    // SQLite: rows that make way for others are counted nowhere, and perhaps not kept.
    let makes_way = Words::of(main).next_is("update or replace");
    match facts.class {
        Class::Update | Class::Delete => !merges && !makes_way && !with.iter().any(adds),
        // A SELECT without a table is there for what its functions do.
        Class::Select => {
            let reads = !verify::tables(code).is_empty() || calls(code).next().is_none();
            reads && !with.iter().any(adds) && !main.iter().any(|token| token.is("into"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_database() {
        let read = |dialect, text| path(dialect, text).map(|parts| parts.join("/"));
        assert_eq!(read(Dialect::Postgres, "Bank.Fee").as_deref(), Some("bank/fee"));
        assert_eq!(read(Dialect::Postgres, "\"Fee\"\"s\"").as_deref(), Some("Fee\"s"));
        assert_eq!(read(Dialect::Mysql, "`fee`").as_deref(), Some("fee"));
        for wrong in ["", "a b", "a.", "a.b.c", "a, b", "fee; drop table x", "(fee)"] {
            assert_eq!(read(Dialect::Sqlite, wrong), None, "{wrong}");
        }
        assert_eq!(quoted(Dialect::Mysql, "a`b"), "`a``b`");
    }

    #[test]
    fn a_condition_stays_within_its_parentheses() {
        for good in ["tier = 'c'", "true", "id in (select id from t) -- those", "note = ');'"] {
            assert_eq!(wrong_condition(Dialect::Postgres, good), None, "{good}");
        }
        for wrong in ["", "-- all", "a = 1) or (b = 2", "a = (1", "a = 1; delete from t", "a = $1"]
        {
            assert!(wrong_condition(Dialect::Postgres, wrong).is_some(), "{wrong}");
        }
    }
}
