//! Who is on shift at an instant, and how each is reached.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Who;
use super::roster_sheet::UnknownShift;
use crate::core::calendar::Calendars;
use crate::core::roster::{OnShift, Roster};
use crate::core::staffing::Instead;
use crate::definition::site::Site;
use crate::types::{PersonId, Phone, ShiftName, Text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RosterView {
    pub at: Timestamp,
    /// Those that began first come first.
    pub on: Vec<ShiftLine>,
    /// When somebody comes or goes next; `None`: the roster knows of nobody after that.
    pub next_change: Option<Timestamp>,
    /// Shifts that begin then; empty where somebody only goes.
    pub next: Vec<ShiftLine>,
    /// Shifts of dates about then that a calendar does not reach: whether somebody has them is not known.
    pub unknown: Vec<UnknownShift>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ShiftLine {
    pub shift: ShiftName,
    pub title: Text,
    /// On which it begins.
    pub date: Date,
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    pub on_call: bool,
    pub people: Vec<OnDutyPerson>,
}

/// Somebody who is on shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct OnDutyPerson {
    #[serde(flatten)]
    pub contact: Contact,
    /// Why this person and not who was planned; absent where it is as planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<InsteadOf>,
    /// Who stands in for this person, in the order in which they are asked; without those on leave.
    pub deputies: Vec<Contact>,
}

/// A person with the number that reaches this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Contact {
    #[serde(flatten)]
    pub who: Who,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// Why somebody has a shift for which somebody else was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum InsteadOf {
    /// Stands in for somebody on leave.
    Deputy {
        of: Who,
    },
    Swap {
        of: Who,
    },
    Override,
}

/// Who is on shift at `at`, as far as it is known.
pub fn of(site: &Site, at: Timestamp) -> RosterView {
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(site, &calendars);
    let known = roster.who_is_known(at);
    let mut unknown = known.unknown;
    let next_change = roster.next_change(at).unwrap_or_else(|why| {
        unknown.push(why);
        None
    });
    let mut next = next_change.map(|next| roster.who_is_known(next).on).unwrap_or_default();
    next.retain(|on| Some(on.from) == next_change);
    let lines = |on: Vec<OnShift>| on.into_iter().map(|on| line(site, &roster, on)).collect();
    let mut unknown: Vec<UnknownShift> =
        unknown.into_iter().map(|why| UnknownShift { shift: why.shift, date: why.date }).collect();
    unknown.sort_by(|a, b| (a.date, &a.shift).cmp(&(b.date, &b.shift)));
    unknown.dedup();
    RosterView { at, on: lines(known.on), next_change, next: lines(next), unknown }
}

/// A shift of a date, as it is shown.
pub(super) fn line(site: &Site, roster: &Roster<'_>, on: OnShift) -> ShiftLine {
    let shift = site.duty.shifts.get(&on.shift);
    let name = Text::en(on.shift.as_str());
    let person = |id: &PersonId| OnDutyPerson {
        contact: Contact::of(site, id),
        instead: on.instead.get(id).map(|why| InsteadOf::of(site, why)),
        deputies: roster.deputies(id, on.date).iter().map(|id| Contact::of(site, id)).collect(),
    };
    ShiftLine {
        title: shift.map_or(name, |shift| shift.title.clone()),
        date: on.date,
        from: on.from,
        to: on.to,
        on_call: shift.is_some_and(|shift| shift.on_call),
        people: on.people.iter().map(person).collect(),
        shift: on.shift,
    }
}

impl Contact {
    pub fn of(site: &Site, id: &PersonId) -> Self {
        let phone = site.people.get(id).and_then(|person| person.phone.clone());
        Self { who: Who::of(site, id), phone }
    }
}

impl InsteadOf {
    pub(super) fn of(site: &Site, why: &Instead) -> Self {
        match why {
            Instead::Deputy(of) => Self::Deputy { of: Who::of(site, of) },
            Instead::Swap(of) => Self::Swap { of: Who::of(site, of) },
            Instead::Override => Self::Override,
        }
    }
}
