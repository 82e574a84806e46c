//! What is wrong with a roster that only its days show: somebody in two places at once, swaps of shifts that nobody has,
//! people on shift whom nothing reaches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::calendar::{Calendars, plus};
use super::check::Severity;
use super::roster::{Entry, Roster, days};
use super::roster_gaps::{self, Gap, GapRule};
use crate::definition::site::{Site, Weight};
use crate::types::{PersonId, ShiftName};

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    Entry(Entry),
    Person(PersonId),
    Gap(GapRule),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterFinding {
    pub about: About,
    pub severity: Severity,
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// A shift of one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn<'a> {
    pub(super) person: PersonId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) shift: &'a ShiftName,
    pub(super) date: Date,
    pub(super) by: Entry,
    pub(super) on_call: bool,
}

/// What is wrong with the roster from yesterday on: what is over cannot be mended. Days that a calendar does not reach
/// are passed over; that it ends is said of the calendar.
pub fn check(site: &Site, calendars: &Calendars, today: Date) -> Vec<RosterFinding> {
    let roster = Roster::new(site, calendars);
    let mut check = RosterCheck { site, found: Vec::new(), turns: Vec::new() };
    check.look(&roster, today);
    check.clashes();
    if let Some(rules) = &site.duty.rules {
        check.rules(&roster, rules, today);
    }
    check.gaps(&roster, today);
    check.addresses(today);
    check.found
}

pub(super) struct RosterCheck<'a> {
    pub(super) site: &'a Site,
    /// From yesterday on, by person and time.
    pub(super) turns: Vec<Turn<'a>>,
    found: Vec<RosterFinding>,
}

impl<'a> RosterCheck<'a> {
    /// As a rule of the site weighs it.
    pub(super) fn weigh(&mut self, about: About, weight: Weight, what: String, hint: &str) {
        let severity = match weight {
            Weight::Defect => Severity::Error,
            Weight::Warning => Severity::Warning,
        };
        self.say(about, severity, what, hint);
    }

    fn say(&mut self, about: About, severity: Severity, what: String, hint: &str) {
        self.found.push(RosterFinding { about, severity, what, hint: hint.to_owned() });
    }

    /// Takes in who has which shift, day by day.
    fn look(&mut self, roster: &Roster<'a>, today: Date) {
        let Some(last) = roster.last_date(today) else { return };
        let mut idle: BTreeMap<usize, Date> = BTreeMap::new();
        for date in days(plus(today, -1), last) {
            for (name, shift) in roster.staffing.shifts() {
                let Ok(staff) = roster.staff(name, date) else { continue };
                for swap in staff.idle {
                    idle.entry(swap).or_insert(date);
                }
                let Ok((from, to)) = roster.hours((name, shift), date) else { continue };
                let turn = |holder: super::staffing::Holder| Turn {
                    person: holder.person,
                    from,
                    to,
                    shift: name,
                    date,
                    by: holder.by,
                    on_call: shift.on_call,
                };
                self.turns.extend(staff.holders.into_iter().map(turn));
            }
        }
        self.turns.sort();
        for (number, date) in idle {
            let swap = &self.site.duty.swaps[number];
            let what = format!(
                "{} does not have shift `{}` of {date}, or {} has it already: there is nothing to swap",
                swap.gives, swap.shift, swap.takes
            );
            let hint = "swap only dates of the shift that `gives` is planned for";
            self.say(About::Entry(Entry::Swap(number)), Severity::Error, what, hint);
        }
    }

    /// Shifts of one person that overlap, where none of them is on call. What comes again is said once.
    fn clashes(&mut self) {
        let mut clashes: BTreeMap<TwoShifts<'_>, (Date, Date, usize)> = BTreeMap::new();
        let mut longest: Option<&Turn<'a>> = None;
        for turn in self.turns.iter().filter(|turn| !turn.on_call) {
            let before = longest.filter(|before| before.person == turn.person);
            let clash = |before: &&Turn<'_>| turn.from < before.to && !self.is_told(before, turn);
            if let Some(before) = before.filter(clash) {
                let by = before.by.max(turn.by);
                let clash = (by, turn.person.clone(), before.shift, turn.shift);
                clashes.entry(clash).or_insert((before.date, turn.date, 0)).2 += 1;
            }
            if before.is_none_or(|before| before.to < turn.to) {
                longest = Some(turn);
            }
        }
        for ((by, person, first, second), (on, also, times)) in clashes {
            let again = again(times);
            let what = format!(
                "{person} has two shifts at once: {first} of {on} and {second} of {also}{again}"
            );
            let hint = "a shift with `on_call: true` may be had beside another one";
            self.found.push(RosterFinding {
                about: About::Entry(by),
                severity: Severity::Error,
                what,
                hint: hint.to_owned(),
            });
        }
    }

    /// Whether a rule of rest calls it a defect that the one shift follows the other: once is enough.
    fn is_told(&self, before: &Turn<'_>, after: &Turn<'_>) -> bool {
        let rules = self.site.duty.rules.iter().flat_map(|rules| &rules.rest);
        let mut defects = rules.filter(|rule| rule.weight == Weight::Defect);
        plus(before.date, 1) == after.date
            && defects.any(|rule| rule.after == *before.shift && rule.not.contains(after.shift))
    }

    /// Shifts that need people whom nobody has named.
    fn gaps(&mut self, roster: &Roster<'a>, today: Date) {
        for gap in roster_gaps::ahead(self.site, roster, today).gaps {
            let hint = match &gap.shift {
                Some(_) => {
                    "name somebody in roster.yaml; `nightrun roster gaps` lists what is open"
                }
                None => {
                    "extend a shift, or name somebody; `nightrun roster gaps` lists what is open"
                }
            };
            self.weigh(About::Gap(gap.rule), gap.weight, in_words(self.site, &gap), hint);
        }
    }

    /// People on shift whom neither mail nor webhook reaches.
    fn addresses(&mut self, today: Date) {
        let ahead = self.turns.iter().filter(|turn| turn.date >= today);
        let on: BTreeSet<PersonId> = ahead.map(|turn| turn.person.clone()).collect();
        for id in on {
            let Some(person) = self.site.people.get(&id) else { continue };
            if person.mail.is_some() || person.webhook.is_some() {
                continue;
            }
            let what = format!(
                "`{id}` has shifts, and neither mail nor webhook: nothing calls this person"
            );
            let hint = "give `mail:` or `webhook:`";
            let rule = self.site.duty.rules.as_ref().and_then(|rules| rules.addresses);
            self.weigh(About::Person(id), rule.unwrap_or(Weight::Warning), what, hint);
        }
    }
}

/// What is said of what comes `times` times in all.
pub(super) fn again(times: usize) -> String {
    match times {
        0 | 1 => String::new(),
        2 => ", and so once more".to_owned(),
        _ => format!(", and so {} times more", times - 1),
    }
}

fn in_words(site: &Site, gap: &Gap) -> String {
    let dates = match gap.first == gap.last {
        true => format!("on {}", gap.first),
        false => format!("from {} to {}", gap.first, gap.last),
    };
    match &gap.shift {
        Some(shift) => {
            format!("shift `{shift}` needs {} and has {} {dates}", people(gap.needs), gap.has)
        }
        None => {
            let minute = |at: Timestamp| {
                at.to_zoned(site.zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string()
            };
            format!("nobody is on any shift from {} to {}", minute(gap.from), minute(gap.to))
        }
    }
}

fn people(count: u32) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// The entry that is to blame, who, and the two shifts.
pub(super) type TwoShifts<'a> = (Entry, PersonId, &'a ShiftName, &'a ShiftName);

#[cfg(test)]
#[path = "roster_check_tests.rs"]
pub(super) mod tests;
