//! What the made-up people do about incidents and hand-overs: anything at random while faults last, and afterwards what closes them all.

use jiff::Timestamp;

use super::dice::Dice;
use crate::core::hand_over::{HandOverOrder, HandOverWish};
use crate::core::incident::{IncidentOrder, Wanted};
use crate::core::night::{Core, Event};
use crate::core::state::State;
use crate::types::{DrillName, HandOverId, IncidentId, IncidentKind, PersonId, Severity};

/// Any step with any incident, or a new one: the core refuses what its rules do not allow.
pub(super) fn anything(dice: &mut Dice, state: &State, now: Timestamp) -> Option<IncidentOrder> {
    if dice.percent(10) {
        let kind = *dice.pick(IncidentKind::ALL)?;
        let severity = *dice.pick(Severity::ALL)?;
        if kind == IncidentKind::Drill {
            // A site without it refuses it, and one that has it under way.
            return Some(IncidentOrder::Drill { drill: DrillName::new("made-up").ok()? });
        }
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

/// Every hand-over that somebody may accept is accepted.
pub(super) fn accept_all(core: &Core, now: Timestamp) -> Vec<Event> {
    let Some(on_call) = core.on_call() else { return Vec::new() };
    let open = core.state().standing.hand_overs.values().filter(|known| known.is_open());
    let accepted = open.filter_map(|known| {
        let may = |who: &&PersonId| known.refuses(on_call, who, HandOverWish::Accept, now).is_ok();
        let by = on_call.site.people.keys().find(may)?.clone();
        let hand_over = known.what.hand_over.clone();
        let order = HandOverOrder { hand_over, wish: HandOverWish::Accept, noted: Vec::new() };
        let order = Box::new(order);
        Some(Event::HandOver { by, reason: "made up".to_owned(), order })
    });
    accepted.collect()
}

/// Any step with any hand-over.
pub(super) fn any_hand_over(dice: &mut Dice, state: &State) -> Option<HandOverOrder> {
    let over = dice.percent(20);
    let known = state.standing.hand_overs.values().filter(|known| over || known.is_open());
    let known: Vec<&HandOverId> = known.map(|known| &known.what.hand_over).collect();
    let hand_over = (*dice.pick(&known)?).clone();
    let wish = *dice.pick(&[HandOverWish::Note, HandOverWish::Give, HandOverWish::Accept])?;
    Some(HandOverOrder { hand_over, wish, noted: Vec::new() })
}

pub(super) fn event(by: PersonId, order: IncidentOrder) -> Event {
    Event::Incident { by, reason: "made up".to_owned(), order: Box::new(order) }
}
