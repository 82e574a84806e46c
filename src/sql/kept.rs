//! Which tables a backup script fills, so that somebody can count what is kept there.

use super::backup::{leading_path, quoted};
use super::class::Facts;
use super::lexer::Dialect;
use super::splitter::split;

/// Tables that a script makes and fills or inserts into, each once, in its order; schemas included where they are given.
pub fn tables(dialect: Dialect, backup: &str) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for statement in &split(dialect, backup).statements {
        let made = Facts::of(dialect, statement).fills;
        let code = statement.code(dialect);
        let into = code.iter().position(|token| token.is("into"));
        let into = into.map(|at| leading_path(dialect, &code[at + 1..]));
        let into = into.filter(|path| !path.is_empty());
        for table in made.into_iter().chain(into) {
            if !all.contains(&table) {
                all.push(table);
            }
        }
    }
    all
}

/// `SELECT` of the number of rows of a table.
pub fn count_of(dialect: Dialect, table: &[String]) -> String {
    let parts: Vec<String> = table.iter().map(|part| quoted(dialect, part)).collect();
    format!("SELECT count(*) FROM {}", parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_backup_fills_is_found_and_counted() {
        let found = |dialect, text| {
            let tables = tables(dialect, text);
            tables.iter().map(|table| count_of(dialect, table)).collect::<Vec<_>>().join("; ")
        };
        for (dialect, text, expected) in [
            (
                Dialect::Sqlite,
                "create table if not exists k as select * from fee",
                "SELECT count(*) FROM \"k\"",
            ),
            (
                Dialect::Postgres,
                "insert into Ops.\"Keep\" select * from fee; insert into ops.\"Keep\" (id) select 1",
                "SELECT count(*) FROM \"ops\".\"Keep\"",
            ),
            (
                Dialect::Mysql,
                "INSERT INTO `fee backup` SELECT * FROM fee; delete from x where true",
                "SELECT count(*) FROM `fee backup`",
            ),
            (Dialect::Sqlite, "select count(*) from fee", ""),
        ] {
            assert_eq!(found(dialect, text), expected, "{text}");
        }
    }
}
