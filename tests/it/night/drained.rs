//! A host that takes no new attempts: recorded, told, and over when somebody says so.

use serde_json::json;

use super::facts::eventually;
use super::house::House;

#[test]
fn a_drained_host_begins_nothing_until_it_is_undrained() {
    let house = House::new(
        "  a: {title: A, run: [sh, job.sh, wait]}\n  b: {title: B, run: [sh, job.sh], needs: [a]}\n",
    );
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let drain = ["host", "drain", "local", "--reason", "new disks"];
    let said = house.run(&drain).code(0).out;
    assert!(said.contains("local takes no new attempts"), "{said}");
    house.run(&drain).refused("(rule: no-change)");
    house.run(&["host", "drain", "lokal", "--reason", "x"]).code(2);
    house.say("a", "go");
    night.ended("a");
    for command in [&["status"][..], &["why", "night.b"], &["host", "list"]] {
        let text = house.run(command).code(0).out;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("takes no new attempts"), "{text}");
        assert!(text.contains("new disks"), "{text}");
    }
    let listed = house.json(&["host", "list"]);
    let local = &listed["items"][0];
    assert_eq!((&local["host"], &local["max_running"]), (&json!("local"), &json!(8)));
    assert_eq!(local["link"]["state"], "up");
    assert_eq!(house.ran(), ["a 1"]);
    // Who supervises it next still knows.
    night.kill();
    let again = house.spawn(&["resume"]);
    eventually("the host is up", || {
        house.json(&["host", "list"])["items"][0]["link"]["state"] == "up"
    });
    assert_eq!(house.json(&["host", "list"])["items"][0]["draining"]["reason"], "new disks");
    let said = house.run(&["host", "undrain", "local", "--reason", "they are in"]).code(0).out;
    assert!(said.contains("local takes new attempts again"), "{said}");
    again.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    // Where nobody supervises, the store has it.
    house.run(&drain).code(0);
    let listed = house.json(&["host", "list"]);
    assert_eq!(listed["items"][0]["link"]["state"], "not-sought");
    assert_eq!(listed["items"][0]["draining"]["reason"], "new disks");
}
