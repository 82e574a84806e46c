//! What is answered.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::{exchange, get, post, socket};
use crate::night::house::House;

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

#[test]
fn a_page_is_the_same_as_data_and_in_words_and_is_not_sent_twice() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let data = get(&house, "/api/v1/status").ok();
    assert_eq!(data.headers["content-type"], "application/json");
    let run = data.json()["runs"][0]["head"]["run"].clone();
    assert_eq!(run, "night@2026-10-30#1");
    let ask = |accept: &str, language: &str| {
        let headers = [("accept", accept), ("accept-language", language)];
        exchange(socket(&house), ("GET", "/api/v1/status"), &headers, None).ok()
    };
    let (words, chinese) = (ask("text/plain", "en"), ask("text/plain", "zh-CN"));
    assert!(words.body.contains("night@2026-10-30#1"), "{}", words.body);
    assert!(chinese.body.contains("业务日期"), "{}", chinese.body);
    assert_eq!(words.body.trim_end(), house.run(&["status"]).code(0).out.trim_end());
    // What nothing has happened to is not sent again; a run's own page does not tell the time of the night.
    let path = "/api/v1/runs?limit=5";
    let first = get(&house, path).ok();
    let known = [("if-none-match", first.headers["etag"].as_str())];
    let again = exchange(socket(&house), ("GET", path), &known, None);
    assert_eq!((again.status, again.body.as_str()), (304, ""), "{again:?}");
    house.say("a", "go");
    night.ends(0);
}

#[test]
fn runs_and_jobs_come_in_pages_that_join_without_a_gap() {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.batch("many", "jobs:\n  j1: {title: J, run: ['true']}\n  j2: {title: J, run: ['true']}\n  j3: {title: J, run: ['true']}\n");
    house.gates(&["a"]);
    for _ in 0..4 {
        house.run(&["run", "many", "--date", "2026-10-29", "--rerun"]).code(0);
    }
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&house, &format!("/api/v1/runs?limit=2{cursor}")).ok().json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|run| run["run"].clone()));
        let Some(next) = page["next"].as_u64() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected = [
        "night@2026-10-30#1",
        "many@2026-10-29#4",
        "many@2026-10-29#3",
        "many@2026-10-29#2",
        "many@2026-10-29#1",
    ];
    assert_eq!(seen, expected);
    let jobs = "/api/v1/runs/many@2026-10-29%233/jobs?limit=2";
    let first = get(&house, jobs).ok().json();
    assert_eq!(first["next"], "j2", "{first}");
    let rest = get(&house, &format!("{jobs}&cursor=j2")).ok().json();
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("j3"), &json!(null)));
    let none = get(&house, "/api/v1/runs/many@2026-10-29%233/jobs?state=failed").ok().json();
    assert_eq!(none["items"], json!([]));
    house.say("a", "go");
    night.ends(0);
}

#[test]
fn a_job_is_acted_on_and_a_batch_ordered_as_by_command() {
    let house = House::new(PAIR);
    house.batch("other", "jobs:\n  x: {title: X, run: [sh, job.sh]}\n");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let hold = json!({ "jobs": "b", "action": { "do": "hold" }, "reason": "not yet" });
    let tried = json!({ "jobs": "b", "action": { "do": "hold" }, "reason": "x", "dry_run": true });
    let actions = "/api/v1/batches/night/actions";
    assert_eq!(post(&house, actions, &tried).ok().json()["events"].as_array().unwrap().len(), 1);
    assert_ne!(house.job("b")["state"]["state"], "held");
    let done = post(&house, "/api/v1/runs/night@2026-10-30%231/actions", &hold).ok().json();
    assert_eq!(done["run"], "night@2026-10-30#1");
    assert_eq!(house.job("b")["state"]["state"], "held");
    let again = post(&house, actions, &hold);
    assert_eq!((again.status, &again.json()["rule"]), (409, &json!("held")), "{again:?}");
    assert_eq!(again.headers["content-type"], "application/problem+json");
    let why = get(&house, "/api/v1/batches/night/jobs/b/why").ok().json();
    assert!(why["reasons"].to_string().contains("not yet"), "{why}");
    let ordered = post(&house, "/api/v1/runs", &json!({ "batch": "other", "date": "2026-10-30" }));
    assert_eq!(ordered.status, 202, "{ordered:?}");
    assert_eq!(ordered.headers["location"], "/api/v1/runs/other@2026-10-30%231");
    let events = "/api/v1/runs/other@2026-10-30%231/events";
    let after = ordered.json()["after"].as_u64();
    let mut stream = super::Stream::of(&house, events, after);
    let told: Vec<_> = std::iter::from_fn(|| stream.next()).collect();
    assert_eq!(told.last().unwrap().data["exit_code"], 0, "{told:?}");
    let log = get(&house, "/api/v1/runs/other@2026-10-30%231/jobs/x/log").ok();
    assert_eq!(log.headers["log-next"], log.body.len().to_string());
    let report = get(&house, "/api/v1/runs/other@2026-10-30%231/report").ok().json();
    assert_eq!(report["totals"]["well"], 1, "{report}");
    let release = json!({ "jobs": "b", "action": { "do": "release" }, "reason": "now" });
    post(&house, actions, &release).ok();
    house.say("a", "go");
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn a_freeze_a_pool_and_their_end_go_through_the_api() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let freeze = json!({
        "from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "reason": "month end",
        "scope": { "batches": ["night"] },
    });
    post(&house, "/api/v1/freezes", &freeze).ok();
    let standing = get(&house, "/api/v1/standing").ok().json();
    assert_eq!(standing["freezes"].as_array().unwrap().len(), 1, "{standing}");
    house.say("a", "go");
    night.ended("a");
    assert_eq!(house.job("b")["state"]["reasons"][0]["what"], "frozen");
    post(&house, "/api/v1/freezes/F-1/lift", &json!({ "reason": "done" })).ok();
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn what_cannot_be_answered_is_a_problem_with_its_own_words() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let asked = [
        ("GET", "/api/v1/nothing", None, 404, "there is no /api/v1/nothing"),
        ("GET", "/api/v1/runs/night@2026-10-30%239", None, 404, "there is no run"),
        ("GET", "/api/v1/runs/..%2F..%2Fetc", None, 404, ""),
        ("GET", "/api/v1/runs?limit=0", None, 400, "limit: from 1 to 1000"),
        ("GET", "/api/v1/runs?batches=night", None, 400, "unknown field `batches`"),
        ("DELETE", "/api/v1/status", None, 405, "not with this method"),
        ("POST", "/api/v1/runs", Some(json!({})), 422, "missing field `batch`"),
        ("POST", "/api/v1/runs", Some(json!({"batch": "nope"})), 409, "nope"),
        (
            "POST",
            "/api/v1/batches/night/actions",
            Some(json!({"jobs": "a", "action": {"do": "hold"}, "reason": " "})),
            400,
            "it must say why",
        ),
        (
            "POST",
            "/api/v1/batches/night/actions",
            Some(json!({"jobs": "x", "action": {"do": "hold"}, "reason": "y"})),
            404,
            "no job",
        ),
    ];
    for (method, path, body, status, words) in asked {
        let answer = exchange(socket(&house), (method, path), &[], body.as_ref());
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    house.say("a", "go");
    night.ends(0);
}

#[test]
fn monitors_learn_whether_it_turns_whether_it_is_ready_and_how_much_there_is() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    assert_eq!(get(&house, "/healthz").ok().json()["leads"], true);
    get(&house, "/readyz").ok();
    let figures = get(&house, "/metrics").ok();
    assert!(figures.headers["content-type"].starts_with("application/openmetrics-text"));
    for line in [
        "nightrun_leads 1",
        "nightrun_runs_open 1",
        "nightrun_jobs{state=\"running\"} 1",
        "nightrun_jobs{state=\"waiting\"} 1",
        "nightrun_store_in_trouble 0",
        "nightrun_outbox_unsent 0",
    ] {
        assert!(figures.body.lines().any(|has| has == line), "no `{line}` in\n{}", figures.body);
    }
    let mut database = crate::night::store_trouble::Database::open(&house);
    database.execute("begin immediate");
    house.say("a", "go");
    night.notice("the store does not take what was decided");
    // It lives and says why it is not ready; what was durable is still shown, with the trouble.
    assert!(get(&house, "/healthz").ok().json()["note"].to_string().contains("store"));
    assert_eq!(get(&house, "/readyz").status, 503);
    let page = get(&house, "/api/v1/status").ok().json();
    assert!(page["trouble"].to_string().contains("the store does not take"), "{page}");
    database.execute("rollback");
    database.close();
    night.ends(0);
}

#[test]
fn the_page_about_the_api_names_every_route_and_what_it_takes() {
    let page = include_str!("../../../src/docs/api.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).filter(|line| {
        ["GET /", "POST /", "PUT /", "DELETE /"].iter().any(|method| line.starts_with(method))
    });
    let written: Vec<String> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    let served: Vec<String> = nightrun::http::routes()
        .iter()
        .map(|route| format!("{} {}", route.name().0, route.name().1))
        .collect();
    assert_eq!(written, served);
}

#[test]
fn a_watched_status_follows_the_night_from_one_supervisor_to_the_next() {
    let house = House::new(PAIR);
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut watch = house.command(&["status", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |words: &str| {
        let found = shown.by_ref().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("`{words}` was never shown"))
    };
    until("night@2026-10-30#1");
    night.kill();
    until("no supervisor is at work");
    let resumed = house.spawn(&["resume"]);
    until("night@2026-10-30#1");
    house.say("a", "go");
    resumed.ends(0);
    watch.kill().unwrap();
    watch.wait().unwrap();
}
