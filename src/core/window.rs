//! Windows (时间窗口) and freezes (封版): whether work may start now, and if not, when.

use std::time::Duration;

use jiff::Timestamp;

use crate::definition::site::Site;
use crate::types::{BatchId, HostName, Span, TargetName, Text, WindowClass};

/// The windows and freezes of a site.
#[derive(Debug)]
pub struct Windows {}

/// What wants to start; freezes may name any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    pub batch: &'a BatchId,
    pub target: Option<&'a TargetName>,
    pub host: &'a HostName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// `closes`: when the window or the next freeze ends it; `None`: not within 400 days.
    Open { closes: Option<Timestamp> },
    /// `next`: the first instant at which it is open and the work fits; `None`: not within 400 days.
    Closed { reason: WindowReason, next: Option<Timestamp> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowReason {
    /// This class is not open now.
    NotOpen {
        class: WindowClass,
    },
    /// Open, but it closes (or a freeze begins) before the work would be done.
    DoesNotFit {
        needs: Duration,
        left: Duration,
    },
    Frozen {
        reason: Text,
        until: Timestamp,
    },
    /// The calendar of an opening has no data for today.
    CalendarUnknown {
        class: WindowClass,
        why: String,
    },
    /// The site declares no such class.
    NoSuchWindow {
        class: WindowClass,
    },
}

/// The time that must be left in the window: 1.5 × expected, and what verification and rollback may take.
pub fn fit(_expected: Span, _verify: Span, _rollback: Span) -> Duration {
    todo!()
}

impl Windows {
    pub fn new(_site: &Site) -> Self {
        todo!()
    }

    /// Whether work that belongs to all of `classes` and takes `needs` may start at `now`.
    pub fn gate(
        &self,
        _classes: &[WindowClass],
        _what: Subject<'_>,
        _now: Timestamp,
        _needs: Duration,
    ) -> Gate {
        todo!()
    }

    /// The openings of a class between two instants, cut to them, merged, freezes left aside.
    pub fn openings(
        &self,
        _class: &WindowClass,
        _from: Timestamp,
        _to: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        todo!()
    }
}
