//! Nobody is forgotten: an own reading of when people must have been told of an incident, from its steps alone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Violation;
use crate::core::incident::{Incident, IncidentStep};
use crate::core::night::Core;
use crate::definition::site::{Policy, Site};
use crate::types::Now;

/// Right after a step: every open incident that nobody takes care of was told of no longer ago than the policy has it, and
/// has a time at which it will be again; no limit has passed without a word.
pub(super) fn look(core: &Core, now: Now, impatient: bool) -> Result<(), Violation> {
    let Some(on_call) = core.on_call() else { return Ok(()) };
    for incident in core.state().unfinished().filter(|incident| !incident.what.trial) {
        let forgotten =
            |why: &str| Violation::Forgotten(incident.what.incident.to_string(), why.to_owned());
        let muted = incident.muted.is_some_and(|until| until > now.wall);
        if incident.is_open() && incident.acknowledged.is_none() {
            let next =
                core.incident_due(incident).ok_or_else(|| forgotten("it has no next time"))?;
            if next <= now.wall {
                return Err(forgotten("its time has come"));
            }
            let ago = now.wall.duration_since(last_told(incident));
            let wait = remind(&on_call.site, incident) / if impatient { 2 } else { 1 };
            if !muted && ago >= wait {
                return Err(forgotten("nobody was told for too long"));
            }
        }
        let passed = |due: Timestamp| due <= now.wall;
        if incident.clocks.values().any(|c| c.met.is_none() && !c.breached && passed(c.due)) {
            return Err(forgotten("a limit has passed"));
        }
    }
    Ok(())
}

fn last_told(incident: &Incident) -> Timestamp {
    let told =
        incident.steps.iter().rev().find(|taken| matches!(taken.step, IncidentStep::Told { .. }));
    let muted = incident.muted.unwrap_or(Timestamp::MIN);
    told.map_or(incident.opened, |taken| taken.at).max(muted)
}

fn remind(site: &Arc<Site>, incident: &Incident) -> SignedDuration {
    let policies = site.escalation.as_ref().map(|escalation| &escalation.policies);
    let policy = policies.zip(incident.what.policy.as_ref()).and_then(|(all, name)| all.get(name));
    let remind = policy.map_or(Policy::REMIND, |policy| policy.remind);
    SignedDuration::try_from(remind.get()).unwrap_or(SignedDuration::MAX)
}
