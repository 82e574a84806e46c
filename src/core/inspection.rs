//! Rounds of inspections (巡检): which runs are one, and whether a day had as many as the site wants (I1). Days are those of the
//! site's zone; each is counted once, when it is over.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendars, plus};
use super::day_rule::Part;
use super::fact::Fact;
use super::incident::Fault;
use super::night::{Core, Mover};
use super::roster::instant;
use super::state::{Run, Unfit};
use crate::definition::site::{InspectionRules, Kind, Site};
use crate::types::{BatchId, CheckVerdict, Outcome, RunId, Zone};
use crate::wire::Checked;

/// A run of a batch that the site counts: each of its inspections has told what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    pub run: RunId,
    /// The day that it is for: of its start by the schedule, or of its order.
    pub date: Date,
    /// When the last of its inspections had ended.
    pub at: Timestamp,
    /// It ended when its day was over: it counts for no day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Checks by how they came out.
    pub ok: u32,
    pub warn: u32,
    pub fail: u32,
}

/// A day that is over, and how many rounds it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    pub date: Date,
    /// Batches of which rounds were wanted, or done; none on the day on which counting began.
    pub batches: Vec<BatchCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCount {
    pub batch: BatchId,
    pub wanted: u32,
    pub done: u32,
}

/// What was counted so long before its time was counted by a clock that ran ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// What is known of rounds and of days that were counted.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Inspected {
    pub rounds: BTreeMap<RunId, Round>,
    /// With when each was counted.
    pub days: BTreeMap<Date, (Timestamp, Vec<BatchCount>)>,
}

impl Inspected {
    /// Rounds of a batch that count for a day.
    pub fn done(&self, batch: &BatchId, date: Date) -> u32 {
        let of_day =
            |round: &&Round| round.run.batch == *batch && round.date == date && !round.late;
        u32::try_from(self.rounds.values().filter(of_day).count()).unwrap_or(u32::MAX)
    }

    /// Whether a run of the same start, or order, was a round before.
    pub(super) fn knows(&self, run: &RunId) -> bool {
        self.rounds.keys().any(|known| known.batch == run.batch && known.key == run.key)
    }

    /// The last day that was counted by a time: what a clock that ran ahead has counted after it was none.
    pub fn last_counted(&self, now: Timestamp) -> Option<Date> {
        let soon = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let mut counted = self.days.iter().rev().filter(|(_, (at, _))| *at <= soon);
        counted.next().map(|(date, _)| *date)
    }
}

/// Rounds of a batch that a day must have at least. Where a calendar cannot tell whether a rule is for that day, it is.
pub fn wanted(rules: &InspectionRules, calendars: &Calendars, batch: &BatchId, date: Date) -> u32 {
    let of_day = rules.rounds.iter().filter(|rule| {
        let within =
            rule.from.is_none_or(|from| from <= date) && rule.to.is_none_or(|to| date <= to);
        let no = || matches!(calendars.takes_part(&rule.days, None, date), Part::No { .. });
        rule.batch == *batch && within && !no()
    });
    of_day.map(|rule| rule.per_day).max().unwrap_or(0)
}

/// When a day is over.
pub(super) fn end_of(date: Date, zone: &Zone) -> Timestamp {
    instant(plus(date, 1), Time::midnight(), zone)
}

/// How a day stands, whether it is over or not.
pub fn count(site: &Site, calendars: &Calendars, known: &Inspected, date: Date) -> DayCount {
    let mut batches: Vec<BatchCount> = Vec::new();
    for rule in site.inspections.iter().flat_map(|rules| &rules.rounds) {
        if batches.iter().any(|count| count.batch == rule.batch) {
            continue;
        }
        let batch = rule.batch.clone();
        let rules = site.inspections.as_ref();
        let wanted = rules.map_or(0, |rules| wanted(rules, calendars, &batch, date));
        let done = known.done(&batch, date);
        batches.push(BatchCount { batch, wanted, done });
    }
    batches.retain(|count| count.wanted > 0 || count.done > 0);
    DayCount { date, batches }
}

/// What the last attempt of a job that has told of its checks found.
pub fn checks_of(run: &Run, index: usize) -> Option<(&[Checked], Timestamp)> {
    let mut ended = run.jobs[index].attempts.iter().rev().filter_map(|one| one.ended.as_ref());
    ended.find_map(|ended| Some((ended.checks()?, ended.ended)))
}

/// A run as a round; `None`: it is none, or not yet. One of which a part was asked for is none.
pub(super) fn round_of(run: &Run) -> Option<Round> {
    let rules = run.site.inspections.as_ref()?;
    let counts = rules.rounds.iter().any(|rule| rule.batch == run.batch.id);
    if !counts || run.opened.trial || !run.opened.only.is_empty() {
        return None;
    }
    let mut found: Vec<(&[Checked], Timestamp)> = Vec::new();
    let inspects = |index: &usize| matches!(run.job(*index).kind, Kind::Inspect { .. });
    for index in (0..run.jobs.len()).filter(inspects) {
        match run.jobs[index].phase.outcome()? {
            Outcome::NotScheduled => {}
            _ => found.push(checks_of(run, index)?),
        }
    }
    let at = found.iter().map(|(_, ended)| *ended).max()?;
    let zone = &run.site.zone;
    let date = zone.tz().to_datetime(run.opened.scheduled.unwrap_or(run.opened_at)).date();
    let all = found.iter().flat_map(|(checks, _)| checks.iter());
    let of = |verdict: CheckVerdict| {
        let count = all.clone().filter(|check| check.verdict == verdict).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    Some(Round {
        run: run.id().clone(),
        date,
        at,
        late: at >= end_of(date, zone),
        ok: of(CheckVerdict::Ok),
        warn: of(CheckVerdict::Warn),
        fail: of(CheckVerdict::Fail),
    })
}

/// The day that is to be counted now. The first is one that nothing is wanted of: counting begins with the day after it. While
/// the site wants no rounds days have none, so that a rule asks for nothing of a time before it.
pub(super) fn due(
    site: &Site,
    calendars: &Calendars,
    known: &Inspected,
    now: Timestamp,
) -> Option<DayCount> {
    let Some(last) = known.last_counted(now) else {
        let date = site.zone.tz().to_datetime(now).date();
        return site.inspections.is_some().then_some(DayCount { date, batches: Vec::new() });
    };
    let date = plus(last, 1);
    (end_of(date, &site.zone) <= now).then(|| count(site, calendars, known, date))
}

impl Core {
    /// When a day is to be counted, for a supervisor that serves.
    pub(super) fn inspections_due(&self) -> Option<Timestamp> {
        let (site, _) = self.serves_by()?;
        // By the time of the last look, so that a clock that was ahead puts nothing off once it is right again.
        let seen = self.incidents_seen.unwrap_or(Timestamp::MAX);
        let last = self.state.standing.inspected.last_counted(seen)?;
        Some(end_of(plus(last, 1), &site.zone))
    }
}

impl Mover<'_> {
    /// Days that are over are counted, each once; what lacks is an incident. What hosts have to tell of is heard first.
    pub(super) fn count_inspections(&mut self) -> Result<(), Unfit> {
        while !self.core.hears_hosts_first() {
            let known = &self.core.state.standing.inspected;
            let Some((site, calendars)) = self.core.serves_by() else { return Ok(()) };
            let Some(counted) = due(site, calendars, known, self.now.wall) else { return Ok(()) };
            let severity = site.inspections.as_ref().map(|rules| rules.severity);
            self.emit(Fact::InspectionsCounted(Box::new(counted.clone())))?;
            for BatchCount { batch, wanted, done } in counted.batches {
                if let Some(severity) = severity.filter(|_| done < wanted) {
                    let date = counted.date;
                    let fault = Fault::RoundsMissed { batch, date, wanted, done };
                    self.fault_of_site(fault, severity)?;
                }
            }
        }
        Ok(())
    }

    /// A run may have become a round: its last inspection has told what it found, or it is over.
    pub(super) fn note_round(&mut self, run: &RunId) -> Result<(), Unfit> {
        let known = self.core.state.standing.inspected.knows(run);
        match round_of(self.core.state.run(run)?).filter(|_| !known) {
            Some(round) => self.emit(Fact::RoundInspected(Box::new(round))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "inspection_tests.rs"]
mod tests;
