//! The rules of a house for its roster (排班规则).

use serde::{Deserialize, Serialize};

use super::DutyDays;
use crate::types::{Role, ShiftName, Span, Text};

/// What a roster has to keep to (E1, E2); each rule is there or not, as the site says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RosterRules {
    pub title: Text,
    /// Days for which the roster has to be known at any time.
    pub ahead: u32,
    /// In the order of the file.
    pub cover: Vec<CoverRule>,
    /// Somebody is on some shift at every instant.
    pub around_the_clock: Option<Weight>,
    pub swap_notice: Option<NoticeRule>,
    pub leave_notice: Option<NoticeRule>,
    pub swap_approval: Option<ApprovedRule>,
    pub leave_approval: Option<ApprovedRule>,
    pub rest: Vec<RestRule>,
    /// The two of a pair are never away on one date.
    pub pair_on_leave: Option<Weight>,
    pub long_leave: Option<LongLeaveRule>,
    /// Who has shifts has mail or a webhook.
    pub addresses: Option<Weight>,
}

/// What breaking a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Weight {
    #[default]
    Defect,
    Warning,
}

/// A shift needs so many people on such days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverRule {
    pub shift: ShiftName,
    pub people: u32,
    pub days: DutyDays,
    pub weight: Weight,
}

/// How long ahead of its beginning something is announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRule {
    /// Of one date.
    pub one_day: Span,
    /// Of more.
    pub longer: Span,
    pub weight: Weight,
}

/// Who approves, and never one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedRule {
    pub role: Role,
    pub weight: Weight,
}

/// Who has one shift has none of the others on the date that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestRule {
    pub after: ShiftName,
    pub not: Vec<ShiftName>,
    pub weight: Weight,
}

/// Nobody who is planned for one of the shifts is away for more dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongLeaveRule {
    pub during: Vec<ShiftName>,
    pub days: u32,
    pub weight: Weight,
}
