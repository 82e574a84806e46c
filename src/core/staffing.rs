//! Who has a shift of a date: those who are planned, less those on leave, with swaps and overrides (E1, E2).
//!
//! Each step looks at what the one before left: assignments and rotations say who is planned; whoever is on leave is
//! replaced by the deputy of the pair; a swap puts one person into another's place; an override takes all places.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use super::calendar::Calendars;
use super::roster::HoursUnknown;
use crate::definition::site::{Duty, DutyDays, Rotation, Shift, TurnLength};
use crate::types::{PersonId, ShiftName};

/// An entry of the roster, by its number in the site's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    Assignment(usize),
    Rotation(usize),
    Leave(usize),
    Swap(usize),
    Override(usize),
}

/// Why somebody has a shift for which somebody else was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Stands in for somebody on leave.
    Deputy(PersonId),
    /// Took the shift over from somebody.
    Swap(PersonId),
    Override,
}

/// Somebody who has a shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub person: PersonId,
    /// `None`: as planned.
    pub instead: Option<Instead>,
    /// What says so last.
    pub by: Entry,
}

/// A shift of a date, before anybody knows its hours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staff {
    /// In the order of the roster, each once.
    pub holders: Vec<Holder>,
    /// Planned, and not on shift.
    pub left: BTreeSet<PersonId>,
    /// Places that nobody took: whoever was planned is on leave, and no deputy can stand in.
    pub empty: Vec<PersonId>,
    /// Swaps that moved nobody: who gives has not the shift, or who takes has it already.
    pub idle: Vec<usize>,
    /// Entries that had a say after the plan: leave of who is planned, swaps, an override.
    pub changes: u32,
}

/// Somebody's place in a shift.
struct Seat {
    planned: PersonId,
    has: Option<PersonId>,
    instead: Option<Instead>,
    by: Entry,
}

/// The entries of a site's roster, by shift.
#[derive(Debug)]
pub(super) struct Staffing<'a> {
    duty: &'a Duty,
    calendars: &'a Calendars,
    shifts: BTreeMap<&'a ShiftName, OfShift>,
}

/// Numbers of the entries that name a shift.
#[derive(Debug, Default)]
struct OfShift {
    assignments: Vec<usize>,
    rotations: Vec<usize>,
    swaps: Vec<usize>,
    overrides: Vec<usize>,
}

impl<'a> Staffing<'a> {
    pub(super) fn new(duty: &'a Duty, calendars: &'a Calendars) -> Self {
        let mut shifts: BTreeMap<&ShiftName, OfShift> = BTreeMap::new();
        for (n, entry) in duty.roster.iter().enumerate() {
            shifts.entry(&entry.shift).or_default().assignments.push(n);
        }
        for (n, entry) in duty.rotations.iter().enumerate() {
            shifts.entry(&entry.shift).or_default().rotations.push(n);
        }
        for (n, entry) in duty.swaps.iter().enumerate() {
            shifts.entry(&entry.shift).or_default().swaps.push(n);
        }
        for (n, entry) in duty.overrides.iter().enumerate() {
            shifts.entry(&entry.shift).or_default().overrides.push(n);
        }
        shifts.retain(|name, _| duty.shifts.contains_key(*name));
        Self { duty, calendars, shifts }
    }

    /// Shifts that some entry names.
    pub(super) fn shifts(&self) -> impl Iterator<Item = (&'a ShiftName, &'a Shift)> {
        self.shifts.keys().filter_map(|name| self.duty.shifts.get_key_value(*name))
    }

    /// Who has the shift of a date.
    pub(super) fn of(&self, name: &ShiftName, date: Date) -> Result<Staff, HoursUnknown> {
        let Some((entries, shift)) = self.shifts.get(name).zip(self.duty.shifts.get(name)) else {
            return Ok(Staff::default());
        };
        let mut seats = self.planned(entries, (name, shift), date)?;
        let planned: BTreeSet<PersonId> = seats.iter().map(|seat| seat.planned.clone()).collect();
        let mut changes = self.take_leave(&mut seats, date);
        let covers = |n: &&usize| {
            let swap = &self.duty.swaps[**n];
            swap.from <= date && date <= swap.to
        };
        changes += entries.swaps.iter().filter(covers).count();
        let idle = self.swap(entries, &mut seats, date);
        let empty = seats.iter().filter(|seat| seat.has.is_none());
        let mut empty: Vec<PersonId> = empty.map(|seat| seat.planned.clone()).collect();
        let held = seats.into_iter().filter_map(|seat| {
            Some(Holder { person: seat.has?, instead: seat.instead, by: seat.by })
        });
        let mut holders: Vec<Holder> = held.collect();
        // The file holds one for a shift and date.
        let set = entries.overrides.iter().find(|n| self.duty.overrides[**n].date == date);
        if let Some(number) = set {
            empty.clear();
            changes += 1;
            let people = self.duty.overrides[*number].people.iter();
            holders = people
                .map(|person| Holder {
                    person: person.clone(),
                    instead: (!planned.contains(person)).then_some(Instead::Override),
                    by: Entry::Override(*number),
                })
                .collect();
        }
        let mut once = BTreeSet::new();
        holders.retain(|holder| once.insert(holder.person.clone()));
        let left = planned.into_iter().filter(|person| !once.contains(person)).collect();
        let changes = u32::try_from(changes).unwrap_or(u32::MAX);
        Ok(Staff { holders, left, empty, idle, changes })
    }

    /// Who is planned, in the order of the files: assignments, then rotations.
    fn planned(
        &self,
        entries: &OfShift,
        shift: (&ShiftName, &Shift),
        date: Date,
    ) -> Result<Vec<Seat>, HoursUnknown> {
        let mut seats: Vec<Seat> = Vec::new();
        let mut plan = |people: &[PersonId], by| {
            for person in people {
                if !seats.iter().any(|seat| seat.planned == *person) {
                    let (planned, has) = (person.clone(), Some(person.clone()));
                    seats.push(Seat { planned, has, instead: None, by });
                }
            }
        };
        for number in &entries.assignments {
            let entry = &self.duty.roster[*number];
            if entry.from <= date && date <= entry.to {
                plan(&entry.people, Entry::Assignment(*number));
            }
        }
        for number in &entries.rotations {
            let rotation = &self.duty.rotations[*number];
            if let Some(group) = self.turn(rotation, shift, date)? {
                plan(&rotation.groups[group], Entry::Rotation(*number));
            }
        }
        Ok(seats)
    }

    /// Which group's turn a date is; `None` where the rotation does not have the date.
    fn turn(
        &self,
        rotation: &Rotation,
        shift: (&ShiftName, &Shift),
        date: Date,
    ) -> Result<Option<usize>, HoursUnknown> {
        let ended = rotation.to.is_some_and(|to| to < date);
        if date < rotation.from || ended || rotation.skip.contains(&date) {
            return Ok(None);
        }
        if !self.is_among(rotation.days, shift, date)? {
            return Ok(None);
        }
        let since = |from: Date| i64::from((date - from).get_days());
        let (passed, length) = match (rotation.every, rotation.days) {
            (TurnLength::Weeks(weeks), _) => (since(rotation.from), i64::from(weeks) * 7),
            (TurnLength::Days(days), DutyDays::Every) => (since(rotation.from), i64::from(days)),
            (TurnLength::Days(days), _) => {
                let mut passed = 0;
                for before in rotation.from.series(jiff::ToSpan::days(1)) {
                    if before >= date {
                        break;
                    }
                    passed += i64::from(self.is_among(rotation.days, shift, before)?);
                }
                (passed, i64::from(days))
            }
        };
        let turn = usize::try_from(passed / length.max(1)).unwrap_or(0);
        Ok(turn.checked_rem(rotation.groups.len()))
    }

    /// Whether a date is one of those days.
    pub(super) fn is_among(
        &self,
        days: DutyDays,
        (name, shift): (&ShiftName, &Shift),
        date: Date,
    ) -> Result<bool, HoursUnknown> {
        Ok(match days {
            DutyDays::Every => true,
            DutyDays::Weekdays(days) => {
                let weekday = date.weekday().to_monday_zero_offset();
                usize::try_from(weekday).ok().and_then(|at| days.get(at)).copied().unwrap_or(false)
            }
            DutyDays::Business => self.is_business_day((name, shift), date)?,
            DutyDays::Off => !self.is_business_day((name, shift), date)?,
        })
    }

    pub(super) fn is_business_day(
        &self,
        (name, shift): (&ShiftName, &Shift),
        date: Date,
    ) -> Result<bool, HoursUnknown> {
        let Some(calendar) = &shift.calendar else {
            return Ok(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
        };
        let known = self.calendars.is_business_day(calendar, date);
        known.ok_or_else(|| HoursUnknown { shift: name.clone(), date, calendar: calendar.clone() })
    }

    /// The leave that somebody is on.
    pub(super) fn leave(&self, person: &PersonId, date: Date) -> Option<usize> {
        let on = |leave: &crate::definition::site::Leave| {
            leave.person == *person && leave.from <= date && date <= leave.to
        };
        self.duty.leave.iter().position(on)
    }

    /// Those who stand in for somebody, in the order of the pairs.
    pub(super) fn deputies<'p>(
        &'p self,
        person: &'p PersonId,
    ) -> impl Iterator<Item = &'p PersonId> {
        self.duty.pairs.iter().filter_map(move |[a, b]| match (a == person, b == person) {
            (true, _) => Some(b),
            (_, true) => Some(a),
            _ => None,
        })
    }

    /// Replaces those on leave; how many there are.
    fn take_leave(&self, seats: &mut [Seat], date: Date) -> usize {
        let mut away = 0;
        for at in 0..seats.len() {
            let planned = seats[at].planned.clone();
            let Some(leave) = self.leave(&planned, date) else { continue };
            away += 1;
            let free = |deputy: &&PersonId| {
                self.leave(deputy, date).is_none()
                    && !seats.iter().any(|seat| seat.has.as_ref() == Some(deputy))
            };
            let deputy = self.deputies(&planned).find(free).cloned();
            let seat = &mut seats[at];
            seat.instead = deputy.as_ref().map(|_| Instead::Deputy(planned));
            seat.has = deputy;
            seat.by = Entry::Leave(leave);
        }
        away
    }

    /// Carries swaps out, one after the other; those that moved nobody.
    fn swap(&self, entries: &OfShift, seats: &mut [Seat], date: Date) -> Vec<usize> {
        let mut idle = Vec::new();
        for number in &entries.swaps {
            let swap = &self.duty.swaps[*number];
            if date < swap.from || swap.to < date {
                continue;
            }
            let has_it =
                |person: &PersonId| seats.iter().position(|seat| seat.has.as_ref() == Some(person));
            // On leave the place is still that of who gives it, whoever would stand in.
            let on_leave =
                |seat: &Seat| seat.planned == swap.gives && matches!(seat.by, Entry::Leave(_));
            let at = has_it(&swap.gives).or_else(|| seats.iter().position(on_leave));
            let taken = has_it(&swap.takes);
            let Some(at) = at.filter(|at| taken.is_none_or(|taken| taken == *at)) else {
                idle.push(*number);
                continue;
            };
            let seat = &mut seats[at];
            // Back to who was planned is no swap that anybody has to hear of.
            let planned = seat.planned == swap.takes;
            seat.instead = (!planned).then(|| Instead::Swap(swap.gives.clone()));
            seat.has = Some(swap.takes.clone());
            seat.by = Entry::Swap(*number);
        }
        idle
    }
}

#[cfg(test)]
#[path = "staffing_tests.rs"]
mod tests;
