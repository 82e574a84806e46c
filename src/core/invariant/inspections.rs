//! What must be true of rounds of inspections: each counts once, and a day is counted once, when it is over, by what is known.

use jiff::Timestamp;

use crate::core::fact::Fact;
use crate::core::state::State;

/// What it is about, and why it must not be.
type Not = (String, &'static str);

pub(super) fn may(state: &State, fact: &Fact, now: Timestamp) -> Result<(), Not> {
    let known = &state.standing.inspected;
    match fact {
        Fact::RoundInspected(round) => {
            let again = known.rounds.keys();
            let mut again = again.filter(|run| run.batch == round.run.batch);
            match again.any(|run| run.key == round.run.key) {
                true => Err((round.run.to_string(), "it was a round before")),
                false => Ok(()),
            }
        }
        Fact::InspectionsCounted(counted) => {
            let not = |why| Err((format!("the rounds of {}", counted.date), why));
            if known.last_counted(now).is_some_and(|last| last >= counted.date) {
                return not("that day was counted before");
            }
            let mut lines = counted.batches.iter();
            let wrong = lines.any(|line| {
                let rounds = known.rounds.values().filter(|round| !round.late);
                let of_day = rounds.filter(|round| round.date == counted.date);
                let of_batch = of_day.filter(|round| round.run.batch == line.batch);
                usize::try_from(line.done).ok() != Some(of_batch.count())
            });
            // The earliest end that a day has anywhere.
            let over = |date: jiff::civil::Date| {
                let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(14));
                date.tomorrow().ok()?.to_zoned(zone).ok().map(|end| end.timestamp())
            };
            if wrong {
                return not("there are others");
            }
            let first = known.last_counted(now).is_none();
            match first || over(counted.date).is_some_and(|end| end <= now) {
                true => Ok(()),
                false => not("that day is not over"),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inspection::{BatchCount, DayCount, Round};
    use crate::types::BatchId;

    /// A round of a run that ended so, and a count of a day; what is wrong with either where another round and the count of
    /// the day before are known.
    #[test]
    fn a_round_and_a_day_count_once_and_by_what_is_known() {
        let at: Timestamp = "2026-10-30T20:00:00Z".parse().unwrap();
        let round = |run: &str, late| Round {
            run: run.parse().unwrap(),
            date: "2026-10-30".parse().unwrap(),
            at,
            late,
            ok: 1,
            warn: 0,
            fail: 0,
        };
        let count = |date: &str, done| {
            let batch = BatchId::new("look").unwrap();
            let batches = vec![BatchCount { batch, wanted: 4, done }];
            Fact::InspectionsCounted(Box::new(DayCount { date: date.parse().unwrap(), batches }))
        };
        let mut state = State::default();
        for known in [round("look@a#1", false), round("look@b#1", true)] {
            state.apply(at, &Fact::RoundInspected(Box::new(known))).unwrap();
        }
        state.apply(at, &count("2026-10-29", 0)).unwrap();
        let another = |run: &str| Fact::RoundInspected(Box::new(round(run, false)));
        for (fact, now, good) in [
            (another("look@c#1"), "2026-10-30T21:00:00Z", true),
            (another("look@a#2"), "2026-10-30T21:00:00Z", false),
            (count("2026-10-30", 1), "2026-10-30T23:00:00Z", true),
            (count("2026-10-30", 1), "2026-10-30T09:59:59Z", false),
            (count("2026-10-30", 2), "2026-10-30T23:00:00Z", false),
            (count("2026-10-29", 0), "2026-10-30T23:00:00Z", false),
        ] {
            let may = may(&state, &fact, now.parse().unwrap());
            assert_eq!(may.is_ok(), good, "{fact:?} {now}: {may:?}");
        }
    }
}
