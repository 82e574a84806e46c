//! Orders that are only tried, over the network.

use serde_json::json;

use super::Served;
use crate::night::house::House;

#[test]
fn an_order_is_tried_by_who_may_give_it_and_opens_nothing() {
    let house = House::new(
        "  a: {title: A, run: [sh, job.sh, wait]}\n  b: {title: B, run: [sh, job.sh], needs: [a]}\n",
    );
    house.batch("late", "jobs: {y: {title: Y, run: [sh, job.sh], needs: [night.b]}}\n");
    house.gates(&["a"]);
    let served = Served::of(house, "");
    let house = &served.house;
    let (may, reads) = (served.token("ann", &["read", "order"]), served.token("ann", &["read"]));
    let order = |batch: &str, tried: bool| json!({ "batch": batch, "date": "2026-10-30", "dry_run": tried });
    let post = |token: &str, body| served.ask_as(token, ("POST", "/api/v1/runs"), Some(&body));
    // The first use of a token is recorded.
    for token in [&may, &reads] {
        served.ask_as(token, ("GET", "/api/v1/runs"), None).ok();
    }
    crate::night::facts::eventually("both uses", || house.facts("logged-in").len() == 2);
    let entries = house.journal().len();
    let tried = post(&may, order("night", true));
    assert_eq!((tried.status, tried.headers.contains_key("location")), (200, false), "{tried:?}");
    let run = &tried.json()["runs"][0];
    let job = |run: &serde_json::Value, at: usize| run["status"]["jobs"][at]["state"].clone();
    assert_eq!(
        (&run["way"], &run["status"]["head"]["run"]),
        (&json!("opened"), &json!("night@2026-10-30#1"))
    );
    assert_eq!(
        (&job(run, 0)["state"], &job(run, 1)["state"]),
        (&json!("starting"), &json!("waiting"))
    );
    let late = post(&may, order("late", true)).ok().json();
    assert!(job(&late["runs"][0], 0)["reasons"].to_string().contains("night"), "{late}");
    let stranger = post(&reads, order("night", true));
    assert_eq!((stranger.status, &stranger.json()["rule"]), (403, &json!("right-missing")));
    let none = post(&may, order("nope", true));
    assert_eq!(none.status, 409, "{none:?}");
    assert_eq!(house.journal().len(), entries, "nothing is recorded");
    assert_eq!(house.json(&["runs"]), json!([]));
    assert_eq!(post(&may, order("night", false)).ok().json()["run"], "night@2026-10-30#1");
    let under_way = post(&may, order("night", true));
    assert_eq!((under_way.status, &under_way.json()["rule"]), (409, &json!("run-under-way")));
    // Beside what runs, and by command as over the network.
    let said = house.run(&["run", "late", "--date", "2026-10-30", "--dry-run"]).code(0).out;
    assert!(said.contains("late@2026-10-30#1 is opened") && said.contains("night"), "{said}");
    house.say("a", "go");
    let of_night = ["run", "night", "--date", "2026-10-30", "--rerun", "--dry-run"];
    crate::night::facts::eventually("the end of the run", || house.run(&of_night).code == Some(0));
    assert!(house.run(&of_night).out.contains("night@2026-10-30#2 is opened"));
    assert_eq!(house.facts("run-opened").len(), 1);
    served.night.kill();
}
