//! The mails: the one mail of a fault, and the morning report. Each is written for one reader, in his language.
//!
//! Subjects begin with plain ASCII (`[P1] INC-3`), so that no gateway breaks what people sort and filter by.

use std::fmt::Write as _;

use askama::Template;

use crate::core::fact::RunResult;
use crate::render::clock::{Clock, took};
use crate::render::command::{Verb, on_changes, on_job, status};
use crate::render::phrase;
use crate::render::report_html::Tone;
use crate::render::report_text::{self, troubled};
use crate::render::table::{PAGE, Table, cut, harmless, one_line, wrap};
use crate::render::why::{Place, sentence};
use crate::render::words::{Fault, Label, Verdict, list, pair, paragraph, remarks};
use crate::types::{Lang, PersonId};
use crate::view::failure::FailureView;
use crate::view::job::{JobLine, JobState};
use crate::view::report::{ReportView, Shortened};
use crate::view::run::{DeadlineState, RunHead};
use crate::view::why::Reason;

/// A mail, ready but for its addresses and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line, at most 150 columns.
    pub subject: String,
    pub text: String,
    /// Without scripts and without anything to load.
    pub html: String,
}

/// The mail of a fault as one of its readers gets it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn failure(lang: Lang, view: &FailureView, to: &PersonId) -> Result<MailText, askama::Error> {
    let head = &view.head;
    let name = format!("{} {}", head.batch, view.job.name);
    let date = &head.business_date.to_string();
    let words = match view.job.state {
        JobState::Waiting { .. } => Fault::SubjectWaits { job: &name, date }.say(lang),
        _ => Fault::Subject { job: &name, date }.say(lang),
    };
    let subject =
        format!("[P{}] {}{} {words}", view.priority, view.incident, trial_mark(head, lang));
    let page = FailurePage::of(lang, view, to);
    Ok(MailText {
        subject: header(&subject),
        text: harmless(&page.text()),
        html: harmless(&page.render()?),
    })
}

/// The mail of the morning report as one of its readers gets it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn report(lang: Lang, view: &ReportView) -> Result<MailText, askama::Error> {
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
    let html = harmless(&ReportPage::of(lang, view).render()?);
    Ok(MailText { subject: header(&subject), text: report_text::shortened(lang, view), html })
}

/// A subject: nothing that could begin another header, and not endless.
pub(super) fn header(subject: &str) -> String {
    cut(&one_line(subject), 150)
}

fn trial_mark(head: &RunHead, lang: Lang) -> String {
    if head.trial { format!(" {}", Label::TrialMark.say(lang)) } else { String::new() }
}

#[derive(Template)]
#[template(path = "failure_mail.html")]
struct FailurePage {
    lang: Lang,
    title: String,
    lead: String,
    trial: Option<String>,
    ending: String,
    limit: String,
    blocks: String,
    blocked: Vec<(String, String)>,
    attempts: Vec<String>,
    tail: Vec<String>,
    runbook: String,
    commands: Vec<(String, String)>,
    told: String,
}

impl FailurePage {
    fn of(lang: Lang, view: &FailureView, to: &PersonId) -> Self {
        let (head, job) = (&view.head, &view.job);
        let clock = Clock::of_run(head);
        let ended = job.last_failed().and_then(|last| last.ended).or(job.ended);
        let (name, title) = (job.name.as_str(), job.title.get(lang));
        let (batch, date) = (head.title.get(lang), &head.business_date.to_string());
        let at = &clock.full(ended.unwrap_or(view.opened));
        let lead = match job.state {
            JobState::Waiting { .. } => Fault::LeadWaits { job: name, title, batch, date, at },
            _ => Fault::Lead { job: name, title, batch, date, at },
        };
        let runbook = job.runbook.as_ref().map(|runbook| runbook.get(lang).to_owned());
        Self {
            lang,
            title: format!("{} {}.{}", view.incident, head.batch, job.name),
            lead: lead.say(lang),
            trial: head.trial.then(|| Verdict::Trial.say(lang)),
            ending: match &job.state {
                JobState::Waiting { reasons } => waits_for(lang, &clock, head, job, reasons),
                _ => how_it_ended(lang, job),
            },
            limit: limit(lang, &clock, head),
            blocks: blocks(lang, view),
            blocked: view
                .blocks
                .iter()
                .map(|job| (job.name.to_string(), job.title.get(lang).to_owned()))
                .collect(),
            attempts: job.attempts.iter().map(|line| phrase::attempt(lang, &clock, line)).collect(),
            tail: job.tail.clone(),
            runbook: runbook.unwrap_or_else(|| Fault::NoRunbook.say(lang)),
            commands: commands(lang, head, job),
            told: told(lang, view, to),
        }
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut push = |indent: usize, text: &str| {
            for line in text.lines().flat_map(|line| wrap(&one_line(line), PAGE - indent)) {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        };
        push(0, &self.lead);
        self.trial.iter().for_each(|trial| push(0, trial));
        push(0, &self.ending);
        if !self.limit.is_empty() {
            push(0, &self.limit);
        }
        push(0, &self.blocks);
        for attempt in &self.attempts {
            push(2, attempt);
        }
        let _ = writeln!(out, "\n{}", Label::LastOutput.say(self.lang));
        if self.tail.is_empty() {
            let _ = writeln!(out, "  {}", Label::NoOutput.say(self.lang));
        }
        for line in &self.tail {
            let _ = writeln!(out, "  | {}", one_line(line));
        }
        let _ = writeln!(out, "\n{}", Label::Runbook.say(self.lang));
        for line in self.runbook.lines().flat_map(|line| wrap(line, PAGE - 2)) {
            let _ = writeln!(out, "  {line}");
        }
        let _ = writeln!(out, "\n{}", Label::YouCan.say(self.lang));
        for (what, command) in &self.commands {
            let _ = writeln!(out, "  {}", pair(self.lang, what, "").trim_end());
            let _ = writeln!(out, "      {command}");
        }
        if !self.blocked.is_empty() {
            let _ = writeln!(out, "\n{}", Label::Blocks.say(self.lang));
            let mut table = Table::new(&["", ""], &[], 2);
            for (name, title) in &self.blocked {
                table.row(vec![name.clone(), title.clone()]);
            }
            table.write(&mut out);
        }
        let _ = writeln!(out, "\n{}", self.told);
        out
    }
}

/// What people have not done for a change whose time has come.
fn waits_for(
    lang: Lang,
    clock: &Clock<'_>,
    head: &RunHead,
    job: &JobLine,
    reasons: &[Reason],
) -> String {
    let place = Place { lang, clock, batch: &head.batch, job: &job.name, date: head.business_date };
    let said: Vec<String> = reasons.iter().map(|reason| sentence(place, reason)).collect();
    paragraph(lang, &said)
}

fn how_it_ended(lang: Lang, job: &JobLine) -> String {
    let attempts = u32::try_from(job.attempts.len()).unwrap_or(u32::MAX);
    let ending = phrase::how_it_failed(lang, job)
        .unwrap_or_else(|| Label::of_state(job.state.word()).say(lang).to_owned());
    Fault::HowItEnded { ending: &ending, attempts }.say(lang)
}

/// The run's limit and what the fault does to it; empty where it has none.
fn limit(lang: Lang, clock: &Clock<'_>, head: &RunHead) -> String {
    let say = |verdict: Verdict<'_>| verdict.say(lang);
    match head.deadline() {
        DeadlineState::None => String::new(),
        DeadlineState::Kept { due } | DeadlineState::AtRisk { due } => {
            say(Verdict::LimitAtRisk { limit: &clock.minute(due) })
        }
        DeadlineState::ExpectedKept { due, end } => {
            say(Verdict::LimitKept { limit: &clock.minute(due), end: &clock.at(end) })
        }
        DeadlineState::ExpectedMissed { due, end, by } => say(Verdict::LimitMissed {
            limit: &clock.minute(due),
            end: &clock.at(end),
            by: &took(lang, by),
        }),
        DeadlineState::Missed { due, by } | DeadlineState::Overdue { due, by } => {
            say(Verdict::LimitPassed { limit: &clock.minute(due), by: &took(lang, by) })
        }
    }
}

fn blocks(lang: Lang, view: &FailureView) -> String {
    if view.blocks.is_empty() {
        return Fault::BlocksNothing.say(lang);
    }
    let count = u32::try_from(view.blocks.len()).unwrap_or(u32::MAX);
    let names = list(lang, view.blocks.iter().map(|job| &job.name));
    Fault::Blocks { count, list: &names }.say(lang)
}

fn commands(lang: Lang, head: &RunHead, job: &JobLine) -> Vec<(String, String)> {
    let on = |verb| on_job(verb, &head.batch, &job.name, head.business_date);
    if let JobState::Waiting { .. } = job.state {
        let (batch, date) = (&head.batch, head.business_date);
        return vec![
            (Fault::CanReleaseChanges.say(lang), on_changes("release", batch, date)),
            (Fault::CanWatchChanges.say(lang), on_changes("watch", batch, date)),
            (Fault::CanSkip.say(lang), on(Verb::Skip)),
            (Fault::CanSee.say(lang), status()),
        ];
    }
    vec![
        (Fault::CanRead.say(lang), on(Verb::Log)),
        (Fault::CanRetry.say(lang), on(Verb::Retry)),
        (Fault::CanForce.say(lang), on(Verb::Force)),
        (Fault::CanSkip.say(lang), on(Verb::Skip)),
        (Fault::CanSee.say(lang), status()),
    ]
}

fn told(lang: Lang, view: &FailureView, to: &PersonId) -> String {
    let others =
        list(lang, view.told.iter().filter(|who| who.id != *to).map(|who| who.name.get(lang)));
    if others.is_empty() {
        Fault::ToldOnlyYou.say(lang)
    } else {
        Fault::AlsoTold { list: &others }.say(lang)
    }
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
    changes: Vec<[String; 4]>,
    left_out: Option<String>,
    jobs: Vec<JobRow>,
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

    fn and_more<T>(&self, of: &Shortened<T>) -> String {
        report_text::and_more(self.lang, of).unwrap_or_default()
    }

    fn of(lang: Lang, view: &ReportView) -> Self {
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
                .map(|point| phrase::open_point(lang, &point)),
            changes: changes(lang, view),
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
    use crate::render::sample::{bad_night, fault, good_night, in_both};

    fn mail_in(lang: Lang, mail: MailText) -> String {
        assert!(!mail.subject.contains('\n'), "{lang:?}");
        format!("Subject: {}\n\n{}", mail.subject, mail.text)
    }

    #[test]
    fn failure_mail() {
        let to = PersonId::new("li-wei").unwrap();
        let write = |lang| mail_in(lang, failure(lang, &fault(), &to).unwrap());
        insta::assert_snapshot!(in_both(write));
    }

    #[test]
    fn report_mail_begins_with_the_result() {
        for (night, mark) in [(good_night(), "[OK] eod "), (bad_night(), "[FAILED] eod ")] {
            for lang in Lang::ALL {
                let mail = report(lang, &night).unwrap();
                assert!(mail.subject.starts_with(mark), "{}", mail.subject);
                assert_eq!(mail.text, report_text::text(lang, &night));
            }
        }
    }
}
