//! The mails about an incident (事件): its first, those that follow while nobody answers or a limit comes near, and the
//! one that says it is over. All of them are one thread, and each has what its reader must know at 03:00.

use std::fmt::Write as _;

use askama::Template;

use super::clock::Clock;
use super::incident_part::{Part, clock};
use super::incident_words::{about, clock_name, headline, over, room_name};
use super::mail::{MailText, Reader, header, trial_mark};
use super::table::{PAGE, Table, harmless, one_line, wrap};
use super::webhook::Brief;
use super::words::{Drills, Fault, Incidents, Label, list, pair};
use crate::core::incident::{Fault as What, IncidentStep, Telling};
use crate::core::night::Notice;
use crate::types::{ClockKind, IncidentKind, Lang};
use crate::view::incident::{IncidentMail, IncidentView};

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
    // Before the grade, which rules of mail programs go by: nobody takes it for the real thing.
    let mark = match incident.kind {
        IncidentKind::Drill => format!("{} {mark}", Drills::Mark.say(lang)),
        _ => mark,
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

#[derive(Template)]
#[template(path = "incident_mail.html")]
struct Page {
    over: bool,
    /// Why it comes, where it is not the first.
    preface: Vec<String>,
    /// Where a browser shows it.
    page: Option<String>,
    part: Part,
    told: String,
}

impl Page {
    fn of(lang: Lang, view: &IncidentMail, notice: &Notice, to: Reader<'_>) -> Self {
        Self {
            over: *notice == Notice::Closed,
            preface: preface(lang, &clock(view), &view.incident, notice),
            page: view.incident.page.clone(),
            part: Part::of(lang, view),
            told: told(lang, &view.incident, to),
        }
    }

    /// What stands on the button that leads there.
    fn invites(&self) -> String {
        match self.part.is_open {
            true => Incidents::Answer.say(self.part.lang),
            false => Incidents::OpenPage.say(self.part.lang),
        }
    }

    /// What the page is for: to answer, or to read on.
    fn leads_to(&self, url: &str) -> String {
        match self.part.is_open {
            true => Incidents::AnswerOnPage { url }.say(self.part.lang),
            false => Incidents::OnPage { url }.say(self.part.lang),
        }
    }

    /// The same in short, for a chat.
    fn brief(&self, subject: &str, view: &IncidentMail, notice: &Notice) -> Brief {
        let part = &self.part;
        let lines = self.preface.iter().chain([&part.lead]).chain(&part.trial).chain(&part.facts);
        let lines = lines.chain([&part.limit, &part.blocks]).chain(&part.clocks).cloned();
        let page = self.page.iter().map(|url| self.leads_to(url));
        let commands = part.commands.iter().map(|(what, command)| pair(part.lang, what, command));
        let output = part.job.iter().flat_map(|job| &job.tail).cloned();
        let mut about =
            serde_json::json!({ "notice": word(notice), "incident": view.incident.line });
        if let Some(url) = &self.page {
            about["page"] = url.as_str().into();
        }
        Brief {
            title: subject.to_owned(),
            lines: lines.collect(),
            output: output.collect(),
            after: page.chain(commands).chain([self.told.clone()]).collect(),
            about,
        }
    }

    fn text(&self) -> String {
        let part = &self.part;
        let mut out = String::new();
        let mut push = |indent: usize, text: &str| {
            for line in text.lines().flat_map(|line| wrap(&one_line(line), PAGE - indent)) {
                let _ = writeln!(out, "{:indent$}{line}", "");
            }
        };
        self.preface.iter().for_each(|line| push(0, line));
        push(0, &part.lead);
        part.trial.iter().for_each(|trial| push(0, trial));
        part.facts.iter().for_each(|fact| push(0, fact));
        push(0, &part.limit);
        push(0, &part.blocks);
        for attempt in part.job.iter().flat_map(|job| &job.attempts) {
            push(2, attempt);
        }
        if !part.clocks.is_empty() {
            push(0, &format!("\n{}", part.heading()));
            part.clocks.iter().for_each(|clock| push(2, clock));
        }
        if let Some(url) = &self.page {
            // An address is not broken into lines.
            let _ = writeln!(out, "\n{}", self.leads_to(url));
        }
        if let Some(job) = &part.job {
            job.write(part.lang, &mut out);
        }
        let _ = writeln!(out, "\n{}", Label::YouCan.say(part.lang));
        for (what, command) in &part.commands {
            let _ = writeln!(out, "  {}", pair(part.lang, what, "").trim_end());
            let _ = writeln!(out, "      {command}");
        }
        if !part.blocked.is_empty() {
            let _ = writeln!(out, "\n{}", Label::Blocks.say(part.lang));
            let mut table = Table::new(&["", ""], &[], 2);
            for (name, title) in &part.blocked {
                table.row(vec![name.clone(), title.clone()]);
            }
            table.write(&mut out);
        }
        let _ = writeln!(out, "\n{}", self.told);
        out
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
    fn the_only_address_in_a_mail_is_that_of_its_page_where_there_is_one() {
        let to = PersonId::new("li-wei").unwrap();
        for page in [Some("https://night.bank.example/incidents/INC-3".to_owned()), None] {
            let mut view = fault();
            view.incident.page.clone_from(&page);
            for notice in [Notice::Opened, Notice::Closed] {
                let mail = mail(Lang::Zh, &view, &notice, Reader::Person(&to)).unwrap();
                let count = usize::from(page.is_some());
                let url = page.as_deref().unwrap_or("https://night");
                assert_eq!(mail.html.matches("http").count(), count, "{}", mail.html);
                assert_eq!(mail.html.matches(&format!("href=\"{url}\"")).count(), count);
                assert_eq!(mail.text.matches("http").count(), count, "{}", mail.text);
                assert_eq!(mail.brief.after.concat().matches(url).count(), count);
            }
        }
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
