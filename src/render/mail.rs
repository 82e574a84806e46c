//! The mail of the morning report, and what all mails have in common. Each is written for one reader, in his language.
//!
//! Subjects begin with plain ASCII (`[P1] INC-3`), so that no gateway breaks what people sort and filter by.

use askama::Template;

use crate::core::fact::RunResult;
use crate::render::clock::{Clock, took};
use crate::render::inspection::{DayPart, parts};
use crate::render::phrase;
use crate::render::report_html::{Tone, shortened};
use crate::render::report_parts::{self, Part};
use crate::render::report_text::{self, troubled};
use crate::render::table::{cut, harmless, one_line};
use crate::render::webhook::Brief;
use crate::render::words::{Fault, Inspections, Label, Verdict, pair, remarks};
use crate::types::{ChannelName, Lang, PersonId};
use crate::view::job::JobLine;
use crate::view::report::{ReportView, Shortened};
use crate::view::run::RunHead;

/// A mail, ready but for its addresses and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line, at most 150 columns.
    pub subject: String,
    pub text: String,
    /// Without scripts and without anything to load.
    pub html: String,
    /// The same for a chat.
    pub brief: Brief,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader<'a> {
    Person(&'a PersonId),
    /// Whoever reads in a room.
    Room(&'a ChannelName),
}

/// The mail of the morning report as one of its readers gets it. `pictured`: its letter brings the picture of the night
/// ([`super::report::PICTURE`]).
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn report(lang: Lang, view: &ReportView, pictured: bool) -> Result<MailText, askama::Error> {
    let head = &view.head;
    let mark = match head.result {
        Some(RunResult::Well) => "OK",
        Some(RunResult::Failed) => "FAILED",
        Some(RunResult::Stopped) => "STOPPED",
        Some(RunResult::Cancelled) => "CANCELLED",
        Some(RunResult::Lost) => "LOST",
        None => "RUNNING",
    };
    let verdict = phrase::standing(lang, head);
    let words = Fault::ReportSubject { date: &head.business_date.to_string(), verdict: &verdict };
    let trial = trial_mark(head, lang);
    let subject = format!("[{mark}] {}{trial} {}", head.batch, words.say(lang));
    let html = harmless(&ReportPage::of(lang, view, pictured).render()?);
    let subject = header(&subject);
    let brief = brief(lang, view, &subject);
    Ok(MailText { subject, text: report_text::shortened(lang, view), html, brief })
}

/// The verdict, and what needs attention.
fn brief(lang: Lang, view: &ReportView, subject: &str) -> Brief {
    let clock = Clock::of_run(&view.head);
    let troubles = troubled(view).into_iter().map(|job| {
        let row = trouble_row(lang, &clock, view, job);
        pair(lang, &row.name, &row.what)
    });
    let open = view.open_points().into_iter();
    let open = open.map(|point| phrase::open_point(lang, &clock, &point));
    let verdict = phrase::verdict(lang, &view.head, &view.totals);
    Brief {
        title: subject.to_owned(),
        lines: std::iter::once(verdict).chain(troubles).chain(open).collect(),
        about: serde_json::json!({ "run": view.head.run, "result": view.head.result }),
        ..Brief::default()
    }
}

/// A subject: nothing that could begin another header, and not endless.
pub(super) fn header(subject: &str) -> String {
    cut(&one_line(subject), 150)
}

pub(super) fn trial_mark(head: &RunHead, lang: Lang) -> String {
    if head.trial { format!(" {}", Label::TrialMark.say(lang)) } else { String::new() }
}

/// The report for mail programs, which draw no SVG: verdict, numbers, what needs attention, all jobs.
#[derive(Template)]
#[template(path = "report_mail.html")]
struct ReportPage {
    lang: Lang,
    title: String,
    site: String,
    tone: Tone,
    verdict: String,
    trial: Option<String>,
    facts: Vec<(String, String)>,
    totals: Vec<(Label, &'static str, u32)>,
    troubles: Shortened<TroubleRow>,
    open: Shortened<String>,
    picture: Option<&'static str>,
    changes: Vec<[String; 4]>,
    inspections: Vec<DayPart>,
    signed: Vec<String>,
    before_jobs: Vec<Part>,
    left_out: Option<String>,
    jobs: Vec<JobRow>,
    after_jobs: Vec<Part>,
    journal_head: Option<String>,
    generated_at: String,
}

struct TroubleRow {
    name: String,
    title: String,
    what: String,
    tail: Vec<String>,
}

struct JobRow {
    name: String,
    title: String,
    state: &'static str,
    tone: Tone,
    started: String,
    took: String,
    notes: String,
}

impl ReportPage {
    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }

    fn inspected(&self, words: Inspections<'_>) -> String {
        words.say(self.lang)
    }

    fn and_more<T>(&self, of: &Shortened<T>) -> String {
        report_text::and_more(self.lang, of).unwrap_or_default()
    }

    fn of(lang: Lang, view: &ReportView, pictured: bool) -> Self {
        let head = &view.head;
        let clock = Clock::of_run(head);
        let rows = view.rows();
        Self {
            lang,
            title: format!("{} {}", head.title.get(lang), head.business_date),
            site: head.site.get(lang).to_owned(),
            tone: Tone::of_run(head.result, head.deadline()),
            verdict: phrase::verdict(lang, head, &view.totals),
            trial: head.trial.then(|| Verdict::Trial.say(lang)),
            facts: report_text::facts(lang, head),
            totals: report_text::totals(lang, &view.totals),
            troubles: Shortened::points(troubled(view))
                .map(|job| trouble_row(lang, &clock, view, job)),
            open: Shortened::points(view.open_points())
                .map(|point| phrase::open_point(lang, &clock, &point)),
            picture: pictured.then_some(super::report::PICTURE),
            changes: changes(lang, view),
            inspections: view.inspections.iter().flat_map(|view| parts(lang, view)).collect(),
            signed: report_parts::signatures(lang, view),
            before_jobs: shortened(report_parts::before_jobs(lang, view)),
            after_jobs: shortened(report_parts::after_jobs(lang, view)),
            left_out: report_text::rows_left_out(lang, head, &rows),
            jobs: rows.shown.iter().map(|job| job_row(lang, &clock, view, job)).collect(),
            journal_head: view.journal_head.clone(),
            generated_at: clock.full(view.generated_at),
        }
    }
}

fn trouble_row(lang: Lang, clock: &Clock<'_>, view: &ReportView, job: &JobLine) -> TroubleRow {
    let what = phrase::trouble(lang, clock, &view.head, job);
    TroubleRow {
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        what: format!("{what} {}", report_text::blocks(lang, job)),
        tail: job.tail.clone(),
    }
}

/// Id, title, state, rows of each change.
fn changes(lang: Lang, view: &ReportView) -> Vec<[String; 4]> {
    view.changes
        .iter()
        .map(|change| {
            let rows = Fault::ChangeRows { rows: change.rows, backup: change.backup_rows };
            [
                change.id.to_string(),
                change.title.get(lang).to_owned(),
                Label::of_change(change.state).say(lang).to_owned(),
                rows.say(lang),
            ]
        })
        .collect()
}

fn job_row(lang: Lang, clock: &Clock<'_>, view: &ReportView, job: &JobLine) -> JobRow {
    let length = phrase::duration(&view.head, job);
    JobRow {
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        state: Label::of_state(job.state.word()).say(lang),
        tone: Tone::of_state(job.state.word(), job.critical),
        started: job.started.map(|at| clock.exactly(at)).unwrap_or_default(),
        took: length.map(|length| took(lang, length)).unwrap_or_default(),
        notes: remarks(lang, &phrase::remarks(lang, clock, &view.head, job)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{bad_night, good_night};

    #[test]
    fn report_mail_begins_with_the_result() {
        for (night, mark) in [(good_night(), "[OK] eod "), (bad_night(), "[FAILED] eod ")] {
            for lang in Lang::ALL {
                let mail = report(lang, &night, false).unwrap();
                assert!(mail.subject.starts_with(mark), "{}", mail.subject);
                assert_eq!(mail.text, report_text::text(lang, &night));
            }
        }
    }
}
