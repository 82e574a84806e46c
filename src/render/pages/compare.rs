//! Two nights beside each other: each job with how it came out and how long it took.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;

use super::{of_job, of_run};
use crate::render::clock::took;
use crate::render::phrase;
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::words::{Label, Pages};
use crate::types::{JobName, Lang};
use crate::view::job::JobLine;
use crate::view::status::StatusView;

/// Rows of the page at the most.
const MOST: usize = 1_000;

/// A difference of so little is none: short jobs differ by more than their length from night to night.
const NOTICEABLE: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "pages/compare.html")]
struct Page {
    lang: Lang,
    up: String,
    title: String,
    runs: [Head; 2],
    rows: Vec<Row>,
    left_out: Option<String>,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

struct Head {
    run: String,
    place: String,
    tone: Tone,
    verdict: String,
}

struct Row {
    name: String,
    title: String,
    /// Nothing where the run has no such job.
    sides: [Option<Side>; 2],
    difference: Option<(&'static str, String)>,
}

struct Side {
    place: String,
    tone: Tone,
    state: &'static str,
    took: String,
}

pub fn title(lang: Lang, [a, b]: [&StatusView; 2]) -> String {
    Pages::Compared { a: &a.head.run.to_string(), b: &b.head.run.to_string() }.say(lang)
}

/// The middle of the page: the jobs of the first run in the order of its file, then what only the second has.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle((lang, up): (Lang, &str), runs: [&StatusView; 2]) -> Result<String, askama::Error> {
    let [a, b] = runs;
    let by_name = |run: &'_ StatusView| -> BTreeMap<JobName, usize> {
        run.jobs.iter().enumerate().map(|(at, job)| (job.name.clone(), at)).collect()
    };
    let (in_a, in_b) = (by_name(a), by_name(b));
    let of_b = |job: &JobLine| in_b.get(&job.name).and_then(|at| b.jobs.get(*at));
    let both = a.jobs.iter().map(|job| (job, [Some(job), of_b(job)]));
    let only = b.jobs.iter().filter(|job| !in_a.contains_key(&job.name));
    let only = only.map(|job| (job, [None, Some(job)]));
    let mut rows: Vec<Row> =
        both.chain(only).map(|(job, sides)| row(lang, job, runs, sides)).collect();
    // Of a large night what differs is shown.
    if rows.len() > MOST {
        rows.sort_by_key(|row| row.difference.is_none());
    }
    let left_out = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    let page = Page {
        lang,
        up: up.to_owned(),
        title: title(lang, runs),
        runs: runs.map(|run| head(lang, run)),
        rows,
        left_out: (left_out > 0).then(|| {
            Pages::NotShown { jobs: u32::try_from(left_out).unwrap_or(u32::MAX) }.say(lang)
        }),
    };
    Ok(harmless(&page.render()?))
}

fn head(lang: Lang, run: &StatusView) -> Head {
    Head {
        run: run.head.run.to_string(),
        place: of_run(&run.head.run),
        tone: Tone::of_run(run.head.result, run.head.deadline()),
        verdict: phrase::verdict(lang, &run.head, &run.totals),
    }
}

fn row(lang: Lang, job: &JobLine, runs: [&StatusView; 2], sides: [Option<&JobLine>; 2]) -> Row {
    let [run_a, run_b] = runs;
    // What still runs has not taken its time yet.
    let over = |run: &StatusView, job: Option<&JobLine>| {
        job.filter(|job| job.ended.is_some()).and_then(|job| phrase::duration(&run.head, job))
    };
    let (a, b) = (over(run_a, sides[0]), over(run_b, sides[1]));
    let [side_a, side_b] = sides;
    Row {
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        sides: [(run_a, side_a), (run_b, side_b)]
            .map(|(run, job)| job.map(|job| side(lang, run, job))),
        difference: difference(lang, a, b),
    }
}

fn side(lang: Lang, run: &StatusView, job: &JobLine) -> Side {
    let word = job.state.word();
    let length = phrase::duration(&run.head, job);
    Side {
        place: of_job(&run.head.run, job.name.as_str()),
        tone: Tone::of_state(word, job.critical),
        state: Label::of_state(word).say(lang),
        took: length.map(|length| took(lang, length)).unwrap_or_default(),
    }
}

/// How the first differs from the second, where somebody should notice.
fn difference(
    lang: Lang,
    a: Option<Duration>,
    b: Option<Duration>,
) -> Option<(&'static str, String)> {
    let (a, b) = (a?, b?);
    let by = a.abs_diff(b);
    if by < NOTICEABLE || by < b / 10 {
        return None;
    }
    let by = &took(lang, by);
    Some(match a > b {
        true => ("warn", Pages::Longer { by }.say(lang)),
        false => ("ok", Pages::Shorter { by }.say(lang)),
    })
}
