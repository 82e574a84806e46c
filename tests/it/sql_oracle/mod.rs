//! What the splitter and the lint say of scripts, against the servers themselves.

use nightrun::sql::lint::{self, Mode, Rule};
use nightrun::sql::{Dialect, split};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Statements of a text that a server says it has done, all sent as one message.
macro_rules! counted {
    ($db:expr, $text:expr) => {{
        let answers = $db.fetch_many(sqlx::raw_sql(AssertSqlSafe($text.to_owned())));
        let ends =
            answers.try_filter_map(async |item| Ok(matches!(item, Either::Left(_)).then_some(())));
        ends.try_collect::<Vec<()>>().await.map(|ends| ends.len())
    }};
}

macro_rules! run {
    ($db:expr, $text:expr) => {
        $db.execute(sqlx::raw_sql(AssertSqlSafe($text.to_owned()))).await
    };
}

mod mariadb;
mod postgres;

/// What may stand between statements without being one.
const BETWEEN: [&str; 6] =
    ["; ", ";\n", ";\r\n\t", "; -- note; 'it\n", ";/* a; b */", " ; --\n -- $$\n"];

/// Runs a property whose cases ask a server.
fn scripts_hold(
    statements: &'static [&'static str],
    mut counted: impl FnMut(&str) -> Result<usize, sqlx::Error>,
    dialect: Dialect,
) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let parts = prop::collection::vec((0..statements.len(), 0..BETWEEN.len()), 1..12);
    let counted = std::cell::RefCell::new(&mut counted);
    let ran = runner.run(&(parts, any::<bool>()), |(parts, ended)| {
        let mut text = String::new();
        for (index, (statement, between)) in parts.iter().enumerate() {
            text.push_str(statements[*statement]);
            text.push_str(match index + 1 < parts.len() {
                true => BETWEEN[*between],
                false if ended => ";",
                false => "",
            });
        }
        let mut count = counted.borrow_mut();
        let expected = count(&text).map_err(|why| TestCaseError::fail(format!("{why}: {text}")))?;
        prop_assert_eq!(expected, parts.len(), "{}", text);
        let script = split(dialect, &text);
        prop_assert_eq!(script.statements.len(), expected, "{}", text);
        for statement in &script.statements {
            let alone =
                count(statement.text).map_err(|why| TestCaseError::fail(why.to_string()))?;
            prop_assert_eq!(alone, 1, "{}", statement.text);
        }
        Ok(())
    });
    ran.unwrap();
}

/// Whether the lint refuses a statement in one transaction by this rule.
fn refused_by(dialect: Dialect, statement: &str, rule: Rule) -> bool {
    let found = lint::script(dialect, statement, Mode::OneTransaction);
    found.iter().any(|finding| finding.rule == rule)
}

/// Hazards of a change.sql.
fn hazards(dialect: Dialect, statement: &str) -> Vec<Rule> {
    let (backup, rollback) = (Some(""), Some(""));
    let scripts =
        lint::ChangeScripts { backup, change: statement, verify: "", rollback, kept: &[] };
    let found = lint::change(dialect, Mode::Journalled, &scripts);
    found.iter().map(|finding| finding.rule).collect()
}
