//! Who is on which shift at an instant (E1), from the dated roster.
//!
//! A shift belongs to the date on which it begins, whatever date it ends on. Its hours are clock times of the site's zone,
//! and each clock time is one instant: the first at which the clock shows it or, where daylight saving leaves it out, a
//! later one. So where one shift ends at the clock time at which another begins, nobody is missing and nobody is doubled,
//! in those nights too.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{Calendars, plus};
use super::staffing::{Instead, Staff, Staffing};
use crate::definition::site::{Hours, Shift, Site};
use crate::types::{CalendarName, PersonId, ShiftName, Zone};

pub use super::staffing::Entry;

/// A shift of a date, with who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnShift {
    pub shift: ShiftName,
    /// On which it begins.
    pub date: Date,
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    /// In the order of the roster.
    pub people: Vec<PersonId>,
    /// Those of them for whom somebody else was planned.
    pub instead: BTreeMap<PersonId, Instead>,
}

impl OnShift {
    /// A shift that is had as `staff` says.
    pub fn of(
        staff: Staff,
        (shift, date): (&ShiftName, Date),
        (from, to): (Timestamp, Timestamp),
    ) -> Self {
        let mut instead = BTreeMap::new();
        let mut people = Vec::with_capacity(staff.holders.len());
        for holder in staff.holders {
            if let Some(why) = holder.instead {
                instead.insert(holder.person.clone(), why);
            }
            people.push(holder.person);
        }
        Self { shift: shift.clone(), date, from, to, people, instead }
    }
}

/// A calendar says nothing about the day, so nobody knows the hours of the shift, or whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "shift `{shift}` of {date} is not known: the data of calendar `{calendar}` do not reach that day"
)]
pub struct HoursUnknown {
    pub shift: ShiftName,
    pub date: Date,
    pub calendar: CalendarName,
}

/// Who is on shift, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Those that began first come first.
    pub on: Vec<OnShift>,
    /// Shifts of which it is not.
    pub unknown: Vec<HoursUnknown>,
}

impl Known {
    fn whole(self) -> Result<Vec<OnShift>, HoursUnknown> {
        match self.unknown.into_iter().next() {
            Some(unknown) => Err(unknown),
            None => Ok(self.on),
        }
    }
}

/// How far a rotation without a last date is followed.
const AHEAD: i32 = 400;

/// The roster of a site.
#[derive(Debug)]
pub struct Roster<'a> {
    site: &'a Site,
    pub(super) staffing: Staffing<'a>,
}

impl<'a> Roster<'a> {
    pub fn new(site: &'a Site, calendars: &'a Calendars) -> Self {
        Self { site, staffing: Staffing::new(&site.duty, calendars) }
    }

    /// Shifts that somebody has at an instant: those that began first come first.
    ///
    /// # Errors
    /// Of one shift nobody knows whether it is had then.
    pub fn who(&self, at: Timestamp) -> Result<Vec<OnShift>, HoursUnknown> {
        self.who_is_known(at).whole()
    }

    /// The same, as far as it is known: for whoever has to call somebody now.
    pub fn who_is_known(&self, at: Timestamp) -> Known {
        let today = self.site.zone.tz().to_datetime(at).date();
        // A shift of two days before may end behind midnight where the clock was set; the day after, a gap may begin it.
        let mut known = self.known_between(plus(today, -2), plus(today, 1));
        known.on.retain(|on| on.from <= at && at < on.to);
        known
    }

    /// Shifts that begin on these dates, the last one included, and that somebody has: those that begin first come
    /// first.
    ///
    /// # Errors
    /// Of one shift nobody knows who has it, or when.
    pub fn between(&self, first: Date, last: Date) -> Result<Vec<OnShift>, HoursUnknown> {
        self.known_between(first, last).whole()
    }

    /// The same, as far as it is known.
    pub fn known_between(&self, first: Date, last: Date) -> Known {
        let mut known = Known::default();
        for date in days(first, last) {
            for (name, shift) in self.staffing.shifts() {
                match self.of_date((name, shift), date) {
                    Ok(on) => known.on.extend(on),
                    Err(unknown) => known.unknown.push(unknown),
                }
            }
        }
        known.on.sort_by(|a, b| (a.from, a.to, &a.shift).cmp(&(b.from, b.to, &b.shift)));
        known
    }

    /// A shift of a date, where somebody has it.
    fn of_date(
        &self,
        (name, shift): (&ShiftName, &Shift),
        date: Date,
    ) -> Result<Option<OnShift>, HoursUnknown> {
        let staff = self.staffing.of(name, date)?;
        if staff.holders.is_empty() {
            return Ok(None);
        }
        let hours = self.hours((name, shift), date)?;
        Ok(Some(OnShift::of(staff, (name, date), hours)))
    }

    /// The first instant after this one at which a shift that somebody has begins or ends.
    pub fn next_change(&self, at: Timestamp) -> Result<Option<Timestamp>, HoursUnknown> {
        let today = self.site.zone.tz().to_datetime(at).date();
        let Some(last) = self.last_date(today) else { return Ok(None) };
        let mut next: Option<Timestamp> = None;
        for date in days(plus(today, -2), last) {
            // No shift begins before its date.
            let begins = instant(date, Time::midnight(), &self.site.zone);
            if next.is_some_and(|next| next <= begins) {
                break;
            }
            let on = self.between(date, date)?;
            let ends = on.iter().flat_map(|turn| [turn.from, turn.to]);
            next = ends.chain(next).filter(|end| *end > at).min();
        }
        Ok(next)
    }

    /// The last date that the roster says anything about; of a rotation without end a year and a bit from `today`.
    /// `None`: it is empty.
    pub fn last_date(&self, today: Date) -> Option<Date> {
        self.last_date_of(None, today)
    }

    /// The same of one shift.
    pub(super) fn last_date_of(&self, shift: Option<&ShiftName>, today: Date) -> Option<Date> {
        let duty = &self.site.duty;
        let of = |name: &ShiftName| shift.is_none_or(|shift| name == shift);
        let open = |to: Option<Date>| to.unwrap_or_else(|| plus(today, AHEAD));
        let assigned = duty.roster.iter().filter(|entry| of(&entry.shift)).map(|entry| entry.to);
        let rotations = duty.rotations.iter().filter(|rotation| of(&rotation.shift));
        let set = duty.overrides.iter().filter(|entry| of(&entry.shift)).map(|entry| entry.date);
        assigned.chain(rotations.map(|rotation| open(rotation.to))).chain(set).max()
    }

    /// Who has a shift of a date, and how that came.
    pub fn staff(&self, shift: &ShiftName, date: Date) -> Result<Staff, HoursUnknown> {
        self.staffing.of(shift, date)
    }

    /// Those who stand in for somebody, in the order of the file; whoever is on leave that day is none.
    pub fn deputies(&self, person: &PersonId, date: Date) -> Vec<PersonId> {
        let there = |deputy: &&PersonId| self.staffing.leave(deputy, date).is_none();
        self.staffing.deputies(person).filter(there).cloned().collect()
    }

    pub fn is_on_leave(&self, person: &PersonId, date: Date) -> bool {
        self.staffing.leave(person, date).is_some()
    }

    /// When a shift of a date begins and ends.
    pub fn hours(
        &self,
        (name, shift): (&ShiftName, &Shift),
        date: Date,
    ) -> Result<(Timestamp, Timestamp), HoursUnknown> {
        let hours = match &shift.days_off {
            Some(off) if !self.staffing.is_business_day((name, shift), date)? => off,
            _ => &shift.hours,
        };
        Ok(between(hours, date, &self.site.zone))
    }
}

pub(super) fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::ToSpan::days(1)).take_while(move |date| *date <= last)
}

fn between(hours: &Hours, date: Date, zone: &Zone) -> (Timestamp, Timestamp) {
    let end = if hours.to > hours.from { date } else { plus(date, 1) };
    (instant(date, hours.from, zone), instant(end, hours.to, zone))
}

/// The first instant at which the zone's clock shows this time or a later one of the day.
pub(super) fn instant(date: Date, time: Time, zone: &Zone) -> Timestamp {
    let ambiguous = zone.tz().to_ambiguous_timestamp(date.to_datetime(time));
    let left_out = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let Ok(at) = ambiguous.compatible() else { return Timestamp::MAX };
    if !left_out {
        return at;
    }
    // As much behind the jump as the time lies in the gap; wanted is the jump itself.
    let just_after = at.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(at);
    zone.tz().preceding(just_after).next().map_or(at, |jump| jump.timestamp())
}

#[cfg(test)]
#[path = "roster_tests.rs"]
pub(super) mod tests;

#[cfg(test)]
#[path = "roster_nights_tests.rs"]
mod nights_tests;
