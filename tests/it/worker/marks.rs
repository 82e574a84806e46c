//! A target that has lost what was done there before takes no further change.

use super::change::{NEW, OLD};
use super::places::Of;
use super::servers::{bench, ledger, rates, run};
use super::*;
use crate::postgres_server::Server;
use nightrun::wire::Mark;

/// Another change of the same table, before which these are looked for.
fn later(bench: &Bench, marks: &[&str]) -> Left {
    bench
        .write("later/backup.sql", "insert into fee_backup select id, rate from fee where id = 4;");
    bench.write("later/change.sql", "update fee set rate = 41 where id = 4;");
    bench.write("later/verify.sql", "select 'x', count(*) = 1, 'x' from fee where rate = 41");
    bench.write("later/rollback.sql", "update fee set rate = 40 where id = 4;");
    let Task::Change(mut task) = bench.change_task((1, 1), "def") else { unreachable!() };
    task.change = ChangeId::new("later").unwrap();
    task.folder = bench.path("later");
    let mark = |attempt: &&str| Mark {
        change: ChangeId::new("fee").unwrap(),
        attempt: attempt.parse().unwrap(),
    };
    task.marks = marks.iter().map(mark).collect();
    bench.run_as(&Task::Change(task), "eod@2026-10-31#1/later/1")
}

#[track_caller]
fn refused(bench: &Bench, left: &Left, attempt: &str) {
    assert_eq!(
        (left.code, left.change().state),
        (Some(1), ChangeState::FailedClean),
        "{}",
        left.err
    );
    let named = format!("has no marker of what was done there: fee ({attempt})");
    assert!(left.why().contains("DRIFT") && left.why().contains(&named), "{}", left.why());
    assert!(left.err.contains("nothing was applied"), "{}", left.err);
    let rows = format!("select count(*) from {} where change_id = 'later'", ledger(bench));
    assert_eq!(bench.row(&rows), "0");
}

#[test]
fn a_postgres_that_was_restored_from_an_older_copy_takes_no_change_before_people_know() {
    let bench = bench(on(Place::on_postgres(Of::Shared(Server::shared()))));
    let Place::Postgres { server, database, .. } = &bench.place else { unreachable!() };
    let older = format!("{database}_older");
    let whole = |sql: &str| on(server.meddle("postgres", sql));
    whole(&format!("create database {older} template {database}"));
    assert_eq!(run(&bench, FIRST).code, Some(0));
    assert!(rates(&bench).starts_with(NEW));
    whole(&format!("drop database {database} with (force)"));
    whole(&format!("alter database {older} rename to {database}"));
    assert_eq!(rates(&bench), OLD);
    refused(&bench, &later(&bench, &[FIRST]), FIRST);
    assert_eq!(rates(&bench), OLD);
    // As soon as two people know, it is asked for no more.
    let left = later(&bench, &[]);
    assert_eq!((left.code, left.change().state), (Some(0), ChangeState::Done), "{}", left.err);
}

/// Each table as an older dump of it has it.
#[test]
fn a_mariadb_that_was_restored_from_an_older_copy_takes_no_change_before_people_know() {
    let bench = bench(on(Place::maria()));
    let Place::Maria { server, database, .. } = &bench.place else { unreachable!() };
    let older = format!("{database}_older");
    let tables = ["fee", "fee_backup", "nightrun_change_run"];
    let each =
        |of: &dyn Fn(&str) -> String| tables.iter().map(|table| of(table)).collect::<String>();
    let whole = |sql: &str| on(server.meddle("mysql", sql));
    let dump = |table: &str| {
        format!(
            "create table {older}.{table} like {database}.{table};
             insert into {older}.{table} select * from {database}.{table};"
        )
    };
    whole(&format!("create database {older}; {}", each(&dump)));
    assert_eq!(run(&bench, FIRST).code, Some(0));
    assert!(rates(&bench).starts_with(NEW));
    let restore = |table: &str| {
        format!(
            "drop table {database}.{table}; rename table {older}.{table} to {database}.{table};"
        )
    };
    whole(&each(&restore));
    assert_eq!(rates(&bench), OLD);
    refused(&bench, &later(&bench, &[FIRST]), FIRST);
    assert_eq!(rates(&bench), OLD);
    // As soon as two people know, it is asked for no more.
    let left = later(&bench, &[]);
    assert_eq!((left.code, left.change().state), (Some(0), ChangeState::Done), "{}", left.err);
}

#[test]
fn only_a_whole_change_of_that_run_and_job_is_a_marker_of_it() {
    for bench in [change::bench(), bench(on(Place::postgres())), bench(on(Place::maria()))] {
        assert_eq!(run(&bench, FIRST).code, Some(0));
        for other in [OTHER_RUN, "eod@2026-10-30#1/other/1"] {
            refused(&bench, &later(&bench, &[SECOND, other]), other);
        }
        // A look at what the first attempt had left has ended as the second.
        let left = later(&bench, &[FIRST, SECOND]);
        assert_eq!((left.code, left.change().state), (Some(0), ChangeState::Done), "{}", left.err);
        assert!(
            left.out.contains("it still has the markers of the last 2 changes"),
            "{}",
            left.out
        );
    }
    // Its last row is what says that all of it is there.
    let bench = bench(on(Place::postgres()));
    assert_eq!(run(&bench, FIRST).code, Some(0));
    bench.execute(&format!("delete from {} where step = 'ready'", ledger(&bench)));
    refused(&bench, &later(&bench, &[FIRST]), FIRST);
}
