//! `shifts.yaml`, `roster.yaml` and the teams of `people.yaml` → who is there when.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Known;
use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::places::{FilePlace, Places};
use crate::definition::raw::duty::{AssignmentRecord, RosterFile, ShiftRecord};
use crate::definition::raw::people::PeopleFile;
use crate::definition::raw::{At, Field, List, Names};
use crate::definition::sheets::{Findings, Sheet, Sheets};
use crate::definition::site::{Assignment, Duty, Hours, Shift, Team};
use crate::types::{PersonId, ShiftName, TeamName};

/// Days of the longest assignment.
const LONGEST: i64 = 366;

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
    places: &mut Places,
) -> Duty {
    let mut duty = Duty::default();
    if let Some((sheet, raw)) = read(sheets.people.as_ref()) {
        let mut found = Vec::new();
        duty.teams = teams(raw, known, &mut found);
        findings.add(&sheet.file, found);
    }
    if let Some((sheet, raw)) = read(sheets.shifts.as_ref()) {
        let mut found = Vec::new();
        for (name, record) in raw.shifts.get().into_iter().flat_map(Names::good) {
            if let Some(shift) = shift(name, record, known, &mut found) {
                duty.shifts.insert(name.value.clone(), shift);
            }
        }
        findings.add(&sheet.file, found);
    }
    if let Some((sheet, raw)) = read(sheets.roster.as_ref()) {
        let mut found = Vec::new();
        duty.pairs = pairs(raw, known, &mut found);
        for record in raw.roster.get().into_iter().flat_map(|list| &list.0) {
            if let Some(assignment) = assignment(record, known, &mut found) {
                places.roster.push(FilePlace { file: sheet.file.clone(), at: record.at });
                duty.roster.push(assignment);
            }
        }
        findings.add(&sheet.file, found);
    }
    duty
}

fn read<T>(sheet: Option<&Sheet<T>>) -> Option<(&Sheet<T>, &T)> {
    sheet.and_then(|sheet| Some((sheet, sheet.raw.as_ref()?)))
}

/// Once a site declares teams, a team that it does not declare is a slip of the pen.
fn teams(
    raw: &PeopleFile,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> BTreeMap<TeamName, Team> {
    let mut teams = BTreeMap::new();
    for (name, record) in raw.teams.get().into_iter().flat_map(Names::good) {
        if let Some(lead) = record.lead.given() {
            known.check(&known.people, lead, found);
        }
        let team =
            Team { title: text(&record.title, &record.title_zh), lead: record.lead.get().cloned() };
        teams.insert(name.value.clone(), team);
    }
    if raw.teams.is_absent() {
        return teams;
    }
    for (_, person) in raw.people.get().into_iter().flat_map(Names::good) {
        if let Some(team) = person.team.given() {
            known.check(&known.teams, team, found);
        }
    }
    teams
}

fn shift(
    name: &At<ShiftName>,
    raw: &ShiftRecord,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<Shift> {
    if let Some(calendar) = raw.calendar.given() {
        known.check(&known.calendars, calendar, found);
    }
    if raw.calendar.given().is_some() && raw.days_off.is_absent() {
        let what =
            format!("`{}` has the same hours on all days, so no calendar is asked", name.value);
        let at = raw.calendar.at().unwrap_or(name.at);
        found.push(Finding::warning(at, what).hint("give `days_off:` with other hours"));
    }
    let days_off = match raw.days_off.get() {
        Some(hours) => Some(Hours { from: *hours.from.get()?, to: *hours.to.get()? }),
        None => None,
    };
    Some(Shift {
        title: text(&raw.title, &raw.title_zh),
        hours: Hours { from: *raw.from.get()?, to: *raw.to.get()? },
        days_off,
        calendar: raw.calendar.get().or(known.calendar.as_ref()).cloned(),
        on_call: raw.on_call.or(false),
    })
}

fn pairs(raw: &RosterFile, known: &Known<'_>, found: &mut Vec<Finding>) -> Vec<[PersonId; 2]> {
    let mut pairs = Vec::new();
    for pair in raw.pairs.get().into_iter().flat_map(|list| &list.0) {
        let people: Vec<PersonId> = checked(&pair.value, known, found);
        match <[PersonId; 2]>::try_from(people) {
            Ok([a, b]) if a != b => pairs.push([a, b]),
            _ => {
                let finding = Finding::error(pair.at, "a pair of deputies is two people");
                found.push(finding.hint("write `[li-wei, anna-schmidt]`"));
            }
        }
    }
    pairs
}

fn checked(list: &List<PersonId>, known: &Known<'_>, found: &mut Vec<Finding>) -> Vec<PersonId> {
    let name = |person: &At<PersonId>| {
        known.check(&known.people, person, found);
        person.value.clone()
    };
    list.0.iter().map(name).collect()
}

fn assignment(
    record: &At<AssignmentRecord>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<Assignment> {
    let raw = &record.value;
    if let Some(shift) = raw.shift.given() {
        known.check(&known.shifts, shift, found);
    }
    let people = raw.people.given()?;
    let named = checked(&people.value, known, found);
    if named.is_empty() {
        found.push(Finding::error(people.at, "nobody has this shift"));
    }
    let once: BTreeSet<&PersonId> = named.iter().collect();
    if once.len() < named.len() {
        found.push(Finding::error(people.at, "somebody is named twice"));
    }
    let from = *raw.from.get()?;
    let to = match &raw.to {
        Field::Absent => from,
        to => *to.get()?,
    };
    let days = (to - from).get_days();
    if to < from || i64::from(days) >= LONGEST {
        let at = raw.to.at().unwrap_or(record.at);
        let what = match to < from {
            true => "this shift ends before it begins",
            false => "one entry of the roster is for 366 days at the most",
        };
        found.push(Finding::error(at, what));
        return None;
    }
    Some(Assignment { shift: raw.shift.get()?.clone(), from, to, people: named })
}
