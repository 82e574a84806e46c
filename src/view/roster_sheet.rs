//! The roster of some dates as a table, person by day, and what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Who;
use super::roster::InsteadOf;
use crate::core::calendar::Calendars;
use crate::core::roster::{HoursUnknown, Roster};
use crate::core::roster_gaps::{Gap, gaps};
use crate::definition::site::{Site, Weight};
use crate::types::{PersonId, ShiftName, Text};

/// Who has which shift on which of the dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RosterSheet {
    pub from: Date,
    /// The last date.
    pub to: Date,
    /// All shifts of the site.
    pub shifts: Vec<ShiftTitle>,
    /// Those who have a shift or are on leave on one of the dates, in the order of their ids.
    pub people: Vec<PersonRow>,
    pub gaps: Vec<GapLine>,
    /// Shifts of dates that a calendar does not reach: who has them is not known.
    pub unknown: Vec<UnknownShift>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ShiftTitle {
    pub shift: ShiftName,
    pub title: Text,
    pub on_call: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PersonRow {
    #[serde(flatten)]
    pub who: Who,
    /// Dates on which there is something to say.
    pub days: Vec<PersonDay>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PersonDay {
    pub date: Date,
    /// Shifts that begin on it.
    pub shifts: Vec<HeldShift>,
    pub on_leave: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct HeldShift {
    pub shift: ShiftName,
    /// Absent where it is as planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<InsteadOf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UnknownShift {
    pub shift: ShiftName,
    pub date: Date,
}

/// A time in which too few people are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct GapLine {
    /// `None`: nobody is on any shift.
    pub shift: Option<ShiftName>,
    pub title: Option<Text>,
    /// The first and the last date of the shift.
    pub first: Date,
    pub last: Date,
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    pub needs: u32,
    pub has: u32,
    /// The site calls it a warning, not a defect.
    pub warning: bool,
}

/// What is open from one date to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RosterGaps {
    pub from: Date,
    /// The last date.
    pub to: Date,
    /// Whether the site says at all how many people are needed.
    pub ruled: bool,
    pub gaps: Vec<GapLine>,
}

/// Days of a table at the most.
const LONGEST: i32 = 366;

/// Dates that are given, or those that are meant where nothing is said.
///
/// # Errors
/// They end before they begin, or are more than 366.
pub fn span(
    (from, to): (Option<Date>, Option<Date>),
    meant: impl Fn(Date) -> Date,
    otherwise: Date,
) -> Result<(Date, Date), String> {
    let from = from.unwrap_or(otherwise);
    let to = to.unwrap_or_else(|| meant(from));
    if to < from {
        return Err(format!("{to} is before {from}"));
    }
    match from.saturating_add(jiff::ToSpan::days(LONGEST)) <= to {
        true => Err(format!("{from} to {to}: ask for {LONGEST} days at the most")),
        false => Ok((from, to)),
    }
}

/// As [`span`]: the rest of the month of the first date, and this month where nothing is said.
///
/// # Errors
/// The same.
pub fn month_span(
    today: Date,
    given: (Option<Date>, Option<Date>),
) -> Result<(Date, Date), String> {
    span(given, Date::last_of_month, today.first_of_month())
}

/// As [`span`]: a month from the first date, and from today where nothing is said.
///
/// # Errors
/// The same.
pub fn ahead_span(
    today: Date,
    given: (Option<Date>, Option<Date>),
) -> Result<(Date, Date), String> {
    span(given, |from| from.saturating_add(jiff::ToSpan::days(30)), today)
}

/// The table of these dates, the last one included.
pub fn of(site: &Site, (from, to): (Date, Date)) -> RosterSheet {
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(site, &calendars);
    let mut unknown = Vec::new();
    let mut held: BTreeMap<PersonId, BTreeMap<Date, PersonDay>> = BTreeMap::new();
    let day = |held: &mut BTreeMap<PersonId, BTreeMap<Date, PersonDay>>, who: &PersonId, date| {
        let days = held.entry(who.clone()).or_default();
        let none =
            || PersonDay { date, shifts: Vec::new(), on_leave: roster.is_on_leave(who, date) };
        days.entry(date).or_insert_with(none);
    };
    for date in dates(from, to) {
        for shift in site.duty.shifts.keys() {
            let Ok(staff) = roster.staff(shift, date) else {
                unknown.push(UnknownShift { shift: shift.clone(), date });
                continue;
            };
            for holder in staff.holders {
                day(&mut held, &holder.person, date);
                let instead = holder.instead.map(|why| InsteadOf::of(site, &why));
                let of_day = held.get_mut(&holder.person).and_then(|days| days.get_mut(&date));
                if let Some(of_day) = of_day {
                    of_day.shifts.push(HeldShift { shift: shift.clone(), instead });
                }
            }
        }
        let away: BTreeSet<&PersonId> = site.duty.leave.iter().map(|leave| &leave.person).collect();
        for person in away.into_iter().filter(|person| roster.is_on_leave(person, date)) {
            day(&mut held, person, date);
        }
    }
    let row = |(id, days): (PersonId, BTreeMap<Date, PersonDay>)| PersonRow {
        who: Who::of(site, &id),
        days: days.into_values().collect(),
    };
    let found = gaps(site, &roster, from, to);
    RosterSheet {
        from,
        to,
        shifts: titles(site),
        people: held.into_iter().map(row).collect(),
        gaps: found.gaps.into_iter().map(|gap| line(site, gap)).collect(),
        unknown,
    }
}

/// What is open on these dates, the last one included.
pub fn gaps_of(site: &Site, (from, to): (Date, Date)) -> Result<RosterGaps, HoursUnknown> {
    let calendars = Calendars::new(&site.calendars);
    let found = gaps(site, &Roster::new(site, &calendars), from, to);
    if let Some(unknown) = found.unknown.into_iter().next() {
        return Err(unknown);
    }
    let rules = site.duty.rules.as_ref();
    let ruled =
        rules.is_some_and(|rules| !rules.cover.is_empty() || rules.around_the_clock.is_some());
    let gaps = found.gaps.into_iter().map(|gap| line(site, gap)).collect();
    Ok(RosterGaps { from, to, ruled, gaps })
}

fn titles(site: &Site) -> Vec<ShiftTitle> {
    let title = |(name, shift): (&ShiftName, &crate::definition::site::Shift)| ShiftTitle {
        shift: name.clone(),
        title: shift.title.clone(),
        on_call: shift.on_call,
    };
    site.duty.shifts.iter().map(title).collect()
}

fn line(site: &Site, gap: Gap) -> GapLine {
    let shift = gap.shift.as_ref().and_then(|name| site.duty.shifts.get(name));
    GapLine {
        title: shift.map(|shift| shift.title.clone()),
        shift: gap.shift,
        first: gap.first,
        last: gap.last,
        from: gap.from,
        to: gap.to,
        needs: gap.needs,
        has: gap.has,
        warning: gap.weight == Weight::Warning,
    }
}

pub(crate) fn dates(from: Date, to: Date) -> impl Iterator<Item = Date> {
    from.series(jiff::ToSpan::days(1)).take_while(move |date| *date <= to)
}
