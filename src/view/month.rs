//! A month of the site: what starts, when windows are open, what is frozen, who is on shift.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::Who;
use crate::core::calendar::Calendars;
use crate::core::roster::Roster;
use crate::core::schedule;
use crate::core::window::Windows;
use crate::definition::site::{Freeze, Site};
use crate::types::{BatchId, Text, WindowClass};

#[derive(Debug, Clone, PartialEq)]
pub struct MonthView {
    pub first: Date,
    /// All days of the month.
    pub days: Vec<DayView>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DayView {
    pub date: Date,
    /// By the site's calendar; `None` where it has none, or no data for the day.
    pub business: Option<bool>,
    /// Starts of schedules that the clock shows on this day, the earliest first.
    pub starts: Vec<StartLine>,
    /// Times in which windows are open, cut to the day.
    pub windows: Vec<WindowLine>,
    pub freezes: Vec<Text>,
    /// Shifts that begin on it and have somebody.
    pub shifts: Vec<(Text, Vec<Who>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StartLine {
    pub at: Timestamp,
    pub batch: BatchId,
    pub title: Text,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WindowLine {
    pub class: WindowClass,
    pub title: Text,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The month that a date lies in. `ordered`: freezes beside those that the site declares.
pub fn of(site: &Site, ordered: &[Freeze], any: Date) -> MonthView {
    let calendars = Calendars::new(&site.calendars);
    let windows = Windows::new(site);
    let freezes: Vec<&Freeze> = site.freezes.iter().chain(ordered).collect();
    let (first, last) = (any.first_of_month(), any.last_of_month());
    let on_shift = Roster::new(site, &calendars).known_between(first, last).on;
    let mut days = Vec::new();
    for date in first.series(1.day()).take_while(|date| *date <= last) {
        let midnight =
            |date: Date| site.zone.tz().to_timestamp(date.to_datetime(jiff::civil::Time::MIN));
        let next = date.saturating_add(1.day());
        let (Ok(from), Ok(to)) = (midnight(date), midnight(next)) else { break };
        let shifts = on_shift.iter().filter(|shift| shift.date == date && !shift.people.is_empty());
        days.push(DayView {
            date,
            business: site.calendar.as_ref().and_then(|name| calendars.is_business_day(name, date)),
            starts: starts(site, &calendars, (from, to)),
            windows: open(site, &windows, (from, to)),
            freezes: freezes
                .iter()
                .filter(|freeze| freeze.from < to && freeze.to > from)
                .map(|freeze| freeze.reason.clone())
                .collect(),
            shifts: shifts
                .map(|shift| {
                    let title = site.duty.shifts.get(&shift.shift).map(|known| known.title.clone());
                    let people = shift.people.iter().map(|person| Who::of(site, person));
                    (title.unwrap_or_else(|| Text::en(shift.shift.as_str())), people.collect())
                })
                .collect(),
        });
    }
    MonthView { first, days }
}

fn starts(
    site: &Site,
    calendars: &Calendars,
    (from, to): (Timestamp, Timestamp),
) -> Vec<StartLine> {
    // A timetable leaves its first instant out, and has its last one.
    let before = |at: Timestamp| at - jiff::SignedDuration::from_nanos(1);
    let of_batch = |batch: &crate::definition::site::Batch| {
        let default = batch.calendar.as_ref().or(site.calendar.as_ref());
        let starts = batch.schedule.as_ref().map(|schedule| {
            schedule::starts(schedule, calendars, default, before(from), before(to))
        });
        let line = |start: schedule::Start| StartLine {
            at: start.at,
            batch: batch.id.clone(),
            title: batch.title.clone(),
        };
        starts.unwrap_or_default().into_iter().map(line).collect::<Vec<_>>()
    };
    let mut all: Vec<StartLine> = site.batches.values().flat_map(|batch| of_batch(batch)).collect();
    all.sort_by(|a, b| (a.at, &a.batch).cmp(&(b.at, &b.batch)));
    all
}

fn open(site: &Site, windows: &Windows, (from, to): (Timestamp, Timestamp)) -> Vec<WindowLine> {
    let of_class = |(class, window): (&WindowClass, &crate::definition::site::Window)| {
        let line =
            |(from, to)| WindowLine { class: class.clone(), title: window.title.clone(), from, to };
        windows.openings(class, from, to).into_iter().map(line).collect::<Vec<_>>()
    };
    site.windows.iter().flat_map(of_class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_site;
    use crate::definition::site::{Days, FreezeScope};

    #[test]
    fn a_month_has_its_days_with_what_starts_and_what_is_frozen() {
        let at = [jiff::civil::time(2, 30, 0, 0)];
        let schedule = test_site::on_days(Days::EveryDay, &at, "Europe/Berlin");
        let mut site = test_site::site(vec![test_site::batch("eod", Some(schedule), Vec::new())]);
        site.zone = crate::types::Zone::named("Europe/Berlin").unwrap();
        let frozen = Freeze {
            reason: Text::en("year end"),
            from: "2026-03-30T10:00:00Z".parse().unwrap(),
            to: "2026-03-31T10:00:00Z".parse().unwrap(),
            scope: FreezeScope::default(),
        };
        let month = of(&site, &[frozen], jiff::civil::date(2026, 3, 12));
        assert_eq!((month.first, month.days.len()), (jiff::civil::date(2026, 3, 1), 31));
        // The night without a half past two among them: the start is moved, and stays on its day.
        assert!(month.days.iter().all(|day| day.starts.len() == 1), "{month:?}");
        let frozen: Vec<i8> =
            month.days.iter().filter(|day| !day.freezes.is_empty()).map(|d| d.date.day()).collect();
        assert_eq!(frozen, [30, 31]);
    }
}
