//! `shifts.yaml` and `roster.yaml`.

use jiff::civil::{Date, Time};

use super::leaf::Word;
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::types::{CalendarName, PersonId, ShiftName};

record! {
    /// shifts.yaml: the shifts of the site, with their hours.
    pub(crate) struct ShiftsFile {
        /// The format of the file: 1.
        required version: Version,
        /// Shifts by name.
        required shifts: Names<ShiftName, ShiftRecord>,
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
        /// Who has which shift.
        optional roster: List<AssignmentRecord>,
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
