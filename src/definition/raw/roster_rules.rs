//! `roster-rules.yaml`.

use super::List;
use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use crate::definition::site::{DutyDays, Weight};
use crate::types::{Role, ShiftName, Span};

record! {
    /// roster-rules.yaml: what the roster of the house has to keep to.
    pub(crate) struct RosterRulesFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// Days for which the roster has to be known at any time. Default: 14.
        optional ahead_days: Whole<1, 366>,
        /// Which shifts need how many people.
        optional cover: List<CoverRecord>,
        /// Somebody is on some shift at every instant, on call or not.
        optional around_the_clock: WeightRecord,
        /// How long ahead swaps are announced.
        optional swap_notice: NoticeRecord,
        /// How long ahead leave is announced.
        optional leave_notice: NoticeRecord,
        /// Who approves swaps.
        optional swap_approval: ApprovedRecord,
        /// Who approves leave.
        optional leave_approval: ApprovedRecord,
        /// What nobody has on the date after a shift.
        optional rest: List<RestRecord>,
        /// The two of a pair are never on leave on one date.
        optional pair_on_leave: WeightRecord,
        /// No long leave of who is planned for such a shift.
        optional long_leave: LongLeaveRecord,
        /// Who has shifts has mail or a webhook. Without the key: a warning.
        optional addresses: WeightRecord,
    }
}

record! {
    /// A rule without numbers.
    pub(crate) struct WeightRecord {
        /// What breaking it is: defect (default), warning.
        optional severity: Weight,
    }
}

record! {
    /// A shift needs people.
    pub(crate) struct CoverRecord {
        required shift: ShiftName,
        /// How many at the least. Default: 1.
        optional people: Whole<1, 50>,
        /// On which days; every day by default.
        optional days: DutyDays,
        /// defect (default), warning.
        optional severity: Weight,
    }
}

record! {
    /// How long ahead something is announced: before its first shift, or its first date, begins.
    pub(crate) struct NoticeRecord {
        /// Of one date.
        required one_day: Span,
        /// Of more than one.
        required longer: Span,
        /// defect (default), warning.
        optional severity: Weight,
    }
}

record! {
    /// Who approves, and never one's own.
    pub(crate) struct ApprovedRecord {
        required role: Role,
        /// defect (default), warning.
        optional severity: Weight,
    }
}

record! {
    /// Who has a shift has none of those on the next date.
    pub(crate) struct RestRecord {
        required after: ShiftName,
        required not: List<ShiftName>,
        /// defect (default), warning.
        optional severity: Weight,
    }
}

record! {
    /// Nobody who is planned for one of these shifts is away for more days.
    pub(crate) struct LongLeaveRecord {
        required during: List<ShiftName>,
        /// Dates of the longest leave.
        required days: Whole<1, 366>,
        /// defect (default), warning.
        optional severity: Weight,
    }
}
