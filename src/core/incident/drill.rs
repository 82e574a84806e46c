//! Drills (演练): alarms by arrangement, which go the way of every incident and are counted as none (E4). What a drill was
//! and how it came out follows from its incident; when the next one is due, from the last that somebody answered.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::raise::Draft;
use super::{Fault, Incident, OnCall, Opened};
use crate::core::act::By;
use crate::core::calendar::plus;
use crate::core::night::{Core, Mover, StepError};
use crate::core::refused::{Refused, Rule};
use crate::core::roster::instant;
use crate::core::state::{State, Unfit};
use crate::definition::site::{Drill, Site};
use crate::types::{
    ClockKind, DrillName, IncidentId, IncidentKind, PersonId, PolicyName, Severity, TeamName, Text,
    Zone,
};

/// When an overdue drill is told of, on the day after the one on which it was due: it wakes nobody.
const TOLD_AT: Time = Time::constant(9, 0, 0, 0);

/// How many days before a drill is due people are told of it.
const SOON: i32 = 14;

/// What a drill was held for, as the site said when it began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DrillTerms {
    pub title: Text,
    /// As whoever started it says.
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<Text>,
    /// Each of them takes part, and somebody of each team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<TeamName>,
}

/// What is known of a drill of that name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drilled {
    /// The first one first.
    pub held: Vec<IncidentId>,
    /// The last incident that told of its not being held by a date.
    missed: Option<(IncidentId, Date)>,
}

/// Who was to take part in a drill, and has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    Person(PersonId),
    Team(TeamName),
}

/// How a drill came out, so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who answered it first, and when.
    pub answered: Option<(PersonId, Timestamp)>,
    /// Limits that were missed.
    pub missed: Vec<ClockKind>,
    pub absent: Vec<Absent>,
    /// It is over, was answered, missed no limit, and nobody was absent.
    pub well: bool,
}

/// How a declared drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrillStands {
    /// The last date on which it is in time.
    pub due: Date,
    /// That date is over, and none is under way.
    pub overdue: bool,
    pub under_way: Option<IncidentId>,
}

impl Incident {
    /// Whether it is a drill that this person has started.
    pub(super) fn is_drill_of(&self, who: &PersonId) -> bool {
        self.is_drill() && self.what.by.as_ref() == Some(who)
    }

    /// How it came out as a drill; `None`: it is none. Who belongs to which team is what the site says now.
    pub fn as_drill(&self, site: &Site) -> Option<(&DrillTerms, Held)> {
        let Fault::Drill { terms, .. } = &self.what.fault else { return None };
        let took_part = |who: &PersonId| {
            let mut steps = self.steps.iter().filter_map(|taken| taken.by.as_ref());
            self.what.by.as_ref() == Some(who) || steps.any(|by| by == who)
        };
        let in_team = |team: &TeamName| {
            let mut people = site.people.iter();
            people.any(|(id, person)| person.team.as_ref() == Some(team) && took_part(id))
        };
        let people = terms.people.iter().filter(|who| !took_part(who)).cloned();
        let teams = terms.teams.iter().filter(|team| !in_team(team)).cloned();
        let absent: Vec<Absent> =
            people.map(Absent::Person).chain(teams.map(Absent::Team)).collect();
        let late = self.clocks.iter().filter(|(_, clock)| clock.is_missed());
        let missed: Vec<ClockKind> = late.map(|(kind, _)| *kind).collect();
        let first = self.steps.iter().find(|taken| Some(taken.at) == self.acknowledged);
        let answered = first.and_then(|taken| Some((taken.by.clone()?, taken.at)));
        let well = !self.is_open() && answered.is_some() && missed.is_empty() && absent.is_empty();
        Some((terms, Held { answered, missed, absent, well }))
    }
}

impl State {
    /// Drills of that name, the first one first.
    pub fn drills_of(&self, drill: &DrillName) -> impl DoubleEndedIterator<Item = &Incident> {
        let held = self.drills.get(drill).into_iter().flat_map(|known| &known.held);
        held.filter_map(|id| self.incidents.get(id))
    }

    /// An incident may be a drill, or tell of one that was not held.
    pub(in crate::core) fn note_drill(&mut self, opened: &Opened) {
        let id = opened.incident;
        match &opened.fault {
            Fault::Drill { drill, .. } => {
                let held = &mut self.drills.entry(drill.clone()).or_default().held;
                if !held.contains(&id) {
                    held.push(id);
                }
            }
            Fault::DrillOverdue { drill, due, .. } => {
                self.drills.entry(drill.clone()).or_default().missed = Some((id, *due));
            }
            _ => {}
        }
    }

    /// How a declared drill stands: the next is due so long after the last that somebody answered.
    pub fn drill_stands(
        &self,
        (name, declared): (&DrillName, &Drill),
        zone: &Zone,
        now: Timestamp,
    ) -> DrillStands {
        let date = |at: Timestamp| zone.tz().to_datetime(at).date();
        let real = || self.drills_of(name).rev().filter(|known| !known.what.trial);
        let answered = real().find(|known| known.acknowledged.is_some());
        let last = answered.map_or(declared.from, |known| date(known.opened));
        let under_way = real().find(|known| known.is_open()).map(|known| known.what.incident);
        let due = plus(last, i32::from(declared.every));
        DrillStands { due, overdue: under_way.is_none() && date(now) > due, under_way }
    }

    /// Whether it was told that this drill was not held by that date, and people have taken note of it.
    fn knows_overdue(&self, drill: &DrillName, due: Date) -> bool {
        let missed = self.drills.get(drill).and_then(|known| known.missed);
        let known = missed.and_then(|(id, told)| Some((self.incidents.get(&id)?, told)));
        // What is open goes on, whatever date it is due by since: another interval, or a drill that was answered late.
        known.is_some_and(|(known, told)| {
            known.is_open() || told == due && known.resolution().is_some()
        })
    }
}

fn told_at(due: Date, zone: &Zone) -> Timestamp {
    instant(plus(due, 1), TOLD_AT, zone)
}

impl Core {
    /// Whether a date is within the days in which people are told of a drill before it is due.
    pub fn is_soon(&self, due: Date, now: Timestamp) -> bool {
        let Some(on_call) = self.on_call() else { return false };
        due <= plus(on_call.site.zone.tz().to_datetime(now).date(), SOON)
    }

    /// Drills of the site that is served, with how they stand.
    fn drills(&self, now: Timestamp) -> Vec<(DrillName, Text, DrillStands)> {
        let Some(site) = self.serves() else { return Vec::new() };
        let declared = site.escalation.iter().flat_map(|escalation| &escalation.drills);
        let stands = declared.map(|(name, drill)| {
            let stands = self.state.drill_stands((name, drill), &site.zone, now);
            (name.clone(), drill.title.clone(), stands)
        });
        stands.collect()
    }
}

impl Mover<'_> {
    /// What the site says of the policy of a drill.
    pub(super) fn policy_of_drill(&self, fault: &Fault) -> Option<PolicyName> {
        let Fault::Drill { drill, .. } = fault else { return None };
        self.core.on_call()?.drill(drill)?.policy.clone()
    }

    pub(super) fn start_drill(&mut self, by: By, drill: DrillName) -> Result<(), StepError> {
        let declared = self.core.on_call().and_then(|on_call| on_call.drill(&drill)).cloned();
        let declared = declared.ok_or_else(|| {
            Refused::by(Rule::NoSuchThing, format!("the site declares no drill `{drill}`"))
                .hint("`nightrun drill list` lists them")
        })?;
        if let Some(open) = self.core.state.drills_of(&drill).find(|known| known.is_open()) {
            let what = format!("{} is this drill, and under way", open.what.incident);
            return Err(Refused::by(Rule::NoChange, what).into());
        }
        let Drill { title, runbook, people, teams, severity, .. } = declared;
        let terms = Box::new(DrillTerms { title, why: by.reason, runbook, people, teams });
        let fault = Fault::Drill { drill, terms };
        let kind = IncidentKind::Drill;
        let by = Some(by.person);
        Ok(self.open_incident(Draft { kind, by, ..Draft::of_site(fault, severity) })?)
    }

    /// A drill that was not held in time is a problem of its own, until it is answered, or wanted no more.
    pub(in crate::core) fn watch_drills(&mut self) -> Result<(), Unfit> {
        let now = self.now.wall;
        if !self.core.incidents_moved && self.core.drill_due.is_none_or(|due| due > now) {
            return Ok(());
        }
        let Some(site) = self.core.serves().cloned() else { return Ok(()) };
        let drills = self.core.drills(now);
        let today = site.zone.tz().to_datetime(now).date();
        let held = self.core.state.unfinished().filter(|known| {
            let Fault::DrillOverdue { drill, .. } = &known.what.fault else { return false };
            // One that is under way ends it when somebody answers.
            let still = |(name, _, stands): &(DrillName, Text, DrillStands)| {
                name == drill && today > stands.due
            };
            known.is_open() && !drills.iter().any(still)
        });
        let held: Vec<IncidentId> = held.map(|known| known.what.incident).collect();
        held.into_iter().try_for_each(|incident| self.close_incident(incident))?;
        let mut next = None;
        for (drill, title, DrillStands { due, under_way, .. }) in drills {
            if under_way.is_some() || self.core.state.knows_overdue(&drill, due) {
                continue;
            }
            let at = told_at(due, &site.zone);
            if at > now {
                next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
                continue;
            }
            let also = self.leads_of_drill(&drill);
            let (kind, fault) = (IncidentKind::Problem, Fault::DrillOverdue { drill, title, due });
            self.open_incident(Draft { kind, also, ..Draft::of_site(fault, Severity::P3) })?;
        }
        self.core.drill_due = next;
        Ok(())
    }

    /// Whoever leads those who take part.
    fn leads_of_drill(&self, drill: &DrillName) -> Vec<PersonId> {
        let leads = || {
            let on_call = self.core.on_call()?;
            let declared = on_call.drill(drill)?;
            let teams = declared.teams.iter().filter_map(|team| on_call.lead(team).cloned());
            let all = on_call.leads(&declared.people).into_iter().chain(teams);
            let mut leads: Vec<PersonId> = all.filter(|who| on_call.can_be_reached(who)).collect();
            leads.sort();
            leads.dedup();
            Some(leads)
        };
        leads().unwrap_or_default()
    }
}

impl OnCall {
    fn drill(&self, drill: &DrillName) -> Option<&Drill> {
        self.declared()?.drills.get(drill)
    }
}
