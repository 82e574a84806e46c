//! Drills (演练): when each is due, and how the last one came out.

use jiff::Timestamp;

use super::clock::{Clock, took};
use super::incident_words::clock_name;
use super::table::Table;
use super::words::{Drills, list, pair, remarks};
use crate::types::{Lang, Zone};
use crate::view::drill::{DrillHeld, DrillLine};

/// `nightrun drill list`.
pub fn list_text(lang: Lang, (zone, now): (&Zone, Timestamp), lines: &[DrillLine]) -> String {
    if lines.is_empty() {
        return Drills::None.say(lang);
    }
    let clock = Clock::new(zone, now);
    let heads = [
        Drills::HeadDrill,
        Drills::HeadTitle,
        Drills::HeadEvery,
        Drills::HeadDue,
        Drills::HeadLast,
        Drills::HeadResult,
    ];
    let heads = heads.map(|head| head.say(lang));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[], 0);
    for line in lines {
        let every = line.every.map(|days| Drills::Days { days: days.into() }.say(lang));
        let last = line.held.first();
        table.row(vec![
            line.drill.to_string(),
            line.title.get(lang).to_owned(),
            every.unwrap_or_default(),
            next(lang, line),
            last.map_or_else(|| Drills::Never.say(lang), |held| clock.full(held.started)),
            last.map(|held| result(lang, held)).unwrap_or_default(),
        ]);
    }
    let mut out = String::new();
    table.write(&mut out);
    out.trim_end().to_owned()
}

fn next(lang: Lang, line: &DrillLine) -> String {
    let due = line.due.map(|due| due.to_string());
    match (&line.under_way, &due) {
        (Some(incident), _) => Drills::UnderWay { incident: &incident.to_string() }.say(lang),
        (None, Some(due)) if line.overdue => Drills::OverdueSince { due }.say(lang),
        (None, Some(due)) => Drills::DueBy { due }.say(lang),
        (None, None) => Drills::NotDeclared.say(lang),
    }
}

/// `in time; Ann after 4m; over after 30m`.
pub(super) fn result(lang: Lang, held: &DrillHeld) -> String {
    let in_all = match (held.ended, held.well) {
        (None, _) => Drills::NotOver,
        (Some(_), true) => Drills::Well,
        (Some(_), false) => Drills::NotWell,
    };
    let mut said = vec![in_all.say(lang)];
    said.push(match (&held.answered_by, held.response) {
        (Some(who), Some(after)) => {
            let (who, took) = (who.name.get(lang), &took(lang, after.get()));
            Drills::AnsweredBy { who, took }.say(lang)
        }
        _ => Drills::NobodyAnswered.say(lang),
    });
    let over = held.solution.map(|after| took(lang, after.get()));
    said.extend(over.map(|took| Drills::OverAfter { took: &took }.say(lang)));
    if !held.missed.is_empty() {
        let limits = &list(lang, held.missed.iter().map(|kind| clock_name(lang, *kind)));
        said.push(Drills::TooLate { limits }.say(lang));
    }
    if !held.absent.is_empty() {
        let who = &list(lang, held.absent.iter().map(|absent| absent.get(lang)));
        said.push(Drills::Absent { who }.say(lang));
    }
    remarks(lang, &said)
}

/// Of the drills of a bulletin: those that were held, and when the next is due.
pub(super) fn told(lang: Lang, clock: &Clock<'_>, line: &DrillLine) -> Vec<String> {
    let title = line.title.get(lang);
    let held = line.held.iter().map(|held| {
        let head = format!("{title} {} {}", held.incident, clock.full(held.started));
        pair(lang, &head, &result(lang, held))
    });
    let due = line.due.filter(|_| line.under_way.is_none()).map(|due| due.to_string());
    let due = due.map(|due| match line.overdue {
        true => Drills::AheadOverdue { title, due: &due }.say(lang),
        false => Drills::Ahead { title, due: &due }.say(lang),
    });
    held.chain(due).collect()
}

#[cfg(test)]
#[path = "drill_tests.rs"]
mod tests;
