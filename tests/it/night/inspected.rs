//! Rounds of inspections under a service: made by schedule, counted when their day is over, and what lacks is told. The test
//! sets the clock.

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::json;

use super::facts::eventually;
use super::house::SITE;
use super::serving::{Town, at};
use crate::api;

const BATCH: &str = "
schedule: {cron: \"0 21,23 * * *\"}
jobs:
  host:
    title: H
    inspect:
      disk: {disk: \"{work}\", warn: 101}
      sessions: {command: [sh, -c, \"echo 7 sessions\"], warn: 5, fail: 9}
  log:
    title: L
    inspect:
      errors: {log: \"{work}/core.log\", lines: ERROR}
";

const WANTED: &str = "
inspections:
  severity: p1
  rounds: [{batch: look, per_day: 2}]
";

#[test]
fn rounds_are_made_counted_and_shown_and_a_day_that_lacks_one_is_an_incident() {
    let town = Town::new();
    let house = &town.house;
    house.write("site.yaml", &format!("{SITE}{WANTED}"));
    house.batch("look", BATCH);
    std::fs::write(house.work("core.log"), "ERROR of old times\n").unwrap();
    // Counting begins with the day after.
    town.set_clock("2026-11-01T23:30:00+01:00".parse::<Timestamp>().unwrap());
    let served = town.serve();
    served.notice("serving 1 schedule");
    eventually("the first count", || house.facts("inspections-counted").len() == 1);
    served.signal(Signal::TERM);
    served.ends(0);

    town.set_clock(at("20:59:58"));
    let mut served = town.serve();
    served.event("run-ended", "");
    let run = "look@20261102T200000Z#1";
    let round = &house.facts("round-inspected")[0];
    let told = [&round["run"], &round["date"], &round["ok"], &round["warn"], &round["fail"]];
    assert_eq!(told, [&json!(run), &json!("2026-11-02"), &json!(2), &json!(1), &json!(0)]);
    let report = town.run(&["report", "--run", run], 0);
    assert!(report.contains("sessions: warn, 7"), "{report}");
    let shown = town.run(&["inspections"], 0);
    assert!(shown.contains("2026-11-02  look (look): 1 of 2 rounds so far"), "{shown}");
    assert!(house.work("inspections/look.log.json").exists());

    // The second start is missed: nobody is there until the day is over.
    served.signal(Signal::TERM);
    served.ends(0);
    town.set_clock("2026-11-03T00:30:00+01:00".parse::<Timestamp>().unwrap());
    let served = town.serve();
    eventually("the incident", || house.facts("incident-opened").len() == 1);
    let fault = &house.facts("incident-opened")[0];
    let missed = json!({
        "what": "rounds-missed", "batch": "look", "date": "2026-11-02", "wanted": 2, "done": 1,
    });
    assert_eq!((&fault["fault"], &fault["severity"]), (&missed, &json!("p1")));
    let list = town.run(&["incident", "list"], 0);
    assert!(list.contains("look had 1 of 2 rounds of inspections on 2026-11-02"), "{list}");

    let shown = town.run(&["inspections", "--day", "2026-11-02"], 0);
    for part in ["1 of 2 rounds, 1 missed", "host.disk", "host.sessions", "7 (warn)", "log.errors"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let path = "/api/v1/inspections?from=2026-11-01&to=2026-11-03";
    let view = api::get(house, path).ok().json();
    assert_eq!((&view["missed"], view["days"].as_array().map(Vec::len)), (&json!(1), Some(2)));
    let checks = &view["days"][0]["rounds"][0]["jobs"]["host"];
    assert_eq!((&checks[1]["value"], &checks[1]["verdict"]), (&json!(7.0), &json!("warn")));
    assert_eq!(api::get(house, "/api/v1/inspections?from=2026-11-02&to=2026-11-01").status, 400);
    // Whoever begins anew counts no day a second time.
    served.signal(Signal::TERM);
    served.ends(0);
    let served = town.serve();
    served.notice("serving 1 schedule");
    served.signal(Signal::TERM);
    served.ends(0);
    let counted = house.facts("inspections-counted");
    let days: Vec<&str> = counted.iter().map(|day| day["date"].as_str().unwrap()).collect();
    assert_eq!(days, ["2026-11-01", "2026-11-02"]);
    assert_eq!(house.facts("incident-opened").len(), 1);
    town.run(&["journal", "verify"], 0);
}
