//! Who is on shift at an instant.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::Who;
use crate::core::calendar::Calendars;
use crate::core::roster::{HoursUnknown, Roster};
use crate::definition::site::Site;
use crate::types::{ShiftName, Text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RosterView {
    pub at: Timestamp,
    /// Those that began first come first.
    pub on: Vec<ShiftLine>,
    /// When somebody comes or goes next; `None`: the roster knows of nobody after that.
    pub next_change: Option<Timestamp>,
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
    pub people: Vec<Who>,
}

/// Who is on shift at `at`.
pub fn of(site: &Site, at: Timestamp) -> Result<RosterView, HoursUnknown> {
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(site, &calendars);
    let lines = roster.who(at)?.into_iter().map(|on| {
        let shift = site.duty.shifts.get(&on.shift);
        let name = Text::en(on.shift.as_str());
        ShiftLine {
            title: shift.map_or(name, |shift| shift.title.clone()),
            date: on.date,
            from: on.from,
            to: on.to,
            on_call: shift.is_some_and(|shift| shift.on_call),
            people: on.people.iter().map(|id| Who::of(site, id)).collect(),
            shift: on.shift,
        }
    });
    Ok(RosterView { at, on: lines.collect(), next_change: roster.next_change(at)? })
}
