//! Changes as lists and pages show them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Who;
use super::change_papers::ChangePapers;
use crate::core::change::{ChangeLife, ChangeStep, Crew, Desk, Missing, MissingLine, Stage, Start};
use crate::core::state::Standing;
use crate::core::window::{Subject, Windows};
use crate::definition::site::{Change, ChangeClass, ChangeKind, Site};
use crate::types::{BatchId, ChangeId, HostName, PersonId, TargetName, TeamName, Text, Zone};
use crate::wire::{ChangeState, RehearsalStep};

/// A change in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangeLine {
    pub id: ChangeId,
    pub title: Text,
    pub class: Option<ChangeClass>,
    pub kind: ChangeKind,
    pub stage: Stage,
    /// Where it goes.
    pub environments: Vec<String>,
    pub team: Option<TeamName>,
    pub requester: Option<Who>,
    /// Reference of another system's ticket.
    pub ticket: Option<String>,
    /// When its last step was taken.
    pub since: Option<Timestamp>,
    /// Whether its folder is there.
    pub folder: bool,
}

/// A page of changes, by their ids.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangesPage {
    pub items: Vec<ChangeLine>,
    /// The `cursor` of the next page; `null` where this is the last.
    pub next: Option<ChangeId>,
}

/// Which changes of a list.
#[derive(Debug, Clone, Default)]
pub struct WhichChanges {
    pub stage: Option<Stage>,
    pub environment: Option<String>,
    pub team: Option<TeamName>,
    pub class: Option<ChangeClass>,
    /// With the last step in this month of the site's zone.
    pub month: Option<Month>,
}

/// A month as lists are asked for it: `2026-10`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Month(String);

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let first = format!("{text}-01").parse::<Date>();
        match first.is_ok_and(|first| first.strftime("%Y-%m").to_string() == text) {
            true => Ok(Self(text)),
            false => Err(format!("`{text}` is not a month: write 2026-10")),
        }
    }
}

impl Month {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn has(&self, at: Timestamp, zone: &Zone) -> bool {
        at.to_zoned(zone.tz().clone()).strftime("%Y-%m").to_string() == self.0
    }
}

/// A change with its life.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangePage {
    #[serde(flatten)]
    pub line: ChangeLine,
    pub reason: Option<Text>,
    /// Number of the governance record, of its folder or else of its request.
    pub governance: Option<String>,
    /// Who sees to it.
    pub handler: Option<Who>,
    pub authors: Vec<Who>,
    pub verification_contact: Option<Who>,
    /// `null` where its folder is not there.
    pub papers: Option<ChangePapers>,
    /// Digest of its scripts as they are now; `submitted`: as they were handed in last.
    pub content: Option<String>,
    pub submitted: Option<String>,
    /// Warnings of its scripts, by name.
    pub hazards: Vec<String>,
    pub places: Vec<PlaceLine>,
    pub steps: Vec<StepLine>,
}

/// A change in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlaceLine {
    pub environment: String,
    pub target: TargetName,
    /// What approvals bind to.
    pub digest: String,
    /// How its last attempt came out.
    pub state: Option<ChangeState>,
    /// What its last attempt has rehearsed.
    pub rehearsal: Vec<RehearsalStep>,
    /// The window that it is on the list of.
    pub window: Option<(Timestamp, Timestamp)>,
    /// What it lacks before it may start now, besides being released and watched.
    pub missing: Vec<MissingLine>,
    /// What is still to be confirmed of what was executed, before the change is closed.
    pub to_close: Vec<MissingLine>,
    /// Both as data, for who says it in another language.
    #[serde(skip)]
    pub lacks: Vec<Missing>,
    #[serde(skip)]
    pub unclosed: Vec<Missing>,
}

/// A step with its person and time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StepLine {
    pub at: Timestamp,
    pub by: Who,
    pub second: Option<Who>,
    pub reason: String,
    /// As the journal has it.
    #[serde(flatten)]
    pub step: ChangeStep,
}

/// Every change that has a folder or a life, by their ids, as far as they are asked for.
pub fn list(site: &Site, standing: &Standing, which: &WhichChanges) -> Vec<ChangeLine> {
    let lives = standing.changes.keys();
    let ids: BTreeSet<&ChangeId> = site.changes.keys().chain(lives).collect();
    let lines = ids.into_iter().map(|id| line(site, standing, id));
    lines.filter(|line| is_asked_for(&site.zone, line, which)).collect()
}

pub(super) fn is_asked_for(zone: &Zone, line: &ChangeLine, which: &WhichChanges) -> bool {
    let in_month = |month: &Month| line.since.is_some_and(|at| month.has(at, zone));
    which.month.as_ref().is_none_or(in_month)
        && which.stage.is_none_or(|stage| line.stage == stage)
        && which.environment.as_ref().is_none_or(|of| line.environments.contains(of))
        && which.team.as_ref().is_none_or(|team| line.team.as_ref() == Some(team))
        && which.class.is_none_or(|class| line.class == Some(class))
}

pub(super) fn line(site: &Site, standing: &Standing, id: &ChangeId) -> ChangeLine {
    let unknown = ChangeLife::default();
    let life = standing.changes.get(id).map_or(&unknown, AsRef::as_ref);
    let (declared, request) = (site.changes.get(id), life.request());
    let team = declared.and_then(|change| change.papers.team.as_ref());
    let requester = declared.and_then(|change| change.requester.as_ref());
    let ticket = declared.and_then(|change| change.papers.ticket.as_ref());
    let places = declared.map(|change| change.places(site)).unwrap_or_default();
    ChangeLine {
        id: id.clone(),
        title: declared
            .map(|change| change.title.clone())
            .or_else(|| request.map(|request| Text::en(&request.title)))
            .unwrap_or_default(),
        class: declared.map(|change| change.class).or_else(|| request.map(|r| r.class)),
        kind: declared.map(|c| c.kind).or_else(|| request.map(|r| r.kind)).unwrap_or_default(),
        stage: life.stage(),
        environments: places.into_iter().map(|(environment, _)| environment.to_owned()).collect(),
        team: team.or_else(|| request?.team.as_ref()).cloned(),
        requester: requester
            .or_else(|| request?.requester.as_ref())
            .map(|person| Who::of(site, person)),
        ticket: ticket.or_else(|| request?.ticket.as_ref()).cloned(),
        since: life.steps.last().map(|taken| taken.at),
        folder: declared.is_some(),
    }
}

/// One change; `None` where nothing is known of it.
pub fn one(site: &Site, standing: &Standing, id: &ChangeId, now: Timestamp) -> Option<ChangePage> {
    one_over((site, &Windows::new(site)), standing, id, now)
}

/// The same, with the windows of the site at hand.
pub(super) fn one_over(
    (site, windows): (&Site, &Windows),
    standing: &Standing,
    id: &ChangeId,
    now: Timestamp,
) -> Option<ChangePage> {
    let (declared, life) = (site.changes.get(id), standing.changes.get(id));
    if declared.is_none() && life.is_none() {
        return None;
    }
    let steps = life.map(|life| life.steps.as_slice()).unwrap_or_default();
    let handler = steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Assigned { to } => Some(Who::of(site, to)),
        _ => None,
    });
    let contact = declared.and_then(|change| change.papers.verification_contact.as_ref());
    Some(ChangePage {
        line: line(site, standing, id),
        reason: declared.map(|change| change.reason.clone()),
        governance: declared
            .and_then(|change| change.papers.governance.clone())
            .or_else(|| life?.request()?.governance.clone()),
        handler,
        authors: declared
            .into_iter()
            .flat_map(|change| change.papers.authors.iter().map(|person| Who::of(site, person)))
            .collect(),
        verification_contact: contact.map(|person| Who::of(site, person)),
        papers: declared.map(|change| ChangePapers::of(site, change)),
        content: declared.map(|change| change.content.clone()),
        submitted: life.and_then(|l| l.since_submission()).map(|(content, _)| content.to_owned()),
        hazards: declared.map(|change| change.hazards.clone()).unwrap_or_default(),
        places: places((site, windows), standing, id, now),
        steps: steps
            .iter()
            .map(|taken| StepLine {
                at: taken.at,
                by: Who::of(site, &taken.by),
                second: taken.second.as_ref().map(|person| Who::of(site, person)),
                reason: taken.reason.clone(),
                step: taken.step.clone(),
            })
            .collect(),
    })
}

fn places(
    (site, windows): (&Site, &Windows),
    standing: &Standing,
    id: &ChangeId,
    now: Timestamp,
) -> Vec<PlaceLine> {
    let Ok(desk) = Desk::new(site, windows, id, &standing.changes) else { return Vec::new() };
    let places = desk.change.places(site).into_iter();
    places.filter_map(|place| self::place(&desk, standing, place, now)).collect()
}

pub(super) fn place(
    desk: &Desk<'_>,
    standing: &Standing,
    (environment, target): (&str, &TargetName),
    now: Timestamp,
) -> Option<PlaceLine> {
    let (batch, host) = (BatchId::new("changes").ok()?, HostName::local());
    let start = Start {
        environment,
        at: now,
        crew: &Crew::default(),
        subject: Subject {
            batch: &batch,
            target: Some(target),
            host: &host,
            ordered: &standing.freezes,
        },
        classes: &[],
        needs: std::time::Duration::ZERO,
        run: None,
    };
    let mut lacks = desk.clearance(&start).err().unwrap_or_default();
    lacks.retain(|missing| !missing.is_of_crew());
    let unclosed = desk.unclosed(environment);
    let last = desk.life.executions(environment).next();
    Some(PlaceLine {
        environment: environment.to_owned(),
        target: target.clone(),
        digest: desk.approval_digest(environment).unwrap_or_default(),
        state: last.map(|(state, _)| state),
        rehearsal: last.map(|(_, executed)| executed.rehearsal.clone()).unwrap_or_default(),
        window: desk.scheduled(environment).and_then(|(_, window)| window),
        missing: lacks.iter().map(Missing::line).collect(),
        to_close: unclosed.iter().map(Missing::line).collect(),
        lacks,
        unclosed,
    })
}

/// A change as mails tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeTold {
    pub site: Text,
    pub zone: Zone,
    pub line: ChangeLine,
    pub environment: String,
    pub target: Option<TargetName>,
    pub reason: Option<Text>,
    pub approvers: Vec<Who>,
    pub contact: Option<Who>,
    /// Who hears of its outcome: the requester, and everybody of the team.
    pub asked_for_by: Vec<PersonId>,
    /// Who hears that it is approved: nobody, where it is no emergency.
    pub emergency_to: Vec<PersonId>,
}

impl ChangeTold {
    pub fn of(site: &Site, standing: &Standing, id: &ChangeId, environment: &str) -> Option<Self> {
        let change = site.changes.get(id)?;
        let life = standing.changes.get(id)?;
        let line = line(site, standing, id);
        let approvers = life.since_submission().map(|(_, steps)| steps).unwrap_or_default();
        let approvers = approvers.iter().filter_map(|taken| match &taken.step {
            ChangeStep::Approved { environment: of, .. } if of == environment => {
                Some(Who::of(site, &taken.by))
            }
            _ => None,
        });
        let of_team = site
            .people
            .iter()
            .filter(|(_, person)| line.team.is_some() && person.team == line.team);
        let requester = line.requester.as_ref().map(|who| who.id.clone());
        let asked_for_by = requester.into_iter().chain(of_team.map(|(id, _)| id.clone()));
        Some(Self {
            site: site.title.clone(),
            zone: site.zone.clone(),
            environment: environment.to_owned(),
            target: change
                .places(site)
                .into_iter()
                .find(|(of, _)| *of == environment)
                .map(|(_, t)| t.clone()),
            reason: Some(change.reason.clone()),
            approvers: approvers.collect(),
            contact: change.papers.verification_contact.as_ref().map(|p| Who::of(site, p)),
            asked_for_by: once_each(asked_for_by),
            emergency_to: emergency_to(site, change),
            line,
        })
    }
}

fn emergency_to(site: &Site, change: &Change) -> Vec<PersonId> {
    let Some(rules) = site.change_rules.as_ref().filter(|_| change.kind == ChangeKind::Emergency)
    else {
        return Vec::new();
    };
    let roles = rules.emergency.mail.iter().chain(&rules.emergency.copy);
    let of_roles = roles.flat_map(|role| site.with_role(role).map(|(id, _)| id.clone()));
    let line = change.papers.product_line.as_ref();
    let director = line.and_then(|line| rules.product_lines.get(line));
    let directors = director.into_iter().flat_map(|role| site.with_role(role));
    let directors = directors.map(|(id, _)| id.clone());
    let own = change.papers.product_manager.iter().chain(&change.papers.testers).cloned();
    once_each(of_roles.chain(directors).chain(own))
}

fn once_each(people: impl Iterator<Item = PersonId>) -> Vec<PersonId> {
    let mut all = Vec::new();
    for person in people {
        if !all.contains(&person) {
            all.push(person);
        }
    }
    all
}

/// What approvals of a change bind to now, by environment.
pub(super) fn digests(site: &Site, standing: &Standing, id: &ChangeId) -> BTreeMap<String, String> {
    let windows = Windows::new(site);
    let Ok(desk) = Desk::new(site, &windows, id, &standing.changes) else {
        return BTreeMap::new();
    };
    let places = desk.change.places(site).into_iter();
    places.filter_map(|(of, _)| Some((of.to_owned(), desk.approval_digest(of)?))).collect()
}
