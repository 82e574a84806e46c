//! Drills (演练): when each is due, and how those that were held came out (E4).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Who;
use crate::core::incident::{Absent, Fault, Incident};
use crate::core::night::Core;
use crate::core::state::State;
use crate::definition::site::Site;
use crate::types::{ClockKind, DrillName, IncidentId, Severity, Span, TeamName, Text};

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DrillLine {
    pub drill: DrillName,
    pub title: Text,
    /// How often it is held at least, in days; `null`: the site declares it no more.
    pub every: Option<u16>,
    /// The last date on which the next one is in time.
    pub due: Option<Date>,
    /// That date is over, and none is under way.
    pub overdue: bool,
    pub under_way: Option<IncidentId>,
    /// The last one first.
    pub held: Vec<DrillHeld>,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DrillHeld {
    pub incident: IncidentId,
    pub severity: Severity,
    pub started: Timestamp,
    pub started_by: Option<Who>,
    pub why: String,
    /// `null`: it is under way.
    pub ended: Option<Timestamp>,
    /// `null`: nobody has answered it, and it does not count.
    pub answered_by: Option<Who>,
    /// From its start until somebody answered, and until it was over.
    pub response: Option<Span>,
    pub solution: Option<Span>,
    /// Limits that were missed.
    pub missed: Vec<ClockKind>,
    /// Who was to take part and has not; a team where nobody of it has.
    pub absent: Vec<Text>,
    /// It is over, was answered, missed no limit, and nobody was absent.
    pub well: bool,
}

impl DrillHeld {
    /// Whether something of it happened in a time: after its beginning, and not after its end.
    pub fn is_of(&self, (from, to): (Timestamp, Timestamp)) -> bool {
        let within = |at: Timestamp| from < at && at <= to;
        within(self.started) || self.ended.is_some_and(within)
    }
}

/// Drills that the site declares, and others that were held, as they stood at a time; by name. No site, no drills.
pub fn list(core: &Core, at: Timestamp) -> Vec<DrillLine> {
    let Some(site) = core.on_call().map(|on_call| &on_call.site) else { return Vec::new() };
    let state = core.state().drills_as_of(at);
    let known = state.drills.keys();
    let declared = site.escalation.iter().flat_map(|escalation| escalation.drills.keys());
    let names: BTreeSet<&DrillName> = known.chain(declared).collect();
    names.into_iter().filter_map(|name| line(&state, site, name, at)).collect()
}

/// `None`: it was neither declared nor held.
fn line(state: &State, site: &Site, name: &DrillName, at: Timestamp) -> Option<DrillLine> {
    let declared = site.escalation.as_ref().and_then(|escalation| escalation.drills.get(name));
    let stands = declared.map(|drill| state.drill_stands((name, drill), &site.zone, at));
    let real = state.drills_of(name).rev().filter(|known| !known.what.trial);
    let incidents: Vec<&Incident> = real.collect();
    let as_held = |incident: &&Incident| match &incident.what.fault {
        Fault::Drill { terms, .. } => Some(terms.title.clone()),
        _ => None,
    };
    let title = declared.map(|drill| drill.title.clone());
    let title = title.or_else(|| incidents.first().and_then(as_held))?;
    Some(DrillLine {
        drill: name.clone(),
        title,
        every: declared.map(|drill| drill.every),
        due: stands.map(|stands| stands.due),
        overdue: stands.is_some_and(|stands| stands.overdue),
        under_way: incidents.iter().find(|known| known.is_open()).map(|i| i.what.incident),
        held: incidents.into_iter().filter_map(|incident| held(site, incident)).collect(),
    })
}

fn held(site: &Site, incident: &Incident) -> Option<DrillHeld> {
    let (terms, held) = incident.as_drill(site)?;
    let since = |at: Timestamp| {
        Span::of(
            std::time::Duration::try_from(at.duration_since(incident.opened)).unwrap_or_default(),
        )
    };
    let team = |name: &TeamName| {
        let declared = site.duty.teams.get(name);
        declared.map_or_else(|| Text::en(name.as_str()), |team| team.title.clone())
    };
    let absent = held.absent.iter().map(|absent| match absent {
        Absent::Person(id) => Who::of(site, id).name,
        Absent::Team(name) => team(name),
    });
    Some(DrillHeld {
        incident: incident.what.incident,
        severity: incident.severity,
        started: incident.opened,
        started_by: incident.what.by.as_ref().map(|id| Who::of(site, id)),
        why: terms.why.clone(),
        ended: incident.closed,
        answered_by: held.answered.as_ref().map(|(who, _)| Who::of(site, who)),
        response: held.answered.as_ref().map(|(_, at)| since(*at)),
        solution: incident.closed.map(since),
        missed: held.missed,
        absent: absent.collect(),
        well: held.well,
    })
}
