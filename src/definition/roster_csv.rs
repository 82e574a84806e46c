//! A roster out of a spreadsheet (CSV) → entries of `roster.yaml`.
//!
//! Two forms are read, which are the ones that are exported: a row for each date, shift and person, and a row for each
//! person with a column for each date. Names may be ids, or what people call shifts and each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;

use super::csv_cells::{Cell, cells, delimiter};
use super::defect::{Finding, Place};
use super::nearest;
use super::raw::date;
use super::site::{Assignment, Site};
use crate::types::{PersonId, ShiftName};

/// Somebody's shift of a date.
type Held = BTreeMap<(ShiftName, Date), Vec<PersonId>>;

/// The entries that say what the file says, by shift and date; dates that follow each other with the same people are one.
///
/// # Errors
/// Everything that is wrong with the file, with line and column.
pub fn read(site: &Site, text: &str) -> Result<Vec<Assignment>, Vec<Finding>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reading = Reading { site, held: Held::new(), found: Vec::new() };
    reading.file(text);
    match reading.found.is_empty() {
        true => Ok(entries(reading.held)),
        false => Err(reading.found),
    }
}

/// The entries as `roster.yaml` has them.
pub fn yaml(entries: &[Assignment]) -> String {
    let mut out = String::from("roster:\n");
    for entry in entries {
        let people: Vec<&str> = entry.people.iter().map(PersonId::as_str).collect();
        let to = if entry.to == entry.from { String::new() } else { format!("to: {}, ", entry.to) };
        let (shift, from, people) = (&entry.shift, entry.from, people.join(", "));
        let _ = writeln!(out, "  - {{shift: {shift}, from: {from}, {to}people: [{people}]}}");
    }
    out
}

struct Reading<'a> {
    site: &'a Site,
    held: Held,
    found: Vec<Finding>,
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        let mut lines = (1u32..).zip(text.lines());
        let Some((_, head)) = lines.next() else {
            return self.found.push(Finding::error(Place::WHOLE_FILE, "the file is empty"));
        };
        let between = delimiter(head);
        let Some(head) = self.cells(head, 1, between) else { return };
        let named: Vec<&str> = head.iter().map(|cell| cell.text.as_str()).collect();
        let by_day = match named.as_slice() {
            ["date", "shift", "person", ..] => None,
            ["person", ..] if head.len() > 1 => Some(self.dates(&head[1..])),
            _ => {
                let at = Place { line: 1, column: 1, length: 1 };
                let finding = Finding::error(at, "the first line does not name the columns");
                let hint = "write `date,shift,person`, or `person` and then a date for each column";
                return self.found.push(finding.hint(hint));
            }
        };
        for (number, line) in lines {
            if line.trim().is_empty() {
                continue;
            }
            let Some(cells) = self.cells(line, number, between) else { continue };
            match &by_day {
                None => self.row(&cells, number),
                Some(dates) => self.row_by_day(&cells, dates),
            }
        }
    }

    fn cells(&mut self, line: &str, number: u32, between: char) -> Option<Vec<Cell>> {
        cells(line, number, between).map_err(|finding| self.found.push(finding)).ok()
    }

    fn dates(&mut self, heads: &[Cell]) -> Vec<Option<Date>> {
        heads.iter().map(|cell| self.date(cell)).collect()
    }

    fn date(&mut self, cell: &Cell) -> Option<Date> {
        let date = date(&cell.text);
        if date.is_none() {
            let finding = Finding::error(cell.at, format!("`{}` is not a date", cell.text));
            self.found.push(finding.hint("write it as `2026-10-30`"));
        }
        date
    }

    fn row(&mut self, cells: &[Cell], number: u32) {
        let [day, shift, person, ..] = cells else {
            let at = Place { line: number, column: 1, length: 1 };
            return self.found.push(Finding::error(at, "expected date, shift and person"));
        };
        let (date, name) = (self.date(day), self.shift(&shift.text, shift.at));
        if let (Some(date), Some(name), Some(who)) = (date, name, self.person(person)) {
            self.put((name, date), who, person.at);
        }
    }

    fn row_by_day(&mut self, cells: &[Cell], dates: &[Option<Date>]) {
        let Some((person, days)) = cells.split_first() else { return };
        let Some(who) = self.person(person) else { return };
        if let Some(more) = days.get(dates.len()) {
            self.found.push(Finding::error(more.at, "this column has no date"));
        }
        for (cell, date) in days.iter().zip(dates) {
            for name in cell.text.split('+').map(str::trim).filter(|name| !name.is_empty()) {
                if let (Some(shift), Some(date)) = (self.shift(name, cell.at), *date) {
                    self.put((shift, date), who.clone(), cell.at);
                }
            }
        }
    }

    fn put(&mut self, of: (ShiftName, Date), who: PersonId, at: Place) {
        let people = self.held.entry(of.clone()).or_default();
        if people.contains(&who) {
            let what = format!("`{who}` has shift `{}` of {} already", of.0, of.1);
            return self.found.push(Finding::error(at, what));
        }
        people.push(who);
    }

    /// A shift by its name, or by its title in either language.
    fn shift(&mut self, text: &str, at: Place) -> Option<ShiftName> {
        let shifts = &self.site.duty.shifts;
        let titled = || {
            let mut titles = shifts.iter().filter(|(_, shift)| {
                shift.title.en == text || shift.title.zh.as_deref() == Some(text)
            });
            titles.next().filter(|_| titles.next().is_none()).map(|(name, _)| name)
        };
        let known = shifts.keys().find(|name| name.as_str() == text).or_else(titled);
        if known.is_none() {
            let names: BTreeSet<&str> = shifts.keys().map(ShiftName::as_str).collect();
            self.unknown("shift", (text, at), &names);
        }
        known.cloned()
    }

    /// A person by id, or by name in either language where nobody else has it.
    fn person(&mut self, cell: &Cell) -> Option<PersonId> {
        let people = &self.site.people;
        let text = cell.text.as_str();
        let named = || {
            let mut named = people.iter().filter(|(_, person)| {
                person.name.en == text || person.name.zh.as_deref() == Some(text)
            });
            named.next().filter(|_| named.next().is_none()).map(|(id, _)| id)
        };
        let known = people.keys().find(|id| id.as_str() == text).or_else(named);
        if known.is_none() {
            let names: BTreeSet<&str> = people.keys().map(PersonId::as_str).collect();
            self.unknown("person", (text, cell.at), &names);
        }
        known.cloned()
    }

    fn unknown(&mut self, kind: &str, (text, at): (&str, Place), names: &BTreeSet<&str>) {
        let hint = nearest::hint(text, names.iter().copied())
            .unwrap_or_else(|| format!("write the {kind}'s id, or a name that only one has"));
        self.found.push(Finding::error(at, format!("unknown {kind} `{text}`")).hint(hint));
    }
}

/// Days of an entry at the most, as the loader has it.
const LONGEST: i32 = 366;

fn entries(held: Held) -> Vec<Assignment> {
    let mut entries: Vec<Assignment> = Vec::new();
    for ((shift, date), people) in held {
        if let Some(last) = entries.last_mut() {
            let next = last.to.tomorrow().is_ok_and(|next| next == date);
            let room = (date - last.from).get_days() < LONGEST;
            if last.shift == shift && next && room && last.people == people {
                last.to = date;
                continue;
            }
        }
        entries.push(Assignment { shift, from: date, to: date, people });
    }
    entries
}

#[cfg(test)]
#[path = "tests/roster_csv.rs"]
mod tests;
