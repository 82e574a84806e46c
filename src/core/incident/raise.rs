//! Incidents begin, and take in what follows from them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::escalate::clocks;
use super::{AtRisk, Audience, Fault, Incident, IncidentStep, Opened};
use crate::core::calendar_use::calendars_used;
use crate::core::fact::{Deadline, Fact};
use crate::core::night::{Command, Mover, Notice};
use crate::core::state::{Run, Unfit};
use crate::types::{
    HandOverId, HostName, IncidentId, IncidentKind, JobName, Outcome, PersonId, PolicyName, RunId,
    Severity,
};

/// What an incident is opened with; the rest follows from the site.
pub(super) struct Draft {
    pub run: Option<RunId>,
    pub job: Option<JobName>,
    pub fault: Fault,
    pub kind: IncidentKind,
    pub severity: Severity,
    pub by: Option<PersonId>,
    /// Who is told beside those whom the policy names.
    pub also: Vec<PersonId>,
}

impl Draft {
    pub(super) fn of_site(fault: Fault, severity: Severity) -> Self {
        let (kind, also) = (IncidentKind::Fault, Vec::new());
        Self { run: None, job: None, fault, kind, severity, by: None, also }
    }
}

impl Mover<'_> {
    /// A critical job stays failed, or cannot be known: one incident for as long as it is open.
    pub(in crate::core) fn fault(
        &mut self,
        run: &RunId,
        index: usize,
        fault: Fault,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let job = state.job(index);
        if !job.critical {
            return Ok(());
        }
        let (name, blocks) = (job.name.clone(), blocked(state, index));
        if let Some(open) = self.about_job(run, &name) {
            return self.repeat(open, Some(name), fault, blocks);
        }
        let severity = graded(state, Some(index), &blocks);
        let draft = Draft {
            run: Some(run.clone()),
            job: Some(name),
            fault,
            kind: IncidentKind::Fault,
            severity,
            by: None,
            also: Vec::new(),
        };
        self.open_incident(draft)
    }

    fn about_job(&self, run: &RunId, job: &JobName) -> Option<IncidentId> {
        let mut open = self.core.state.unfinished();
        let found = open.find(|incident| {
            incident.is_open() && incident.what.run.as_ref() == Some(run) && incident.is_about(job)
        });
        found.map(|incident| incident.what.incident)
    }

    /// Whoever refuses a message is told of by others. Where that message told of refusals itself it opens no further
    /// incident: two who refuse would tell of each other for ever. It is part of what it told of while that is open; else
    /// the outbox alone has it.
    pub(in crate::core) fn message_refused(
        &mut self,
        about: Option<IncidentId>,
        to: String,
        why: String,
    ) -> Result<(), Unfit> {
        let fault = Fault::MessageRefused { to, why };
        let told_of = about.and_then(|id| self.core.state.incidents.get(&id));
        match told_of.filter(|known| !known.refused().is_empty()) {
            Some(known) if known.is_open() => {
                self.repeat(known.what.incident, None, fault, Vec::new())
            }
            Some(_) => Ok(()),
            None => self.fault_of_site(fault, Severity::P2),
        }
    }

    /// Something of the whole site is wrong: one incident for as long as it is open.
    pub(in crate::core) fn fault_of_site(
        &mut self,
        fault: Fault,
        severity: Severity,
    ) -> Result<(), Unfit> {
        match self.open_incident_about(&fault) {
            Some(open) => self.repeat(open, None, fault, Vec::new()),
            None => self.open_incident(Draft::of_site(fault, severity)),
        }
    }

    /// A host has been away for longer than its agent takes to be replaced.
    pub(in crate::core) fn miss_hosts(&mut self) -> Result<(), Unfit> {
        let now = self.now.since_boot;
        let away = self.core.away.iter();
        let long: Vec<HostName> = away
            .filter(|(host, since)| now.saturating_sub(**since) >= self.core.away_after(host))
            .map(|(host, _)| host.clone())
            .collect();
        for host in long {
            self.core.away.remove(&host);
            let title = self.core.declared(&host).and_then(|host| host.title.clone());
            let fault = Fault::HostAway { host, title };
            if self.open_incident_about(&fault).is_none() {
                self.open_incident(Draft::of_site(fault, Severity::P1))?;
            }
        }
        Ok(())
    }

    pub(in crate::core) fn host_is_back(&mut self, host: &HostName) -> Result<(), Unfit> {
        self.core.away.remove(host);
        match self.open_incident_about(&Fault::HostAway { host: host.clone(), title: None }) {
            Some(open) => self.close_incident(open),
            None => Ok(()),
        }
    }

    /// Whether the calendars of a batch reach far enough is looked at whenever a run of it is opened.
    pub(in crate::core) fn look_at_calendars(&mut self, run: &RunId) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        if state.opened.trial {
            return Ok(());
        }
        let (site, batch) = (Arc::clone(&state.site), Arc::clone(&state.batch));
        let calendars = Arc::clone(&self.core.rules(run)?.calendars);
        let today = site.zone.tz().to_datetime(self.now.wall).date();
        for calendar in calendars_used(&site, &batch) {
            let last = calendars.range(calendar).map(|(_, last)| last);
            let fault = Fault::CalendarEnds { calendar: calendar.clone(), last };
            let ends = calendars.ends_soon(calendar, today).is_some();
            match (ends, self.open_incident_about(&fault)) {
                (true, None) => self.open_incident(Draft::of_site(fault, Severity::P3))?,
                (false, Some(open)) => self.close_incident(open)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The store could not be written for a while, and can be again.
    pub(in crate::core) fn store_is_back(
        &mut self,
        since: Timestamp,
        why: String,
    ) -> Result<(), Unfit> {
        self.fault_of_site(Fault::StoreAway { since, why }, Severity::P1)?;
        let about = |incident: &Incident| matches!(incident.what.fault, Fault::StoreAway { .. });
        let open = self.core.state.unfinished();
        let open = open.filter(|incident| incident.is_open() && about(incident));
        let open: Vec<IncidentId> = open.map(|incident| incident.what.incident).collect();
        open.into_iter().try_for_each(|incident| self.close_incident(incident))
    }

    /// Nobody has taken over a shift within the limit: both sides and their leads are told, and whom the policy names.
    pub(in crate::core) fn hand_over_is_late(
        &mut self,
        hand_over: HandOverId,
        ended: Timestamp,
        people: Vec<PersonId>,
        severity: Severity,
    ) -> Result<(), Unfit> {
        let mut also = people;
        if let Some(on_call) = &self.core.on_call {
            let leads = on_call.leads(&also).into_iter();
            let new = leads.filter(|lead| on_call.can_be_reached(lead) && !also.contains(lead));
            let new: BTreeSet<PersonId> = new.collect();
            also.extend(new);
        }
        let fault = Fault::HandOver { hand_over, ended };
        self.open_incident(Draft { also, ..Draft::of_site(fault, severity) })
    }

    /// Somebody has accepted it after all.
    pub(in crate::core) fn hand_over_is_taken(&mut self, id: &HandOverId) -> Result<(), Unfit> {
        let open =
            self.core.state.unfinished().filter(|incident| {
                incident.is_open() && incident.what.fault.is_about_hand_over(id)
            });
        let open: Vec<IncidentId> = open.map(|incident| incident.what.incident).collect();
        open.into_iter().try_for_each(|incident| self.close_incident(incident))
    }

    /// A change waits for people: one incident, whether its failure would be one or not.
    pub(in crate::core) fn waits_for_people(
        &mut self,
        run: &RunId,
        index: usize,
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let name = state.job(index).name.clone();
        if let Some(incident) = self.about_job(run, &name) {
            return self.repeat(incident, Some(name), Fault::Waits, Vec::new());
        }
        let severity = graded(state, Some(index), &blocked(state, index));
        let (run, job) = (Some(run.clone()), Some(name));
        let kind = IncidentKind::Fault;
        let (fault, also) = (Fault::Waits, Vec::new());
        self.open_incident(Draft { run, job, fault, kind, severity, by: None, also })
    }

    /// The same again: one step of its incident, so that the night is told once.
    pub(super) fn repeat(
        &mut self,
        incident: IncidentId,
        job: Option<JobName>,
        fault: Fault,
        blocks: Vec<JobName>,
    ) -> Result<(), Unfit> {
        let step = IncidentStep::Repeated { job, fault, blocks };
        self.move_incident(incident, None, String::new(), step)
    }

    fn open_incident_about(&self, fault: &Fault) -> Option<IncidentId> {
        let mut known = self.core.state.unfinished();
        let open = known.find(|i| i.is_open() && is_about_the_same(&i.what.fault, fault));
        open.map(|incident| incident.what.incident)
    }

    pub(super) fn open_incident(&mut self, draft: Draft) -> Result<(), Unfit> {
        let on_call = self.core.on_call.clone();
        let AroundRun { policy: named, blocks, at_risk, trial } = self.around_run(&draft)?;
        let policy = on_call
            .as_ref()
            .and_then(|on_call| on_call.declared())
            .map(|declared| declared.policy(named.as_ref(), draft.severity).clone());
        let clocks = on_call
            .as_ref()
            .map(|on_call| clocks(on_call, draft.kind, draft.severity, self.now.wall));
        let number = self.core.take_incident_number();
        let mut opened = Opened {
            blocks,
            fault: draft.fault,
            kind: draft.kind,
            severity: draft.severity,
            policy,
            rungs: 0,
            clocks: clocks.unwrap_or_default(),
            at_risk,
            by: draft.by,
            trial,
            ..Opened::about(number, draft.run, draft.job)
        };
        let mut to = Audience::default();
        if let Some(on_call) = &on_call {
            let fresh = Incident::new(self.now.wall, &opened);
            (to, opened.rungs) = fresh.first_told(on_call, self.now.wall);
            let told = std::mem::take(&mut to.people);
            let new = told.into_iter().filter(|who| !draft.also.contains(who));
            to.people = draft.also.iter().cloned().chain(new).collect();
            (opened.notify, opened.rooms) = (to.people.clone(), to.rooms.clone());
        }
        let incident = opened.incident;
        self.emit(Fact::IncidentOpened(Box::new(opened)))?;
        self.command(Command::Notify { incident, to, notice: Notice::Opened });
        Ok(())
    }

    fn around_run(&self, draft: &Draft) -> Result<AroundRun, Unfit> {
        let Some(run) = &draft.run else {
            let trial = self.core.state.runs.values().any(|run| run.opened.trial);
            let policy = self.policy_of_drill(&draft.fault);
            return Ok(AroundRun { policy, trial, ..AroundRun::default() });
        };
        let state = self.core.state.run(run)?;
        let index = draft.job.as_ref().and_then(|job| state.index(job));
        let blocks = index.map(|index| blocked(state, index)).unwrap_or_default();
        let at_risk = at_risk(state, index, &blocks, self.now.wall);
        let (policy, trial) = (state.batch.escalation.clone(), state.opened.trial);
        Ok(AroundRun { policy, blocks, at_risk, trial })
    }
}

/// What the run of an incident says of it.
#[derive(Default)]
struct AroundRun {
    /// Of its batch.
    policy: Option<PolicyName>,
    blocks: Vec<JobName>,
    at_risk: Vec<AtRisk>,
    trial: bool,
}

/// What waits behind a job, neither over nor left out, in the order of the file.
pub(super) fn blocked(run: &Run, index: usize) -> Vec<JobName> {
    let stands_still = |name: &JobName| {
        run.index(name).is_some_and(|index| {
            let job = &run.jobs[index];
            let waits = matches!(job.phase.outcome(), None | Some(Outcome::Blocked));
            job.asked && waits && !job.phase.in_flight()
        })
    };
    run.graph.blocks(&run.job(index).name).into_iter().filter(stands_still).collect()
}

pub(super) fn declared(run: &Run, index: Option<usize>) -> Option<Severity> {
    index.and_then(|index| run.job(index).severity).or(run.batch.severity)
}

/// As declared; else the first grade where work waits behind the fault, or it stands between the run and its
/// must-complete-by.
fn graded(run: &Run, index: Option<usize>, blocks: &[JobName]) -> Severity {
    declared(run, index).unwrap_or_else(|| {
        let endangers = run.deadline(None, Deadline::MustCompleteBy).is_some();
        if endangers || !blocks.is_empty() { Severity::P1 } else { Severity::P2 }
    })
}

/// Deadlines yet to come of the job, of what it blocks, and of the run.
fn at_risk(run: &Run, index: Option<usize>, blocks: &[JobName], now: Timestamp) -> Vec<AtRisk> {
    let own = index.map(|index| &run.job(index).name);
    let names: BTreeSet<&JobName> = own.into_iter().chain(blocks).collect();
    let jobs = run.batch.jobs.iter().enumerate().filter(|(_, job)| names.contains(&job.name));
    let ways = [Deadline::MustStartBy, Deadline::MustCompleteBy];
    let of_jobs = jobs.flat_map(|(index, job)| {
        let due = ways.into_iter().filter_map(move |way| run.due(Some(index), way));
        due.map(|due| AtRisk { job: Some(job.name.clone()), due })
    });
    let of_run = run.due(None, Deadline::MustCompleteBy).map(|due| AtRisk { job: None, due });
    of_jobs.chain(of_run).filter(|risk| risk.due > now).collect()
}

/// Whether two faults of the whole site are one.
fn is_about_the_same(one: &Fault, other: &Fault) -> bool {
    match (one, other) {
        (Fault::HostAway { host: a, .. }, Fault::HostAway { host: b, .. }) => a == b,
        (Fault::CalendarEnds { calendar: a, .. }, Fault::CalendarEnds { calendar: b, .. }) => {
            a == b
        }
        (Fault::MessageRefused { to: a, .. }, Fault::MessageRefused { to: b, .. }) => a == b,
        (Fault::StoreAway { .. }, Fault::StoreAway { .. }) => true,
        (Fault::Unconfirmed { .. }, Fault::Unconfirmed { .. }) => one == other,
        (Fault::DrillOverdue { drill: a, .. }, Fault::DrillOverdue { drill: b, .. }) => a == b,
        _ => false,
    }
}
