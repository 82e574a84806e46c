use jiff::civil::{date, time};
use proptest::prelude::*;

use super::super::calendar::tests::{named, real};
use super::super::test_site::{self, cron, on_days as days};
use super::*;
use crate::definition::site::Period;
use crate::types::Span;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Starts of a schedule without calendars, as clock times with their offsets.
fn clock(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let found = starts(schedule, &Calendars::default(), None, at(from), at(to));
    found
        .iter()
        .map(|start| {
            let zoned = start.at.to_zoned(schedule.zone.tz().clone());
            assert_eq!(zoned.datetime(), start.civil);
            zoned.strftime("%m-%dT%H:%M%:z").to_string()
        })
        .collect()
}

#[test]
fn a_fixed_hour_starts_once_whatever_daylight_saving_does() {
    // zone, cron, from, to, starts
    let table: [(&str, &str, &str, &str, &[&str]); 9] = [
        // New York loses 02:00 to 03:00 and repeats 01:00 to 02:00.
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T00:00-05",
            "2026-03-10T00:00-04",
            &["03-07T02:30-05:00", "03-08T03:30-04:00", "03-09T02:30-04:00"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T00:00-04",
            "2026-11-03T00:00-05",
            &["10-31T01:30-04:00", "11-01T01:30-04:00", "11-02T01:30-05:00"],
        ),
        // What is moved onto another start is that start.
        (
            "America/New_York",
            "0,30 2,3 * * *",
            "2026-03-08T00:00-05",
            "2026-03-09T00:00-04",
            &["03-08T03:00-04:00", "03-08T03:30-04:00"],
        ),
        // Half an hour, on Lord Howe: 02:00 becomes 02:30, and 02:00 becomes 01:30.
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T00:00+10:30",
            "2026-10-06T00:00+11",
            &["10-03T02:15+10:30", "10-04T02:45+11:00", "10-05T02:15+11:00"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T12:00+11",
            "2026-04-06T00:00+10:30",
            &["04-05T01:45+11:00"],
        ),
        // Shanghai had daylight saving from 1986 to 1991, and has none now.
        (
            "Asia/Shanghai",
            "30 2 * * *",
            "1986-05-03T00:00+08",
            "1986-05-06T00:00+09",
            &["05-03T02:30+08:00", "05-04T03:30+09:00", "05-05T02:30+09:00"],
        ),
        (
            "Asia/Shanghai",
            "30 2 * * *",
            "2026-05-03T00:00+08",
            "2026-05-05T00:00+08",
            &["05-03T02:30+08:00", "05-04T02:30+08:00"],
        ),
        // Midnight itself was left out in São Paulo.
        (
            "America/Sao_Paulo",
            "0 0 * * *",
            "2018-11-03T00:00-03",
            "2018-11-05T12:00-02",
            &["11-04T01:00-02:00", "11-05T00:00-02:00"],
        ),
        // Samoa left out a whole day: its start is that of the day after.
        (
            "Pacific/Apia",
            "0 9 * * *",
            "2011-12-29T00:00-10",
            "2012-01-01T12:00+14",
            &["12-29T09:00-10:00", "12-31T09:00+14:00", "01-01T09:00+14:00"],
        ),
    ];
    for (zone, text, from, to, expected) in table {
        assert_eq!(clock(&cron(text, zone), from, to), expected, "{zone} {text}");
    }
}

#[test]
fn every_hour_counts_elapsed_time() {
    let ny = cron("*/30 * * * *", "America/New_York");
    assert_eq!(
        clock(&ny, "2026-03-08T01:00-05", "2026-03-08T03:30-04"),
        ["03-08T01:30-05:00", "03-08T03:00-04:00", "03-08T03:30-04:00"]
    );
    assert_eq!(
        clock(&ny, "2026-11-01T00:30-04", "2026-11-01T02:00-05"),
        [
            "11-01T01:00-04:00",
            "11-01T01:30-04:00",
            "11-01T01:00-05:00",
            "11-01T01:30-05:00",
            "11-01T02:00-05:00",
        ]
    );
    // From within the repeated hour, nothing before it.
    let after = at("2026-11-01T01:15-05");
    let start = next(&ny, &Calendars::default(), None, after).unwrap();
    assert_eq!(start.at, at("2026-11-01T01:30-05"));
    assert_eq!(start.note, Some(DaylightNote::FoldSecond));
    let howe = cron("*/15 * * * *", "Australia/Lord_Howe");
    assert_eq!(
        clock(&howe, "2026-10-04T01:30+10:30", "2026-10-04T02:45+11"),
        ["10-04T01:45+10:30", "10-04T02:30+11:00", "10-04T02:45+11:00"]
    );
}

#[test]
fn the_policies_for_gap_and_fold_hold_for_cron_and_for_calendar_words() {
    let zone = "America/New_York";
    for mut schedule in [cron("30 2 * * *", zone), days(Days::EveryDay, &[time(2, 30, 0, 0)], zone)]
    {
        let none = Calendars::default();
        let (from, to) = (at("2026-03-08T00:00-05"), at("2026-03-09T00:00-04"));
        let shifted = timetable(&schedule, &none, None, from, to);
        let meant = date(2026, 3, 8).at(2, 30, 0, 0);
        assert_eq!(shifted.starts[0].note, Some(DaylightNote::Gap { meant }));
        assert_eq!(shifted.starts[0].date(), date(2026, 3, 8));
        schedule.gap = GapPolicy::Skip;
        let skipped = timetable(&schedule, &none, None, from, to);
        assert_eq!(skipped.starts, []);
        let left_out = LeftOut { date: date(2026, 3, 8), reason: LeftOutReason::Gap { meant } };
        assert_eq!(skipped.left_out, [left_out]);
        assert_eq!(skipped.left_out[0].reason.to_string(), "the clock skips 02:30 that day");
    }
    for mut schedule in [cron("30 1 * * *", zone), days(Days::EveryDay, &[time(1, 30, 0, 0)], zone)]
    {
        let (from, to) = ("2026-11-01T00:00-04", "2026-11-02T00:00-05");
        for (fold, expected) in [
            (FoldPolicy::First, vec!["11-01T01:30-04:00"]),
            (FoldPolicy::Second, vec!["11-01T01:30-05:00"]),
            (FoldPolicy::Both, vec!["11-01T01:30-04:00", "11-01T01:30-05:00"]),
        ] {
            schedule.fold = fold;
            assert_eq!(clock(&schedule, from, to), expected);
        }
    }
}

#[test]
fn days_left_out_are_named_and_none_runs_beyond_the_calendar() {
    let words = days(Days::EveryBusinessDay, &[time(21, 30, 0, 0)], "Asia/Shanghai");
    let calendars = real();
    let (from, to) = (at("2026-12-29T00:00+08"), at("2027-01-02T21:00+08"));
    let found = timetable(&words, &calendars, Some(&named("cn")), from, to);
    let dates: Vec<Date> = found.starts.iter().map(Start::date).collect();
    assert_eq!(dates, [date(2026, 12, 29), date(2026, 12, 30), date(2026, 12, 31)]);
    assert_eq!(found.left_out.len(), 1, "the evening of January 2 is not asked for");
    assert!(found.left_out[0].reason.to_string().contains("no data for 2027-01-01"));
    assert_eq!(next(&words, &calendars, Some(&named("cn")), at("2026-12-31T21:30+08")), None);
    let (from, to) = (at("2026-10-02T22:00+08"), at("2026-10-12T00:00+08"));
    let found = timetable(&words, &calendars, Some(&named("cn")), from, to);
    let dates: Vec<Date> = found.starts.iter().map(Start::date).collect();
    assert_eq!(dates, [date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10)]);
    let why: Vec<String> = found.left_out.iter().map(|left| left.reason.to_string()).collect();
    let national = vec!["National Day"; 5];
    assert_eq!(why, [national.as_slice(), &["Sunday"]].concat());
}

#[test]
fn the_next_start_is_found_however_far_it_is() {
    let calendars = real();
    let find = |schedule: &Schedule, after| {
        next(schedule, &calendars, Some(&named("target")), at(after)).map(|start| start.at)
    };
    let leap = cron("0 12 29 FEB *", "UTC");
    assert_eq!(find(&leap, "2096-03-01T00:00Z"), Some(at("2104-02-29T12:00Z")));
    assert_eq!(find(&cron("0 12 31 FEB *", "UTC"), "2026-01-01T00:00Z"), None);
    let month_end = Days::NthBusinessDay { nth: -1, of: Period::Month };
    let month_end = days(month_end, &[time(22, 0, 0, 0)], "Europe/Berlin");
    assert_eq!(find(&month_end, "2026-10-01T00:00Z"), Some(at("2026-10-30T22:00+01")));
    let once = days(Days::Once(date(2066, 10, 30)), &[time(9, 0, 0, 0)], "UTC");
    assert_eq!(find(&once, "2026-10-01T00:00Z"), Some(at("2066-10-30T09:00Z")));
    assert_eq!(find(&once, "2066-10-30T09:00Z"), None);
    let unreadable = cron("0 0 * *", "UTC");
    assert_eq!(find(&unreadable, "2026-10-01T00:00Z"), None);
    let told =
        timetable(&unreadable, &calendars, None, at("2026-10-01T00:00Z"), at("2026-10-02T00:00Z"));
    assert!(told.left_out[0].reason.to_string().contains("has 4 fields"));
}

fn batch(schedule: Schedule, offset: i32) -> Batch {
    Batch {
        calendar: Some(named("cn")),
        on_event: None,
        business_date: BusinessDateRule { offset },
        ..test_site::batch("eod", Some(schedule), Vec::new())
    }
}

#[test]
fn a_business_date_has_the_starts_that_lead_to_it() {
    let calendars = real();
    let every_night = cron("30 0 * * *", "Asia/Shanghai");
    // The night after midnight works for the business day before it.
    let eod = batch(every_night.clone(), -1);
    let of = |day| starts_of_business_date(&eod, &calendars, BusinessDate(day));
    let civil: Vec<String> = of(date(2026, 10, 9)).iter().map(|s| s.civil.to_string()).collect();
    assert_eq!(civil, ["2026-10-10T00:30:00"]);
    let nights: Vec<i8> = of(date(2026, 9, 30)).iter().map(|start| start.date().day()).collect();
    assert_eq!(nights, [1, 2, 3, 4, 5, 6, 7, 8], "every night up to that of the next business day");
    assert_eq!(of(date(2026, 10, 3)), [], "no business day");
    assert_eq!(of(date(2027, 1, 4)), [], "beyond the data");
    let same_day = batch(every_night, 0);
    let found = starts_of_business_date(&same_day, &calendars, BusinessDate(date(2027, 1, 4)));
    assert_eq!(found[0].at, at("2027-01-04T00:30+08"));
    assert_eq!(found.len(), 1);
    let error = business_date(&eod.business_date, None, date(2026, 10, 9), &calendars).unwrap_err();
    assert_eq!(error, NoBusinessDate::NoCalendar);
}

#[test]
fn missed_starts_are_made_up_for_as_the_schedule_says() {
    let hourly = cron("0 * * * *", "UTC");
    let now = at("2026-10-30T06:10Z");
    let found = || starts(&hourly, &Calendars::default(), None, at("2026-10-30T00:00Z"), now);
    assert_eq!(found().len(), 6);
    let limit: Span = "3h".parse().unwrap();
    let hours = |made: &[Start]| made.iter().map(|start| start.civil.hour()).collect::<Vec<_>>();
    for (policy, expected) in [
        (Missed::None, vec![]),
        (Missed::Latest { limit }, vec![6]),
        (Missed::Latest { limit: Span::seconds(60) }, vec![]),
        (Missed::All { limit }, vec![4, 5, 6]),
    ] {
        let made = missed(&policy, found(), now);
        assert_eq!(hours(&made.run), expected, "{policy:?}");
        assert_eq!(made.dropped.len(), 6 - expected.len(), "every other one is named");
    }
    let made = missed(&Missed::All { limit }, found(), now);
    assert_eq!(made.dropped[0].1, MissedWhy::TooLate { limit: Span::seconds(3 * 3_600) });
    assert_eq!(missed(&Missed::All { limit }, Vec::new(), now), CatchUp::default());
}

/// Expressions that mean the same to both.
fn expressions() -> BoxedStrategy<String> {
    let field = |low: u32, high: u32| {
        prop_oneof![
            Just("*".to_owned()),
            (low..=high).prop_map(|n| n.to_string()),
            (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            (2_u32..12).prop_map(|step| format!("*/{step}")),
            prop::collection::vec(low..=high, 1..4).prop_map(|list| list
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(",")),
        ]
    };
    let weekday = prop::sample::select(vec!["*", "MON-FRI", "SAT", "SUN", "TUE,THU", "WED-SAT"]);
    // croner takes day or weekday where both are given; so only one of them is.
    let day = prop_oneof![
        field(1, 31).prop_map(|day| (day, "*")),
        weekday.prop_map(|weekday| ("*".to_owned(), weekday)),
    ];
    (field(0, 59), field(0, 23), day, field(1, 12))
        .prop_map(|(minute, hour, (day, weekday), month)| {
            format!("{minute} {hour} {day} {month} {weekday}")
        })
        .boxed()
}

fn croner(text: &str, from: &jiff::Zoned, count: usize) -> Vec<Timestamp> {
    let oracle: croner::Cron = text.parse().unwrap();
    oracle.iter_after(from.clone()).take(count).map(|zoned| zoned.timestamp()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn starts_agree_with_croner_in_utc(text in expressions(), day in 0_i32..3650, second in 0_i32..86_400) {
        let from = plus(date(2020, 1, 1), day).at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap()
            + SignedDuration::from_secs(second.into());
        let to = &from + SignedDuration::from_hours(24 * 40);
        let ours: Vec<Timestamp> =
            starts(&cron(&text, "UTC"), &Calendars::default(), None, from.timestamp(), to.timestamp())
                .into_iter().map(|start| start.at).take(100).collect();
        let oracle: Vec<Timestamp> = croner(&text, &from, 100)
            .into_iter().filter(|at| *at <= to.timestamp()).collect();
        prop_assert_eq!(ours, oracle, "{}", text);
    }

    /// Away from the nights in which the clock is changed, zones differ by their offset only.
    #[test]
    fn starts_agree_with_croner_in_zones(text in expressions(), winter in any::<bool>(),
        zone in prop::sample::select(vec!["America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"])) {
        let first = if winter { date(2026, 12, 1) } else { date(2026, 6, 1) };
        let from = first.in_tz(zone).unwrap();
        let to = &from + SignedDuration::from_hours(24 * 40);
        let ours: Vec<Timestamp> =
            starts(&cron(&text, zone), &Calendars::default(), None, from.timestamp(), to.timestamp())
                .into_iter().map(|start| start.at).take(60).collect();
        let oracle: Vec<Timestamp> = croner(&text, &from, 60)
            .into_iter().filter(|at| *at <= to.timestamp()).collect();
        prop_assert_eq!(ours, oracle, "{}", text);
    }

    /// Whatever the clock does, and wherever the question is cut.
    #[test]
    fn starts_rise_and_do_not_depend_on_where_the_question_is_cut(
        text in expressions(),
        zone in prop::sample::select(vec![
            ("America/New_York", "2026-03-06T00:00Z"), ("America/New_York", "2026-10-30T00:00Z"),
            ("Australia/Lord_Howe", "2026-10-02T00:00Z"), ("Australia/Lord_Howe", "2026-04-03T00:00Z"),
            ("America/Sao_Paulo", "2018-11-02T00:00Z"), ("America/Sao_Paulo", "2018-02-16T00:00Z"),
            ("Asia/Shanghai", "1986-05-02T00:00Z"), ("Asia/Shanghai", "1986-09-12T00:00Z"),
            ("Pacific/Apia", "2011-12-28T00:00Z"),
        ]),
        cut in 0_i64..5 * 86_400,
        gap in prop::sample::select(vec![GapPolicy::Shift, GapPolicy::Skip]),
        fold in prop::sample::select(vec![FoldPolicy::First, FoldPolicy::Second, FoldPolicy::Both]),
    ) {
        let schedule = Schedule { gap, fold, ..cron(&text, zone.0) };
        let from = at(zone.1);
        let to = later(from, SignedDuration::from_hours(24 * 5));
        let middle = later(from, SignedDuration::from_secs(cut));
        let none = Calendars::default();
        let whole = timetable(&schedule, &none, None, from, to);
        prop_assert!(whole.starts.iter().all(|start| start.at > from && start.at <= to));
        prop_assert!(whole.starts.is_sorted_by(|a, b| a.at < b.at));
        let mut halves = timetable(&schedule, &none, None, from, middle);
        let second = timetable(&schedule, &none, None, middle, to);
        prop_assert_eq!(next(&schedule, &none, None, middle).filter(|s| s.at <= to).map(|s| s.at), second.starts.first().map(|s| s.at));
        halves.starts.extend(second.starts);
        halves.left_out.extend(second.left_out);
        prop_assert_eq!(whole, halves);
    }
}
