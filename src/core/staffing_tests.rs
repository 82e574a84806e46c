//! Turns of rotations, and the order in which leave, swaps and overrides count.

use jiff::civil::date;

use super::super::roster::Roster;
use super::super::roster::tests::{e1, entry, on, person, site};
use super::*;
use crate::core::calendar::plus;
use crate::definition::site::{Leave, Override, Site, Swap};

const MONDAY: Date = date(2026, 11, 2);

fn name(text: &str) -> ShiftName {
    ShiftName::new(text).unwrap()
}

fn rotation(every: TurnLength, days: DutyDays, groups: &[&[&str]]) -> Rotation {
    let group = |people: &&[&str]| people.iter().map(|who| person(who)).collect();
    Rotation {
        shift: name("day"),
        from: MONDAY,
        to: None,
        every,
        days,
        skip: Vec::new(),
        groups: groups.iter().map(group).collect(),
    }
}

fn leave(who: &str, from: i32, to: i32) -> Leave {
    let (from, to) = (plus(MONDAY, from), plus(MONDAY, to));
    Leave { person: person(who), from, to, notice: Default::default() }
}

fn swap(from: i32, to: i32, gives: &str, takes: &str) -> Swap {
    Swap {
        shift: name("day"),
        from: plus(MONDAY, from),
        to: plus(MONDAY, to),
        gives: person(gives),
        takes: person(takes),
        notice: Default::default(),
    }
}

fn with(rotations: Vec<Rotation>) -> Site {
    let mut site = site("Asia/Shanghai", &e1(), Vec::new());
    site.duty.rotations = rotations;
    site
}

/// Who has the day shift, date by date: `-` nobody, `a<b` a for b on leave, `a/b` a by a swap with b, `a!` by override.
fn days(site: &Site, count: i32) -> String {
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(site, &calendars);
    let of_day = |day| {
        let staff = roster.staff(&name("day"), plus(MONDAY, day)).unwrap();
        let words = |holder: &Holder| match &holder.instead {
            None => holder.person.to_string(),
            Some(Instead::Deputy(of)) => format!("{}<{of}", holder.person),
            Some(Instead::Swap(of)) => format!("{}/{of}", holder.person),
            Some(Instead::Override) => format!("{}!", holder.person),
        };
        let words: Vec<String> = staff.holders.iter().map(words).collect();
        if words.is_empty() { "-".to_owned() } else { words.join("+") }
    };
    (0..count).map(of_day).collect::<Vec<_>>().join(" ")
}

#[test]
fn turns_follow_each_other() {
    let weekdays = DutyDays::Weekdays([true, true, true, true, true, false, false]);
    let three: &[&[&str]] = &[&["a"], &["b"], &["c"]];
    for (every, of, groups, expected) in [
        (TurnLength::Days(1), DutyDays::Every, three, "a b c a b c a b c a"),
        (TurnLength::Days(2), DutyDays::Every, three, "a a b b c c a a b b"),
        // A turn is of days that the rotation has: nobody's turn is lost to a weekend.
        (TurnLength::Days(1), weekdays, three, "a b c a b - - c a b"),
        (TurnLength::Days(1), DutyDays::Business, three, "a b c a b - - c a b"),
        (TurnLength::Days(1), DutyDays::Off, three, "- - - - - a b - - -"),
        (TurnLength::Weeks(1), weekdays, three, "a a a a a - - b b b"),
        (TurnLength::Weeks(1), DutyDays::Off, &[&["a"], &["b", "c"]], "- - - - - a a - - -"),
        (
            TurnLength::Weeks(1),
            DutyDays::Every,
            &[&["b", "c"]],
            "b+c b+c b+c b+c b+c b+c b+c b+c b+c b+c",
        ),
    ] {
        assert_eq!(
            days(&with(vec![rotation(every, of, groups)]), 10),
            expected,
            "{every:?} {of:?}"
        );
    }
    // A date that is left out moves nobody's turn, and nobody has a turn before or after.
    let mut short = rotation(TurnLength::Days(1), DutyDays::Every, three);
    (short.from, short.to) = (plus(MONDAY, 1), Some(plus(MONDAY, 5)));
    short.skip = vec![plus(MONDAY, 3)];
    assert_eq!(days(&with(vec![short]), 8), "- a b - a b - -");
}

#[test]
fn leave_then_swaps_then_overrides() {
    let weekly = || rotation(TurnLength::Weeks(1), DutyDays::Every, &[&["a"]]);
    let mut site = with(vec![weekly()]);
    site.duty.pairs = vec![[person("a"), person("b")], [person("c"), person("a")]];
    // The deputy of the first pair, of the next one where he is away too, then nobody.
    site.duty.leave = vec![leave("a", 0, 3), leave("b", 2, 3), leave("c", 3, 3)];
    assert_eq!(days(&site, 5), "b<a b<a c<a - a");
    // A swap counts whoever stands in, and fills a place that nobody has.
    site.duty.swaps = vec![swap(1, 1, "a", "x"), swap(3, 4, "a", "y"), swap(4, 4, "y", "z")];
    assert_eq!(days(&site, 5), "b<a x/a c<a y/a z/y");
    // What was swapped and swapped back is as planned; who has not the shift moves nobody.
    site.duty.swaps.extend([swap(4, 4, "z", "a"), swap(0, 0, "q", "y")]);
    assert_eq!(days(&site, 5), "b<a x/a c<a y/a a");
    let set = |day, people: &[&str]| Override {
        shift: name("day"),
        date: plus(MONDAY, day),
        people: people.iter().map(|who| person(who)).collect(),
        reason: "ill".to_owned(),
        by: person("lead"),
    };
    site.duty.overrides = vec![set(0, &["o", "a"]), set(4, &["o"]), set(6, &["o"])];
    assert_eq!(days(&site, 7), "o!+a x/a c<a y/a o! a o!");
    let calendars = Calendars::new(&site.calendars);
    let staff =
        |day| Roster::new(&site, &calendars).staff(&name("day"), plus(MONDAY, day)).unwrap();
    assert_eq!(staff(0).left, BTreeSet::new());
    assert_eq!(staff(1).left, BTreeSet::from([person("a")]));
    assert_eq!((staff(0).idle, staff(4).idle), (vec![4], Vec::new()));
}

#[test]
fn two_of_a_pair_on_one_shift_do_not_stand_in_for_each_other() {
    let mut site = with(vec![rotation(TurnLength::Weeks(1), DutyDays::Every, &[&["a", "b"]])]);
    site.duty.pairs = vec![[person("a"), person("b")]];
    site.duty.leave = vec![leave("a", 0, 0), leave("b", 1, 1)];
    assert_eq!(days(&site, 3), "b a a+b");
    let calendars = Calendars::new(&site.calendars);
    let staff = Roster::new(&site, &calendars).staff(&name("day"), MONDAY).unwrap();
    assert_eq!((staff.empty, staff.left), (vec![person("a")], BTreeSet::from([person("a")])));
}

#[test]
fn what_stands_in_the_roster_by_date_and_in_turn_is_one_shift() {
    let mut site = with(vec![rotation(TurnLength::Weeks(1), DutyDays::Every, &[&["a", "b"]])]);
    site.duty.roster = vec![entry("day", MONDAY, MONDAY, &["b", "c"])];
    assert_eq!(days(&site, 2), "b+c+a a+b");
    assert_eq!(on(&site, "2026-11-02T12:00"), ["day 2026-11-02 b+c+a"]);
    // A night of leave belongs to the date on which it begins.
    let mut night = rotation(TurnLength::Weeks(1), DutyDays::Every, &[&["a"]]);
    night.shift = name("night");
    let mut site = with(vec![night]);
    site.duty.leave = vec![leave("a", 2, 2)];
    assert_eq!(on(&site, "2026-11-04T03:00"), ["night 2026-11-03 a"]);
    assert_eq!(on(&site, "2026-11-05T03:00"), [] as [&str; 0]);
}
