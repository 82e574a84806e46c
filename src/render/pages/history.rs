//! Former nights: which runs there were and how they ended; two of them can be compared.

use askama::Template;

use super::{in_query, of_run};
use crate::core::fact::RunResult;
use crate::journal::RunRow;
use crate::render::clock::{Clock, between, took};
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::words::{Label, Pages};
use crate::types::{Lang, Zone};

/// What is asked for, as the form says it.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub batch: String,
    pub date: String,
    /// Only trials, or only real runs.
    pub trial: Option<bool>,
}

#[derive(Template)]
#[template(path = "pages/history.html")]
struct Page {
    lang: Lang,
    up: String,
    batches: Vec<(String, bool)>,
    date: String,
    kinds: [(&'static str, String, bool); 3],
    rows: Vec<Row>,
    older: Option<String>,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

struct Row {
    run: String,
    /// Nothing where it has left the store.
    place: Option<String>,
    date: String,
    tone: Tone,
    result: &'static str,
    opened: String,
    ended: String,
    took: String,
    mark: String,
}

/// The middle of the page. `older`: where the next ones go on.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up, zone): (Lang, &str, &Zone),
    batches: &[String],
    wanted: &Wanted,
    (rows, older): (&[RunRow], Option<u64>),
) -> Result<String, askama::Error> {
    let kind =
        |value: &'static str, words: Pages<'_>, of| (value, words.say(lang), wanted.trial == of);
    let page = Page {
        lang,
        up: up.to_owned(),
        batches: batches.iter().map(|batch| (batch.clone(), *batch == wanted.batch)).collect(),
        date: wanted.date.clone(),
        kinds: [
            kind("", Pages::GroupAll, None),
            kind("false", Pages::Real, Some(false)),
            kind("true", Pages::Trials, Some(true)),
        ],
        rows: rows.iter().map(|row| line(lang, zone, row)).collect(),
        older: older.map(|cursor| {
            let trial = wanted.trial.map(|trial| trial.to_string()).unwrap_or_default();
            let (batch, date) = (in_query(&wanted.batch), in_query(&wanted.date));
            format!("?batch={batch}&date={date}&trial={trial}&cursor={cursor}")
        }),
    };
    Ok(harmless(&page.render()?))
}

fn line(lang: Lang, zone: &Zone, row: &RunRow) -> Row {
    let clock = Clock::new(zone, row.opened);
    let tone = match row.result {
        None => Tone::RUN,
        Some(RunResult::Well) => Tone::WELL,
        Some(RunResult::Failed | RunResult::Lost) => Tone::BAD,
        Some(RunResult::Stopped | RunResult::Cancelled) => Tone::WARN,
    };
    let marks = [
        row.trial.then(|| Label::TrialMark.say(lang)),
        row.archived.as_ref().map(|_| Label::ArchivedMark.say(lang)),
    ];
    Row {
        run: row.run.to_string(),
        place: row.not_at_hand().is_none().then(|| of_run(&row.run)),
        date: row.business_date.to_string(),
        tone,
        result: Label::of_result(row.result).say(lang),
        opened: clock.full(row.opened),
        ended: row.ended.map(|at| clock.exactly(at)).unwrap_or_default(),
        took: row.ended.map(|at| took(lang, between(row.opened, at))).unwrap_or_default(),
        mark: marks.into_iter().flatten().collect::<Vec<_>>().join(" "),
    }
}
