//! A simulated night as text: `nightrun simulate`. The verdict first, then why, who is called, and what moved.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::render::clock::{Clock, between, day, took};
use crate::render::incident_words;
use crate::render::phrase;
use crate::render::plan;
use crate::render::supposed;
use crate::render::table::{PAGE, Table, wrap};
use crate::render::times::times;
use crate::render::words::{Fault, Label, Planned, Rehearsed, aside, list, remarks, sentence};
use crate::types::{BatchId, BusinessDate, Ending, JobName, Lang};
use crate::view::job::{JobLine, StateWord};
use crate::view::rehearsal::{
    Effect, LeftOutOn, PathStep, RehearsalView, RehearsedJob, RehearsedRun, Standing, Supposed,
    TakesFrom, WaitedFor,
};
use crate::view::run::DeadlineState;

/// More than so many rows are not read at night.
const MOST_STEPS: usize = 24;
const MOST_JOBS: usize = 40;
const MOST_NAMES: usize = 6;

/// The whole page.
pub fn text(lang: Lang, view: &RehearsalView) -> String {
    let mut out = title(lang, &[view.site.get(lang)], view.from, view.to);
    out.push_str(&what_if(lang, view));
    out.push('\n');
    for run in &view.runs {
        write_verdict(lang, view, run, &mut out);
    }
    nothing_starts(lang, view.runs.is_empty(), &view.left_out, &mut out);
    for run in &view.runs {
        // Of several nights the quiet ones are told by their verdict alone.
        if view.runs.len() > 1 && is_quiet(run) {
            continue;
        }
        if view.runs.len() > 1 {
            let _ = writeln!(
                out,
                "\n== {} {}",
                name(&run.head.batch, run.head.business_date),
                run.head.title.get(lang)
            );
        }
        write_run(lang, view, run, &mut out);
    }
    out
}

/// `SIMULATED, nothing was started: Sample Bank, Fri 2026-10-30`.
pub(super) fn title(lang: Lang, site: &[&str], from: Date, to: Date) -> String {
    let dates = match from == to {
        true => day(lang, from),
        false => format!("{} - {}", day(lang, from), day(lang, to)),
    };
    Rehearsed::Title { site: &site.concat(), dates: &dates }.say(lang) + "\n"
}

fn what_if(lang: Lang, view: &RehearsalView) -> String {
    let base = view.runs.first().map(|run| run.head.anchor);
    supposed::lines(lang, &view.what_if, &view.zone, base)
}

/// Says so where nothing starts, and what is left out and why.
pub(super) fn nothing_starts(lang: Lang, nothing: bool, left_out: &[LeftOutOn], out: &mut String) {
    if nothing {
        push(out, 0, &Planned::NothingStarts.say(lang));
        let mut table = Table::new(&["", "", ""], &[], 2);
        for left in left_out {
            let why = plan::batch_left_out(lang, &left.batch);
            table.row(vec![left.date.to_string(), left.batch.batch.to_string(), why]);
        }
        table.write(out);
    }
}

pub(super) fn push(out: &mut String, indent: usize, text: &str) {
    for line in wrap(text, PAGE - indent) {
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

/// `eod@2026-10-30`: how people name a night.
pub(super) fn name(batch: &BatchId, date: BusinessDate) -> String {
    format!("{batch}@{date}")
}

/// In time, nobody called, and ending as it would without what is supposed.
fn is_quiet(run: &RehearsedRun) -> bool {
    run.standing == Standing::InTime
        && run.incidents.is_empty()
        && run.jobs.iter().all(|job| job.line.late.is_empty())
        && run.without.is_none_or(|without| without.end == run.head.ended)
}

fn write_verdict(lang: Lang, view: &RehearsalView, run: &RehearsedRun, out: &mut String) {
    let clock = Clock::of_run(&run.head);
    push(out, 0, &verdict(lang, &clock, run));
    let mut more = Vec::new();
    if let Some(without) = against(lang, &clock, run) {
        more.push(without);
    }
    if run.totals.taking_part > 0 {
        more.push(phrase::numbers(lang, &run.totals));
    }
    for line in more {
        push(out, 2, &line);
    }
    for effect in &run.effects {
        if let Some(line) = because(lang, &clock, view, effect) {
            push(out, 2, &line);
        }
    }
}

fn verdict(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun) -> String {
    let run_name = &name(&run.head.batch, run.head.business_date);
    let at = run.head.ended.unwrap_or(run.head.now);
    let end = &clock.at(at);
    let limit = run.head.must_complete_by.map(|due| clock.minute(due));
    let lost = |said: String| match &limit {
        Some(limit) => aside(lang, &said, &Rehearsed::LimitLost { limit }.say(lang)),
        None => said,
    };
    match (run.standing, run.deadline) {
        (Standing::StandsStill, _) => {
            lost(Rehearsed::StandsStill { run: run_name, at: end }.say(lang))
        }
        (Standing::NeverEnds, _) => lost(Rehearsed::NeverEnds { run: run_name }.say(lang)),
        (_, DeadlineState::Kept { due }) => {
            let (limit, left) = (&clock.minute(due), &took(lang, between(at, due)));
            Rehearsed::InTime { run: run_name, end, limit, left }.say(lang)
        }
        (_, DeadlineState::Missed { due, by }) => {
            let (limit, by) = (&clock.minute(due), &took(lang, by));
            Rehearsed::Late { run: run_name, end, limit, by }.say(lang)
        }
        _ => Rehearsed::Done { run: run_name, end }.say(lang),
    }
}

/// Against the same night without what is supposed.
fn against(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun) -> Option<String> {
    let without = run.without?;
    let now = run.head.ended.filter(|_| matches!(run.standing, Standing::InTime | Standing::Late));
    Some(match (now, without.end) {
        (Some(now), Some(then)) if now == then => Rehearsed::AsWithout.say(lang),
        (Some(now), Some(then)) if now > then => {
            let by = &took(lang, between(then, now));
            Rehearsed::LaterThan { by, end: &clock.at(then) }.say(lang)
        }
        (Some(now), Some(then)) => {
            let by = &took(lang, between(now, then));
            Rehearsed::EarlierThan { by, end: &clock.at(then) }.say(lang)
        }
        (None, Some(then)) => Rehearsed::WithoutDone { end: &clock.at(then) }.say(lang),
        (_, None) => Rehearsed::WithoutNot.say(lang),
    })
}

/// What a supposition did to the run, where that is more than a shift.
fn because(lang: Lang, clock: &Clock<'_>, view: &RehearsalView, effect: &Effect) -> Option<String> {
    let count = |jobs: usize| u32::try_from(jobs).unwrap_or(u32::MAX);
    let (hit, open) = (effect.hit.len(), effect.open.len());
    let mut parts = Vec::new();
    match view.what_if.get(effect.of)? {
        Supposed::HostDown { host, from, to } => {
            let (from, to) = (&clock.minute(*from), &clock.minute(*to));
            let (host, jobs) = (host.as_str(), count(hit));
            parts.push(Rehearsed::HostLost { host, from, to, jobs }.say(lang));
            if open > 0 {
                let list = &names(lang, &effect.open);
                parts.push(Rehearsed::NeedDecision { jobs: count(open), list }.say(lang));
            }
            if hit > open {
                parts.push(Rehearsed::TriedAgain { jobs: count(hit - open) }.say(lang));
            }
        }
        Supposed::Fails { .. } => {
            let well: Vec<JobName> =
                effect.hit.iter().filter(|job| !effect.open.contains(job)).cloned().collect();
            if open > 0 {
                let list = &names(lang, &effect.open);
                parts.push(Rehearsed::FailedForGood { list }.say(lang));
            }
            if !well.is_empty() {
                parts.push(Rehearsed::FailedAndAgain { list: &names(lang, &well) }.say(lang));
            }
        }
        Supposed::Arrives { .. } if open > 0 => {
            parts.push(Rehearsed::NotThereInTime { list: &names(lang, &effect.open) }.say(lang));
        }
        _ => return None,
    }
    Some(sentence(lang, &parts))
}

/// Some names, and how many more there are.
pub(super) fn names<T: std::fmt::Display>(lang: Lang, jobs: &[T]) -> String {
    let mut shown: Vec<String> = jobs.iter().take(MOST_NAMES).map(T::to_string).collect();
    let more = jobs.len().saturating_sub(MOST_NAMES);
    if more > 0 {
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        shown.push(Fault::AndMore { more }.say(lang));
    }
    list(lang, shown)
}

fn write_run(lang: Lang, view: &RehearsalView, run: &RehearsedRun, out: &mut String) {
    let clock = Clock::of_run(&run.head);
    write_trouble(lang, &clock, run, out);
    write_called(lang, &clock, run, out);
    write_path(lang, &clock, run, out);
    if !view.what_if.is_empty() {
        write_moved(lang, &clock, run, out);
    }
    out.push('\n');
    let from = run.jobs.iter().filter(|job| takes_part(&job.line));
    let from: Vec<(&JobName, TakesFrom)> =
        from.map(|job| (&job.line.name, job.takes_from)).collect();
    push(out, 0, &times(lang, &from, false));
}

fn takes_part(line: &JobLine) -> bool {
    line.state.word() != StateWord::NotScheduled
}

/// Jobs that did not end well or missed a limit. What is blocked behind others is only counted.
fn write_trouble(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun, out: &mut String) {
    let trouble = |line: &&JobLine| {
        let well = matches!(line.state.word(), StateWord::Succeeded | StateWord::NotScheduled);
        (!well || !line.late.is_empty()) && !is_behind(run, line)
    };
    let lines: Vec<&JobLine> = run.jobs.iter().map(|job| &job.line).filter(trouble).collect();
    if lines.is_empty() {
        return;
    }
    heading(out, Label::Attention.say(lang));
    let mut table = Table::new(&["", "", ""], &[], 2);
    for line in &lines {
        let mut notes = Vec::new();
        let last = line.attempts.last();
        let ending = last.and_then(|last| last.ending.as_ref());
        if matches!(ending, Some(Ending::Lost { .. })) {
            let at = last.and_then(|last| last.ended).map(|at| clock.exactly(at));
            notes.push(Rehearsed::LostKnown { at: &at.unwrap_or_default() }.say(lang));
        } else if line.state.word() != StateWord::Succeeded {
            notes.push(trimmed(&phrase::trouble(lang, clock, &run.head, line)));
        }
        notes.extend(line.late.iter().map(|late| phrase::late(lang, clock, late)));
        if !line.critical {
            notes.push(Label::NotCritical.say(lang).to_owned());
        }
        let state = Label::of_state(line.state.word()).say(lang).to_owned();
        table.row(vec![line.name.to_string(), state, remarks(lang, &notes)]);
    }
    table.write(out);
    let behind = run.jobs.iter().filter(|job| is_behind(run, &job.line)).count();
    if behind > 0 {
        let jobs = u32::try_from(behind).unwrap_or(u32::MAX);
        push(out, 2, &Rehearsed::BlockedBehind { jobs }.say(lang));
    }
}

/// Whether it did not begin because of another's fault.
fn is_behind(run: &RehearsedRun, line: &JobLine) -> bool {
    match line.state.word() {
        StateWord::Blocked => true,
        StateWord::Waiting => run.standing == Standing::StandsStill,
        _ => false,
    }
}

/// Without the full stop: one remark among others.
fn trimmed(text: &str) -> String {
    text.trim_end_matches(['.', '。']).to_owned()
}

fn write_called(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun, out: &mut String) {
    if run.incidents.is_empty() {
        return;
    }
    heading(out, &Rehearsed::Called.say(lang));
    for incident in &run.incidents {
        let job = &incident_words::of_run(lang, clock, incident);
        let at = &clock.exactly(incident.opened);
        let told = &phrase::people(lang, &incident.told);
        push(out, 2, &Rehearsed::CalledAt { at, job, told }.say(lang));
    }
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{text}");
}

fn write_path(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun, out: &mut String) {
    let (shown, hidden) = choose(&run.path);
    if shown.is_empty() {
        return;
    }
    let of = match run.standing {
        Standing::StandsStill => Rehearsed::PathOfFault,
        _ => Rehearsed::PathOfEnd,
    };
    heading(out, &of.say(lang));
    let head = [Label::Start, Label::Finish, Label::Took, Label::Job, Label::Notes];
    let mut table = Table::new(&head.map(|label| label.say(lang)), &[2], 2);
    for step in shown {
        let mut notes: Vec<String> = waited(lang, step).into_iter().collect();
        if step.attempts > 1 {
            notes.push(Rehearsed::Tries { tries: step.attempts }.say(lang));
        }
        if step.state != StateWord::Succeeded {
            notes.push(Label::of_state(step.state).say(lang).to_owned());
        }
        let length = step.end.map(|end| took(lang, between(step.start, end)));
        table.row(vec![
            clock.exactly(step.start),
            step.end.map(|end| clock.exactly(end)).unwrap_or_default(),
            length.unwrap_or_default(),
            step.job.to_string(),
            remarks(lang, &notes),
        ]);
    }
    table.write(out);
    if hidden > 0 {
        let steps = u32::try_from(hidden).unwrap_or(u32::MAX);
        push(out, 2, &Rehearsed::ShorterSteps { steps }.say(lang));
    }
}

/// The longest steps, in the order of the path, and how many are left out.
fn choose(path: &[PathStep]) -> (Vec<&PathStep>, usize) {
    let mut longest: Vec<(usize, &PathStep)> = path.iter().enumerate().collect();
    let length = |step: &PathStep| between(step.free, step.end.unwrap_or(step.start));
    longest.sort_by_key(|(_, step)| std::cmp::Reverse(length(step)));
    let hidden = longest.len().saturating_sub(MOST_STEPS);
    longest.truncate(MOST_STEPS);
    longest.sort_by_key(|(place, _)| *place);
    (longest.into_iter().map(|(_, step)| step).collect(), hidden)
}

fn waited(lang: Lang, step: &PathStep) -> Option<String> {
    let what = match step.waited_for.as_ref()? {
        WaitedFor::Host { host } => Rehearsed::ForHost { host: host.as_str() }.say(lang),
        WaitedFor::Window { class } => Rehearsed::ForWindow { window: class.as_str() }.say(lang),
        WaitedFor::Frozen { reason } => Rehearsed::ForFreeze { reason: reason.get(lang) }.say(lang),
        WaitedFor::Room { of, job } => Rehearsed::ForRoom { of, job: job.as_str() }.say(lang),
        WaitedFor::Across { job, date } => {
            Rehearsed::ForJob { job: &job.to_string(), date: &date.to_string() }.say(lang)
        }
        WaitedFor::Time => return Some(Rehearsed::ForTime.say(lang)),
        WaitedFor::Event { event } => {
            return Some(Rehearsed::ForEvent { event: event.as_str() }.say(lang));
        }
        WaitedFor::Person => return Some(Rehearsed::ForPerson.say(lang)),
    };
    let length = &took(lang, between(step.free, step.start));
    Some(Rehearsed::Waited { took: length, what: &what }.say(lang))
}

fn write_moved(lang: Lang, clock: &Clock<'_>, run: &RehearsedRun, out: &mut String) {
    // What stands behind a fault is counted above.
    let moved = run.jobs.iter().filter(|job| job.moved() && !is_behind(run, &job.line));
    let moved: Vec<&RehearsedJob> = moved.collect();
    if moved.is_empty() {
        return;
    }
    heading(out, &Rehearsed::Moved.say(lang));
    let head = ["", Label::Start.say(lang), "", Label::Finish.say(lang), ""];
    let mut table = Table::new(&head, &[2, 4], 2);
    for job in moved.iter().take(MOST_JOBS) {
        let line = &job.line;
        let state = || Label::of_state(line.state.word()).say(lang).to_owned();
        let at = |at: Option<Timestamp>| at.map_or_else(String::new, |at| clock.exactly(at));
        let shift = |by: Option<i64>| by.map(|by| shifted(lang, by)).unwrap_or_default();
        let well = line.state.word() == StateWord::Succeeded;
        table.row(vec![
            line.name.to_string(),
            at(line.started.or(line.ended.filter(|_| well))),
            shift(job.start_shift),
            if well { at(line.ended) } else { state() },
            if well { shift(job.end_shift) } else { String::new() },
        ]);
    }
    table.write(out);
    let more = moved.len().saturating_sub(MOST_JOBS);
    if more > 0 {
        let jobs = u32::try_from(more).unwrap_or(u32::MAX);
        push(out, 2, &Rehearsed::MoreJobs { jobs }.say(lang));
    }
}

/// `+30m`, `-5.0s`; nothing where it is the same.
fn shifted(lang: Lang, by: i64) -> String {
    let length = took(lang, std::time::Duration::from_secs(by.unsigned_abs()));
    match by {
        0 => String::new(),
        _ if by > 0 => format!("+{length}"),
        _ => format!("-{length}"),
    }
}
