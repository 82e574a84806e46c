//! `shifts.yaml` and `roster.yaml`.

use jiff::civil::{Date, Time};

use super::leaf::{Announced, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names, OneOrMore};
use crate::definition::site::{DutyDays, TurnLength};
use crate::types::{CalendarName, PersonId, Role, Severity, ShiftName, Span};

record! {
    /// shifts.yaml: the shifts of the site, with their hours.
    pub(crate) struct ShiftsFile {
        /// The format of the file: 1.
        required version: Version,
        /// Shifts by name.
        required shifts: Names<ShiftName, ShiftRecord>,
        /// How shifts are handed over, where they are.
        optional hand_over: HandOverRecord,
        /// When what has happened is compiled and mailed, where it is.
        optional bulletin: BulletinRecord,
    }
}

record! {
    /// What has happened since the last one, mailed at set times.
    pub(crate) struct BulletinRecord {
        /// Clock times of the site's zone.
        required at: List<Time>,
        /// Roles that get it; everybody by default.
        optional to: List<Role>,
    }
}

record! {
    /// How one shift is handed over to the next.
    pub(crate) struct HandOverRecord {
        /// Which shift hands over to which.
        required between: List<HandOverBetweenRecord>,
        /// How long before its end a shift is told what it hands over. Default: 30m.
        optional prepare: Span,
        /// How often both are told again. Default: 15m.
        optional remind: Span,
        /// How long after the end of the shift an incident is opened. Default: 1h.
        optional limit: Span,
        /// Of that incident. Default: p3.
        optional severity: Severity,
    }
}

record! {
    /// One shift, and who takes over from it.
    pub(crate) struct HandOverBetweenRecord {
        required from: ShiftName,
        /// Whoever has one of these when the shift ends takes over.
        required to: List<ShiftName>,
    }
}

record! {
    /// A shift. It belongs to the date on which it begins; its hours are of the site's zone.
    pub(crate) struct ShiftRecord {
        required title: Word,
        optional title_zh: Word,
        required from: Time,
        /// At or before `from`: on the next day.
        required to: Time,
        /// Other hours on days that are no business days.
        optional days_off: HoursRecord,
        /// Whose business days; the site's by default, and Saturday and Sunday are off where there is none.
        optional calendar: CalendarName,
        /// Reached by telephone: it may be had beside another shift. Default: false.
        optional on_call: bool,
    }
}

record! {
    /// Hours of a shift.
    pub(crate) struct HoursRecord {
        required from: Time,
        /// At or before `from`: on the next day.
        required to: Time,
    }
}

record! {
    /// roster.yaml: who has which shift on which dates.
    pub(crate) struct RosterFile {
        /// The format of the file: 1.
        required version: Version,
        /// Deputies: two who stand in for each other.
        optional pairs: List<List<PersonId>>,
        /// Who has which shift on which dates.
        optional roster: List<AssignmentRecord>,
        /// Who has which shift in turn.
        optional rotations: List<RotationRecord>,
        /// Who is away; the deputy stands in.
        optional leave: List<LeaveRecord>,
        /// Who takes whose shift.
        optional swaps: List<SwapRecord>,
        /// Who has a shift of one date, whatever else is said.
        optional overrides: List<OverrideRecord>,
    }
}

record! {
    /// These people have that shift on each date.
    pub(crate) struct AssignmentRecord {
        required shift: ShiftName,
        /// The first date.
        required from: Date,
        /// The last date; the first by default.
        optional to: Date,
        required people: List<PersonId>,
    }
}

record! {
    /// People, or groups of people, have a shift in turn.
    pub(crate) struct RotationRecord {
        required shift: ShiftName,
        /// The first date: the turn of the first one begins.
        required from: Date,
        /// The last date; without it the rotation goes on.
        optional to: Date,
        /// How long a turn is: so many of the rotation's days (`1d`), or weeks (`1w`).
        required every: TurnLength,
        /// Days that it has; every day by default.
        optional days: DutyDays,
        /// Dates that nobody has by this rotation.
        optional skip: List<Date>,
        /// In the order of their turns; those of an inner list are on shift together.
        required people: List<OneOrMore<PersonId>>,
    }
}

record! {
    /// Somebody is away. Shifts that begin on these dates are done by the deputy.
    pub(crate) struct LeaveRecord {
        required person: PersonId,
        /// The first date.
        required from: Date,
        /// The last date; the first by default.
        optional to: Date,
        /// When it was announced: a date, or a date with a time.
        optional announced: Announced,
        optional approved_by: PersonId,
    }
}

record! {
    /// Somebody takes somebody else's shift.
    pub(crate) struct SwapRecord {
        required shift: ShiftName,
        /// The first date.
        required from: Date,
        /// The last date; the first by default.
        optional to: Date,
        /// Who would have it.
        required gives: PersonId,
        /// Who has it instead.
        required takes: PersonId,
        /// When it was announced: a date, or a date with a time.
        optional announced: Announced,
        optional approved_by: PersonId,
    }
}

record! {
    /// These people, and nobody else, have the shift of that date.
    pub(crate) struct OverrideRecord {
        required shift: ShiftName,
        required date: Date,
        required people: List<PersonId>,
        required reason: Word,
        /// Who says so.
        required by: PersonId,
    }
}
