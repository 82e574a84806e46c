//! The openings of one window class as instants, laid out as far as somebody asked.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneTransition};
use jiff::{SignedDuration, Timestamp};

use super::calendar::{Calendars, days_between, plus};
use super::day_rule::Part;
use crate::definition::site::Opening;
use crate::types::CalendarName;

/// From the first instant to before the second.
pub(super) type Interval = (Timestamp, Timestamp);

/// How far ahead a window is looked for.
pub(super) const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Days that are laid out beyond what was asked for, so that a moving `now` does not ask every time.
const AHEAD: i32 = 32;
/// A question further than this from what is laid out begins anew.
const FAR: i32 = 800;

/// Days that are laid out before the first that is asked for, and behind the last: an opening lasts a day at most; zones
/// and gaps add less than another on either side.
const BEFORE: i32 = 4;
const BEHIND: i32 = 2;

/// One class.
#[derive(Debug)]
pub(super) struct Openings {
    openings: Vec<Opening>,
    calendars: Arc<Calendars>,
    default: Option<CalendarName>,
    laid: Mutex<Arc<Laid>>,
}

/// What is known of a class between two dates.
#[derive(Debug, Clone, Default)]
pub(super) struct Laid {
    /// Dates whose openings are in; `None`: none yet.
    dates: Option<(Date, Date)>,
    /// Questions from the first instant on, and to before the second, are answered by what is laid out.
    covers: Option<Interval>,
    /// In order, and no two overlap or touch.
    intervals: Vec<Interval>,
}

/// Whether a class is open at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// `None`: longer than the [`HORIZON`].
    OpenUntil(Option<Timestamp>),
    Closed,
}

impl Openings {
    /// `default`: the calendar of openings that name none.
    pub(super) fn new(
        openings: Vec<Opening>,
        calendars: Arc<Calendars>,
        default: Option<CalendarName>,
    ) -> Self {
        Self { openings, calendars, default, laid: Mutex::default() }
    }

    pub(super) fn state(&self, now: Timestamp) -> State {
        let mut ahead = SignedDuration::from_hours(3 * 24);
        loop {
            let to = later(now, ahead);
            let laid = self.laid_out(now, to);
            let at = laid.intervals.partition_point(|(_, end)| *end <= now);
            match laid.intervals.get(at) {
                Some((start, end)) if *start <= now => {
                    if *end <= to {
                        return State::OpenUntil(Some(*end));
                    }
                }
                _ => return State::Closed,
            }
            if ahead >= HORIZON {
                return State::OpenUntil(None);
            }
            ahead = (ahead * 4).min(HORIZON);
        }
    }

    /// The intervals that have a part between two instants, whole as far as they are laid out.
    pub(super) fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        let laid = self.laid_out(from, to);
        let first = laid.intervals.partition_point(|(_, end)| *end <= from);
        let last = laid.intervals.partition_point(|(start, _)| *start < to);
        laid.intervals.get(first..last).unwrap_or_default().to_vec()
    }

    /// Why it cannot be known whether the class is open, where a calendar has no data for it.
    pub(super) fn unknown(&self, now: Timestamp) -> Option<String> {
        self.openings.iter().find_map(|opening| {
            let today = opening.zone.tz().to_datetime(now).date();
            (-1..=0).find_map(|days| {
                let date = plus(today, days);
                let (start, end) = self.interval(opening, date)?;
                match self.part(opening, date) {
                    Part::Unknown { why } if start <= now && now < end => Some(why),
                    _ => None,
                }
            })
        })
    }

    /// Everything that touches the time between two instants is in the answer.
    fn laid_out(&self, from: Timestamp, to: Timestamp) -> Arc<Laid> {
        let mut laid = self.laid.lock().unwrap_or_else(PoisonError::into_inner);
        if laid.covers.is_some_and(|(first, last)| first <= from && to < last) {
            return Arc::clone(&laid);
        }
        let utc = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
        let (first, last) = (plus(utc(from), -BEFORE), plus(utc(to), BEHIND));
        match laid.dates {
            Some(dates) if dates.0 <= first && last <= dates.1 => return Arc::clone(&laid),
            Some(dates)
                if days_between(dates.1, first) < FAR && days_between(last, dates.0) < FAR => {}
            _ => *laid = Arc::default(),
        }
        let mut more = Laid::clone(&laid);
        self.extend(&mut more, first, last);
        *laid = Arc::new(more);
        Arc::clone(&laid)
    }

    fn extend(&self, laid: &mut Laid, first: Date, last: Date) {
        let mut lay = |from: Date, to: Date| {
            let days = (0..=days_between(from, to)).map(|at| plus(from, at));
            laid.intervals.extend(days.flat_map(|date| self.on(date)));
        };
        let dates = match laid.dates {
            None => {
                lay(first, plus(last, AHEAD));
                (first, plus(last, AHEAD))
            }
            Some((known_first, known_last)) => {
                let mut dates = (known_first, known_last);
                if first < known_first {
                    dates.0 = plus(first, -AHEAD);
                    lay(dates.0, plus(known_first, -1));
                }
                if last > known_last {
                    dates.1 = plus(last, AHEAD);
                    lay(plus(known_last, 1), dates.1);
                }
                dates
            }
        };
        laid.dates = Some(dates);
        let midnight =
            |date: Date| jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(Time::midnight()));
        let covers = (midnight(plus(dates.0, BEFORE)), midnight(plus(dates.1, 1 - BEHIND)));
        laid.covers = covers.0.ok().zip(covers.1.ok());
        laid.intervals.sort_unstable();
        laid.intervals.dedup_by(|next, kept| {
            let touch = next.0 <= kept.1;
            if touch {
                kept.1 = kept.1.max(next.1);
            }
            touch
        });
    }

    /// The openings that begin on a date of their own zone.
    fn on(&self, date: Date) -> impl Iterator<Item = Interval> + '_ {
        self.openings.iter().filter_map(move |opening| {
            if self.part(opening, date) != Part::Yes {
                return None;
            }
            self.interval(opening, date)
        })
    }

    fn part(&self, opening: &Opening, date: Date) -> Part {
        self.calendars.takes_part(&opening.days, self.default.as_ref(), date)
    }

    /// When the opening would be on a date; `None` in the wrong season, or where the clock leaves all of it out.
    fn interval(&self, opening: &Opening, date: Date) -> Option<Interval> {
        let tz = opening.zone.tz();
        let until = if opening.to <= opening.from { plus(date, 1) } else { date };
        let start = clock_reaches(tz, date.to_datetime(opening.from));
        let end = clock_reaches(tz, until.to_datetime(opening.to));
        let in_season = opening
            .only_while
            .as_ref()
            .is_none_or(|season| on_daylight(season.zone.tz(), start) == season.daylight);
        (in_season && start < end).then_some((start, end))
    }
}

/// The first instant at which the clock of a zone shows a civil time or a later one: the edge of the gap where that
/// time is left out, the first where it comes twice.
fn clock_reaches(tz: &TimeZone, civil: DateTime) -> Timestamp {
    let of = |offset: jiff::tz::Offset| offset.to_timestamp(civil).unwrap_or(Timestamp::MAX);
    match tz.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => of(offset),
        AmbiguousOffset::Fold { before, .. } => of(before),
        AmbiguousOffset::Gap { before, .. } => {
            let behind = of(before);
            let edge = tz.preceding(later(behind, SignedDuration::from_nanos(1))).next();
            edge.map_or(behind, |transition| transition.timestamp())
        }
    }
}

/// Whether the clock of a zone is ahead of its other time of the year. The zone data's own flag will not do: it calls
/// Ireland's winter the exception.
fn on_daylight(tz: &TimeZone, at: Timestamp) -> bool {
    let now = tz.to_offset_info(at);
    let near = |transition: &TimeZoneTransition<'_>| {
        transition.timestamp().duration_since(at).abs() <= HORIZON && transition.dst() != now.dst()
    };
    // Of two transitions of a year one at least leads to the other season.
    let other = tz.following(at).take(2).find(near);
    let other = other.or_else(|| tz.preceding(at).take(2).find(near));
    other.map_or(now.dst().is_dst(), |other| now.offset() > other.offset())
}

pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daylight_saving_is_the_time_that_is_ahead() {
        let table = [
            ("America/New_York", "2026-03-08T06:59:59Z", false),
            ("America/New_York", "2026-03-08T07:00:00Z", true),
            ("America/New_York", "2026-11-01T05:59:59Z", true),
            ("America/New_York", "2026-11-01T06:00:00Z", false),
            ("Europe/Dublin", "2026-01-15T12:00:00Z", false),
            ("Europe/Dublin", "2026-07-15T12:00:00Z", true),
            ("Australia/Lord_Howe", "2026-01-15T12:00:00Z", true),
            ("Asia/Hong_Kong", "2026-07-15T12:00:00Z", false),
            ("UTC", "2026-07-15T12:00:00Z", false),
        ];
        for (zone, at, daylight) in table {
            let tz = TimeZone::get(zone).unwrap();
            assert_eq!(on_daylight(&tz, at.parse().unwrap()), daylight, "{zone} {at}");
        }
    }

    /// What is laid out, and in which order it was asked for, changes no answer.
    #[test]
    fn questions_far_apart_and_backwards_are_answered_alike() {
        let noon = jiff::civil::time(12, 0, 0, 0);
        let opening = Opening {
            days: super::super::test_site::rule(crate::definition::site::Days::EveryDay, 0),
            from: noon,
            to: jiff::civil::time(13, 0, 0, 0),
            zone: crate::types::Zone::utc(),
            only_while: None,
        };
        let new = || Openings::new(vec![opening.clone()], Arc::default(), None);
        let kept = new();
        for day in
            ["2026-10-30", "2020-01-01", "2026-09-01", "2026-10-30", "2027-11-01", "1999-12-31"]
        {
            let from: Timestamp = format!("{day}T11:00Z").parse().unwrap();
            let to = later(from, SignedDuration::from_hours(50));
            assert_eq!(kept.between(from, to), new().between(from, to), "{day}");
            assert_eq!(kept.between(from, to).len(), 3, "{day}");
            let within = later(from, SignedDuration::from_mins(90));
            let end = later(from, SignedDuration::from_hours(2));
            assert_eq!(kept.state(within), State::OpenUntil(Some(end)), "{day}");
        }
    }
}
