//! `-- done_when: select …`: how to tell, after a crash, whether the statement below has been done (journalled mode).

use super::class::Facts;
use super::directive::{self, Stands};
use super::expect::Misplaced;
use super::splitter::{Script, Statement, split};
use super::verify;

const NAME: &str = "done_when";
const BEFORE: &str = "a `done_when:` comment stands on a line of its own before its statement";
const TWICE: &str = "two `done_when:` comments before one statement";
const ONE_SELECT: &str = "a `done_when:` comment holds one SELECT on one line";
const WRITES: &str = "a `done_when:` comment only reads";
const COLUMN: &str = "the SELECT of a `done_when:` comment gives one column, true or false";
const CONSTANT: &str =
    "the SELECT of a `done_when:` comment says the same whatever the database holds";

/// The probe before a statement. Only meaningful for scripts in which the lint finds none misplaced.
pub fn of<'a>(script: &Script<'a>, statement: &Statement<'a>) -> Option<&'a str> {
    directive::before(script, statement, NAME)
        .map(|directive| directive.words.trim_end_matches(';').trim_end())
}

/// Every probe of a script that would tell nothing.
pub(super) fn misplaced(script: &Script<'_>) -> Vec<Misplaced> {
    let told = |(probe, stands): (directive::Directive<'_>, Stands<'_, '_>)| {
        let message = match stands {
            Stands::Elsewhere => Some(BEFORE),
            Stands::Again => Some(TWICE),
            Stands::Before(_) => defect(script, probe.words),
        };
        message.map(|message| Misplaced { line: probe.line, message })
    };
    directive::all(script, NAME).filter_map(told).collect()
}

/// What is wrong with a probe.
fn defect(script: &Script<'_>, probe: &str) -> Option<&'static str> {
    let probe = split(script.dialect, probe);
    let [statement] = probe.statements.as_slice() else { return Some(ONE_SELECT) };
    if Facts::of(probe.dialect, statement).writes {
        return Some(WRITES);
    }
    match verify::arms(&statement.code(probe.dialect)).as_slice() {
        [arm] if arm.columns.is_some_and(|columns| columns != 1) => Some(COLUMN),
        [arm] if arm.is_constant(0) => Some(CONSTANT),
        [_] => None,
        _ => Some(ONE_SELECT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    #[test]
    fn a_probe_belongs_to_the_statement_after_it() {
        let script = split(
            Dialect::Postgres,
            "-- Ends in minutes.\r\n-- done_when: select to_regclass('i') is not null;\r\n\
             create index concurrently i on t (x);\r\nselect 1",
        );
        let found: Vec<_> = script.statements.iter().map(|s| of(&script, s)).collect();
        assert_eq!(found, [Some("select to_regclass('i') is not null"), None]);
        assert_eq!(misplaced(&script), []);
    }

    #[test]
    fn a_probe_that_would_tell_nothing_is_told() {
        for (source, line, message) in [
            ("create table t (x int); -- done_when: select 1 from t\n", 1, BEFORE),
            (
                "-- done_when: select a from t\n-- done_when: select a from t\ndrop table x",
                2,
                TWICE,
            ),
            ("\n-- done_when:\ndrop table x", 2, ONE_SELECT),
            ("-- done_when: select a from t; select b from t\ndrop table x", 1, ONE_SELECT),
            ("-- done_when: select a from t union select b from t\ndrop table x", 1, ONE_SELECT),
            ("-- done_when: delete from t\ndrop table x", 1, WRITES),
            ("-- done_when: select a, b from t\ndrop table x", 1, COLUMN),
            ("-- done_when: select true\ndrop table x", 1, CONSTANT),
        ] {
            let found = misplaced(&split(Dialect::Postgres, source));
            assert_eq!(found, [Misplaced { line, message }], "{source}");
        }
    }
}
