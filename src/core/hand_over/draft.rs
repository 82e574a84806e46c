//! What a shift leaves to the next, from the record: points that are open, and what the coming hours bring. The words of
//! people stand beside it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::core::calendar_use::calendars_used;
use crate::core::fact::{Action, Deadline};
use crate::core::forecast;
use crate::core::incident::{Clock, Fault, IncidentStep};
use crate::core::night::Core;
use crate::core::phase::Phase;
use crate::core::schedule;
use crate::core::state::Run;
use crate::types::{
    BatchId, CalendarName, DrillName, FreezeId, IncidentId, JobName, Now, PersonId, RequestId,
    RunId, Severity, Text,
};

/// Kept in the journal when somebody accepts, so that what was handed over can be read years later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Draft {
    pub incidents: Vec<OpenIncident>,
    /// Jobs and changes whose outcome nobody can know yet.
    pub doubts: Vec<Doubt>,
    pub holds: Vec<HoldKept>,
    pub freezes: Vec<FreezeKept>,
    /// What waits for a second person.
    pub requests: Vec<RequestId>,
    pub running: Vec<Running>,
    /// Starts of schedules before the next shift is over, the next one first.
    pub ahead: Vec<AheadStart>,
    /// Deadlines that will be missed, as far as expected times tell.
    pub at_risk: Vec<AtRisk>,
    /// Drills that are due soon, or overdue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drills: Vec<DrillAhead>,
    /// Calendars whose data end soon.
    pub calendars: Vec<CalendarEnd>,
    /// What people noted since the shift began, the first first.
    pub notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OpenIncident {
    pub incident: IncidentId,
    pub severity: Severity,
    pub fault: Fault,
    pub run: Option<RunId>,
    pub job: Option<JobName>,
    pub opened: Timestamp,
    /// Who takes care of it.
    pub owner: Option<PersonId>,
    /// Nobody is told of it until then.
    pub muted: Option<Timestamp>,
    /// Limits that are not met yet.
    pub clocks: Vec<Clock>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Doubt {
    pub run: RunId,
    pub job: JobName,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HoldKept {
    pub run: RunId,
    pub job: JobName,
    pub by: PersonId,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FreezeKept {
    /// `None`: declared in the job files.
    pub freeze: Option<FreezeId>,
    pub from: Timestamp,
    pub to: Timestamp,
    pub reason: Text,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Running {
    pub run: RunId,
    pub opened: Timestamp,
    /// By the usual durations; `None`: it does not come to its end by itself.
    pub expected_end: Option<Timestamp>,
    pub due: Option<Timestamp>,
    /// Jobs that are not over.
    pub open_jobs: u32,
    /// Why its window is overridden, where it is.
    pub window_override: Option<String>,
    /// Who has released its changes.
    pub released_by: Option<PersonId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AheadStart {
    pub at: Timestamp,
    pub batch: BatchId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AtRisk {
    pub run: RunId,
    pub job: Option<JobName>,
    pub deadline: Deadline,
    pub due: Timestamp,
    pub expected: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CalendarEnd {
    pub calendar: CalendarName,
    pub last: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DrillAhead {
    pub drill: DrillName,
    pub title: Text,
    /// The last date on which it is in time.
    pub due: Date,
    pub overdue: bool,
}

/// What somebody has noted about a run, a job or an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Note {
    pub at: Timestamp,
    pub by: PersonId,
    /// `eod@2026-10-30#1`, `eod@2026-10-30#1 load`, `INC-3`.
    pub on: String,
    pub text: String,
}

impl Draft {
    /// As the record stands. `since`: when the shift began; `until`: how far ahead the next one looks; `noted`: notes about
    /// runs that are not at hand any more.
    pub fn of(
        core: &Core,
        (since, until): (Timestamp, Timestamp),
        noted: &[Note],
        now: Now,
    ) -> Self {
        let state = core.state();
        let real = || state.runs.values().filter(|run| !run.opened.trial);
        // Where the night cannot be looked ahead of, what is known is handed over all the same.
        let ahead = forecast::of_night(core, now).unwrap_or_default();
        let mut notes: Vec<Note> = noted.iter().filter(|note| note.at >= since).cloned().collect();
        notes.extend(real().flat_map(|run| of_run(run, since)));
        notes.extend(of_incidents(core, since));
        notes.sort_by(|a, b| (a.at, &a.on, &a.text).cmp(&(b.at, &b.on, &b.text)));
        notes.dedup();
        let late = forecast::late(state, &ahead, now.wall).into_iter();
        let waiting = state.standing.requests.iter();
        Self {
            incidents: incidents(core),
            doubts: real().flat_map(doubts).collect(),
            holds: real().flat_map(holds).collect(),
            freezes: freezes(core, now.wall),
            requests: waiting
                .filter(|(_, asked)| asked.until > now.wall && asked.given.is_none())
                .map(|(id, _)| *id)
                .collect(),
            running: real()
                .filter(|run| run.result.is_none())
                .map(|run| running(run, ahead.runs.get(run.id()).and_then(|run| run.end)))
                .collect(),
            ahead: starts_ahead(core, now.wall, until),
            at_risk: late
                .map(|l| AtRisk {
                    run: l.run,
                    job: l.job,
                    deadline: l.deadline,
                    due: l.due,
                    expected: l.expected,
                })
                .collect(),
            drills: drills(core, now.wall),
            calendars: calendars(core, now.wall),
            notes,
        }
    }
}

fn incidents(core: &Core) -> Vec<OpenIncident> {
    let open = core.state().unfinished().filter(|known| known.is_open() && !known.what.trial);
    open.map(|known| OpenIncident {
        incident: known.what.incident,
        severity: known.severity,
        fault: known.what.fault.clone(),
        run: known.what.run.clone(),
        job: known.what.job.clone(),
        opened: known.opened,
        owner: known.owner.clone(),
        muted: known.muted,
        clocks: known
            .clocks
            .iter()
            .filter(|(_, clock)| clock.met.is_none())
            .map(|(kind, clock)| Clock { kind: *kind, due: clock.due })
            .collect(),
    })
    .collect()
}

fn doubts(run: &Run) -> impl Iterator<Item = Doubt> {
    run.jobs.iter().enumerate().filter_map(|(index, job)| match &job.phase {
        Phase::InDoubt { why } => Some(Doubt {
            run: run.id().clone(),
            job: run.job(index).name.clone(),
            why: why.clone(),
        }),
        _ => None,
    })
}

fn holds(run: &Run) -> impl Iterator<Item = HoldKept> {
    let open = run.jobs.iter().enumerate().filter(|(_, job)| job.phase.outcome().is_none());
    open.filter_map(|(index, job)| {
        let held = job.held.as_ref()?;
        let (by, reason) = (held.by.clone(), held.reason.clone());
        Some(HoldKept { run: run.id().clone(), job: run.job(index).name.clone(), by, reason })
    })
}

fn freezes(core: &Core, now: Timestamp) -> Vec<FreezeKept> {
    let declared = core.on_call().into_iter().flat_map(|on_call| &on_call.site.freezes);
    let declared = declared.map(|freeze| (None, freeze));
    let ordered = core.state().standing.freezes.iter();
    let ordered = ordered.map(|(id, freeze)| (Some(*id), &freeze.what));
    let all = declared.chain(ordered).filter(|(_, freeze)| freeze.to > now);
    all.map(|(id, freeze)| FreezeKept {
        freeze: id,
        from: freeze.from,
        to: freeze.to,
        reason: freeze.reason.clone(),
    })
    .collect()
}

fn running(run: &Run, expected_end: Option<Timestamp>) -> Running {
    Running {
        run: run.id().clone(),
        opened: run.opened_at,
        expected_end,
        due: run.due(None, Deadline::MustCompleteBy),
        open_jobs: u32::try_from(run.unsettled).unwrap_or(u32::MAX),
        window_override: run.opened.window_override.clone(),
        released_by: run.crew.executor.clone(),
    }
}

/// Starts of the site's schedules, the next one first.
pub fn starts_ahead(core: &Core, from: Timestamp, until: Timestamp) -> Vec<AheadStart> {
    let Some(on_call) = core.on_call() else { return Vec::new() };
    let mut starts: Vec<AheadStart> = Vec::new();
    for batch in on_call.site.batches.values() {
        let Some(schedule) = &batch.schedule else { continue };
        let calendar = batch.calendar.as_ref();
        let of_batch = schedule::starts(schedule, &on_call.calendars, calendar, from, until);
        let start = |start: schedule::Start| AheadStart { at: start.at, batch: batch.id.clone() };
        starts.extend(of_batch.into_iter().map(start));
    }
    starts.sort_by(|a, b| (a.at, &a.batch).cmp(&(b.at, &b.batch)));
    starts
}

fn drills(core: &Core, now: Timestamp) -> Vec<DrillAhead> {
    let Some(site) = core.on_call().map(|on_call| &on_call.site) else { return Vec::new() };
    let declared = site.escalation.iter().flat_map(|escalation| &escalation.drills);
    let ahead = declared.filter_map(|(name, drill)| {
        let stands = core.state().drill_stands((name, drill), &site.zone, now);
        let soon = stands.under_way.is_none() && core.is_soon(stands.due, now);
        let (drill, title) = (name.clone(), drill.title.clone());
        soon.then_some(DrillAhead { drill, title, due: stands.due, overdue: stands.overdue })
    });
    ahead.collect()
}

/// Calendars that some batch cannot do without and whose data end within a month.
fn calendars(core: &Core, now: Timestamp) -> Vec<CalendarEnd> {
    let Some(on_call) = core.on_call() else { return Vec::new() };
    let site = &on_call.site;
    let today = site.zone.tz().to_datetime(now).date();
    let used = site.batches.values().flat_map(|batch| calendars_used(site, batch));
    let used: std::collections::BTreeSet<&CalendarName> = used.collect();
    let ends = used.into_iter().filter(|name| on_call.calendars.ends_soon(name, today).is_some());
    ends.map(|name| CalendarEnd {
        calendar: name.clone(),
        last: on_call.calendars.range(name).map(|(_, last)| last),
    })
    .collect()
}

/// Notes about a run since an instant.
fn of_run(run: &Run, since: Timestamp) -> Vec<Note> {
    let acts = run.acts.iter().filter(|act| act.at >= since);
    acts.filter_map(|act| {
        let Action::Note { job, text } = &act.action else { return None };
        let on = match job {
            Some(job) => format!("{} {job}", run.id()),
            None => run.id().to_string(),
        };
        Some(Note { at: act.at, by: act.by.clone(), on, text: text.clone() })
    })
    .collect()
}

fn of_incidents(core: &Core, since: Timestamp) -> impl Iterator<Item = Note> {
    let known = core.state().incidents.values().filter(|incident| !incident.what.trial);
    known.flat_map(move |incident| {
        let steps = incident.steps.iter().filter(move |taken| taken.at >= since);
        steps.filter_map(|taken| {
            let IncidentStep::Noted = taken.step else { return None };
            Some(Note {
                at: taken.at,
                by: taken.by.clone()?,
                on: incident.what.incident.to_string(),
                text: taken.reason.clone(),
            })
        })
    })
}
