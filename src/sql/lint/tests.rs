mod modes;

use super::*;

fn names(findings: &[Finding]) -> Vec<(&'static str, u32)> {
    findings.iter().map(|finding| (finding.rule.name(), finding.line)).collect()
}

fn one(source: &str) -> Vec<(&'static str, u32)> {
    names(&script(Dialect::Sqlite, source, Mode::OneTransaction))
}

const GOOD: ChangeScripts<'_> = ChangeScripts {
    backup: Some(
        "create table if not exists fee_backup (id, rate, attempt);\n\
             insert into fee_backup select id, rate, 'x' from fee where rate = 25;",
    ),
    change: "update fee set rate = 30 where rate = 25;",
    verify: "select 'no old rate', count(*) = 0, count(*) || ' left' from fee where rate = 25",
    rollback: Some("update fee set rate = b.rate from fee_backup b where b.id = fee.id;"),
    kept: &[],
};

fn changed(
    edit: impl FnOnce(&mut ChangeScripts<'static>),
) -> Vec<(&'static str, &'static str, u32)> {
    let mut scripts = GOOD;
    edit(&mut scripts);
    change(Dialect::Sqlite, Mode::OneTransaction, &scripts)
        .iter()
        .map(|f| (f.part.unwrap().file(), f.rule.name(), f.line))
        .collect()
}

#[test]
fn a_script_in_one_transaction_leaves_the_transaction_alone() {
    assert_eq!(one("create table t (x);\ninsert into t values (1);\n-- done\n"), []);
    assert_eq!(
        one("BEGIN;\ninsert into t values (1);\ncommit;\nsavepoint a; release a;\nEND"),
        [1, 3, 4, 4, 5].map(|line| ("transaction-control", line))
    );
    assert_eq!(one("attach 'x' as y;\nvacuum"), [("attach", 1), ("refuses-transaction", 2)]);
    assert_eq!(
        one(
            "pragma foreign_key_check;\npragma user_version = 3;\npragma foreign_keys = off;\npragma foreign_keys"
        ),
        [("pragma", 3)]
    );
    assert_eq!(one("-- nothing\n;"), [("empty-script", 1)]);
    assert_eq!(one("select 1;\nselect ?1 from t"), [("parameter", 2)]);
    assert_eq!(one("select 1;\nselect '\0'"), [("nul-byte", 2)]);
    assert_eq!(one("-- expect: none\ndelete from t"), [("expect", 1)]);
    let alone = script(Dialect::Sqlite, "attach 'x' as y; vacuum; begin", Mode::EachAlone);
    assert_eq!(names(&alone), [("transaction-control", 1)]);
}

#[test]
fn what_reads_in_another_order_is_warned_of_and_ticked_in_a_change() {
    let of_job = script(Dialect::Sqlite, "select 1 -- \u{2066}", Mode::OneTransaction);
    assert_eq!((of_job[0].rule, of_job[0].severity), (Rule::TurnedText, Severity::Warning));
    let change_sql = "update fee set rate = 30 where rate = 25; -- \u{202e}";
    let scripts = ChangeScripts { change: change_sql, ..GOOD };
    let of_change = change(Dialect::Sqlite, Mode::OneTransaction, &scripts);
    assert_eq!((of_change[0].rule, of_change[0].severity), (Rule::TurnedText, Severity::Hazard));
    assert_eq!(of_change.len(), 1);
}

#[test]
fn words_in_triggers_strings_and_comments_are_no_statements() {
    assert_eq!(
        one("create trigger t after insert on a begin delete from b; end;\n\
             insert into a values ('commit; begin'); /* rollback; */ -- vacuum;"),
        []
    );
}

#[test]
fn a_change_has_a_way_back_and_a_verification_that_can_fail() {
    assert_eq!(changed(|_| ()), []);
    assert_eq!(changed(|s| s.rollback = Some("-- none\n")), [("rollback.sql", "empty-script", 1)]);
    assert_eq!(
        changed(|s| s.rollback = Some("select 1 from fee")),
        [("rollback.sql", "empty-script", 1)]
    );
    assert_eq!(
        changed(|s| s.backup = Some("")),
        [("backup.sql", "empty-script", 1), ("change.sql", "no-backup", 1)]
    );
    assert_eq!(
        changed(|s| s.change = "select 1 from fee;\n update fee set rate = (select 1 where 1)"),
        [("change.sql", "dml-without-where", 2)]
    );
    assert_eq!(
        changed(|s| s.change = "insert into \"Nightrun_Change_Run\" values (1)"),
        [("change.sql", "marker-table", 1)]
    );
    for (verify, rule, line) in [
        ("select 'a', 1, ''", "verify-cannot-fail", 1),
        ("select 'a', 1 = 1, ''\nfrom fee", "verify-cannot-fail", 1),
        (
            "select 'a', rate > 1, '' from fee union all\nselect 'b', 1, '' from fee",
            "verify-cannot-fail",
            2,
        ),
        (
            "select 'a', rate > 1, '' from fee;\nselect 'b', rate > 2, '' from fee",
            "verify-cannot-fail",
            2,
        ),
        ("with c as (select 1 as x) select 'a', x = 1, '' from c", "verify-cannot-fail", 1),
        ("update fee set rate = 1 where 1", "verify-writes", 1),
        ("select count(*) = 0 from fee", "verify-shape", 1),
        ("-- expect: none\nselect 'a', rate > 1, '' from fee", "expect", 1),
        ("-- done_when: select 1\nselect 'a', rate > 1, '' from fee", "done-when", 1),
        ("", "empty-script", 1),
    ] {
        let found = changed(|s| s.verify = verify);
        assert!(found.contains(&("verify.sql", rule, line)), "{verify}: {found:?}");
    }
}

#[test]
fn a_condition_is_one_select() {
    let read = |source| names(&condition(Dialect::Sqlite, source));
    assert_eq!(read("select count(*) from rate where day = '2026-10-30'"), []);
    assert_eq!(read("delete from rate"), [("condition", 1)]);
    assert_eq!(read("select 1 from rate;\nselect 2 from rate"), [("condition", 2)]);
    let clock = condition(Dialect::Sqlite, "select time('now') > '23:00'");
    assert_eq!((names(&clock), clock[0].severity), (vec![("condition", 1)], Severity::Warning));
    assert_eq!(read(" "), [("empty-script", 1)]);
}

#[test]
fn kept_rows_are_those_of_the_tables_that_are_overwritten() {
    let kept: &'static [String] = Box::leak(Box::new(["Fee".to_owned(), "bank.tier".to_owned()]));
    let told = |dialect: Dialect, change: &str, rollback: Option<&str>| {
        let scripts = ChangeScripts { backup: None, change, rollback, kept, ..GOOD };
        let found = super::change(dialect, Mode::OneTransaction, &scripts);
        let defects = found.iter().filter(|f| f.severity == Severity::Defect);
        defects.map(|f| format!("{}:{}", f.line, f.rule)).collect::<Vec<_>>().join(" ")
    };
    let postgres = |change| told(Dialect::Postgres, change, None);
    assert_eq!(
        postgres("update fee set rate = 1 where rate = 2;\ndelete from only bank.tier where true"),
        ""
    );
    assert_eq!(
        postgres("update fees set rate = 1 where rate = 2;\ndelete from x.tier where true"),
        "1:no-backup 2:no-backup"
    );
    assert_eq!(
        postgres(
            "with gone as (delete from other where true returning *) update fee set rate = 1 where true"
        ),
        "1:no-backup"
    );
    let adds = "update fee set rate = 1 where rate = 2;\ninsert into fee values (1);\ncreate table t (x int);\nselect correct()";
    assert_eq!(postgres(adds), "2:rollback-missing 3:rollback-missing 4:rollback-missing");
    let back = Some("delete from fee where rate = 1; drop table t");
    assert_eq!(told(Dialect::Postgres, adds, back), "");
    assert_eq!(
        told(Dialect::Mysql, "update low_priority `fee` set rate = 1 where rate = 2", None),
        ""
    );
    assert_eq!(told(Dialect::Mysql, "replace into fee values (1)", None), "1:rollback-missing");
    let merge = "merge into fee using n on n.id = fee.id when matched then update set rate = 1";
    assert_eq!(postgres(merge), "1:rollback-missing");
    // What makes way for a row was perhaps not kept.
    let makes_way = "update or ignore fee set id = 2 where id = 1;\nUPDATE OR REPLACE fee set id = 2 where id = 1";
    assert_eq!(told(Dialect::Sqlite, makes_way, None), "2:rollback-missing");
}
