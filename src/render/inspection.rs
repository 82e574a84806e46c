//! Inspections: what was found, and how many rounds there were.

use super::clock::Clock;
use super::table::Table;
use super::words::{Inspections, aside};
use crate::types::{CheckName, CheckVerdict, JobName, Lang};
use crate::view::inspection::{InspectionDay, InspectionsView, RoundLine};
use crate::wire::Checked;

/// `disk: fail, 96.1 % (12 MiB free)`.
pub fn finding(lang: Lang, check: &Checked) -> String {
    let (name, verdict) = (check.name.as_str(), verdict(lang, check.verdict));
    let value = check.measured();
    let words = Inspections::Finding { name, verdict: &verdict, value: &value }.say(lang);
    if check.words.is_empty() { words } else { aside(lang, &words, &check.words) }
}

/// How a check came out, in one word.
pub fn verdict(lang: Lang, verdict: CheckVerdict) -> String {
    match verdict {
        CheckVerdict::Ok => Inspections::Ok,
        CheckVerdict::Warn => Inspections::Warn,
        CheckVerdict::Fail => Inspections::Fail,
    }
    .say(lang)
}

/// `nightrun inspections`: a table of checks and rounds for each day.
pub fn text(lang: Lang, view: &InspectionsView) -> String {
    let mut out = String::new();
    let (from, to) = (&view.from.to_string(), &view.to.to_string());
    let lead = match view.days.is_empty() {
        true => Inspections::Nothing { from, to }.say(lang),
        false => Inspections::Lead { from, to, missed: view.missed }.say(lang),
    };
    out.push_str(&lead);
    out.push('\n');
    for day in &view.days {
        out.push('\n');
        out.push_str(&heading(lang, day));
        out.push('\n');
        table(lang, view, day).write(&mut out);
    }
    out.trim_end().to_owned()
}

fn heading(lang: Lang, day: &InspectionDay) -> String {
    let title = aside(lang, day.title.get(lang), day.batch.as_str());
    let (date, wanted, done) = (&day.date.to_string(), day.wanted, day.done);
    match day.missed {
        Some(missed) => Inspections::Day { date, title: &title, wanted, done, missed }.say(lang),
        None => Inspections::DayYet { date, title: &title, wanted, done }.say(lang),
    }
}

/// A row for each check, a column for each round.
fn table(lang: Lang, view: &InspectionsView, day: &InspectionDay) -> Table {
    // Times of another day show by how many days they differ.
    let start = day.date.to_zoned(view.zone.tz().clone());
    let start = start.map_or(jiff::Timestamp::MAX, |start| start.timestamp());
    let clock = Clock::new(&view.zone, start);
    let mut head = vec![Inspections::HeadCheck.say(lang)];
    head.extend(day.rounds.iter().map(|round| {
        let at = clock.minute(round.at);
        if round.late { aside(lang, &at, &Inspections::Late.say(lang)) } else { at }
    }));
    let names: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(&names, &[], 2);
    let mut rows: Vec<(&JobName, &CheckName)> = Vec::new();
    for (job, checks) in day.rounds.iter().flat_map(|round| &round.jobs) {
        let new = checks.iter().map(|check| (job, &check.name)).filter(|row| !rows.contains(row));
        let new: Vec<_> = new.collect();
        rows.extend(new);
    }
    rows.sort_by_key(|(job, _)| *job);
    for (job, name) in rows {
        let of_round = |round: &RoundLine| {
            let found = round.jobs.get(job)?.iter().find(|check| check.name == *name)?;
            Some(match found.verdict {
                CheckVerdict::Ok => found.measured(),
                not_well => aside(lang, &found.measured(), &verdict(lang, not_well)),
            })
        };
        let cells = day.rounds.iter().map(|round| of_round(round).unwrap_or_default());
        table.row(std::iter::once(format!("{job}.{name}")).chain(cells).collect());
    }
    let sums = day.rounds.iter().map(|round| {
        Inspections::Sum { ok: round.ok, warn: round.warn, fail: round.fail }.say(lang)
    });
    let all = Inspections::HeadAll.say(lang);
    table.row(std::iter::once(all).chain(sums).collect());
    table
}
