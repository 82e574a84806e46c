//! Incidents in the terminal: the list, and all of one.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::clock::Clock;
use super::incident_part::offered;
use super::incident_words::{about, headline, kind, limit, meaning, room_name, step};
use super::table::{PAGE, Table, one_line, wrap};
use super::words::{Incidents, Label, list, pair, remarks};
use crate::core::incident::IncidentStep;
use crate::types::{ChannelName, Lang, Zone};
use crate::view::incident::{IncidentLine, IncidentView, Which};

/// `nightrun incident list`.
pub fn list_text(
    lang: Lang,
    (zone, now): (&Zone, Timestamp),
    which: Which,
    lines: &[IncidentLine],
) -> String {
    match which {
        _ if !lines.is_empty() => {}
        Which::Open => return Incidents::NoneOpen.say(lang),
        Which::Unfinished | Which::All => return Incidents::NoneSuch.say(lang),
    }
    let clock = Clock::new(zone, now);
    let mut table = Table::new(&["", "", "", "", ""], &[], 0);
    for line in lines {
        let owner = line.owner.as_ref().map(|who| who.name.get(lang).to_owned());
        let standing = match line.closed {
            Some(at) => pair(lang, &Incidents::Closed.say(lang), &clock.full(at)),
            None => owner.unwrap_or_else(|| Incidents::Nobody.say(lang)),
        };
        table.row(vec![
            line.id.to_string(),
            line.severity.name().to_uppercase(),
            clock.full(line.opened),
            standing,
            title(lang, &clock, line),
        ]);
    }
    let mut out = String::new();
    table.write(&mut out);
    out.trim_end().to_owned()
}

pub(super) fn title(lang: Lang, clock: &Clock<'_>, line: &IncidentLine) -> String {
    let what = about(line.run.as_ref().map(|run| &run.batch), line.job.as_ref());
    let mut title = headline(lang, clock, &what, &line.fault);
    if let Some(run) = &line.run {
        let _ = write!(title, " ({run})");
    }
    title
}

/// `nightrun incident show INC-3`.
pub fn text(lang: Lang, view: &IncidentView) -> String {
    let clock = Clock::new(&view.zone, view.line.opened);
    let mut out = String::new();
    let mut push = |indent: usize, text: &str| {
        for line in text.lines().flat_map(|line| wrap(&one_line(line), PAGE - indent)) {
            let _ = writeln!(out, "{:indent$}{line}", "");
        }
    };
    let line = &view.line;
    let grade = line.severity.name().to_uppercase();
    push(0, &format!("{} [{grade}] {}", line.id, title(lang, &clock, line)));
    let owner = line.owner.as_ref().map(|who| who.name.get(lang).to_owned());
    let mut standing = vec![kind(lang, line.kind)];
    standing.push(match line.closed {
        Some(at) => pair(lang, &Incidents::Closed.say(lang), &clock.full(at)),
        None => owner.unwrap_or_else(|| Incidents::Nobody.say(lang)),
    });
    if let Some(next) = view.next {
        standing.push(Incidents::NextAt { at: &clock.full(next) }.say(lang));
    }
    push(0, &remarks(lang, &standing));
    meaning(lang, view).iter().for_each(|means| push(0, means));
    for impact in impact(lang, &clock, view) {
        push(2, &impact);
    }
    for clock_line in &view.clocks {
        push(2, &limit(lang, &clock, clock_line));
    }
    let offers = offered(lang, view);
    if !offers.is_empty() {
        let _ = writeln!(out, "\n{}", Label::YouCan.say(lang));
    }
    for (what, command) in offers {
        let _ = writeln!(out, "  {}", pair(lang, &what, "").trim_end());
        let _ = writeln!(out, "      {command}");
    }
    let _ = writeln!(out);
    let mut table = Table::new(&["", "", ""], &[], 2);
    for (at, who, what) in timeline(lang, &clock, view) {
        table.row(vec![at, who, what]);
    }
    table.write(&mut out);
    out.trim_end().to_owned()
}

/// What it blocks, endangers and interrupts.
pub(super) fn impact(lang: Lang, clock: &Clock<'_>, view: &IncidentView) -> Vec<String> {
    let mut lines = Vec::new();
    if !view.line.blocks.is_empty() {
        let count = u32::try_from(view.line.blocks.len()).unwrap_or(u32::MAX);
        let names = list(lang, &view.line.blocks);
        lines.push(super::words::Fault::Blocks { count, list: &names }.say(lang));
    }
    for risk in &view.at_risk {
        let due = &clock.full(risk.due);
        let batch = view.line.run.as_ref().map(|run| run.batch.as_str()).unwrap_or_default();
        lines.push(match &risk.job {
            Some(job) => Incidents::AtRiskJob { job: job.as_str(), due }.say(lang),
            None => Incidents::AtRiskRun { batch, due }.say(lang),
        });
    }
    lines
}

/// When, who, what; its opening first and its end last.
pub(super) fn timeline(
    lang: Lang,
    clock: &Clock<'_>,
    view: &IncidentView,
) -> Vec<(String, String, String)> {
    let name = |who: &crate::view::Who| who.name.get(lang).to_owned();
    let at_risk = u32::try_from(view.at_risk.len()).unwrap_or(u32::MAX);
    let opened = match &view.by {
        Some(_) => Incidents::OpenedBy.say(lang),
        None => Incidents::OpenedItself { at_risk }.say(lang),
    };
    let by = view.by.as_ref().map(name).unwrap_or_default();
    let mut lines = vec![(view.line.opened, by, opened)];
    let people = view.line.told.iter().take(first_told(view)).map(name);
    let rooms = first_rooms(view).map(|room| room_name(lang, room));
    let first: Vec<String> = people.chain(rooms).collect();
    if !first.is_empty() {
        let people = &list(lang, &first);
        lines.push((view.line.opened, String::new(), Incidents::ToldPeople { people }.say(lang)));
    }
    let steps = view.steps.iter();
    lines.extend(steps.map(|line| {
        (line.at, line.by.as_ref().map(name).unwrap_or_default(), step(lang, clock, line))
    }));
    let by_a_person =
        view.steps.iter().any(|line| Some(line.at) == view.line.closed && line.by.is_some());
    if let Some(at) = view.line.closed.filter(|_| !by_a_person) {
        let place = lines.partition_point(|(before, ..)| *before <= at);
        lines.insert(place, (at, String::new(), Incidents::Closed.say(lang)));
    }
    lines.into_iter().map(|(at, who, what)| (clock.full(at), who, what)).collect()
}

/// Rooms that were told at its opening.
fn first_rooms(view: &IncidentView) -> impl Iterator<Item = &ChannelName> {
    let later = |room: &ChannelName| {
        view.steps.iter().any(|line| match &line.step {
            IncidentStep::Told { rooms, .. } => rooms.contains(room),
            _ => false,
        })
    };
    view.line.rooms.iter().filter(move |room| !later(room))
}

/// How many of those who were told were told at its opening.
fn first_told(view: &IncidentView) -> usize {
    let later: std::collections::BTreeSet<&crate::types::PersonId> =
        view.steps.iter().flat_map(|line| &line.told).map(|who| &who.id).collect();
    view.line.told.iter().take_while(|who| !later.contains(&who.id)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{in_both, worked_on};

    #[test]
    fn all_of_an_incident() {
        insta::assert_snapshot!(in_both(|lang| text(lang, &worked_on())));
    }

    #[test]
    fn a_list_has_a_line_for_each() {
        let view = worked_on();
        let now = view.line.opened;
        let all = [view.line.clone(), IncidentLine { closed: Some(now), ..view.line.clone() }];
        insta::assert_snapshot!(in_both(|lang| list_text(
            lang,
            (&view.zone, now),
            Which::All,
            &all
        )));
    }
}
