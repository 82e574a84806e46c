//! The lists of the sign-off meetings: as text, and as a page to be printed and signed. No scripts, nothing loaded from
//! anywhere; the page is `templates/signoff.html`.

use std::fmt::Write as _;

use askama::Template;
use jiff::Timestamp;

use super::clock;
use super::mail::MailText;
use super::sectioned::{Section, Sectioned};
use super::table::{PAGE, Table, harmless, wrap};
use super::words::{ChangeWord, Label, Listed, aside, list, pair, remarks};
use crate::core::change::{Dropped, Signs, WeeklyNotice, WeeklyWhat};
use crate::definition::site::Site;
use crate::types::{Lang, Zone};
use crate::view::signoff::{
    DroppedLine, SignOffLine, SignOffList, SignOffPage, SignatureLine, SignedLine, WeeklyLine,
};

/// Everything as text.
pub fn text(lang: Lang, page: &SignOffPage) -> String {
    let mut out = String::new();
    let heading = pair(lang, &Listed::SignOff.say(lang), page.site.get(lang));
    let as_of = Listed::AsOf { at: &minute(&page.zone, page.now) }.say(lang);
    let _ = writeln!(out, "{heading}\n{}\n{as_of}", page.title.get(lang));
    for line in &page.weekly {
        push(&mut out, 0, &weekly(lang, &page.zone, line));
    }
    for of in &page.lists {
        let _ = writeln!(out, "\n{}", title(lang, of));
        for line in &of.weekly {
            push(&mut out, 2, &weekly(lang, &page.zone, line));
        }
        if of.changes.is_empty() {
            let _ = writeln!(out, "  {}", Listed::NoChange.say(lang));
        }
        for line in &of.changes {
            write_change(lang, &page.zone, line, &mut out);
        }
        if !of.dropped.is_empty() {
            let _ = writeln!(out, "  {}", Listed::DroppedOut.say(lang));
        }
        for line in &of.dropped {
            let text = pair(lang, line.change.as_str(), &reasons(lang, line));
            push(&mut out, 4, &text);
        }
    }
    out
}

/// What it is, and when it comes next.
pub(super) fn weekly(lang: Lang, zone: &Zone, line: &WeeklyLine) -> String {
    let at = |at: Timestamp| {
        let at = zone.tz().to_datetime(at);
        format!("{} {}", clock::day(lang, at.date()), clock::civil(at.time()))
    };
    let due = line.due.map(|due| Listed::Due { at: &at(due) }.say(lang));
    let meets = line.meets.map(|meets| Listed::Meets { at: &at(meets) }.say(lang));
    let posted = line.posted.map(|posted| Listed::Posted { at: &at(posted) }.say(lang));
    let times: Vec<String> = [due, meets, posted].into_iter().flatten().collect();
    pair(lang, line.title.get(lang), &list(lang, times))
}

fn push(out: &mut String, indent: usize, text: &str) {
    for line in wrap(text, PAGE - indent) {
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

fn write_change(lang: Lang, zone: &Zone, line: &SignOffLine, out: &mut String) {
    push(out, 2, &format!("{}  {}", line.line.id, line.line.title.get(lang)));
    let facts: Vec<String> = facts(lang, zone, line)
        .into_iter()
        .map(|(head, value)| pair(lang, &head, &value))
        .collect();
    push(out, 4, &list(lang, facts));
    if line.after_due {
        push(out, 4, &Listed::AfterDue.say(lang));
    }
    let mut table = Table::new(&["", "", ""], &[], 4);
    for signature in &line.signatures {
        let [what, role, signed] =
            signature_row((lang, zone), signature, &Listed::ToSign.say(lang));
        table.row(vec![what, role, signed]);
    }
    table.write(out);
}

pub(super) fn title(lang: Lang, of: &SignOffList) -> String {
    let environment = of.environment.as_str();
    match of.first {
        true => Listed::ReleasePlan { environment }.say(lang),
        false => Listed::ListOf { environment }.say(lang),
    }
}

fn minute(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn facts(lang: Lang, zone: &Zone, line: &SignOffLine) -> Vec<(String, String)> {
    let of = &line.line;
    let window = line.place.window;
    let window =
        window.map(|(opens, closes)| format!("{} - {}", minute(zone, opens), minute(zone, closes)));
    let state = line.place.state.map(|state| Label::of_change(Some(state)).say(lang).to_owned());
    [
        (ChangeWord::Class, of.class.map(|class| Label::of_class(class).say(lang).to_owned())),
        (ChangeWord::Team, of.team.as_ref().map(ToString::to_string)),
        (ChangeWord::Requester, of.requester.as_ref().map(|who| who.name.get(lang).to_owned())),
        (ChangeWord::Ticket, of.ticket.clone()),
        (ChangeWord::Target, Some(line.place.target.to_string())),
        (ChangeWord::Window, window),
        (ChangeWord::Stage, Some(super::change::stage(lang, of.stage))),
        (ChangeWord::Outcome, state),
    ]
    .into_iter()
    .filter_map(|(head, value)| Some((head.say(lang), value?)))
    .collect()
}

/// What is signed, by which role, and who has; `open` for each who has not.
pub(super) fn signature_row(
    (lang, zone): (Lang, &Zone),
    signature: &SignatureLine,
    open: &str,
) -> [String; 3] {
    let what = match (&signature.signs, &signature.title) {
        (Signs::Review, _) => Listed::Review.say(lang),
        (Signs::Approval, _) => Listed::Approval.say(lang),
        (Signs::Item { item }, None) => item.to_string(),
        (Signs::Item { .. }, Some(title)) => title.get(lang).to_owned(),
    };
    let signed = |line: &SignedLine| aside(lang, line.by.name.get(lang), &minute(zone, line.at));
    let people = usize::try_from(signature.people).unwrap_or(usize::MAX);
    let left = people.saturating_sub(signature.signed.len());
    let blank = std::iter::repeat_n(open.to_owned(), left);
    let names: Vec<String> = signature.signed.iter().map(signed).chain(blank).collect();
    [what, signature.role.to_string(), list(lang, names)]
}

pub(super) fn reasons(lang: Lang, line: &DroppedLine) -> String {
    let said = line.reasons.iter().map(|reason| match reason {
        Dropped::NotApproved { environment } => Listed::NotApproved { environment }.say(lang),
        Dropped::NotExecuted { environment } => Listed::NotExecuted { environment }.say(lang),
        Dropped::NotVerified { environment, state } => {
            let state = Label::of_change(Some(*state)).say(lang);
            Listed::NotVerified { environment, state }.say(lang)
        }
        Dropped::OtherScripts { environment } => Listed::OtherScripts { environment }.say(lang),
        Dropped::NotRehearsed { environment } => Listed::NotRehearsed { environment }.say(lang),
    });
    list(lang, said.collect::<Vec<_>>())
}

/// The mail of a list or a plan of the week; `page`: with the list that it is about.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(
    lang: Lang,
    site: &Site,
    told: &WeeklyNotice,
    page: Option<&SignOffPage>,
) -> Result<MailText, askama::Error> {
    let zone = site.change_rules.as_ref().map_or(&site.zone, |rules| &rules.zone);
    let at = zone.tz().to_datetime(told.at);
    let at = &format!("{} {}", clock::day(lang, at.date()), clock::civil(at.time()));
    let (title, lead) = match told.what {
        WeeklyWhat::Posted => (Listed::PostedNow.say(lang), Listed::PostedLead { at }.say(lang)),
        WeeklyWhat::Reminded => {
            (Listed::DueSoon { at }.say(lang), Listed::DueLead { at }.say(lang))
        }
    };
    let mut sections = Vec::new();
    for of in page.into_iter().flat_map(|page| &page.lists) {
        let lines = of.changes.iter().map(|line| entry_line(lang, zone, line));
        let none = of.changes.is_empty().then(|| Listed::NoChange.say(lang));
        sections.push(Section::new(self::title(lang, of), lines.chain(none)));
        let dropped = of.dropped.iter().map(|line| {
            pair(lang, &format!("{}  {}", line.change, line.title.get(lang)), &reasons(lang, line))
        });
        sections.push(Section::new(Listed::DroppedOut.say(lang), dropped));
    }
    let command = told.list.as_ref().map(|list| {
        (
            Listed::Printed.say(lang),
            format!("nightrun change lists --environment {list} --html lists.html"),
        )
    });
    Sectioned {
        lang,
        mark: "",
        good: true,
        title: pair(lang, told.title.get(lang), &title),
        lead,
        facts: Vec::new(),
        sections,
        commands: command.into_iter().collect(),
        site: site.title.get(lang).to_owned(),
    }
    .mail()
}

/// A change with what is still to be signed.
fn entry_line(lang: Lang, zone: &Zone, line: &SignOffLine) -> String {
    let mut told: Vec<String> = facts(lang, zone, line)
        .into_iter()
        .map(|(head, value)| pair(lang, &head, &value))
        .collect();
    told.extend(line.after_due.then(|| Listed::AfterDue.say(lang)));
    let open = line.signatures.iter().filter(|of| (of.signed.len() as u64) < u64::from(of.people));
    let open: Vec<String> = open
        .map(|of| {
            let [what, role, _] = signature_row((lang, zone), of, &Listed::ToSign.say(lang));
            aside(lang, &what, &role)
        })
        .collect();
    if !open.is_empty() {
        told.push(pair(lang, &Listed::Unsigned.say(lang), &list(lang, open)));
    }
    pair(lang, &format!("{}  {}", line.line.id, line.line.title.get(lang)), &remarks(lang, &told))
}

#[derive(Template)]
#[template(path = "signoff.html")]
struct Page {
    lang: Lang,
    heading: String,
    site: String,
    rules: String,
    as_of: String,
    weekly: Vec<String>,
    lists: Vec<Sheet>,
}

struct Sheet {
    title: String,
    weekly: Vec<String>,
    changes: Vec<Entry>,
    /// Change, title, why.
    dropped: Vec<[String; 3]>,
}

struct Entry {
    id: String,
    title: String,
    facts: Vec<(String, String)>,
    after_due: bool,
    signatures: Vec<[String; 3]>,
}

impl Page {
    fn word(&self, word: Listed<'_>) -> String {
        word.say(self.lang)
    }

    fn of_change(&self, word: ChangeWord<'_>) -> String {
        word.say(self.lang)
    }
}

/// The page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn html(lang: Lang, page: &SignOffPage) -> Result<String, askama::Error> {
    let entry = |line: &SignOffLine| Entry {
        id: line.line.id.to_string(),
        title: line.line.title.get(lang).to_owned(),
        facts: facts(lang, &page.zone, line),
        after_due: line.after_due,
        signatures: line
            .signatures
            .iter()
            .map(|s| signature_row((lang, &page.zone), s, &Listed::ToSign.say(lang)))
            .collect(),
    };
    let dropped = |line: &DroppedLine| {
        [line.change.to_string(), line.title.get(lang).to_owned(), reasons(lang, line)]
    };
    let sheet = |of: &SignOffList| Sheet {
        title: title(lang, of),
        weekly: of.weekly.iter().map(|line| weekly(lang, &page.zone, line)).collect(),
        changes: of.changes.iter().map(entry).collect(),
        dropped: of.dropped.iter().map(dropped).collect(),
    };
    let page = Page {
        lang,
        heading: Listed::SignOff.say(lang),
        site: page.site.get(lang).to_owned(),
        rules: page.title.get(lang).to_owned(),
        as_of: Listed::AsOf { at: &minute(&page.zone, page.now) }.say(lang),
        weekly: page.weekly.iter().map(|line| weekly(lang, &page.zone, line)).collect(),
        lists: page.lists.iter().map(sheet).collect(),
    };
    page.render().map(|page| harmless(&page))
}

#[cfg(test)]
#[path = "signoff_tests.rs"]
mod tests;
