//! The table of service levels in an operations report (S1): each figure, and what people have entered.

use super::clock::Clock;
use super::report_parts::Part;
use super::words::{Levels, aside, list, paragraph};
use super::workbook::Value;
use crate::definition::site::FigureLimit;
use crate::types::{Amount, FigureClass, FigureUnit, Lang, PeriodKind, Zone};
use crate::view::service_levels::{Level, LevelEntry, LevelLine, LevelSource, LevelsView};

/// How a part is called in a page.
pub(super) const TABLE: &str = "service-levels";
pub(super) const ENTERED: &str = "entered-figures";

/// The table, and what people have entered for it.
pub(super) fn parts(lang: Lang, zone: &Zone, view: &LevelsView) -> [Part; 2] {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Time(at) => Clock::new(zone, *at).full(*at),
        Value::Nothing | Value::Date(_) | Value::Length(_) => String::new(),
    };
    let texts = |rows: Vec<Vec<Value>>| -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(text).collect()).collect()
    };
    let lines = view.lines.iter().map(|line| {
        let mut cells = row(lang, view, line);
        cells[VALUE] = Value::text(value_in_unit(lang, line.value, line.unit));
        cells
    });
    let lines = texts(lines.chain(sums(lang, view)).collect());
    let table = Part::new(TABLE, Levels::Head.say(lang), head(lang, &HEADS), lines);
    let entered = texts(entered(lang, view));
    let entered = Part::new(ENTERED, Levels::HeadEntered.say(lang), head(lang, &OF_ENTRY), entered);
    [Part { lead: Some(lead(lang, view)), right: &[VALUE, PENALTY], ..table }, entered]
}

/// The rows of the table as a workbook has them: figures and penalties as numbers, and below them what it is reckoned by.
pub(super) fn rows(lang: Lang, view: &LevelsView) -> Vec<Vec<Value>> {
    let lines = view.lines.iter().map(|line| row(lang, view, line));
    let terms = terms(lang, view).into_iter().map(|words| vec![Value::Text(words)]);
    lines.chain(sums(lang, view)).chain(terms).collect()
}

/// As much of a digest as tells tables apart.
const DIGEST: usize = 12;

/// By which table it is reckoned, and where the penalties are.
fn terms(lang: Lang, view: &LevelsView) -> Vec<String> {
    let digest = &view.table.chars().take(DIGEST).collect::<String>();
    let elsewhere = view.penalties_in.map(|kind| match kind {
        PeriodKind::Week => Levels::PenaltiesByWeek,
        PeriodKind::Month => Levels::PenaltiesByMonth,
        PeriodKind::Quarter => Levels::PenaltiesByQuarter,
    });
    let terms = elsewhere.into_iter().chain([Levels::Table { digest }]);
    terms.map(|words| words.say(lang)).collect()
}

/// Where the value and the penalty stand in a row.
const VALUE: usize = 4;
const PENALTY: usize = 6;

const HEADS: [Levels<'static>; 8] = [
    Levels::Figure,
    Levels::Class,
    Levels::Period,
    Levels::Limit,
    Levels::Value,
    Levels::Level,
    Levels::Penalty,
    Levels::Source,
];

const OF_ENTRY: [Levels<'static>; 6] = [
    Levels::Figure,
    Levels::Period,
    Levels::Value,
    Levels::EnteredBy,
    Levels::EnteredAt,
    Levels::Source,
];

fn head(lang: Lang, heads: &[Levels<'_>]) -> Vec<String> {
    heads.iter().map(|head| head.say(lang)).collect()
}

fn row(lang: Lang, view: &LevelsView, line: &LevelLine) -> Vec<Value> {
    // What is not known costs nothing, and is not shown as if it were kept.
    let known = matches!(line.level, Level::Kept | Level::Missed);
    let due = known && !view.currency.is_empty() && view.penalties_in.is_none();
    vec![
        Value::text(line.title.get(lang)),
        Value::Text(class(lang, line.class)),
        Value::Text(line.period.to_string()),
        Value::Text(limit(lang, line.limit, line.unit)),
        line.value.map_or(Value::Nothing, |value| Value::Number(value.number())),
        Value::Text(level(lang, line)),
        if due { Value::Number(line.penalty as f64) } else { Value::Nothing },
        Value::Text(source(lang, line)),
    ]
}

/// Below the lines: what is due beside them, and all of it.
fn sums(lang: Lang, view: &LevelsView) -> Vec<Vec<Value>> {
    let sum = |title: Levels<'_>, amount: u64| {
        let mut row = vec![Value::Nothing; HEADS.len()];
        row[0] = Value::Text(title.say(lang));
        row[PENALTY] = Value::Number(amount as f64);
        row
    };
    let more = (view.more > 0).then(|| sum(Levels::More, view.more));
    let due = !view.currency.is_empty() && view.penalties_in.is_none();
    let all = due.then(|| {
        let currency = view.currency.as_str();
        sum(Levels::Sum { currency }, view.sum)
    });
    more.into_iter().chain(all).collect()
}

fn lead(lang: Lang, view: &LevelsView) -> String {
    let (key, ordinary, open) = (view.key_misses, view.ordinary_misses, view.not_known);
    let mut sentences = vec![Levels::Lead { key, ordinary, open }.say(lang)];
    sentences.extend(terms(lang, view));
    paragraph(lang, &sentences)
}

/// What people have entered, with what was replaced, one row each.
pub(super) fn entered(lang: Lang, view: &LevelsView) -> Vec<Vec<Value>> {
    let rows = view.lines.iter().flat_map(|line| {
        let holds = line.entered.len().saturating_sub(1);
        let entries = line.entered.iter().enumerate();
        entries.map(move |(index, entry)| entry_row(lang, line, entry, index == holds))
    });
    rows.collect()
}

fn entry_row(lang: Lang, line: &LevelLine, entry: &LevelEntry, holds: bool) -> Vec<Value> {
    let mut value = value_in_unit(lang, Some(entry.value), line.unit);
    if !entry.parts.is_empty() {
        let parts = entry.parts.iter().map(|(part, count)| format!("{part}={count}"));
        value = aside(lang, &value, &list(lang, parts));
    }
    if !holds {
        value = aside(lang, &value, &Levels::Replaced.say(lang));
    }
    vec![
        Value::text(line.title.get(lang)),
        Value::Text(line.period.to_string()),
        Value::Text(value),
        Value::text(entry.by.name.get(lang)),
        Value::Time(entry.at),
        Value::text(entry.source.as_str()),
    ]
}

fn class(lang: Lang, class: FigureClass) -> String {
    match class {
        FigureClass::Key => Levels::Key.say(lang),
        FigureClass::Ordinary => Levels::Ordinary.say(lang),
    }
}

fn in_unit(lang: Lang, amount: Amount, unit: FigureUnit) -> String {
    let amount = &amount.to_string();
    match unit {
        FigureUnit::Number => amount.clone(),
        FigureUnit::Percent => format!("{amount} %"),
        FigureUnit::Hours => Levels::Hours { amount }.say(lang),
    }
}

fn value_in_unit(lang: Lang, value: Option<Amount>, unit: FigureUnit) -> String {
    value.map(|value| in_unit(lang, value, unit)).unwrap_or_default()
}

fn limit(lang: Lang, limit: FigureLimit, unit: FigureUnit) -> String {
    match limit {
        FigureLimit::AtMost(most) => {
            Levels::AtMost { amount: &in_unit(lang, most, unit) }.say(lang)
        }
        FigureLimit::AtLeast(least) => {
            Levels::AtLeast { amount: &in_unit(lang, least, unit) }.say(lang)
        }
    }
}

fn level(lang: Lang, line: &LevelLine) -> String {
    match line.level {
        Level::Kept => Levels::Kept,
        Level::Missed if line.misses > 1 => Levels::MissedTimes { count: line.misses },
        Level::Missed => Levels::Missed,
        Level::NotEntered => Levels::NotEntered,
        Level::NotOver => Levels::NotOver,
        Level::NotWhole => Levels::NotWhole,
    }
    .say(lang)
}

fn source(lang: Lang, line: &LevelLine) -> String {
    let words = match (line.source, line.entered.last()) {
        (LevelSource::Entered, Some(last)) => Levels::By { who: last.by.name.get(lang) }.say(lang),
        (LevelSource::Entered, None) => Levels::OfPeople.say(lang),
        (LevelSource::Interruptions, _) => Levels::OfInterruptions.say(lang),
        (LevelSource::Inspections, _) => Levels::OfInspections.say(lang),
        (LevelSource::Incidents, _) => Levels::OfIncidents.say(lang),
    };
    let which: Vec<String> = line.incidents.iter().map(ToString::to_string).collect();
    let which = line.service.clone().into_iter().chain(which);
    match list(lang, which) {
        none if none.is_empty() => words,
        which => aside(lang, &words, &which),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::in_both;
    use crate::render::sample::levels;

    #[test]
    fn figures_stand_with_their_limits_values_and_sources_in_both_languages() {
        let (zone, view) = levels();
        let text = |lang| {
            let mut out = String::new();
            for part in parts(lang, &zone, &view) {
                out += &format!("{} ({})\n", part.title, part.id);
                out += &part.lead.map(|lead| lead + "\n").unwrap_or_default();
                for row in std::iter::once(&part.head).chain(&part.rows.shown) {
                    out += &format!("{}\n", row.join(" | "));
                }
            }
            out
        };
        insta::assert_snapshot!(in_both(text));
    }
}
