//! The `change` task.

use nightrun::wire::CutDecision;

use super::*;

/// A table of fees with three wrong rates, and a change that corrects them.
pub(super) fn bench() -> Bench {
    let bench = Bench::new();
    bench.execute(
        "create table fee (id integer primary key, rate int);
         insert into fee values (1, 25), (2, 25), (3, 25), (4, 40)",
    );
    bench.write(
        "fee/backup.sql",
        "create table if not exists fee_backup (id int, rate int);\n\
         delete from fee_backup where true;\n\
         insert into fee_backup select id, rate from fee where rate = 25;",
    );
    bench.write("fee/change.sql", "-- October\nupdate fee set rate = 30 where rate = 25;");
    bench.write("fee/verify.sql", VERIFY);
    bench.write(
        "fee/rollback.sql",
        "update fee set rate = (select b.rate from fee_backup b where b.id = fee.id)\n\
         where id in (select id from fee_backup);",
    );
    bench
}

const VERIFY: &str = "select 'old rates', count(*) = 0, count(*) || ' left' from fee where rate = 25\n\
                      union all select 'new rates', count(*) = 3, count(*) || ' rows' from fee where rate = 30";
/// Fails after the change as well, and says the same before it and after its rollback.
pub(super) const NEVER: &str = "select 'sum', sum(rate) = 0, 'sum ' || sum(rate) from fee";
pub(super) const OLD: &str = "25,25,25,40";
pub(super) const NEW: &str = "30,30,30,40";

pub(super) fn rates(bench: &Bench) -> String {
    bench.row("select rate from fee order by id")
}

fn steps_of_marker(bench: &Bench) -> String {
    bench.row("select attempt, step, rows from nightrun_change_run order by rowid")
}

fn run(bench: &Bench, attempt: &str) -> Left {
    bench.run_as(&bench.change_task((1, 3), "abc"), attempt)
}

/// Nothing of a refused change is in the target, not even the marker table.
fn untouched(bench: &Bench) {
    assert_eq!(rates(bench), OLD);
    assert_eq!(
        bench.row("select group_concat(name) from sqlite_schema where type = 'table'"),
        "fee"
    );
}

#[test]
fn a_change_is_applied_verified_and_told() {
    let bench = bench();
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.err.as_str()), (Some(0), ""), "{}", left.out);
    let work = left.change();
    assert_eq!((work.state, work.rows, work.backup_rows), (ChangeState::Done, 3, 3));
    assert_eq!(work.before.iter().map(|c| c.ok).collect::<Vec<_>>(), [false, false]);
    assert_eq!(
        work.after.iter().map(|c| c.detail.as_str()).collect::<Vec<_>>(),
        ["3 rows", "0 left"]
    );
    assert_eq!(work.why, None);
    assert_eq!(rates(&bench), NEW);
    assert_eq!(
        steps_of_marker(&bench),
        format!("{FIRST}|started|NULL,{FIRST}|before|NULL,{FIRST}|backup|3,{FIRST}|ready|3")
    );
    let names: Vec<String> = left
        .steps
        .iter()
        .map(|step| serde_json::to_value(step).unwrap()["step"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names.join(" "),
        "intent before started marker backup statement statement statement statement guards precommit committed verify ended"
    );
}

#[test]
fn the_same_run_never_applies_it_twice_and_another_run_may() {
    let bench = bench();
    assert_eq!(run(&bench, FIRST).code, Some(0));
    // Someone goes on working before the second attempt: a second application would show.
    bench.execute("insert into fee values (5, 40)");
    let again = run(&bench, SECOND);
    assert_eq!((again.code, again.state()), (Some(0), ChangeState::Done), "{}", again.err);
    assert_eq!((again.change().rows, again.change().backup_rows), (3, 3));
    assert_eq!(again.change().before, run(&bench, SECOND).change().before);
    assert!(again.out.contains("has committed this change already"), "{}", again.out);
    let other = run(&bench, OTHER_RUN);
    assert_eq!(other.state(), ChangeState::FailedGuard);
    assert!(other.why().contains("it passed before the change"), "{}", other.why());
    assert!(other.why().contains(FIRST), "{}", other.why());
    // The batch made the data anew: the same change is needed again.
    bench.execute("update fee set rate = 25 where id < 4");
    let other = run(&bench, OTHER_RUN);
    assert_eq!((other.code, other.state()), (Some(0), ChangeState::Done), "{}", other.err);
    assert_eq!(bench.row("select count(distinct attempt) from nightrun_change_run"), "2");
}

#[test]
fn guards_refuse_before_commit() {
    for (limits, edit, words) in [
        ((4, 9), "", "3 rows changed, and the change declares at least 4"),
        ((1, 2), "", "3 rows changed, and the change declares at most 2"),
        (
            (1, 3),
            "create trigger t after update on fee begin update fee set id = id where id = 4; end",
            "3 rows and 3 by triggers or foreign keys changed, and the change declares at most 3",
        ),
        ((1, 9), "delete from fee where id = 3; insert into fee values (3, 26)", ""),
    ] {
        let bench = bench();
        if !edit.is_empty() {
            bench.execute(edit);
        }
        if words.is_empty() {
            bench.write("fee/change.sql", "update fee set rate = 30 where rate < 30;");
        }
        let left = bench.run(&bench.change_task(limits, "abc"));
        assert_eq!((left.code, left.state()), (Some(6), ChangeState::FailedGuard), "{}", left.out);
        let words = if words.is_empty() {
            "3 rows updated or deleted, but the backup kept only 2"
        } else {
            words
        };
        assert_eq!(left.why(), words);
        assert_eq!(bench.row("select count(*) from sqlite_schema where name like '%backup' or name like 'nightrun%'"), "0");
        assert_eq!(bench.row("select count(*) from fee where rate = 30"), "0");
    }
}

#[test]
fn a_backup_made_by_create_table_as_is_counted() {
    let bench = bench();
    bench.write("fee/backup.sql", "create table \"fee b\" as select * from fee where rate = 25");
    let left = run(&bench, FIRST);
    assert_eq!((left.state(), left.change().backup_rows), (ChangeState::Done, 3), "{}", left.err);
}

#[test]
fn expectations_and_errors_inside_the_transaction_undo_it() {
    let bench = bench();
    let change = "update fee set rate = 30 where rate = 25;\n-- expect: none\nselect * from fee where rate = 40";
    bench.write("fee/change.sql", change);
    let left = run(&bench, FIRST);
    assert_eq!(left.state(), ChangeState::FailedGuard);
    assert!(
        left.why().starts_with("change.sql:3: statement 2 (select): no row was expected"),
        "{}",
        left.why()
    );
    untouched(&bench);
    bench.write(
        "fee/change.sql",
        "update fee set rate = 30 where rate = 25;\nupdate fees set x = 1 where y = 2",
    );
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean));
    assert_eq!(left.why(), "change.sql:2: statement 2 (update): no such table: fees");
    untouched(&bench);
}

#[test]
fn a_verification_that_proves_nothing_stops_the_change() {
    let bench = bench();
    bench.write("fee/verify.sql", "select 'some', count(*) > 0, 'rows are there' from fee");
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.state()), (Some(6), ChangeState::FailedGuard));
    assert!(left.why().contains("says the same after it"), "{}", left.why());
    untouched(&bench);
    // It passes before too, but says something else afterwards.
    bench.write("fee/verify.sql", "select 'some', count(*) > 0, 'sum ' || sum(rate) from fee");
    assert_eq!(run(&bench, FIRST).state(), ChangeState::Done);
    bench.write("fee/verify.sql", "select 'x', count(*) = 0, '' frm fee");
    let left = run(&bench, OTHER_RUN);
    assert_eq!((left.code, left.state()), (Some(5), ChangeState::FailedClean), "{}", left.err);
    bench.write("fee/verify.sql", "select 'x', count(*) = 0 ), '' from fee");
    let left = run(&bench, OTHER_RUN);
    assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
    assert!(left.why().contains("verify.sql cannot be run: near"), "{}", left.why());
}

#[test]
fn a_change_that_does_not_verify_is_rolled_back_and_may_be_tried_again() {
    let bench = bench();
    bench.write("fee/verify.sql", NEVER);
    for attempt in [FIRST, SECOND] {
        let left = run(&bench, attempt);
        assert_eq!((left.code, left.state()), (Some(7), ChangeState::RolledBack), "{}", left.err);
        assert_eq!(left.why(), "the verification failed after the change: sum (sum 130)");
        assert_eq!((left.change().rows, left.change().backup_rows), (3, 3));
        assert_eq!(rates(&bench), OLD);
        assert!(
            steps_of_marker(&bench)
                .ends_with(&format!("{attempt}|rollback|3,{attempt}|former|NULL"))
        );
    }
}

#[test]
fn a_rollback_that_fails_or_restores_something_else_is_told() {
    let bench = bench();
    bench.write("fee/verify.sql", NEVER);
    bench.write("fee/rollback.sql", "update fee set rate = 26 where rate = 30");
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.state()), (Some(8), ChangeState::RollbackFailed));
    assert!(
        left.why().contains("does not say what it said before the change: sum (sum 118)"),
        "{}",
        left.why()
    );
    assert!(left.err.contains("THE FORMER STATE IS NOT RESTORED"), "{}", left.err);

    let bench = self::bench();
    bench.write("fee/verify.sql", NEVER);
    bench.write(
        "fee/rollback.sql",
        "update fee set rate = 25 where rate = 30;\ndelete from nowhere where x = 1",
    );
    let left = run(&bench, FIRST);
    assert_eq!(left.state(), ChangeState::RollbackFailed);
    assert!(
        left.why().ends_with("rollback.sql:2: statement 2 (delete): no such table: nowhere"),
        "{}",
        left.why()
    );
    // All of the rollback is undone, so the state is one that somebody has seen: the changed one.
    assert_eq!(rates(&bench), NEW);
}

#[test]
fn what_could_not_be_rolled_back_is_once_people_say_so() {
    for (cut, state) in
        [(None, ChangeState::Done), (Some(CutDecision::RollBack), ChangeState::RolledBack)]
    {
        let bench = bench();
        // It fails until somebody works on, and says of the rates what they are.
        bench.write(
            "fee/verify.sql",
            "select 'rates', count(*) = 3 and exists (select 1 from fee where id = 9), count(*) || ' rows'
             from fee where rate = 30",
        );
        bench.write(
            "fee/rollback.sql",
            "update fee set rate = 25 where rate = 30;\ndelete from nowhere where x = 1",
        );
        assert_eq!(run(&bench, FIRST).state(), ChangeState::RollbackFailed);
        assert_eq!(rates(&bench), NEW);
        bench.execute("create table nowhere (x int); insert into fee values (9, 40)");
        let mut task = bench.change_task((1, 3), "abc");
        let Task::Change(change) = &mut task else { panic!("{task:?}") };
        change.cut = cut;
        let left = bench.run_as(&task, SECOND);
        assert_eq!(left.state(), state, "{}{}", left.out, left.err);
        let former = if cut.is_some() { OLD } else { NEW };
        assert_eq!(rates(&bench), format!("{former},40"));
    }
}

#[test]
fn a_marker_that_says_something_else_leaves_it_to_people() {
    let bench = bench();
    assert_eq!(run(&bench, FIRST).code, Some(0));
    let left = bench.run_as(&bench.change_task((1, 3), "other"), SECOND);
    assert_eq!((left.code, left.state()), (Some(9), ChangeState::InDoubt));
    assert!(left.why().contains("other content"), "{}", left.why());
    bench.execute("delete from nightrun_change_run where step = 'ready'");
    let left = run(&bench, SECOND);
    assert_eq!(left.state(), ChangeState::InDoubt);
    assert!(left.why().contains("not complete"), "{}", left.why());
    assert_eq!(rates(&bench), NEW);
    // What cannot be read cannot be judged either, once an earlier attempt may have been there.
    std::fs::write(bench.target(), "not a database at all".repeat(100)).unwrap();
    assert_eq!(run(&bench, SECOND).state(), ChangeState::InDoubt);
    assert_eq!(run(&bench, OTHER_RUN).state(), ChangeState::FailedClean);
}

#[test]
fn what_breaks_a_rule_or_is_missing_is_refused_before_anything_is_touched() {
    let bench = bench();
    bench.write("fee/change.sql", "begin;\nupdate fee set rate = 30;");
    let left = run(&bench, FIRST);
    assert_eq!((left.code, left.state()), (Some(5), ChangeState::FailedClean));
    for words in [
        "change.sql:1: error: BEGIN",
        "change.sql:2: error: UPDATE without WHERE",
        "[dml-without-where]",
    ] {
        assert!(left.err.contains(words), "{}", left.err);
    }
    assert_eq!(left.steps, [Step::Ended { state: ChangeState::FailedClean }]);
    std::fs::remove_file(bench.path("fee/change.sql")).unwrap();
    assert!(run(&bench, FIRST).why().starts_with("change.sql cannot be read: No such file"));
    untouched(&bench);
    let bench = self::bench();
    std::fs::remove_file(bench.target()).unwrap();
    let left = run(&bench, FIRST);
    assert_eq!(left.state(), ChangeState::FailedClean);
    assert!(!bench.target().exists());
    let mut nameless = bench.command(&bench.change_task((1, 3), "abc"), FIRST);
    let output = nameless.env_remove("NIGHTRUN_ATTEMPT_ID").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_structure_change_may_be_verified_against_what_is_not_there_yet() {
    let bench = bench();
    bench.write(
        "fee/backup.sql",
        "create table schema_backup as select name, sql from sqlite_schema",
    );
    bench.write("fee/change.sql", "create table branch (id int);\ninsert into branch values (1)");
    bench.write("fee/rollback.sql", "drop table branch");
    bench.write("fee/verify.sql", "select 'branches', count(*) = 1, count(*) || '' from branch");
    let left = run(&bench, FIRST);
    assert_eq!(left.state(), ChangeState::Done, "{}", left.err);
    assert_eq!(left.change().before[0].detail, "no such table: branch");
}

#[test]
fn killed_in_a_statement_it_has_applied_nothing_and_can_be_run_again() {
    let bench = bench();
    let slow =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n;";
    bench.write("fee/change.sql", format!("update fee set rate = 30 where rate = 25;\n{slow}"));
    let mut worker = bench.start(&bench.change_task((1, 3), "abc"));
    let second = Step::Statement { script: "change.sql".into(), number: 2, line: 2 };
    until("the second statement", || bench.steps().contains(&second));
    worker.kill().unwrap();
    assert_eq!(worker.wait().unwrap().code(), None);
    untouched(&bench);
    bench.write("fee/change.sql", "update fee set rate = 30 where rate = 25;");
    assert_eq!(run(&bench, SECOND).state(), ChangeState::Done);
    assert_eq!(rates(&bench), NEW);
}

#[test]
fn a_commit_that_the_disk_refuses_has_applied_nothing() {
    let bench = bench();
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)";
    bench.write(
        "fee/change.sql",
        format!("update fee set rate = 30 where rate = 25;\n{many} insert into log select hex(randomblob(100)) from n"),
    );
    bench.execute("create table log (x)");
    let task = bench.change_task((1, 9_999), "abc");
    let left = bench.on_full_disk(&bench.command(&task, FIRST));
    assert_eq!((left.code, left.state()), (Some(1), ChangeState::FailedClean), "{}", left.err);
    assert!(left.why().starts_with("COMMIT: "), "{}", left.why());
    assert!(!left.steps.contains(&Step::Committed));
    assert_eq!(rates(&bench), OLD);
    let left = bench.run_as(&task, SECOND);
    assert_eq!((left.state(), left.change().rows), (ChangeState::Done, 2_003), "{}", left.err);
}

#[test]
fn two_workers_of_one_run_apply_it_once() {
    let bench = bench();
    let task = bench.change_task((1, 3), "abc");
    let workers = [(FIRST, "steps-1"), (SECOND, "steps-2")].map(|(attempt, steps)| {
        let mut command = bench.command(&task, attempt);
        command.env("NIGHTRUN_STEPS", bench.path(steps)).spawn().unwrap()
    });
    for worker in workers {
        assert_eq!(worker.wait_with_output().unwrap().status.code(), Some(0));
    }
    assert_eq!(bench.row("select count(*) from nightrun_change_run where step = 'ready'"), "1");
    assert_eq!(rates(&bench), NEW);
}
