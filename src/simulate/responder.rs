//! What the made-up people do about incidents: anything at random while faults last, and afterwards what closes them all.

use jiff::Timestamp;

use super::dice::Dice;
use crate::core::incident::{IncidentOrder, Wanted};
use crate::core::night::Event;
use crate::core::state::State;
use crate::types::{IncidentId, IncidentKind, PersonId, Severity};

/// Any step with any incident, or a new one: the core refuses what its rules do not allow.
pub(super) fn anything(dice: &mut Dice, state: &State, now: Timestamp) -> Option<IncidentOrder> {
    if dice.percent(10) {
        let kind = *dice.pick(IncidentKind::ALL)?;
        let severity = *dice.pick(Severity::ALL)?;
        return Some(IncidentOrder::Open { title: "made up".to_owned(), kind, severity });
    }
    let mut muted = state.unfinished().filter(|known| known.muted.is_some());
    if let Some(muted) = muted.next().filter(|_| dice.percent(30)) {
        let incident = muted.what.incident;
        return Some(IncidentOrder::Step { incident, wanted: Wanted::Unmute });
    }
    let known: Vec<&IncidentId> = state.incidents.keys().collect();
    let incident = **dice.pick(&known)?;
    let minutes = |minutes: u64| std::time::Duration::from_secs(minutes * 60);
    let wanted = match dice.of(0..11) {
        0 | 1 => Wanted::Acknowledge,
        2 => Wanted::TakeOver,
        3 => Wanted::Note,
        4 => Wanted::OnSite,
        5 => Wanted::ThirdParty { whom: "the vendor".to_owned() },
        6 => Wanted::Mute { until: now.checked_add(minutes(dice.of(0..300))).ok()? },
        7 => Wanted::Unmute,
        8 => Wanted::Grade { severity: *dice.pick(Severity::ALL)? },
        9 => resolve(),
        _ => Wanted::Report,
    };
    Some(IncidentOrder::Step { incident, wanted })
}

fn resolve() -> Wanted {
    Wanted::Resolve { cause: "made up".to_owned(), measure: "put right".to_owned() }
}

/// Everything that is open is resolved, and every report that is owed is handed in.
pub(super) fn close_all(state: &State, by: &PersonId) -> Vec<Event> {
    let wanted = state.unfinished().map(|incident| {
        let wanted = if incident.resolution().is_none() { resolve() } else { Wanted::Report };
        IncidentOrder::Step { incident: incident.what.incident, wanted }
    });
    wanted.map(|order| event(by.clone(), order)).collect()
}

pub(super) fn event(by: PersonId, order: IncidentOrder) -> Event {
    Event::Incident { by, reason: "made up".to_owned(), order: Box::new(order) }
}
