//! Bulletins (每日通告): when one is due, and which time it tells of (E5). Each time that the site names has one at the most;
//! what nobody was there to tell comes with the next, whose time begins where the last one ended.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar::plus;
use super::fact::Fact;
use super::night::{Command, Core, Mover};
use super::set_times::{last_and_next, of_dates};
use super::state::Unfit;
use crate::definition::site::Site;
use crate::types::PersonId;

/// A bulletin was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// The time that the site names for it.
    pub slot: Timestamp,
    /// What it tells of: from the end of the one before.
    pub from: Timestamp,
    pub to: Timestamp,
    pub people: Vec<PersonId>,
}

/// What the bulletins of a date tell of: from the last one of a date before until the last one of that date. `None`: the
/// site has none.
pub fn of_day(site: &Site, date: Date) -> Option<(Timestamp, Timestamp)> {
    let rules = site.duty.bulletin.as_ref()?;
    let last = |date| of_dates(&rules.at, &site.zone, (date, date)).last().copied();
    Some((last(plus(date, -1))?, last(date)?))
}

/// Since when nothing was told; without a bulletin before since the last time that the site names, or a day.
pub fn since(site: &Site, last: Option<&Bulletin>, now: Timestamp) -> Timestamp {
    let day = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let named = || last_and_next(&site.duty.bulletin.as_ref()?.at, &site.zone, now).0;
    last.map(|last| last.to.min(now)).or_else(named).unwrap_or(day)
}

/// A bulletin of a time that is more than one ahead, by a clock that went wrong: those until then are told all the same.
fn is_of_another_clock(last: &Bulletin, next: Option<Timestamp>) -> bool {
    next.is_some_and(|next| last.slot > next)
}

impl Bulletin {
    /// Of no time, for nobody: those after it are told.
    pub(super) fn begins_anew(&self) -> bool {
        self.from == self.to && self.people.is_empty()
    }
}

/// The bulletin that is due now. Where there was none before, or only one of a clock that was far ahead, it is one of no
/// time, for nobody.
pub fn due(site: &Site, last: Option<&Bulletin>, now: Timestamp) -> Option<Bulletin> {
    let rules = site.duty.bulletin.as_ref()?;
    let (slot, next) = last_and_next(&rules.at, &site.zone, now);
    let slot = slot?;
    let Some(last) = last.filter(|last| !is_of_another_clock(last, next)) else {
        return Some(Bulletin { slot, from: slot, to: slot, people: Vec::new() });
    };
    if slot <= last.slot {
        return None;
    }
    let gets = |roles: &[crate::types::Role]| {
        rules.to.is_empty() || roles.iter().any(|role| rules.to.contains(role))
    };
    let people = site
        .people
        .iter()
        .filter(|(_, who)| (who.mail.is_some() || who.webhook.is_some()) && gets(&who.roles));
    let people = people.map(|(id, _)| id.clone()).collect();
    Some(Bulletin { slot, from: last.to.min(now), to: now, people })
}

impl Core {
    /// When a bulletin is due, for a supervisor that serves.
    pub(super) fn bulletin_due(&self) -> Option<Timestamp> {
        let site = self.serves()?;
        let last = self.state.standing.bulletin.as_ref()?;
        last_and_next(&site.duty.bulletin.as_ref()?.at, &site.zone, last.slot).1
    }
}

impl Mover<'_> {
    pub(super) fn tell_bulletin(&mut self) -> Result<(), Unfit> {
        let Some(site) = self.core.serves() else { return Ok(()) };
        let last = self.core.state.standing.bulletin.as_ref();
        let Some(bulletin) = due(site, last, self.now.wall) else { return Ok(()) };
        self.emit(Fact::BulletinTold(Box::new(bulletin.clone())))?;
        if !bulletin.people.is_empty() {
            self.command(Command::Bulletin(Box::new(bulletin)));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "bulletin_tests.rs"]
mod tests;
