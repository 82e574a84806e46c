//! What `check` finds in a roster.

use jiff::civil::date;

use super::super::roster::tests::{e1, entry, person, site};
use super::*;
use crate::definition::site::{Person, Swap};
use crate::types::Text;

pub(in crate::core) const TODAY: Date = date(2026, 10, 20);

pub(in crate::core) fn told(site: &Site) -> Vec<String> {
    let calendars = Calendars::new(&site.calendars);
    let words = |found: &RosterFinding| {
        assert!(!found.hint.is_empty());
        format!("{:?} {:?}: {}", found.severity, found.about, found.what)
    };
    check(site, &calendars, TODAY).iter().map(words).collect()
}

#[test]
fn somebody_who_is_in_two_places_at_once_is_found() {
    let day = date(2026, 10, 28);
    let roster = vec![
        entry("day", day, day, &["anna", "bo"]),
        entry("night", day, day, &["anna"]),
        entry("afternoon", day, plus(day, 1), &["bo"]),
        entry("early", day, day, &["li-wei"]),
        entry("day", plus(day, 1), plus(day, 1), &["bo"]),
    ];
    let mut site = site("Europe/Berlin", &e1(), roster);
    assert_eq!(
        told(&site),
        [
            "Error Entry(Assignment(2)): bo has two shifts at once: day of 2026-10-28 and afternoon of 2026-10-28",
            "Error Entry(Assignment(4)): bo has two shifts at once: day of 2026-10-29 and afternoon of 2026-10-29",
        ]
    );
    // Reached by telephone: that may be had beside another shift.
    let afternoon = ShiftName::new("afternoon").unwrap();
    site.duty.shifts.get_mut(&afternoon).unwrap().on_call = true;
    assert_eq!(told(&site), [] as [&str; 0]);
}

#[test]
fn who_is_on_shift_has_an_address_and_who_gives_a_shift_has_it() {
    let (first, last) = (date(2026, 10, 19), date(2026, 10, 25));
    let roster = vec![
        entry("day", first, last, &["anna", "bo", "chen"]),
        // What is over is not looked at.
        entry("night", date(2026, 10, 1), date(2026, 10, 2), &["dora"]),
    ];
    let mut site = site("Europe/Berlin", &e1(), roster);
    let known = |mail: Option<&str>, webhook: Option<&str>| Person {
        name: Text::en("x"),
        language: None,
        mail: mail.map(str::to_owned),
        phone: None,
        webhook: webhook.map(|name| name.parse().unwrap()),
        team: None,
        roles: Vec::new(),
        unix_user: None,
    };
    site.people.insert(person("anna"), known(Some("a@bank.example"), None));
    site.people.insert(person("bo"), known(None, Some("ops")));
    site.people.insert(person("chen"), known(None, None));
    site.people.insert(person("dora"), known(None, None));
    let swap = |day: i8, gives: &str, takes: &str| Swap {
        shift: "day".parse().unwrap(),
        from: date(2026, 10, day),
        to: date(2026, 10, day),
        gives: person(gives),
        takes: person(takes),
        notice: Default::default(),
    };
    site.duty.swaps = vec![swap(21, "dora", "eve"), swap(22, "anna", "bo"), swap(23, "bo", "eve")];
    assert_eq!(
        told(&site),
        [
            "Error Entry(Swap(0)): dora does not have shift `day` of 2026-10-21, or eve has it already: there is nothing to swap",
            "Error Entry(Swap(1)): anna does not have shift `day` of 2026-10-22, or bo has it already: there is nothing to swap",
            "Warning Person(chen): `chen` has shifts, and neither mail nor webhook: nothing calls this person",
        ]
    );
}
