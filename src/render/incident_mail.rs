//! The mails about an incident (事件): its first, those that follow while nobody answers or a limit comes near, and the
//! one that says it is over. All of them are one thread, and each has what its reader must know at 03:00.

use std::fmt::Write as _;

use askama::Template;

use super::clock::{Clock, took};
use super::command::{Verb, on_changes, on_incident, on_job, status};
use super::incident_words::{
    about, clock_name, headline, limit as clock_limit, meaning, room_name,
};
use super::mail::{MailText, Reader, header, trial_mark};
use super::phrase;
use super::table::{PAGE, Table, harmless, one_line, wrap};
use super::webhook::Brief;
use super::why::{Place, sentence};
use super::words::{Fault, Incidents, Label, Verdict, list, pair, paragraph};
use crate::core::incident::{Fault as What, IncidentStep, Telling};
use crate::core::night::Notice;
use crate::types::{ClockKind, Lang};
use crate::view::incident::{IncidentMail, IncidentView};
use crate::view::job::{JobLine, JobState};
use crate::view::run::{DeadlineState, RunHead};
use crate::view::why::Reason;

/// The mail as one of its readers gets it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(
    lang: Lang,
    view: &IncidentMail,
    notice: &Notice,
    to: Reader<'_>,
) -> Result<MailText, askama::Error> {
    let page = Page::of(lang, view, notice, to);
    let incident = &view.incident.line;
    let mark = match notice {
        Notice::Closed => "OK".to_owned(),
        _ => incident.severity.name().to_uppercase(),
    };
    let trial = view.head.as_ref().map(|head| trial_mark(head, lang)).unwrap_or_default();
    let subject = format!("[{mark}] {}{trial} {}", incident.id, subject(lang, view));
    let subject = header(&subject);
    Ok(MailText {
        text: harmless(&page.text()),
        html: harmless(&page.render()?),
        brief: page.brief(&subject, view, notice),
        subject,
    })
}

/// Why it comes, for programs.
fn word(notice: &Notice) -> &'static str {
    match notice {
        Notice::Opened => "opened",
        Notice::Told { why: Telling::Step } => "step",
        Notice::Told { why: Telling::Reminder } => "reminder",
        Notice::Warned { .. } => "warned",
        Notice::Breached { .. } => "breached",
        Notice::Acknowledged => "acknowledged",
        Notice::Closed => "closed",
    }
}

/// The same in every mail of the thread, so that it holds together.
fn subject(lang: Lang, view: &IncidentMail) -> String {
    let line = &view.incident.line;
    let what = about(line.run.as_ref().map(|run| &run.batch), line.job.as_ref());
    let date = view.head.as_ref().map(|head| head.business_date.to_string());
    let (job, date) = (&what, date.as_deref());
    match (&line.fault, date) {
        (What::Failed, Some(date)) => Fault::Subject { job, date }.say(lang),
        (What::Waits, Some(date)) => Fault::SubjectWaits { job, date }.say(lang),
        (fault, Some(date)) => {
            super::words::aside(lang, &headline(lang, &clock(view), &what, fault), date)
        }
        (fault, None) => headline(lang, &clock(view), &what, fault),
    }
}

fn clock(view: &IncidentMail) -> Clock<'_> {
    match &view.head {
        Some(head) => Clock::of_run(head),
        None => Clock::new(&view.incident.zone, view.incident.line.opened),
    }
}

#[derive(Template)]
#[template(path = "incident_mail.html")]
struct Page {
    lang: Lang,
    title: String,
    over: bool,
    /// Why it comes, where it is not the first.
    preface: Vec<String>,
    lead: String,
    trial: Option<String>,
    /// How it ended, what it means.
    facts: Vec<String>,
    limit: String,
    blocks: String,
    blocked: Vec<(String, String)>,
    clocks: Vec<String>,
    /// Of a job: its attempts, the end of its output, what to do.
    job: Option<JobPart>,
    commands: Vec<(String, String)>,
    told: String,
}

struct JobPart {
    attempts: Vec<String>,
    tail: Vec<String>,
    runbook: String,
}

impl Page {
    fn of(lang: Lang, view: &IncidentMail, notice: &Notice, to: Reader<'_>) -> Self {
        let clock = clock(view);
        let line = &view.incident.line;
        let what = about(line.run.as_ref().map(|run| &run.batch), line.job.as_ref());
        let (lead, ending) = lead(lang, &clock, view, &what);
        let facts = ending.into_iter().chain(meaning(lang, &view.incident));
        Self {
            lang,
            title: format!("{} {}", line.id, what.replace(' ', ".")).trim_end().to_owned(),
            over: *notice == Notice::Closed,
            preface: preface(lang, &clock, &view.incident, notice),
            lead,
            trial: view.head.as_ref().filter(|h| h.trial).map(|_| Verdict::Trial.say(lang)),
            facts: facts.collect(),
            limit: view.head.as_ref().map(|head| limit(lang, &clock, head)).unwrap_or_default(),
            blocks: view.head.as_ref().map(|_| blocks(lang, view)).unwrap_or_default(),
            blocked: view
                .blocks
                .iter()
                .map(|job| (job.name.to_string(), job.title.get(lang).to_owned()))
                .collect(),
            clocks: view.incident.clocks.iter().map(|c| clock_limit(lang, &clock, c)).collect(),
            job: view.job.as_ref().map(|job| job_part(lang, &clock, job)),
            commands: commands(lang, view),
            told: told(lang, &view.incident, to),
        }
    }

    /// The same in short, for a chat.
    fn brief(&self, subject: &str, view: &IncidentMail, notice: &Notice) -> Brief {
        let lines = self.preface.iter().chain([&self.lead]).chain(&self.trial).chain(&self.facts);
        let lines = lines.chain([&self.limit, &self.blocks]).chain(&self.clocks).cloned();
        let commands = self.commands.iter().map(|(what, command)| pair(self.lang, what, command));
        let output = self.job.iter().flat_map(|job| &job.tail).cloned();
        Brief {
            title: subject.to_owned(),
            lines: lines.collect(),
            output: output.collect(),
            after: commands.chain([self.told.clone()]).collect(),
            about: serde_json::json!({ "notice": word(notice), "incident": view.incident.line }),
        }
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }

    fn heading(&self) -> String {
        Incidents::HeadClocks.say(self.lang)
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut push = |indent: usize, text: &str| {
            for line in text.lines().flat_map(|line| wrap(&one_line(line), PAGE - indent)) {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        };
        self.preface.iter().for_each(|line| push(0, line));
        push(0, &self.lead);
        self.trial.iter().for_each(|trial| push(0, trial));
        self.facts.iter().for_each(|fact| push(0, fact));
        push(0, &self.limit);
        push(0, &self.blocks);
        for attempt in self.job.iter().flat_map(|job| &job.attempts) {
            push(2, attempt);
        }
        if !self.clocks.is_empty() {
            push(0, &format!("\n{}", self.heading()));
            self.clocks.iter().for_each(|clock| push(2, clock));
        }
        if let Some(job) = &self.job {
            job.write(self.lang, &mut out);
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

impl JobPart {
    fn write(&self, lang: Lang, out: &mut String) {
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

fn preface(lang: Lang, clock: &Clock<'_>, view: &IncidentView, notice: &Notice) -> Vec<String> {
    let since = &clock.full(view.line.opened);
    let clocks = |kinds: &[ClockKind], say: &dyn Fn(&str, &str) -> String| {
        let named = view.clocks.iter().filter(|clock| kinds.contains(&clock.kind));
        named
            .map(|line| say(&clock_name(lang, line.kind), &clock.full(line.due)))
            .collect::<Vec<String>>()
    };
    match notice {
        Notice::Opened => Vec::new(),
        Notice::Told { why: Telling::Step } => {
            vec![Incidents::YourTurn { since }.say(lang)]
        }
        Notice::Told { why: Telling::Reminder } => vec![Incidents::StillOpen { since }.say(lang)],
        Notice::Warned { clocks: kinds } => {
            clocks(kinds, &|clock, due| Incidents::Near { clock, due }.say(lang))
        }
        Notice::Breached { clocks: kinds } => {
            clocks(kinds, &|clock, due| Incidents::Passed { clock, due }.say(lang))
        }
        Notice::Acknowledged => {
            let who = view.line.owner.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
            let taken = view.steps.iter().rev().find(|line| {
                matches!(line.step, IncidentStep::Acknowledged | IncidentStep::TakenOver)
            });
            let last = taken.map_or(view.line.opened, |step| step.at);
            vec![Incidents::TakenBy { who, at: &clock.full(last) }.say(lang)]
        }
        Notice::Closed => vec![over(lang, clock, view)],
    }
}

fn over(lang: Lang, clock: &Clock<'_>, view: &IncidentView) -> String {
    let resolved = view.steps.iter().find_map(|line| match &line.step {
        IncidentStep::Resolved { cause, measure } => Some((line, cause, measure)),
        _ => None,
    });
    match resolved {
        Some((line, cause, measure)) => {
            let who = line.by.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
            Incidents::ResolvedBy { who, at: &clock.full(line.at), cause, measure }.say(lang)
        }
        None => {
            let at = &clock.full(view.line.closed.unwrap_or(view.line.opened));
            Incidents::Over { at }.say(lang)
        }
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
        commands.extend(on_the_job(lang, head, job));
    }
    commands.push((Incidents::CanShow.say(lang), on_incident("show", line.id)));
    commands.push((Fault::CanSee.say(lang), status()));
    commands
}

fn on_the_job(lang: Lang, head: &RunHead, job: &JobLine) -> Vec<(String, String)> {
    let on = |verb| on_job(verb, &head.batch, &job.name, head.business_date);
    if let JobState::Waiting { .. } = job.state {
        let (batch, date) = (&head.batch, head.business_date);
        return vec![
            (Fault::CanReleaseChanges.say(lang), on_changes("release", batch, date)),
            (Fault::CanWatchChanges.say(lang), on_changes("watch", batch, date)),
            (Fault::CanSkip.say(lang), on(Verb::Skip)),
        ];
    }
    vec![
        (Fault::CanRead.say(lang), on(Verb::Log)),
        (Fault::CanRetry.say(lang), on(Verb::Retry)),
        (Fault::CanForce.say(lang), on(Verb::Force)),
        (Fault::CanSkip.say(lang), on(Verb::Skip)),
    ]
}

fn told(lang: Lang, view: &IncidentView, to: Reader<'_>) -> String {
    let people = view.line.told.iter().filter(|who| to != Reader::Person(&who.id));
    let rooms = view.line.rooms.iter().filter(|room| to != Reader::Room(room));
    let people = people.map(|who| who.name.get(lang).to_owned());
    let others = list(lang, people.chain(rooms.map(|room| room_name(lang, room))));
    if others.is_empty() {
        Fault::ToldOnlyYou.say(lang)
    } else {
        Fault::AlsoTold { list: &others }.say(lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{fault, in_both, worked_on};
    use crate::types::PersonId;

    fn mail_in(view: &IncidentMail, lang: Lang, notice: &Notice) -> String {
        let to = PersonId::new("li-wei").unwrap();
        let mail = mail(lang, view, notice, Reader::Person(&to)).unwrap();
        assert!(!mail.subject.contains('\n'), "{lang:?}");
        format!("Subject: {}\n\n{}", mail.subject, mail.text)
    }

    #[test]
    fn the_first_mail_of_a_failure() {
        insta::assert_snapshot!(in_both(|lang| mail_in(&fault(), lang, &Notice::Opened)));
    }

    #[test]
    fn the_mails_that_follow_say_first_why_they_come() {
        let notices = [
            Notice::Told { why: Telling::Step },
            Notice::Told { why: Telling::Reminder },
            Notice::Warned { clocks: vec![ClockKind::Response] },
            Notice::Breached { clocks: vec![ClockKind::Response] },
            Notice::Acknowledged,
            Notice::Closed,
        ];
        let head = |lang| {
            let view = IncidentMail { incident: worked_on(), ..fault() };
            let mails = notices.iter().map(|notice| mail_in(&view, lang, notice));
            mails
                .map(|mail| mail.lines().take(3).collect::<Vec<_>>().join("\n"))
                .collect::<Vec<_>>()
        };
        insta::assert_snapshot!(in_both(|lang| head(lang).join("\n\n")));
    }
}
