//! `shifts.yaml`, `roster.yaml` and the teams of `people.yaml` → who is there when.

use std::collections::BTreeMap;

use super::changes::values;
use super::known::Known;
use super::roster;
use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::places::Places;
use crate::definition::raw::duty::{BulletinRecord, HandOverRecord, ShiftRecord};
use crate::definition::raw::people::PeopleFile;
use crate::definition::raw::{At, Names};
use crate::definition::sheets::{Findings, Sheet, Sheets};
use crate::definition::site::{
    BulletinRules, Duty, HandOverRule, HandOverRules, Hours, Shift, Team,
};
use crate::types::{Severity, ShiftName, Span, TeamName};

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
        duty.bulletin = raw.bulletin.get().map(|raw| bulletin(raw, known, &mut found));
        duty.hand_over = raw.hand_over.get().map(|raw| hand_over(raw, known, &mut found));
        findings.add(&sheet.file, found);
    }
    if let Some((sheet, raw)) = read(sheets.roster.as_ref()) {
        let found = roster::resolve(sheet, raw, known, (&mut duty, &mut places.roster));
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

fn bulletin(raw: &BulletinRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> BulletinRules {
    if let Some(none) = raw.at.given().filter(|list| list.value.0.is_empty()) {
        found.push(Finding::error(none.at, "a bulletin without a time is never made"));
    }
    for role in raw.to.get().into_iter().flat_map(|list| &list.0) {
        known.somebody_has(role, found);
    }
    let mut at = values(&raw.at);
    at.sort();
    at.dedup();
    BulletinRules { at, to: values(&raw.to) }
}

/// Which shifts are handed over: each to others, and once.
fn hand_over(raw: &HandOverRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> HandOverRules {
    let mut between: Vec<HandOverRule> = Vec::new();
    if let Some(none) = raw.between.given().filter(|list| list.value.0.is_empty()) {
        found.push(Finding::error(none.at, "no shift is handed over to another"));
    }
    for rule in raw.between.get().into_iter().flat_map(|list| &list.0) {
        let Some((from, to)) = rule.value.from.given().zip(rule.value.to.given()) else { continue };
        known.check(&known.shifts, from, found);
        if to.value.0.is_empty() {
            let what = format!("`{}` is handed over to no shift", from.value);
            found.push(Finding::error(to.at, what));
        }
        for shift in &to.value.0 {
            known.check(&known.shifts, shift, found);
            if shift.value == from.value {
                let what = format!("`{}` cannot be handed over to itself", from.value);
                found.push(Finding::error(shift.at, what));
            }
        }
        if between.iter().any(|before| before.from == from.value) {
            let what =
                format!("`{}` is handed over already, by a line before this one", from.value);
            found.push(Finding::error(from.at, what).hint("name all shifts in one `to:`"));
            continue;
        }
        let to = to.value.0.iter().map(|shift| shift.value.clone()).collect();
        between.push(HandOverRule { from: from.value.clone(), to });
    }
    if let Some(remind) = raw.remind.given()
        && remind.value < Span::seconds(60)
    {
        let what = "people are reminded once a minute at the most";
        found.push(Finding::error(remind.at, what).hint("such as `remind: 15m`"));
    }
    HandOverRules {
        between,
        prepare: raw.prepare.or(HandOverRules::PREPARE),
        remind: raw.remind.or(HandOverRules::REMIND),
        limit: raw.limit.or(HandOverRules::LIMIT),
        severity: raw.severity.or(Severity::P3),
    }
}
