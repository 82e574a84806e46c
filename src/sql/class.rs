//! What a statement is, read from its words.

use super::lexer::{Dialect, Kind, Token};
use super::splitter::Statement;

/// What a statement does, as far as its first words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Gives rows and changes nothing: SELECT, VALUES, SQLite's EXPLAIN.
    Select,
    /// INSERT, REPLACE.
    Insert,
    /// UPDATE, MERGE.
    Update,
    /// DELETE, TRUNCATE.
    Delete,
    /// CREATE, ALTER, DROP.
    Ddl,
    TransactionControl,
    Pragma,
    /// ATTACH, DETACH.
    Attach,
    Vacuum,
    Other,
}

/// A statement as its words describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub class: Class,
    /// Its verb for people, in lower case: `update`, `create table`.
    pub verb: String,
    /// Whether it may change data or schema. True where the words do not say.
    pub writes: bool,
    /// Whether a WHERE of its own limits it. Says something about UPDATE and DELETE only.
    pub bounded: bool,
    /// The table that `CREATE TABLE … AS` makes and fills, schema included where it is given.
    pub fills: Option<Vec<String>>,
    /// The setting that a PRAGMA names, in lower case, and whether it is given a value.
    pub pragma: Option<(String, bool)>,
}

impl Facts {
    pub fn of(dialect: Dialect, statement: &Statement<'_>) -> Self {
        read(dialect, &statement.code(dialect))
    }
}

/// Reads the code words of one statement.
pub(super) fn read(dialect: Dialect, code: &[Token<'_>]) -> Facts {
    let (with, main) = split_with(code);
    let verb = main.first().map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
    let class = match verb.as_str() {
        "select" | "values" | "table" => Class::Select,
        "insert" | "replace" => Class::Insert,
        "update" | "merge" => Class::Update,
        "delete" | "truncate" => Class::Delete,
        "create" | "alter" | "drop" => Class::Ddl,
        // MariaDB's compound statement; what it does is not looked into.
        "begin" if dialect == Dialect::Mysql && word_at(main, 1, "not") => Class::Other,
        "begin" | "commit" | "end" | "rollback" | "savepoint" | "release" | "start" | "abort" => {
            Class::TransactionControl
        }
        "prepare" if word_at(main, 1, "transaction") => Class::TransactionControl,
        "xa" if dialect == Dialect::Mysql => Class::TransactionControl,
        "pragma" => Class::Pragma,
        "attach" | "detach" => Class::Attach,
        "vacuum" => Class::Vacuum,
        "explain" if dialect == Dialect::Sqlite => Class::Select,
        _ if main.first().is_some_and(|token| token.kind == Kind::Open) => {
            // `(select …) union …` of PostgreSQL and MySQL.
            if word_at(main, 1, "select") { Class::Select } else { Class::Other }
        }
        _ => Class::Other,
    };
    let with_writes = with
        .iter()
        .any(|token| ["insert", "update", "delete", "merge"].iter().any(|verb| token.is(verb)));
    // SELECT … INTO makes a table in PostgreSQL and a file in MySQL.
    let into = dialect != Dialect::Sqlite && at_top(main).any(|token| token.is("into"));
    let pragma = (class == Class::Pragma).then(|| read_pragma(main)).flatten();
    Facts {
        class,
        verb: full_verb(class, main, verb),
        writes: class != Class::Select || with_writes || into,
        bounded: class == Class::Update && main[0].is("merge")
            || at_top(main).any(|token| token.is("where")),
        fills: fills(main),
        pragma,
    }
}

/// Splits `WITH … AS (…), …` from the statement that follows it.
pub(super) fn split_with<'t, 'a>(code: &'t [Token<'a>]) -> (&'t [Token<'a>], &'t [Token<'a>]) {
    let (_, end) = common_tables(code);
    code.split_at(end)
}

/// Names of the common table expressions that a statement begins with, and where it goes on after them.
pub(super) fn common_tables(code: &[Token<'_>]) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    if !code.first().is_some_and(|token| token.is("with")) {
        return (names, 0);
    }
    let mut at = 1 + usize::from(word_at(code, 1, "recursive"));
    while let Some(name) = code.get(at).and_then(Token::name) {
        names.push(name);
        at += 1;
        at = skip_parens(code, at);
        if !word_at(code, at, "as") {
            break;
        }
        at += 1;
        at += usize::from(word_at(code, at, "not"));
        at += usize::from(word_at(code, at, "materialized"));
        at = skip_parens(code, at);
        if code.get(at).is_none_or(|token| token.kind != Kind::Comma) {
            break;
        }
        at += 1;
    }
    (names, at.min(code.len()))
}

pub(super) fn word_at(code: &[Token<'_>], at: usize, word: &str) -> bool {
    code.get(at).is_some_and(|token| token.is(word))
}

/// Past the parenthesis that opens at `at`; `at` itself where none does.
pub(super) fn skip_parens(code: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_u32;
    for (index, token) in code.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if token.kind == Kind::Close { index + 1 } else { at };
        }
    }
    if depth > 0 { code.len() } else { at }
}

/// The words outside of all parentheses.
pub(super) fn at_top<'t, 'a>(code: &'t [Token<'a>]) -> impl Iterator<Item = &'t Token<'a>> {
    let mut depth = 0_u32;
    code.iter().filter(move |token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// `create table`, `drop index`; for the rest the first word.
fn full_verb(class: Class, main: &[Token<'_>], verb: String) -> String {
    const KINDS: [&str; 8] =
        ["table", "index", "view", "trigger", "function", "procedure", "schema", "sequence"];
    if class != Class::Ddl {
        return verb;
    }
    let kind = main.iter().take(5).find_map(|t| KINDS.into_iter().find(|kind| t.is(kind)));
    kind.map_or_else(|| verb.clone(), |kind| format!("{verb} {kind}"))
}

/// The table of `CREATE [TEMP] TABLE [IF NOT EXISTS] [schema.]name AS …`.
fn fills(main: &[Token<'_>]) -> Option<Vec<String>> {
    let mut at = 1;
    if !word_at(main, 0, "create") {
        return None;
    }
    while ["temp", "temporary", "unlogged"].iter().any(|word| word_at(main, at, word)) {
        at += 1;
    }
    if !word_at(main, at, "table") {
        return None;
    }
    at += 1;
    if word_at(main, at, "if") {
        at += 3;
    }
    let mut path = vec![main.get(at)?.name()?];
    at += 1;
    while main.get(at).is_some_and(|token| token.text == ".") {
        path.push(main.get(at + 1)?.name()?);
        at += 2;
    }
    at_top(&main[at..]).any(|token| token.is("as") || token.is("select")).then_some(path)
}

fn read_pragma(main: &[Token<'_>]) -> Option<(String, bool)> {
    let dotted = main.get(2).is_some_and(|token| token.text == ".");
    let at = if dotted { 3 } else { 1 };
    let name = main.get(at)?.name()?.to_ascii_lowercase();
    Some((name, main.len() > at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split;

    fn facts(dialect: Dialect, text: &str) -> Facts {
        let script = split(dialect, text);
        assert_eq!(script.statements.len(), 1, "{text}");
        Facts::of(dialect, &script.statements[0])
    }

    #[test]
    fn the_verb_after_common_tables_decides() {
        for (text, class, writes) in [
            ("select 1", Class::Select, false),
            (
                "with recursive a(x) as (select 1), b as not materialized (select 2) select * from a, b",
                Class::Select,
                false,
            ),
            ("with replace as (select 1) select * from replace", Class::Select, false),
            ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", Class::Insert, true),
            (
                "with a as (select 1) update t set x = 1 where y in (select * from a)",
                Class::Update,
                true,
            ),
            ("replace into t values (1)", Class::Insert, true),
            ("values (1, 2)", Class::Select, false),
            ("explain query plan delete from t", Class::Select, false),
            ("-- c\nEND", Class::TransactionControl, true),
            ("pragma foreign_key_check", Class::Pragma, true),
            ("detach x", Class::Attach, true),
            ("vacuum into 'x'", Class::Vacuum, true),
            ("analyze", Class::Other, true),
        ] {
            let found = facts(Dialect::Sqlite, text);
            assert_eq!((found.class, found.writes), (class, writes), "{text}");
        }
        let postgres =
            facts(Dialect::Postgres, "with a as (delete from t returning *) select * from a");
        assert_eq!((postgres.class, postgres.writes), (Class::Select, true));
        assert!(facts(Dialect::Postgres, "explain analyze delete from t").writes);
        assert!(facts(Dialect::Postgres, "select * into u from t").writes);
    }

    #[test]
    fn a_where_of_a_subquery_is_not_a_limit() {
        let bounded = |text| facts(Dialect::Sqlite, text).bounded;
        assert!(bounded("update t set x = 1 where y = 2"));
        assert!(!bounded("update t set x = (select max(z) from u where z < 9)"));
        assert!(!bounded("with a as (select 1 where 1) delete from t"));
        assert!(bounded("delete from t where true returning *"));
    }

    #[test]
    fn tables_filled_by_create_and_pragmas_are_named() {
        let fills = |text| facts(Dialect::Sqlite, text).fills.map(|path| path.join("/"));
        assert_eq!(fills("create table b as select 1").as_deref(), Some("b"));
        let text = "create temp table if not exists main.\"b c\" as select 1";
        assert_eq!(fills(text).as_deref(), Some("main/b c"));
        assert_eq!(fills("create table b (x int default (1) check (x as y))"), None);
        let pragma = |text| facts(Dialect::Sqlite, text).pragma;
        assert_eq!(pragma("PRAGMA Foreign_Keys = off"), Some(("foreign_keys".into(), true)));
        assert_eq!(pragma("pragma main.user_version"), Some(("user_version".into(), false)));
        assert_eq!(facts(Dialect::Sqlite, "drop table if exists x").verb, "drop table");
    }
}
