//! From the state to incidents as they are shown.

use super::incident::{
    BlockedJob, ClockLine, IncidentLine, IncidentMail, IncidentView, StepLine, Which,
};
use super::job::JobLine;
use super::{Who, of_job, of_run};
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::core::containment;
use crate::core::incident::{Incident, IncidentStep, Moved};
use crate::core::night::Core;
use crate::core::state::{Run, State, Unfit};
use crate::definition::site::Site;
use crate::types::{IncidentId, Now, PersonId, RunId};

pub(super) fn line(site: &Site, incident: &Incident) -> IncidentLine {
    let who = |id| Who::of(site, id);
    IncidentLine {
        id: incident.what.incident,
        kind: incident.what.kind,
        severity: incident.severity,
        fault: incident.what.fault.clone(),
        run: incident.what.run.clone(),
        job: incident.what.job.clone(),
        opened: incident.opened,
        closed: incident.closed,
        blocks: incident.blocks.clone(),
        told: incident.notified.iter().map(who).collect(),
        rooms: incident.rooms.clone(),
        owner: incident.owner.as_ref().map(who),
    }
}

/// Its limits of the contract, and how they stand.
pub(super) fn clocks(incident: &Incident) -> impl Iterator<Item = ClockLine> + '_ {
    incident.clocks.iter().map(|(kind, clock)| ClockLine {
        kind: *kind,
        due: clock.limit(),
        met: clock.met,
        missed: clock.is_missed(),
    })
}

/// Those of a run.
pub(super) fn of_run(state: &State, run: &Run) -> Vec<IncidentLine> {
    let own = state.incidents.values().filter(|i| i.what.run.as_ref() == Some(run.id()));
    own.map(|incident| line(&run.site, incident)).collect()
}

/// Every incident that is known here: open ones, those that lack their report, or all; the newest first.
pub fn list(core: &Core, which: Which) -> Vec<IncidentLine> {
    let wanted = core.state().incidents.values().rev().filter(|incident| match which {
        Which::Open => incident.is_open(),
        Which::Unfinished => incident.is_unfinished(),
        Which::All => true,
    });
    // A trial counts for nothing but itself.
    let wanted = wanted.filter(|incident| !incident.what.trial);
    wanted.filter_map(|incident| Some(line(site_of(core, incident)?, incident))).collect()
}

/// Open ones that none of these runs tells of.
pub fn besides<'a>(core: &Core, runs: impl IntoIterator<Item = &'a RunId>) -> Vec<IncidentLine> {
    let runs: BTreeSet<&RunId> = runs.into_iter().collect();
    let mut open = list(core, Which::Open);
    open.retain(|line| line.run.as_ref().is_none_or(|run| !runs.contains(run)));
    open
}

/// All of one.
///
/// # Errors
/// There is no such incident, or no site is known here.
pub fn view(core: &Core, id: IncidentId) -> Result<IncidentView, Unfit> {
    let incident = core.state().incident(id)?;
    let site = site_of(core, incident).ok_or(Unfit::NoIncident(id))?;
    let who = |id| Who::of(site, id);
    let steps = incident
        .steps
        .iter()
        .map(|taken| step_line(site, taken.at, taken.by.as_ref(), (&taken.reason, &taken.step)));
    Ok(IncidentView {
        line: line(site, incident),
        zone: site.zone.clone(),
        site: site.title.clone(),
        page: page_of(core, site, id),
        by: incident.what.by.as_ref().map(who),
        policy: incident.what.policy.clone(),
        acknowledged: incident.acknowledged,
        at_risk: incident.what.at_risk.clone(),
        clocks: clocks(incident).collect(),
        muted: incident.muted,
        next: core.incident_due(incident),
        steps: steps.collect(),
        business_date: run_of(core, incident).map(|run| run.opened.business_date),
        offers: containment::offers(core, incident),
    })
}

pub(super) fn step(site: &Site, at: Timestamp, moved: &Moved) -> StepLine {
    step_line(site, at, moved.by.as_ref(), (&moved.reason, &moved.step))
}

fn step_line(
    site: &Site,
    at: Timestamp,
    by: Option<&PersonId>,
    (reason, step): (&str, &IncidentStep),
) -> StepLine {
    let who = |id| Who::of(site, id);
    let told = match step {
        IncidentStep::Told { people, .. } => people.iter().map(who).collect(),
        _ => Vec::new(),
    };
    StepLine { at, by: by.map(who), reason: reason.to_owned(), step: step.clone(), told }
}

/// What a mail about it is made of. `beside`: a core that has its run at hand, where this one has let it go.
///
/// # Errors
/// There is no such incident, or no site is known here.
pub fn mail(
    (core, beside): (&Core, Option<&Core>),
    id: IncidentId,
    now: Now,
    around: of_job::Around<'_>,
) -> Result<IncidentMail, Unfit> {
    let mut incident = view(core, id)?;
    let with_run = [Some(core), beside].into_iter().flatten().find_map(|core| {
        let run = core.state().runs.get(incident.line.run.as_ref()?)?;
        Some((core, run))
    });
    let known = core.state().incident(id)?;
    let Some((core, run)) = with_run else {
        return Ok(IncidentMail { incident, head: None, job: None, blocks: Vec::new() });
    };
    incident.business_date = Some(run.opened.business_date);
    incident.offers = containment::offers(core, known);
    let index = incident.line.job.as_ref().and_then(|job| run.index(job));
    let job = index.map(|index| {
        let critical = of_job::critical_path(run);
        let line = of_job::line(core, run, index, now, around, &critical);
        line.map(|line| JobLine { tail: of_job::last_output(run, index), ..line })
    });
    let blocked = incident.line.blocks.iter().filter_map(|name| run.batch.job(name));
    let blocked = blocked
        .map(|job| BlockedJob { name: job.name.clone(), title: job.title.clone() })
        .collect();
    let (head, job) = (Some(of_run::head(run, now, around)), job.transpose()?);
    Ok(IncidentMail { head, job, blocks: blocked, incident })
}

/// The service may have moved since the run began: it is asked as it stands.
fn page_of(core: &Core, site: &Site, id: IncidentId) -> Option<String> {
    let now = core.on_call().map(|on_call| on_call.site.as_ref());
    let url = now.unwrap_or(site).url.as_ref()?;
    Some(format!("{url}/incidents/{id}"))
}

/// Names are those of its run, else of the people who are on call now.
fn site_of<'a>(core: &'a Core, incident: &Incident) -> Option<&'a Site> {
    run_of(core, incident)
        .map(|run| run.site.as_ref())
        .or_else(|| Some(core.on_call()?.site.as_ref()))
}

fn run_of<'a>(core: &'a Core, incident: &Incident) -> Option<&'a Run> {
    core.state().runs.get(incident.what.run.as_ref()?)
}
