//! Bulletins (每日通告), as text and mail.

use super::clock::{Clock, took};
use super::drill;
use super::incident_words::{about, clock_name, headline};
use super::mail::MailText;
use super::sectioned::{Section, Sectioned, push, sections};
use super::starts::missed;
use super::words::{Bulletins, Drills, HandOvers, Inspections, Label, aside, list, pair, remarks};
use crate::core::fact::RunResult;
use crate::core::manuals::Unreviewed;
use crate::types::Lang;
use crate::view::bulletin::{BulletinView, IncidentTold, RoundsTold, RunTold, ShiftTold};
use crate::view::change_stats::Recurring;
use crate::view::hand_over::HandOverLine;
use crate::view::report::Shortened;

/// `nightrun bulletin`.
pub fn text(lang: Lang, view: &BulletinView) -> String {
    let mut out = String::new();
    push(&mut out, 0, &title(lang, view));
    push(&mut out, 0, &lead(lang, view));
    push(&mut out, 0, &counts(lang, view));
    out.push_str(&sections(&told(lang, view)));
    out.trim_end().to_owned()
}

/// The mail as one of its readers gets it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn mail(lang: Lang, view: &BulletinView) -> Result<MailText, askama::Error> {
    let calm = failed(view).next().is_none()
        && view.incidents.iter().all(|incident| incident.closed.is_some())
        && view.rounds.iter().all(|line| line.missed() == 0)
        && view.missed.iter().all(|missed| !missed.alarming);
    Sectioned {
        lang,
        mark: if calm { "[OK] " } else { "" },
        good: calm,
        title: title(lang, view),
        lead: lead(lang, view),
        facts: vec![counts(lang, view)],
        sections: told(lang, view),
        commands: Vec::new(),
        site: view.site.get(lang).to_owned(),
    }
    .mail()
}

pub(super) fn title(lang: Lang, view: &BulletinView) -> String {
    let date = view.zone.tz().to_datetime(view.to).date().to_string();
    Bulletins::Title { date: &date }.say(lang)
}

pub(super) fn lead(lang: Lang, view: &BulletinView) -> String {
    let clock = Clock::new(&view.zone, view.to);
    Bulletins::Lead { from: &clock.full(view.from), to: &clock.full(view.to) }.say(lang)
}

pub(super) fn counts(lang: Lang, view: &BulletinView) -> String {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let open = view.incidents.iter().filter(|incident| incident.closed.is_none()).count();
    Bulletins::Counts {
        runs: number(view.runs.len()),
        failed: number(failed(view).count()),
        incidents: number(view.incidents.len()),
        open: number(open),
    }
    .say(lang)
}

fn failed(view: &BulletinView) -> impl Iterator<Item = &RunTold> {
    view.runs.iter().filter(|run| run.result.is_some_and(|result| result != RunResult::Well))
}

/// What went wrong comes first.
pub(super) fn told(lang: Lang, view: &BulletinView) -> Vec<Section> {
    let clock = &Clock::new(&view.zone, view.to);
    let well =
        view.runs.iter().filter(|run| run.result.is_none_or(|result| result == RunResult::Well));
    let section = |head: Bulletins<'_>, lines: Vec<String>| {
        let Shortened { shown, left_out } = Shortened::points(lines);
        let more = u32::try_from(left_out).ok().filter(|count| *count > 0);
        let more = more.map(|count| Bulletins::AndMore { count }.say(lang));
        Section::new(head.say(lang), shown.into_iter().chain(more))
    };
    let mut shifts: Vec<String> =
        view.shifts.iter().map(|shift| on_shift(lang, clock, shift)).collect();
    if view.unknown_shifts > 0 {
        shifts.push(Bulletins::UnknownShifts { count: view.unknown_shifts }.say(lang));
    }
    let changes = view.changes.iter().map(|change| {
        let state = Label::of_change(Some(change.state)).say(lang);
        let (id, environment) = (&change.change, &change.environment);
        pair(lang, &format!("{} {id} {environment}", clock.full(change.ended)), state)
    });
    let all = vec![
        section(Bulletins::HeadFailed, failed(view).map(|r| run(lang, clock, r)).collect()),
        section(Bulletins::HeadMissed, view.missed.iter().map(|m| missed(lang, m)).collect()),
        section(
            Bulletins::HeadIncidents,
            view.incidents.iter().map(|i| incident(lang, clock, i)).collect(),
        ),
        section(
            Bulletins::HeadHandOvers,
            view.hand_overs.iter().map(|line| hand_over(lang, clock, line)).collect(),
        ),
        section(Bulletins::HeadRounds, view.rounds.iter().map(|line| rounds(lang, line)).collect()),
        Section::new(
            Drills::Head.say(lang),
            view.drills.iter().flat_map(|line| drill::told(lang, clock, line)),
        ),
        section(
            Bulletins::HeadManuals,
            view.manuals.iter().map(|line| manual(lang, line)).collect(),
        ),
        section(Bulletins::HeadChanges, changes.collect()),
        section(Bulletins::HeadRecurring, view.recurring.iter().map(|r| again(lang, r)).collect()),
        section(Bulletins::HeadRuns, well.map(|r| run(lang, clock, r)).collect()),
        section(Bulletins::HeadShifts, shifts),
        section(
            Bulletins::HeadAhead,
            view.ahead.iter().map(|s| format!("{} {}", clock.full(s.at), s.batch)).collect(),
        ),
    ];
    match all.iter().all(|section| section.lines.is_empty()) {
        true => vec![Section::new(HandOvers::HeadOpen.say(lang), [Bulletins::Nothing.say(lang)])],
        false => all,
    }
}

/// A data change that comes again.
fn again(lang: Lang, of: &Recurring) -> String {
    let changes = &list(lang, &of.changes);
    let (environment, times) = (of.environment.as_str(), of.times);
    let took = &took(lang, std::time::Duration::from_secs(of.seconds));
    Bulletins::Recurs { changes, environment, times, took, statements: &of.statements }.say(lang)
}

fn run(lang: Lang, clock: &Clock<'_>, told: &RunTold) -> String {
    let (run, from) = (&told.run.to_string(), &clock.full(told.opened));
    match told.ended {
        Some(ended) => {
            let result = Label::of_result(told.result).say(lang);
            Bulletins::Run { run, result, from, to: &clock.full(ended) }.say(lang)
        }
        None => Bulletins::RunOpen { run, from }.say(lang),
    }
}

fn incident(lang: Lang, clock: &Clock<'_>, told: &IncidentTold) -> String {
    let what = about(told.run.as_ref().map(|run| &run.batch), told.job.as_ref());
    let what = &headline(lang, clock, &what, &told.fault);
    let (incident, severity) = (&told.incident.to_string(), &told.severity.name().to_uppercase());
    let line =
        HandOvers::Incident { incident, severity, what, since: &clock.full(told.opened) }.say(lang);
    let owner = told.owner.as_ref().map(|who| who.name.get(lang).to_owned());
    let mut said: Vec<String> = owner.into_iter().collect();
    said.extend(
        told.response.map(|after| Bulletins::Response { took: &took(lang, after.get()) }.say(lang)),
    );
    said.push(match told.solution {
        Some(after) => Bulletins::Solution { took: &took(lang, after.get()) }.say(lang),
        None => Bulletins::OpenYet.say(lang),
    });
    if !told.missed.is_empty() {
        let limits = &list(lang, told.missed.iter().map(|kind| clock_name(lang, *kind)));
        said.push(Bulletins::TooLate { limits }.say(lang));
    }
    aside(lang, &line, &remarks(lang, &said))
}

fn rounds(lang: Lang, told: &RoundsTold) -> String {
    let (date, batch) = (&told.date.to_string(), told.batch.as_str());
    let (wanted, done, missed) = (told.wanted, told.done, told.missed());
    Inspections::Day { date, title: batch, wanted, done, missed }.say(lang)
}

fn manual(lang: Lang, of: &Unreviewed) -> String {
    let job = &format!("{}.{}", of.batch, of.job);
    let every = u32::from(of.every);
    match of.reviewed {
        Some(at) => Bulletins::Reviewed { job, at: &at.to_string(), every }.say(lang),
        None => Bulletins::NeverReviewed { job, every }.say(lang),
    }
}

fn hand_over(lang: Lang, clock: &Clock<'_>, line: &HandOverLine) -> String {
    let names = list(lang, line.outgoing.iter().map(|who| who.name.get(lang)));
    let ends = clock.full(line.ends);
    format!("{} {ends} {names}", line.id)
}

fn on_shift(lang: Lang, clock: &Clock<'_>, on: &ShiftTold) -> String {
    let who = &list(lang, on.people.iter().map(|who| who.name.get(lang)));
    let (from, to) = (&clock.full(on.from), &clock.full(on.to));
    Bulletins::Shift { shift: on.shift.get(lang), from, to, who }.say(lang)
}

#[cfg(test)]
#[path = "bulletin_tests.rs"]
pub(super) mod tests;
