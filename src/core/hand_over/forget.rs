//! Hand-overs that were over before the runs that the site keeps leave the store, as those runs do (E5). Their entries stay in
//! the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::HandOver;
use crate::core::fact::Fact;
use crate::core::night::Mover;
use crate::core::state::Unfit;
use crate::types::ShiftName;

impl Mover<'_> {
    /// The last one of a shift stays, however old it is: what ended before it is not handed over any more.
    pub(in crate::core) fn forget_hand_overs(&mut self, before: Timestamp) -> Result<(), Unfit> {
        let known = &self.core.state.standing.hand_overs;
        let mut last: BTreeMap<&ShiftName, &HandOver> = BTreeMap::new();
        for of_shift in known.values() {
            let kept = last.entry(&of_shift.what.hand_over.shift).or_insert(of_shift);
            if kept.what.ends < of_shift.what.ends {
                *kept = of_shift;
            }
        }
        let old = known.values().filter(|known| {
            let is_last = last
                .get(&known.what.hand_over.shift)
                .is_some_and(|last| last.what.hand_over == known.what.hand_over);
            !is_last && known.closed.is_some_and(|closed| closed < before)
        });
        let forgotten = old.map(|known| Fact::HandOverForgotten {
            hand_over: known.what.hand_over.clone(),
            steps: u32::try_from(known.steps.len()).unwrap_or(u32::MAX),
        });
        let forgotten: Vec<Fact> = forgotten.collect();
        forgotten.into_iter().try_for_each(|fact| self.emit(fact))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::core::event::Event;
    use crate::core::fact::Fact;
    use crate::core::hand_over::{HandOverStep, Moved, Opened};
    use crate::core::test_night::{Night, site};
    use crate::core::test_site::job;

    /// Four nights and an early shift; the first three nights and the early shift were accepted a day after their ends.
    fn known() -> Night {
        let mut night = Night::new(site(vec![job("a", &[])]));
        let start = night.now.wall;
        let day = |days: i64| start + SignedDuration::from_hours(24 * days);
        let shifts = [("night@2026-06-01", 1), ("night@2026-06-02", 2), ("early@2026-06-02", 2)];
        let open = [("night@2026-06-03", 3), ("night@2026-06-04", 4)];
        for (id, days) in shifts.into_iter().chain(open) {
            let opened = Opened {
                hand_over: id.parse().unwrap(),
                to: Vec::new(),
                began: day(days - 1),
                ends: day(days),
                outgoing: Vec::new(),
                incoming: Vec::new(),
                notify: Vec::new(),
            };
            let fact = Fact::HandOverOpened(Box::new(opened));
            night.core.replay(day(days - 1), &fact).unwrap();
        }
        for (id, days) in shifts.into_iter().chain([open[1]]) {
            let (hand_over, by, step) = (id.parse().unwrap(), None, HandOverStep::Same);
            let moved = Moved { hand_over, number: 1, by, words: String::new(), step };
            let fact = Fact::HandOverMoved(Box::new(moved));
            night.core.replay(day(days + 1), &fact).unwrap();
        }
        night
    }

    fn left(night: &Night) -> Vec<String> {
        night.core.state().standing.hand_overs.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_over_for_long_enough_goes_but_the_last_of_a_shift_and_what_is_open() {
        let mut night = known();
        let all = left(&night);
        let day = |night: &Night, days: i64| night.now.wall + SignedDuration::from_hours(24 * days);
        let before = day(&night, 2);
        night.must(Event::ForgetHandOvers { before });
        assert_eq!(
            left(&night),
            all,
            "the first was over two days after the start, and not before"
        );
        let before = day(&night, 100);
        night.must(Event::ForgetHandOvers { before });
        assert_eq!(left(&night), ["early@2026-06-02", "night@2026-06-03", "night@2026-06-04"]);
    }

    #[test]
    fn of_a_former_time_it_is_told_as_it_stood_then() {
        let night = known();
        let id = "night@2026-06-02".parse().unwrap();
        let known = &night.core.state().standing.hand_overs[&id];
        let hour = SignedDuration::from_hours(1);
        assert_eq!(known.as_of(known.opened - hour), None);
        let then = known.as_of(known.closed.unwrap() - hour).unwrap();
        assert!(then.is_open() && then.steps.is_empty());
        assert_eq!(known.as_of(known.closed.unwrap()).as_ref(), Some(known));
    }
}
