//! `windows.yaml`.

use jiff::civil::{DateTime, Time};

use super::leaf::{SeasonWord, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::definition::day_words::DayWords;
use crate::types::{BatchId, CalendarName, HostName, TargetName, WindowClass, Zone};

record! {
    /// windows.yaml: when classes of work may run, and what is frozen.
    pub(crate) struct WindowsFile {
        /// The format of the file: 1.
        required version: Version,
        /// Classes of windows.
        optional windows: Names<WindowClass, WindowRecord>,
        /// Times in which nothing of their scope starts.
        optional freezes: List<FreezeRecord>,
    }
}

record! {
    /// A class of windows: open while one of its openings is.
    pub(crate) struct WindowRecord {
        required title: Word,
        optional title_zh: Word,
        required open: List<OpeningRecord>,
    }
}

record! {
    /// A recurring opening, or one on a date.
    pub(crate) struct OpeningRecord {
        /// Days in words.
        required days: DayWords,
        /// Whose business days; the site's calendar by default.
        optional calendar: CalendarName,
        required from: Time,
        /// At or before `from`: the day after.
        required to: Time,
        /// The site's zone by default.
        optional zone: Zone,
        /// Only while another zone is on daylight-saving or on standard time.
        optional only_while: SeasonRecord,
    }
}

record! {
    /// A season of another zone's clocks.
    pub(crate) struct SeasonRecord {
        required zone: Zone,
        required season: SeasonWord,
    }
}

record! {
    /// Closes what would be open.
    pub(crate) struct FreezeRecord {
        required reason: Word,
        optional reason_zh: Word,
        /// Local time in `zone`.
        required from: DateTime,
        /// Local time in `zone`; not included.
        required to: DateTime,
        /// The site's zone by default.
        optional zone: Zone,
        /// What it stops; the whole site by default.
        optional scope: ScopeRecord,
    }
}

record! {
    /// What a freeze stops: what one of these lists names.
    pub(crate) struct ScopeRecord {
        optional windows: List<WindowClass>,
        optional batches: List<BatchId>,
        optional targets: List<TargetName>,
        optional hosts: List<HostName>,
    }
}
