//! The lists of the sign-off meetings, one environment after the other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Who;
use super::change::{ChangeLine, PlaceLine, line, place};
use crate::core::change::{Desk, Dropped, NextTime, Signature, Signs};
use crate::core::refused::{Refused, Rule};
use crate::core::state::Standing;
use crate::core::window::Windows;
use crate::definition::site::{ChangeRules, Site};
use crate::types::{ChangeId, Role, Text, Zone};

/// Release plan, then the list of each environment that follows, as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignOffPage {
    pub site: Text,
    /// Of the rules.
    pub title: Text,
    /// Of the page's clock times.
    pub zone: Zone,
    pub now: Timestamp,
    /// Plans and meetings of each week that are about no list.
    pub weekly: Vec<WeeklyLine>,
    /// In the order of promotion.
    pub lists: Vec<SignOffList>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignOffList {
    pub environment: String,
    /// The first environment: its list is the release plan.
    pub first: bool,
    pub weekly: Vec<WeeklyLine>,
    pub changes: Vec<SignOffLine>,
    pub dropped: Vec<DroppedLine>,
}

/// When a meeting or a plan comes next.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WeeklyLine {
    pub title: Text,
    pub meets: Option<Timestamp>,
    /// What is to be on the list is handed in before.
    pub due: Option<Timestamp>,
    pub posted: Option<Timestamp>,
}

/// A change on a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignOffLine {
    #[serde(flatten)]
    pub line: ChangeLine,
    pub place: PlaceLine,
    /// Handed in when the list was due for the meeting that comes next.
    pub after_due: bool,
    pub signatures: Vec<SignatureLine>,
}

/// A change that goes to the environment, and has not passed a former one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DroppedLine {
    pub change: ChangeId,
    pub title: Text,
    pub reasons: Vec<Dropped>,
}

/// What is to be signed, and by whom it was.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignatureLine {
    #[serde(flatten)]
    pub signs: Signs,
    /// Of an item of the checklist.
    pub title: Option<Text>,
    pub role: Role,
    /// How many people sign.
    pub people: u32,
    pub signed: Vec<SignedLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignedLine {
    pub by: Who,
    pub at: Timestamp,
}

/// The lists of all environments, or of one.
pub fn page(
    site: &Site,
    standing: &Standing,
    environment: Option<&str>,
    now: Timestamp,
) -> Result<SignOffPage, Refused> {
    let rules = site.change_rules.as_deref().ok_or_else(|| {
        Refused::by(Rule::NoRules, "the site has no change-rules.yaml")
            .hint("`nightrun init --change-rules h` writes one")
    })?;
    if let Some(named) = environment.filter(|named| !rules.environments.iter().any(|e| e == named))
    {
        let what = format!("`{named}` is no environment of the rules");
        let hint = format!("known: {}", rules.environments.join(", "));
        return Err(Refused::by(Rule::NoSuchThing, what).hint(hint));
    }
    let windows = Windows::new(site);
    let desks: Vec<Desk<'_>> = site
        .changes
        .keys()
        .filter_map(|id| Desk::new(site, &windows, id, &standing.changes).ok())
        .filter(Desk::is_planned)
        .collect();
    let wanted: BTreeSet<&str> = environment.into_iter().collect();
    let lists = rules.environments.iter().enumerate();
    let lists = lists.filter(|(_, of)| wanted.is_empty() || wanted.contains(of.as_str()));
    Ok(SignOffPage {
        site: site.title.clone(),
        title: rules.title.clone(),
        zone: rules.zone.clone(),
        now,
        weekly: weekly(rules, None, now),
        lists: lists.map(|(at, of)| list(rules, (&desks, standing), (of, at == 0), now)).collect(),
    })
}

fn weekly(rules: &ChangeRules, list: Option<&str>, now: Timestamp) -> Vec<WeeklyLine> {
    let of_list = rules.weekly.iter().filter(|rule| rule.list.as_deref() == list);
    let line = of_list.map(|rule| {
        let NextTime { meets, due, posted } = rules.next_time(rule, now);
        WeeklyLine { title: rule.title.clone(), meets, due, posted }
    });
    line.collect()
}

fn list(
    rules: &ChangeRules,
    (desks, standing): (&[Desk<'_>], &Standing),
    (environment, first): (&str, bool),
    now: Timestamp,
) -> SignOffList {
    let (mut changes, mut dropped) = (Vec::new(), Vec::new());
    for desk in desks {
        let places = desk.change.places(desk.site);
        let Some(there) = places.into_iter().find(|(of, _)| *of == environment) else { continue };
        let reasons = desk.dropped(environment, now);
        if !reasons.is_empty() {
            let (change, title) = (desk.change.id.clone(), desk.change.title.clone());
            dropped.push(DroppedLine { change, title, reasons });
            continue;
        }
        let Some(place) = place(desk, standing, there, now) else { continue };
        let signatures = desk.signatures(environment, now).into_iter();
        changes.push(SignOffLine {
            line: line(desk.site, standing, &desk.change.id),
            place,
            after_due: desk.is_after_due(environment, now),
            signatures: signatures.map(|signature| signature_line(desk, signature)).collect(),
        });
    }
    let weekly = weekly(rules, Some(environment), now);
    SignOffList { environment: environment.to_owned(), first, weekly, changes, dropped }
}

pub(super) fn signature_line(desk: &Desk<'_>, signature: Signature) -> SignatureLine {
    let Signature { signs, role, people, given } = signature;
    let title = match &signs {
        Signs::Item { item } => desk.rules.checklist.get(item).map(|rule| rule.title.clone()),
        Signs::Review | Signs::Approval => None,
    };
    let signed = given.into_iter();
    let signed = signed.map(|(by, at)| SignedLine { by: Who::of(desk.site, &by), at }).collect();
    SignatureLine { signs, title, role, people, signed }
}
