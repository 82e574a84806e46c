//! An end and a person's decision about it that reach the supervisor in one turn.

use std::time::Duration;

use crate::night::house::House;
use crate::night::store_trouble::Database;

/// The run ends badly, is set going again, and ends well; whether all that was one turn.
fn ends_twice() -> bool {
    let house = House::new(
        "  a: {title: A, run: [sh, job.sh, wait]}\n  b: {title: B, run: [sh, job.sh, wait]}\n",
    );
    house.gates(&["a", "b"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night.started("b");
    // What comes while the store takes nothing waits for one turn.
    let mut database = Database::open(&house);
    database.execute("begin immediate");
    house.say("b", "go");
    night.notice("the store does not take what was decided");
    house.say("a", "no");
    house.ended_unwatched("a", 1);
    let mut force =
        house.command(&["force", "night.a", "--reason", "done by hand"]).spawn().unwrap();
    // Nothing tells that both wait.
    std::thread::sleep(Duration::from_millis(500));
    database.execute("rollback");
    database.close();
    force.wait().unwrap();
    let over = night.over();
    house.nothing_is_lost();
    let recorded = |kind: &str| {
        let journal = house.journal();
        let of_kind = journal.iter().filter(|entry| entry["fact"]["fact"] == kind);
        of_kind.map(|entry| entry["recorded"].clone()).collect::<Vec<_>>()
    };
    let (ends, acts) = (recorded("run-ended"), recorded("acted"));
    let together = ends.len() == 2 && ends[0] == ends[1] && acts == ends[..1];
    if together {
        assert_eq!(over.code, Some(0), "{:?}", over.err);
        let reports = house.mails().into_iter().filter(|mail| mail.to == "rob@bank.example");
        assert_eq!(reports.count(), 1);
    }
    assert!(!over.err.iter().any(|line| line.contains("contradiction")), "{:?}", over.err);
    together
}

#[test]
fn a_run_that_ends_twice_in_one_turn_is_reported_once() {
    assert!((0..5).any(|_| ends_twice()), "the two never came in one turn");
}
