//! `roster.yaml` → its entries.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::known::Known;
use crate::definition::defect::{Finding, Place};
use crate::definition::places::{FilePlace, RosterPlaces};
use crate::definition::raw::duty::{
    AssignmentRecord, LeaveRecord, OverrideRecord, RosterFile, RotationRecord, SwapRecord,
};
use crate::definition::raw::{Announced, At, Field, List};
use crate::definition::sheets::Sheet;
use crate::definition::site::{
    Assignment, Duty, Leave, Notice, Override, Rotation, Swap, TurnLength,
};
use crate::types::{PersonId, ShiftName};

/// Days of the longest entry with a first and a last date.
const LONGEST: i64 = 366;

/// Puts the entries of the file into `duty`; findings are of that file.
pub(super) fn resolve(
    sheet: &Sheet<RosterFile>,
    raw: &RosterFile,
    known: &Known<'_>,
    (duty, places): (&mut Duty, &mut RosterPlaces),
) -> Vec<Finding> {
    let mut reading = Reading { known, found: Vec::new() };
    let place = |at| FilePlace { file: sheet.file.clone(), at };
    duty.pairs = reading.pairs(raw);
    for record in listed(&raw.roster) {
        if let Some(entry) = reading.assignment(record) {
            places.assignments.push(place(record.at));
            duty.roster.push(entry);
        }
    }
    for record in listed(&raw.rotations) {
        if let Some(entry) = reading.rotation(record) {
            places.rotations.push(place(record.at));
            duty.rotations.push(entry);
        }
    }
    for record in listed(&raw.leave) {
        if let Some(entry) = reading.leave(record) {
            places.leave.push(place(record.at));
            duty.leave.push(entry);
        }
    }
    for record in listed(&raw.swaps) {
        if let Some(entry) = reading.swap(record) {
            places.swaps.push(place(record.at));
            duty.swaps.push(entry);
        }
    }
    for record in listed(&raw.overrides) {
        if let Some(entry) = reading.set(record, &duty.overrides) {
            places.overrides.push(place(record.at));
            duty.overrides.push(entry);
        }
    }
    reading.found
}

fn listed<T>(field: &Field<List<T>>) -> impl Iterator<Item = &At<T>> {
    field.get().into_iter().flat_map(|list| &list.0)
}

struct Reading<'r> {
    known: &'r Known<'r>,
    found: Vec<Finding>,
}

impl Reading<'_> {
    fn pairs(&mut self, raw: &RosterFile) -> Vec<[PersonId; 2]> {
        let mut pairs = Vec::new();
        for pair in listed(&raw.pairs) {
            let people: Vec<PersonId> = self.people(&pair.value.0);
            match <[PersonId; 2]>::try_from(people) {
                Ok([a, b]) if a != b => pairs.push([a, b]),
                _ => {
                    let finding = Finding::error(pair.at, "a pair of deputies is two people");
                    self.found.push(finding.hint("write `[li-wei, anna-schmidt]`"));
                }
            }
        }
        pairs
    }

    fn people(&mut self, named: &[At<PersonId>]) -> Vec<PersonId> {
        let name = |person: &At<PersonId>| {
            self.known.check(&self.known.people, person, &mut self.found);
            person.value.clone()
        };
        named.iter().map(name).collect()
    }

    /// People who have a shift together.
    fn group(&mut self, named: &[At<PersonId>], at: Place) -> Vec<PersonId> {
        let group = self.people(named);
        if group.is_empty() {
            self.found.push(Finding::error(at, "nobody has this shift"));
        }
        let once: BTreeSet<&PersonId> = group.iter().collect();
        if once.len() < group.len() {
            self.found.push(Finding::error(at, "somebody is named twice"));
        }
        group
    }

    fn person(&mut self, field: &Field<PersonId>) -> Option<PersonId> {
        let person = field.given()?;
        self.known.check(&self.known.people, person, &mut self.found);
        Some(person.value.clone())
    }

    fn shift(&mut self, field: &Field<ShiftName>) -> Option<ShiftName> {
        let shift = field.given()?;
        self.known.check(&self.known.shifts, shift, &mut self.found);
        Some(shift.value.clone())
    }

    /// The first and the last date of an entry.
    fn dates(
        &mut self,
        (from, to): (&Field<Date>, &Field<Date>),
        (at, what): (Place, &str),
    ) -> Option<(Date, Date)> {
        let from = *from.get()?;
        let last = if to.is_absent() { from } else { *to.get()? };
        let days = (last - from).get_days();
        if last < from || i64::from(days) >= LONGEST {
            let at = to.at().unwrap_or(at);
            let what = match last < from {
                true => format!("{what} ends before it begins"),
                false => "one entry of the roster is for 366 days at the most".to_owned(),
            };
            self.found.push(Finding::error(at, what));
            return None;
        }
        Some((from, last))
    }

    fn assignment(&mut self, record: &At<AssignmentRecord>) -> Option<Assignment> {
        let raw = &record.value;
        let shift = self.shift(&raw.shift);
        let people = raw.people.given()?;
        let people = self.group(&people.value.0, people.at);
        let (from, to) = self.dates((&raw.from, &raw.to), (record.at, "this shift"))?;
        Some(Assignment { shift: shift?, from, to, people })
    }

    fn rotation(&mut self, record: &At<RotationRecord>) -> Option<Rotation> {
        let raw = &record.value;
        let shift = self.shift(&raw.shift);
        let turns = raw.people.given()?;
        let groups: Vec<Vec<PersonId>> =
            turns.value.0.iter().map(|group| self.group(&group.value.0, group.at)).collect();
        if groups.is_empty() {
            self.found.push(Finding::error(turns.at, "nobody has this shift"));
            return None;
        }
        let from = *raw.from.get()?;
        let to = if raw.to.is_absent() { None } else { Some(*raw.to.get()?) };
        if let (Some(to), Some(at)) = (to.filter(|to| *to < from), raw.to.at()) {
            self.found
                .push(Finding::error(at, format!("this rotation ends on {to}, before it begins")));
            return None;
        }
        for date in listed(&raw.skip) {
            if date.value < from || to.is_some_and(|to| date.value > to) {
                let what = format!("the rotation does not have {}", date.value);
                self.found.push(Finding::warning(date.at, what));
            }
        }
        Some(Rotation {
            shift: shift?,
            from,
            to,
            every: raw.every.get().copied().unwrap_or(TurnLength::Days(1)),
            days: raw.days.get().copied().unwrap_or_default(),
            skip: listed(&raw.skip).map(|date| date.value).collect(),
            groups,
        })
    }

    fn notice(&mut self, announced: &Field<Announced>, approved_by: &Field<PersonId>) -> Notice {
        Notice {
            announced: announced.get().map(|announced| announced.0),
            approved_by: self.person(approved_by),
        }
    }

    fn leave(&mut self, record: &At<LeaveRecord>) -> Option<Leave> {
        let raw = &record.value;
        let person = self.person(&raw.person);
        let notice = self.notice(&raw.announced, &raw.approved_by);
        let (from, to) = self.dates((&raw.from, &raw.to), (record.at, "this leave"))?;
        Some(Leave { person: person?, from, to, notice })
    }

    fn swap(&mut self, record: &At<SwapRecord>) -> Option<Swap> {
        let raw = &record.value;
        let shift = self.shift(&raw.shift);
        let (gives, takes) = (self.person(&raw.gives), self.person(&raw.takes));
        if let (Some(same), Some(at)) =
            (gives.as_ref().filter(|g| takes.as_ref() == Some(g)), raw.takes.at())
        {
            self.found.push(Finding::error(at, format!("`{same}` gives the shift to nobody else")));
        }
        let notice = self.notice(&raw.announced, &raw.approved_by);
        let (from, to) = self.dates((&raw.from, &raw.to), (record.at, "this swap"))?;
        Some(Swap { shift: shift?, from, to, gives: gives?, takes: takes?, notice })
    }

    fn set(&mut self, record: &At<OverrideRecord>, former: &[Override]) -> Option<Override> {
        let raw = &record.value;
        let shift = self.shift(&raw.shift);
        let by = self.person(&raw.by);
        let people = raw.people.given()?;
        let people = self.group(&people.value.0, people.at);
        let (shift, date) = (shift?, *raw.date.get()?);
        if former.iter().any(|other| other.shift == shift && other.date == date) {
            let what = format!("who has shift `{shift}` on {date} is said twice");
            self.found.push(Finding::error(record.at, what).hint("one override a shift and date"));
        }
        Some(Override { shift, date, people, reason: raw.reason.get()?.0.clone(), by: by? })
    }
}
