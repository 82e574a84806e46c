//! Which attempts are settled.

use super::*;

fn attempt(number: u32, state: Option<ChangeState>, decided: Option<bool>) -> AttemptProof {
    let id = format!("prod@2026-10-30#1/rate/{number}").parse().unwrap();
    AttemptProof { state, decided, ..blank(&id, "production", "c1") }
}

#[test]
fn an_attempt_is_settled_by_its_end_a_later_one_of_its_run_or_two_people() {
    use ChangeState::{
        Done, FailedClean, FailedGuard, InDoubt, Partial, RollbackFailed, RolledBack,
    };
    let one = |state, decided| vec![attempt(1, state, decided)];
    let two = |first, second| vec![attempt(1, Some(first), None), attempt(2, second, None)];
    for (attempts, expected) in [
        (one(None, None), Some(1)),
        (one(Some(InDoubt), None), Some(1)),
        (one(Some(Partial), None), Some(1)),
        (one(Some(RollbackFailed), None), Some(1)),
        (one(Some(InDoubt), Some(true)), None),
        (one(Some(Partial), Some(false)), None),
        (one(Some(Done), None), None),
        (one(Some(FailedClean), None), None),
        (one(Some(FailedGuard), None), None),
        (one(Some(RolledBack), None), None),
        (two(InDoubt, Some(Done)), None),
        (two(InDoubt, Some(InDoubt)), Some(2)),
        (two(Partial, None), Some(2)),
    ] {
        let expected: Vec<Fault> = expected
            .map(|number| Fault::Unsettled { attempt: attempt(number, None, None).attempt })
            .into_iter()
            .collect();
        assert_eq!(unsettled(&attempts), expected, "{attempts:?}");
    }
}
