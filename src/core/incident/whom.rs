//! Whom a step of an escalation tells, at the moment at which it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::core::calendar::Calendars;
use crate::core::roster::{OnShift, Roster};
use crate::definition::site::{Escalation, Person, Policy, Rung, Site, Tell, Way};
use crate::types::{ChannelName, PersonId, PolicyName, ShiftName, Span, TeamName, Text};

/// Whom a message goes to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// Each in a message of his own.
    pub people: Vec<PersonId>,
    pub rooms: Vec<ChannelName>,
    /// Each of these that a person has, else what there is; empty: mail.
    pub by: Vec<Way>,
    /// Addresses and webhooks (as recipients) that refuse messages: it goes by other ways, or not at all.
    pub refused: Vec<String>,
}

impl Audience {
    /// People, by mail where they have it.
    pub fn of(people: Vec<PersonId>) -> Self {
        Self { people, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.rooms.is_empty()
    }

    /// Without those whom nothing but these recipients would reach.
    pub(super) fn but(mut self, on_call: &OnCall, refused: Vec<String>) -> Self {
        if !refused.is_empty() {
            self.rooms.retain(|room| !refused.contains(&room.recipient()));
            self.people.retain(|who| on_call.is_reached_but(who, &refused));
        }
        Self { refused, ..self }
    }
}

/// Who can be told of incidents now: the site's people, their roster, and what is said of escalation.
#[derive(Debug, Clone)]
pub struct OnCall {
    pub site: Arc<Site>,
    pub(in crate::core) calendars: Arc<Calendars>,
    escalation: Option<Arc<Escalation>>,
    /// Of a site that declares none.
    plain: Policy,
}

impl OnCall {
    pub fn new(site: Arc<Site>, calendars: Arc<Calendars>) -> Self {
        let roles = vec![site.mail.failures_to.clone()];
        let tell = Tell { roles, ..Tell::default() };
        let rungs = vec![Rung { after: Span::default(), tell, by: Vec::new() }];
        let plain = Policy { title: Text::default(), rungs, remind: Policy::REMIND };
        Self { calendars, escalation: site.escalation.clone(), plain, site }
    }

    /// Of its site.
    pub fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    pub(super) fn declared(&self) -> Option<&Escalation> {
        self.escalation.as_deref()
    }

    /// One that is not declared any more is that of what names no other.
    pub(super) fn policy(&self, name: Option<&PolicyName>) -> &Policy {
        let Some(declared) = &self.escalation else { return &self.plain };
        let found = name.and_then(|name| declared.policies.get(name));
        found.or_else(|| declared.policies.get(&declared.policy)).unwrap_or(&self.plain)
    }

    pub(super) fn warn_before(&self) -> SignedDuration {
        self.declared().map_or(SignedDuration::ZERO, |declared| signed(declared.warn_before))
    }

    /// People whom a step tells at an instant, who can be reached, each once. `told`: who was told before; `team`: of the
    /// batch. Where a calendar does not say who has a shift, the others are told; whoever is on leave is no deputy.
    pub(super) fn whom(
        &self,
        tell: &Tell,
        told: &[PersonId],
        team: Option<&TeamName>,
        at: Timestamp,
    ) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = Vec::new();
        let mut add = |who: &PersonId| {
            if self.can_be_reached(who) && !people.contains(who) {
                people.push(who.clone());
            }
        };
        let roster = Roster::new(&self.site, &self.calendars);
        for on in self.on_shift(&roster, at) {
            if tell.on_shift || tell.shifts.contains(&on.shift) {
                on.people.iter().for_each(&mut add);
            }
        }
        if tell.deputies {
            let today = self.site.zone.tz().to_datetime(at).date();
            let deputies = told.iter().flat_map(|who| roster.deputies(who, today));
            deputies.for_each(|who| add(&who));
        }
        if tell.leads {
            let teams = told.iter().filter_map(|who| self.site.people.get(who)?.team.as_ref());
            let leads = team.into_iter().chain(teams).filter_map(|team| self.lead(team));
            leads.for_each(&mut add);
        }
        for (id, person) in &self.site.people {
            let in_team = person.team.as_ref().is_some_and(|team| tell.teams.contains(team));
            if in_team || person.roles.iter().any(|role| tell.roles.contains(role)) {
                add(id);
            }
        }
        tell.people.iter().for_each(&mut add);
        people
    }

    /// Those who were on shift a moment ago still count: whoever comes may not have taken over yet.
    fn on_shift(&self, roster: &Roster<'_>, at: Timestamp) -> Vec<OnShift> {
        let overlap = self.declared().map_or(SignedDuration::ZERO, |d| signed(d.overlap));
        let mut on = roster.who_is_known(at).on;
        let before = at.saturating_sub(overlap).unwrap_or(at);
        for shift in roster.who_is_known(before).on {
            if !on.iter().any(|known| (&known.shift, known.date) == (&shift.shift, shift.date)) {
                on.push(shift);
            }
        }
        on
    }

    /// Who has one of these shifts.
    pub(in crate::core) fn who_has(&self, shifts: &[ShiftName], at: Timestamp) -> Vec<PersonId> {
        let on = Roster::new(&self.site, &self.calendars).who_is_known(at).on;
        let of_them = on.into_iter().filter(|on| shifts.contains(&on.shift));
        of_them.flat_map(|on| on.people).collect()
    }

    pub(in crate::core) fn is_on_shift(&self, who: &PersonId, at: Timestamp) -> bool {
        let on = Roster::new(&self.site, &self.calendars).who_is_known(at).on;
        on.iter().any(|on| on.people.contains(who))
    }

    /// Whether somebody has the role that hears of failures.
    pub(in crate::core) fn hears_of_failures(&self, who: &PersonId) -> bool {
        let role = &self.site.mail.failures_to;
        self.site.people.get(who).is_some_and(|person| person.roles.contains(role))
    }

    /// The leads of the teams of these people.
    pub(in crate::core) fn leads(&self, of: &[PersonId]) -> Vec<PersonId> {
        let teams = of.iter().filter_map(|who| self.site.people.get(who)?.team.as_ref());
        teams.filter_map(|team| self.lead(team)).cloned().collect()
    }

    pub(super) fn lead(&self, team: &TeamName) -> Option<&PersonId> {
        self.site.duty.teams.get(team)?.lead.as_ref()
    }

    pub(in crate::core) fn can_be_reached(&self, who: &PersonId) -> bool {
        let reached = |person: &Person| person.mail.is_some() || person.webhook.is_some();
        self.site.people.get(who).is_some_and(reached)
    }

    /// Whether something reaches a person that is none of these recipients.
    fn is_reached_but(&self, who: &PersonId, refused: &[String]) -> bool {
        let Some(person) = self.site.people.get(who) else { return false };
        let webhook = person.webhook.as_ref().map(ChannelName::recipient);
        person.mail.iter().chain(&webhook).any(|recipient| !refused.contains(recipient))
    }

    /// The ways of the first steps of a policy, together.
    pub(super) fn ways(&self, policy: Option<&PolicyName>, rungs: u32) -> Vec<Way> {
        let taken = usize::try_from(rungs).unwrap_or(usize::MAX);
        let rungs = self.policy(policy).rungs.iter().take(taken);
        let ways: BTreeSet<Way> = rungs.flat_map(ways_of).copied().collect();
        ways.into_iter().collect()
    }

    /// Names that no policy gives: the step that found nobody at all falls back on them.
    pub(in crate::core) fn anybody(&self, at: Timestamp) -> Vec<PersonId> {
        let steps = self.plain.rungs.iter();
        let people = steps.flat_map(|rung| self.whom(&rung.tell, &[], None, at));
        people.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Who says nothing means mail.
fn ways_of(rung: &Rung) -> &[Way] {
    if rung.by.is_empty() { &[Way::Mail] } else { &rung.by }
}

fn signed(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX)
}
