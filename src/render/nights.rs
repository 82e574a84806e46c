//! Many simulated nights as text: `nightrun simulate --nights N`.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::core::fact::Deadline;
use crate::render::clock::Clock;
use crate::render::rehearsal::{name, nothing_starts, push, title};
use crate::render::supposed;
use crate::render::table::Table;
use crate::render::times::times;
use crate::render::words::{Label, Rehearsed, remarks};
use crate::types::{JobName, Lang};
use crate::view::rehearsal::{Chance, Ends, NightsRun, NightsView, TakesFrom};

/// More are not read.
const MOST_ROWS: usize = 12;

/// The whole page.
pub fn text(lang: Lang, view: &NightsView) -> String {
    let mut out = title(lang, &[view.site.get(lang)], view.from, view.to);
    let _ =
        writeln!(out, "{}", Rehearsed::Nights { nights: view.nights, seed: view.seed }.say(lang));
    let base = view.runs.first().map(|run| run.at);
    out.push_str(&supposed::lines(lang, &view.what_if, &view.zone, base));
    out.push('\n');
    for run in &view.runs {
        push(&mut out, 0, &verdict(lang, run, view.nights));
    }
    nothing_starts(lang, view.runs.is_empty(), &view.left_out, &mut out);
    for run in &view.runs {
        if view.runs.len() > 1 {
            let _ = writeln!(
                out,
                "\n== {} {}",
                name(&run.batch, run.business_date),
                run.title.get(lang)
            );
        }
        write_run(lang, run, view.nights, &mut out);
    }
    out
}

/// `12 of 1000` as `1.2%`.
fn share(part: u32, of: u32) -> String {
    format!("{:.1}%", f64::from(part) * 100.0 / f64::from(of.max(1)))
}

fn verdict(lang: Lang, run: &NightsRun, nights: u32) -> String {
    let (clock, own) = (Clock::new(&run.zone, run.at), name(&run.batch, run.business_date));
    let ends = &run.ends;
    let open = ends.stands_still + ends.never_ends;
    let missed = match run.must_complete_by {
        Some(_) => ends.late + open,
        None => open,
    };
    let share = &share(missed, nights);
    let first = match run.must_complete_by.map(|due| clock.minute(due)) {
        Some(limit) if missed == 0 => {
            Rehearsed::AlwaysInTime { run: &own, limit: &limit, nights }.say(lang)
        }
        Some(limit) => {
            Rehearsed::MissesIn { run: &own, limit: &limit, missed, nights, share }.say(lang)
        }
        None if missed == 0 => Rehearsed::AlwaysDone { run: &own, nights }.say(lang),
        None => Rehearsed::NotDoneIn { run: &own, missed, nights, share }.say(lang),
    };
    let mut parts = vec![first];
    if ends.stands_still > 0 {
        parts.push(Rehearsed::StillIn { nights: ends.stands_still }.say(lang));
    }
    if ends.never_ends > 0 {
        parts.push(Rehearsed::WaitsIn { nights: ends.never_ends }.say(lang));
    }
    remarks(lang, &parts)
}

fn write_run(lang: Lang, run: &NightsRun, nights: u32, out: &mut String) {
    let clock = Clock::new(&run.zone, run.at);
    out.push('\n');
    let columns = [
        Rehearsed::DoneOf,
        Rehearsed::Median,
        Rehearsed::NineInTen,
        Rehearsed::NinetyNine,
        Rehearsed::Worst,
    ];
    let columns = columns.map(|column| column.say(lang));
    let mut table = Table::new(&columns.each_ref().map(String::as_str), &[], 0);
    let mut row = |what: Rehearsed<'_>, ends: &Ends| {
        let at = |at: Option<Timestamp>| {
            at.map_or_else(|| Rehearsed::NotDone.say(lang), |at| clock.exactly(at))
        };
        let of_all = ends.worst.filter(|_| ends.stands_still + ends.never_ends == 0);
        table.row(vec![what.say(lang), at(ends.p50), at(ends.p90), at(ends.p99), at(of_all)]);
    };
    match &run.without {
        Some(without) => {
            row(Rehearsed::WithIt, &run.ends);
            row(Rehearsed::WithoutIt, without);
        }
        None => row(Rehearsed::DoneOf, &run.ends),
    }
    table.write(out);
    write_missed(lang, &clock, &run.deadlines, nights, out);
    write_critical(lang, run, nights, out);
    out.push('\n');
    let from: Vec<(&JobName, TakesFrom)> =
        run.jobs.iter().map(|job| (&job.name, job.takes_from)).collect();
    push(out, 0, &times(lang, &from, true));
    let work = from.iter().filter(|(_, from)| *from != TakesFrom::NoAttempt).count();
    let known = from.iter().filter(|(_, from)| matches!(from, TakesFrom::History { .. })).count();
    if known < work {
        let count = |jobs: usize| u32::try_from(jobs).unwrap_or(u32::MAX);
        push(out, 0, &Rehearsed::NoSpread { jobs: count(known), all: count(work) }.say(lang));
    }
}

fn write_missed(lang: Lang, clock: &Clock<'_>, missed: &[Chance], nights: u32, out: &mut String) {
    if missed.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", Rehearsed::Missed.say(lang));
    let head = [
        Label::Job.say(lang).to_owned(),
        String::new(),
        Rehearsed::Due.say(lang),
        Rehearsed::InNights.say(lang),
        Rehearsed::WithoutIt.say(lang),
    ];
    let mut table = Table::new(&head.each_ref().map(String::as_str), &[3, 4], 2);
    for chance in missed.iter().take(MOST_ROWS) {
        let what = match chance.deadline {
            Deadline::MustStartBy => Label::MustStartBy,
            Deadline::MustCompleteBy => Label::MustCompleteBy,
        };
        let job = chance.job.as_ref().map(ToString::to_string);
        table.row(vec![
            job.unwrap_or_else(|| Rehearsed::WholeRun.say(lang)),
            what.say(lang).to_owned(),
            clock.minute(chance.due),
            share(chance.missed, nights),
            chance.without.map(|without| share(without, nights)).unwrap_or_default(),
        ]);
    }
    table.write(out);
}

fn write_critical(lang: Lang, run: &NightsRun, nights: u32, out: &mut String) {
    if run.critical.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", Rehearsed::MostCritical.say(lang));
    let head = [Label::Job.say(lang).to_owned(), Rehearsed::InShare.say(lang)];
    let mut table = Table::new(&head.each_ref().map(String::as_str), &[1], 2);
    for often in run.critical.iter().take(MOST_ROWS) {
        table.row(vec![often.job.to_string(), share(often.nights, nights)]);
    }
    table.write(out);
}
