//! Two nights beside each other: each job with how it came out and how long it took.

use std::time::Duration;

use askama::Template;

use super::{of_job, of_run};
use crate::render::clock::took;
use crate::render::phrase;
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::words::{Label, Pages};
use crate::types::Lang;
use crate::view::job::JobLine;
use crate::view::status::StatusView;

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
    let of_b = |job: &JobLine| b.jobs.iter().find(|other| other.name == job.name);
    let of_a = |job: &JobLine| a.jobs.iter().any(|other| other.name == job.name);
    let both = a.jobs.iter().map(|job| (job, [Some(job), of_b(job)]));
    let only = b.jobs.iter().filter(|job| !of_a(job)).map(|job| (job, [None, Some(job)]));
    let page = Page {
        lang,
        up: up.to_owned(),
        title: title(lang, runs),
        runs: runs.map(|run| head(lang, run)),
        rows: both.chain(only).map(|(job, sides)| row(lang, job, runs, sides)).collect(),
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
