//! People who wrote a change by what git says.

use std::sync::Arc;

use super::house::{House, approve, change, person, review, submit};
use crate::core::change::{ChangeOrder, ChangeStep, Missing};
use crate::core::night::{Core, Event};
use crate::core::refused::Rule;
use crate::definition::starter;
use crate::types::{Named, Now};

/// A change of house H that `helper` has submitted, with what git says of its folder: commit and address.
fn submitted(named: &[(&str, &str)]) -> House {
    let mut house = House::new(starter::House::H, &[("fix", "class: data\ntarget: prod")]);
    house.at("2026-10-27T09:00");
    let mails = [
        ("dba", "D@Bank.example"),
        ("dev", "dev@bank.example"),
        ("shift", "shift@bank.example"),
        ("shift-too", "shift@bank.example"),
    ];
    for (id, mail) in mails {
        house.site.people.get_mut(&person(id)).unwrap().mail = Some(mail.to_owned());
    }
    let named = named
        .iter()
        .map(|(commit, mail)| Named { commit: (*commit).to_owned(), mail: (*mail).to_owned() });
    let order = ChangeOrder {
        change: change("fix"),
        wish: submit(),
        key: None,
        site: Arc::new(house.site.clone()),
        named: named.collect(),
    };
    let mut core = Core::new(1);
    let now = Now { wall: house.at, since_boot: std::time::Duration::from_secs(9) };
    let (by, reason) = (person("helper"), "r".to_owned());
    core.step(now, Event::Change { by, reason, order: Box::new(order) }).unwrap();
    house.lives = core.state().standing.changes.clone();
    house
}

#[test]
fn whoever_git_names_is_an_author_and_nobody_is_one_less() {
    // The address that commits name, who may not review, approve, execute and watch for it.
    let table: [(&str, [bool; 4]); 6] = [
        ("d@bank.example", [true, false, false, false]),
        (" DEV@BANK.EXAMPLE", [false, true, false, false]),
        // Of people who share an address both are meant.
        ("shift@bank.example", [false, false, true, true]),
        ("dba@bank.example", [false; 4]),
        ("d@bank.example.evil", [false; 4]),
        ("", [false; 4]),
    ];
    for (mail, [reviews, approves, executes, watches]) in table {
        let mut house = submitted(&[("c0ffee", mail)]);
        let refused = |is: bool| is.then_some(Rule::OwnWork);
        assert_eq!(house.take("fix", "dba", review()), refused(reviews), "{mail}");
        if reviews {
            house.done("fix", "dba-too", review());
        }
        assert_eq!(house.take("fix", "dev", approve("production")), refused(approves), "{mail}");
        let missing = house.clearance("fix", "production").err().unwrap_or_default();
        let own: Vec<_> = missing
            .iter()
            .filter_map(|missing| match missing {
                Missing::OwnWork { person, .. } => Some(person.as_str()),
                _ => None,
            })
            .collect();
        let expected = [(executes, "shift"), (watches, "shift-too")];
        let expected = expected.into_iter().filter_map(|(is, who)| is.then_some(who));
        assert_eq!(own, expected.collect::<Vec<_>>(), "{mail}");
    }
}

#[test]
fn what_git_says_is_recorded_with_its_newest_commit() {
    let house = submitted(&[
        ("c3", "nobody@elsewhere.example"),
        ("c3", "shift@bank.example"),
        ("c2", "Nobody@elsewhere.example"),
        ("c1", "dev@bank.example"),
    ]);
    let life = house.life("fix");
    let ChangeStep::Submitted { in_git, authors, .. } = &life.steps[0].step else { panic!() };
    let told: Vec<(&str, &str, Option<&str>)> = in_git
        .iter()
        .map(|one| {
            (one.commit.as_str(), one.mail.as_str(), one.person.as_ref().map(|p| p.as_str()))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("c3", "nobody@elsewhere.example", None),
            ("c3", "shift@bank.example", Some("shift")),
            ("c3", "shift@bank.example", Some("shift-too")),
            ("c1", "dev@bank.example", Some("dev")),
        ]
    );
    // What the file says stays what the file says.
    assert_eq!(authors, &[person("author")]);
}
