//! What mails and the page of an incident both show: what happened, what it means for the night, what can be done.

use std::fmt::Write as _;

use super::clock::{Clock, took};
use super::command::{Verb, decide, on_changes, on_incident, on_job, on_jobs, status};
use super::incident_words::{about, headline, limit as clock_limit, meaning};
use super::phrase;
use super::table::{PAGE, one_line, wrap};
use super::why::{Place, sentence};
use super::words::{Fault, Incidents, Label, Verdict, list, paragraph};
use crate::core::change::HalfDone;
use crate::core::containment::{Decision, Found, Offer};
use crate::core::incident::Fault as What;
use crate::core::select::Deed;
use crate::types::{IncidentId, Lang};
use crate::view::incident::{IncidentMail, IncidentView};
use crate::view::job::{JobLine, JobState};
use crate::view::run::{DeadlineState, RunHead};
use crate::view::why::Reason;

pub(super) fn clock(view: &IncidentMail) -> Clock<'_> {
    match &view.head {
        Some(head) => Clock::of_run(head),
        None => Clock::new(&view.incident.zone, view.incident.line.opened),
    }
}

pub(super) struct Part {
    pub(super) lang: Lang,
    pub(super) id: IncidentId,
    pub(super) title: String,
    pub(super) is_open: bool,
    pub(super) lead: String,
    pub(super) trial: Option<String>,
    /// How it ended, what it means.
    pub(super) facts: Vec<String>,
    pub(super) limit: String,
    pub(super) blocks: String,
    pub(super) blocked: Vec<(String, String)>,
    pub(super) clocks: Vec<String>,
    /// Of a job: its attempts, the end of its output, what to do.
    pub(super) job: Option<JobPart>,
    pub(super) commands: Vec<(String, String)>,
}

pub(super) struct JobPart {
    pub(super) attempts: Vec<String>,
    pub(super) tail: Vec<String>,
    pub(super) runbook: String,
}

impl Part {
    pub(super) fn of(lang: Lang, view: &IncidentMail) -> Self {
        let clock = clock(view);
        let line = &view.incident.line;
        let what = about(line.run.as_ref().map(|run| &run.batch), line.job.as_ref());
        let (lead, ending) = lead(lang, &clock, view, &what);
        let facts = ending.into_iter().chain(meaning(lang, &view.incident));
        let blocked = view.blocks.iter();
        let blocked = blocked.map(|job| (job.name.to_string(), job.title.get(lang).to_owned()));
        Self {
            lang,
            id: line.id,
            title: format!("{} {}", line.id, what.replace(' ', ".")).trim_end().to_owned(),
            is_open: line.closed.is_none(),
            lead,
            trial: view.head.as_ref().filter(|h| h.trial).map(|_| Verdict::Trial.say(lang)),
            facts: facts.collect(),
            limit: view.head.as_ref().map(|head| limit(lang, &clock, head)).unwrap_or_default(),
            blocks: view.head.as_ref().map(|_| blocks(lang, view)).unwrap_or_default(),
            blocked: blocked.collect(),
            clocks: view.incident.clocks.iter().map(|c| clock_limit(lang, &clock, c)).collect(),
            job: view.job.as_ref().map(|job| job_part(lang, &clock, job)),
            commands: commands(lang, view),
        }
    }

    pub(super) fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }

    pub(super) fn heading(&self) -> String {
        Incidents::HeadClocks.say(self.lang)
    }
}

impl JobPart {
    pub(super) fn write(&self, lang: Lang, out: &mut String) {
        let _ = writeln!(out, "\n{}", Label::LastOutput.say(lang));
        if self.tail.is_empty() {
            let _ = writeln!(out, "  {}", Label::NoOutput.say(lang));
        }
        for line in &self.tail {
            let _ = writeln!(out, "  | {}", one_line(line));
        }
        let _ = writeln!(out, "\n{}", Label::Runbook.say(lang));
        for line in self.runbook.lines().flat_map(|line| wrap(line, PAGE - 2)) {
            let _ = writeln!(out, "  {line}");
        }
    }
}

fn job_part(lang: Lang, clock: &Clock<'_>, job: &JobLine) -> JobPart {
    let runbook = job.runbook.as_ref().map(|runbook| runbook.get(lang).to_owned());
    JobPart {
        attempts: job.attempts.iter().map(|line| phrase::attempt(lang, clock, line)).collect(),
        tail: job.tail.clone(),
        runbook: runbook.unwrap_or_else(|| Fault::NoRunbook.say(lang)),
    }
}

/// What happened, and how it ended where something has.
fn lead(
    lang: Lang,
    clock: &Clock<'_>,
    view: &IncidentMail,
    what: &str,
) -> (String, Option<String>) {
    let fault = &view.incident.line.fault;
    let (Some(head), Some(line)) = (&view.head, &view.job) else {
        return (said(lang, headline(lang, clock, what, fault)), None);
    };
    let ended = line.last_failed().and_then(|last| last.ended).or(line.ended);
    let (job, title) = (line.name.as_str(), line.title.get(lang));
    let (batch, date) = (head.title.get(lang), &head.business_date.to_string());
    let at = &clock.full(ended.unwrap_or(view.incident.line.opened));
    match (fault, &line.state) {
        (What::Waits, JobState::Waiting { reasons }) => (
            Fault::LeadWaits { job, title, batch, date, at }.say(lang),
            Some(waits_for(lang, clock, head, line, reasons)),
        ),
        (What::InDoubt, _) => (
            Fault::LeadInDoubt { job, title, batch, date, at }.say(lang),
            Some(how_it_ended(lang, line)),
        ),
        (What::Failed, _) => {
            (Fault::Lead { job, title, batch, date, at }.say(lang), Some(how_it_ended(lang, line)))
        }
        (fault, _) => (said(lang, headline(lang, clock, what, fault)), None),
    }
}

/// A headline as a sentence; a title that somebody has written may end as one.
fn said(lang: Lang, headline: String) -> String {
    match headline.ends_with(['.', '。', '!', '?']) {
        true => headline,
        false => super::words::sentence(lang, &[headline]),
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

fn blocks(lang: Lang, view: &IncidentMail) -> String {
    if view.blocks.is_empty() {
        return Fault::BlocksNothing.say(lang);
    }
    let count = u32::try_from(view.blocks.len()).unwrap_or(u32::MAX);
    let names = list(lang, view.blocks.iter().map(|job| &job.name));
    Fault::Blocks { count, list: &names }.say(lang)
}

fn commands(lang: Lang, view: &IncidentMail) -> Vec<(String, String)> {
    let line = &view.incident.line;
    let mut commands = Vec::new();
    if line.closed.is_none() && line.owner.is_none() {
        commands.push((Incidents::CanAck.say(lang), on_incident("ack", line.id)));
    }
    if line.closed.is_none()
        && let (Some(head), Some(job)) = (&view.head, &view.job)
    {
        if !job.attempts.is_empty() {
            let log = on_job(Verb::Log, &head.batch, &job.name, head.business_date);
            commands.push((Fault::CanRead.say(lang), log));
        }
        commands.extend(offered(lang, &view.incident));
    }
    commands.push((Incidents::CanShow.say(lang), on_incident("show", line.id)));
    commands.push((Fault::CanSee.say(lang), status()));
    commands
}

/// What the incident offers to do first, each with the command that does it.
pub(super) fn offered(lang: Lang, view: &IncidentView) -> Vec<(String, String)> {
    let (Some(run), Some(date)) = (&view.line.run, view.business_date) else { return Vec::new() };
    let batch = &run.batch;
    let offer = |offer: &Offer| match offer {
        Offer::Decide { change, decision } => {
            let (words, word) = decided(*decision);
            Some((words.say(lang), decide(change, word)))
        }
        Offer::Act { jobs: None, action } => {
            let (words, verb) = match action {
                Deed::ReleaseChanges { .. } => (Fault::CanReleaseChanges, "release"),
                Deed::WatchChanges => (Fault::CanWatchChanges, "watch"),
                _ => return None,
            };
            Some((words.say(lang), on_changes(verb, batch, date)))
        }
        Offer::Act { jobs: Some(jobs), action } => {
            let (words, verb) = match action {
                Deed::Retry => (Fault::CanRetry, Verb::Retry),
                Deed::Kill => (Fault::CanKill, Verb::Kill),
                Deed::Skip => (Fault::CanSkip, Verb::Skip),
                Deed::Force => (Fault::CanForce, Verb::Force),
                Deed::Hold => (Fault::CanHold, Verb::Hold),
                Deed::Release => (Fault::CanRelease, Verb::Release),
                _ => return None,
            };
            Some((words.say(lang), on_jobs(verb, batch, jobs, date)))
        }
    };
    view.offers.iter().filter_map(offer).collect()
}

fn decided(decision: Decision) -> (Fault<'static>, &'static str) {
    match decision {
        Decision::Found(Found::Applied) => (Fault::CanSayApplied, "applied"),
        Decision::Found(Found::NotApplied) => (Fault::CanSayNotApplied, "not-applied"),
        Decision::HalfDone(HalfDone::RollBack) => (Fault::CanRollBack, "roll-back"),
        Decision::HalfDone(HalfDone::Continue) => (Fault::CanContinue, "continue"),
        Decision::HalfDone(HalfDone::Accept) => (Fault::CanAccept, "accept"),
    }
}
