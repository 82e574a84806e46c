//! Whether a target still says of a change what the journal does. Marker and data lie in the same database, so that a target
//! that was restored from an older copy, or failed over to one, has lost both.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::change_proof::{self, Said};
use crate::core::change::{Began, ChangeLife, ChangeStep, Executed};
use crate::core::state::Standing;
use crate::types::{AttemptId, ChangeId, TargetName};
use crate::wire::{ChangeState, MarkerRow, is_rehearsed};

/// One thing that the target says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    pub attempt: AttemptId,
    #[serde(flatten)]
    pub what: DriftWhat,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "drift")]
pub enum DriftWhat {
    /// The journal calls it done, and the target has no marker of it.
    Missing,
    /// The marker names another content.
    OtherContent {
        journal: String,
        target: String,
    },
    /// The marker names another number of rows, or of rows kept by the backup.
    OtherRows {
        journal: u64,
        target: Option<i64>,
    },
    OtherBackup {
        journal: u64,
        target: Option<i64>,
    },
    /// The journal calls it done, and the target has rolled it back.
    RolledBack,
    /// The journal calls it rolled back, and the target has no marker of that.
    NotRolledBack,
    /// The journal calls it rehearsed, and the target has no marker of that.
    NotRehearsed,
    /// The journal says that nothing was applied, and the target has the marker of a whole change.
    Applied,
    /// What the server says became of the transaction of the marker.
    Transaction {
        xid: String,
        status: String,
    },
}

/// What the rows of a target say otherwise than the journal, of each attempt that it, or two people, give a certain end to.
pub fn drift(
    life: &ChangeLife,
    (environment, target): (&str, &TargetName),
    rows: &[MarkerRow],
) -> Vec<Drift> {
    let mut ends: Vec<_> = life.executions(environment).collect();
    ends.reverse();
    let mut all = Vec::new();
    for (state, ended) in ends {
        let Some(began) = life.beginning(ended).filter(|began| began.target == *target) else {
            continue;
        };
        let what = of_one(state, ended, began, rows).into_iter();
        all.extend(what.map(|what| Drift { attempt: ended.attempt.clone(), what }));
    }
    all
}

/// Ends whose beginning the journal does not have, the last first: it was lost with a store that was restored from an older
/// copy. Which target they went to is not known, so that none can be compared.
pub fn unplaced<'a>(
    life: &'a ChangeLife,
    environment: &'a str,
) -> impl Iterator<Item = (ChangeState, &'a Executed)> {
    life.executions(environment).filter(|(_, ended)| life.beginning(ended).is_none())
}

/// `state`: with what people have decided.
fn of_one(
    state: ChangeState,
    ended: &Executed,
    began: &Began,
    rows: &[MarkerRow],
) -> Vec<DriftWhat> {
    // A retry or a look finds what an earlier attempt of the same run has committed.
    let of_run = |row: &&MarkerRow| {
        row.attempt.parse().is_ok_and(|id: AttemptId| {
            id.run == ended.attempt.run
                && id.job == ended.attempt.job
                && id.number <= ended.attempt.number
        })
    };
    let ours: Vec<&MarkerRow> = rows.iter().filter(of_run).collect();
    let last = ours.iter().rev().find(|row| row.step == MarkerRow::READY);
    let step = |of: &MarkerRow, name: &str| {
        ours.iter().find(|row| row.attempt == of.attempt && row.step == name).copied()
    };
    // A rehearsal is applied too until it is taken back.
    let rehearsed = ours.iter().rev().find(|row| row.step == rehearsal(MarkerRow::READY));
    let taken_back = rehearsed.map(|row| step(row, &rehearsal(MarkerRow::FORMER)).is_some());
    match state {
        // People have said so of one in doubt, which has told no figures and need not be whole: a copy from before has no row.
        ChangeState::Done if ended.state != ChangeState::Done => match ours.is_empty() {
            true => vec![DriftWhat::Missing],
            false => Vec::new(),
        },
        ChangeState::Done => match last {
            None => vec![DriftWhat::Missing],
            Some(ready) => compared(ended, ready, step(ready, MarkerRow::BACKUP))
                .into_iter()
                .chain(step(ready, MarkerRow::ROLLBACK).map(|_| DriftWhat::RolledBack))
                .chain(lost_rehearsal(ended, taken_back))
                .collect(),
        },
        ChangeState::RolledBack => {
            let proven = last.is_some_and(|row| step(row, MarkerRow::FORMER).is_some());
            if proven || last.is_none() && taken_back == Some(true) {
                Vec::new()
            } else {
                vec![DriftWhat::NotRolledBack]
            }
        }
        ChangeState::FailedClean | ChangeState::FailedGuard => {
            let own = began.attempt.to_string();
            let applied = last
                .is_some_and(|row| row.attempt == own && step(row, MarkerRow::ROLLBACK).is_none());
            let left = rehearsed.filter(|row| row.attempt == own);
            let left = left.is_some_and(|row| step(row, &rehearsal(MarkerRow::ROLLBACK)).is_none());
            if applied || left { vec![DriftWhat::Applied] } else { Vec::new() }
        }
        // What became of it nobody has said.
        ChangeState::Partial | ChangeState::RollbackFailed | ChangeState::InDoubt => Vec::new(),
    }
}

fn rehearsal(step: &str) -> String {
    format!("{}{step}", MarkerRow::REHEARSAL)
}

fn lost_rehearsal(ended: &Executed, taken_back: Option<bool>) -> Option<DriftWhat> {
    let lost = is_rehearsed(&ended.rehearsal) && taken_back != Some(true);
    lost.then_some(DriftWhat::NotRehearsed)
}

fn compared(ended: &Executed, ready: &MarkerRow, backup: Option<&MarkerRow>) -> Vec<DriftWhat> {
    let mut all = Vec::new();
    if ready.content_digest != ended.content {
        let (journal, target) = (ended.content.clone(), ready.content_digest.clone());
        all.push(DriftWhat::OtherContent { journal, target });
    }
    let same = |journal: u64, target: Option<i64>| {
        target.is_some_and(|target| u64::try_from(target) == Ok(journal))
    };
    if !same(ended.rows, ready.rows) {
        all.push(DriftWhat::OtherRows { journal: ended.rows, target: ready.rows });
    }
    let kept = backup.and_then(|row| row.rows);
    if !same(ended.backup_rows, kept) {
        all.push(DriftWhat::OtherBackup { journal: ended.backup_rows, target: kept });
    }
    if let (Some(xid), Some(status)) = (&ready.xid, &ready.status)
        && status != "committed"
    {
        all.push(DriftWhat::Transaction { xid: xid.clone(), status: status.clone() });
    }
    all
}

/// A change that was done somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DonePlace {
    pub change: ChangeId,
    pub environment: String,
    /// `None`: the journal does not have where it went.
    pub target: Option<TargetName>,
}

/// A change in a place, compared with its target.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Checked {
    pub change: ChangeId,
    pub environment: String,
    pub target: Option<TargetName>,
    #[serde(flatten)]
    pub said: Said,
    pub drift: Vec<Drift>,
}

impl Checked {
    /// The target was read, and says what the journal does.
    pub fn is_same(&self) -> bool {
        matches!(self.said, Said::Now { .. }) && self.drift.is_empty()
    }
}

/// Where changes were done that the journal, or two people, call done at `since` or later.
pub fn done_since(
    standing: &Standing,
    since: Timestamp,
    environment: Option<&str>,
) -> Vec<DonePlace> {
    let done = |(state, ended): (ChangeState, &Executed)| {
        (state == ChangeState::Done && ended.ended >= since).then(|| ended.environment.clone())
    };
    let mut places: Vec<DonePlace> = Vec::new();
    for (change, life) in &standing.changes {
        let mut put = |environment: String, target: Option<&TargetName>| {
            let (change, target) = (change.clone(), target.cloned());
            places.push(DonePlace { change, environment, target });
        };
        for (at, target) in change_proof::tried_in(life, environment) {
            let there =
                |ended: &Executed| life.beginning(ended).is_some_and(|b| b.target == *target);
            let mut ends = life.executions(at).filter(|(_, ended)| there(ended));
            ends.find_map(done).into_iter().for_each(|of| put(of, Some(target)));
        }
        for at in change_proof::environments(life, environment) {
            let mut ends = unplaced(life, at);
            ends.find_map(done).into_iter().for_each(|of| put(of, None));
        }
    }
    places
}

/// What a target says otherwise of attempts that ended at `since` or later. `None`: nothing is known of the change.
pub fn checked(
    standing: &Standing,
    place: &DonePlace,
    said: Said,
    since: Timestamp,
) -> Option<Checked> {
    let life = standing.changes.get(&place.change)?;
    let DonePlace { change, environment, target } = place.clone();
    let ended_since = |drift: &Drift| {
        life.steps.iter().any(|taken| match &taken.step {
            ChangeStep::Ended { ended } => ended.attempt == drift.attempt && ended.ended >= since,
            _ => false,
        })
    };
    let drift = match (&said, &target) {
        (Said::Now { marked, .. }, Some(target)) => {
            let all = drift(life, (&environment, target), &marked.rows);
            all.into_iter().filter(ended_since).collect()
        }
        _ => Vec::new(),
    };
    Some(Checked { change, environment, target, said, drift })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::{Began, Taken};
    use crate::types::PersonId;
    use crate::wire::{Did, RehearsalStep};

    const ATTEMPT: &str = "prod@2026-10-30#1/rate/2";

    fn life(state: ChangeState) -> ChangeLife {
        life_of(state, ATTEMPT)
    }

    /// What began as `began` ended as attempt 2.
    fn life_of(state: ChangeState, began: &str) -> ChangeLife {
        let (attempt, begun): (AttemptId, AttemptId) =
            (ATTEMPT.parse().unwrap(), began.parse().unwrap());
        let taken = |step| Taken {
            at: Timestamp::UNIX_EPOCH,
            by: PersonId::new("ops").unwrap(),
            second: None,
            reason: String::new(),
            step,
        };
        let began = Began {
            environment: "production".into(),
            target: TargetName::new("prod").unwrap(),
            attempt: begun,
            content: "c1".into(),
            digest: "d1".into(),
            window: None,
            executor: None,
            watcher: None,
            declared: None,
        };
        let ended = Executed {
            environment: "production".into(),
            attempt,
            content: "c1".into(),
            state,
            rows: 2,
            backup_rows: 3,
            started: None,
            ended: Timestamp::UNIX_EPOCH,
            checks: 1,
            good: 1,
            why: None,
            progress: None,
            rehearsal: Vec::new(),
        };
        let steps = [
            ChangeStep::Began { began: Box::new(began) },
            ChangeStep::Ended { ended: Box::new(ended) },
        ];
        ChangeLife { steps: steps.map(taken).into() }
    }

    fn row(number: u32, step: &str, rows: Option<i64>) -> MarkerRow {
        MarkerRow {
            attempt: format!("prod@2026-10-30#1/rate/{number}"),
            content_digest: "c1".into(),
            step: step.into(),
            at: "2026-10-30T21:00:00Z".into(),
            rows,
            outcome: None,
            xid: Some("77".into()),
            session: None,
            user: None,
            status: Some("committed".into()),
        }
    }

    fn applied(number: u32) -> Vec<MarkerRow> {
        vec![
            row(number, "started", None),
            row(number, "backup", Some(3)),
            row(number, "ready", Some(2)),
        ]
    }

    fn whats(state: ChangeState, rows: &[MarkerRow]) -> Vec<DriftWhat> {
        let target = TargetName::new("prod").unwrap();
        let all = drift(&life(state), ("production", &target), rows);
        all.into_iter().map(|drift| drift.what).collect()
    }

    #[test]
    fn a_target_that_says_the_same_has_no_drift_and_each_difference_is_named() {
        use ChangeState::{Done, FailedClean, FailedGuard, InDoubt, Partial, RolledBack};
        let with = |edit: fn(&mut Vec<MarkerRow>)| {
            let mut rows = applied(2);
            edit(&mut rows);
            rows
        };
        let undone = with(|rows| rows.extend([row(2, "rollback", None), row(2, "former", None)]));
        let other = DriftWhat::OtherContent { journal: "c1".into(), target: "c2".into() };
        let rows = DriftWhat::OtherRows { journal: 2, target: Some(9) };
        let backup = DriftWhat::OtherBackup { journal: 3, target: None };
        let aborted = DriftWhat::Transaction { xid: "77".into(), status: "aborted".into() };
        let table: [(ChangeState, Vec<MarkerRow>, Vec<DriftWhat>); 18] = [
            (Done, applied(2), vec![]),
            // An earlier attempt of the run had committed it; a later one is not this one's.
            (Done, applied(1), vec![]),
            (Done, applied(3), vec![DriftWhat::Missing]),
            (Done, vec![], vec![DriftWhat::Missing]),
            (Done, with(|rows| rows.truncate(2)), vec![DriftWhat::Missing]),
            (Done, with(|rows| rows[2].content_digest = "c2".into()), vec![other]),
            (Done, with(|rows| rows[2].rows = Some(9)), vec![rows]),
            (Done, with(|rows| drop(rows.remove(1))), vec![backup]),
            (Done, with(|rows| rows[2].status = Some("aborted".into())), vec![aborted]),
            (Done, with(|rows| rows[2].status = None), vec![]),
            (Done, undone.clone(), vec![DriftWhat::RolledBack]),
            (RolledBack, undone.clone(), vec![]),
            (RolledBack, vec![], vec![DriftWhat::NotRolledBack]),
            (FailedClean, vec![], vec![]),
            (FailedClean, applied(2), vec![DriftWhat::Applied]),
            (FailedGuard, undone, vec![]),
            (InDoubt, applied(2), vec![]),
            (Partial, vec![], vec![]),
        ];
        for (state, rows, expected) in table {
            assert_eq!(whats(state, &rows), expected, "{state:?} {rows:?}");
        }
        // Another database is asked about what went there only.
        let elsewhere = TargetName::new("uat").unwrap();
        assert_eq!(drift(&life(Done), ("production", &elsewhere), &[]), []);
    }

    #[test]
    fn a_rehearsal_is_looked_for_in_the_target_too() {
        use ChangeState::{Done, FailedClean, RolledBack};
        let named = |row: MarkerRow| MarkerRow { step: rehearsal(&row.step), ..row };
        let left: Vec<MarkerRow> = applied(2).into_iter().map(named).collect();
        let back = [row(2, "rollback", Some(2)), row(2, "former", None)].map(named);
        let taken_back = [left.clone(), back.to_vec()].concat();
        let then_applied = [taken_back.clone(), applied(2)].concat();
        let at = Timestamp::UNIX_EPOCH;
        let steps = Did::ALL.map(|did| RehearsalStep { did, at, rows: 0, checks: 0 });
        let target = TargetName::new("prod").unwrap();
        for (state, steps, rows, expected) in [
            (Done, &steps[..], &then_applied, vec![]),
            (Done, &steps[..], &applied(2), vec![DriftWhat::NotRehearsed]),
            (Done, &[], &applied(2), vec![]),
            (Done, &steps[..], &taken_back, vec![DriftWhat::Missing]),
            (RolledBack, &steps[1..], &taken_back, vec![]),
            (RolledBack, &[], &left, vec![DriftWhat::NotRolledBack]),
            (FailedClean, &steps[..], &taken_back, vec![]),
            (FailedClean, &[], &left, vec![DriftWhat::Applied]),
        ] {
            let mut life = life(state);
            if let ChangeStep::Ended { ended } = &mut life.steps[1].step {
                ended.rehearsal = steps.to_vec();
            }
            let all = drift(&life, ("production", &target), rows);
            let found: Vec<DriftWhat> = all.into_iter().map(|drift| drift.what).collect();
            assert_eq!(found, expected, "{state:?} {rows:?}");
        }
    }

    fn decided(state: ChangeState, applied: bool) -> ChangeLife {
        let mut life = life(state);
        let environment = "production".to_owned();
        let step = ChangeStep::Decided { environment, applied, accepted: false };
        life.steps.push(Taken { step, ..life.steps[0].clone() });
        life
    }

    #[test]
    fn a_look_at_an_earlier_attempt_and_what_people_decided_are_compared_too() {
        use ChangeState::{Done, FailedClean, InDoubt, Partial};
        let first = "prod@2026-10-30#1/rate/1";
        let prod = TargetName::new("prod").unwrap();
        let whats = |life: &ChangeLife, rows: &[MarkerRow]| {
            let all = drift(life, ("production", &prod), rows);
            all.into_iter().map(|drift| drift.what).collect::<Vec<_>>()
        };
        let looked = |state| life_of(state, first);
        for (life, rows, expected) in [
            (looked(Done), applied(1), vec![]),
            (looked(Done), vec![], vec![DriftWhat::Missing]),
            (looked(FailedClean), applied(1), vec![DriftWhat::Applied]),
            (looked(FailedClean), vec![], vec![]),
            (decided(InDoubt, true), vec![], vec![DriftWhat::Missing]),
            (decided(Partial, true), vec![row(2, "started", None)], vec![]),
            (decided(InDoubt, false), vec![], vec![]),
            (decided(InDoubt, false), applied(2), vec![DriftWhat::Applied]),
        ] {
            assert_eq!(whats(&life, &rows), expected, "{life:?} {rows:?}");
        }
    }

    #[test]
    fn what_was_done_is_checked_also_where_its_beginning_is_lost_or_people_decided() {
        use ChangeState::{Done, FailedClean, InDoubt};
        let lost = |state| life_of(state, "prod@2026-10-30#2/rate/1");
        let prod = || TargetName::new("prod").ok();
        for (life, expected) in [
            (life(Done), vec![prod()]),
            (life(FailedClean), vec![]),
            (life(InDoubt), vec![]),
            (decided(InDoubt, true), vec![prod()]),
            (decided(InDoubt, false), vec![]),
            (lost(Done), vec![None]),
            (lost(FailedClean), vec![]),
        ] {
            let mut standing = Standing::default();
            standing.changes.insert(ChangeId::new("rate").unwrap(), life.clone().into());
            let places = done_since(&standing, Timestamp::UNIX_EPOCH, Some("production"));
            let targets: Vec<_> = places.iter().map(|place| place.target.clone()).collect();
            assert_eq!(targets, expected, "{life:?}");
            // Without a target nothing was compared, whatever was read.
            let said = Said::Unreachable { why: String::new() };
            let checked = places
                .iter()
                .filter_map(|place| checked(&standing, place, said.clone(), Timestamp::UNIX_EPOCH));
            assert!(checked.into_iter().all(|checked| !checked.is_same()));
            assert_eq!(done_since(&standing, Timestamp::UNIX_EPOCH, Some("uat")), []);
        }
    }
}
