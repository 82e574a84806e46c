//! Teams, shifts and the roster: who is there when.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use super::RosterRules;
use crate::types::{CalendarName, PersonId, Role, Severity, ShiftName, Span, TeamName, Text};

/// Who is there when (值班). Runs go by no copy of it: a roster is asked as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Duty {
    pub teams: BTreeMap<TeamName, Team>,
    pub shifts: BTreeMap<ShiftName, Shift>,
    /// Deputies (AB角): the two of a pair stand in for each other.
    pub pairs: Vec<[PersonId; 2]>,
    /// In the order of the file, as all that follow.
    pub roster: Vec<Assignment>,
    pub rotations: Vec<Rotation>,
    pub leave: Vec<Leave>,
    pub swaps: Vec<Swap>,
    pub overrides: Vec<Override>,
    /// What it has to keep to; `None`: nothing but that nobody is in two places at once.
    pub rules: Option<RosterRules>,
    /// How shifts are handed over; `None`: nothing asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<HandOverRules>,
    /// When what has happened is told to all; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<BulletinRules>,
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

/// Groups of people have a shift in turn (轮班).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    pub shift: ShiftName,
    /// The first group's turn begins on it.
    pub from: Date,
    /// The last date; `None`: it goes on.
    pub to: Option<Date>,
    pub every: TurnLength,
    pub days: DutyDays,
    /// Dates that nobody has by this rotation; whose turn they fall into stays as it is.
    pub skip: Vec<Date>,
    /// In the order of their turns; never empty, nor is a group.
    pub groups: Vec<Vec<PersonId>>,
}

/// How long a turn of a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TurnLength {
    /// So many of the rotation's days.
    Days(u32),
    /// So many weeks, whichever of their days the rotation has.
    Weeks(u32),
}

/// Days of a rotation, or days on which a shift needs people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DutyDays {
    #[default]
    Every,
    /// Monday first.
    Weekdays([bool; 7]),
    /// Of the shift's calendar.
    Business,
    /// All others.
    Off,
}

/// Somebody is away on each date from the first to the last (请假): shifts that begin on them are done by the deputy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    pub person: PersonId,
    pub from: Date,
    pub to: Date,
    pub notice: Notice,
}

/// Somebody takes somebody else's shift on each date from the first to the last (调班).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    pub shift: ShiftName,
    pub from: Date,
    pub to: Date,
    pub gives: PersonId,
    pub takes: PersonId,
    pub notice: Notice,
}

/// When something was announced, and who approved it (E2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notice {
    /// Of the site's zone.
    pub announced: Option<DateTime>,
    pub approved_by: Option<PersonId>,
}

/// These people, and nobody else, have a shift of one date (临时替班).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub shift: ShiftName,
    pub date: Date,
    pub people: Vec<PersonId>,
    pub reason: String,
    pub by: PersonId,
}

/// When a bulletin (每日通告) is compiled and mailed (E5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulletinRules {
    /// Clock times of the site's zone; never empty.
    pub at: Vec<Time>,
    /// Who gets it: everybody with one of these roles; everybody where it is empty.
    pub to: Vec<Role>,
}

/// Which shifts are handed over to which, and what is done until somebody has accepted (交接, E5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOverRules {
    /// In the order of the file, each shift once; never empty.
    pub between: Vec<HandOverRule>,
    /// How long before its end a shift is told what it hands over.
    pub prepare: Span,
    /// How often both sides are told again.
    pub remind: Span,
    /// How long after the end of the shift nobody need have accepted, until an incident is opened.
    pub limit: Span,
    /// Of that incident.
    pub severity: Severity,
}

/// Who has one of the shifts `to` when the shift `from` ends takes over from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOverRule {
    pub from: ShiftName,
    pub to: Vec<ShiftName>,
}

impl HandOverRules {
    pub const PREPARE: Span = Span::seconds(30 * 60);
    pub const REMIND: Span = Span::seconds(15 * 60);
    pub const LIMIT: Span = Span::seconds(60 * 60);

    pub fn of(&self, shift: &ShiftName) -> Option<&HandOverRule> {
        self.between.iter().find(|rule| rule.from == *shift)
    }
}

impl Duty {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
