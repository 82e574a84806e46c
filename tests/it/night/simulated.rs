//! `simulate` beside real nights: from their history, while one of them runs, and without a trace.

use super::house::House;

const SCHEDULE: &str = "schedule: {on: every day, at: [\"21:30\"]}\n";

fn sleeper() -> House {
    let house = House::bare();
    let jobs = "jobs:
  a: {title: A, shell: \"sleep 0.4\"}
  b: {title: B, run: [sh, job.sh, wait], needs: [a], expected: 5m}
";
    house.batch("night", &format!("{SCHEDULE}{jobs}"));
    house.gates(&["b"]);
    house
}

#[test]
fn times_come_from_the_nights_before_and_the_night_at_work_is_left_alone() {
    let house = sleeper();
    for day in ["2026-10-27", "2026-10-28", "2026-10-29"] {
        house.say("b", "go");
        house.run(&["run", "night", "--date", day]).code(0);
    }
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let before = house.journal();
    let job = |page: &serde_json::Value, name: &str| {
        let jobs = page["runs"][0]["jobs"].as_array().unwrap();
        jobs.iter().find(|job| job["name"] == name).unwrap().clone()
    };
    let page = house.json(&["simulate", "--date", "2026-11-02"]);
    let a = job(&page, "a");
    // Four nights of which `a` is over, three of `b`.
    assert_eq!(a["takes_from"]["attempts"], 4, "{a}");
    assert_eq!(job(&page, "b")["takes_from"]["attempts"], 3);
    let length = |job: &serde_json::Value| {
        let at = |key: &str| job[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        at("ended").duration_since(at("started")).as_millis()
    };
    let usual = length(&a);
    assert!((400..5_000).contains(&usual), "the median of what it took: {usual} ms");
    let twice = house.json(&["simulate", "--date", "2026-11-02", "--takes", "a=2x"]);
    assert_eq!(length(&job(&twice, "a")), 2 * usual);
    let plan = house.json(&["plan", "--date", "2026-11-02"]);
    assert_eq!(plan["days"][0]["starts"][0]["expected_end"], page["runs"][0]["head"]["ended"]);
    let many = house.json(&["simulate", "--date", "2026-11-02", "--nights", "50"]);
    assert_eq!(many["runs"][0]["ends"]["never_ends"], 0);
    assert_eq!(house.journal(), before, "nothing was written");
    house.say("b", "go");
    night.ends(0);
    house.nothing_is_lost();
}
