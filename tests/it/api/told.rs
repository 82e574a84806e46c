//! What other systems tell: `POST /api/v1/events`, and `nightrun event`.

use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::{Served, post, serve};
use crate::night::facts::eventually;
use crate::night::house::House;
use crate::night::watched::Night;

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty]}
  vera: {name: Vera Viewer, roles: [viewer]}
  max: {name: Max Machine, roles: [machine]}
";

const RIGHTS: &str = "
rights:
  viewer: [read, order, operate]
  machine: [events]
";

const WAITS: &str = "
  wait: {title: W, wait: {event: positions-delivered}}
  b: {title: B, run: [sh, job.sh], needs: [wait]}
";

const FOLLOW: &str = "
on_event: positions-delivered
jobs:
  f: {title: F, run: [sh, job.sh]}
";

const DATE: &str = "2026-10-30";

fn told(key: &str, date: Option<&str>) -> Value {
    let mut told = json!({ "key": key, "event": "positions-delivered", "reason": "file 4711" });
    if let Some(date) = date {
        told["business_date"] = date.into();
    }
    told
}

fn tell(house: &House, told: &Value) -> Value {
    post(house, "/api/v1/events", told).ok().json()
}

fn house() -> House {
    let house = House::new(WAITS);
    house.batch("follow", FOLLOW);
    house.write("people.yaml", PEOPLE);
    let site = std::fs::read_to_string(house.site().join("site.yaml")).unwrap();
    house.write("site.yaml", &(site + RIGHTS));
    house
}

fn order(house: &House, batch: &str) {
    post(house, "/api/v1/runs", &json!({ "batch": batch, "date": DATE })).ok();
}

fn ended(night: &mut Night, batch: &str) {
    loop {
        let ended = night.event("run-ended", "");
        if ended["run"].as_str().unwrap().starts_with(batch) {
            assert_eq!(ended["result"], "well", "{ended}");
            return;
        }
    }
}

#[test]
fn an_event_lets_a_job_go_on_and_orders_a_batch_once() {
    let mut served = Served::of(house(), "");
    order(&served.house, "night");
    served.night.event("waits-for-event", "wait");
    let why = |lang| served.house.run(&["why", "night.wait", "--lang", lang]).code(0).out;
    let (english, chinese) = (why("en"), why("zh"));
    assert!(english.contains("Waits for the event positions-delivered"), "{english}");
    assert!(chinese.contains("等待其他系统的事件 positions-delivered"), "{chinese}");

    let url = ("POST", "/api/v1/events");
    let (max, vera) = (served.token("max", &["events"]), served.token("vera", &["read", "order"]));
    let refused = served.ask_as(&vera, url, Some(&told("k1", None)));
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(refused.json()["rule"], "right-missing");
    // The sender names no date: one run waits.
    let first = served.ask_as(&max, url, Some(&told("k1", None))).ok().json();
    let job = json!({ "run": "night@2026-10-30#1", "job": "wait" });
    assert_eq!(first["runs"], json!(["follow@2026-10-30#1"]), "{first}");
    assert_eq!((&first["jobs"], &first["again"]), (&json!([job]), &json!(false)), "{first}");
    ended(&mut served.night, "night");
    served.house.gates(&[]);

    let again = served.ask_as(&max, url, Some(&told("k1", Some(DATE)))).ok().json();
    assert_eq!((&again["runs"], &again["jobs"]), (&first["runs"], &first["jobs"]), "{again}");
    assert_eq!(again["again"], true);
    let other = served.ask_as(&max, url, Some(&told("k1", Some("2026-10-31"))));
    assert_eq!((other.status, &other.json()["rule"]), (409, &json!("key-used")), "{other:?}");
    // Another key, the same event: all that it could do is done.
    let second = served.ask_as(&max, url, Some(&told("k2", Some(DATE)))).ok().json();
    assert_eq!((&second["runs"], &second["jobs"]), (&json!([]), &json!([])), "{second}");
    assert!(second["done"].as_str().unwrap().contains("nothing waited for it"), "{second}");

    let house = &served.house;
    let received = house.facts("event-received");
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received.iter().all(|event| event["by"] == "max"), "{received:?}");
    assert_eq!(received[0]["reason"], "file 4711");
    let opened = house.facts("run-opened");
    let by: Vec<(&Value, &Value)> = opened.iter().map(|run| (&run["run"], &run["by"])).collect();
    assert_eq!(by[1..], [(&json!("follow@2026-10-30#1"), &json!("max"))]);
    let audit = house.run(&["audit"]).code(0).out;
    assert!(audit.contains("told the event"), "{audit}");
    let mut ran = house.ran();
    ran.sort();
    assert_eq!(ran, ["b 1", "f 1"]);
}

#[test]
fn an_event_that_comes_first_counts_for_the_run_that_comes_later() {
    let house = House::new(WAITS);
    let told_by_hand = ["event", "positions-delivered", "--key", "k", "--reason", "by hand"];
    house.run(&told_by_hand).code(3).refused("no supervisor is at work here");
    std::fs::write(house.state().join("settings.yaml"), "version: 1\n").unwrap();
    let mut night = serve(&house);
    let unclear = post(&house, "/api/v1/events", &told("k", None));
    assert_eq!(unclear.status, 409, "{unclear:?}");
    assert_eq!(unclear.json()["rule"], "date-needed");
    let bad = post(&house, "/api/v1/events", &told("", Some(DATE)));
    assert_eq!(bad.status, 422, "{bad:?}");

    let said = house.run(&[&told_by_hand[..], &["--date", DATE]].concat()).code(0).out;
    assert!(said.contains("nothing waited for it; it counts for runs of that date"), "{said}");
    // Another supervisor knows it too.
    night.signal(rustix::process::Signal::TERM);
    night.ends(0);
    night = serve(&house);
    order(&house, "night");
    ended(&mut night, "night");
    assert_eq!(tell(&house, &told("k", Some(DATE)))["again"], true);
    assert_eq!(house.ran(), ["b 1"]);
    assert_eq!(house.facts("settled")[0]["why"]["key"], "k");
}

#[test]
fn a_supervisor_that_dies_before_it_answers_has_taken_the_event_once() {
    let house = house();
    let mut command = house.command(&["serve", "--format", "json"]);
    command.env("NIGHTRUN_FAULT", "supervisor.to-answer:1");
    command.env("NIGHTRUN_FAULT_ONCE", house.work("died"));
    let mut night = Night::watch(command);
    night.notice("serving");
    order(&house, "night");
    night.event("waits-for-event", "wait");
    // Nobody gets an answer; what was decided is in the store.
    let asked = house.run(&["event", "positions-delivered", "--key", "k", "--reason", "x"]);
    assert_ne!(asked.code, Some(0), "{asked:?}");
    assert!(house.work("died").exists());
    // Its connections may end a moment before the socket does.
    eventually("nobody listens", || UnixStream::connect(house.state().join("api.sock")).is_err());
    std::fs::write(house.state().join("settings.yaml"), "version: 1\n").unwrap();
    let mut night = serve(&house);
    ended(&mut night, "night");
    let again = tell(&house, &told("k", Some(DATE)));
    assert_eq!(again["again"], true, "{again}");
    assert_eq!(again["runs"], json!(["follow@2026-10-30#1"]), "{again}");
    eventually("both have run", || house.ran().len() == 2);
    assert_eq!(house.facts("event-received").len(), 1);
    assert_eq!(house.facts("run-opened").len(), 2);
    house.nothing_is_lost();
}

#[test]
fn parameters_are_those_that_the_batch_declares() {
    let house = House::new(WAITS);
    house.batch("follow", &FOLLOW.replace("jobs:", "parameters: {branch: null}\njobs:"));
    std::fs::write(house.state().join("settings.yaml"), "version: 1\n").unwrap();
    let mut night = serve(&house);
    let with = |parameters: Value| {
        let mut told = told("k", Some(DATE));
        told["parameters"] = parameters;
        told
    };
    let refused = |told: &Value, words: &str| {
        let answer = post(&house, "/api/v1/events", told);
        assert_eq!(answer.status, 409, "{answer:?}");
        assert!(answer.body.contains(words), "{answer:?}");
    };
    refused(&with(json!({})), "needs the parameter `branch`");
    refused(&with(json!({ "branch": "1", "brunch": "2" })), "has no parameter `brunch`");
    let mut unknown = with(json!({ "branch": "1" }));
    unknown["event"] = "rates-fixed".into();
    refused(&unknown, "orders no batch that takes parameters");
    assert_eq!(house.facts("event-received").len(), 0, "a refusal has no effect");
    let taken = tell(&house, &with(json!({ "branch": "001" })));
    assert_eq!(taken["runs"], json!(["follow@2026-10-30#1"]), "{taken}");
    ended(&mut night, "follow");
    assert_eq!(house.facts("run-opened")[0]["parameters"]["branch"], "001");
}

#[test]
fn an_event_that_does_not_come_in_time_fails_its_job_and_people_are_told() {
    let limited = WAITS.replace("delivered}", "delivered, limit: 1s}");
    let house = House::new(&limited);
    let mut night = house.spawn(&["run", "night", "--date", DATE]);
    night.event("incident-opened", "wait");
    night.ends(1);
    let mails = house.mails();
    assert!(
        mails.iter().any(|mail| mail
            .text
            .contains("the event positions-delivered has not come within 1.0s")),
        "{mails:?}"
    );
}
