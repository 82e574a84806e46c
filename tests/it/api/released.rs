//! A list of changes is released by the person on shift and watched by another, and waits until then.

use serde_json::json;

use super::office::{Office, SQL, folder, house};
use crate::night::facts::eventually;

#[test]
fn a_change_waits_for_release_and_watch_and_people_are_mailed_once() {
    let house = house();
    folder(&house, "rate", "data", SQL);
    let office = Office::of(house);
    let house = &office.served.house;
    office.done("wei", "rate", "submit", json!({}));
    office.done("dba", "rate", "review", json!({}));
    for by in ["dev", "ops"] {
        office.done(by, "rate", "approve", json!({ "environment": "production" }));
    }
    let ordered = house.spawn(&["run", "prod", "--date", "2026-10-30"]);
    eventually("the incident", || house.facts("incident-opened").len() == 1);
    eventually("its mail", || house.mails().len() == 1);
    let mail = house.mails().remove(0);
    assert_eq!(mail.to, "ann@bank.example");
    assert!(mail.subject.contains("prod rate waits for people"), "{}", mail.subject);
    assert!(mail.text.contains("nightrun change release prod --date 2026-10-30"), "{}", mail.text);
    let why = house.run(&["--lang", "zh", "why", "prod.rate"]).code(0).out;
    for part in ["等待当班人员放行", "等待第二人复核监督"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let refused = |by: &str, deed: &str, rule: &str| {
        let answer = office.act(by, "prod", deed);
        assert_eq!(answer.json()["rule"], rule, "{by} {deed}: {answer:?}");
    };
    refused("dba", "release-changes", "not-on-shift");
    refused("wei", "release-changes", "own-work");
    office.act("ops", "prod", "release-changes").ok();
    refused("ops", "watch-changes", "own-work");
    refused("wei", "watch-changes", "own-work");
    let mine = house.facts("attempt-intended").len();
    assert_eq!(mine, 2, "nothing but the two jobs that make the databases");
    office.command("dba", &["change", "watch", "prod", "--reason", "I look on"]).code(0);
    ordered.ends(0);
    assert_eq!(house.facts("incident-opened").len(), 1);
    assert_eq!(house.facts("incident-closed").len(), 1);
    let began =
        house.facts("change-moved").into_iter().find(|fact| fact["step"]["step"] == "began");
    let began = &began.unwrap()["step"]["began"];
    assert_eq!((&began["executor"], &began["watcher"]), (&json!("ops"), &json!("dba")));
    office.served.night.kill();
    house.nothing_is_lost();
}
