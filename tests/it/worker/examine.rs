//! A look at what a killed worker has left: applied or clean, and never applied by the look.

use super::change::{NEW, OLD};
use super::*;

/// As attempt number `number` of the first run.
fn look(bench: &Bench, number: u32) -> Left {
    let mut task = bench.change_task((1, 3), "abc");
    if let Task::Change(change) = &mut task {
        change.examine = true;
    }
    bench.run_as(&task, &format!("eod@2026-10-30#1/fee/{number}"))
}

/// Killed at each point on a new target, then looked at twice, then done.
fn looks(bench: impl Fn() -> Bench, rates: impl Fn(&Bench) -> String) {
    for (points, applied) in [
        (&["intent", "marker", "statement-1", "precommit"][..], false),
        (&["committed", "verify"][..], true),
    ] {
        for point in points {
            let bench = bench();
            faults::killed_at(&bench, point, FIRST);
            let (state, there) =
                if applied { (ChangeState::Done, NEW) } else { (ChangeState::FailedClean, OLD) };
            for number in [2, 3] {
                let left = look(&bench, number);
                assert_eq!(
                    (left.state(), rates(&bench)),
                    (state, there.into()),
                    "{point}: {}",
                    left.err
                );
                let work = left.change();
                assert!(!work.unread && work.evidence.len() == 2, "{work:?}");
                let rows = &work.evidence[1].answer;
                assert_eq!(rows.contains("fee/1 ready"), applied, "{point}: {rows}");
                assert_eq!(rows == "no row", !applied, "{point}: {rows}");
            }
            let left = bench.run_as(&bench.change_task((1, 3), "abc"), "eod@2026-10-30#1/fee/4");
            assert_eq!((left.state(), rates(&bench)), (ChangeState::Done, NEW.into()), "{point}");
        }
    }
}

#[test]
fn a_look_tells_what_is_there_in_sqlite() {
    looks(change::bench, change::rates);
}

#[test]
fn a_look_tells_what_is_there_in_postgres() {
    looks(|| servers::bench(on(Place::postgres())), servers::rates);
}

#[test]
fn a_look_tells_what_is_there_in_mariadb() {
    looks(|| servers::bench(on(Place::maria())), servers::rates);
}

#[test]
fn what_cannot_be_read_stays_in_doubt_and_is_looked_at_again() {
    let bench = change::bench();
    faults::killed_at(&bench, "committed", FIRST);
    let away = bench.path("away");
    std::fs::rename(bench.target(), &away).unwrap();
    let left = look(&bench, 2);
    assert_eq!((left.state(), left.change().unread), (ChangeState::InDoubt, true), "{}", left.err);
    assert!(left.change().evidence[0].answer.contains("is not there"), "{:?}", left.change());
    std::fs::rename(away, bench.target()).unwrap();
    let script = bench.path("fee/change.sql");
    let kept = std::fs::read(&script).unwrap();
    // Without its scripts nobody can say that nothing was applied.
    std::fs::remove_file(&script).unwrap();
    assert_eq!(look(&bench, 3).state(), ChangeState::InDoubt);
    std::fs::write(&script, kept).unwrap();
    assert_eq!(look(&bench, 4).state(), ChangeState::Done);
    bench.execute("update nightrun_change_run set content_digest = 'other'");
    let left = look(&bench, 5);
    assert_eq!((left.state(), left.change().unread), (ChangeState::InDoubt, false), "{}", left.err);
}
