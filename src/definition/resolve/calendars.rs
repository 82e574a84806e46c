//! `calendars/*.yaml` → calendars, derived ones with the dates that they know.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;

use super::calendar_dates;
use super::known::Known;
use super::settings::text;
use crate::definition::cycles;
use crate::definition::defect::{Finding, Place};
use crate::definition::places::{FilePlace, Places};
use crate::definition::raw::calendar::{CalendarFile, Covers};
use crate::definition::raw::{List, Names};
use crate::definition::sheets::{Findings, Sheets, text_of};
use crate::definition::site::{Calendar, CalendarRule, Exception};
use crate::definition::source::{SourceTree, within};
use crate::types::CalendarName;

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
    places: &mut Places,
) -> BTreeMap<CalendarName, Calendar> {
    let mut calendars = BTreeMap::new();
    let mut names = Vec::new();
    let mut rules = Vec::new();
    for (name, sheet) in &sheets.calendars {
        let Some(raw) = &sheet.raw else { continue };
        let mut found = Vec::new();
        let rule = match derived(raw, known, &mut found) {
            Some(rule) => rule,
            None => listed(tree, sheet.folder(), raw, &mut found, findings),
        };
        findings.add(&sheet.file, found);
        let at = raw.covers.at().or(raw.title.at()).unwrap_or_default();
        places.calendars.insert(name.clone(), FilePlace { file: sheet.file.clone(), at });
        names.push(name);
        rules.push((raw, rule));
    }
    // Those that others are derived from come first.
    let index = |name: &CalendarName| names.binary_search(&name).ok();
    let edges: Vec<(usize, usize)> = rules
        .iter()
        .enumerate()
        .flat_map(|(from, (_, rule))| sources(rule).filter_map(index).map(move |to| (from, to)))
        .collect();
    let order = match cycles::order(names.len(), &edges) {
        Ok(order) => order,
        Err(circles) => {
            report_circles(&circles, &names, places, findings);
            return calendars;
        }
    };
    for n in order {
        let (raw, rule) = &rules[n];
        let place = &places.calendars[names[n]];
        let Covers { first, last } = match covers(raw, rule, &calendars) {
            Ok(covers) => covers,
            Err(Some(what)) => {
                findings.add(&place.file, [Finding::error(place.at, what)]);
                continue;
            }
            Err(None) => continue,
        };
        let title = text(&raw.title, &raw.title_zh);
        calendars.insert(names[n].clone(), Calendar { title, first, last, rule: rule.clone() });
    }
    calendars
}

/// The calendars that a rule is derived from.
fn sources(rule: &CalendarRule) -> impl Iterator<Item = &CalendarName> {
    let (many, one): (&[CalendarName], _) = match rule {
        CalendarRule::Listed { .. } => (&[], None),
        CalendarRule::AllOf(of) | CalendarRule::AnyOf(of) => (of, None),
        CalendarRule::Shift { of, .. } => (&[], Some(of)),
    };
    many.iter().chain(one)
}

fn report_circles(
    circles: &[Vec<usize>],
    names: &[&CalendarName],
    places: &Places,
    findings: &mut Findings,
) {
    for circle in circles {
        let mut path: Vec<&str> = circle.iter().map(|n| names[*n].as_str()).collect();
        path.push(path[0]);
        let place = &places.calendars[names[circle[0]]];
        let what = format!("calendars are derived in a circle: {}", path.join(" → "));
        findings.add(&place.file, [Finding::error(place.at, what)]);
    }
}

/// The rule of a calendar that is derived from others; `None` for one that has dates of its own.
fn derived(
    raw: &CalendarFile,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<CalendarRule> {
    let ways = [
        ("all_of", raw.all_of.at()),
        ("any_of", raw.any_of.at()),
        ("shift", raw.shift.at()),
        ("weekly", raw.weekly.at()),
    ];
    let given: Vec<(&str, Place)> =
        ways.iter().filter_map(|(key, at)| Some((*key, (*at)?))).collect();
    if let [(first, _), (second, at), ..] = given.as_slice() {
        let finding = Finding::error(*at, format!("a calendar has both `{first}` and `{second}`"));
        found.push(finding.hint("keep one: weekly, all_of, any_of or shift"));
    }
    if let [(first @ ("all_of" | "any_of" | "shift"), _)] = given.as_slice() {
        let own = [
            ("covers", raw.covers.at()),
            ("dates", raw.dates.at()),
            ("exceptions", raw.exceptions.at()),
        ];
        for (key, at) in own.iter().filter_map(|(key, at)| Some((key, (*at)?))) {
            found.push(Finding::error(
                at,
                format!("`{key}` goes with `weekly`, not with `{first}`"),
            ));
        }
    }
    let mut list = |list: &List<CalendarName>, at: Option<Place>| -> Vec<CalendarName> {
        if list.0.is_empty() {
            found.push(Finding::error(at.unwrap_or_default(), "no calendar is named here"));
        }
        for name in &list.0 {
            known.check(&known.calendars, name, found);
        }
        list.0.iter().map(|name| name.value.clone()).collect()
    };
    if let Some(of) = raw.all_of.get() {
        return Some(CalendarRule::AllOf(list(of, raw.all_of.at())));
    }
    if let Some(of) = raw.any_of.get() {
        return Some(CalendarRule::AnyOf(list(of, raw.any_of.at())));
    }
    let shift = raw.shift.get()?;
    let of = shift.of.given()?;
    known.check(&known.calendars, of, found);
    let days = shift.days.get().map_or(0, |days| days.to_i32());
    Some(CalendarRule::Shift { of: of.value.clone(), days })
}

fn listed(
    tree: &SourceTree,
    folder: &Path,
    raw: &CalendarFile,
    found: &mut Vec<Finding>,
    findings: &mut Findings,
) -> CalendarRule {
    let derived = [raw.all_of.at(), raw.any_of.at(), raw.shift.at()].iter().any(Option::is_some);
    for (key, absent) in [("weekly", raw.weekly.is_absent()), ("covers", raw.covers.is_absent())] {
        if absent && !derived {
            let at = raw.title.at().unwrap_or_default();
            let finding = Finding::error(at, format!("`{key}` is missing"));
            found.push(
                finding.hint("a calendar has weekly and covers, or one of all_of, any_of, shift"),
            );
        }
    }
    let mut exceptions: BTreeMap<Date, Exception> = BTreeMap::new();
    for (date, record) in raw.exceptions.get().into_iter().flat_map(Names::good) {
        let Some(kind) = record.kind.get() else { continue };
        check_covered(date.value, date.at, raw, found);
        let name = record.name.get().map(|name| name.0.clone()).unwrap_or_default();
        exceptions.insert(date.value, Exception { kind: *kind, name });
    }
    if let Some(csv) = raw.dates.given() {
        let path = within(folder, &csv.value.0);
        let Some((path, file)) = path.and_then(|path| Some((path.clone(), tree.get(&path)?)))
        else {
            let what = format!("there is no file `{}` beside this one", csv.value.0);
            found.push(Finding::error(csv.at, what));
            return CalendarRule::Listed { weekly: [false; 7], exceptions };
        };
        let mut in_csv = Vec::new();
        match text_of(file) {
            Ok(text) => add_dates(text, raw, &mut exceptions, &mut in_csv),
            Err(finding) => in_csv.push(finding),
        }
        findings.add(&path, in_csv);
    }
    let weekly = raw.weekly.get().copied().unwrap_or_default().0;
    CalendarRule::Listed { weekly, exceptions }
}

fn add_dates(
    text: &str,
    raw: &CalendarFile,
    exceptions: &mut BTreeMap<Date, Exception>,
    found: &mut Vec<Finding>,
) {
    let (dates, wrong) = calendar_dates::read(text);
    found.extend(wrong);
    for dated in dates {
        check_covered(dated.date, dated.at, raw, found);
        if exceptions.insert(dated.date, dated.exception).is_some() {
            let what = format!("{} stands in this calendar twice", dated.date);
            found.push(Finding::error(dated.at, what));
        }
    }
}

fn check_covered(date: Date, at: Place, raw: &CalendarFile, found: &mut Vec<Finding>) {
    if let Some(Covers { first, last }) = raw.covers.get()
        && !(*first..=*last).contains(&date)
    {
        let what = format!("{date} is outside of what this calendar covers, {first}..{last}");
        found.push(Finding::error(at, what));
    }
}

/// The dates that a calendar knows; of a derived one those that all its sources know. `Err(None)` where they cannot
/// be told because of what has been reported.
fn covers(
    raw: &CalendarFile,
    rule: &CalendarRule,
    resolved: &BTreeMap<CalendarName, Calendar>,
) -> Result<Covers, Option<String>> {
    match rule {
        CalendarRule::Listed { .. } => raw.covers.get().copied().ok_or(None),
        CalendarRule::AllOf(of) | CalendarRule::AnyOf(of) => {
            let of: Option<Vec<&Calendar>> = of.iter().map(|name| resolved.get(name)).collect();
            let of = of.ok_or(None)?;
            let first = of.iter().map(|c| c.first).max().ok_or(None)?;
            let last = of.iter().map(|c| c.last).min().ok_or(None)?;
            if first > last {
                return Err(Some("no date is covered by all of these calendars".to_owned()));
            }
            Ok(Covers { first, last })
        }
        CalendarRule::Shift { of, days } => {
            let of = resolved.get(of).ok_or(None)?;
            let moved = |date: Date| date.checked_add(days.days());
            match (moved(of.first), moved(of.last)) {
                (Ok(first), Ok(last)) => Ok(Covers { first, last }),
                _ => Err(Some("its dates leave the range of years".to_owned())),
            }
        }
    }
}
