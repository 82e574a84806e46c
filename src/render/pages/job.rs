//! One job of a run: how it stands and why, its attempts and output, how long it took on former nights, what is before and
//! after it, what may be done with it.

use askama::Template;
use jiff::Timestamp;

use super::act::{deed_words, word_of};
use super::{of_job, of_run};
use crate::render::clock::{Clock, took};
use crate::render::phrase;
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::why::{self, Place};
use crate::render::words::{Label, Pages, Verdict};
use crate::types::{Lang, Span};
use crate::view::job::AttemptLine;
use crate::view::one_job::PastAttempt;
use crate::view::one_job::{JobView, NeedLine, Neighbour};

/// Units of the drawing of former nights.
const BAR: f64 = 18.0;
const HIGH: f64 = 70.0;

/// KiB of a log that a page shows at once; the rest comes by download.
pub const SHOWN_KIB: u32 = 64;

/// What an attempt has written, as far as it is shown.
#[derive(Debug, Clone, Default)]
pub struct Output {
    pub attempt: u32,
    pub text: String,
    /// The byte that follows.
    pub next: u64,
    /// The first bytes are left out.
    pub cut: bool,
    pub ended: bool,
    /// The end of its standard error, where it has written any.
    pub errors: String,
}

/// What a page says of the output of a job.
#[derive(Debug, Clone)]
pub enum Written {
    /// It is not for whoever looks.
    NotForYou,
    /// No attempt has begun.
    Nothing,
    /// It is on another host, or was archived.
    Elsewhere {
        attempt: u32,
    },
    /// Its host cannot be asked.
    NotReached {
        why: String,
    },
    Here(Output),
}

#[derive(Template)]
#[template(path = "pages/job.html")]
struct Page {
    lang: Lang,
    run: String,
    run_place: String,
    run_title: String,
    /// Where the API has what is added to the log.
    log: String,
    name: String,
    title: String,
    tone: Tone,
    state: &'static str,
    grade: &'static str,
    reasons: Vec<String>,
    facts: Vec<(&'static str, String)>,
    trial: Option<String>,
    deeds: Vec<(&'static str, String)>,
    no_deeds: String,
    graph: String,
    attempts: Vec<(bool, String)>,
    notes: Vec<String>,
    output: Option<Output>,
    /// Why there is no output.
    no_output: String,
    runbook: Option<String>,
    needs: Vec<(Option<String>, String, Option<Tone>)>,
    followers: Vec<(Option<String>, String, Option<Tone>)>,
    history: Option<History>,
}

struct History {
    label: String,
    width: f64,
    bars: Vec<Bar>,
    longest: String,
}

struct Bar {
    x: f64,
    y: f64,
    height: f64,
    class: &'static str,
    tip: String,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn output_of(&self, output: &Output) -> String {
        self.say(Pages::OutputOf { attempt: output.attempt })
    }

    fn cut(&self) -> String {
        self.say(Pages::CutLog { kib: SHOWN_KIB })
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

/// The middle of the page. `stands_by`: why nothing can be done here. It lies three folders below the one that all pages lie in.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    lang: Lang,
    view: &JobView,
    former: &[PastAttempt],
    written: Written,
    stands_by: Option<&str>,
) -> Result<String, askama::Error> {
    let (head, job) = (&view.head, &view.job);
    let clock = Clock::of_run(head);
    let place =
        Place { lang, clock: &clock, batch: &head.batch, job: &job.name, date: head.business_date };
    let word = job.state.word();
    let grade = if job.critical { Label::Critical } else { Label::NotCritical };
    let (output, no_output) = output(lang, view, written);
    let no_deeds = match stands_by {
        Some(why) => Pages::StandsBy { why },
        None => Pages::NothingToPress,
    };
    let page = Page {
        lang,
        run: head.run.to_string(),
        run_place: format!("../../../{}", of_run(&head.run)),
        log: format!("../../../api/v1/{}/log", of_job(&head.run, job.name.as_str())),
        run_title: head.title.get(lang).to_owned(),
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        tone: Tone::of_state(word, job.critical),
        state: Label::of_state(word).say(lang),
        grade: grade.say(lang),
        reasons: view.reasons.iter().map(|reason| why::sentence(place, reason)).collect(),
        facts: facts(lang, &clock, view),
        trial: head.trial.then(|| Verdict::Trial.say(lang)),
        deeds: view
            .deeds
            .iter()
            .filter_map(|deed| Some((word_of(deed)?, deed_words(lang, deed)?)))
            .collect(),
        no_deeds: no_deeds.say(lang),
        graph: format!("../../../{}/graph?job={}", of_run(&head.run), job.name),
        attempts: attempts(lang, &clock, &job.attempts),
        notes: phrase::remarks(lang, &clock, head, job),
        output,
        no_output,
        runbook: job.runbook.as_ref().map(|runbook| runbook.get(lang).to_owned()),
        needs: view.needs.iter().map(|need| need_line(view, need)).collect(),
        followers: view.followers.iter().map(|job| neighbour(view, job)).collect(),
        history: history(lang, former),
    };
    Ok(harmless(&page.render()?))
}

/// The output, or why there is none.
fn output(lang: Lang, view: &JobView, written: Written) -> (Option<Output>, String) {
    let why = match written {
        Written::Here(output) => return (Some(output), String::new()),
        Written::NotForYou => Pages::NotForYou,
        Written::Nothing => Pages::NoOutput,
        Written::NotReached { why } => {
            return (
                None,
                Pages::OutputNotReached { host: view.host.as_str(), why: &why }.say(lang),
            );
        }
        Written::Elsewhere { attempt } => match view.host.as_str() {
            "local" => Pages::GoneLog { attempt },
            host => Pages::Elsewhere { attempt, host },
        },
    };
    (None, why.say(lang))
}

fn facts(lang: Lang, clock: &Clock<'_>, view: &JobView) -> Vec<(&'static str, String)> {
    let job = &view.job;
    let at =
        |label: Label, at: Option<Timestamp>| at.map(|at| (label.say(lang), clock.exactly(at)));
    let long = |label: Label, length: Option<std::time::Duration>| {
        length.map(|length| (label.say(lang), took(lang, length)))
    };
    [
        at(Label::Started, job.started),
        at(Label::End, phrase::ended(job)),
        long(Label::Took, phrase::duration(&view.head, job)),
        at(Label::ExpectedEnd, job.expected_end),
        long(Label::Expected, job.expected.map(Span::get)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last one first.
fn attempts(lang: Lang, clock: &Clock<'_>, lines: &[AttemptLine]) -> Vec<(bool, String)> {
    let line = |line: &AttemptLine| {
        (line.good || line.ending.is_none(), phrase::attempt(lang, clock, line))
    };
    lines.iter().rev().map(line).collect()
}

fn neighbour(view: &JobView, job: &Neighbour) -> (Option<String>, String, Option<Tone>) {
    let name = job.name.to_string();
    let place = format!("../../../{}", of_job(&view.head.run, &name));
    (Some(place), name, Some(Tone::of_state(job.state, true)))
}

fn need_line(view: &JobView, need: &NeedLine) -> (Option<String>, String, Option<Tone>) {
    match need {
        NeedLine::Same { job, .. } => neighbour(view, job),
        NeedLine::Across { across, offset: 0, .. } => (None, across.to_string(), None),
        NeedLine::Across { across, offset, .. } => (None, format!("{across}@{offset:+}bd"), None),
    }
}

/// The oldest to the left; the longest is as high as the drawing.
fn history(lang: Lang, former: &[PastAttempt]) -> Option<History> {
    let longest = former.iter().map(|night| night.took).max()?;
    let unit = HIGH / longest.get().as_secs_f64().max(0.001);
    let bar = |(index, night): (usize, &PastAttempt)| {
        let height = (night.took.get().as_secs_f64() * unit).max(1.0);
        let length = took(lang, night.took.get());
        Bar {
            x: index as f64 * BAR,
            y: HIGH - height,
            height,
            class: if night.good { "ok" } else { "bad" },
            tip: format!("{}: {length}", night.business_date),
        }
    };
    let nights = u32::try_from(former.len()).unwrap_or(u32::MAX);
    Some(History {
        label: Pages::HistoryOf { nights }.say(lang),
        width: former.len() as f64 * BAR,
        bars: former.iter().enumerate().map(bar).collect(),
        longest: took(lang, longest.get()),
    })
}
