//! Windows that only the rules of changes give: what is told of the changes that they close on.

use super::house::{House, confirm, review, schedule, submit};
use super::night::Night;
use crate::core::closing::closing;
use crate::core::forecast;
use crate::definition::starter;

const PROD: &str = "class: data\ntarget: prod";

/// The jobs that windows close on, and when they are expected to be done or to start, by the local clock.
fn found(night: &mut Night, time: &str) -> Vec<String> {
    night.at(time);
    let zone = night.house.site.zone.tz();
    let clock = |at| zone.to_datetime(at).time().strftime("%H:%M").to_string();
    let ahead = forecast::of_night(&night.core, night.now).unwrap();
    let found = closing(&night.core, &ahead, night.now);
    let words = found.iter().map(|of| {
        let expected = of.expected.map_or("never".to_owned(), clock);
        format!("{} {} {expected}", of.job, clock(of.closes))
    });
    words.collect()
}

/// Two changes on a list of house H, whose window is 11:00–12:00; one at a time works on the target, and each takes 5
/// minutes of it.
fn on_a_list() -> Night {
    let batch = "version: 1\nbatch: list\ntitle: List\n\
        changes: {environment: production, classes: [data]}\n\
        schedule: {on: every day, at: [\"10:55\", \"15:55\"]}\n";
    let more = vec![("list/list.yaml".to_owned(), batch.to_owned())];
    let mut house = House::with(starter::House::H, &[("a", PROD), ("b", PROD)], more);
    for id in ["a", "b"] {
        house.at("2026-10-26T09:00").done(id, "author", submit()).done(id, "dba", review());
        house.approved(id, "production", &["dev", "ops"]);
        for (by, item) in [("dba", "dba-signature"), ("shift", "people-present")] {
            house.done(id, by, confirm("production", item));
        }
        house.at("2026-10-27T09:00").done(id, "shift", schedule("production"));
    }
    Night::on(house).open("10:55")
}

#[test]
fn a_change_of_a_list_that_is_too_late_for_its_window_and_one_that_still_runs_are_told() {
    let mut night = on_a_list();
    let run = night.core.state().run(&night.run()).unwrap();
    assert!(run.batch.has_limits(), "or nobody would look");
    night.at("11:40").manned();
    assert_eq!(night.started(), ["a"]);
    assert_eq!(found(&mut night, "11:55"), [""; 0], "where it ends now the other fits in");
    assert_eq!(found(&mut night, "11:56"), ["b 12:00 never"]);
    // What runs is in time as far as is known, until it is not.
    assert_eq!(found(&mut night, "12:01"), ["a 12:00 12:01"]);
}

#[test]
fn people_who_are_late_with_their_part_are_told_while_a_window_of_the_rules_is_open() {
    let approved = || Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]);
    let mut night = approved().open("11:00");
    assert_eq!(found(&mut night, "11:55"), [""; 0]);
    assert_eq!(found(&mut night, "11:56"), ["a 12:00 16:00"], "in the next one");
    assert_eq!(found(&mut night, "12:01"), [""; 0], "nothing is foreseen of what is over");
    // From its opening on it is one for the afternoon.
    let mut night = approved().open("11:57");
    assert_eq!(found(&mut night, "11:58"), [""; 0]);
    // An emergency is bound to no window.
    let emergency = format!("{PROD}\nkind: emergency");
    let mut night = Night::of(&[("a", &emergency, "")]).open("11:00");
    assert_eq!(found(&mut night, "11:59"), [""; 0]);
}
