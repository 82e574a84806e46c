//! What each mode allows, by dialect.

use super::*;

/// What is wrong with a change.sql but for its hazards, as `line:rule`.
fn defects(dialect: Dialect, mode: Mode, change_sql: &str) -> String {
    let scripts = ChangeScripts { change: change_sql, ..GOOD };
    let told = |f: &&Finding| f.part == Some(Part::Change) && f.severity != Severity::Hazard;
    let found = change(dialect, mode, &scripts);
    let named: Vec<_> =
        found.iter().filter(told).map(|f| format!("{}:{}", f.line, f.rule)).collect();
    named.join(" ")
}

#[track_caller]
fn hold(dialect: Dialect, mode: Mode, table: &[(&str, &str)]) {
    for (source, expected) in table {
        assert_eq!(defects(dialect, mode, source), *expected, "{source}");
    }
}

const IN_ONE: Mode = Mode::OneTransaction;

#[test]
fn a_transactional_change_on_postgres_leaves_transaction_and_session_alone() {
    hold(
        Dialect::Postgres,
        IN_ONE,
        &[
            (
                "create table t (x int);\nset local search_path = a;\nset constraints all deferred;\ndo $$ begin end $$",
                "",
            ),
            (
                "begin;\ncommit;\nend;\nrollback;\nsavepoint a;\nrelease a;\nabort;\nprepare transaction 'x';\ncreate table t (x int)",
                "1:transaction-control 2:transaction-control 3:transaction-control 4:transaction-control 5:transaction-control 6:transaction-control 7:transaction-control 8:transaction-control",
            ),
            ("set transaction read only;\ncreate table t (x int)", "1:transaction-control"),
            (
                "create table t (x int);\nset work_mem = '1GB';\nreset all;\ndiscard all;\nset role x;\nset session x = 1",
                "2:session-state 3:session-state 4:session-state 5:session-state 6:session-state",
            ),
            (
                "set local lock_timeout = 0;\nset local statement_timeout to 0;\ncreate table t (x int)",
                "1:session-state 2:session-state",
            ),
            (
                "select set_config('a.b', f(1, 2), false);\nselect set_config('a.b', '1', true)",
                "1:session-state",
            ),
            (
                "select pg_advisory_unlock_all();\nselect pg_catalog.pg_advisory_unlock(1)",
                "1:advisory-unlock 2:advisory-unlock",
            ),
            ("\\set x it's;\ncreate table t (x int) \\gx\n", "1:client-command 2:client-command"),
            (
                "insert into t values (:id);\ninsert into t values (:'id', a[1:n], b::int, '\\x');",
                "1:client-command 2:client-command",
            ),
            (
                "copy t from program 'curl x';\ncopy t from stdin;\ncopy t to stdout (format csv);\ncopy t from 'file'",
                "1:copy-program 2:copy-stream 3:copy-stream",
            ),
            (
                "create index concurrently i on t (x);\nvacuum t;\nreindex (concurrently) index i;\nalter system set x = 1;\ndrop database d",
                "1:refuses-transaction 2:refuses-transaction 3:refuses-transaction 4:refuses-transaction 5:refuses-transaction",
            ),
            (
                "-- c\nupdate t set x = 1 where y;\nvacuum t",
                "2:mixed-statements 3:refuses-transaction",
            ),
            ("alter type mood add value 'x'", "1:enum-value"),
            ("-- done_when: select x from t\ncreate table u (x int)", "2:done-when"),
            ("with gone as (delete from t) insert into u select 1", "1:dml-without-where"),
            (
                "with gone as (delete from t where x = 1 returning *) insert into u select * from gone;\r\ntruncate v",
                "",
            ),
            ("select setval('s', 100)", ""),
            ("select count(*) from t", "1:empty-script"),
        ],
    );
}

#[test]
fn a_transactional_change_on_mysql_commits_nothing_by_the_way() {
    hold(
        Dialect::Mysql,
        IN_ONE,
        &[
            (
                "insert into t values (1);\nset @a = 1, @b = (select 2);\ncreate temporary table u (x int);\ndrop temporary table u",
                "",
            ),
            (
                "alter table t add x int, algorithm=instant;\ncreate or replace view v as select 1;\ntruncate t;\ngrant select on t to u",
                "1:implicit-commit 2:implicit-commit 3:implicit-commit 4:implicit-commit",
            ),
            (
                "start transaction;\nbegin;\nxa start 'x';\nset transaction read only;\ninsert into t values (1)",
                "1:transaction-control 2:transaction-control 3:transaction-control 4:transaction-control",
            ),
            (
                "insert into t values (1);\nset autocommit = 1",
                "1:mixed-statements 2:implicit-commit",
            ),
            (
                "use other;\nset names utf8mb4;\nset session sql_mode = '';\nset statement max_statement_time = 1 for delete from t where x;\nset foreign_key_checks = 0;\ninsert into t values (1)",
                "1:session-state 2:session-state 3:session-state 4:session-state",
            ),
            (
                "do release_lock('x');\nselect release_all_locks() from t",
                "1:advisory-unlock 2:advisory-unlock",
            ),
            (
                "/*!40101 commit */;\nsource x.sql;\ninsert into t values ('\\'') \\G\n",
                "1:executable-comment 2:client-command 3:client-command",
            ),
            ("load data local infile 'x' into table t", "1:copy-stream"),
            (
                "select 'not one /*! of */', \"commit;\" from t; insert into t values (1) -- commit;\n# commit;\n",
                "",
            ),
        ],
    );
}

#[test]
fn a_journalled_change_can_be_told_statement_by_statement() {
    hold(
        Dialect::Postgres,
        Mode::Journalled,
        &[
            (
                "-- done_when: select indisvalid from pg_index where indexrelid = to_regclass('i')\r\ncreate index concurrently i on t (x);\r\nselect 1 from t;",
                "",
            ),
            (
                "create table a (x int);\n-- done_when: select true\nvacuum t",
                "1:done-when-missing 2:done-when",
            ),
            ("update t set x = 1 where y = 2", "1:journalled-dml"),
            ("update t set x = 1", "1:dml-without-where 1:journalled-dml"),
            (
                "-- done_when: select x from t\nset local x = 1;\n-- done_when: select x from t\nset x = 1;\nbegin",
                "2:session-state 4:session-state 5:transaction-control",
            ),
            (
                "-- done_when: select not exists (select from pg_class where relname = 'x')\ndrop table x",
                "",
            ),
        ],
    );
    hold(
        Dialect::Mysql,
        Mode::Journalled,
        &[
            (
                "delimiter //\n-- done_when: select count(*) = 1 from information_schema.routines where routine_name = 'p'\ncreate procedure p() begin select 1; commit; end//\ndelimiter ;\nset autocommit = 0",
                "5:done-when-missing",
            ),
            ("-- done_when: select count(*) = 0 from t\ntruncate t", ""),
        ],
    );
    // The way back is told as well; what the backup has left halfway has changed nothing.
    let scripts = ChangeScripts {
        backup: Some("create table b as select * from t"),
        change: "-- done_when: select x from t\ncreate table u (x int)",
        rollback: Some("drop table u;\ndrop table t"),
        ..GOOD
    };
    let found = change(Dialect::Postgres, Mode::Journalled, &scripts);
    let told: Vec<_> =
        found.iter().map(|f| (f.part.unwrap(), f.line, f.rule, f.severity)).collect();
    assert_eq!(
        told,
        [
            (Part::Rollback, 1, Rule::DoneWhenMissing, Severity::Defect),
            (Part::Rollback, 2, Rule::DoneWhenMissing, Severity::Defect),
            (Part::Rollback, 2, Rule::DropTable, Severity::Hazard),
        ]
    );
    assert!(found[2].message.contains("deletes the table") && found[2].hint.is_some());
}

#[test]
fn a_job_may_do_what_only_a_change_may_not() {
    let job = |mode, source| names(&script(Dialect::Postgres, source, mode));
    assert_eq!(
        job(IN_ONE, "set work_mem = '1GB'; truncate stage; select pg_advisory_unlock(1)"),
        []
    );
    assert_eq!(
        job(IN_ONE, "vacuum t;\ncommit"),
        [("refuses-transaction", 1), ("transaction-control", 2)]
    );
    assert_eq!(
        job(Mode::EachAlone, "vacuum t; copy t from program 'x';\n\\q"),
        [("client-command", 2)]
    );
    assert_eq!(job(Mode::EachAlone, "-- done_when: select x from t\nvacuum t"), [("done-when", 2)]);
    assert_eq!(
        job(
            IN_ONE,
            "select $1 from t;\nprepare p as select $1;\ncreate function f(int) returns int begin atomic; select $1; end"
        ),
        [("parameter", 1)]
    );
    assert_eq!(job(Mode::EachAlone, "copy t from stdin"), [("copy-stream", 1)]);
}

#[test]
fn rules_are_called_by_their_names() {
    for rule in Rule::ALL {
        assert_eq!(Rule::named(rule.name()), Some(*rule));
    }
    assert_eq!(Rule::named("drop table"), None);
}
