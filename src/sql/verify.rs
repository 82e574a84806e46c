//! Whether a verification can fail at all: one SELECT that reads a table and computes its `ok`.

use super::class::{common_tables, split_with, word_at};
use super::lexer::{Kind, Token};

/// Tables that the words of a statement name after FROM and JOIN, in all its parts: neither its own common table
/// expressions nor functions such as `json_each(…)`. SQLite's `pragma_…` functions read the schema and count.
pub(super) fn tables(code: &[Token<'_>]) -> Vec<String> {
    let mut own = Vec::new();
    for at in 0..code.len() {
        own.extend(common_tables(&code[at..]).0);
    }
    let mut found = Vec::new();
    // One entry for each open parenthesis: whether a SELECT began there, and whether its FROM list goes on.
    let mut levels = vec![Level::default()];
    // The next word names a relation.
    let mut expected = false;
    for (at, token) in code.iter().enumerate() {
        let Some(level) = levels.last_mut() else { break };
        match token.kind {
            Kind::Open => {
                // `from (a join b)` names relations in parentheses without a SELECT.
                let list = expected;
                levels.push(Level { select: list, list });
                continue;
            }
            Kind::Close => {
                if levels.len() > 1 {
                    levels.pop();
                }
                expected = false;
                continue;
            }
            Kind::Comma => {
                expected = level.list;
                continue;
            }
            Kind::Word if token.is("select") => {
                *level = Level { select: true, list: false };
                expected = false;
            }
            // `is distinct from` compares; `extract(year from d)` stands where no SELECT began.
            Kind::Word if token.is("from") => {
                let compares = at > 0 && code[at - 1].is("distinct");
                if level.select && !compares {
                    level.list = true;
                    expected = true;
                }
            }
            Kind::Word if token.is("join") => expected = level.list,
            Kind::Word if LIST_ENDS.iter().any(|word| token.is(word)) => {
                level.list = false;
                expected = false;
            }
            Kind::Word | Kind::Name if expected => {
                expected = false;
                found.extend(relation(code, at, &own));
            }
            _ => {}
        }
    }
    found
}

#[derive(Default)]
struct Level {
    select: bool,
    list: bool,
}

const LIST_ENDS: [&str; 9] =
    ["where", "group", "order", "having", "limit", "union", "except", "intersect", "window"];

/// The table that begins at `at`, if it is one.
fn relation(code: &[Token<'_>], at: usize, own: &[String]) -> Option<String> {
    let mut end = at;
    while code.get(end + 1).is_some_and(|token| token.text == ".") {
        end += 2;
    }
    let name = code.get(end)?.name()?;
    let function = code.get(end + 1).is_some_and(|token| token.kind == Kind::Open);
    let of_schema = name.to_ascii_lowercase().starts_with("pragma_");
    let common = end == at && own.iter().any(|own| own.eq_ignore_ascii_case(&name));
    (!common && (!function || of_schema)).then_some(name)
}

/// One arm of a (compound) SELECT.
pub(super) struct Arm {
    /// Within the statement, from 1.
    pub(super) line: u32,
    /// Columns; `None` where a `*` hides how many.
    pub(super) columns: Option<usize>,
    /// Which columns are the same whatever the database holds; none where a `*` hides them.
    constants: Vec<bool>,
}

impl Arm {
    /// Whether a column, counted from 0, is the same whatever the database holds.
    pub(super) fn is_constant(&self, column: usize) -> bool {
        self.constants.get(column).is_some_and(|constant| *constant)
    }
}

/// The arms of the outermost SELECT, common table expressions left out.
pub(super) fn arms(code: &[Token<'_>]) -> Vec<Arm> {
    let (_, main) = split_with(code);
    let mut arms = Vec::new();
    let mut depth = 0_u32;
    for (at, token) in main.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ if depth == 0 && token.is("select") => arms.push(arm(main, at)),
            _ => {}
        }
    }
    arms
}

fn arm(main: &[Token<'_>], select: usize) -> Arm {
    let mut at = select + 1;
    at += usize::from(word_at(main, at, "distinct") || word_at(main, at, "all"));
    let mut columns: Vec<&[Token<'_>]> = Vec::new();
    let mut begin = at;
    let mut depth = 0_u32;
    while let Some(token) = main.get(at) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Comma if depth == 0 => {
                columns.push(&main[begin..at]);
                begin = at + 1;
            }
            Kind::Word
                if depth == 0
                    && (token.is("from") && !main[at - 1].is("distinct")
                        || LIST_ENDS.iter().any(|word| token.is(word))) =>
            {
                break;
            }
            _ => {}
        }
        at += 1;
    }
    columns.push(&main[begin..at]);
    let star = |column: &&[Token<'_>]| column.last().is_some_and(|token| token.text == "*");
    let shown = !columns.iter().any(star);
    Arm {
        line: main[select].line,
        columns: shown.then_some(columns.len()),
        constants: columns.iter().filter(|_| shown).map(|column| is_constant(column)).collect(),
    }
}

/// Whether an expression is made of literals alone: `1`, `true`, `1 = 1 as ok`.
fn is_constant(column: &[Token<'_>]) -> bool {
    let alias = column.iter().rposition(|token| token.is("as")).unwrap_or(column.len());
    // `1 ok` names its column without AS.
    let bare = alias == column.len()
        && alias > 1
        && column[alias - 1].name().is_some()
        && matches!(column[alias - 2].kind, Kind::Number | Kind::Text | Kind::Close);
    let value = &column[..alias - usize::from(bare)];
    const LITERALS: [&str; 6] = ["true", "false", "null", "not", "and", "or"];
    value.iter().all(|token| match token.kind {
        Kind::Word => LITERALS.iter().any(|word| token.is(word)),
        Kind::Name => false,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, split};

    fn on<T>(text: &str, read: impl Fn(&[Token<'_>]) -> T) -> T {
        let script = split(Dialect::Sqlite, text);
        read(&script.statements[0].code(Dialect::Sqlite))
    }

    #[test]
    fn tables_are_told_from_what_only_looks_like_one() {
        for (text, expected) in [
            ("select 'x', 1, ''", ""),
            ("with t(x) as (values (1)) select 'x', x, '' from t", ""),
            ("select * from json_each('[1]') j, (select 1)", ""),
            ("select 'from a', 1 is distinct from b, 2", ""),
            (
                "select 'x', (select count(*) from account a where a.x in (select y from fee)), ''",
                "account fee",
            ),
            (
                "select * from a join main.\"b c\" as d on a.x = d.x, e left join (f, g) where 1",
                "a b c e f g",
            ),
            ("with t as (select * from real_one) select * from t", "real_one"),
            ("select name, 1, '' from pragma_table_info('account')", "pragma_table_info"),
            ("select 1 from a union all select 2 from b order by 1, 2", "a b"),
        ] {
            assert_eq!(on(text, tables).join(" "), expected, "{text}");
        }
        let text = "select extract(year from d), substring(s from 2) from log";
        let script = split(Dialect::Postgres, text);
        assert_eq!(tables(&script.statements[0].code(Dialect::Postgres)), ["log"]);
    }

    #[test]
    fn a_constant_ok_is_found_in_each_arm() {
        let read =
            |text| on(text, arms).iter().map(|a| (a.columns, a.is_constant(1))).collect::<Vec<_>>();
        assert_eq!(read("select 'a', 1, '' from t"), [(Some(3), true)]);
        assert_eq!(read("select 'a', (1 = 1) ok, '' from t"), [(Some(3), true)]);
        assert_eq!(read("select 'a', not false as ok, '' from t"), [(Some(3), true)]);
        assert_eq!(read("select 'a', sum(x) = 0 as ok, f(1, 2) from t"), [(Some(3), false)]);
        assert_eq!(read("select distinct 'a', ok from t"), [(Some(2), false)]);
        assert_eq!(read("with c as (select 'a', 1, '' from t) select * from c"), [(None, false)]);
        let both = "select 'a', x, '' from t union all\nselect 'b', true, '' from t where y";
        assert_eq!(read(both), [(Some(3), false), (Some(3), true)]);
        assert_eq!(on(both, arms)[1].line, 2);
    }
}
