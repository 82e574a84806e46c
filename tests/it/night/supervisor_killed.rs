//! The supervisor dies at each point between deciding and doing, once; what comes after it makes the night whole.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;

use super::house::House;

/// One that ends well, one behind it, one whose failure is critical and told to two people.
const JOBS: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
  c: {title: C, shell: '. ./job.sh; exit 1', needs: [b]}
";
const RUN: [&str; 4] = ["run", "night", "--date", "2026-10-30"];

#[track_caller]
fn survives(fault: &str) {
    let house = House::new(JOBS);
    let mut command = house.command(&RUN);
    command.env("NIGHTRUN_FAULT", fault).env("NIGHTRUN_FAULT_ONCE", house.work("died"));
    let output = command.output().unwrap();
    assert_eq!(output.status.signal(), Some(9), "{fault} was not passed: {output:?}");

    // The same command goes on with it; or it had come to its end, and only its mail had not left.
    let again = house.run(&RUN);
    match again.code {
        Some(1) => {}
        _ => {
            assert!(again.code == Some(3) && again.err.contains("has ended"), "{fault}: {again:?}")
        }
    }
    house.run(&["mail", "flush"]).code(0);

    assert_eq!(house.ran(), ["a 1", "b 1", "c 1"], "{fault}");
    house.nothing_is_lost();
    for kind in ["run-opened", "run-ended", "incident-opened"] {
        assert_eq!(house.facts(kind).len(), 1, "{fault}: {kind}");
    }
    let ids: BTreeSet<String> = house.mails().into_iter().map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 3, "{fault}: one mail to each of duty, one report: {ids:?}");
    house.run(&["report"]).code(0);
}

#[test]
fn between_deciding_and_storing() {
    for pass in [1, 2, 4] {
        survives(&format!("supervisor.decided:{pass}"));
    }
}

#[test]
fn between_storing_and_doing() {
    for pass in [1, 2, 4] {
        survives(&format!("supervisor.committed:{pass}"));
    }
}

#[test]
fn when_all_of_a_turn_is_done() {
    for pass in [1, 2, 4] {
        survives(&format!("supervisor.acted:{pass}"));
    }
}

#[test]
fn when_the_report_is_written() {
    survives("supervisor.report-written");
}

#[test]
fn when_a_server_has_taken_a_mail_and_that_is_not_recorded() {
    for pass in [1, 3] {
        survives(&format!("supervisor.mail-sent:{pass}"));
    }
}

/// At a step of SQLite's own, with half of a commit written.
#[test]
fn in_the_middle_of_a_commit() {
    for pass in [1, 300, 700, 2_000] {
        survives(&format!("store.mid-commit:{pass}"));
    }
}
