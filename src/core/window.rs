//! Windows (时间窗口) and freezes (封版): whether work may start now, and if not, when.
//!
//! A window is a gate: work starts only where all its classes are open, nothing is frozen, and what it needs fits in
//! before the first of them closes. Where a calendar has no data the window is closed.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::Calendars;
use super::opening::{HORIZON, Interval, Openings, State, later};
use super::state::OrderedFreeze;
use crate::definition::site::{Freeze, FreezeScope, Site};
use crate::types::{BatchId, FreezeId, HostName, PersonId, Span, TargetName, Text, WindowClass};

/// The windows and freezes of a site.
#[derive(Debug)]
pub struct Windows {
    classes: BTreeMap<WindowClass, Openings>,
    freezes: Vec<Freeze>,
}

/// What wants to start; freezes may name any of it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub batch: &'a BatchId,
    pub target: Option<&'a TargetName>,
    pub host: &'a HostName,
    /// Freezes that operators have ordered, besides those that are declared.
    pub ordered: &'a BTreeMap<FreezeId, OrderedFreeze>,
}

/// Where no operator has ordered any freeze.
pub const NONE_ORDERED: &BTreeMap<FreezeId, OrderedFreeze> = &BTreeMap::new();

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// `closes`: when the window or the next freeze ends it; `None`: not within 400 days.
    Open { closes: Option<Timestamp> },
    /// `next`: the first instant at which it is open and the work fits; `None`: not within 400 days.
    Closed { reason: WindowReason, next: Option<Timestamp> },
}

/// Why a gate is closed, the windows before the freezes before the fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "window")]
pub enum WindowReason {
    /// This class is not open now.
    NotOpen { class: WindowClass },
    /// Open, but it closes (or a freeze begins) before the work would be done.
    DoesNotFit { needs: Duration, left: Duration },
    /// `until`: when the last of the freezes that follow on each other ends. `by`: who has ordered it, where it is not
    /// declared.
    Frozen { reason: Text, until: Timestamp, by: Option<PersonId> },
    /// The calendar of an opening has no data for today.
    CalendarUnknown { class: WindowClass, why: String },
    /// The site declares no such class.
    NoSuchWindow { class: WindowClass },
}

/// The time that must be left in the window: 1.5 × expected, and what verification and rollback may take.
pub fn fit(expected: Span, verify: Span, rollback: Span) -> Duration {
    let expected = expected.get();
    expected
        .saturating_add(expected / 2)
        .saturating_add(verify.get())
        .saturating_add(rollback.get())
}

/// As [`fit`], with a rehearsal (D6): all of it twice, the second rollback held in reserve, and the proof of the former state
/// in between.
pub fn fit_with_rehearsal(expected: Span, verify: Span, rollback: Span) -> Duration {
    fit(expected, verify, rollback).saturating_mul(2).saturating_add(verify.get())
}

impl Windows {
    /// Openings that name no calendar go by the site's.
    pub fn new(site: &Site) -> Self {
        Self::over(site, &Arc::new(Calendars::new(&site.calendars)))
    }

    /// As [`new`](Self::new), over the site's calendars as they were laid out already.
    pub fn over(site: &Site, calendars: &Arc<Calendars>) -> Self {
        let openings =
            |open: &[_]| Openings::new(open.to_vec(), Arc::clone(calendars), site.calendar.clone());
        let classes = site
            .windows
            .iter()
            .map(|(class, window)| (class.clone(), openings(&window.open)))
            .collect();
        Self { classes, freezes: site.freezes.clone() }
    }

    /// Whether work that belongs to all of `classes` and takes `needs` may start at `now`.
    pub fn gate<C: Borrow<WindowClass>>(
        &self,
        classes: &[C],
        what: Subject<'_>,
        now: Timestamp,
        needs: Duration,
    ) -> Gate {
        self.gate_within(classes, classes, what, now, needs)
    }

    /// As [`gate`](Self::gate), with the classes overridden: only freezes are heeded, those of the classes among them.
    pub fn gate_overridden<C: Borrow<WindowClass>>(
        &self,
        classes: &[C],
        what: Subject<'_>,
        now: Timestamp,
        needs: Duration,
    ) -> Gate {
        self.gate_within(&[], classes, what, now, needs)
    }

    /// `classes` must be open, `named` are those that freezes may name.
    fn gate_within<C: Borrow<WindowClass>>(
        &self,
        classes: &[C],
        named: &[C],
        what: Subject<'_>,
        now: Timestamp,
        needs: Duration,
    ) -> Gate {
        let mut closes: Option<Timestamp> = None;
        let mut sooner = |end: Timestamp| closes = Some(closes.map_or(end, |known| known.min(end)));
        let mut reason = None;
        for class in classes.iter().map(Borrow::borrow) {
            let Some(openings) = self.classes.get(class) else {
                let reason = WindowReason::NoSuchWindow { class: class.clone() };
                return Gate::Closed { reason, next: None };
            };
            match openings.state(now) {
                State::OpenUntil(Some(end)) => sooner(end),
                State::OpenUntil(None) => {}
                State::Closed if reason.is_none() => {
                    let class = class.clone();
                    reason = Some(match openings.unknown(now) {
                        Some(why) => WindowReason::CalendarUnknown { class, why },
                        None => WindowReason::NotOpen { class },
                    });
                }
                State::Closed => {}
            }
        }
        let horizon = later(now, HORIZON);
        for (freeze, by) in self.freezes(named, what) {
            if freeze.from <= now && now < freeze.to && reason.is_none() {
                let until = self.thawed(named, what, freeze.to);
                let (why, by) = (freeze.reason.clone(), by.cloned());
                reason = Some(WindowReason::Frozen { reason: why, until, by });
            } else if freeze.from > now && freeze.from < freeze.to && freeze.from < horizon {
                sooner(freeze.from);
            }
        }
        let left = closes.map(|closes| closes.duration_since(now).unsigned_abs());
        let reason = match (reason, left) {
            (Some(reason), _) => reason,
            (None, Some(left)) if left < needs => WindowReason::DoesNotFit { needs, left },
            (None, _) => return Gate::Open { closes },
        };
        Gate::Closed { reason, next: self.next((classes, named), what, now, needs) }
    }

    /// The openings of a class between two instants, cut to them, merged, freezes left aside. None where the site
    /// declares no such class.
    pub fn openings(&self, class: &WindowClass, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        self.common(std::slice::from_ref(class), from, to)
    }

    /// The longest time that all of the classes are open within 400 days, freezes left aside; `None` when they never
    /// are. An opening without an end counts as [`Duration::MAX`].
    pub(super) fn longest(&self, classes: &[WindowClass], from: Timestamp) -> Option<Duration> {
        let horizon = later(from, HORIZON);
        let lengths = self.common(classes, from, horizon).into_iter().map(|(start, end)| {
            if end == horizon { Duration::MAX } else { end.duration_since(start).unsigned_abs() }
        });
        lengths.max()
    }

    fn next<C: Borrow<WindowClass>>(
        &self,
        (classes, named): (&[C], &[C]),
        what: Subject<'_>,
        now: Timestamp,
        needs: Duration,
    ) -> Option<Timestamp> {
        // Most windows open again within days; the whole year is looked through only where they do not.
        for days in [8, 64, 400] {
            let to = later(now, SignedDuration::from_hours(days * 24));
            let mut free = self.common(classes, now, to);
            for (freeze, _) in self.freezes(named, what) {
                free = without(free, (freeze.from, freeze.to));
            }
            let fits = |(start, end): &Interval| {
                let endless = *end == to && days == 400;
                endless || end.duration_since(*start).unsigned_abs() >= needs
            };
            if let Some((start, _)) = free.iter().find(|interval| fits(interval)) {
                return Some(*start);
            }
        }
        None
    }

    /// When all of the classes are open, cut to the two instants.
    pub(super) fn common<C: Borrow<WindowClass>>(
        &self,
        classes: &[C],
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Interval> {
        if from >= to {
            return Vec::new();
        }
        classes.iter().fold(vec![(from, to)], |open, class| {
            let also = self.classes.get(class.borrow()).map(|openings| openings.between(from, to));
            intersection(&open, &also.unwrap_or_default())
        })
    }

    /// Freezes that stop this work, declared and ordered; of the latter who has ordered them.
    fn freezes<'a, C: Borrow<WindowClass>>(
        &'a self,
        classes: &'a [C],
        what: Subject<'a>,
    ) -> impl Iterator<Item = (&'a Freeze, Option<&'a PersonId>)> {
        let declared = self.freezes.iter().map(|freeze| (freeze, None));
        let ordered = what.ordered.values().map(|ordered| (&ordered.what, Some(&ordered.by)));
        declared.chain(ordered).filter(move |(freeze, _)| stops(&freeze.scope, classes, what))
    }

    /// The end of the freezes that cover an instant and follow on each other.
    fn thawed<C: Borrow<WindowClass>>(
        &self,
        classes: &[C],
        what: Subject<'_>,
        mut until: Timestamp,
    ) -> Timestamp {
        while let Some((freeze, _)) = self
            .freezes(classes, what)
            .find(|(freeze, _)| freeze.from <= until && until < freeze.to)
        {
            until = freeze.to;
        }
        until
    }
}

/// Whether a freeze of that scope stops this work.
pub(super) fn stops<C: Borrow<WindowClass>>(
    scope: &FreezeScope,
    classes: &[C],
    what: Subject<'_>,
) -> bool {
    let whole_site = scope.batches.is_empty()
        && scope.windows.is_empty()
        && scope.targets.is_empty()
        && scope.hosts.is_empty();
    whole_site
        || scope.batches.contains(what.batch)
        || scope.hosts.contains(what.host)
        || what.target.is_some_and(|target| scope.targets.contains(target))
        || classes.iter().any(|class| scope.windows.contains(class.borrow()))
}

impl std::fmt::Display for WindowReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOpen { class } => write!(f, "window `{class}` is not open"),
            Self::DoesNotFit { needs, left } => {
                let (needs, left) = (Span::of(*needs), Span::of(*left));
                write!(
                    f,
                    "needs {needs} (1.5 × expected, verification, rollback), but only {left} are left"
                )
            }
            Self::Frozen { reason, until, by: None } => {
                write!(f, "frozen until {until}: {}", reason.en)
            }
            Self::Frozen { reason, until, by: Some(by) } => {
                write!(f, "frozen until {until} by {by}: {}", reason.en)
            }
            Self::CalendarUnknown { class, why } => write!(f, "window `{class}`: {why}"),
            Self::NoSuchWindow { class } => write!(f, "the site declares no window `{class}`"),
        }
    }
}

/// Both lists are in order and without overlaps; so is the answer.
fn intersection(a: &[Interval], b: &[Interval]) -> Vec<Interval> {
    let mut both = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(one), Some(other)) = (a.get(i), b.get(j)) {
        let (start, end) = (one.0.max(other.0), one.1.min(other.1));
        if start < end {
            both.push((start, end));
        }
        if one.1 < other.1 { i += 1 } else { j += 1 }
    }
    both
}

fn without(open: Vec<Interval>, closed: Interval) -> Vec<Interval> {
    let parts = open.into_iter().flat_map(|(start, end)| {
        let before = (start, end.min(closed.0));
        let behind = (start.max(closed.1), end);
        // A freeze that ends before it begins closes nothing.
        if closed.0 >= closed.1 { [(start, end), (end, end)] } else { [before, behind] }
    });
    parts.filter(|(start, end)| start < end).collect()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
