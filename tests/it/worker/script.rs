//! The `sql` task.

use sqlx::Executor;

use super::places::connect;
use super::*;

#[test]
fn a_script_is_committed_as_one_and_told_line_by_line() {
    let bench = Bench::new();
    let left = bench.sql(
        "-- the ledger\r\ncreate table ledger (account text, 金额 real);\r\n\r\n\
         insert into ledger values ('利息', 12.5), ('fee', -12.5), (null, 0);\r\n\
         update ledger set account = 'none' where account is null;\r\n\
         create trigger t after delete on ledger begin select 1; end;\r\n\
         select * from ledger order by account;",
    );
    assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
    assert_eq!(left.work, Some(Work::Sql { statements: 5, rows: 4 }));
    assert_eq!(bench.row("select count(*), sum(金额) from ledger"), "3|0.0");
    for part in
        ["job.sql:2 ", "create table", "job.sql:4 ", "3 rows", " fee", " 利息", "12.5", "COMMIT"]
    {
        assert!(left.out.contains(part), "`{part}` in\n{}", left.out);
    }
    assert_eq!(
        left.steps.iter().filter(|s| !matches!(s, Step::Statement { .. })).collect::<Vec<_>>(),
        [
            &Step::Intent { what: "job.sql".into(), target: bench.target(), content_digest: None },
            &Step::Started,
            &Step::Precommit { rows: 4 },
            &Step::Committed,
        ]
    );
    assert_eq!(bench.row("pragma journal_mode"), "wal");
    // A job that copies the file must get all of it.
    assert!(!bench.path("bank.db-wal").exists(), "the log was not folded into the file");
}

#[test]
fn a_failing_statement_takes_everything_back() {
    let bench = Bench::new();
    let left = bench.sql(
        "create table t (x int check (x < 3));\ninsert into t values (1);\n\n\
                          insert into t\nvalues (5);\ninsert into t values (2);",
    );
    assert_eq!(left.code, Some(1));
    assert_eq!(left.work, Some(Work::Sql { statements: 0, rows: 0 }));
    assert_eq!(
        left.err,
        "job.sql:4: statement 3 (insert): CHECK constraint failed: x < 3\n\
         all of it was rolled back: nothing of this script stays\n"
    );
    assert_eq!(bench.rows("select name from sqlite_schema"), [""; 0]);
}

#[test]
fn a_transaction_that_the_database_ends_is_not_continued() {
    let bench = Bench::new();
    bench.execute(
        "create table t (x int unique); insert into t values (1);
         create trigger g before insert on t when new.x = 7 begin select raise(rollback, 'no sevens'); end;",
    );
    for bad in ["insert into t values (7)", "insert or rollback into t values (1)"] {
        let left =
            bench.sql(format!("insert into t values (2);\n{bad};\ninsert into t values (3)"));
        assert_eq!(left.code, Some(1), "{}", left.out);
        assert!(left.err.starts_with("job.sql:2: statement 2 (insert): "), "{}", left.err);
        assert_eq!(bench.row("select group_concat(x) from t"), "1");
    }
    // Refused only at COMMIT.
    let left = bench.sql(
        "create table child (x int references t(x) deferrable initially deferred);\n\
         insert into child values (99);",
    );
    assert_eq!(left.code, Some(1));
    assert!(left.err.starts_with("COMMIT: FOREIGN KEY constraint failed"), "{}", left.err);
    assert_eq!(bench.row("select count(*) from sqlite_schema where name = 'child'"), "0");
}

#[test]
fn what_breaks_a_rule_is_refused_before_anything_is_touched() {
    for (text, words) in [
        (
            &b"create table t (x);\nCOMMIT;"[..],
            "job.sql:2: error: COMMIT: the script runs in one transaction",
        ),
        (b"-- nothing", "[empty-script]"),
        (b"select 1;\nselect '\xe4'", "job.sql is not UTF-8: byte 0xE4 on line 2"),
    ] {
        let bench = Bench::new();
        let left = bench.sql(text);
        assert_eq!(left.code, Some(5), "{}", left.err);
        assert!(left.err.contains(words), "{}", left.err);
        assert!(!bench.target().exists());
    }
}

#[test]
fn without_a_transaction_what_was_done_stays() {
    let bench = Bench::new();
    let text =
        "create table t (x);\ninsert into t values (1), (2);\ninsert into u values (1);\nvacuum";
    let left = bench.run(&bench.sql_task(text, Transaction::None));
    assert_eq!(left.code, Some(3));
    assert_eq!(left.work, Some(Work::Sql { statements: 2, rows: 2 }));
    assert!(left.err.contains("job.sql:3: statement 3 (insert): no such table: u"), "{}", left.err);
    assert!(
        left.err.contains("2 of 4 statements stay (2 rows); the rest was not run"),
        "{}",
        left.err
    );
    assert_eq!(bench.row("select count(*) from t"), "2");
    let left = bench.run(&bench.sql_task("nonsense", Transaction::None));
    assert_eq!(left.code, Some(1), "{}", left.err);
    let left = bench.run(&bench.sql_task("vacuum; pragma optimize", Transaction::None));
    assert_eq!(left.code, Some(0), "{}", left.err);
}

#[test]
fn a_select_can_be_a_check() {
    let bench = Bench::new();
    let balance = "create table if not exists ledger (x int);\ninsert into ledger values (5);\n\
                   -- The books balance.\n-- expect: none\nselect sum(x) from ledger having sum(x) <> 0;";
    let left = bench.sql(balance);
    assert_eq!(left.code, Some(1));
    assert!(left.out.contains("sum(x)"), "the offending rows are shown:\n{}", left.out);
    assert!(
        left.err.starts_with(
            "job.sql:5: statement 3 (select): no row was expected, and there is 1 row"
        ),
        "{}",
        left.err
    );
    assert_eq!(bench.row("select count(*) from sqlite_schema"), "0");
    let rows = "create table t (x);\n-- expect: rows\nselect * from t";
    assert!(bench.sql(rows).err.contains("rows were expected, and there are none"));
    let good = "create table t (x); insert into t values (1);\n-- expect: rows\nselect * from t;\n\
                -- expect: none\npragma foreign_key_check;";
    assert_eq!(bench.sql(good).code, Some(0));
}

#[test]
fn another_writer_is_waited_for() {
    let bench = Bench::new();
    bench.execute("pragma journal_mode = wal; create table t (x)");
    on(async {
        let mut other = connect(&bench.target()).await;
        other.execute(sqlx::raw_sql("begin immediate; insert into t values (1)")).await.unwrap();
        let worker = bench.start(&bench.sql_task("update t set x = x + 1", Transaction::One));
        until("BEGIN", || bench.steps().contains(&Step::Started));
        other.execute(sqlx::raw_sql("commit")).await.unwrap();
        let left = bench.left(worker.wait_with_output().unwrap());
        assert_eq!(left.code, Some(0), "{}", left.err);
        assert_eq!(left.work, Some(Work::Sql { statements: 1, rows: 1 }));
    });
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let bench = Bench::new();
    bench.execute("pragma journal_mode = wal; create table t (x)");
    let task = bench.sql_task(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)\n\
         insert into t select hex(randomblob(100)) from n",
        Transaction::One,
    );
    let left = bench.on_full_disk(&bench.command(&task, FIRST));
    assert_eq!(left.code, Some(1), "{}{}", left.out, left.err);
    assert!(left.err.starts_with("COMMIT: "), "{}", left.err);
    assert_eq!(bench.row("select count(*) from t"), "0");
}

#[test]
fn a_task_that_cannot_be_read_is_told() {
    let bench = Bench::new();
    let mut command = bench.command(&bench.sql_task("select 1", Transaction::One), FIRST);
    bench.write("task.json", "{\"task\": \"dance\"}");
    let left = bench.left(command.output().unwrap());
    assert_eq!(left.code, Some(2));
    assert!(left.err.contains("task.json cannot be read: unknown variant `dance`"), "{}", left.err);
}
