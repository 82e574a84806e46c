//! A change with rehearsal: killed at every point of both executions, looked at, and tried again.

use nightrun::wire::{CutDecision, is_rehearsed};

use super::super::rehearsal::{WHOLE, did, rehearsed};
use super::super::servers;
use super::journalled::{self, there};
use super::on_servers::watched;
use super::*;

const THIRD: &str = "eod@2026-10-30#1/fee/3";
const FOURTH: &str = "eod@2026-10-30#1/fee/4";

fn killed(bench: &Bench, task: &Task, point: &str) {
    let mut command = bench.command(task, FIRST);
    let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
    let left = bench.left(output);
    assert_eq!(left.code, None, "the worker did not die after {point}: {}{}", left.out, left.err);
}

fn look(task: &Task) -> Task {
    let mut task = task.clone();
    let Task::Change(change) = &mut task else { panic!("{task:?}") };
    change.examine = true;
    task
}

use ChangeState::{Done, FailedClean, RolledBack};

/// Points, whether the rows are changed after the kill, and what a look makes of it.
const POINTS: [(&str, bool, ChangeState); 21] = [
    ("rehearsal-rehearsing", false, FailedClean),
    ("rehearsal-before", false, FailedClean),
    ("rehearsal-marker", false, FailedClean),
    ("rehearsal-statement-1", false, FailedClean),
    ("rehearsal-precommit", false, FailedClean),
    ("rehearsal-commit-answered", true, RolledBack),
    ("rehearsal-committed", true, RolledBack),
    ("rehearsal-verify", true, RolledBack),
    ("rehearsal-rolling-back", true, RolledBack),
    ("rehearsal-rollback-held", true, RolledBack),
    // The former state is still to be proven.
    ("rehearsal-rolled-back", false, RolledBack),
    ("rehearsal-former", false, RolledBack),
    ("rehearsal-rehearsed", false, FailedClean),
    ("before", false, FailedClean),
    ("marker", false, FailedClean),
    ("statement-1", false, FailedClean),
    ("precommit", false, FailedClean),
    ("commit-answered", true, Done),
    ("committed", true, Done),
    ("verify", true, Done),
    ("ended", true, Done),
];

fn in_one_transaction(bench: impl Fn() -> Bench, rates: impl Fn(&Bench) -> String) {
    for (point, changed, says) in POINTS {
        let bench = bench();
        let task = rehearsed(bench.change_task((1, 6), "abc"));
        killed(&bench, &task, point);
        assert_eq!(rates(&bench), if changed { NEW } else { OLD }, "after {point}");
        let looked = bench.run_as(&look(&task), SECOND);
        assert_eq!(looked.state(), says, "after {point}: {}{}", looked.out, looked.err);
        assert_eq!(rates(&bench), if says == Done { NEW } else { OLD }, "looked at after {point}");
        // Whoever finds the change done knows of its rehearsal from the target.
        let known = says != Done || is_rehearsed(&looked.change().rehearsal);
        assert!(known, "after {point}: {:?}", looked.change());
        let last = bench.run_as(&task, THIRD);
        assert_eq!(last.state(), Done, "after {point}: {}{}", last.out, last.err);
        assert_eq!((rates(&bench).as_str(), did(&last)), (NEW, WHOLE.to_vec()), "after {point}");
        let stays = "select count(case when rate = 30 then 1 end) - count(case when rate = 25 then 1 end) from audit";
        assert_eq!(bench.row(stays), "3", "after {point}");
    }
}

#[test]
fn in_a_file_a_rehearsal_is_taken_back_wherever_it_ends() {
    let bench = || {
        let bench = bench();
        bench.execute(
            "create table audit (rate int);
             create trigger watch after update on fee begin insert into audit values (new.rate); end",
        );
        bench
    };
    in_one_transaction(bench, rates);
}

#[test]
fn on_postgres_a_rehearsal_is_taken_back_wherever_it_ends() {
    in_one_transaction(|| watched(on(Place::postgres())), servers::rates);
}

#[test]
fn on_mariadb_a_rehearsal_is_taken_back_wherever_it_ends() {
    in_one_transaction(|| watched(on(Place::maria())), servers::rates);
}

/// No look comes between: the next attempt takes back what it finds, and goes on to the change.
#[test]
fn an_attempt_that_finds_a_rehearsal_brings_it_to_its_end() {
    for place in [on(Place::postgres()), on(Place::maria())] {
        let bench = watched(place);
        let task = rehearsed(bench.change_task((1, 6), "abc"));
        killed(&bench, &task, "rehearsal-verify");
        let left = bench.run_as(&task, SECOND);
        assert_eq!((left.state(), did(&left)), (Done, WHOLE.to_vec()), "{}", left.err);
        assert_eq!(servers::rates(&bench), NEW);
    }
}

/// COMMIT was on its way, of the rehearsal, of its rollback, and of the change.
#[test]
fn where_commit_was_sent_the_server_knows() {
    for nth in 1..=3 {
        for place in [on(Place::postgres()), on(Place::maria())] {
            let bench = watched(place);
            let task = rehearsed(bench.change_task((1, 6), "abc"));
            killed(&bench, &task, &format!("commit-sent:{nth}"));
            let looked = bench.run_as(&look(&task), SECOND);
            let known = [FailedClean, RolledBack, Done];
            assert!(known.contains(&looked.state()), "{nth}: {}", looked.err);
            assert_eq!(servers::rates(&bench), if looked.state() == Done { NEW } else { OLD });
            let last = bench.run_as(&task, THIRD);
            assert_eq!((last.state(), did(&last)), (Done, WHOLE.to_vec()), "{nth}: {}", last.err);
        }
    }
}

/// A target that was restored from a copy of before the change is not taken for one that never had it.
#[test]
fn a_change_that_is_gone_after_its_rehearsal_is_in_doubt() {
    let bench = watched(on(Place::postgres()));
    let task = rehearsed(bench.change_task((1, 6), "abc"));
    killed(&bench, &task, "committed");
    bench.execute(
        "delete from nightrun_ledger.nightrun_change_run where step not like 'rehearsal-%'",
    );
    let looked = bench.run_as(&look(&task), SECOND);
    assert_eq!(looked.state(), ChangeState::InDoubt, "{}", looked.out);
    assert!(looked.why().contains("restored from an older copy"), "{}", looked.why());
}

/// Points, what is there after the kill, and what the next attempt says by itself.
const STATEMENTS: [(&str, &str, ChangeState); 8] = [
    ("rehearsal-marker", "000", Done),
    ("rehearsal-statement-1", "100", ChangeState::Partial),
    ("rehearsal-done-2", "110", ChangeState::Partial),
    ("rehearsal-done-3", "111", Done),
    ("rehearsal-undone-1", "110", ChangeState::RollbackFailed),
    ("rehearsal-rehearsed", "000", Done),
    ("statement-1", "100", ChangeState::Partial),
    ("done-3", "111", Done),
];

fn statement_by_statement(place: impl Fn() -> Place) {
    for (point, after, says) in STATEMENTS {
        let bench = journalled::bench(place());
        let task = |cut| rehearsed(journalled::task(&bench, cut));
        killed(&bench, &task(None), point);
        assert_eq!(there(&bench), after, "after {point}");
        let left = bench.run_as(&task(None), SECOND);
        assert_eq!(left.state(), says, "after {point}: {}{}", left.out, left.err);
        let left = match says {
            ChangeState::RollbackFailed => {
                assert!(left.why().contains("1 of 3 statements of rollback.sql"), "{}", left.why());
                let left = bench.run_as(&task(Some(CutDecision::RollBack)), THIRD);
                assert_eq!(left.state(), RolledBack, "after {point}: {}{}", left.out, left.err);
                bench.run_as(&task(None), FOURTH)
            }
            ChangeState::Partial => bench.run_as(&task(Some(CutDecision::Continue)), THIRD),
            _ => left,
        };
        assert_eq!(left.state(), Done, "after {point}: {}{}", left.out, left.err);
        assert_eq!(there(&bench), "111", "after {point}");
        assert!(is_rehearsed(&left.change().rehearsal), "after {point}: {:?}", left.change());
    }
}

#[test]
fn in_a_file_a_rehearsal_goes_on_statement_by_statement() {
    statement_by_statement(|| Place::File);
}

#[test]
fn on_postgres_a_rehearsal_goes_on_statement_by_statement() {
    statement_by_statement(|| on(Place::postgres()));
}

#[test]
fn on_mariadb_a_rehearsal_goes_on_statement_by_statement() {
    statement_by_statement(|| on(Place::maria()));
}

#[test]
fn a_rehearsal_that_stopped_half_way_is_taken_back_when_told() {
    let bench = journalled::bench(on(Place::maria()));
    let task = |cut| rehearsed(journalled::task(&bench, cut));
    killed(&bench, &task(None), "rehearsal-done-2");
    let left = bench.run_as(&task(Some(CutDecision::RollBack)), SECOND);
    assert_eq!((left.state(), there(&bench).as_str()), (RolledBack, "000"), "{}", left.err);
    let left = bench.run_as(&task(None), THIRD);
    assert_eq!((left.state(), there(&bench).as_str()), (Done, "111"), "{}", left.err);
    assert!(is_rehearsed(&left.change().rehearsal));
    let again = bench.run_as(&task(None), FOURTH);
    assert_eq!((again.state(), &again.change().rehearsal), (Done, &left.change().rehearsal));
}
