//! The operations report of a week: its figures are those of what was done.

use std::fs;

use super::facts::account;
use super::house::House;

const JOBS: &str = "
  a: {title: A, run: ['true']}
  b: {title: B, run: [sh, -c, '[ \"$NIGHTRUN_BUSINESS_DATE\" != 2026-10-30 ]'], needs: [a]}
";

#[test]
fn a_week_in_numbers_is_what_was_done_in_it() {
    let house = House::new(JOBS);
    let people = format!(
        "version: 1\npeople:\n  olga: {{name: Olga Operator, mail: olga@bank.example, team: operations, \
         roles: [duty, report], unix_user: {}}}\n",
        account()
    );
    house.write("people.yaml", &people);
    for (date, code) in [("2026-10-28", 0), ("2026-10-29", 0), ("2026-10-30", 1)] {
        house.run(&["run", "night", "--date", date]).code(code);
    }
    // Runs belong to the time in which they went on, and these did just now; a trial counts for nothing.
    house.run(&["run", "night", "--at", "2026-10-27T21:30"]).code(0);
    // Two people note the same two seconds.
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap();
    let since = (now - jiff::SignedDuration::from_secs(2)).to_string();
    for _ in 0..2 {
        let (from, to) = (since.as_str(), &now.to_string());
        let noted = ["--service", "payments", "--from", from, "--to", to];
        house.run(&[&["incident", "interruption", "INC-1"][..], &noted].concat()).code(0);
    }
    let today = jiff::Timestamp::now().in_tz("Europe/Berlin").unwrap().date().to_string();
    let view = house.json(&["report", "--week", &today]);
    let night = &view["batches"][0];
    assert_eq!(night["batch"], "night");
    for (figure, many) in
        [("runs", 3), ("well", 2), ("failed", 1), ("otherwise", 0), ("under_way", 0)]
    {
        assert_eq!(night[figure], many, "{figure}: {view}");
    }
    let ended = house.facts("run-ended");
    assert_eq!(ended.len(), 4, "the trial among them");
    let opened = house.facts("incident-opened");
    assert_eq!(view["incidents"].as_array().unwrap().len(), opened.len());
    assert_eq!(view["severities"][0]["opened"], 1);
    let service = &view["services"][0];
    assert_eq!((&service["service"], &service["interruptions"]), (&"payments".into(), &2.into()));
    let monday = format!("{}T00:00:00[Europe/Berlin]", view["from"].as_str().unwrap());
    let monday = monday.parse::<jiff::Zoned>().unwrap().timestamp();
    let until: jiff::Timestamp = view["until"].as_str().unwrap().parse().unwrap();
    let whole = until.duration_since(monday).as_secs_f64();
    let available = service["available_percent"].as_f64().unwrap();
    // Three decimals, never rounded up.
    let wanted = 100.0 * (whole - 2.0) / whole - available;
    assert!((-1e-6..0.001_001).contains(&wanted), "{available} {wanted}");
    let text = house.run(&["report", "--week", &today]).code(0).out;
    assert!(text.contains("Test Bank: Operations report"), "{text}");
    for (option, begin) in
        [("--html", &b"<!DOCTYPE html>"[..]), ("--pdf", b"%PDF-"), ("--xlsx", b"PK")]
    {
        let path = house.state().join(format!("week{option}"));
        house.run(&["report", "--week", &today, option, path.to_str().unwrap()]).code(0);
        assert!(fs::read(&path).unwrap().starts_with(begin), "{option}");
    }
    let next = house.run(&["report", "--month", "2099-01"]);
    assert_eq!(next.code, Some(2), "{next:?}");
    assert_eq!(house.run(&["report", "--quarter", "2026-Q5"]).code, Some(2));
}

/// However long before the week it was opened.
#[cfg(feature = "faults")]
#[test]
fn a_run_that_ends_in_the_week_is_told_of_however_old_it_is() {
    let town =
        super::serving::Town { house: House::new("  a: {title: A, run: [sh, job.sh, wait]}\n") };
    let at = |text: &str| town.set_clock(text.parse().unwrap());
    town.house.gates(&["a"]);
    at("2026-10-01T22:00:00+02:00");
    let arguments = ["run", "night", "--date", "2026-10-01", "--format", "json"];
    let mut night = super::watched::Night::watch(town.command(&arguments));
    night.started("a");
    at("2026-11-04T10:00:00+01:00");
    town.house.say("a", "go");
    night.ends(0);
    at("2026-11-12T10:00:00+01:00");
    let runs = |week: &str| {
        let view = town.run(&["report", "--week", week, "--format", "json"], 0);
        let view: serde_json::Value = serde_json::from_str(&view).unwrap();
        view["batches"][0]["well"].as_u64()
    };
    assert_eq!(runs("2026-11-04"), Some(1));
    assert_eq!(runs("2026-10-20"), Some(0), "it went on");
    assert_eq!(runs("2026-11-12"), None);
}
