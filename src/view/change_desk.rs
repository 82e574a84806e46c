//! A change as it lies before one person: where it stands, whose turn it is, what this person may do with it now.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Who;
use super::change::{ChangePage, one_over};
use super::signoff::{SignatureLine, signature_line};
use crate::core::change::{Awaits, ChangeStep, Docket, Executed, Offer, Stage, Taken, Turn, Wish};
use crate::core::fact::Proposed;
use crate::core::state::{Request as Proposal, Standing};
use crate::core::window::Windows;
use crate::definition::site::{Part, Site};
use crate::types::{ChangeId, CheckName, PersonId, RequestId, Role, Text};
use crate::wire::ChangeState;

/// A change, for one person.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeDesk {
    pub page: ChangePage,
    /// Its scripts are not those that were submitted: whatever was signed is void (D5).
    pub void: bool,
    pub turns: Vec<TurnLine>,
    /// What this person may do with it now; nothing where the person may take no part in changes.
    pub offers: Vec<OfferLine>,
    /// Parts that this person has in it.
    pub parts: BTreeSet<Part>,
    /// Of each of the page's places, in their order.
    pub places: Vec<PlaceDesk>,
    /// Decisions that wait for a second person.
    pub asked: Vec<SecondLine>,
}

/// A change in one environment, beside its line.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceDesk {
    pub signatures: Vec<SignatureLine>,
    /// What came of its attempts, the last first.
    pub executed: Vec<(ChangeState, Executed)>,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnLine {
    pub awaits: Awaits,
    /// Of an item.
    pub title: Option<Text>,
    pub roles: Vec<Role>,
    pub people: u32,
    /// Everybody whose turn it is by name; nobody where whoever takes part in changes may.
    pub by: Vec<Who>,
}

/// A step that the person may take.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferLine {
    pub wish: Wish,
    pub step: ChangeStep,
    /// Of an item that is confirmed.
    pub title: Option<Text>,
    /// Questions that are answered with yes.
    pub asks: Vec<(CheckName, Text)>,
    /// Warnings of its scripts that are ticked by name.
    pub warnings: Vec<String>,
}

/// How a change would stand after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    pub stage: Stage,
    pub turns: Vec<TurnLine>,
}

/// What one person has said of it, and another is to say too.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondLine {
    pub request: RequestId,
    pub by: Who,
    pub reason: String,
    pub wish: Wish,
    pub until: Timestamp,
    /// Whether the person who looks may be the second.
    pub mine: bool,
}

/// Who looks at changes.
#[derive(Debug, Clone, Copy)]
pub struct Eyes<'a> {
    pub person: &'a PersonId,
    /// May take part in changes.
    pub takes_part: bool,
    /// May say yes as the second person.
    pub seconds: bool,
}

/// `None` where nothing is known of the change.
pub fn of(
    site: &Site,
    standing: &Standing,
    (id, now): (&ChangeId, Timestamp),
    eyes: Eyes<'_>,
) -> Option<ChangeDesk> {
    let windows = Windows::new(site);
    let page = one_over((site, &windows), standing, id, now)?;
    let docket = docket((site, &windows), standing, (id, now));
    let turns = docket.iter().flat_map(|docket| turns(site, docket, now)).collect();
    let taking = docket.as_ref().filter(|_| eyes.takes_part);
    let offers = taking.map(|docket| docket.offers(eyes.person, now)).unwrap_or_default();
    Some(ChangeDesk {
        void: docket.as_ref().is_some_and(Docket::is_void),
        turns,
        offers: offers.into_iter().map(|offer| offer_line(site, offer)).collect(),
        parts: docket.as_ref().map(|docket| docket.parts(eyes.person)).unwrap_or_default(),
        places: places(standing, &page, (docket.as_ref(), now)),
        asked: asked(site, standing, (id, now), (eyes, docket.as_ref())),
        page,
    })
}

/// How it would stand, had a person taken a step.
pub fn then(
    site: &Site,
    standing: &Standing,
    (id, now): (&ChangeId, Timestamp),
    (by, step): (&PersonId, &ChangeStep),
) -> Then {
    let mut lives = standing.changes.clone();
    let life = Arc::make_mut(lives.entry(id.clone()).or_default());
    let (by, reason, step) = (by.clone(), String::new(), step.clone());
    life.steps.push(Taken { at: now, by, second: None, reason, step });
    let stage = life.stage();
    let windows = Windows::new(site);
    let docket = Docket::new(site, &windows, &lives, id);
    let turns = docket.iter().flat_map(|docket| turns(site, docket, now)).collect();
    Then { stage, turns }
}

/// With what the first of two people has said of it already.
pub(super) fn docket<'a>(
    (site, windows): (&'a Site, &'a Windows),
    standing: &'a Standing,
    (id, now): (&'a ChangeId, Timestamp),
) -> Option<Docket<'a>> {
    let open = open_requests(standing, id, now);
    let decides = open.filter(|(.., wish)| matches!(wish, Wish::Decide { .. }));
    let decided = decides.map(|(_, request, _)| &request.by).collect();
    Some(Docket::new(site, windows, &standing.changes, id)?.decided_by(decided))
}

/// What of a change waits for a second person.
fn open_requests<'a>(
    standing: &'a Standing,
    id: &'a ChangeId,
    now: Timestamp,
) -> impl Iterator<Item = (&'a RequestId, &'a Proposal, &'a Wish)> {
    let open = standing.requests.iter().filter(move |(_, request)| request.until > now);
    open.filter_map(move |(number, request)| match &request.what {
        Proposed::Change { change, wish } if change == id => Some((number, request, &**wish)),
        _ => None,
    })
}

pub(super) fn turns(site: &Site, docket: &Docket<'_>, now: Timestamp) -> Vec<TurnLine> {
    docket.turns(now).into_iter().map(|turn| turn_line(site, docket, turn, now)).collect()
}

fn turn_line(site: &Site, docket: &Docket<'_>, turn: Turn, now: Timestamp) -> TurnLine {
    let theirs = site.people.keys().filter(|person| docket.is_for(&turn, person, now));
    let by = theirs.map(|person| Who::of(site, person)).collect();
    let title = match &turn.awaits {
        Awaits::Item { item, .. } => title(site, item),
        _ => None,
    };
    TurnLine { awaits: turn.awaits, title, roles: turn.roles, people: turn.people, by }
}

fn title(site: &Site, item: &CheckName) -> Option<Text> {
    let rules = site.change_rules.as_deref()?;
    rules.checklist.get(item).map(|rule| rule.title.clone())
}

fn offer_line(site: &Site, offer: Offer) -> OfferLine {
    let Offer { wish, step, asks, warnings } = offer;
    let rules = site.change_rules.as_deref();
    let named = match &wish {
        Wish::Submit { confirm, .. } => confirm.clone(),
        _ => asks,
    };
    let question = |name: CheckName| {
        let of_rules = rules.and_then(|rules| rules.questions.get(&name).cloned());
        let text = of_rules.or_else(|| title(site, &name));
        let text = text.unwrap_or_else(|| Text::en(name.as_str()));
        (name, text)
    };
    let title = match &wish {
        Wish::Confirm { item, .. } => title(site, item),
        _ => None,
    };
    OfferLine { title, asks: named.into_iter().map(question).collect(), wish, step, warnings }
}

fn places(
    standing: &Standing,
    page: &ChangePage,
    (docket, now): (Option<&Docket<'_>>, Timestamp),
) -> Vec<PlaceDesk> {
    let life = standing.changes.get(&page.line.id);
    let desk = docket.and_then(Docket::desk);
    let place = |environment: &str| {
        let signatures = desk.map(|desk| desk.signatures(environment, now));
        let signatures = signatures.into_iter().flatten();
        let executed = life.iter().flat_map(|life| life.executions(environment));
        PlaceDesk {
            signatures: desk
                .map(|desk| signatures.map(|of| signature_line(desk, of)).collect())
                .unwrap_or_default(),
            executed: executed.map(|(state, executed)| (state, executed.clone())).collect(),
        }
    };
    page.places.iter().map(|line| place(&line.environment)).collect()
}

fn asked(
    site: &Site,
    standing: &Standing,
    (id, now): (&ChangeId, Timestamp),
    (eyes, docket): (Eyes<'_>, Option<&Docket<'_>>),
) -> Vec<SecondLine> {
    open_requests(standing, id, now)
        .map(|(number, request, wish)| {
            let may = |docket: &Docket<'_>| docket.take(eyes.person, now, wish.clone()).is_ok();
            SecondLine {
                request: *number,
                by: Who::of(site, &request.by),
                reason: request.reason.clone(),
                wish: wish.clone(),
                until: request.until,
                mine: eyes.seconds && request.by != *eyes.person && docket.is_some_and(may),
            }
        })
        .collect()
}
