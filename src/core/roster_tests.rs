//! Who is on shift: E1's hours, weekends, holidays, and the nights in which the clocks change.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, date, time};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::core::{roster_check, test_site};
use crate::definition::site::{Assignment, Calendar, CalendarRule, Exception, ExceptionKind};
use crate::types::Text;

pub(in crate::core) fn shift(from: Time, to: Time) -> Shift {
    Shift {
        title: Text::en("shift"),
        hours: Hours { from, to },
        days_off: None,
        calendar: None,
        on_call: false,
    }
}

pub(in crate::core) fn person(name: &str) -> PersonId {
    PersonId::new(name).unwrap()
}

pub(in crate::core) fn entry(shift: &str, from: Date, to: Date, people: &[&str]) -> Assignment {
    let people = people.iter().map(|name| person(name)).collect();
    Assignment { shift: ShiftName::new(shift).unwrap(), from, to, people }
}

pub(in crate::core) fn site(zone: &str, shifts: &[(&str, Shift)], roster: Vec<Assignment>) -> Site {
    let mut site = test_site::site(Vec::new());
    site.zone = Zone::named(zone).unwrap();
    let named = |(name, shift): &(&str, Shift)| (ShiftName::new(name).unwrap(), shift.clone());
    site.duty.shifts = shifts.iter().map(named).collect();
    site.duty.roster = roster;
    site
}

/// The shifts of E1 that change each other.
pub(in crate::core) fn e1() -> Vec<(&'static str, Shift)> {
    let h = |hour, minute| time(hour, minute, 0, 0);
    let mut night = shift(h(21, 30), h(8, 30));
    night.days_off = Some(Hours { from: h(17, 30), to: h(8, 30) });
    vec![
        ("night", night),
        ("early", shift(h(7, 0), h(16, 0))),
        ("day", shift(h(8, 30), h(17, 30))),
        ("afternoon", shift(h(13, 30), h(21, 30))),
    ]
}

pub(in crate::core) fn on(site: &Site, local: &str) -> Vec<String> {
    let calendars = Calendars::new(&site.calendars);
    let local: jiff::civil::DateTime = local.parse().unwrap();
    let at = local.to_zoned(site.zone.tz().clone()).unwrap().timestamp();
    let on = Roster::new(site, &calendars).who(at).unwrap();
    let words = |on: &OnShift| {
        let people: Vec<&str> = on.people.iter().map(PersonId::as_str).collect();
        format!("{} {} {}", on.shift, on.date, people.join("+"))
    };
    on.iter().map(words).collect()
}

#[test]
fn a_night_belongs_to_the_date_on_which_it_begins_and_begins_earlier_on_a_day_off() {
    let (first, last) = (date(2026, 10, 26), date(2026, 11, 1));
    let roster = vec![
        entry("night", first, last, &["li-wei"]),
        entry("night", first, last, &["bo"]),
        entry("early", first, last, &["anna"]),
        entry("afternoon", first, date(2026, 10, 30), &["chen"]),
    ];
    let site = site("Europe/Berlin", &e1(), roster);
    assert_eq!(on(&site, "2026-10-26T08:00"), ["early 2026-10-26 anna"]);
    assert_eq!(on(&site, "2026-10-26T21:29"), ["afternoon 2026-10-26 chen"]);
    assert_eq!(on(&site, "2026-10-26T21:30"), ["night 2026-10-26 li-wei+bo"]);
    assert_eq!(
        on(&site, "2026-10-27T08:29"),
        ["night 2026-10-26 li-wei+bo", "early 2026-10-27 anna"]
    );
    // Saturday.
    assert_eq!(on(&site, "2026-10-31T17:29"), [] as [&str; 0]);
    assert_eq!(on(&site, "2026-10-31T17:30"), ["night 2026-10-31 li-wei+bo"]);
    // The last night ends on the day after the last date.
    assert_eq!(on(&site, "2026-11-02T08:29"), ["night 2026-11-01 li-wei+bo"]);
    assert_eq!(on(&site, "2026-11-02T08:30"), [] as [&str; 0]);
}

#[test]
fn a_holiday_is_a_day_off_and_where_the_calendar_ends_nobody_guesses() {
    let calendar = CalendarName::new("bank").unwrap();
    let mut shifts = e1();
    shifts[0].1.calendar = Some(calendar.clone());
    let roster = vec![entry("night", date(2026, 12, 24), date(2027, 1, 5), &["li-wei"])];
    let mut site = site("Europe/Berlin", &shifts, roster);
    site.calendars = BTreeMap::from([(calendar, christmas())]);
    assert_eq!(on(&site, "2026-12-24T18:00"), [] as [&str; 0]);
    assert_eq!(on(&site, "2026-12-25T18:00"), ["night 2026-12-25 li-wei"]);
    let calendars = Calendars::new(&site.calendars);
    let beyond = "2027-01-03T20:00:00Z".parse().unwrap();
    let why = Roster::new(&site, &calendars).who(beyond).unwrap_err().to_string();
    assert!(why.contains("`night`") && why.contains("`bank`"), "{why}");
    // Whoever has to call somebody is told who is there for sure.
    site.duty.roster.push(entry("day", date(2027, 1, 3), date(2027, 1, 3), &["anna"]));
    let at = "2027-01-03T12:00:00Z".parse().unwrap();
    let known = Roster::new(&site, &calendars).who_is_known(at);
    let on: Vec<&str> = known.on.iter().map(|on| on.shift.as_str()).collect();
    assert_eq!((on, known.unknown.len()), (vec!["day"], 4));
    assert_eq!(Roster::new(&site, &calendars).who(at).unwrap_err(), known.unknown[0]);
}

fn christmas() -> Calendar {
    let holiday = Exception { kind: ExceptionKind::Holiday, name: "Christmas".to_owned() };
    Calendar {
        title: Text::en("bank"),
        first: date(2026, 1, 1),
        last: date(2026, 12, 31),
        rule: CalendarRule::Listed {
            weekly: [true, true, true, true, true, false, false],
            exceptions: BTreeMap::from([(date(2026, 12, 25), holiday)]),
        },
    }
}

#[test]
fn the_next_change_is_the_next_begin_or_end_also_of_what_is_yet_to_come() {
    let roster = vec![entry("day", date(2026, 10, 28), date(2026, 10, 29), &["anna"])];
    let site = site("Europe/Berlin", &e1(), roster);
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(&site, &calendars);
    let mut at: Timestamp = "2026-09-01T00:00:00Z".parse().unwrap();
    let mut seen = Vec::new();
    while let Some(next) = roster.next_change(at).unwrap() {
        seen.push(next.to_string());
        at = next;
    }
    assert_eq!(
        seen,
        [
            "2026-10-28T07:30:00Z",
            "2026-10-28T16:30:00Z",
            "2026-10-29T07:30:00Z",
            "2026-10-29T16:30:00Z"
        ]
    );
}

pub(in crate::core) const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Africa/Casablanca",
    "America/Santiago",
];

proptest! {
    /// Shifts that follow each other round the clock, changing at any minutes, in any zone and night: there is always
    /// exactly one, and what `next_change` says is when it is another one.
    #[test]
    fn there_is_no_gap_and_no_double(
        zone in 0..ZONES.len(),
        day in 0..730_i64,
        minutes in proptest::collection::btree_set(0..1440_i32, 2..5),
        probe in 0..2_880_i64,
    ) {
        let clock = |minute: i32| time((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let starts: Vec<Time> = minutes.into_iter().map(clock).collect();
        let names = ["a", "b", "c", "d"];
        let shifts: Vec<(&str, Shift)> = (0..starts.len())
            .map(|n| (names[n], shift(starts[n], starts[(n + 1) % starts.len()])))
            .collect();
        let first = plus(date(2026, 1, 5), i32::try_from(day).unwrap());
        let roster =
            shifts.iter().map(|(name, _)| entry(name, first, plus(first, 4), &["li-wei"])).collect();
        let site = site(ZONES[zone], &shifts, roster);
        let calendars = Calendars::new(&site.calendars);
        let roster = Roster::new(&site, &calendars);
        let begin = instant(plus(first, 1), starts[0], &site.zone);
        let at = begin + SignedDuration::from_mins(probe);
        let on = roster.who(at).unwrap();
        prop_assert_eq!(on.len(), 1, "{} {:?}", at, on);
        let next = roster.next_change(at).unwrap().unwrap();
        prop_assert!(next > at && next <= on[0].to);
        let before = next - SignedDuration::from_nanos(1);
        prop_assert_eq!(roster.who(before).unwrap(), on.clone());
        let after = roster.who(next).unwrap();
        prop_assert_eq!(after.len(), 1);
        prop_assert_ne!(&after, &on);
        // Whoever goes and whoever comes meet at the same instant.
        prop_assert_eq!(after[0].from, on[0].to);
        prop_assert_eq!(roster_check::check(&site, &calendars, first), []);
    }
}
