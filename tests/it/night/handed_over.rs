//! A shift is handed over by a service: who is told, through a kill and a restart, until somebody of the next shift
//! accepts it. The test sets the clock, and a real mail server hears what is sent.

use rustix::process::Signal;
use serde_json::json;

use super::escalated::mails;
use super::facts::{account, eventually};
use super::letter::Letter;
use super::post::sink;
use super::serving::{Town, at};
use crate::api;

/// `me`: whose the account of this test is.
fn people(me: &str) -> String {
    let person = |id: &str, name: &str, more: &str| {
        let mine = if id == me { format!(", unix_user: {}", account()) } else { String::new() };
        format!("  {id}: {{name: {name}, mail: {id}@bank.example, team: operations{more}{mine}}}\n")
    };
    let people = [
        person("ann", "Ann Shift", ", roles: [duty]"),
        person("wei", "韦伟", ", language: zh, roles: [duty]"),
        person("rob", "Rob Report", ", roles: [report]"),
        person("max", "Max Lead", ", roles: [lead]"),
    ];
    let teams = "teams:\n  operations: {title: Operations, lead: max}\n";
    format!("version: 1\npeople:\n{}{teams}", people.concat())
}

const SHIFTS: &str = "
version: 1
shifts:
  afternoon: {title: Afternoon, title_zh: 下午班, from: \"13:30\", to: \"21:30\"}
  night: {title: Night, title_zh: 夜班, from: \"21:30\", to: \"08:30\"}
hand_over:
  between: [{from: afternoon, to: [night]}]
  limit: 30m
bulletin: {at: [\"22:10\"], to: [lead]}
";

const ROSTER: &str = "
version: 1
roster:
  - {shift: afternoon, from: 2026-11-01, to: 2026-11-30, people: [ann]}
  - {shift: night, from: 2026-11-01, to: 2026-11-30, people: [wei]}
";

const BATCH: &str = "
schedule: {cron: \"0 3 * * *\"}
jobs:
  load: {title: L, run: [sh, job.sh]}
";

const ID: &str = "afternoon@2026-11-02";

#[test]
fn a_shift_is_handed_over_to_whoever_comes_next_and_both_are_told_until_then() {
    let town = Town::new();
    let house = &town.house;
    let server = sink(&[]);
    super::post::smtp(house, server.port);
    house.write("people.yaml", &people("ann"));
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    house.batch("eod", BATCH);
    let heard = |count: usize| {
        eventually(&format!("{count} mails"), || mails(&server).len() >= count);
        let letters = mails(&server).into_iter().map(|text| Letter::read(text.as_bytes()));
        let told: Vec<(String, String)> = letters
            .map(|letter| {
                let first = letter.text.lines().next().unwrap_or_default().to_owned();
                (letter.to.split('@').next().unwrap().to_owned(), first)
            })
            .collect();
        assert_eq!(told.len(), count, "{told:?}");
        told
    };
    let names = |told: &[(String, String)]| {
        let mut names: Vec<String> = told.iter().map(|(to, _)| to.clone()).collect();
        names.sort();
        names
    };
    town.set_clock(at("20:59:58"));
    let served = town.serve();
    let first = &heard(1)[0];
    assert!(
        first.0 == "ann" && first.1.contains("Your shift ends at 2026-11-02 21:30"),
        "{first:?}"
    );
    let shown = town.run(&["hand-over", "show"], 0);
    for part in ["Hand-over of shift Afternoon of 2026-11-02", "Starts ahead", "03:00:00 CET eod"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    // Of her steps two are hers; the third is the next shift's.
    assert!(town.run(&["hand-over", "accept", ID], 3).contains("own-work"));
    town.run(&["hand-over", "note", ID, "rates come by hand"], 0);
    town.run(&["hand-over", "give", ID, "--words", "all quiet"], 0);
    assert!(town.run(&["hand-over", "give", ID], 3).contains("no-change"));
    let given = &heard(2)[1];
    assert!(given.0 == "wei" && given.1.starts_with("Ann Shift 于 2026-11-02"), "{given:?}");

    // The shift ends while nobody supervises; whoever comes next tells both at once.
    served.kill();
    town.set_clock(at("21:31:00"));
    let served = town.serve();
    let ended = heard(4).split_off(2);
    assert_eq!(names(&ended), ["ann", "wei"]);
    assert!(ended.iter().any(|(_, first)| first.contains("The shift has ended at")), "{ended:?}");
    // After the limit it is an incident, and the lead hears of it.
    town.set_clock(at("22:00:30"));
    assert_eq!(names(&heard(7)[4..]), ["ann", "max", "wei"]);
    let list = api::get(house, "/api/v1/hand-overs").ok().json();
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["state"]), (&json!(ID), &json!("late")));
    let incident = api::get(house, "/api/v1/incidents/INC-1").ok().json();
    assert_eq!(incident["fault"]["what"], "hand-over");
    // It belongs to no run, and is wrong all the same.
    let status = town.run(&["status"], 0);
    assert!(status.contains("INC-1  nobody has accepted the hand-over"), "{status}");
    let metrics = api::get(house, "/metrics").ok().body;
    assert!(metrics.contains("nightrun_incidents_open 1"), "{metrics}");

    house.write("people.yaml", &people("wei"));
    served.signal(Signal::HUP);
    let accept = || api::post(house, &format!("/api/v1/hand-overs/{ID}/accept"), &json!({}));
    eventually("his turn", || accept().status == 200);
    assert_eq!(accept().json()["rule"], "no-change");
    assert_eq!(names(&heard(11)[7..]), ["ann", "ann", "max", "wei"]);
    let one = api::get(house, &format!("/api/v1/hand-overs/{ID}")).ok().json();
    assert_eq!((&one["state"], &one["accepted_by"]["id"]), (&json!("accepted"), &json!("wei")));
    assert_eq!(
        one["draft"]["incidents"][0]["incident"], 1,
        "as it stood when it was accepted: {one}"
    );
    let steps: Vec<&str> =
        one["steps"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["noted", "given", "told", "late", "accepted"]);
    let nothing = api::post(house, "/api/v1/hand-overs/night@2026-11-02/accept", &json!({}));
    assert_eq!(nothing.json()["rule"], "no-such-thing");
    assert!(town.run(&["hand-over", "list"], 0).contains("No hand-over is open."));

    let audit = town.run(&["audit", "--csv"], 0);
    for part in [
        format!("ann,,hand-over {ID}: noted,rates come by hand,"),
        format!("ann,,hand-over {ID}: handed it over,all quiet,"),
        format!("wei,,hand-over {ID}: accepted it,"),
    ] {
        assert!(audit.contains(&part), "{part}: {audit}");
    }
    assert!(!audit.contains("told"), "what nightrun did is nobody's doing: {audit}");

    // The bulletin's time comes while nobody is there; it is sent once, with the time that it tells of.
    served.kill();
    town.set_clock(at("22:31:00"));
    for _ in 0..2 {
        let served = town.serve();
        let bulletin = heard(12).split_off(11);
        assert_eq!(bulletin[0].0, "max");
        assert!(
            bulletin[0].1.contains("2026-11-01 22:10:00 CET to 2026-11-02 22:31"),
            "{bulletin:?}"
        );
        served.notice("serving 1 schedule");
        served.signal(Signal::TERM);
        served.ends(0);
    }
    // The first says since when they are told at all.
    assert_eq!(house.facts("bulletin-told").len(), 2);
    let shown = town.run(&["bulletin", "--day", "2026-11-02"], 0);
    for part in ["Bulletin of 2026-11-02", "INC-1 [P3]", "On shift", "Afternoon", "Ann Shift"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(house.facts("hand-over-opened").len(), 1);
    town.run(&["journal", "verify"], 0);
}

#[test]
fn hand_overs_leave_the_store_with_the_runs_of_their_time_and_stay_in_the_journal() {
    let town = Town::new();
    let house = &town.house;
    house.write("people.yaml", &people("wei"));
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    house.batch("eod", BATCH);
    let settings = house.state().with_file_name("settings.yaml");
    let retention = "version: 1\nretention: {archive: archive, runs: {keep: 2d}, at: \"12:00\"}\n";
    std::fs::write(&settings, retention).unwrap();
    for day in ["2026-11-02", "2026-11-03"] {
        town.set_clock(format!("{day}T20:59:58+01:00").parse().unwrap());
        town.run(&["run", "eod", "--date", day], 0);
        let served = town.serve();
        let id = format!("afternoon@{day}");
        eventually("its hand-over", || {
            house.facts("hand-over-opened").iter().any(|fact| fact["hand_over"] == id.as_str())
        });
        town.set_clock(format!("{day}T21:31:00+01:00").parse().unwrap());
        town.run(&["hand-over", "accept", &id], 0);
        served.kill();
    }
    town.set_clock("2026-11-16T09:00:00+01:00".parse().unwrap());
    let with = |arguments: &[&str], code| {
        town.run(&[arguments, &["--settings", settings.to_str().unwrap()]].concat(), code)
    };
    with(&["archive"], 0);
    let known = with(&["hand-over", "list", "--all"], 0);
    assert!(known.contains("afternoon@2026-11-03") && !known.contains(ID), "{known}");
    with(&["hand-over", "show", ID], 3);
    with(&["hand-over", "show", "afternoon@2026-11-03"], 0);
    let audit = with(&["audit", "--csv"], 0);
    assert!(audit.contains(&format!("wei,,hand-over {ID}: accepted it,")), "{audit}");
    with(&["journal", "verify"], 0);
    // The next supervisor takes up what is left.
    let served = town.serve();
    served.notice("serving 1 schedule");
    served.kill();
    assert_eq!(house.facts("hand-over-forgotten").len(), 1);
}
