//! Each rule of the roster, and the rule sets that are shipped.

use jiff::civil::{date, datetime};

use super::super::roster::tests::{e1, entry, person, site};
use super::super::roster_check::tests::{TODAY, told};
use crate::core::calendar::Calendars;
use crate::core::roster::Roster;
use crate::core::roster_check;
use crate::core::roster_gaps::gaps;
use crate::definition::site::{
    ApprovedRule, CoverRule, DutyDays, LongLeaveRule, Notice, NoticeRule, Person, RestRule,
    RosterRules, Site, Swap, Weight,
};
use crate::definition::source::{SourceFile, SourceTree};
use crate::definition::starter::{self, House};
use crate::types::{Role, Span, Text};

use super::*;

fn name(text: &str) -> ShiftName {
    ShiftName::new(text).unwrap()
}

/// `anna` and `bo` have the days of three weeks, `chen` the nights of the first one, `dora` may approve.
fn bank(rules: RosterRules) -> Site {
    let (first, last) = (date(2026, 10, 26), date(2026, 11, 15));
    let roster = vec![
        entry("day", first, last, &["anna", "bo"]),
        entry("night", first, date(2026, 11, 1), &["chen"]),
    ];
    let mut site = site("Europe/Berlin", &e1(), roster);
    for (id, role) in [("anna", "operator"), ("bo", "operator"), ("dora", "lead")] {
        let person_of = Person {
            name: Text::en(id),
            language: None,
            mail: Some(format!("{id}@bank.example")),
            phone: None,
            webhook: None,
            team: None,
            roles: vec![Role::new(role).unwrap()],
            unix_user: None,
        };
        site.people.insert(person(id), person_of);
    }
    site.duty.pairs = vec![[person("anna"), person("bo")]];
    site.duty.rules = Some(RosterRules { ahead: 1, ..rules });
    site
}

fn notice(weight: Weight) -> Option<NoticeRule> {
    let hours = |hours: u64| Span::seconds(hours * 3_600);
    Some(NoticeRule { one_day: hours(48), longer: hours(30 * 24), weight })
}

fn leave(who: &str, from: Date, to: Date, notice: Notice) -> Leave {
    Leave { person: person(who), from, to, notice }
}

#[test]
fn what_is_announced_too_late_or_not_approved_is_found() {
    let approved = Some(ApprovedRule { role: Role::new("lead").unwrap(), weight: Weight::Defect });
    let mut site = bank(RosterRules {
        swap_notice: notice(Weight::Defect),
        leave_notice: notice(Weight::Warning),
        swap_approval: approved.clone(),
        leave_approval: approved,
        ..RosterRules::default()
    });
    let day = date(2026, 10, 30);
    let swap = |from, to, announced, by: Option<&str>| Swap {
        shift: name("day"),
        from,
        to,
        gives: person("anna"),
        takes: person("eve"),
        notice: Notice { announced, approved_by: by.map(person) },
    };
    let late = "Error Entry(Swap(0)): the swap of shift `day` of 2026-10-30";
    let week = date(2026, 11, 6);
    for (swap, expected) in [
        // 48 hours before 08:30 of the 30th, to the minute; the clocks were set back days before.
        (swap(day, day, Some(datetime(2026, 10, 28, 8, 30, 0, 0)), Some("dora")), vec![]),
        (
            swap(day, day, Some(datetime(2026, 10, 28, 8, 31, 0, 0)), Some("dora")),
            vec![format!("{late} was announced 1d23h59m ahead, and 2d are asked for")],
        ),
        (
            swap(day, day, Some(datetime(2026, 10, 30, 9, 0, 0, 0)), Some("dora")),
            vec![format!("{late} was announced after it began")],
        ),
        (
            swap(day, day, None, None),
            vec![
                format!("{late} does not say when it was announced"),
                format!("{late} is not approved"),
            ],
        ),
        (
            swap(day, day, Some(datetime(2026, 10, 1, 0, 0, 0, 0)), Some("bo")),
            vec![format!("{late} is approved by bo, who has not the role `lead`")],
        ),
        (
            swap(day, day, Some(datetime(2026, 10, 1, 0, 0, 0, 0)), Some("anna")),
            vec![format!("{late} is approved by anna, whose own it is")],
        ),
        // More than one day takes a month.
        (
            swap(day, week, Some(datetime(2026, 10, 20, 8, 30, 0, 0)), Some("dora")),
            vec![format!("{late} was announced 10d1h ahead, and 30d are asked for")],
        ),
        (swap(day, week, Some(datetime(2026, 9, 30, 9, 30, 0, 0)), Some("dora")), vec![]),
    ] {
        site.duty.swaps = vec![swap];
        assert_eq!(told(&site), expected);
    }
    site.duty.swaps.clear();
    let known = Notice {
        announced: Some(datetime(2026, 10, 28, 12, 0, 0, 0)),
        approved_by: Some(person("dora")),
    };
    site.duty.leave =
        vec![leave("bo", day, day, known), leave("bo", TODAY, TODAY, Notice::default())];
    assert_eq!(
        told(&site),
        [
            "Warning Entry(Leave(0)): the leave of bo from 2026-10-30 was announced 1d12h ahead, and 2d are asked for",
            "Warning Entry(Leave(1)): the leave of bo from 2026-10-20 does not say when it was announced",
            "Error Entry(Leave(1)): the leave of bo from 2026-10-20 is not approved",
        ]
    );
    // What is over stays as it was.
    site.duty.leave = vec![leave("bo", plus(TODAY, -3), plus(TODAY, -1), Notice::default())];
    assert_eq!(told(&site), [] as [&str; 0]);
}

#[test]
fn pairs_long_leave_and_rest() {
    let mut site = bank(RosterRules {
        pair_on_leave: Some(Weight::Defect),
        long_leave: Some(LongLeaveRule {
            during: vec![name("night")],
            days: 2,
            weight: Weight::Warning,
        }),
        rest: vec![RestRule {
            after: name("night"),
            not: vec![name("early"), name("day")],
            weight: Weight::Defect,
        }],
        ..RosterRules::default()
    });
    let (day, none) = (date(2026, 10, 28), Notice::default);
    site.duty.leave = vec![
        leave("anna", day, plus(day, 4), none()),
        leave("bo", plus(day, 4), plus(day, 9), none()),
        leave("bo", plus(day, 10), plus(day, 11), none()),
        leave("chen", day, plus(day, 1), none()),
        leave("chen", plus(day, 2), plus(day, 6), none()),
        leave("chen", plus(day, 10), plus(day, 16), none()),
    ];
    assert_eq!(
        told(&site),
        [
            "Warning Entry(Leave(4)): chen is away for 5 days and planned for shift `night` of 2026-10-30",
            "Error Entry(Leave(1)): anna and bo stand in for each other, and both are away on 2026-11-01",
        ]
    );
    site.duty.leave.clear();
    // An early shift that overlaps the night is told once, as the rule says; the day after the nights too.
    site.duty.roster.push(entry("early", day, day, &["chen"]));
    site.duty.roster.push(entry("day", date(2026, 11, 2), date(2026, 11, 3), &["chen"]));
    let broken = [
        "Error Entry(Assignment(2)): chen has shift `night` of 2026-10-27 and `early` on the date after it",
        "Error Entry(Assignment(3)): chen has shift `night` of 2026-11-01 and `day` on the date after it",
    ];
    assert_eq!(told(&site), broken);
    // What the site takes for a warning is in two places at once all the same.
    let rules = site.duty.rules.as_mut().unwrap();
    rules.rest[0].weight = Weight::Warning;
    let both = told(&site);
    let clash = "Error Entry(Assignment(2)): chen has two shifts at once: night of 2026-10-27 and early of 2026-10-28";
    assert_eq!(both[0], clash);
    assert_eq!(both[1..], broken.map(|broken| broken.replace("Error", "Warning")));
}

#[test]
fn shifts_that_need_people_and_hours_without_anybody() {
    let cover = |shift: &str, people, days| CoverRule {
        shift: name(shift),
        people,
        days,
        weight: Weight::Warning,
    };
    let mut site = bank(RosterRules {
        cover: vec![
            cover("night", 1, DutyDays::Every),
            cover("day", 2, DutyDays::Business),
            cover("early", 1, DutyDays::Off),
        ],
        ..RosterRules::default()
    });
    // As far as the roster of a shift is made, and from then on as far as the rules look ahead.
    site.duty.leave = vec![leave("bo", date(2026, 10, 29), date(2026, 11, 2), Notice::default())];
    let before: Vec<String> = told(&site);
    assert_eq!(
        before,
        [
            "Warning Gap(Cover(0)): shift `night` needs 1 person and has 0 from 2026-10-20 to 2026-10-25",
            "Warning Gap(Cover(1)): shift `day` needs 2 people and has 0 from 2026-10-20 to 2026-10-23",
            // The weekend between needs nobody.
            "Warning Gap(Cover(1)): shift `day` needs 2 people and has 1 from 2026-10-29 to 2026-11-02",
        ]
    );
    let rules = site.duty.rules.as_mut().unwrap();
    rules.ahead = 31;
    let ahead = told(&site);
    assert!(ahead.contains(&"Warning Gap(Cover(0)): shift `night` needs 1 person and has 0 from 2026-11-02 to 2026-11-19".to_owned()), "{ahead:?}");
    assert!(ahead.contains(&"Warning Gap(Cover(2)): shift `early` needs 1 person and has 0 from 2026-10-24 to 2026-11-15".to_owned()), "{ahead:?}");
    // Nobody at all: between day and night, and where neither is.
    let rules = site.duty.rules.as_mut().unwrap();
    (rules.cover, rules.around_the_clock) = (Vec::new(), Some(Weight::Defect));
    let calendars = Calendars::new(&site.calendars);
    let roster = Roster::new(&site, &calendars);
    let found = gaps(&site, &roster, date(2026, 10, 30), date(2026, 11, 1)).gaps;
    let zone = site.zone.tz();
    let times: Vec<String> = found
        .iter()
        .map(|gap| {
            let at = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%d %H:%M").to_string();
            format!("{}-{}", at(gap.from), at(gap.to))
        })
        .collect();
    // On days off the night begins at 17:30, where the day ends.
    assert_eq!(times, ["30 17:30-30 21:30"]);
}

#[test]
fn the_shipped_rules_hold_for_the_rosters_beside_them_all_year() {
    for house in [House::H, House::C] {
        let mut tree = SourceTree::default();
        for (path, text) in starter::FILES.iter().copied().chain(house.roster_rules()) {
            tree.insert(path, SourceFile::Content(text.as_bytes().to_vec()));
        }
        let site = crate::definition::load(&tree).site.unwrap();
        let calendars = Calendars::new(&site.calendars);
        for today in [date(2026, 11, 2), date(2026, 12, 31), date(2027, 3, 3)] {
            assert_eq!(roster_check::check(&site, &calendars, today), [], "{house:?} {today}");
        }
        let roster = Roster::new(&site, &calendars);
        let found = gaps(&site, &roster, date(2026, 11, 2), date(2027, 11, 2));
        assert_eq!(found.gaps, [], "{house:?}");
    }
}
