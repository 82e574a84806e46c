//! From the state to hand-overs as they are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Who;
use super::hand_over::{HandOverDeed, HandOverLine, HandOverState, HandOverStepLine, HandOverView};
use crate::core::hand_over::{Draft, HandOver, HandOverStep, Note, Taken};
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::types::{HandOverId, Now, PersonId, ShiftName, Text};

/// Hand-overs, the shift that ended last first: those that nobody has accepted, or all.
pub fn list(core: &Core, all: bool) -> Vec<HandOverLine> {
    let known = core.state().standing.hand_overs.values();
    lines(core, known.filter(|known| all || known.is_open()).collect())
}

/// Those that nobody had accepted at a former time, as they stood then.
pub fn open_at(core: &Core, at: Timestamp) -> Vec<HandOverLine> {
    let then = core.state().standing.hand_overs.values().filter_map(|known| known.as_of(at));
    let open: Vec<HandOver> = then.filter(HandOver::is_open).collect();
    lines(core, open.iter().collect())
}

fn lines(core: &Core, mut known: Vec<&HandOver>) -> Vec<HandOverLine> {
    let Some(site) = core.on_call().map(|on_call| &on_call.site) else { return Vec::new() };
    known.sort_by(|a, b| (b.what.ends, &b.what.hand_over).cmp(&(a.what.ends, &a.what.hand_over)));
    known.into_iter().map(|known| line(site, known)).collect()
}

/// All of one; `None`: there is none of that name, or no site is known here. `noted`: notes in runs that are not at hand.
pub fn view(core: &Core, id: &HandOverId, noted: &[Note], now: Now) -> Option<HandOverView> {
    let site = &core.on_call()?.site;
    let known = core.state().standing.hand_overs.get(id)?;
    let draft = match known.accepted() {
        Some((_, kept)) => kept.clone(),
        None => Draft::of(core, known.span(), noted, now),
    };
    Some(HandOverView {
        line: line(site, known),
        site: site.title.clone(),
        zone: site.zone.clone(),
        began: known.what.began,
        to: known.what.to.iter().map(|shift| title(site, shift)).collect(),
        next: core.hand_over_next(known),
        steps: known.steps.iter().map(|taken| step(site, taken)).collect(),
        names: names(site, &draft),
        draft,
    })
}

fn line(site: &Site, known: &HandOver) -> HandOverLine {
    let who = |people: &[PersonId]| people.iter().map(|id| Who::of(site, id)).collect();
    let accepted = known.accepted().and_then(|(taken, _)| taken.by.as_ref());
    let state = match known {
        _ if accepted.is_some() => HandOverState::Accepted,
        HandOver { closed: Some(_), .. } => HandOverState::Same,
        HandOver { late: Some(_), .. } => HandOverState::Late,
        HandOver { given: Some(_), .. } => HandOverState::Given,
        _ => HandOverState::Open,
    };
    HandOverLine {
        id: known.what.hand_over.clone(),
        shift: title(site, &known.what.hand_over.shift),
        ends: known.what.ends,
        outgoing: who(&known.what.outgoing),
        incoming: who(&known.what.incoming),
        state,
        given: known.given,
        closed: known.closed,
        accepted_by: accepted.map(|id| Who::of(site, id)),
    }
}

/// A shift that is not declared any more is shown by its name.
fn title(site: &Site, shift: &ShiftName) -> Text {
    let declared = site.duty.shifts.get(shift);
    declared.map_or_else(|| Text::en(shift.as_str()), |shift| shift.title.clone())
}

fn step(site: &Site, taken: &Taken) -> HandOverStepLine {
    let told = match &taken.step {
        HandOverStep::Told { people } => &people[..],
        _ => &[],
    };
    HandOverStepLine {
        at: taken.at,
        by: taken.by.as_ref().map(|id| Who::of(site, id)),
        words: taken.words.clone(),
        step: HandOverDeed::of(&taken.step),
        told: told.iter().map(|id| Who::of(site, id)).collect(),
    }
}

fn names(site: &Site, draft: &Draft) -> BTreeMap<PersonId, Text> {
    let owners = draft.incidents.iter().filter_map(|incident| incident.owner.as_ref());
    let held = draft.holds.iter().map(|hold| &hold.by);
    let noted = draft.notes.iter().map(|note| &note.by);
    let released = draft.running.iter().filter_map(|run| run.released_by.as_ref());
    let people = owners.chain(held).chain(noted).chain(released);
    people.map(|id| (id.clone(), Who::of(site, id).name)).collect()
}
