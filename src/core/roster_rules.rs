//! The rules of a house for its roster (E2): notice, approval, rest, pairs, long leave.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::calendar::plus;
use super::roster::{Entry, Roster, days, instant};
use super::roster_check::{About, RosterCheck, Turn, TwoShifts, again};
use crate::definition::site::{
    ApprovedRule, Leave, LongLeaveRule, Notice, NoticeRule, RosterRules, Weight,
};
use crate::types::{PersonId, ShiftName, Span};

impl<'a> RosterCheck<'a> {
    /// What breaks a rule; of what is over nothing, as it cannot be mended.
    pub(super) fn rules(&mut self, roster: &Roster<'a>, rules: &'a RosterRules, today: Date) {
        for (number, swap) in self.site.duty.swaps.iter().enumerate() {
            if swap.to < today {
                continue;
            }
            let entry = Entry::Swap(number);
            let what = format!("the swap of shift `{}` of {}", swap.shift, swap.from);
            if let Some(rule) = &rules.swap_notice {
                let shift = self.site.duty.shifts.get_key_value(&swap.shift);
                let begin = shift.and_then(|shift| roster.hours(shift, swap.from).ok());
                let begin = begin.map_or_else(|| self.midnight(swap.from), |(from, _)| from);
                let dates = (swap.from, swap.to);
                self.notice((entry, &what), rule, &swap.notice, (begin, dates));
            }
            if let Some(rule) = &rules.swap_approval {
                self.approval((entry, &what), rule, &swap.notice, &[&swap.gives, &swap.takes]);
            }
        }
        for (number, leave) in self.site.duty.leave.iter().enumerate() {
            if leave.to < today {
                continue;
            }
            let entry = Entry::Leave(number);
            let what = format!("the leave of {} from {}", leave.person, leave.from);
            if let Some(rule) = &rules.leave_notice {
                let begin = self.midnight(leave.from);
                self.notice((entry, &what), rule, &leave.notice, (begin, (leave.from, leave.to)));
            }
            if let Some(rule) = &rules.leave_approval {
                self.approval((entry, &what), rule, &leave.notice, &[&leave.person]);
            }
            if let Some(rule) = &rules.long_leave {
                self.long_leave(roster, rule, (number, leave));
            }
        }
        if let Some(weight) = rules.pair_on_leave {
            self.pairs(weight, today);
        }
        self.rest(rules);
    }

    fn midnight(&self, date: Date) -> Timestamp {
        instant(date, jiff::civil::Time::midnight(), &self.site.zone)
    }

    /// Whether something was announced long enough before it begins.
    fn notice(
        &mut self,
        (entry, what): (Entry, &str),
        rule: &NoticeRule,
        notice: &Notice,
        (begin, (from, to)): (Timestamp, (Date, Date)),
    ) {
        let asked = if from == to { rule.one_day } else { rule.longer };
        let hint = format!(
            "it is announced {} ahead for one day, {} for more (roster-rules.yaml)",
            rule.one_day, rule.longer
        );
        let announced = notice.announced.and_then(|at| self.site.zone.tz().to_timestamp(at).ok());
        let Some(announced) = announced else {
            let what = format!("{what} does not say when it was announced");
            return self.weigh(About::Entry(entry), rule.weight, what, &hint);
        };
        let ahead = begin.duration_since(announced);
        if SignedDuration::try_from(asked.get()).is_ok_and(|asked| ahead < asked) {
            let what = match ahead.is_negative() {
                true => format!("{what} was announced after it began"),
                false => {
                    let ahead = Span::of(ahead.unsigned_abs());
                    format!("{what} was announced {ahead} ahead, and {asked} are asked for")
                }
            };
            self.weigh(About::Entry(entry), rule.weight, what, &hint);
        }
    }

    fn approval(
        &mut self,
        (entry, what): (Entry, &str),
        rule: &ApprovedRule,
        notice: &Notice,
        own: &[&PersonId],
    ) {
        let hint = format!("who has the role `{}` approves it, and never one's own", rule.role);
        let what = match &notice.approved_by {
            None => format!("{what} is not approved"),
            Some(person) if own.contains(&person) => {
                format!("{what} is approved by {person}, whose own it is")
            }
            Some(person) => {
                let known = self.site.people.get(person);
                if known.is_some_and(|known| known.roles.contains(&rule.role)) {
                    return;
                }
                format!("{what} is approved by {person}, who has not the role `{}`", rule.role)
            }
        };
        self.weigh(About::Entry(entry), rule.weight, what, &hint);
    }

    /// Nobody is away for long who is planned for such a shift.
    fn long_leave(
        &mut self,
        roster: &Roster<'a>,
        rule: &LongLeaveRule,
        (number, leave): (usize, &Leave),
    ) {
        let length = (leave.to - leave.from).get_days().unsigned_abs() + 1;
        if length <= rule.days {
            return;
        }
        let planned = days(leave.from, leave.to).find_map(|date| {
            let left = |shift: &&ShiftName| {
                roster.staff(shift, date).is_ok_and(|staff| staff.left.contains(&leave.person))
            };
            rule.during.iter().find(left).map(|shift| (shift, date))
        });
        if let Some((shift, date)) = planned {
            let what = format!(
                "{} is away for {length} days and planned for shift `{shift}` of {date}",
                leave.person
            );
            let most =
                if rule.days == 1 { "a day".to_owned() } else { format!("{} days", rule.days) };
            let hint = format!("nobody planned for it is away for more than {most}");
            self.weigh(About::Entry(Entry::Leave(number)), rule.weight, what, &hint);
        }
    }

    /// The two of a pair are never off together.
    fn pairs(&mut self, weight: Weight, today: Date) {
        let leave = &self.site.duty.leave;
        let mut told = BTreeSet::new();
        for [a, b] in &self.site.duty.pairs {
            for (first, one) in leave.iter().enumerate().filter(|(_, leave)| leave.person == *a) {
                for (second, other) in
                    leave.iter().enumerate().filter(|(_, leave)| leave.person == *b)
                {
                    let (from, to) = (one.from.max(other.from), one.to.min(other.to));
                    let entry = Entry::Leave(first.max(second));
                    if from > to || to < today || !told.insert((entry, first.min(second))) {
                        continue;
                    }
                    let what =
                        format!("{a} and {b} stand in for each other, and both are away on {from}");
                    let hint = "move one leave: of a pair one is there";
                    self.weigh(About::Entry(entry), weight, what, hint);
                }
            }
        }
    }

    /// Shifts that nobody has on the date after another one.
    fn rest(&mut self, rules: &RosterRules) {
        let mut broken: BTreeMap<TwoShifts<'_>, (Date, Weight, usize)> = BTreeMap::new();
        for (rule, before, after) in without_rest(&self.turns, rules) {
            let by = before.by.max(after.by);
            let key = (by, after.person.clone(), before.shift, after.shift);
            broken.entry(key).or_insert((before.date, rule, 0)).2 += 1;
        }
        for ((by, person, before, after), (date, weight, times)) in broken {
            let again = again(times);
            let what = format!(
                "{person} has shift `{before}` of {date} and `{after}` on the date after it{again}"
            );
            self.weigh(
                About::Entry(by),
                weight,
                what,
                "give the second one to somebody who has slept",
            );
        }
    }
}

/// Turns of one person that a rule of rest does not let follow each other.
fn without_rest<'t, 'a>(
    turns: &'t [Turn<'a>],
    rules: &RosterRules,
) -> Vec<(Weight, &'t Turn<'a>, &'t Turn<'a>)> {
    let mut found = Vec::new();
    let by_day: BTreeMap<(&PersonId, &ShiftName, Date), &Turn<'a>> =
        turns.iter().map(|turn| ((&turn.person, turn.shift, turn.date), turn)).collect();
    for rule in &rules.rest {
        for before in turns.iter().filter(|turn| *turn.shift == rule.after) {
            let next = plus(before.date, 1);
            let after =
                rule.not.iter().filter_map(|shift| by_day.get(&(&before.person, shift, next)));
            found.extend(after.map(|after| (rule.weight, before, *after)));
        }
    }
    found
}

#[cfg(test)]
#[path = "roster_rules_tests.rs"]
mod tests;
