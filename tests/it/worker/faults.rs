//! Killed at every point, run again: the change is applied exactly once, or it is proven clean.
//! Needs the feature `faults`, which the test script passes.

mod journalled;
mod journalled_back;
mod journalled_trouble;
mod on_servers;
mod rehearsal;

use super::change::{NEVER, NEW, OLD, bench, rates};
use super::*;

pub(super) fn killed_at(bench: &Bench, point: &str, attempt: &str) -> Left {
    let mut command = bench.command(&bench.change_task((1, 3), "abc"), attempt);
    let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
    let left = bench.left(output);
    assert_eq!(left.code, None, "the worker did not die after {point}: {}{}", left.out, left.err);
    assert_eq!(left.work, None);
    left
}

/// One row for each application of the change, whoever made it.
fn count_applications(bench: &Bench) {
    bench.execute(
        "create table audit (old int, new int);
         create trigger watch after update on fee begin insert into audit values (old.rate, new.rate); end",
    );
}

fn run(bench: &Bench, attempt: &str) -> Left {
    // Three rows, and as many by the watching trigger.
    bench.run_as(&bench.change_task((1, 6), "abc"), attempt)
}

const BEFORE_COMMIT: [&str; 9] = [
    "intent",
    "before",
    "started",
    "marker",
    "backup",
    "statement-1",
    "statement",
    "guards",
    "precommit",
];
const AFTER_COMMIT: [&str; 4] = ["commit-answered", "committed", "verify", "ended"];

#[test]
fn a_change_is_applied_exactly_once_whenever_the_worker_dies() {
    for (points, committed) in [(&BEFORE_COMMIT[..], false), (&AFTER_COMMIT[..], true)] {
        for point in points {
            let bench = bench();
            killed_at(&bench, point, FIRST);
            assert_eq!(rates(&bench), if committed { NEW } else { OLD }, "after {point}");
            if !committed {
                let tables = bench.row("select count(*) from sqlite_schema");
                assert_eq!(tables, "1", "after {point}: only the table of fees");
            }
            count_applications(&bench);
            let left = run(&bench, SECOND);
            assert_eq!(left.state(), ChangeState::Done, "after {point}: {}", left.err);
            assert_eq!((left.change().rows, left.change().backup_rows), (3, 3), "after {point}");
            assert_eq!(rates(&bench), NEW, "after {point}");
            let applied = bench.row("select count(*) from audit");
            assert_eq!(applied, if committed { "0" } else { "3" }, "after {point}");
            let found = left.steps.contains(&Step::Found { attempt: FIRST.into() });
            assert_eq!(found, committed, "after {point}");
        }
    }
}

#[test]
fn a_change_killed_twice_is_still_applied_once() {
    let bench = bench();
    killed_at(&bench, "precommit", FIRST);
    killed_at(&bench, "committed", SECOND);
    let left = run(&bench, "eod@2026-10-30#1/fee/3");
    assert_eq!(left.state(), ChangeState::Done, "{}", left.err);
    assert_eq!(bench.row("select attempt from nightrun_change_run where step = 'ready'"), SECOND);
}

#[test]
fn a_rollback_is_brought_to_its_end() {
    for (point, done) in [
        ("verify", false),
        ("rolling-back", false),
        ("rollback-held", false),
        ("rolled-back", true),
        ("former", true),
    ] {
        let bench = bench();
        bench.write("fee/verify.sql", NEVER);
        killed_at(&bench, point, FIRST);
        assert_eq!(rates(&bench), if done { OLD } else { NEW }, "after {point}");
        count_applications(&bench);
        let left = run(&bench, SECOND);
        assert_eq!(left.state(), ChangeState::RolledBack, "after {point}: {}", left.err);
        assert_eq!(rates(&bench), OLD, "after {point}");
        // Three rows back where the rollback was still to do; the change itself is not applied anew.
        let audit = bench.row("select count(*), count(case when new = 30 then 1 end) from audit");
        assert_eq!(audit, if done { "0|0" } else { "3|0" }, "after {point}");
        assert!(!left.why().is_empty());
    }
}

#[test]
fn a_script_in_one_transaction_is_whole_or_absent() {
    let text = "create table t (x);\ninsert into t values (1)";
    for (point, tables) in [
        ("intent", "0"),
        ("started", "0"),
        ("statement-2", "0"),
        ("precommit", "0"),
        ("committed", "1"),
    ] {
        let bench = Bench::new();
        let mut command = bench.command(&bench.sql_task(text, Transaction::One), FIRST);
        let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
        assert_eq!(output.status.code(), None, "after {point}");
        assert_eq!(bench.row("select count(*) from sqlite_schema"), tables, "after {point}");
    }
}
