//! When a change is taken in and for which window: submission limits (D11), intake and seal (D8).

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::desk::Desk;
use super::missing::Missing;
use super::step::ChangeStep;
use crate::core::calendar::plus;
use crate::core::opening::{Interval, later};
use crate::definition::site::ChangeKind;
use crate::types::CheckName;

/// How far ahead a window is looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(62 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Desk<'_> {
    /// The day of an instant by the clock of the rules.
    pub(super) fn day(&self, at: Timestamp) -> Date {
        self.rules.zone.tz().to_datetime(at).date()
    }

    /// The first window that takes the change, or what keeps it out of the first that there is. `on`: only of that day.
    /// `None`: it has no window.
    pub(super) fn window_for(
        &self,
        environment: &str,
        at: Timestamp,
        on: Option<Date>,
    ) -> Result<Option<Interval>, Missing> {
        let classes = self.classes(environment);
        if classes.is_empty() {
            self.limits(environment, at, None)?;
            return Ok(None);
        }
        let mut first = None;
        // An opening lasts a day at the most: one that began before now is given with its beginning.
        let before = at.checked_sub(DAY).unwrap_or(at);
        let windows = self.windows.common(&classes, before, later(at, AHEAD));
        for window in windows.into_iter().filter(|(_, closes)| *closes > at) {
            let left = window.1.duration_since(window.0.max(at)).unsigned_abs();
            if left < self.must_fit(environment)
                || on.is_some_and(|on| self.day(window.0.max(at)) != on)
            {
                continue;
            }
            match self.limits(environment, at, Some(window)) {
                Ok(()) => return Ok(Some(window)),
                Err(missing) => {
                    first.get_or_insert(missing);
                }
            }
        }
        Err(first.unwrap_or(Missing::NoWindow { on }))
    }

    /// When the first window of its classes opens, or has opened, that is not over at a time.
    pub(super) fn next_window(&self, environment: &str, at: Timestamp) -> Option<Timestamp> {
        let before = at.checked_sub(DAY).unwrap_or(at);
        let windows = self.windows.common(&self.classes(environment), before, later(at, AHEAD));
        windows.into_iter().find(|(_, closes)| *closes > at).map(|(opens, _)| opens)
    }

    /// What the rules say of a change that is put on the list of a window at a time. Emergencies are taken at any time.
    fn limits(
        &self,
        environment: &str,
        at: Timestamp,
        window: Option<Interval>,
    ) -> Result<(), Missing> {
        if self.change.kind == ChangeKind::Emergency {
            return Ok(());
        }
        let day = self.day(window.map_or(at, |(opens, _)| opens.max(at)));
        self.in_time(environment, day)?;
        let Some(rule) = self.rules.intake(self.case(environment)) else { return Ok(()) };
        if let Some(sealed) = window.and_then(|window| self.sealed_at(environment, window))
            && at >= sealed
        {
            return Err(Missing::Sealed { since: sealed });
        }
        let taken_in = self.windows.openings(&rule.window, at, later(at, AHEAD));
        match taken_in.first() {
            Some((opens, _)) if *opens <= at => Ok(()),
            next => Err(Missing::IntakeClosed { next: next.map(|(opens, _)| *opens) }),
        }
    }

    /// From when on nothing is taken for the list of a window: the hour of the seal on the day on which its environment
    /// took changes in for it, the last such day that begins before the window closes.
    pub fn sealed_at(&self, environment: &str, (opens, closes): Interval) -> Option<Timestamp> {
        let rule = self.rules.intake(self.case(environment))?;
        let seal = rule.seal?;
        let taken_in = self.windows.openings(
            &rule.window,
            opens.checked_sub(AHEAD).unwrap_or(Timestamp::MIN),
            closes,
        );
        let (last, _) = taken_in.last()?;
        let zone = self.rules.zone.tz();
        let instant = zone.to_ambiguous_timestamp(self.day(*last).to_datetime(seal));
        instant.compatible().ok()
    }

    /// When it was handed in last, when it was accepted, and what was confirmed with it.
    fn handed_in(&self, environment: &str) -> Option<(Timestamp, Option<Date>, &[CheckName])> {
        self.current().iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::Submitted { environment: of, accepted, confirmed, .. }
                if of.as_deref().is_none_or(|of| of == environment) =>
            {
                Some((taken.at, *accepted, confirmed.as_slice()))
            }
            _ => None,
        })
    }

    /// What its submission has to confirm on the day of its window, and has confirmed on another one: the same scripts are
    /// handed in once more.
    pub(super) fn not_that_day(&self, environment: &str, day: Date) -> Option<Missing> {
        let rule = self.rules.submission.as_ref()?;
        let item = rule.confirm.first().filter(|_| rule.that_day)?.clone();
        let (submitted, ..) = self.handed_in(environment)?;
        let asked = rule.scope.covers(self.case(environment)) && self.day(submitted) != day;
        asked.then_some(Missing::Confirmation { item, role: None, on: Some(day) })
    }

    /// Submitted, accepted and confirmed in time for a window of that day.
    pub(super) fn in_time(&self, environment: &str, day: Date) -> Result<(), Missing> {
        let case = self.case(environment);
        let Some(rule) = self.rules.submission.as_ref().filter(|rule| rule.scope.covers(case))
        else {
            return Ok(());
        };
        let Some((submitted, accepted, confirmed)) = self.handed_in(environment) else {
            return Err(Missing::Submission);
        };
        if let Some(by) = rule.by {
            let limit = self.rules.zone.tz().to_ambiguous_timestamp(day.to_datetime(by));
            if limit.compatible().is_ok_and(|limit| submitted > limit) {
                return Err(Missing::SubmittedLate { by, day });
            }
        }
        if let Some(days) = rule.accepted_before {
            let latest = plus(day, -i32::try_from(days).unwrap_or(i32::MAX));
            if accepted.is_none_or(|accepted| accepted > latest) {
                return Err(Missing::Acceptance { latest, accepted });
            }
        }
        match rule.confirm.iter().find(|item| !confirmed.contains(item)) {
            Some(item) => Err(Missing::Confirmation { item: item.clone(), role: None, on: None }),
            None => Ok(()),
        }
    }
}
