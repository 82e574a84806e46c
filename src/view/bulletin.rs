//! A bulletin (每日通告): what happened in a time, how things stand, what comes (E5, N2).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Who;
use super::change_stats::Recurring;
use super::drill::{self, DrillLine};
use super::hand_over::HandOverLine;
use super::of_hand_over;
use super::starts::Missed;
use crate::core::calendar::Calendars;
use crate::core::change::ChangeStep;
use crate::core::fact::RunResult;
use crate::core::hand_over::{AheadStart, starts_ahead};
use crate::core::incident::{Fault, Incident};
use crate::core::manuals::{Unreviewed, unreviewed};
use crate::core::night::Core;
use crate::core::roster::Roster;
use crate::definition::site::Site;
use crate::types::{
    BatchId, BusinessDate, ChangeId, ClockKind, IncidentId, JobName, RunId, Severity, Span, Text,
    Zone,
};
use crate::wire::ChangeState;

/// How far behind its end a bulletin looks ahead.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BulletinView {
    pub site: Text,
    /// Zone of the times that are written for people.
    pub zone: Zone,
    /// The time that it tells of.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Real runs that were under way at some time of it, the first opened first.
    pub runs: Vec<RunTold>,
    /// Starts that were told as missed in it.
    pub missed: Vec<Missed>,
    /// Those that were opened or closed in it, or are open at its end.
    pub incidents: Vec<IncidentTold>,
    /// Drills that were held in it, and those that are due soon, or overdue: they count as no incident.
    pub drills: Vec<DrillLine>,
    /// Runbooks whose review is overdue (E4).
    pub manuals: Vec<Unreviewed>,
    /// Rounds of inspections of the days that were counted in it (I1).
    pub rounds: Vec<RoundsTold>,
    /// Changes that were executed in it.
    pub changes: Vec<ChangeExecuted>,
    /// Data changes that were done once more in it, though the defect behind them should be put right (D14).
    pub recurring: Vec<Recurring>,
    /// Who was on shift, the first that began first.
    pub shifts: Vec<ShiftTold>,
    /// Of these a calendar does not say who had them, or when.
    pub unknown_shifts: u32,
    /// Hand-overs that nobody had accepted at its end.
    pub hand_overs: Vec<HandOverLine>,
    /// Starts of schedules in the 24 hours after it.
    pub ahead: Vec<AheadStart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RunTold {
    pub run: RunId,
    pub business_date: BusinessDate,
    pub opened: Timestamp,
    pub ended: Option<Timestamp>,
    /// `null`: it is under way.
    pub result: Option<RunResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IncidentTold {
    pub incident: IncidentId,
    pub severity: Severity,
    pub fault: Fault,
    pub run: Option<RunId>,
    pub job: Option<JobName>,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub owner: Option<Who>,
    /// From its opening until somebody acknowledged it, and until it was over (E3).
    pub response: Option<Span>,
    pub solution: Option<Span>,
    /// Limits that were missed.
    pub missed: Vec<ClockKind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RoundsTold {
    pub date: Date,
    pub batch: BatchId,
    pub wanted: u32,
    pub done: u32,
}

impl RoundsTold {
    pub fn missed(&self) -> u32 {
        self.wanted.saturating_sub(self.done)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ChangeExecuted {
    pub change: ChangeId,
    pub environment: String,
    pub state: ChangeState,
    pub ended: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ShiftTold {
    pub shift: Text,
    pub from: Timestamp,
    pub to: Timestamp,
    pub people: Vec<Who>,
}

/// `None`: no site is known here. Incidents, changes and hand-overs are those of the core. `runs`: real ones, as they stand
/// now; those of another time are left out.
pub fn of(
    core: &Core,
    (from, to): (Timestamp, Timestamp),
    runs: Vec<RunTold>,
    (missed, recurring): (Vec<Missed>, Vec<Recurring>),
) -> Option<BulletinView> {
    let site = &core.on_call()?.site;
    let within = |at: Timestamp| from < at && at <= to;
    let runs = runs.into_iter().filter(|run| {
        within(run.opened) || (run.opened <= to && run.ended.is_none_or(|ended| from < ended))
    });
    let (shifts, unknown_shifts) = shifts(site, (from, to));
    let until = to.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    Some(BulletinView {
        site: site.title.clone(),
        zone: site.zone.clone(),
        from,
        to,
        runs: runs.map(|run| as_of(run, to)).collect(),
        missed,
        incidents: incidents(core, site, (from, to)),
        drills: drills(core, (from, to)),
        manuals: unreviewed(site, site.zone.tz().to_datetime(to).date()),
        rounds: rounds(core, (from, to)),
        changes: changes(core, (from, to)),
        recurring,
        shifts,
        unknown_shifts,
        hand_overs: of_hand_over::open_at(core, to),
        ahead: starts_ahead(core, to, until),
    })
}

/// As it stood at the end of the time.
fn as_of(run: RunTold, to: Timestamp) -> RunTold {
    let ended = run.ended.filter(|ended| *ended <= to);
    RunTold { ended, result: run.result.filter(|_| ended.is_some()), ..run }
}

fn incidents(core: &Core, site: &Site, (from, to): (Timestamp, Timestamp)) -> Vec<IncidentTold> {
    let known = core.state().incidents.values();
    let known = known.filter(|known| !known.what.trial && !known.is_drill());
    let told =
        known.filter(|known| known.opened <= to && known.closed.is_none_or(|closed| from < closed));
    told.filter_map(|known| known.as_of(to)).map(|known| incident(site, &known)).collect()
}

fn drills(core: &Core, (from, to): (Timestamp, Timestamp)) -> Vec<DrillLine> {
    let mut lines = drill::list(core, to);
    for line in &mut lines {
        line.held.retain(|held| held.is_of((from, to)));
        line.due = line.due.filter(|due| core.is_soon(*due, to));
    }
    lines.retain(|line| !line.held.is_empty() || line.due.is_some() || line.under_way.is_some());
    lines
}

fn rounds(core: &Core, (from, to): (Timestamp, Timestamp)) -> Vec<RoundsTold> {
    let days = core.state().standing.inspected.days.iter();
    let counted = days.filter(|(_, (at, _))| from < *at && *at <= to);
    let lines = counted.flat_map(|(date, (_, batches))| {
        batches.iter().map(|line| RoundsTold {
            date: *date,
            batch: line.batch.clone(),
            wanted: line.wanted,
            done: line.done,
        })
    });
    lines.collect()
}

fn incident(site: &Site, known: &Incident) -> IncidentTold {
    let passed = |at: Timestamp| {
        Span::of(std::time::Duration::try_from(at.duration_since(known.opened)).unwrap_or_default())
    };
    let missed = known.clocks.iter().filter(|(_, clock)| clock.is_missed());
    IncidentTold {
        incident: known.what.incident,
        severity: known.severity,
        fault: known.what.fault.clone(),
        run: known.what.run.clone(),
        job: known.what.job.clone(),
        opened: known.opened,
        closed: known.closed,
        owner: known.owner.as_ref().map(|id| Who::of(site, id)),
        response: known.acknowledged.map(passed),
        solution: known.closed.map(passed),
        missed: missed.map(|(kind, _)| *kind).collect(),
    }
}

fn changes(core: &Core, (from, to): (Timestamp, Timestamp)) -> Vec<ChangeExecuted> {
    let mut executed = Vec::new();
    for (change, life) in &core.state().standing.changes {
        let ended = life.steps.iter().filter_map(|taken| match &taken.step {
            ChangeStep::Ended { ended } => Some(ended),
            _ => None,
        });
        executed.extend(ended.filter(|ended| from < ended.ended && ended.ended <= to).map(
            |ended| ChangeExecuted {
                change: change.clone(),
                environment: ended.environment.clone(),
                state: ended.state,
                ended: ended.ended,
            },
        ));
    }
    executed.sort_by(|a, b| (a.ended, &a.change).cmp(&(b.ended, &b.change)));
    executed
}

/// Shifts that overlap the time, as the roster says now.
fn shifts(site: &Site, (from, to): (Timestamp, Timestamp)) -> (Vec<ShiftTold>, u32) {
    let calendars = Calendars::new(&site.calendars);
    let date = |at: Timestamp| site.zone.tz().to_datetime(at).date();
    let first = date(from).checked_sub(jiff::Span::new().days(2)).unwrap_or_else(|_| date(from));
    let known = Roster::new(site, &calendars).known_between(first, date(to));
    let on = known.on.into_iter().filter(|on| on.from < to && from < on.to);
    let told = on.map(|on| ShiftTold {
        shift: site
            .duty
            .shifts
            .get(&on.shift)
            .map_or_else(|| Text::en(on.shift.as_str()), |shift| shift.title.clone()),
        from: on.from,
        to: on.to,
        people: on.people.iter().map(|id| Who::of(site, id)).collect(),
    });
    (told.collect(), u32::try_from(known.unknown.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
#[path = "bulletin_tests.rs"]
mod tests;
