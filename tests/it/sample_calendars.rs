//! The calendars that the sample carries against what else is known of them.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads the carried data"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

fn jobs(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs").join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The rows of a calendar's CSV: date → kind.
fn rows(file: &str) -> BTreeMap<Date, String> {
    let text = jobs(file);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("date,kind,name"), "{file}");
    let mut rows = BTreeMap::new();
    for line in lines {
        let parts: Vec<&str> = line.splitn(3, ',').collect();
        assert_eq!(parts.len(), 3, "{file}: {line}");
        let day: Date = parts[0].parse().unwrap_or_else(|e| panic!("{file}: {line}: {e}"));
        assert!(rows.insert(day, parts[1].to_owned()).is_none(), "{file}: {day} twice");
    }
    rows
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Easter Sunday by the anonymous Gregorian computus.
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let n = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
    Date::new(year, (n / 31) as i8, (n % 31 + 1) as i8).unwrap()
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

#[test]
fn target_is_the_standing_rule_for_2025_to_2027() {
    let mut expected = BTreeSet::new();
    for year in 2025..=2027 {
        let sunday = easter(year);
        expected.extend([
            date(year, 1, 1),
            sunday - 2.days(),
            sunday + 1.day(),
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        ]);
    }
    let carried = rows("calendars/target.csv");
    assert!(carried.values().all(|kind| kind == "holiday"));
    assert_eq!(carried.into_keys().collect::<BTreeSet<_>>(), expected);
    assert!(jobs("calendars/target.yaml").contains("covers: 2025-01-01..2027-12-31"));
}

#[test]
fn the_ecb_published_on_every_target_day_and_on_no_other() {
    let published: BTreeSet<Date> = jobs("eod/data/eurofxref-history.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let closed = rows("calendars/target.csv");
    let (first, last) = (date(2025, 1, 2), date(2026, 10, 30));
    assert_eq!((published.first(), published.last()), (Some(&first), Some(&last)));
    let expected: BTreeSet<Date> =
        days(first, last).filter(|day| is_weekday(*day) && !closed.contains_key(day)).collect();
    assert_eq!(published, expected);
}

#[test]
fn the_sample_night_is_the_last_business_day_of_october() {
    let closed = rows("calendars/target.csv");
    let last = days(date(2026, 10, 1), date(2026, 10, 31))
        .filter(|day| is_weekday(*day) && !closed.contains_key(day))
        .last();
    assert_eq!(last, Some(date(2026, 10, 30)));
}

/// Shanghai trades when China works, except that exchanges do not open on make-up days at weekends: two sources
/// that nobody here wrote must agree on every weekday that both know.
#[test]
fn chinese_holidays_and_shanghai_sessions_agree_on_weekdays() {
    let holidays: BTreeSet<Date> = rows("calendars/cn.csv")
        .into_iter()
        .filter(|(day, kind)| kind == "holiday" && is_weekday(*day) && *day >= date(2025, 1, 2))
        .map(|(day, _)| day)
        .collect();
    let closed: BTreeSet<Date> = rows("calendars/sh.csv").into_keys().collect();
    assert_eq!(closed, holidays);
}

#[test]
fn every_row_lies_within_what_its_calendar_covers() {
    for name in ["target", "cn", "hk", "us", "sg", "sh"] {
        let yaml = jobs(&format!("calendars/{name}.yaml"));
        let covers = yaml.lines().find_map(|line| line.strip_prefix("covers: ")).unwrap();
        let (first, rest) = covers.split_once("..").unwrap();
        let first: Date = first.parse().unwrap();
        let last: Date = rest[..10].parse().unwrap();
        let rows = rows(&format!("calendars/{name}.csv"));
        assert!(!rows.is_empty(), "{name}");
        for (day, kind) in rows {
            assert!((first..=last).contains(&day), "{name}: {day}");
            match kind.strip_prefix("early-close ") {
                Some(at) => {
                    assert!(at.parse::<jiff::civil::Time>().is_ok(), "{name}: {day} {kind}")
                }
                None => assert!(kind == "holiday" || kind == "workday", "{name}: {day} {kind}"),
            }
            // A make-up day on a weekday, or a closed weekend of an exchange, would say nothing.
            assert!(kind != "workday" || !is_weekday(day), "{name}: {day}");
        }
    }
}
