//! The morning report as one self-contained HTML page: no scripts, nothing loaded from anywhere, light and dark, for
//! screen, phone and paper. The rows are made here, the page is `templates/report.html`.

use askama::Template;

use crate::core::change::Stage;
use crate::core::fact::RunResult;
use crate::render::clock::{Clock, took};
use crate::render::gantt;
use crate::render::inspection::{DayPart, parts};
use crate::render::phrase;
use crate::render::report_parts::{self, Part};
use crate::render::report_text::{
    CheckRow, and_more, blocks, checks, facts, rows_left_out, totals, troubled,
};
use crate::render::table::harmless;
use crate::render::words::{Inspections, Label, Verdict};
use crate::types::Lang;
use crate::view::job::{JobLine, StateWord};
use crate::view::report::{ChangeLine, ReportView, Shortened};
use crate::view::run::DeadlineState;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    lang: Lang,
    title: String,
    heading: String,
    site: String,
    /// Class and sign of the verdict.
    tone: Tone,
    verdict: String,
    trial: Option<String>,
    signed: Vec<String>,
    facts: Vec<(String, String)>,
    totals: Vec<Total>,
    troubles: Shortened<Trouble>,
    open: Shortened<String>,
    gantt: Option<String>,
    legend: Vec<(&'static str, &'static str, &'static str)>,
    changes: Vec<Change>,
    before_jobs: Vec<Part>,
    left_out: Option<String>,
    jobs: Vec<Job>,
    after_jobs: Vec<Part>,
    inspections: Vec<DayPart>,
    journal_head: Option<String>,
    generated_at: String,
}

impl Page {
    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }

    fn inspected(&self, words: Inspections<'_>) -> String {
        words.say(self.lang)
    }

    fn and_more<T>(&self, of: &Shortened<T>) -> String {
        and_more(self.lang, of).unwrap_or_default()
    }

    /// Before the change a check must fail, so there it is no fault.
    fn passed(&self, ok: &Option<bool>, before: bool) -> (Tone, &'static str) {
        match ok {
            None => (Tone::IDLE, "–"),
            Some(true) => (Tone::WELL, Label::Passed.say(self.lang)),
            Some(false) if before => (Tone::IDLE, Label::NotPassed.say(self.lang)),
            Some(false) => (Tone::BAD, Label::NotPassed.say(self.lang)),
        }
    }
}

/// How something is shown: a class for the colour and a sign for those who do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tone {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
}

impl Tone {
    pub(super) const WELL: Self = Self { class: "ok", sign: "✓" };
    pub(super) const BAD: Self = Self { class: "bad", sign: "✗" };
    pub(super) const WARN: Self = Self { class: "warn", sign: "!" };
    pub(super) const RUN: Self = Self { class: "run", sign: "▸" };
    const IDLE: Self = Self { class: "idle", sign: "·" };
    const ODD: Self = Self { class: "odd", sign: "?" };

    pub(super) fn of_state(word: StateWord, critical: bool) -> Self {
        match word {
            StateWord::Succeeded => Self::WELL,
            StateWord::Failed if critical => Self::BAD,
            StateWord::Failed => Self { class: "warn", ..Self::BAD },
            StateWord::Blocked => Self { sign: "■", ..Self::BAD },
            StateWord::Cancelled => Self { sign: "■", ..Self::WARN },
            StateWord::Unknown => Self::ODD,
            StateWord::Running | StateWord::Starting => Self::RUN,
            StateWord::RetryWait => Self { sign: "↻", ..Self::WARN },
            StateWord::Held => Self { sign: "‖", ..Self::WARN },
            StateWord::Forced => Self { sign: "◇", ..Self::WARN },
            StateWord::Skipped => Self { sign: "»", ..Self::WARN },
            StateWord::Waiting => Self { sign: "○", ..Self::IDLE },
            StateWord::NotScheduled => Self { sign: "–", ..Self::IDLE },
        }
    }

    /// Of a change in its life.
    pub(super) fn of_stage(stage: Stage) -> Self {
        match stage {
            Stage::Draft | Stage::Created | Stage::Assigned => Self::IDLE,
            Stage::Written | Stage::Reviewed => Self { sign: "○", ..Self::IDLE },
            Stage::Approved | Stage::Scheduled => Self { sign: "○", ..Self::RUN },
            Stage::Executing => Self::RUN,
            Stage::Executed | Stage::FedBack | Stage::Closed => Self::WELL,
            Stage::Archived => Self { sign: "✓", ..Self::IDLE },
            Stage::Failed => Self::BAD,
            Stage::RolledBack => Self { sign: "↶", ..Self::WARN },
            Stage::InDoubt => Self::ODD,
            Stage::Returned | Stage::Withdrawn => Self { sign: "■", ..Self::WARN },
        }
    }

    /// Of a run: red when it failed or the limit is lost, amber when it ended late or is at risk.
    pub(super) fn of_run(result: Option<RunResult>, deadline: DeadlineState) -> Self {
        match (result, deadline) {
            (Some(RunResult::Failed | RunResult::Lost), _)
            | (None, DeadlineState::Overdue { .. }) => Self::BAD,
            (Some(RunResult::Stopped | RunResult::Cancelled), _)
            | (Some(RunResult::Well), DeadlineState::Missed { .. })
            | (None, DeadlineState::ExpectedMissed { .. } | DeadlineState::AtRisk { .. }) => {
                Self::WARN
            }
            (Some(RunResult::Well), _) => Self::WELL,
            (None, _) => Self::RUN,
        }
    }
}

struct Total {
    label: &'static str,
    number: u32,
    tone: Tone,
}

struct Trouble {
    name: String,
    title: String,
    state: &'static str,
    weight: &'static str,
    tone: Tone,
    what: String,
    blocks: String,
    attempts: Vec<String>,
    tail: Vec<String>,
    runbook: Option<String>,
}

struct Change {
    id: String,
    title: String,
    state: &'static str,
    good: bool,
    facts: Vec<(&'static str, String)>,
    why: Option<String>,
    checks: Vec<CheckRow>,
}

struct Job {
    name: String,
    title: String,
    state: &'static str,
    tone: Tone,
    on_path: bool,
    planned: String,
    started: String,
    ended: String,
    took: String,
    attempts: String,
    notes: Vec<String>,
}

/// The whole page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn page(lang: Lang, view: &ReportView) -> Result<String, askama::Error> {
    let head = &view.head;
    let clock = Clock::of_run(head);
    let title = head.title.get(lang);
    let rows = view.rows();
    let mut after_jobs = report_parts::after_jobs(lang, view);
    if !view.incidents.is_empty() {
        after_jobs.insert(0, report_parts::incidents(lang, view));
    }
    Page {
        lang,
        title: format!("{title} {} – {}", head.business_date, Label::ReportTitle.say(lang)),
        heading: format!("{title} {}", head.business_date),
        site: head.site.get(lang).to_owned(),
        tone: Tone::of_run(head.result, head.deadline()),
        verdict: phrase::verdict(lang, head, &view.totals),
        trial: head.trial.then(|| Verdict::Trial.say(lang)),
        signed: report_parts::signatures(lang, view),
        facts: facts(lang, head),
        totals: totals(lang, &view.totals).into_iter().map(total).collect(),
        troubles: Shortened::points(troubled(view)).map(|job| trouble(lang, &clock, view, job)),
        open: Shortened::points(view.open_points())
            .map(|point| phrase::open_point(lang, &clock, &point)),
        gantt: gantt::svg(lang, head, &view.jobs),
        legend: gantt::legend(lang),
        changes: view.changes.iter().map(|line| change(lang, line)).collect(),
        before_jobs: shortened(report_parts::before_jobs(lang, view)),
        left_out: rows_left_out(lang, head, &rows),
        jobs: rows.shown.iter().map(|line| job(lang, &clock, view, line)).collect(),
        after_jobs: shortened(after_jobs),
        inspections: view.inspections.iter().flat_map(|view| parts(lang, view)).collect(),
        journal_head: view.journal_head.clone(),
        generated_at: clock.full(view.generated_at),
    }
    .render()
    .map(|page| harmless(&page))
}

pub(super) fn shortened(parts: Vec<Part>) -> Vec<Part> {
    parts.into_iter().map(Part::shortened).collect()
}

fn total((label, word, number): (Label, &'static str, u32)) -> Total {
    let tone = match label {
        _ if number == 0 => Tone::IDLE,
        Label::OnTime => Tone::WELL,
        Label::Failed | Label::Blocked => Tone::BAD,
        Label::Unknown => Tone::ODD,
        Label::Running => Tone::RUN,
        Label::Waiting | Label::NotScheduled | Label::Retried => Tone::IDLE,
        _ => Tone::WARN,
    };
    Total { label: word, number, tone }
}

fn trouble(lang: Lang, clock: &Clock<'_>, view: &ReportView, job: &JobLine) -> Trouble {
    let weight = if job.critical { Label::Critical } else { Label::NotCritical };
    let what = phrase::trouble(lang, clock, &view.head, job);
    let several = job.attempts.len() > 1;
    let attempts = job.attempts.iter().filter(|_| several);
    Trouble {
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        state: Label::of_state(job.state.word()).say(lang),
        weight: weight.say(lang),
        tone: Tone::of_state(job.state.word(), job.critical),
        what,
        blocks: blocks(lang, job),
        attempts: attempts.map(|attempt| phrase::attempt(lang, clock, attempt)).collect(),
        tail: job.tail.clone(),
        runbook: job.runbook.as_ref().map(|runbook| runbook.get(lang).to_owned()),
    }
}

fn change(lang: Lang, change: &ChangeLine) -> Change {
    let word = |label: Label| label.say(lang);
    Change {
        id: change.id.to_string(),
        title: change.title.get(lang).to_owned(),
        state: Label::of_change(change.state).say(lang),
        good: change.state == Some(crate::wire::ChangeState::Done),
        facts: vec![
            (word(Label::Class), Label::of_class(change.class).say(lang).to_owned()),
            (word(Label::Target), change.target.to_string()),
            (word(Label::Job), change.job.to_string()),
            (word(Label::Reason), change.reason.get(lang).to_owned()),
            (word(Label::Rows), change.rows.to_string()),
            (word(Label::BackupRows), change.backup_rows.to_string()),
        ],
        why: change.why.clone(),
        checks: checks(change),
    }
}

fn job(lang: Lang, clock: &Clock<'_>, view: &ReportView, job: &JobLine) -> Job {
    let instant = |at: Option<_>| at.map(|at| clock.exactly(at)).unwrap_or_default();
    let planned = match (job.planned_start, job.planned_end) {
        (Some(from), Some(to)) => format!("{}–{}", clock.exactly(from), clock.exactly(to)),
        _ => String::new(),
    };
    let attempts = job.attempts.len();
    let length = phrase::duration(&view.head, job);
    Job {
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        state: Label::of_state(job.state.word()).say(lang),
        tone: Tone::of_state(job.state.word(), job.critical),
        on_path: job.on_critical_path,
        planned,
        started: instant(job.started),
        ended: instant(phrase::ended(job)),
        took: length.map(|length| took(lang, length)).unwrap_or_default(),
        attempts: if attempts > 0 { attempts.to_string() } else { String::new() },
        notes: phrase::remarks(lang, clock, &view.head, job),
    }
}
