//! Inspections (巡检) of some days: how many rounds there were, and what each has found (I1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::core::calendar::Calendars;
use crate::core::inspection::{self, DayCount, Inspected, Round};
use crate::definition::site::Site;
use crate::types::{BatchId, JobName, RunId, Text, Zone};
use crate::wire::Checked;

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct InspectionsView {
    pub site: Text,
    /// Zone of the days, and of the times that are written for people.
    pub zone: Zone,
    pub from: Date,
    pub to: Date,
    /// Rounds that were missed on days that are over.
    pub missed: u32,
    /// Days of which rounds are wanted, or done, the first one first.
    pub days: Vec<InspectionDay>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct InspectionDay {
    pub date: Date,
    pub batch: BatchId,
    pub title: Text,
    pub wanted: u32,
    pub done: u32,
    /// `null`: the day is not over.
    pub missed: Option<u32>,
    /// In the order of their ends.
    pub rounds: Vec<RoundLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RoundLine {
    pub run: RunId,
    pub at: Timestamp,
    /// It ended when its day was over, and counts for none.
    pub late: bool,
    pub ok: u32,
    pub warn: u32,
    pub fail: u32,
    /// What its jobs have found; empty where its run was archived.
    pub jobs: BTreeMap<JobName, Vec<Checked>>,
}

/// Results of the jobs of a round.
pub type Results = BTreeMap<RunId, BTreeMap<JobName, Vec<Checked>>>;

/// Rounds of these days.
pub fn rounds_of(known: &Inspected, (from, to): (Date, Date)) -> impl Iterator<Item = &Round> {
    known.rounds.values().filter(move |round| from <= round.date && round.date <= to)
}

/// A day that was not counted: it is not over, or was before counting began, when nothing was wanted.
fn as_it_stands(
    site: &Site,
    calendars: &Calendars,
    known: &Inspected,
    (date, over): (Date, bool),
) -> DayCount {
    let mut count = inspection::count(site, calendars, known, date);
    if over {
        count.batches.iter_mut().for_each(|line| line.wanted = 0);
        count.batches.retain(|line| line.done > 0);
    }
    count
}

/// What days had, as they were counted; of those that are not over, as the site wants it now.
pub fn of(
    site: &Site,
    known: &Inspected,
    ((from, to), now): ((Date, Date), Timestamp),
    mut results: Results,
) -> InspectionsView {
    let calendars = Calendars::new(&site.calendars);
    let mut days = Vec::new();
    for date in from.series(jiff::ToSpan::days(1)).take_while(|date| *date <= to) {
        let over = known.last_counted(now).is_some_and(|last| date <= last);
        let counted = known.days.get(&date).filter(|(_, lines)| over && !lines.is_empty());
        let count = counted.map_or_else(
            || as_it_stands(site, &calendars, known, (date, over)),
            |(_, lines)| DayCount { date, batches: lines.clone() },
        );
        for line in count.batches {
            let of_batch = rounds_of(known, (date, date)).filter(|r| r.run.batch == line.batch);
            let mut rounds: Vec<RoundLine> = of_batch
                .map(|round| RoundLine {
                    run: round.run.clone(),
                    at: round.at,
                    late: round.late,
                    ok: round.ok,
                    warn: round.warn,
                    fail: round.fail,
                    jobs: results.remove(&round.run).unwrap_or_default(),
                })
                .collect();
            rounds.sort_by(|a, b| (a.at, &a.run).cmp(&(b.at, &b.run)));
            let title = site.batches.get(&line.batch).map(|batch| batch.title.clone());
            days.push(InspectionDay {
                date,
                title: title.unwrap_or_else(|| Text::en(line.batch.as_str())),
                batch: line.batch,
                wanted: line.wanted,
                done: line.done,
                missed: over.then(|| line.wanted.saturating_sub(line.done)),
                rounds,
            });
        }
    }
    let missed = days.iter().filter_map(|day| day.missed).sum();
    let (site, zone) = (site.title.clone(), site.zone.clone());
    InspectionsView { site, zone, from, to, missed, days }
}
