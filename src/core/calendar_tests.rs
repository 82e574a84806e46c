use jiff::civil::{date, time};
use proptest::prelude::*;

use super::*;
use crate::types::Text;

pub(crate) const MON_FRI: [bool; 7] = [true, true, true, true, true, false, false];

pub(crate) fn named(name: &str) -> CalendarName {
    CalendarName::new(name).unwrap()
}

pub(crate) fn listed(
    first: Date,
    last: Date,
    exceptions: &[(Date, ExceptionKind, &str)],
) -> Calendar {
    let exceptions = exceptions
        .iter()
        .map(|(date, kind, name)| (*date, Exception { kind: *kind, name: (*name).to_owned() }))
        .collect();
    Calendar {
        title: Text::default(),
        first,
        last,
        rule: CalendarRule::Listed { weekly: MON_FRI, exceptions },
    }
}

fn derived(rule: CalendarRule) -> Calendar {
    // What the file of a derived calendar covers follows from its operands, whatever stands here.
    Calendar { title: Text::default(), first: Date::MIN, last: Date::MAX, rule }
}

/// Excerpts of 2026: the chinesecalendar and exchange_calendars data (China, Hong Kong), and the TARGET closing days.
pub(crate) fn real() -> Calendars {
    use ExceptionKind::{EarlyClose, Holiday, Workday};
    let cn = [
        (date(2026, 9, 20), Workday, "National Day"),
        (date(2026, 9, 25), Holiday, "Mid-autumn Festival"),
        (date(2026, 9, 26), Holiday, "Mid-autumn Festival"),
        (date(2026, 9, 27), Holiday, "Mid-autumn Festival"),
        (date(2026, 10, 1), Holiday, "National Day"),
        (date(2026, 10, 2), Holiday, "National Day"),
        (date(2026, 10, 3), Holiday, "National Day"),
        (date(2026, 10, 4), Holiday, "National Day"),
        (date(2026, 10, 5), Holiday, "National Day"),
        (date(2026, 10, 6), Holiday, "National Day"),
        (date(2026, 10, 7), Holiday, "National Day"),
        (date(2026, 10, 10), Workday, "National Day"),
    ];
    let hk = [
        (date(2026, 10, 1), Holiday, "National Day"),
        (date(2026, 10, 19), Holiday, "Chung Yeung Festival"),
        (date(2026, 12, 24), EarlyClose { at: time(4, 0, 0, 0) }, "Christmas Eve"),
        (date(2026, 12, 25), Holiday, "Christmas Day"),
        (date(2026, 12, 31), EarlyClose { at: time(4, 0, 0, 0) }, "New Year's Eve"),
    ];
    let target = [
        (date(2026, 1, 1), Holiday, "New Year's Day"),
        (date(2026, 4, 3), Holiday, "Good Friday"),
        (date(2026, 4, 6), Holiday, "Easter Monday"),
        (date(2026, 5, 1), Holiday, "Labour Day"),
        (date(2026, 12, 25), Holiday, "Christmas Day"),
    ];
    Calendars::new(&BTreeMap::from([
        (named("cn"), listed(date(2026, 9, 1), date(2026, 12, 31), &cn)),
        (named("hk"), listed(date(2026, 7, 1), date(2027, 6, 30), &hk)),
        (named("target"), listed(date(2025, 1, 1), date(2026, 12, 31), &target)),
        (named("both"), derived(CalendarRule::AllOf(vec![named("cn"), named("hk")]))),
        (named("either"), derived(CalendarRule::AnyOf(vec![named("cn"), named("hk")]))),
        (named("settled"), derived(CalendarRule::Shift { of: named("cn"), days: 1 })),
        (named("lost"), derived(CalendarRule::AllOf(vec![named("cn"), named("nowhere")]))),
        (named("loop-a"), derived(CalendarRule::Shift { of: named("loop-b"), days: 1 })),
        (named("loop-b"), derived(CalendarRule::Shift { of: named("loop-a"), days: 1 })),
    ]))
}

fn off(reason: &str) -> Day {
    Day::Off { reason: reason.to_owned() }
}

fn open(name: Option<&str>) -> Day {
    Day::Business { early_close: None, name: name.map(str::to_owned) }
}

#[test]
fn a_day_is_what_its_calendar_says_of_it() {
    let calendars = real();
    let day = |name: &str, on: Date| calendars.day(&named(name), on);
    let range = Day::Unknown { first: date(2026, 9, 1), last: date(2026, 12, 31) };
    assert_eq!(day("cn", date(2026, 10, 9)), open(None));
    assert_eq!(day("cn", date(2026, 10, 10)), open(Some("National Day")), "a Saturday made up");
    assert_eq!(day("cn", date(2026, 10, 1)), off("National Day"));
    assert_eq!(day("cn", date(2026, 10, 17)), off("Saturday"));
    assert_eq!(day("cn", date(2026, 8, 31)), range);
    assert_eq!(day("cn", date(2027, 1, 1)), range);
    let eve = Day::Business {
        early_close: Some(time(4, 0, 0, 0)),
        name: Some("Christmas Eve".to_owned()),
    };
    assert_eq!(day("hk", date(2026, 12, 24)), eve);
}

#[test]
fn a_derived_calendar_follows_its_operands_and_knows_what_all_of_them_know() {
    let calendars = real();
    let day = |name: &str, on: Date| calendars.day(&named(name), on);
    for name in ["both", "either"] {
        let range = calendars.range(&named(name));
        assert_eq!(range, Some((date(2026, 9, 1), date(2026, 12, 31))), "{name}");
    }
    assert_eq!(day("both", date(2026, 10, 6)), off("National Day (cn)"));
    assert_eq!(day("both", date(2026, 10, 19)), off("Chung Yeung Festival (hk)"));
    assert_eq!(day("both", date(2026, 10, 10)), off("Saturday"), "only China makes it up");
    assert_eq!(day("either", date(2026, 10, 10)), open(Some("National Day")));
    assert_eq!(day("either", date(2026, 10, 6)), open(None));
    assert_eq!(day("either", date(2026, 10, 1)), off("National Day"));
    // China is open late on the day of Hong Kong's early close.
    assert_eq!(day("either", date(2026, 12, 24)), open(Some("Christmas Eve")));
    let early = Day::Business {
        early_close: Some(time(4, 0, 0, 0)),
        name: Some("Christmas Eve".to_owned()),
    };
    assert_eq!(day("both", date(2026, 12, 24)), early);
    assert_eq!(calendars.range(&named("settled")), Some((date(2026, 9, 2), date(2027, 1, 1))));
    assert_eq!(
        day("settled", date(2026, 10, 11)),
        open(None),
        "a Sunday, after the made-up Saturday"
    );
    assert_eq!(day("settled", date(2026, 10, 8)), off("1 day after National Day"));
    assert_eq!(day("settled", date(2026, 10, 19)), off("1 day after Sunday"));
    for name in ["lost", "loop-a", "loop-b", "nowhere"] {
        assert_eq!(calendars.range(&named(name)), None, "{name}");
        assert!(matches!(day(name, date(2026, 10, 9)), Day::Unknown { .. }), "{name}");
        let error = calendars.add(&named(name), date(2026, 10, 9), 1).unwrap_err();
        assert!(error.to_string().contains("covers no day"), "{error}");
    }
}

#[test]
fn business_days_are_counted_over_holidays_and_never_beyond_the_data() {
    let calendars = real();
    let add = |name: &str, on, n| calendars.add(&named(name), on, n);
    assert_eq!(add("cn", date(2026, 9, 30), 1), Ok(date(2026, 10, 8)));
    assert_eq!(add("cn", date(2026, 10, 8), -1), Ok(date(2026, 9, 30)));
    assert_eq!(add("cn", date(2026, 10, 4), 0), Ok(date(2026, 10, 4)), "unchanged");
    assert_eq!(add("cn", date(2026, 10, 4), 1), Ok(date(2026, 10, 8)));
    assert_eq!(add("cn", date(2026, 10, 4), -1), Ok(date(2026, 9, 30)));
    assert_eq!(add("cn", date(2026, 10, 8), 3), Ok(date(2026, 10, 12)), "the 10th is made up");
    assert_eq!(add("target", date(2026, 12, 24), 1), Ok(date(2026, 12, 28)));
    assert_eq!(
        add("cn", date(2027, 1, 1), -1),
        Ok(date(2026, 12, 31)),
        "the day itself may be unknown"
    );
    let error = add("cn", date(2026, 12, 31), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "calendar `cn` has no data for 2027-01-01 (it covers 2026-09-01 to 2026-12-31): bring its file up to date"
    );
    assert_eq!(add("cn", date(2026, 9, 2), -2).unwrap_err().date, date(2026, 8, 31));
    assert!(add("cn", date(2027, 1, 2), -1).is_err());
    assert!(add("cn", date(2026, 10, 8), i32::MAX).is_err());
    assert!(add("cn", date(2026, 10, 8), i32::MIN).is_err());
}

#[test]
fn the_end_of_the_data_is_spoken_of_thirty_days_before() {
    let calendars = real();
    let left = |today| calendars.ends_soon(&named("cn"), today);
    assert_eq!(left(date(2026, 11, 30)), None);
    assert_eq!(left(date(2026, 12, 1)), Some(30));
    assert_eq!(left(date(2026, 12, 31)), Some(0));
    assert_eq!(left(date(2027, 1, 2)), Some(-2));
}

prop_compose! {
    /// A calendar over about a year with holidays and make-up days strewn in.
    pub(crate) fn any_calendar()(
        days in 1_i32..400,
        weekly in prop::array::uniform7(prop::bool::weighted(0.7)),
        odd in prop::collection::vec((0_i32..400, any::<bool>()), 0..40),
    ) -> Calendar {
        let first = date(2026, 1, 1);
        let exceptions = odd
            .into_iter()
            .map(|(at, holiday)| {
                let kind = if holiday { ExceptionKind::Holiday } else { ExceptionKind::Workday };
                (plus(first, at), Exception { kind, name: "odd".to_owned() })
            })
            .collect();
        let rule = CalendarRule::Listed { weekly, exceptions };
        Calendar { title: Text::default(), first, last: plus(first, days), rule }
    }
}

proptest! {
    #[test]
    fn going_and_coming_back_ends_where_it_began(calendar in any_calendar(), at in 0_i32..400, n in -60_i32..60) {
        let calendars = Calendars::new(&BTreeMap::from([(named("c"), calendar)]));
        let from = plus(date(2026, 1, 1), at);
        let Ok(to) = calendars.add(&named("c"), from, n) else { return Ok(()) };
        if calendars.is_business_day(&named("c"), from) == Some(true) {
            prop_assert_eq!(calendars.add(&named("c"), to, -n), Ok(from));
        }
        if n != 0 {
            prop_assert_eq!(calendars.is_business_day(&named("c"), to), Some(true));
        }
    }

    #[test]
    fn adding_is_walking_day_by_day(calendar in any_calendar(), at in -5_i32..405, n in -60_i32..60) {
        let calendars = Calendars::new(&BTreeMap::from([(named("c"), calendar)]));
        let from = plus(date(2026, 1, 1), at);
        let mut walked = Some(from);
        for _ in 0..n.abs() {
            while let Some(day) = walked {
                let day = plus(day, n.signum());
                match calendars.day(&named("c"), day) {
                    Day::Business { .. } => { walked = Some(day); break }
                    Day::Off { .. } => walked = Some(day),
                    Day::Unknown { .. } => walked = None,
                }
            }
        }
        prop_assert_eq!(calendars.add(&named("c"), from, n).ok(), walked);
    }

    #[test]
    fn origins_are_the_dates_that_lead_there(calendar in any_calendar(), at in -5_i32..405, n in -20_i32..20) {
        let calendars = Calendars::new(&BTreeMap::from([(named("c"), calendar)]));
        let to = plus(date(2026, 1, 1), at);
        let lead: Vec<Date> = (-80..500)
            .map(|at| plus(date(2026, 1, 1), at))
            .filter(|from| calendars.add(&named("c"), *from, n) == Ok(to))
            .collect();
        match calendars.origins(&named("c"), to, n) {
            Ok(Some(origins)) => {
                prop_assert_eq!(lead.first(), Some(&origins.first));
                prop_assert_eq!(lead.last(), Some(&origins.last));
                prop_assert_eq!(lead.len() as i32, days_between(origins.first, origins.last) + 1);
            }
            _ => prop_assert!(lead.is_empty(), "{:?}", lead),
        }
    }
}
