//! Changes in numbers, as tables and as comma-separated values.

use jiff::Timestamp;

use super::clock::took;
use super::csv::row;
use super::table::Table;
use super::words::{Counted, Label, list};
use crate::definition::site::ChangeClass;
use crate::types::{Lang, Zone};
use crate::view::change_stats::{ChangeStats, StatsBy, StatsLine};

fn day(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or("-".to_owned(), |rate| format!("{rate:.1} %"))
}

pub(super) fn line_name(lang: Lang, by: StatsBy, line: &StatsLine) -> String {
    let Some(name) = &line.name else { return Counted::Nobody.say(lang) };
    let class = ChangeClass::ALL.into_iter().find(|class| class.name() == name);
    match class.filter(|_| by == StatsBy::Class) {
        Some(class) => Label::of_class(class).say(lang).to_owned(),
        None => name.clone(),
    }
}

/// The tables.
pub fn text(lang: Lang, zone: &Zone, stats: &ChangeStats) -> String {
    let (from, to) = (&day(zone, stats.from), &day(zone, stats.to));
    let mut text = Counted::Title { from, to }.say(lang);
    if let Some(environment) = &stats.environment {
        text.push_str(&format!("  {environment}"));
    }
    text.push_str("\n\n");
    let by = match stats.by {
        StatsBy::Team => Counted::Team,
        StatsBy::AuthorTeam => Counted::AuthorTeam,
        StatsBy::Class => Counted::Class,
        StatsBy::Month => Counted::Month,
    };
    let heads = [
        by,
        Counted::Executed,
        Counted::Abnormal,
        Counted::AbnormalRate,
        Counted::Failed,
        Counted::Partial,
        Counted::RolledBack,
        Counted::InDoubt,
        Counted::Fixed,
        Counted::Emergencies,
        Counted::EmergencyRate,
        Counted::Outside,
        Counted::Late,
        Counted::Took,
    ];
    let heads: Vec<String> = heads.iter().map(|head| head.say(lang)).collect();
    // One below the other: so many columns stand beside each other on no terminal.
    let lines: Vec<(String, &StatsLine)> =
        stats.lines.iter().map(|line| (line_name(lang, stats.by, line), line)).collect();
    let all = std::iter::once((Counted::All.say(lang), &stats.total));
    let columns: Vec<Vec<String>> =
        lines.into_iter().chain(all).map(|(name, line)| column(lang, name, line)).collect();
    for group in columns.chunks(COLUMNS) {
        let width = group.len() + 1;
        let right: Vec<usize> = (1..width).collect();
        let mut table = Table::new(&vec![""; width], &right, 0);
        for (at, head) in heads.iter().enumerate() {
            let cells = group.iter().map(|column| column[at].clone());
            table.row(std::iter::once(head.clone()).chain(cells).collect());
        }
        table.write(&mut text);
        text.push('\n');
    }
    text.push_str(&recurring(lang, zone, stats));
    if stats.unknown_scripts > 0 {
        text.push_str(&Counted::UnknownScripts { count: stats.unknown_scripts }.say(lang));
        text.push('\n');
    }
    text
}

/// Columns of one table.
const COLUMNS: usize = 5;

fn column(lang: Lang, name: String, line: &StatsLine) -> Vec<String> {
    let count = |count: u32| count.to_string();
    vec![
        name,
        count(line.executed),
        count(line.abnormal),
        percent(line.abnormal_percent),
        count(line.failed),
        count(line.partial),
        count(line.rolled_back),
        count(line.in_doubt),
        count(line.fixed),
        count(line.emergencies),
        percent(line.emergency_percent),
        count(line.outside),
        count(line.late),
        took(lang, std::time::Duration::from_secs(line.seconds)),
    ]
}

fn recurring(lang: Lang, zone: &Zone, stats: &ChangeStats) -> String {
    if stats.recurring.is_empty() {
        return Counted::NoneRecurs.say(lang) + "\n";
    }
    let mut text = Counted::Recurring.say(lang) + "\n";
    let heads = [
        Counted::Times,
        Counted::Took,
        Counted::Environment,
        Counted::Last,
        Counted::Changes,
        Counted::Statements,
    ];
    let heads: Vec<String> = heads.iter().map(|head| head.say(lang)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[0, 1], 2);
    for it in &stats.recurring {
        table.row(vec![
            it.times.to_string(),
            took(lang, std::time::Duration::from_secs(it.seconds)),
            it.environment.clone(),
            day(zone, it.last),
            list(lang, &it.changes),
            it.statements.clone(),
        ]);
    }
    table.write(&mut text);
    text
}

/// RFC 4180, the first row a head. What comes again follows in rows that begin with `# recurring`.
pub fn csv(stats: &ChangeStats) -> String {
    let mut text = row(&[
        stats.by.name(),
        "executed",
        "abnormal",
        "abnormal_percent",
        "failed",
        "partial",
        "rolled_back",
        "in_doubt",
        "fixed",
        "emergencies",
        "emergency_percent",
        "outside",
        "late",
        "rows",
        "seconds",
    ]);
    let total = std::iter::once(("# all", &stats.total));
    let named = stats.lines.iter().map(|line| (line.name.as_deref().unwrap_or_default(), line));
    for (name, line) in named.chain(total) {
        let rate = |rate: Option<f64>| rate.map(|rate| rate.to_string()).unwrap_or_default();
        let counts = [
            line.executed.to_string(),
            line.abnormal.to_string(),
            rate(line.abnormal_percent),
            line.failed.to_string(),
            line.partial.to_string(),
            line.rolled_back.to_string(),
            line.in_doubt.to_string(),
            line.fixed.to_string(),
            line.emergencies.to_string(),
            rate(line.emergency_percent),
            line.outside.to_string(),
            line.late.to_string(),
            line.rows.to_string(),
            line.seconds.to_string(),
        ];
        let cells: Vec<&str> =
            std::iter::once(name).chain(counts.iter().map(String::as_str)).collect();
        text.push_str(&row(&cells));
    }
    for it in &stats.recurring {
        let join = |names: Vec<String>| names.join(" ");
        let changes = join(it.changes.iter().map(ToString::to_string).collect());
        let (times, seconds) = (it.times.to_string(), it.seconds.to_string());
        let (first, last) = (it.first.to_string(), it.last.to_string());
        let (environment, print) = (it.environment.as_str(), it.fingerprint.as_str());
        text.push_str(&row(&[
            "# recurring",
            &times,
            &seconds,
            environment,
            &first,
            &last,
            print,
            &changes,
            &it.statements,
            "",
            "",
            "",
            "",
            "",
            "",
        ]));
    }
    text
}
