//! Teams, shifts and the roster: who is there when.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::types::{CalendarName, PersonId, ShiftName, TeamName, Text};

/// Who is there when (值班). Runs go by no copy of it: a roster is asked as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Duty {
    pub teams: BTreeMap<TeamName, Team>,
    pub shifts: BTreeMap<ShiftName, Shift>,
    /// Deputies (AB角): the two of a pair stand in for each other.
    pub pairs: Vec<[PersonId; 2]>,
    /// In the order of the file.
    pub roster: Vec<Assignment>,
}

/// A team (团队).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub title: Text,
    pub lead: Option<PersonId>,
}

/// A shift (班次). Its hours are of the site's zone, and it belongs to the date on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub title: Text,
    pub hours: Hours,
    /// On days that are no business days; as on others where absent.
    pub days_off: Option<Hours>,
    /// Whose business days; Saturday and Sunday are off where there is none.
    pub calendar: Option<CalendarName>,
    /// Reached by telephone: it may be had beside another shift.
    pub on_call: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    pub from: Time,
    /// At or before `from`: on the next day.
    pub to: Time,
}

/// These people have that shift on each date from the first to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub shift: ShiftName,
    pub from: Date,
    pub to: Date,
    pub people: Vec<PersonId>,
}

impl Duty {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
