//! The night as it stands: is it well, what is red, will it be done in time, who has been told.

use askama::Template;
use jiff::SignedDuration;

use super::{in_query, of_job, of_run};
use crate::render::clock::{Clock, took};
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::words::{HandOvers, Incidents, Label, Pages, Verdict, list, pair};
use crate::render::{gantt, incident, phrase, standing, status};
use crate::types::{Lang, TeamName};
use crate::view::incident::IncidentLine;
use crate::view::job::{JobLine, StateWord};
use crate::view::night_rows::{Group, Rows, Wanted, rows};
use crate::view::roster::{RosterView, ShiftLine};
use crate::view::run::Totals;
use crate::view::status::{StatusPage, StatusView};

/// A run of so many jobs shows its drawing at once; that of a larger one is opened.
const DRAWN_AT_ONCE: usize = 80;
/// Units that the bar of a run's progress is wide.
const BAR: u64 = 1_000;

#[derive(Template)]
#[template(path = "pages/tonight.html")]
struct Night {
    lang: Lang,
    up: String,
    /// What keeps the supervisor from going on.
    trouble: Option<String>,
    heading: String,
    /// It is a page of one run.
    of_run: bool,
    quiet: bool,
    runs: Vec<Run>,
    incidents: Vec<Incident>,
    shifts: Vec<Shift>,
    next_shift: Option<String>,
    hands_over: bool,
    starts: Vec<(String, String)>,
    groups: Vec<GroupLink>,
    group: &'static str,
    text: String,
    batches: Vec<Choice>,
    teams: Vec<Choice>,
    jobs: Vec<Job>,
    several: bool,
    pages: Option<(String, Option<String>, Option<String>)>,
}

impl Night {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn word(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

struct Run {
    id: String,
    place: String,
    title: String,
    date: String,
    tone: Tone,
    verdict: String,
    notes: Vec<String>,
    over: String,
    /// Class, begin and width of each part of the bar.
    bar: Vec<(&'static str, u64, u64)>,
    drawing: Option<String>,
    drawn: bool,
}

struct Incident {
    id: String,
    headline: String,
    severity: &'static str,
    since: String,
    owner: Option<String>,
    told: String,
}

pub(super) struct Shift {
    pub(super) title: String,
    pub(super) until: String,
    pub(super) people: Vec<String>,
}

struct GroupLink {
    words: String,
    place: String,
    count: usize,
    here: bool,
}

struct Choice {
    value: String,
    words: String,
    chosen: bool,
}

struct Job {
    key: String,
    place: String,
    name: String,
    title: String,
    batch: String,
    state: &'static str,
    tone: Tone,
    time: String,
    took: String,
    notes: Vec<String>,
}

/// What the page is about.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// All that is under way, and who is on shift.
    /// `hands_over`: the site hands shifts over.
    Night { duty: Option<&'a RosterView>, hands_over: bool },
    /// One run, maybe of long ago.
    Run { title: &'a str },
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up): (Lang, &str),
    night: &StatusPage,
    about: About<'_>,
    wanted: &Wanted,
) -> Result<String, askama::Error> {
    let (heading, of_run) = match about {
        About::Night { .. } => (Pages::Tonight.say(lang), false),
        About::Run { title } => (title.to_owned(), true),
    };
    let (duty, hands_over) = match about {
        About::Night { duty, hands_over } => (duty, hands_over),
        About::Run { .. } => (None, false),
    };
    let shown = rows(night, wanted);
    // Half a day to each side is told by the clock time alone; what is further off carries its date.
    let clock = Clock::new(&night.zone, night.now - SignedDuration::from_hours(12));
    let page = Night {
        lang,
        up: up.to_owned(),
        trouble: night.trouble.clone(),
        heading,
        of_run,
        quiet: !of_run && night.runs.iter().all(|run| run.head.result.is_some()),
        runs: night.runs.iter().map(|run| run_of(lang, run)).collect(),
        incidents: incidents(lang, &clock, night),
        shifts: duty.map(|duty| shifts(lang, &clock, &duty.on)).unwrap_or_default(),
        next_shift: duty.and_then(|duty| next_shift(lang, &clock, duty)),
        hands_over,
        starts: starts(&clock, night),
        groups: groups(lang, &shown, wanted),
        group: wanted.group.word(),
        text: wanted.text.clone(),
        batches: batches(lang, night, wanted),
        teams: teams(night, wanted),
        jobs: shown.rows.iter().map(|(run, job)| job_of(lang, run, job)).collect(),
        several: night.runs.len() > 1,
        pages: pages(lang, &shown, wanted),
    };
    Ok(harmless(&page.render()?))
}

fn run_of(lang: Lang, run: &StatusView) -> Run {
    let head = &run.head;
    let clock = Clock::of_run(head);
    let mut notes: Vec<String> = Vec::new();
    notes.extend(head.trial.then(|| Verdict::Trial.say(lang)));
    notes.extend(status::stopping(lang, run));
    notes.extend(standing::lines(lang, &clock, &run.standing));
    Run {
        id: head.run.to_string(),
        place: of_run(&head.run),
        title: head.title.get(lang).to_owned(),
        date: head.business_date.to_string(),
        tone: tone(run),
        verdict: phrase::verdict(lang, head, &run.totals),
        notes,
        over: over(lang, &run.totals),
        bar: bar(&run.totals),
        drawing: gantt::bare(lang, head, &run.jobs),
        drawn: run.jobs.len() <= DRAWN_AT_ONCE,
    }
}

/// While it runs it is red too where something critical went wrong, whatever its deadline.
fn tone(run: &StatusView) -> Tone {
    let (head, totals) = (&run.head, &run.totals);
    match head.result.is_none() && (totals.failed_critical > 0 || totals.unknown > 0) {
        true => Tone::BAD,
        false => Tone::of_run(head.result, head.deadline()),
    }
}

fn over(lang: Lang, totals: &Totals) -> String {
    let open = totals.running + totals.waiting + totals.held;
    let over = totals.taking_part.saturating_sub(open);
    Pages::Progress { over, jobs: totals.taking_part }.say(lang)
}

/// The jobs that take part, as parts of a bar.
fn bar(totals: &Totals) -> Vec<(&'static str, u64, u64)> {
    let parts = [
        ("bad", totals.failed + totals.blocked),
        ("odd", totals.unknown),
        ("ok", totals.well),
        ("warn", totals.skipped + totals.forced + totals.cancelled),
        ("run", totals.running),
    ];
    let all = u64::from(totals.taking_part.max(1));
    let mut from = 0;
    let mut bar = Vec::new();
    for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        // Of thousands of jobs a single one is still seen.
        let width = (u64::from(count) * BAR / all).max(6);
        bar.push((class, from, width));
        from += width;
    }
    bar
}

/// Those of no run that is shown first.
fn incidents(lang: Lang, clock: &Clock<'_>, night: &StatusPage) -> Vec<Incident> {
    let line = |line: &IncidentLine| Incident {
        id: line.id.to_string(),
        headline: incident::title(lang, clock, line),
        severity: line.severity.name(),
        since: clock.minute(line.opened),
        owner: line.owner.as_ref().map(|who| who.name.get(lang).to_owned()),
        told: told(lang, line),
    };
    let of_runs = night.runs.iter().flat_map(|run| &run.incidents);
    night.incidents.iter().chain(of_runs).map(line).collect()
}

/// Who was told; empty where nobody was.
pub(super) fn told(lang: Lang, line: &IncidentLine) -> String {
    let people = phrase::people(lang, &line.told);
    match people.is_empty() {
        true => people,
        false => pair(lang, Label::Told.say(lang), &people),
    }
}

pub(super) fn shifts(lang: Lang, clock: &Clock<'_>, on: &[ShiftLine]) -> Vec<Shift> {
    let shift = |line: &ShiftLine| Shift {
        title: line.title.get(lang).to_owned(),
        until: Pages::Until { at: &clock.minute(line.to) }.say(lang),
        people: line
            .people
            .iter()
            .map(|person| {
                let name = person.contact.who.name.get(lang);
                let phone = person.contact.phone.as_ref();
                phone.map_or_else(|| name.to_owned(), |phone| format!("{name} {phone}"))
            })
            .collect(),
    };
    on.iter().map(shift).collect()
}

pub(super) fn next_shift(lang: Lang, clock: &Clock<'_>, duty: &RosterView) -> Option<String> {
    let at = duty.next_change.filter(|_| !duty.next.is_empty())?;
    let shifts = duty.next.iter().map(|line| line.title.get(lang));
    let (at, shifts) = (&clock.minute(at), &list(lang, shifts));
    Some(Pages::NextShift { at, shifts }.say(lang))
}

fn starts(clock: &Clock<'_>, night: &StatusPage) -> Vec<(String, String)> {
    let next = night.next.iter().flatten();
    next.map(|start| (clock.minute(start.at), start.batch.to_string())).collect()
}

fn job_of(lang: Lang, run: &StatusView, job: &JobLine) -> Job {
    let head = &run.head;
    let clock = Clock::of_run(head);
    let word = job.state.word();
    let expected = |at| Pages::ExpectedAt { at: &clock.at(at) }.say(lang);
    let from = job.started.map(|at| clock.at(at)).or_else(|| job.expected_start.map(expected));
    let to = phrase::ended(job).map(|at| clock.at(at)).or_else(|| job.expected_end.map(expected));
    let time = match (from, to) {
        (Some(from), Some(to)) => format!("{from} – {to}"),
        (Some(from), None) => format!("{from} –"),
        (None, Some(to)) => format!("– {to}"),
        (None, None) => String::new(),
    };
    let length = match (phrase::duration(head, job), job.expected, word) {
        (Some(length), ..) => took(lang, length),
        (None, Some(expected), StateWord::Waiting | StateWord::Blocked | StateWord::Held) => {
            format!("≈ {}", took(lang, expected.get()))
        }
        _ => String::new(),
    };
    Job {
        key: format!("{} {}", head.run, job.name),
        place: of_job(&head.run, job.name.as_str()),
        name: job.name.to_string(),
        title: job.title.get(lang).to_owned(),
        batch: head.batch.to_string(),
        state: Label::of_state(word).say(lang),
        tone: Tone::of_state(word, job.critical),
        time,
        took: length,
        notes: phrase::remarks(lang, &clock, head, job),
    }
}

fn group_words(group: Group) -> Pages<'static> {
    match group {
        Group::All => Pages::GroupAll,
        Group::Trouble => Pages::GroupTrouble,
        Group::Running => Pages::GroupRunning,
        Group::Waiting => Pages::GroupWaiting,
        Group::Done => Pages::GroupDone,
    }
}

/// The address of the list as it is wanted, from its own.
fn place(wanted: &Wanted) -> String {
    let mut parts = Vec::new();
    if wanted.group != Group::All {
        parts.push(format!("show={}", wanted.group.word()));
    }
    parts.extend(wanted.batch.as_ref().map(|batch| format!("batch={batch}")));
    parts.extend(wanted.team.as_ref().map(|team| format!("team={team}")));
    if !wanted.text.is_empty() {
        parts.push(format!("q={}", in_query(&wanted.text)));
    }
    if wanted.page > 0 {
        parts.push(format!("page={}", wanted.page + 1));
    }
    format!("?{}", parts.join("&"))
}

fn groups(lang: Lang, shown: &Rows<'_>, wanted: &Wanted) -> Vec<GroupLink> {
    let link = |(group, count): (Group, usize)| GroupLink {
        words: group_words(group).say(lang),
        place: place(&Wanted { group, page: 0, ..wanted.clone() }),
        count,
        here: group == wanted.group,
    };
    Group::ALL.into_iter().zip(shown.counts).map(link).collect()
}

fn batches(lang: Lang, night: &StatusPage, wanted: &Wanted) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for run in &night.runs {
        let value = run.head.batch.to_string();
        if choices.iter().all(|choice| choice.value != value) {
            let chosen = wanted.batch.as_ref() == Some(&run.head.batch);
            choices.push(Choice { value, words: run.head.title.get(lang).to_owned(), chosen });
        }
    }
    choices
}

fn teams(night: &StatusPage, wanted: &Wanted) -> Vec<Choice> {
    let mut teams: Vec<&TeamName> =
        night.runs.iter().filter_map(|run| run.head.team.as_ref()).collect();
    teams.sort();
    teams.dedup();
    let choice = |team: &TeamName| Choice {
        value: team.to_string(),
        words: team.to_string(),
        chosen: wanted.team.as_ref() == Some(team),
    };
    teams.into_iter().map(choice).collect()
}

/// Which page it is, and the addresses of the one before and the one after it; nothing where it is the only one.
fn pages(
    lang: Lang,
    shown: &Rows<'_>,
    wanted: &Wanted,
) -> Option<(String, Option<String>, Option<String>)> {
    let at = |page| place(&Wanted { page, ..wanted.clone() });
    let number = |page: usize| u32::try_from(page).unwrap_or(u32::MAX);
    let (page, pages) = (shown.page, shown.pages);
    let said = Pages::PageOf { page: number(page + 1), pages: number(pages) }.say(lang);
    let before = page.checked_sub(1).map(at);
    let next = (page + 1 < pages).then(|| at(page + 1));
    (pages > 1).then_some((said, before, next))
}
