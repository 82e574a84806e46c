//! A transactional change on servers: killed at every point, run again.

use super::super::servers::{bench, rates, run};
use super::*;

/// One row for each row that a statement has given its new rate, committed together with it.
pub(super) fn watched(place: Place) -> Bench {
    let bench = bench(place);
    let trigger = match bench.place {
        Place::Postgres { .. } => {
            "create table audit (rate int); grant all on audit to teller;
             create function note() returns trigger language plpgsql as $$
               begin insert into audit values (new.rate); return new; end $$;
             create trigger t after update on fee for each row execute function note()"
        }
        _ => {
            "create table audit (rate int);
             create trigger t after update on fee for each row insert into audit values (new.rate)"
        }
    };
    bench.execute(trigger);
    bench
}

fn task(bench: &Bench) -> Task {
    bench.change_task((1, 6), "abc")
}

fn killed(bench: &Bench, point: &str) {
    let mut command = bench.command(&task(bench), FIRST);
    let output = command.env("NIGHTRUN_FAULT", format!("worker.{point}")).output().unwrap();
    let left = bench.left(output);
    assert_eq!(left.code, None, "the worker did not die after {point}: {}{}", left.out, left.err);
}

const NOT_COMMITTED: [&str; 11] = [
    "intent",
    "connected",
    "before",
    "started",
    "marker",
    "backup",
    "statement",
    "statement-1",
    "guards",
    "precommit",
    "commit-sent",
];
const COMMITTED: [&str; 4] = ["commit-answered", "committed", "verify", "ended"];

fn applied_once(place: impl Fn() -> Place) {
    for point in NOT_COMMITTED.iter().chain(&COMMITTED) {
        let bench = watched(place());
        killed(&bench, point);
        let left = bench.run_as(&task(&bench), SECOND);
        assert_eq!(left.state(), ChangeState::Done, "after {point}: {}{}", left.out, left.err);
        assert_eq!((left.change().rows, left.change().backup_rows), (3, 3), "after {point}");
        assert_eq!(rates(&bench), NEW, "after {point}");
        assert_eq!(bench.row("select count(*) from audit where rate = 30"), "3", "after {point}");
        let found = left.steps.contains(&Step::Found { attempt: FIRST.into() });
        // Whether COMMIT came through before the kill, the server knows.
        if *point != "commit-sent" {
            assert_eq!(found, COMMITTED.contains(point), "after {point}");
        }
    }
}

fn rolled_back_once(place: impl Fn() -> Place) {
    for point in ["verify", "rolling-back", "rollback-held", "rolled-back", "former"] {
        let bench = watched(place());
        let never = "select 'sum', sum(rate) = 0, concat('sum ', sum(rate)) from fee";
        bench.write("fee/verify.sql", never);
        killed(&bench, point);
        let left = bench.run_as(&task(&bench), SECOND);
        assert_eq!(left.state(), ChangeState::RolledBack, "after {point}: {}", left.err);
        assert_eq!(rates(&bench), OLD, "after {point}");
        let audit = "select concat(count(case when rate = 30 then 1 end), '|', count(case when rate = 25 then 1 end)) from audit";
        assert_eq!(bench.row(audit), "3|3", "after {point}");
    }
}

#[test]
fn on_postgres_a_change_is_applied_exactly_once() {
    applied_once(|| on(Place::postgres()));
}

#[test]
fn on_mariadb_a_change_is_applied_exactly_once() {
    applied_once(|| on(Place::maria()));
}

#[test]
fn on_postgres_a_rollback_is_brought_to_its_end() {
    rolled_back_once(|| on(Place::postgres()));
}

#[test]
fn on_mariadb_a_rollback_is_brought_to_its_end() {
    rolled_back_once(|| on(Place::maria()));
}

#[test]
fn killed_while_it_waits_for_nothing_it_leaves_no_session() {
    let bench = watched(on(Place::postgres()));
    killed(&bench, "precommit");
    let sessions = "select count(*) from pg_stat_activity where usename = 'teller' and datname = current_database()";
    until("the end of the session", || bench.row(sessions) == "0");
    assert_eq!(run(&bench, OTHER_RUN).state(), ChangeState::FailedGuard);
}
