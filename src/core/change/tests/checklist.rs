//! What people confirm: of a request before its scripts, on the day of its window, and after an execution before it is closed.

use std::sync::Arc;

use super::house::{House, approve, change, confirm, person, review, schedule, submit};
use super::night::Night;
use crate::core::change::{ChangeOrder, ChangeRequest, Overdue, Wish};
use crate::core::night::Event;
use crate::core::refused::Rule;
use crate::definition::site::{ChangeClass, ChangeKind};
use crate::definition::starter;
use crate::types::CheckName;
use crate::wire::{ChangeState, Did};

const DATA: &str = "class: data\ntarget: prod";

fn of_request(item: &str) -> Wish {
    Wish::Confirm { environment: None, item: CheckName::new(item).unwrap() }
}

fn asked(class: ChangeClass, branch: Option<&str>) -> Wish {
    let request = ChangeRequest {
        title: "Correct it".into(),
        class,
        kind: ChangeKind::Normal,
        requester: Some(person("asker")),
        team: None,
        ticket: None,
        governance: None,
        branch: branch.map(str::to_owned),
    };
    Wish::Create { request: Box::new(request) }
}

/// House H with the people of a branch and of the head office who see a request first.
fn with_branch() -> House {
    let mut house = House::new(starter::House::H, &[("fix", DATA)]);
    for (who, role) in [
        ("helper", "branch-handler"),
        ("both", "branch-approver"),
        ("dep", "head-office-handler"),
        ("dev-two", "first-approver"),
        ("asker", "first-approver"),
    ] {
        let known = house.site.people.get_mut(&person(who)).unwrap();
        known.roles.push(role.parse().unwrap());
    }
    house.at("2026-10-26T09:00");
    house
}

const IN_ORDER: [(&str, &str); 4] = [
    ("helper", "branch-handler"),
    ("both", "branch-approval"),
    ("dep", "head-office-handler"),
    ("dev-two", "first-approval"),
];

#[test]
fn what_a_branch_asks_for_is_handled_and_approved_in_order_before_its_scripts() {
    let mut house = with_branch();
    house.done("later", "shift", asked(ChangeClass::Data, Some("Pudong")));
    house.done("fix", "shift", asked(ChangeClass::Data, Some("Pudong")));
    // Nobody of a later desk is before an earlier one, whoever asked for it is on none, and a role takes its person.
    for (by, item, rule) in [
        ("both", "branch-approval", Rule::TooEarly),
        ("dev-two", "first-approval", Rule::TooEarly),
        ("asker", "first-approval", Rule::OwnWork),
        ("shift", "branch-handler", Rule::OwnWork),
        ("dba", "branch-handler", Rule::RoleMissing),
        ("helper", "people-present", Rule::NoSuchThing),
    ] {
        assert_eq!(house.take("later", by, of_request(item)), Some(rule), "{by} {item}");
    }
    for (at, (by, item)) in IN_ORDER.into_iter().enumerate() {
        assert_eq!(house.take("fix", "author", submit()), Some(Rule::NotConfirmed), "{at}");
        // It makes no difference whether its folder is there yet.
        house.done("later", by, of_request(item)).done("fix", by, of_request(item));
        assert_eq!(house.take("fix", by, of_request(item)), Some(Rule::NoChange));
    }
    house.done("fix", "author", submit());
    // What no branch asks for is on no desk.
    let mut other = with_branch();
    other.done("fix", "author", submit());
}

#[test]
fn what_was_approved_for_a_branch_does_not_count_for_another_class() {
    let mut house = with_branch();
    house.done("fix", "shift", asked(ChangeClass::Release, Some("Pudong")));
    // Its folder says `data`: they go by that.
    for (by, item) in IN_ORDER {
        house.done("fix", by, of_request(item));
    }
    let known = house.site.changes.get_mut(&change("fix")).unwrap();
    known.class = ChangeClass::Structure;
    assert_eq!(house.take("fix", "author", submit()), Some(Rule::NotConfirmed));
    // A person who has lost the role has said nothing.
    let mut house = with_branch();
    house.done("fix", "shift", asked(ChangeClass::Data, Some("Pudong")));
    for (by, item) in IN_ORDER {
        house.done("fix", by, of_request(item));
    }
    house.site.people.get_mut(&person("dep")).unwrap().roles.clear();
    assert_eq!(house.take("fix", "author", submit()), Some(Rule::NotConfirmed));
}

#[test]
fn approvers_answer_what_their_role_is_asked() {
    let mut house = House::new(starter::House::C, &[("fix", DATA)]);
    house.at("2026-10-27T10:00").done("fix", "author", of_day(26)).done("fix", "dba", review());
    let ticks = |tick: &[&str]| Wish::Approve {
        environment: None,
        role: None,
        tick: tick.iter().map(|name| (*name).to_owned()).collect(),
    };
    // Reviewers are asked by the same key.
    let mut strict = House::new(starter::House::C, &[("fix", DATA)]);
    let rules = Arc::make_mut(strict.site.change_rules.as_mut().unwrap());
    for rule in rules.approvals.iter_mut().filter_map(|rule| rule.review.as_mut()) {
        rule.asks = vec![CheckName::new("tested").unwrap()];
    }
    strict.at("2026-10-27T10:00").done("fix", "author", of_day(26));
    assert_eq!(strict.take("fix", "dba", review()), Some(Rule::NotTicked));
    strict.done("fix", "dba", Wish::Review { tick: vec!["tested".to_owned()] });
    for few in [&[][..], &["tested", "rollback-plan"], &["tested", "accepted", "rollback-plan"]] {
        assert_eq!(house.take("fix", "dev", ticks(few)), Some(Rule::NotTicked), "{few:?}");
    }
    house.done("fix", "dev", ticks(&["tested", "accepted", "rollback-plan", "teams-told"]));
    assert_eq!(house.take("fix", "tester", ticks(&["form-complete"])), Some(Rule::NotTicked));
    house.done("fix", "tester", approve("production")).done(
        "fix",
        "ops",
        ticks(&["form-complete"]),
    );
}

/// Accepted on that day of October, with what house C wants confirmed.
fn of_day(accepted: i8) -> Wish {
    let confirm = ["regression", "rollback-plan", "verification-data"];
    Wish::Submit {
        environment: None,
        accepted: Some(jiff::civil::date(2026, 10, accepted)),
        confirm: confirm.map(|name| CheckName::new(name).unwrap()).into(),
    }
}

#[test]
fn what_was_submitted_before_is_confirmed_on_the_day_of_its_window() {
    let mut house = House::new(starter::House::C, &[("fix", DATA)]);
    house.at("2026-10-26T10:00").done("fix", "author", of_day(25)).done("fix", "dba", review());
    house.approved("fix", "production", &["dev", "tester", "ops"]);
    house.done("fix", "shift", schedule("production"));
    house.done("fix", "shift", confirm("production", "people-present"));
    house.at("2026-10-27T16:45");
    assert_eq!(house.lacks("fix", "production"), [Rule::NotConfirmed]);
    // The same scripts once more, in time: approvals and place on the list stay.
    house.at("2026-10-27T15:00").done("fix", "author", of_day(25));
    house.at("2026-10-27T16:45");
    assert_eq!(house.lacks("fix", "production"), []);
    house.at("2026-10-27T15:01").done("fix", "author", of_day(25));
    house.at("2026-10-27T16:45");
    assert_eq!(house.lacks("fix", "production"), [Rule::SubmittedLate]);
}

/// A change of house C, executed in production at that local time.
fn executed(lines: &str, at: &str, state: ChangeState) -> House {
    let mut house = House::new(starter::House::C, &[("fix", &format!("{DATA}\n{lines}"))]);
    house.at("2026-10-27T10:00").done("fix", "author", of_day(26));
    house.at(at).ended("fix", "production", (state, &Did::ALL));
    house
}

fn overdue(house: &House) -> (Vec<String>, Option<String>) {
    let zone = house.site.change_rules.as_ref().unwrap().zone.clone();
    let local = |at: jiff::Timestamp| zone.tz().to_datetime(at).to_string();
    let (found, next) = house.desk(&change("fix")).overdue(house.at);
    let told = |of: Overdue| format!("{} {} {}", of.environment, of.item, local(of.due));
    (found.into_iter().map(told).collect(), next.map(local))
}

#[test]
fn people_stay_until_the_us_market_has_opened_and_are_there_before_others_open() {
    // Tuesday; New York is in daylight-saving time until Sunday: 09:30 there is 21:30 in Hong Kong.
    let mut house = executed("markets: [us]", "2026-10-27T17:00", ChangeState::Done);
    house.done("fix", "shift", Wish::FeedBack);
    assert_eq!(house.take("fix", "shift", Wish::Close), Some(Rule::NotConfirmed));
    house.at("2026-10-27T21:29:59");
    let us = || confirm("production", "us-open");
    assert_eq!(house.take("fix", "shift", us()), Some(Rule::TooEarly));
    house.at("2026-10-27T21:30");
    assert_eq!(house.take("fix", "dba", us()), Some(Rule::RoleMissing));
    house.done("fix", "shift", us()).done("fix", "shift", Wish::Close);
    // In winter it opens an hour later; over a weekend on Monday.
    for (executed_at, opens) in
        [("2026-11-03T17:00", "2026-11-03T22:30"), ("2026-11-07T11:00", "2026-11-09T22:30")]
    {
        let mut house = executed("markets: [us]", executed_at, ChangeState::Done);
        let before: jiff::civil::DateTime = opens.parse().unwrap();
        house.at(&before.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap().to_string());
        assert_eq!(house.take("fix", "shift", us()), Some(Rule::TooEarly), "{opens}");
        house.at(opens).done("fix", "shift", us());
    }
    // Of Hong Kong and Singapore somebody says before the next open that people are there: Singapore opens at 09:00.
    let mut house = executed("markets: [hk, sg]", "2026-10-27T17:00", ChangeState::Done);
    assert_eq!(overdue(&house), (vec![], Some("2026-10-28T09:00:00".into())));
    house.at("2026-10-28T09:00");
    let missed = || vec!["production morning-open 2026-10-28T09:00:00".to_owned()];
    assert_eq!(overdue(&house), (missed(), None));
    house.done("fix", "shift", confirm("production", "morning-open"));
    assert_eq!(overdue(&house), (vec![], None));
    // What applied nothing keeps nobody there, and another attempt asks anew.
    let house = executed("markets: [us, hk]", "2026-10-27T17:00", ChangeState::FailedClean);
    assert_eq!(overdue(&house), (vec![], None));
    assert_eq!(house.desk(&change("fix")).unclosed("production"), []);
    let mut house = executed("markets: [us]", "2026-10-27T17:00", ChangeState::Done);
    house.at("2026-10-27T22:00").done("fix", "shift", us());
    house.at("2026-10-29T17:00").executed("fix", "production", ChangeState::Done);
    house.done("fix", "shift", Wish::FeedBack);
    assert_eq!(house.take("fix", "shift", Wish::Close), Some(Rule::NotConfirmed));
}

#[test]
fn the_board_looks_at_an_emergency_afterwards() {
    let lines = "kind: emergency\nproduct_line: securities";
    let mut house = executed(lines, "2026-10-27T23:00", ChangeState::RolledBack);
    let next = Some("2026-10-30T23:00:00".to_owned());
    assert_eq!(overdue(&house), (vec![], next));
    house.at("2026-10-30T23:00");
    assert_eq!(overdue(&house).0, ["production board-afterwards 2026-10-30T23:00:00"]);
    let board = || confirm("production", "board-afterwards");
    house.done("fix", "shift", Wish::FeedBack);
    assert_eq!(house.take("fix", "shift", Wish::Close), Some(Rule::NotConfirmed));
    assert_eq!(house.take("fix", "ops", board()), Some(Rule::RoleMissing));
    house.done("fix", "ccb-a", board()).done("fix", "shift", Wish::Close);
}

#[test]
fn each_permission_is_configured_by_its_own_person_before_the_change_is_closed() {
    let lines = "permissions: [{what: Read it, by: dba}, {what: Write it, by: helper}]";
    let mut house = executed(lines, "2026-10-27T17:00", ChangeState::Done);
    house.done("fix", "shift", Wish::FeedBack);
    let first = || confirm("production", "permission-1");
    assert_eq!(house.take("fix", "helper", first()), Some(Rule::RoleMissing));
    house.done("fix", "dba", first());
    assert_eq!(house.take("fix", "dba", first()), Some(Rule::NoChange));
    assert_eq!(house.take("fix", "shift", Wish::Close), Some(Rule::NotConfirmed));
    house.done("fix", "helper", confirm("production", "permission-2"));
    house.done("fix", "shift", Wish::Close);
    assert_eq!(
        house.take("fix", "helper", confirm("production", "permission-3")),
        Some(Rule::WrongStage)
    );
}

#[test]
fn what_nobody_has_confirmed_in_time_is_one_incident_until_somebody_has() {
    let house = executed("markets: [hk]", "2026-10-27T17:00", ChangeState::Done);
    let mut night = Night::on(house);
    night.core.state.standing.changes = night.house.lives.clone();
    let site = Arc::new(night.house.site.clone());
    let serve = || Event::Serve { site: Arc::clone(&site), observes: false, revision: None };
    night.must(serve());
    let due = |night: &Night| night.core.next_wake().wall;
    night.at("2026-10-28T09:29:59");
    assert_eq!(night.core.state().incidents.len(), 0);
    night.clock("2026-10-28T09:30");
    assert!(due(&night).is_some_and(|due| due <= night.house.at), "it comes by itself");
    night.must(Event::Tick);
    night.at("2026-10-28T12:00");
    night.must(serve());
    let open = |night: &Night| -> Vec<(String, bool)> {
        let known = night.core.state().incidents.values();
        known.map(|of| (serde_json::json!(of.what.fault).to_string(), of.is_open())).collect()
    };
    let told = open(&night);
    assert_eq!(told.len(), 1);
    assert!(told[0].1 && told[0].0.contains("morning-open"), "{told:?}");
    // It is over when the item is confirmed.
    let order = ChangeOrder {
        change: change("fix"),
        wish: confirm("production", "morning-open"),
        key: None,
        site: Arc::clone(&site),
        named: Vec::new(),
    };
    night.must(Event::Change {
        by: person("shift"),
        reason: "there".into(),
        order: Box::new(order),
    });
    assert_eq!(open(&night), [(told[0].0.clone(), false)]);
    night.at("2026-10-29T12:00");
    assert_eq!(open(&night).len(), 1);
}

#[test]
fn whatever_is_altered_in_its_file_after_it_was_executed_lets_nothing_off() {
    let lines = "kind: emergency\nproduct_line: securities\nmarkets: [us]\n\
                 permissions: [{what: Read it, by: dba}]";
    let mut house = House::new(starter::House::C, &[("fix", &format!("{DATA}\n{lines}"))]);
    house.at("2026-10-27T10:00").done("fix", "author", of_day(26));
    house.began("fix", "production");
    house.at("2026-10-27T17:00").executed("fix", "production", ChangeState::Done);
    let open = |house: &House| -> Vec<String> {
        let missing = house.desk(&change("fix")).unclosed("production");
        missing.iter().map(ToString::to_string).collect()
    };
    let before = open(&house);
    assert_eq!(before.len(), 3, "{before:?}");
    let known = house.site.changes.get_mut(&change("fix")).unwrap();
    known.kind = ChangeKind::Normal;
    known.papers.markets.clear();
    known.papers.permissions.clear();
    assert_eq!(open(&house), before);
}

#[test]
fn nobody_escapes_what_is_to_be_confirmed_of_an_execution() {
    // Other scripts are handed in after it, and the change is given up, sent back, or goes elsewhere.
    let ready = || {
        let mut house =
            House::new(starter::House::C, &[("fix", &format!("{DATA}\nmarkets: [us]"))]);
        house.at("2026-10-27T10:00").done("fix", "author", of_day(26));
        house.began("fix", "production");
        house.at("2026-10-27T17:00").executed("fix", "production", ChangeState::Done);
        house.site.changes.get_mut(&change("fix")).unwrap().content = "other".into();
        house.done("fix", "author", of_day(26));
        house
    };
    let mut house = ready();
    assert_eq!(house.take("fix", "author", Wish::Withdraw), Some(Rule::NotConfirmed));
    house.done("fix", "dev", Wish::Return);
    assert_eq!(house.take("fix", "author", Wish::Withdraw), Some(Rule::NotConfirmed));
    house.at("2026-10-27T22:00").done("fix", "shift", confirm("production", "us-open"));
    house.done("fix", "author", Wish::Withdraw);
    // Without its folder nobody knows what is to be confirmed.
    let mut house = ready();
    house.site.changes.remove(&change("fix"));
    assert_eq!(house.take("fix", "author", Wish::Withdraw), Some(Rule::WrongStage));
    // It is of the environment in which it was executed, wherever the file sends it by now.
    let mut house = executed("markets: [us]", "2026-10-27T17:00", ChangeState::Done);
    let known = house.site.changes.get_mut(&change("fix")).unwrap();
    known.target = Some("uat".parse().unwrap());
    house.done("fix", "shift", Wish::FeedBack);
    assert_eq!(house.take("fix", "shift", Wish::Close), Some(Rule::NotConfirmed));
    house.at("2026-10-27T22:00").done("fix", "shift", confirm("production", "us-open"));
    house.done("fix", "shift", Wish::Close);
}

#[test]
fn a_permission_of_somebody_who_has_left_is_for_whom_the_file_names_now() {
    let lines = "permissions: [{what: Read it, by: helper}]";
    let mut house = House::new(starter::House::C, &[("fix", &format!("{DATA}\n{lines}"))]);
    house.at("2026-10-27T10:00").done("fix", "author", of_day(26));
    house.began("fix", "production");
    house.at("2026-10-27T17:00").executed("fix", "production", ChangeState::Done);
    let permission = || confirm("production", "permission-1");
    house.site.changes.get_mut(&change("fix")).unwrap().papers.permissions[0].by = person("dba");
    assert_eq!(house.take("fix", "dba", permission()), Some(Rule::RoleMissing));
    house.site.people.remove(&person("helper"));
    house.done("fix", "dba", permission());
}

#[test]
fn whoever_asks_for_a_change_or_comes_to_write_it_has_approved_no_request() {
    // Named as its requester in its folder alone.
    let mut house = with_branch();
    house.site.changes.get_mut(&change("fix")).unwrap().papers.branch = Some("Pudong".into());
    for (by, item) in &IN_ORDER[..3] {
        house.done("fix", by, of_request(item));
    }
    assert_eq!(house.take("fix", "asker", of_request("first-approval")), Some(Rule::OwnWork));
    house.done("fix", "dev-two", of_request("first-approval"));
    // Whoever has said yes does not hand it in, nor write it.
    assert_eq!(house.take("fix", "dev-two", submit()), Some(Rule::NotConfirmed));
    house.site.changes.get_mut(&change("fix")).unwrap().papers.authors.push(person("dep"));
    assert_eq!(house.take("fix", "author", submit()), Some(Rule::NotConfirmed));
    house.site.changes.get_mut(&change("fix")).unwrap().papers.authors.pop();
    house.done("fix", "author", submit());
}

#[test]
fn an_item_whose_yes_does_not_count_any_more_is_said_anew() {
    let mut house = House::new(starter::House::C, &[("fix", DATA)]);
    house.at("2026-10-27T10:00").done("fix", "author", of_day(26));
    let present = || confirm("production", "people-present");
    house.done("fix", "shift", present());
    assert_eq!(house.take("fix", "shift-too", present()), Some(Rule::NoChange));
    let lacks = |house: &House| house.lacks("fix", "production").contains(&Rule::NotConfirmed);
    assert!(!lacks(&house));
    // Handed in once more by whoever had said so: it is his own work now.
    house.done("fix", "shift", of_day(26));
    assert!(lacks(&house));
    assert_eq!(house.take("fix", "shift", present()), Some(Rule::OwnWork));
    house.done("fix", "shift-too", present());
    assert!(!lacks(&house));
    house.site.people.get_mut(&person("shift-too")).unwrap().roles.clear();
    assert!(lacks(&house));
}

#[test]
fn a_late_start_is_said_of_each_window_that_has_passed() {
    let mut house = House::new(starter::House::C, &[("fix", DATA)]);
    house.at("2026-10-26T10:00").done("fix", "author", of_day(25)).done("fix", "dba", review());
    house.approved("fix", "production", &["dev", "tester", "ops"]);
    house.done("fix", "shift", schedule("production"));
    let late = || confirm("production", "late");
    house.at("2026-10-27T21:00").done("fix", "dev", late());
    assert_eq!(house.take("fix", "dev", late()), Some(Rule::NoChange));
    house.done("fix", "shift", schedule("production"));
    house.at("2026-10-29T21:00");
    assert!(house.lacks("fix", "production").contains(&Rule::WindowPassed));
    house.done("fix", "dev", late());
    assert!(!house.lacks("fix", "production").contains(&Rule::WindowPassed));
}
