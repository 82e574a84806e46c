//! A rehearsal in words: what was done, with rows and times, before the change that stays.

use jiff::Timestamp;

use super::words::{ChangeWord, remarks};
use crate::core::change::Executed;
use crate::types::{Lang, Zone};
use crate::wire::{ChangeState, Did, RehearsalStep, is_rehearsed};

/// The change that stays, after its rehearsal.
pub(super) struct Again {
    pub(super) rows: u64,
    pub(super) good: u32,
    pub(super) checks: u32,
    pub(super) ended: Timestamp,
}

impl Again {
    /// `None`: it did not come to a good end.
    pub(super) fn of(executed: &Executed) -> Option<Self> {
        let Executed { rows, good, checks, ended, .. } = *executed;
        (executed.state == ChangeState::Done).then_some(Self { rows, good, checks, ended })
    }
}

/// `None`: nothing was rehearsed. Times are of the zone, and of the day of the attempt.
pub(super) fn words(
    lang: Lang,
    zone: &Zone,
    steps: &[RehearsalStep],
    again: Option<Again>,
) -> Option<String> {
    if steps.is_empty() {
        return None;
    }
    let time = |at: Timestamp| at.to_zoned(zone.tz().clone()).strftime("%H:%M:%S").to_string();
    let mut told: Vec<String> = steps
        .iter()
        .map(|step| {
            let (rows, checks, at) = (step.rows, step.checks, &time(step.at));
            match step.did {
                Did::Changed => ChangeWord::Changed { rows, at },
                Did::Verified => ChangeWord::Verified { checks, at },
                Did::RolledBack => ChangeWord::RolledBack { rows, at },
                Did::FormerVerified => ChangeWord::FormerVerified { checks, at },
            }
            .say(lang)
        })
        .collect();
    let whole = is_rehearsed(steps);
    if let Some(Again { rows, good, checks, ended }) = again.filter(|_| whole) {
        let at = &time(ended);
        told.push(ChangeWord::ChangedAgain { rows, good, checks, at }.say(lang));
    }
    let what = &remarks(lang, &told);
    Some(match whole {
        true => ChangeWord::RehearsedAs { what }.say(lang),
        false => ChangeWord::RehearsalCut { what }.say(lang),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_is_told_step_by_step() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let begun: Timestamp = "2026-10-27T02:00:00Z".parse().unwrap();
        let step = |(nth, did): (i64, Did)| {
            let at = begun + jiff::SignedDuration::from_secs(nth);
            let of_rows = matches!(did, Did::Changed | Did::RolledBack);
            let (rows, checks) = if of_rows { (3, 0) } else { (0, 1) };
            RehearsalStep { did, at, rows, checks }
        };
        let steps: Vec<RehearsalStep> = (0..).zip(Did::ALL).map(step).collect();
        let ended = begun + jiff::SignedDuration::from_secs(9);
        let say = |lang, steps: &[RehearsalStep]| {
            let again = Again { rows: 3, good: 1, checks: 1, ended };
            words(lang, &zone, steps, Some(again)).unwrap_or_default()
        };
        assert_eq!(
            say(Lang::En, &steps),
            "rehearsed: changed 3 rows at 10:00:00; verified (1 checks) at 10:00:01; rolled back (3 rows) at \
             10:00:02; former state verified (1 checks) at 10:00:03; changed again: 3 rows, verified (1 of 1 \
             checks good) at 10:00:09"
        );
        assert_eq!(
            say(Lang::Zh, &steps[..2]),
            "演练未完成：10:00:00 变更 3 行；10:00:01 验证通过（1 项）"
        );
        assert_eq!(say(Lang::En, &[]), "");
    }
}
