//! The SQLite splitter against SQLite itself.

use futures_util::TryStreamExt;
use nightrun::sql::{Dialect, split};
use proptest::prelude::*;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Either, Executor, SqliteConnection};

/// Whole statements that SQLite takes in any order and number, with everything that could mislead a splitter.
const STATEMENTS: [&str; 16] = [
    "select 1",
    "SELECT ';' || \"a;\" FROM t",
    "select [a;], `a;` from (select 1 as \"a;\") -- x; y\n",
    "select 'it''s; ' /* ; ' */, x'00'",
    "insert into t values (1, ';')",
    "insert into t select a, b from t where b = ';' limit 1",
    "update t set b = case when a > 1 then ';' else 'end;' end where a = 2",
    "create temp trigger if not exists g after insert on t begin update t set b = ';'; end",
    "CREATE TRIGGER IF NOT EXISTS h AFTER DELETE ON t WHEN old.a > 1 BEGIN\n\
     select case when 1 then 2 end; -- end;\ndelete from u where 0; /* ; */\nEND",
    "create table if not exists u (a int, \"end\" text default ';')",
    "with w(x) as (values (1), (2)) delete from t where a in (select x from w)",
    "explain query plan select 1",
    "explain create trigger i after insert on t begin select 1; select 2; end",
    "replace into t values (3, 'begin; end;')",
    "values (1), (2)",
    "select a -- begin\n from t /* trigger begin */ where b <> 'create trigger x begin'",
];

/// What may stand between statements without being one.
const BETWEEN: [&str; 8] = [
    "; ",
    ";\n",
    ";;",
    ";\r\n\t",
    "; -- note; 'it\n",
    ";/* a; b */",
    "\n;\u{feff}",
    ";/**/ ; --\n",
];

/// Statements that SQLite itself runs in a text.
async fn counted_by_sqlite(text: &str) -> Result<usize, sqlx::Error> {
    let mut db: SqliteConnection =
        SqliteConnectOptions::new().in_memory(true).disable_statement_logging().connect().await?;
    db.execute(sqlx::raw_sql("create table t (a int, b text); create table u (a int)")).await?;
    let answers = db.fetch_many(sqlx::raw_sql(AssertSqlSafe(text.to_owned())));
    let ends =
        answers.try_filter_map(async |item| Ok(matches!(item, Either::Left(_)).then_some(())));
    Ok(ends.try_collect::<Vec<()>>().await?.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_runs_as_many_statements_as_the_splitter_finds(
        parts in prop::collection::vec((0..STATEMENTS.len(), 0..BETWEEN.len()), 0..12),
        ended in any::<bool>(),
    ) {
        let mut text = String::new();
        for (index, (statement, between)) in parts.iter().enumerate() {
            text.push_str(STATEMENTS[*statement]);
            if ended || index + 1 < parts.len() {
                text.push_str(BETWEEN[*between]);
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let expected = runtime.block_on(counted_by_sqlite(&text)).unwrap();
        prop_assert_eq!(expected, parts.len());
        let script = split(Dialect::Sqlite, &text);
        prop_assert_eq!(script.statements.len(), expected, "{}", text);
        for statement in &script.statements {
            let alone = runtime.block_on(counted_by_sqlite(statement.text)).unwrap();
            prop_assert_eq!(alone, 1, "{}", statement.text);
        }
    }
}
