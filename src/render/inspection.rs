//! Inspections: what was found, and how many rounds there were.

use super::clock::Clock;
use super::table::Table;
use super::words::{Inspections, aside, list};
use crate::types::{CheckName, CheckVerdict, JobName, Lang, Reading, Thresholds, Worse};
use crate::view::inspection::{InspectionDay, InspectionsView, RoundLine};
use crate::wire::Checked;

/// `disk: fail, 96.1 % (12 MiB free)`.
pub fn finding(lang: Lang, check: &Checked) -> String {
    let (name, verdict) = (check.name.as_str(), verdict(lang, check.verdict));
    let value = check.measured();
    let words = Inspections::Finding { name, verdict: &verdict, value: &value }.say(lang);
    if check.words.is_empty() { words } else { aside(lang, &words, &check.words) }
}

/// `warn ≥ 80 %, fail ≥ 95 %`; empty where a check has no thresholds.
pub(super) fn limits(lang: Lang, check: &Checked) -> String {
    let with_unit = |limit: Reading| format!("{limit}{}", check.unit.symbol());
    let Thresholds { warn, fail, worse } = check.thresholds;
    let warn = warn.map(with_unit).map(|limit| match worse {
        Worse::More => Inspections::WarnMore { limit: &limit }.say(lang),
        Worse::Less => Inspections::WarnLess { limit: &limit }.say(lang),
    });
    let fail = fail.map(with_unit).map(|limit| match worse {
        Worse::More => Inspections::FailMore { limit: &limit }.say(lang),
        Worse::Less => Inspections::FailLess { limit: &limit }.say(lang),
    });
    list(lang, warn.into_iter().chain(fail))
}

/// A day of a batch as reports have it.
pub(super) struct DayPart {
    pub(super) heading: String,
    pub(super) is_missed: bool,
    pub(super) rounds: Vec<RoundPart>,
}

pub(super) struct RoundPart {
    pub(super) at: String,
    /// How many checks came out how.
    pub(super) sum: String,
    /// What was not well, each with its thresholds.
    pub(super) findings: Vec<String>,
}

/// The rounds of the days of a report, each with what was not well.
pub(super) fn parts(lang: Lang, view: &InspectionsView) -> Vec<DayPart> {
    let of_day = |day: &InspectionDay| {
        let clock = clock_of(view, day);
        DayPart {
            heading: heading(lang, day),
            is_missed: day.missed.is_some_and(|missed| missed > 0),
            rounds: day.rounds.iter().map(|round| round_part(lang, &clock, round)).collect(),
        }
    };
    view.days.iter().map(of_day).collect()
}

fn round_part(lang: Lang, clock: &Clock<'_>, round: &RoundLine) -> RoundPart {
    let all = round.jobs.iter().flat_map(|(job, checks)| checks.iter().map(move |c| (job, c)));
    let not_well = all.filter(|(_, check)| check.verdict != CheckVerdict::Ok);
    let mut findings: Vec<String> = not_well
        .map(|(job, check)| {
            let found = format!("{job}.{}", finding(lang, check));
            let limits = limits(lang, check);
            if limits.is_empty() { found } else { aside(lang, &found, &limits) }
        })
        .collect();
    if round.jobs.is_empty() && round.warn + round.fail > 0 {
        findings.push(Inspections::NotAtHand.say(lang));
    }
    RoundPart { at: at(lang, clock, round), sum: sum(lang, round), findings }
}

fn sum(lang: Lang, round: &RoundLine) -> String {
    Inspections::Sum { ok: round.ok, warn: round.warn, fail: round.fail }.say(lang)
}

fn at(lang: Lang, clock: &Clock<'_>, round: &RoundLine) -> String {
    let at = clock.minute(round.at);
    if round.late { aside(lang, &at, &Inspections::Late.say(lang)) } else { at }
}

/// Times of another day than that of the rounds show by how many days they differ.
fn clock_of<'a>(view: &'a InspectionsView, day: &InspectionDay) -> Clock<'a> {
    let start = day.date.to_zoned(view.zone.tz().clone());
    Clock::new(&view.zone, start.map_or(jiff::Timestamp::MAX, |start| start.timestamp()))
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
    let clock = clock_of(view, day);
    let mut head = vec![Inspections::HeadCheck.say(lang), Inspections::HeadLimits.say(lang)];
    head.extend(day.rounds.iter().map(|round| at(lang, &clock, round)));
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
        // Of the last round that made it.
        let mut last = day.rounds.iter().rev().filter_map(|round| round.jobs.get(job));
        let last = last.find_map(|checks| checks.iter().find(|check| check.name == *name));
        let limits = last.map(|check| limits(lang, check)).unwrap_or_default();
        let cells = day.rounds.iter().map(|round| of_round(round).unwrap_or_default());
        table.row([format!("{job}.{name}"), limits].into_iter().chain(cells).collect());
    }
    let sums = day.rounds.iter().map(|round| sum(lang, round));
    let all = [Inspections::HeadAll.say(lang), String::new()];
    table.row(all.into_iter().chain(sums).collect());
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{in_both, inspections};

    #[test]
    fn checks_by_rounds_with_their_limits() {
        insta::assert_snapshot!(in_both(|lang| text(lang, &inspections())));
    }
}
