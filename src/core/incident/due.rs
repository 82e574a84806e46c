//! What is due about an incident, and when.

use jiff::{SignedDuration, Timestamp};

use super::{Audience, Incident, OnCall, Telling};
use crate::types::{ChannelName, ClockKind};

/// What is to be done about an incident now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    Tell { to: Audience, rungs: u32, why: Telling },
    Warn { clocks: Vec<ClockKind> },
    Breach { clocks: Vec<ClockKind> },
}

impl Incident {
    /// Whether people are told one after the other: nobody has acknowledged it, it is open, and it is no trial.
    fn is_climbing(&self) -> bool {
        self.is_open() && self.acknowledged.is_none() && !self.what.trial
    }

    /// When the next step of the policy is due; `None`: it has no more.
    fn next_rung(&self, on_call: &OnCall) -> Option<Timestamp> {
        let policy = on_call.policy(self.what.policy.as_ref());
        let rung = policy.rungs.get(usize::try_from(self.rungs).ok()?)?;
        after(self.climbed, rung.after.get())
    }

    fn next_reminder(&self, on_call: &OnCall) -> Option<Timestamp> {
        let due = after(self.told, on_call.policy(self.what.policy.as_ref()).remind.get())?;
        Some(self.muted.map_or(due, |until| due.max(until)))
    }

    /// When something is to be done about it, though nothing happens. Every open incident that nobody takes care of has
    /// such a time, but for those of trials.
    pub fn next_due(&self, on_call: &OnCall) -> Option<Timestamp> {
        let climbs = self.is_climbing().then(|| {
            let rung = self.next_rung(on_call).map(|due| self.muted.map_or(due, |m| due.max(m)));
            [rung, self.next_reminder(on_call)]
        });
        let warn_before = on_call.warn_before();
        let running = self.clocks.values().filter(|clock| clock.met.is_none() && !clock.breached);
        let clocks = running.filter(|_| !self.what.trial).map(|clock| match clock.warned {
            true => clock.due,
            false => clock.due.saturating_sub(warn_before).unwrap_or(clock.due),
        });
        climbs.into_iter().flatten().flatten().chain(clocks).min()
    }

    /// What is due now, one after the other: it is asked again after each was done. A clock that was set back makes due
    /// what was done at a time that is yet to come: too early a word is better than too late a one.
    pub(super) fn due(&self, on_call: &OnCall, now: Timestamp) -> Option<Due> {
        if self.what.trial {
            return None;
        }
        let running = || self.clocks.iter().filter(|(_, c)| c.met.is_none() && !c.breached);
        let over: Vec<ClockKind> =
            running().filter(|(_, c)| c.due <= now).map(|(kind, _)| *kind).collect();
        if !over.is_empty() {
            return Some(Due::Breach { clocks: over });
        }
        let soon = now.saturating_add(on_call.warn_before()).unwrap_or(now);
        let near = running().filter(|(_, clock)| !clock.warned && clock.due <= soon);
        let near: Vec<ClockKind> = near.map(|(kind, _)| *kind).collect();
        if !near.is_empty() {
            return Some(Due::Warn { clocks: near });
        }
        if !self.is_climbing() || self.muted.is_some_and(|until| until > now) {
            return None;
        }
        let came = |due: Timestamp, since: Timestamp| due <= now || since > now;
        if self.next_rung(on_call).is_some_and(|due| came(due, self.climbed)) {
            let (to, rungs) = self.climb(on_call, now);
            if !to.is_empty() {
                return Some(Due::Tell { to, rungs, why: Telling::Step });
            }
            // None of the steps that are left finds anybody new.
            let (to, why) = (self.reminded(on_call, now), Telling::Reminder);
            return Some(Due::Tell { to, rungs, why });
        }
        if self.next_reminder(on_call).is_some_and(|due| came(due, self.told)) {
            let (to, rungs) = (self.reminded(on_call, now), self.rungs);
            return Some(Due::Tell { to, rungs, why: Telling::Reminder });
        }
        None
    }

    /// Who is told by the next step that finds somebody who was not told before; steps that find nobody are skipped.
    fn climb(&self, on_call: &OnCall, now: Timestamp) -> (Audience, u32) {
        let policy = on_call.policy(self.what.policy.as_ref());
        let team = self.team(on_call);
        let mut rungs = self.rungs;
        let taken = usize::try_from(self.rungs).unwrap_or(usize::MAX);
        for rung in policy.rungs.iter().skip(taken) {
            rungs += 1;
            let mut people = on_call.whom(&rung.tell, &self.notified, team, now);
            people.retain(|who| !self.notified.contains(who));
            let rooms = rung.tell.webhooks.iter().filter(|room| !self.rooms.contains(room));
            let rooms: Vec<ChannelName> = rooms.cloned().collect();
            let to = Audience { people, rooms, by: rung.by.clone(), ..Audience::default() };
            let to = to.but(on_call, self.refused());
            if !to.is_empty() {
                return (to, rungs);
            }
        }
        (Audience::default(), rungs)
    }

    /// Everyone who was told before; where that is nobody, whoever the site names for failures.
    fn reminded(&self, on_call: &OnCall, now: Timestamp) -> Audience {
        let told = self.told_before(Some(on_call));
        if told.is_empty() { self.anybody(on_call, now) } else { told }
    }

    fn anybody(&self, on_call: &OnCall, now: Timestamp) -> Audience {
        Audience::of(on_call.anybody(now)).but(on_call, self.refused())
    }

    /// Everyone who was told, by the ways of the steps that were taken.
    pub(super) fn told_before(&self, on_call: Option<&OnCall>) -> Audience {
        let (people, rooms) = (self.notified.clone(), self.rooms.clone());
        let told = Audience { people, rooms, ..Audience::default() };
        let Some(on_call) = on_call else { return told };
        let by = on_call.ways(self.what.policy.as_ref(), self.rungs);
        Audience { by, ..told }.but(on_call, self.refused())
    }

    fn team<'a>(&self, on_call: &'a OnCall) -> Option<&'a crate::types::TeamName> {
        on_call.site.batches.get(&self.what.run.as_ref()?.batch)?.team.as_ref()
    }
}

fn after(at: Timestamp, wait: std::time::Duration) -> Option<Timestamp> {
    at.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).ok()
}

impl Incident {
    /// Who is told at its opening, and how many steps of the policy that takes: those whose time is now, up to the first
    /// that finds somebody. Where the whole policy finds nobody, whoever the site names for failures.
    pub(super) fn first_told(&self, on_call: &OnCall, now: Timestamp) -> (Audience, u32) {
        if self.next_rung(on_call).is_none_or(|due| due > now) {
            return (Audience::default(), 0);
        }
        match self.climb(on_call, now) {
            (nobody, rungs) if nobody.is_empty() => (self.anybody(on_call, now), rungs),
            told => told,
        }
    }
}
