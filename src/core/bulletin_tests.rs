//! When bulletins come, as tables with given times.

use jiff::civil::DateTime;

use super::*;
use crate::core::test_site;
use crate::definition::site::BulletinRules;
use crate::definition::site::Person;
use crate::types::{Role, Text, Zone};

const ZONE: &str = "Europe/Berlin";

fn house(at: &[&str], to: &[&str]) -> Site {
    let mut site = test_site::site(Vec::new());
    site.zone = Zone::named(ZONE).unwrap();
    for (id, role, mail) in [("li", "duty", true), ("anna", "report", true), ("bo", "duty", false)]
    {
        let who = Person {
            name: Text::en(id),
            language: None,
            mail: mail.then(|| format!("{id}@bank.example")),
            phone: None,
            webhook: None,
            team: None,
            roles: vec![Role::new(role).unwrap()],
            unix_user: None,
        };
        site.people.insert(PersonId::new(id).unwrap(), who);
    }
    let at = at.iter().map(|time| time.parse().unwrap()).collect();
    let to = to.iter().map(|role| Role::new(role).unwrap()).collect();
    site.duty.bulletin = Some(BulletinRules { at, to });
    site
}

fn local(text: &str) -> Timestamp {
    text.parse::<DateTime>().unwrap().in_tz(ZONE).unwrap().timestamp()
}

fn written(at: Timestamp) -> String {
    at.to_zoned(Zone::named(ZONE).unwrap().tz().clone()).strftime("%m-%dT%H:%M").to_string()
}

/// A supervisor begins, and looks at each of these times; what it tells: of which slot, from when until when.
fn told(site: &Site, served: &str, looks: &[&str]) -> Vec<String> {
    let mut last: Option<Bulletin> = None;
    let mut told = Vec::new();
    for look in [served].iter().chain(looks) {
        while let Some(bulletin) = due(site, last.as_ref(), local(look)) {
            let (slot, from, to) =
                (written(bulletin.slot), written(bulletin.from), written(bulletin.to));
            if bulletin.from < bulletin.to {
                told.push(format!("{slot}: {from} - {to}"));
            }
            last = Some(bulletin);
        }
    }
    told
}

#[test]
fn each_time_has_one_and_what_nobody_told_comes_with_the_next() {
    type Words = &'static [&'static str];
    let table: [(Words, &str, Words, Words); 7] = [
        (
            &["17:00"],
            "2026-06-10T16:00",
            &["2026-06-10T16:59", "2026-06-10T17:00", "2026-06-10T17:00", "2026-06-11T17:00"],
            &["06-10T17:00: 06-09T17:00 - 06-10T17:00", "06-11T17:00: 06-10T17:00 - 06-11T17:00"],
        ),
        // Whoever begins after the time is not late for it.
        (&["17:00"], "2026-06-10T17:01", &["2026-06-10T17:01", "2026-06-11T16:59"], &[]),
        // Late, and with the time that it really tells of.
        (
            &["17:00"],
            "2026-06-10T16:00",
            &["2026-06-10T18:30", "2026-06-11T17:00"],
            &["06-10T17:00: 06-09T17:00 - 06-10T18:30", "06-11T17:00: 06-10T18:30 - 06-11T17:00"],
        ),
        // Three days without anybody: one of them all.
        (
            &["07:30", "17:00"],
            "2026-06-10T16:00",
            &["2026-06-10T17:00", "2026-06-13T12:00", "2026-06-13T17:00"],
            &[
                "06-10T17:00: 06-10T07:30 - 06-10T17:00",
                "06-13T07:30: 06-10T17:00 - 06-13T12:00",
                "06-13T17:00: 06-13T12:00 - 06-13T17:00",
            ],
        ),
        // A clock that is set back tells nothing twice.
        (
            &["17:00"],
            "2026-06-10T16:00",
            &["2026-06-10T17:00", "2026-06-10T16:30", "2026-06-10T17:10"],
            &["06-10T17:00: 06-09T17:00 - 06-10T17:00"],
        ),
        // One that was a month ahead, and told by that, puts nothing off.
        (
            &["17:00"],
            "2026-06-10T16:00",
            &["2026-07-10T17:00", "2026-06-10T18:00", "2026-06-11T16:59", "2026-06-11T17:00"],
            &["07-10T17:00: 06-09T17:00 - 07-10T17:00", "06-11T17:00: 06-10T17:00 - 06-11T17:00"],
        ),
        // Half past two is left out in March: it is told at the jump, once.
        (
            &["02:30"],
            "2026-03-28T12:00",
            &["2026-03-29T01:59", "2026-03-29T03:00", "2026-03-29T04:00", "2026-03-30T02:30"],
            &["03-29T03:00: 03-28T02:30 - 03-29T03:00", "03-30T02:30: 03-29T03:00 - 03-30T02:30"],
        ),
    ];
    for (at, served, looks, expected) in table {
        assert_eq!(told(&house(at, &[]), served, looks), expected, "{at:?} {looks:?}");
    }
}

#[test]
fn whoever_has_a_role_and_an_address_gets_it_and_everybody_where_none_is_named() {
    let people = |to: &[&str]| {
        let site = house(&["17:00"], to);
        let none = due(&site, None, local("2026-06-10T16:00")).unwrap();
        assert!(none.people.is_empty(), "there is nothing to tell of yet");
        let due = due(&site, Some(&none), local("2026-06-10T17:00")).unwrap();
        due.people.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(people(&[]), ["anna", "li"]);
    assert_eq!(people(&["duty"]), ["li"]);
    let mut site = house(&["17:00"], &["duty"]);
    let bo = site.people.get_mut(&PersonId::new("bo").unwrap()).unwrap();
    bo.webhook = Some("bo-phone".parse().unwrap());
    let none = due(&site, None, local("2026-06-10T16:00")).unwrap();
    let people = due(&site, Some(&none), local("2026-06-10T17:00")).unwrap().people;
    assert_eq!(people.len(), 2, "a webhook is an address too: {people:?}");
}

#[test]
fn a_day_is_what_its_bulletins_tell_of() {
    let site = house(&["07:30", "17:00"], &[]);
    let (from, to) = of_day(&site, jiff::civil::date(2026, 6, 10)).unwrap();
    assert_eq!((written(from), written(to)), ("06-09T17:00".into(), "06-10T17:00".into()));
    assert_eq!(of_day(&test_site::site(Vec::new()), jiff::civil::date(2026, 6, 10)), None);
    assert_eq!(written(since(&site, None, local("2026-06-10T12:00"))), "06-10T07:30");
}
