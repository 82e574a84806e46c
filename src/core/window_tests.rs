use jiff::civil::{Date, Time, date, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::super::calendar::plus;
use super::super::calendar::tests::{listed, named};
use super::super::test_site::{rule, site};
use super::*;
use crate::definition::site::{DayRule, Days, FreezeScope, Opening, Season, Window};
use crate::types::Zone;

fn class(name: &str) -> WindowClass {
    WindowClass::new(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening(days: DayRule, from: Time, to: Time, zone: &str) -> Opening {
    Opening { days, from, to, zone: Zone::named(zone).unwrap(), only_while: None }
}

fn weekdays(week: [i32; 7]) -> DayRule {
    rule(Days::Weekdays(week.map(|on| on == 1)), 0)
}

fn in_season(opening: Opening, daylight: bool) -> Opening {
    let zone = Zone::named("America/New_York").unwrap();
    Opening { only_while: Some(Season { zone, daylight }), ..opening }
}

/// D9 twice, as Tuesday, Thursday and Saturday, and on every day; a night over midnight; and the calendar's night.
fn sample() -> Site {
    let hk = "Asia/Hong_Kong";
    let (start, early, late) = (time(16, 30, 0, 0), time(20, 0, 0, 0), time(21, 0, 0, 0));
    let tue_thu = || weekdays([0, 1, 0, 1, 0, 0, 0]);
    let every_day = || rule(Days::EveryDay, 0);
    let windows = [
        (
            "c",
            vec![
                in_season(opening(tue_thu(), start, early, hk), true),
                in_season(opening(tue_thu(), start, late, hk), false),
                opening(weekdays([0, 0, 0, 0, 0, 1, 0]), time(10, 0, 0, 0), early, hk),
            ],
        ),
        (
            "switch",
            vec![
                in_season(opening(every_day(), start, early, hk), true),
                in_season(opening(every_day(), start, late, hk), false),
            ],
        ),
        (
            "night",
            vec![opening(
                weekdays([1, 1, 1, 1, 1, 0, 0]),
                time(22, 0, 0, 0),
                time(2, 0, 0, 0),
                "Europe/Berlin",
            )],
        ),
        (
            "evening",
            vec![
                opening(every_day(), time(18, 0, 0, 0), time(22, 30, 0, 0), "UTC"),
                opening(every_day(), time(22, 0, 0, 0), time(23, 0, 0, 0), "UTC"),
            ],
        ),
        ("always", vec![opening(every_day(), time(0, 0, 0, 0), time(0, 0, 0, 0), "Europe/Berlin")]),
        (
            "banking",
            vec![opening(
                rule(Days::EveryBusinessDay, 0),
                time(22, 0, 0, 0),
                time(2, 0, 0, 0),
                "Europe/Berlin",
            )],
        ),
        (
            "once",
            vec![opening(
                rule(Days::Once(date(2026, 10, 31)), 0),
                time(9, 0, 0, 0),
                time(12, 0, 0, 0),
                "UTC",
            )],
        ),
    ];
    let mut site = site(Vec::new());
    site.calendar = Some(named("bank"));
    let closing =
        [(date(2026, 12, 25), crate::definition::site::ExceptionKind::Holiday, "Christmas Day")];
    site.calendars =
        BTreeMap::from([(named("bank"), listed(date(2026, 1, 1), date(2026, 12, 31), &closing))]);
    site.windows = windows
        .into_iter()
        .map(|(name, open)| (class(name), Window { title: Text::en(name), open }))
        .collect();
    site
}

fn freeze(from: &str, to: &str, scope: FreezeScope) -> Freeze {
    Freeze { reason: Text::en("year end"), from: at(from), to: at(to), scope }
}

struct Asked {
    batch: BatchId,
    target: TargetName,
    host: HostName,
}

impl Asked {
    fn new() -> Self {
        Self {
            batch: BatchId::new("eod").unwrap(),
            target: TargetName::new("bank").unwrap(),
            host: HostName::new("local").unwrap(),
        }
    }

    fn gate(&self, windows: &Windows, classes: &[&str], now: &str, minutes: u64) -> Gate {
        let classes: Vec<WindowClass> = classes.iter().map(|name| class(name)).collect();
        let (batch, host, ordered) = (&self.batch, &self.host, NONE_ORDERED);
        let what = Subject { batch, target: Some(&self.target), host, ordered };
        windows.gate(&classes, what, at(now), Duration::from_secs(minutes * 60))
    }
}

fn gate(site: &Site, classes: &[&str], now: &str, minutes: u64) -> Gate {
    Asked::new().gate(&Windows::new(site), classes, now, minutes)
}

fn open_until(closes: &str) -> Gate {
    Gate::Open { closes: Some(at(closes)) }
}

fn next_of(gate: Gate) -> (WindowReason, Option<Timestamp>) {
    match gate {
        Gate::Closed { reason, next } => (reason, next),
        Gate::Open { .. } => panic!("{gate:?}"),
    }
}

#[test]
fn the_season_of_new_york_moves_the_close_in_hong_kong() {
    let windows = Windows::new(&sample());
    let opens = |name: &str, day: Date| {
        let from = day.to_zoned(TimeZone::get("Asia/Hong_Kong").unwrap()).unwrap().timestamp();
        let tz = TimeZone::get("Asia/Hong_Kong").unwrap();
        windows
            .openings(&class(name), from, later(from, SignedDuration::from_hours(24)))
            .iter()
            .map(|(a, b)| {
                format!(
                    "{}-{}",
                    tz.to_datetime(*a).strftime("%H:%M"),
                    tz.to_datetime(*b).strftime("%H:%M")
                )
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let table = [
        ("c", date(2026, 3, 5), "16:30-21:00"),
        ("c", date(2026, 3, 7), "10:00-20:00"),
        ("c", date(2026, 3, 8), ""),
        ("c", date(2026, 3, 10), "16:30-20:00"),
        ("c", date(2026, 10, 29), "16:30-20:00"),
        ("c", date(2026, 10, 31), "10:00-20:00"),
        ("c", date(2026, 11, 1), ""),
        ("c", date(2026, 11, 3), "16:30-21:00"),
        // The days of the switch: 16:30 in Hong Kong is after 02:00 in New York of the same date.
        ("switch", date(2026, 3, 7), "16:30-21:00"),
        ("switch", date(2026, 3, 8), "16:30-20:00"),
        ("switch", date(2026, 10, 31), "16:30-20:00"),
        ("switch", date(2026, 11, 1), "16:30-21:00"),
    ];
    for (name, day, expected) in table {
        assert_eq!(opens(name, day), expected, "{name} {day}");
    }
}

#[test]
fn work_starts_only_where_it_is_done_before_the_close() {
    let site = sample();
    // Friday night, over midnight and into the month with standard time at 03:00.
    assert_eq!(
        gate(&site, &["night"], "2026-10-30T21:30+01", 60).clone(),
        Gate::Closed {
            reason: WindowReason::NotOpen { class: class("night") },
            next: Some(at("2026-10-30T22:00+01")),
        }
    );
    let closes = open_until("2026-10-31T02:00+01");
    assert_eq!(gate(&site, &["night"], "2026-10-30T22:00+01", 240), closes, "to the minute");
    assert_eq!(gate(&site, &["night"], "2026-10-31T00:30+01", 90), closes);
    let (reason, next) = next_of(gate(&site, &["night"], "2026-10-31T00:31+01", 90));
    let left = Duration::from_secs(89 * 60);
    assert_eq!(reason, WindowReason::DoesNotFit { needs: Duration::from_secs(5400), left });
    assert_eq!(next, Some(at("2026-11-02T22:00+01")), "Monday");
    assert_eq!(
        reason.to_string(),
        "needs 1h30m (1.5 × expected, verification, rollback), but only 1h29m are left"
    );
    assert!(matches!(gate(&site, &["night"], "2026-10-31T02:00+01", 0), Gate::Closed { .. }));
    // Nothing fits into four hours.
    assert_eq!(next_of(gate(&site, &["night"], "2026-10-30T22:00+01", 241)).1, None);
    // Overlapping openings of one class are one.
    assert_eq!(gate(&site, &["evening"], "2026-10-30T22:15Z", 45), open_until("2026-10-30T23:00Z"));
    assert_eq!(gate(&site, &["always"], "2026-10-30T22:15Z", 1), Gate::Open { closes: None });
    assert_eq!(gate(&site, &[], "2026-10-30T22:15Z", 1), Gate::Open { closes: None });
    assert_eq!(
        fit(Span::seconds(60), Span::seconds(5), Span::seconds(7)),
        Duration::from_secs(102)
    );
}

#[test]
fn all_classes_must_be_open_together() {
    let site = sample();
    let both = ["evening", "night"];
    let (reason, next) = next_of(gate(&site, &both, "2026-10-30T19:00Z", 90));
    assert_eq!(reason, WindowReason::NotOpen { class: class("night") });
    // They have 21:00 to 23:00 UTC in common now, an hour more in summer.
    assert_eq!(next, Some(at("2026-10-30T21:00Z")));
    assert_eq!(gate(&site, &both, "2026-10-30T21:00Z", 90), open_until("2026-10-30T23:00Z"));
    assert_eq!(
        next_of(gate(&site, &both, "2026-10-30T21:00Z", 121)).1,
        Some(at("2027-03-29T20:00Z"))
    );
    let (reason, next) = next_of(gate(&site, &["always", "nowhere"], "2026-10-30T21:00Z", 1));
    assert_eq!(reason, WindowReason::NoSuchWindow { class: class("nowhere") });
    assert_eq!(next, None);
}

#[test]
fn a_freeze_closes_what_it_names() {
    let mut site = sample();
    let everything = FreezeScope::default();
    site.freezes = vec![
        freeze("2026-12-29T00:00Z", "2027-01-02T00:00Z", everything),
        freeze(
            "2027-01-02T00:00Z",
            "2027-01-03T00:00Z",
            FreezeScope { targets: vec![TargetName::new("bank").unwrap()], ..Default::default() },
        ),
        freeze(
            "2026-11-01T00:00Z",
            "2026-12-01T00:00Z",
            FreezeScope { hosts: vec![HostName::new("elsewhere").unwrap()], ..Default::default() },
        ),
    ];
    // It must be done before the freeze begins.
    assert_eq!(gate(&site, &["always"], "2026-12-28T22:00Z", 120), open_until("2026-12-29T00:00Z"));
    let (reason, next) = next_of(gate(&site, &["always"], "2026-12-28T22:01Z", 120));
    assert!(matches!(reason, WindowReason::DoesNotFit { .. }));
    assert_eq!(next, Some(at("2027-01-03T00:00Z")));
    let (reason, next) = next_of(gate(&site, &[], "2026-12-29T00:00Z", 1));
    let until = at("2027-01-03T00:00Z");
    assert_eq!(reason, WindowReason::Frozen { reason: Text::en("year end"), until, by: None });
    assert_eq!(next, Some(until));
    let (reason, next) = next_of(gate(&site, &["night"], "2026-12-30T12:00Z", 1));
    assert_eq!(reason, WindowReason::NotOpen { class: class("night") });
    assert_eq!(next, Some(at("2027-01-04T22:00+01")), "January 1 is frozen, then the weekend");
    // An override opens the window, and no freeze.
    let asked = Asked::new();
    let (batch, host, ordered) = (&asked.batch, &asked.host, NONE_ORDERED);
    let what = Subject { batch, target: None, host, ordered };
    let overridden = |site: &Site, now| {
        let needs = Duration::from_secs(60);
        Windows::new(site).gate_overridden(&[class("night")], what, at(now), needs)
    };
    assert_eq!(overridden(&site, "2026-10-30T12:00Z"), open_until("2026-12-29T00:00Z"));
    let (reason, next) = next_of(overridden(&site, "2026-12-30T12:00Z"));
    assert!(matches!(reason, WindowReason::Frozen { .. }));
    assert_eq!(next, Some(at("2027-01-02T00:00Z")));
    let night = FreezeScope { windows: vec![class("night")], ..Default::default() };
    site.freezes = vec![freeze("2026-11-01T00:00Z", "2026-12-01T00:00Z", night)];
    assert!(matches!(overridden(&site, "2026-11-10T12:00Z"), Gate::Closed { .. }));
    for (scope, hit) in [
        (FreezeScope { batches: vec![BatchId::new("eod").unwrap()], ..Default::default() }, true),
        (
            FreezeScope { batches: vec![BatchId::new("other").unwrap()], ..Default::default() },
            false,
        ),
        (FreezeScope { windows: vec![class("always")], ..Default::default() }, true),
        (FreezeScope { windows: vec![class("night")], ..Default::default() }, false),
        (
            FreezeScope { targets: vec![TargetName::new("bank").unwrap()], ..Default::default() },
            true,
        ),
        (FreezeScope { hosts: vec![HostName::new("local").unwrap()], ..Default::default() }, true),
    ] {
        site.freezes = vec![freeze("2026-11-01T00:00Z", "2026-12-01T00:00Z", scope)];
        let frozen =
            matches!(gate(&site, &["always"], "2026-11-10T00:00Z", 1), Gate::Closed { .. });
        assert_eq!(frozen, hit, "{:?}", site.freezes);
    }
}

#[test]
fn a_window_is_closed_where_its_calendar_has_no_data() {
    let site = sample();
    let (reason, next) = next_of(gate(&site, &["banking"], "2026-12-25T23:00Z", 1));
    assert_eq!(reason, WindowReason::NotOpen { class: class("banking") }, "Christmas is known");
    assert_eq!(next, Some(at("2026-12-28T22:00+01")));
    let (reason, next) = next_of(gate(&site, &["banking"], "2027-01-04T23:00+01", 1));
    assert!(
        matches!(&reason, WindowReason::CalendarUnknown { why, .. } if why.contains("2027-01-04"))
    );
    assert_eq!(next, None);
    let (reason, _) = next_of(gate(&site, &["banking"], "2027-01-04T12:00+01", 1));
    assert_eq!(
        reason,
        WindowReason::NotOpen { class: class("banking") },
        "not at noon, whatever the day"
    );
    let (_, next) = next_of(gate(&site, &["once"], "2026-10-01T00:00Z", 1));
    assert_eq!(next, Some(at("2026-10-31T09:00Z")));
    assert_eq!(next_of(gate(&site, &["once"], "2026-10-31T12:00Z", 1)).1, None);
}

#[test]
fn openings_go_by_what_the_clock_shows() {
    let mut site = sample();
    let every_day = || rule(Days::EveryDay, 0);
    let ny = "America/New_York";
    let windows = [
        ("to-gap", opening(every_day(), time(1, 0, 0, 0), time(2, 30, 0, 0), ny)),
        ("from-gap", opening(every_day(), time(2, 30, 0, 0), time(4, 0, 0, 0), ny)),
        ("in-gap", opening(every_day(), time(2, 10, 0, 0), time(2, 50, 0, 0), ny)),
        ("over", opening(every_day(), time(0, 30, 0, 0), time(3, 30, 0, 0), ny)),
        ("to-fold", opening(every_day(), time(0, 30, 0, 0), time(1, 30, 0, 0), ny)),
        ("from-fold", opening(every_day(), time(1, 30, 0, 0), time(3, 0, 0, 0), ny)),
    ];
    site.windows = windows
        .into_iter()
        .map(|(name, open)| (class(name), Window { title: Text::en(name), open: vec![open] }))
        .collect();
    let windows = Windows::new(&site);
    let table = [
        ("to-gap", "2026-03-08T01:00-05", "2026-03-08T03:00-04", "2026-03-08"),
        ("from-gap", "2026-03-08T03:00-04", "2026-03-08T04:00-04", "2026-03-08"),
        ("over", "2026-03-08T00:30-05", "2026-03-08T03:30-04", "2026-03-08"),
        ("over", "2026-11-01T00:30-04", "2026-11-01T03:30-05", "2026-11-01"),
        ("to-fold", "2026-11-01T00:30-04", "2026-11-01T01:30-04", "2026-11-01"),
        ("from-fold", "2026-11-01T01:30-04", "2026-11-01T03:00-05", "2026-11-01"),
    ];
    for (name, start, end, day) in table {
        let noon = at(&format!("{day}T12:00Z"));
        let from = later(noon, SignedDuration::from_hours(-8));
        let got = windows.openings(&class(name), from, noon);
        assert_eq!(got, [(at(start), at(end))], "{name} {day}");
    }
    let gap = windows.openings(&class("in-gap"), at("2026-03-08T04:00Z"), at("2026-03-08T12:00Z"));
    assert_eq!(gap, [], "the clock skips all of it");
}

/// One opening of the brute force: a rule that looks at nothing but what clocks show, minute by minute.
fn clock_open(opening: &Opening, first: Timestamp, minutes: usize) -> Vec<bool> {
    let minute = |place: usize| later(first, SignedDuration::from_mins(place as i64));
    let shown: Vec<_> =
        (0..minutes).map(|place| opening.zone.tz().to_datetime(minute(place))).collect();
    let mut open = vec![false; minutes];
    let Days::Weekdays(week) = &opening.days.days else { panic!("weekdays only") };
    let mut day = shown[0].date();
    while day <= shown[minutes - 1].date() {
        let monday_first = day.weekday().to_monday_zero_offset() as usize;
        let until = if opening.to <= opening.from { plus(day, 1) } else { day };
        let reached = |civil| shown.iter().position(|shown| *shown >= civil);
        let start = reached(day.to_datetime(opening.from));
        let end = reached(until.to_datetime(opening.to)).unwrap_or(minutes);
        if let Some(start) = start.filter(|start| week[monday_first] && *start < end) {
            let in_season = opening.only_while.as_ref().is_none_or(|season| {
                season.zone.tz().to_offset_info(minute(start)).dst().is_dst() == season.daylight
            });
            // What had begun before the first minute is not looked at: the clock does not show its start.
            if in_season && start > 0 {
                open[start..end].fill(true);
            }
        }
        day = plus(day, 1);
    }
    open
}

prop_compose! {
    fn any_opening()(
        week in prop::array::uniform7(prop::bool::weighted(0.4)),
        from in 0_i32..96,
        length in 1_i32..97,
        zone in prop::sample::select(vec![
            "UTC", "America/New_York", "Europe/Berlin", "Asia/Hong_Kong", "Australia/Lord_Howe", "Pacific/Kiritimati",
        ]),
        season in prop::option::weighted(0.3, any::<bool>()),
    ) -> Opening {
        let clock = |quarters: i32| {
            let minutes = quarters % 96 * 15;
            time((minutes / 60) as i8, (minutes % 60) as i8, 0, 0)
        };
        let days = rule(Days::Weekdays(week), 0);
        let opening = opening(days, clock(from), clock(from + length), zone);
        match season {
            Some(daylight) => in_season(opening, daylight),
            None => opening,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_gate_is_what_a_look_at_every_minute_gives(
        classes in prop::collection::vec(prop::collection::vec(any_opening(), 1..4), 1..4),
        first in prop::sample::select(vec!["2026-02-25T00:00Z", "2026-03-20T00:00Z", "2026-10-20T00:00Z", "2026-06-01T00:00Z"]),
        freezes in prop::collection::vec((0_i64..29_000, 1_i64..6_000), 0..3),
        asked in prop::collection::vec((4_320_usize..27_000, 0_usize..900), 25),
    ) {
        let first = at(first);
        let minutes = 30_000;
        let minute = |place: usize| later(first, SignedDuration::from_mins(place as i64));
        let mut site = site(Vec::new());
        let mut open = vec![true; minutes];
        let mut names = Vec::new();
        for (place, openings) in classes.iter().enumerate() {
            let mut class_open = vec![false; minutes];
            for opening in openings {
                for (one, other) in class_open.iter_mut().zip(clock_open(opening, first, minutes)) {
                    *one |= other;
                }
            }
            for (all, one) in open.iter_mut().zip(class_open) {
                *all &= one;
            }
            let name = class(&format!("w{place}"));
            names.push(name.clone());
            site.windows.insert(name, Window { title: Text::default(), open: openings.clone() });
        }
        for (from, length) in freezes {
            let to = (from + length).min(minutes as i64);
            open[from as usize..to as usize].fill(false);
            let freeze = Freeze {
                reason: Text::default(),
                from: minute(from as usize),
                to: minute(to as usize),
                scope: FreezeScope::default(),
            };
            site.freezes.push(freeze);
        }
        // How many minutes remain at each minute.
        let mut left = vec![0_usize; minutes + 1];
        for place in (0..minutes).rev() {
            left[place] = if open[place] { left[place + 1] + 1 } else { 0 };
        }
        let windows = Windows::new(&site);
        let words = Asked::new();
        let (batch, host, ordered) = (&words.batch, &words.host, NONE_ORDERED);
        let what = Subject { batch, target: None, host, ordered };
        for (now, needs) in asked {
            let gate = windows.gate(&names, what, minute(now), Duration::from_secs(needs as u64 * 60));
            let reaches_end = |place: usize| place + left[place] == minutes;
            if reaches_end(now) {
                continue;
            }
            if open[now] && left[now] >= needs {
                prop_assert_eq!(gate, Gate::Open { closes: Some(minute(now + left[now])) });
                continue;
            }
            let Gate::Closed { reason, next } = gate else {
                return Err(TestCaseError::fail(format!("{gate:?} at {}", minute(now))));
            };
            if open[now] {
                let shown = Duration::from_secs(left[now] as u64 * 60);
                let fits_not =
                    matches!(reason, WindowReason::DoesNotFit { left, .. } if left == shown);
                prop_assert!(fits_not, "{}", reason);
            }
            let expected = (now..minutes).find(|place| open[*place] && left[*place] >= needs);
            match expected {
                Some(place) => prop_assert_eq!(next, Some(minute(place)), "needs {}", needs),
                // Not in these weeks, or in an opening that they cut off.
                None => {
                    let cut = |next: Timestamp| {
                        (0..minutes).any(|place| minute(place) == next && reaches_end(place))
                    };
                    let beyond = next.is_none_or(|next| next >= minute(minutes) || cut(next));
                    prop_assert!(beyond, "{:?}", next);
                }
            }
        }
    }
}
