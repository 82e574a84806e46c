//! Who is on which shift at an instant (E1), from the dated roster.
//!
//! A shift belongs to the date on which it begins, whatever date it ends on. Its hours are clock times of the site's zone,
//! and each clock time is one instant: the first at which the clock shows it or, where daylight saving leaves it out, a
//! later one. So where one shift ends at the clock time at which another begins, nobody is missing and nobody is doubled,
//! in those nights too.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{Calendars, plus};
use crate::definition::site::{Assignment, Hours, Shift, Site};
use crate::types::{CalendarName, PersonId, ShiftName, Zone};

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
}

/// A calendar says nothing about the day, so nobody knows the hours of the shift.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the hours of shift `{shift}` on {date} are not known: the data of calendar `{calendar}` do not reach it"
)]
pub struct HoursUnknown {
    pub shift: ShiftName,
    pub date: Date,
    pub calendar: CalendarName,
}

/// Two shifts of one person that overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Of the later one in the site's roster.
    pub entry: usize,
    pub person: PersonId,
    pub shifts: [(ShiftName, Date); 2],
}

/// The roster of a site.
#[derive(Debug)]
pub struct Roster<'a> {
    site: &'a Site,
    calendars: &'a Calendars,
}

impl<'a> Roster<'a> {
    pub fn new(site: &'a Site, calendars: &'a Calendars) -> Self {
        Self { site, calendars }
    }

    /// Shifts that somebody has at an instant: those that began first come first.
    pub fn who(&self, at: Timestamp) -> Result<Vec<OnShift>, HoursUnknown> {
        let mut on: Vec<OnShift> = Vec::new();
        for entry in &self.site.duty.roster {
            for turn in self.turns(entry, at)? {
                if !(turn.from <= at && at < turn.to) {
                    continue;
                }
                match on.iter_mut().find(|on| on.shift == turn.shift && on.date == turn.date) {
                    Some(same) => same.people.extend(turn.people),
                    None => on.push(turn),
                }
            }
        }
        on.sort_by(|a, b| (a.from, a.to, &a.shift).cmp(&(b.from, b.to, &b.shift)));
        Ok(on)
    }

    /// The first instant after this one at which a shift that somebody has begins or ends.
    pub fn next_change(&self, at: Timestamp) -> Result<Option<Timestamp>, HoursUnknown> {
        let mut next: Option<Timestamp> = None;
        for entry in &self.site.duty.roster {
            let turns = self.turns(entry, at)?;
            let ends = turns.iter().flat_map(|turn| [turn.from, turn.to]);
            next = ends.chain(next).filter(|end| *end > at).min();
        }
        Ok(next)
    }

    /// Shifts of one person that overlap, where one of them is not on call.
    pub fn clashes(&self) -> Vec<Clash> {
        let mut turns: Vec<(&PersonId, Timestamp, Timestamp, &ShiftName, Date, usize)> = Vec::new();
        for (number, entry) in self.site.duty.roster.iter().enumerate() {
            let Some(shift) = self.site.duty.shifts.get(&entry.shift) else { continue };
            if shift.on_call {
                continue;
            }
            for date in days(entry.from, entry.to) {
                let Ok((from, to)) = self.hours(&entry.shift, shift, date) else { continue };
                let people = entry.people.iter();
                turns.extend(people.map(|who| (who, from, to, &entry.shift, date, number)));
            }
        }
        turns.sort();
        let pairs = turns.windows(2).filter(|two| two[0].0 == two[1].0 && two[1].1 < two[0].2);
        pairs
            .map(|two| Clash {
                entry: two[0].5.max(two[1].5),
                person: two[0].0.clone(),
                shifts: [(two[0].3.clone(), two[0].4), (two[1].3.clone(), two[1].4)],
            })
            .collect()
    }

    /// The turns of an entry around an instant: that of its day, those beside it, and the first one where it is yet to
    /// begin.
    fn turns(&self, entry: &Assignment, at: Timestamp) -> Result<Vec<OnShift>, HoursUnknown> {
        let Some(shift) = self.site.duty.shifts.get(&entry.shift) else { return Ok(Vec::new()) };
        let today = self.site.zone.tz().to_datetime(at).date();
        // A turn of two days before may end behind midnight where the clock was set; the day after, a gap may begin it.
        let first = entry.from.max(plus(today, -2));
        let last = entry.to.min(plus(first.max(today), 1));
        let turn = |date| {
            let (from, to) = self.hours(&entry.shift, shift, date)?;
            let (shift, people) = (entry.shift.clone(), entry.people.clone());
            Ok(OnShift { shift, date, from, to, people })
        };
        days(first, last).map(turn).collect()
    }

    fn hours(
        &self,
        name: &ShiftName,
        shift: &Shift,
        date: Date,
    ) -> Result<(Timestamp, Timestamp), HoursUnknown> {
        let hours = match &shift.days_off {
            Some(off) if !self.is_business_day(name, shift, date)? => off,
            _ => &shift.hours,
        };
        Ok(between(hours, date, &self.site.zone))
    }

    fn is_business_day(
        &self,
        name: &ShiftName,
        shift: &Shift,
        date: Date,
    ) -> Result<bool, HoursUnknown> {
        let Some(calendar) = &shift.calendar else {
            return Ok(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
        };
        let known = self.calendars.is_business_day(calendar, date);
        known.ok_or_else(|| HoursUnknown { shift: name.clone(), date, calendar: calendar.clone() })
    }
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::ToSpan::days(1)).take_while(move |date| *date <= last)
}

fn between(hours: &Hours, date: Date, zone: &Zone) -> (Timestamp, Timestamp) {
    let end = if hours.to > hours.from { date } else { plus(date, 1) };
    (instant(date, hours.from, zone), instant(end, hours.to, zone))
}

/// The first instant at which the zone's clock shows this time or a later one of the day.
fn instant(date: Date, time: Time, zone: &Zone) -> Timestamp {
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
mod tests;
