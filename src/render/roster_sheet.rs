//! The roster as a table for a terminal, as comma-separated values, and what it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};
use unicode_width::UnicodeWidthStr;

use super::csv;
use super::roster::minute;
use super::table::{cut, one_line, pad};
use super::words::{OnDuty, list, pair};
use crate::types::{Lang, ShiftName, Zone};
use crate::view::roster_sheet::{
    GapLine, PersonDay, PersonRow, RosterGaps, RosterSheet, ShiftTitle, dates,
};

/// Days side by side: half a month, which leaves room for several shifts a day.
const ACROSS: usize = 16;

/// Columns of a terminal for a name.
const NAME: usize = 20;

/// Spreadsheets take a file without it for one of the local code page.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A table, person by day, with what the marks mean and what is open.
pub fn text(lang: Lang, zone: &Zone, sheet: &RosterSheet) -> String {
    let mut out = String::new();
    let marks = marks(lang, &sheet.shifts);
    let (from, to) = (&sheet.from.to_string(), &sheet.to.to_string());
    let _ = writeln!(out, "{}", OnDuty::Sheet { from, to }.say(lang));
    if sheet.people.is_empty() {
        let _ = writeln!(out, "  {}", OnDuty::NobodyPlanned.say(lang));
    } else {
        let days: Vec<Date> = dates(sheet.from, sheet.to).collect();
        for part in days.chunks(ACROSS) {
            out.push('\n');
            grid(lang, sheet, (part, &marks), &mut out);
        }
        let _ = writeln!(out, "\n{}", legend(lang, sheet, &marks));
    }
    for unknown in &sheet.unknown {
        let (shift, date) = (unknown.shift.as_str(), &unknown.date.to_string());
        let _ = writeln!(out, "{}", OnDuty::Unknown { shift, date }.say(lang));
    }
    for gap in &sheet.gaps {
        let _ = writeln!(out, "{}", gap_line(lang, zone, gap));
    }
    out.trim_end().to_owned()
}

fn grid(
    lang: Lang,
    sheet: &RosterSheet,
    (days, marks): (&[Date], &BTreeMap<ShiftName, char>),
    out: &mut String,
) {
    let mut rows = vec![vec![String::new()], vec![String::new()]];
    for date in days {
        rows[0].push(date.day().to_string());
        rows[1].push(weekday(lang, *date).to_owned());
    }
    for person in &sheet.people {
        let name = cut(&one_line(person.who.name.get(lang)), NAME);
        let cell = |date: &Date| {
            let day = person.days.iter().find(|day| day.date == *date);
            day.map(|day| marked(lang, day, marks)).unwrap_or_default()
        };
        rows.push(std::iter::once(name).chain(days.iter().map(cell)).collect());
    }
    let widths: Vec<usize> = (0..=days.len())
        .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width, false));
        let line = cells.collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "  {}", line.trim_end());
    }
}

/// The shifts of a day by their marks; `*` behind one that somebody else was planned for.
fn marked(lang: Lang, day: &PersonDay, marks: &BTreeMap<ShiftName, char>) -> String {
    let mut cell = String::new();
    for held in &day.shifts {
        cell.push(marks.get(&held.shift).copied().unwrap_or('?'));
        if held.instead.is_some() {
            cell.push('*');
        }
    }
    if day.on_leave {
        cell.push_str(&OnDuty::LeaveMark.say(lang));
    }
    cell
}

fn legend(lang: Lang, sheet: &RosterSheet, marks: &BTreeMap<ShiftName, char>) -> String {
    let used: BTreeSet<&ShiftName> = sheet
        .people
        .iter()
        .flat_map(|row| &row.days)
        .flat_map(|day| day.shifts.iter().map(|held| &held.shift))
        .collect();
    let shifts = sheet.shifts.iter().filter(|shift| used.contains(&shift.shift));
    let of = |shift: &ShiftTitle| {
        format!("{} {}", marks.get(&shift.shift).copied().unwrap_or('?'), shift.title.get(lang))
    };
    let mut parts: Vec<String> = shifts.map(of).collect();
    let days = || sheet.people.iter().flat_map(|row| &row.days);
    if days().flat_map(|day| &day.shifts).any(|held| held.instead.is_some()) {
        parts.push(format!("* {}", OnDuty::InsteadMark.say(lang)));
    }
    if days().any(|day| day.on_leave) {
        parts.push(format!("{} {}", OnDuty::LeaveMark.say(lang), OnDuty::OnLeave.say(lang)));
    }
    list(lang, parts)
}

/// One character for each shift: the first of its title that no shift before it has, else of its name, else a digit.
fn marks(lang: Lang, shifts: &[ShiftTitle]) -> BTreeMap<ShiftName, char> {
    let mut marks = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for shift in shifts {
        let title = shift.title.get(lang).to_uppercase();
        let name = shift.shift.as_str().to_uppercase();
        let letters = title.chars().chain(name.chars()).filter(|c| c.is_alphabetic());
        let mut candidates = letters.chain('0'..='9').chain('a'..='z');
        let mark = candidates.find(|c| !taken.contains(c)).unwrap_or('?');
        taken.insert(mark);
        marks.insert(shift.shift.clone(), mark);
    }
    marks
}

fn weekday(lang: Lang, date: Date) -> &'static str {
    match (lang, date.weekday()) {
        (Lang::En, Weekday::Monday) => "Mo",
        (Lang::En, Weekday::Tuesday) => "Tu",
        (Lang::En, Weekday::Wednesday) => "We",
        (Lang::En, Weekday::Thursday) => "Th",
        (Lang::En, Weekday::Friday) => "Fr",
        (Lang::En, Weekday::Saturday) => "Sa",
        (Lang::En, Weekday::Sunday) => "Su",
        (Lang::Zh, Weekday::Monday) => "一",
        (Lang::Zh, Weekday::Tuesday) => "二",
        (Lang::Zh, Weekday::Wednesday) => "三",
        (Lang::Zh, Weekday::Thursday) => "四",
        (Lang::Zh, Weekday::Friday) => "五",
        (Lang::Zh, Weekday::Saturday) => "六",
        (Lang::Zh, Weekday::Sunday) => "日",
    }
}

/// What is open, a line each.
pub fn gaps(lang: Lang, zone: &Zone, view: &RosterGaps) -> String {
    let (from, to) = (&view.from.to_string(), &view.to.to_string());
    if !view.ruled {
        return OnDuty::NoCover.say(lang);
    }
    if view.gaps.is_empty() {
        return OnDuty::NoGaps { from, to }.say(lang);
    }
    let count = u32::try_from(view.gaps.len()).unwrap_or(u32::MAX);
    let mut lines = vec![OnDuty::Gaps { count, from, to }.say(lang)];
    lines.extend(view.gaps.iter().map(|gap| format!("  {}", gap_line(lang, zone, gap))));
    lines.join("\n")
}

fn gap_line(lang: Lang, zone: &Zone, gap: &GapLine) -> String {
    let (from, to) = (&minute(zone, gap.from), &minute(zone, gap.to));
    let Some(title) = &gap.title else {
        return OnDuty::GapOfAll { from, to }.say(lang);
    };
    let (first, last) = (&gap.first.to_string(), &gap.last.to_string());
    let what = match first == last {
        true => OnDuty::GapOn { needs: gap.needs, has: gap.has, date: first }.say(lang),
        false => {
            OnDuty::GapFrom { needs: gap.needs, has: gap.has, from: first, to: last }.say(lang)
        }
    };
    pair(lang, title.get(lang), &what)
}

/// A row for each date, shift and person, for spreadsheets.
pub fn csv(lang: Lang, sheet: &RosterSheet) -> String {
    let mut rows: Vec<(Date, &ShiftName, &PersonRow)> = Vec::new();
    for row in &sheet.people {
        for day in &row.days {
            rows.extend(day.shifts.iter().map(|held| (day.date, &held.shift, row)));
        }
    }
    rows.sort_by_key(|(date, shift, row)| (*date, *shift, &row.who.id));
    let mut out = String::from(BYTE_ORDER_MARK);
    out.push_str(&csv::row(&["date", "shift", "person", "name"]));
    for (date, shift, row) in rows {
        let date = date.to_string();
        let name = row.who.name.get(lang);
        out.push_str(&csv::row(&[&date, shift.as_str(), row.who.id.as_str(), name]));
    }
    out
}

/// A row for each person and a column for each date, for spreadsheets; several shifts of a day are joined by `+`.
pub fn csv_by_day(sheet: &RosterSheet) -> String {
    let days: Vec<Date> = dates(sheet.from, sheet.to).collect();
    let heads: Vec<String> = days.iter().map(ToString::to_string).collect();
    let mut out = String::from(BYTE_ORDER_MARK);
    let head: Vec<&str> =
        std::iter::once("person").chain(heads.iter().map(String::as_str)).collect();
    out.push_str(&csv::row(&head));
    for person in &sheet.people {
        let cell = |date: &Date| {
            let day = person.days.iter().find(|day| day.date == *date);
            let shifts = day.into_iter().flat_map(|day| &day.shifts);
            shifts.map(|held| held.shift.as_str()).collect::<Vec<_>>().join("+")
        };
        let cells: Vec<String> = days.iter().map(cell).collect();
        let row: Vec<&str> = std::iter::once(person.who.id.as_str())
            .chain(cells.iter().map(String::as_str))
            .collect();
        out.push_str(&csv::row(&row));
    }
    out
}
