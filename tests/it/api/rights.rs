//! Who may ask what: every route with every role.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::json;

use super::Served;
use crate::night::facts::eventually;
use crate::night::house::House;

const PEOPLE: &str = "
version: 1
people:
  vera: {name: Vera Viewer, roles: [viewer]}
  olga: {name: Olga Operator, roles: [viewer, operator]}
  kim: {name: Kim Approver, roles: [viewer, approver]}
  max: {name: Max Machine, roles: [machine]}
  ada: {name: Ada Admin, roles: [admin]}
  nobody: {name: Nobody Special, roles: [guest]}
";

const RIGHTS: &str = "
rights:
  viewer: [read]
  operator: [logs, operate, order, house]
  approver: [second]
  machine: [events, respond, changes]
";

/// What each route takes, written down once more: a route that is not here fails the test. `known`: whoever may read.
const TAKES: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/status", "read"),
    ("GET", "/api/v1/runs", "read"),
    ("GET", "/api/v1/runs/{run}", "read"),
    ("GET", "/api/v1/runs/{run}/jobs", "read"),
    ("GET", "/api/v1/runs/{run}/report", "read"),
    ("GET", "/api/v1/runs/{run}/jobs/{job}", "read"),
    ("GET", "/api/v1/batches/{batch}/jobs/{job}/why", "read"),
    ("GET", "/api/v1/runs/{run}/jobs/{job}/log", "logs"),
    ("GET", "/api/v1/standing", "read"),
    ("GET", "/api/v1/hosts", "read"),
    ("POST", "/api/v1/hosts/{host}/drain", "operate"),
    ("POST", "/api/v1/hosts/{host}/undrain", "operate"),
    ("GET", "/api/v1/people", "admin"),
    ("GET", "/api/v1/roster", "read"),
    ("GET", "/api/v1/roster/sheet", "read"),
    ("GET", "/api/v1/roster/gaps", "read"),
    ("GET", "/api/v1/roster.ics", "read"),
    ("GET", "/api/v1/audit", "admin"),
    ("GET", "/api/v1/archives", "read"),
    ("POST", "/api/v1/runs", "order"),
    ("POST", "/api/v1/runs/{run}/actions", "operate"),
    ("POST", "/api/v1/batches/{batch}/actions", "operate"),
    ("POST", "/api/v1/freezes", "house"),
    ("POST", "/api/v1/freezes/{freeze}/lift", "house"),
    ("POST", "/api/v1/pools/{pool}", "house"),
    ("POST", "/api/v1/requests/{request}/second", "second"),
    ("POST", "/api/v1/events", "events"),
    ("GET", "/api/v1/changes", "read"),
    ("GET", "/api/v1/changes/lists", "read"),
    ("GET", "/api/v1/changes/stats", "read"),
    ("GET", "/api/v1/changes/{change}", "read"),
    ("GET", "/api/v1/changes/{change}/diff", "logs"),
    ("GET", "/api/v1/changes/{change}/proof", "logs"),
    ("POST", "/api/v1/changes", "changes"),
    ("POST", "/api/v1/changes/{change}/{step}", "changes"),
    ("GET", "/api/v1/incidents", "read"),
    ("GET", "/api/v1/incidents/{incident}", "read"),
    ("GET", "/api/v1/incidents/{incident}/report", "logs"),
    ("POST", "/api/v1/incidents", "respond"),
    ("POST", "/api/v1/incidents/{incident}/{step}", "respond"),
    ("GET", "/api/v1/drills", "read"),
    ("POST", "/api/v1/drills/{drill}", "house"),
    ("GET", "/api/v1/hand-overs", "read"),
    ("GET", "/api/v1/hand-overs/{hand_over}", "read"),
    ("POST", "/api/v1/hand-overs/{hand_over}/{step}", "respond"),
    ("GET", "/api/v1/bulletin", "read"),
    ("GET", "/api/v1/operations/{period}", "read"),
    ("POST", "/api/v1/figures/{figure}", "house"),
    ("GET", "/api/v1/inspections", "read"),
    ("POST", "/api/v1/login", ""),
    ("POST", "/api/v1/logout", "known"),
    ("POST", "/api/v1/credentials", "admin"),
    ("GET", "/", "read"),
    ("GET", "/runs/{run}", "read"),
    ("GET", "/runs/{run}/graph", "read"),
    ("GET", "/runs/{run}/report", "read"),
    ("GET", "/runs/{run}/report/{form}", "read"),
    ("GET", "/runs/{run}/jobs/{job}", "read"),
    ("GET", "/runs/{run}/jobs/{job}/log.txt", "logs"),
    ("GET", "/runs/{run}/jobs/{job}/{deed}", "operate"),
    ("POST", "/runs/{run}/jobs/{job}/{deed}", "operate"),
    ("GET", "/incidents", "read"),
    ("GET", "/changes", "read"),
    ("GET", "/changes/lists", "read"),
    ("GET", "/changes/{change}", "read"),
    ("GET", "/changes/{change}/{step}", "changes"),
    ("POST", "/changes/{change}/{step}", "changes"),
    ("GET", "/changes/{change}/requests/{request}", "second"),
    ("POST", "/changes/{change}/requests/{request}", "second"),
    ("GET", "/hand-overs", "read"),
    ("GET", "/hand-overs/{hand_over}", "read"),
    ("POST", "/hand-overs/{hand_over}/{step}", "respond"),
    ("GET", "/calendar", "read"),
    ("GET", "/history", "read"),
    ("GET", "/compare", "read"),
    ("GET", "/incidents/{incident}", "read"),
    ("POST", "/incidents/{incident}/{step}", "respond"),
    ("GET", "/login", ""),
    ("POST", "/login", ""),
    ("POST", "/logout", "known"),
    ("POST", "/own", ""),
    ("GET", "/live", "read"),
    ("GET", "/assets/{name}", ""),
    ("GET", "/api/v1/events", "read"),
    ("GET", "/api/v1/runs/{run}/events", "read"),
    ("GET", "/healthz", ""),
    ("GET", "/readyz", ""),
    ("GET", "/metrics", ""),
    ("GET", "/api/v1/openapi.json", ""),
];

const HAS: &[(&str, &[&str])] = &[
    ("vera", &["read"]),
    ("olga", &["read", "logs", "operate", "order", "house"]),
    ("kim", &["read", "second"]),
    ("max", &["events", "respond", "changes"]),
    (
        "ada",
        &[
            "read", "logs", "operate", "order", "house", "second", "events", "respond", "changes",
            "admin",
        ],
    ),
    ("nobody", &[]),
];

fn house() -> House {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.gates(&["a"]);
    house.write("people.yaml", PEOPLE);
    let site = std::fs::read_to_string(house.site().join("site.yaml")).unwrap();
    house.write("site.yaml", &(site + RIGHTS));
    house
}

fn body(path: &str) -> serde_json::Value {
    match path.rsplit('/').next().unwrap() {
        "runs" => json!({ "batch": "nope" }),
        "actions" => json!({ "action": { "do": "note", "text": "x" }, "reason": "x" }),
        "freezes" => {
            json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "reason": "x", "dry_run": true })
        }
        "lift" | "second" => json!({ "reason": "x", "dry_run": true }),
        "{pool}" => {
            json!({ "size": 1, "until": "2099-01-01T00:00:00Z", "reason": "x", "dry_run": true })
        }
        "events" => json!({ "key": "k", "event": "nope", "business_date": "2026-10-30" }),
        "changes" => {
            let request = json!({ "title": "x", "class": "data" });
            json!({ "change": "nope", "request": request, "reason": "x", "dry_run": true })
        }
        "incidents" => {
            json!({ "title": "x", "kind": "request", "severity": "p3", "dry_run": true })
        }
        "{step}" if path.contains("hand-overs") => json!({ "words": "x", "dry_run": true }),
        "{step}" => json!({ "reason": "x", "dry_run": true }),
        "login" => json!({ "person": "vera", "password": "wrong" }),
        "credentials" => {
            json!({ "credential": { "credential": "set-password", "person": "nobody", "hash": "x" } })
        }
        _ => json!(null),
    }
}

#[test]
fn every_route_lets_in_whom_its_right_lets_in_and_nobody_else() {
    let served = Served::of(house(), "");
    let mut night = served.house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let described: Vec<(String, &str)> = nightrun::http::routes()
        .iter()
        .map(|route| (route.name().0.to_string(), route.name().1))
        .collect();
    let written: Vec<(String, &str)> =
        TAKES.iter().map(|(method, path, _)| ((*method).to_owned(), *path)).collect();
    assert_eq!(described, written);
    // No change is hidden behind a word of the API.
    let words = TAKES.iter().filter_map(|(_, path, _)| path.strip_prefix("/api/v1/changes/"));
    let words: Vec<&str> = words.filter(|word| !word.starts_with('{')).collect();
    assert_eq!(words, nightrun::definition::site::KEPT_IDS);
    let tokens: BTreeMap<&str, String> = HAS
        .iter()
        .filter(|(_, has)| !has.is_empty())
        .map(|(person, has)| (*person, served.token(person, has)))
        .collect();
    // Who has no right gets no token either.
    let made = served.house.run(&["people", "token", "nobody", "--name", "x", "--right", "read"]);
    assert!(made.code(3).err.contains("right-missing"));
    for (method, path, right) in TAKES {
        // A stream that lets somebody in does not end; it is asked after what lies behind its end.
        let url = path
            .replace("{run}", "night@2026-10-30%231")
            .replace("{batch}", "night")
            .replace("{job}", "a")
            .replace("{freeze}", "F-9")
            .replace("{pool}", "nope")
            .replace("{host}", "nope")
            .replace("{request}", "R-9")
            .replace("{change}", "nope")
            .replace("{deed}", "hold")
            .replace("{form}", "pdf")
            .replace("{hand_over}", "night@2026-10-30")
            .replace("{step}", if path.contains("hand-overs") { "give" } else { "close" });
        if url.ends_with("/logout") {
            continue;
        }
        let sent = (*method == "POST").then(|| body(path));
        let streams = url.ends_with("/events") || url == "/live";
        if !right.is_empty() {
            let stranger = served.ask((method, &url), &[], sent.as_ref());
            assert_eq!(stranger.status, 401, "{method} {url} without a token: {stranger:?}");
            let forged = served.ask_as("nr_00", (method, &url), sent.as_ref());
            assert!(matches!(forged.status, 401 | 429), "{method} {url} forged: {forged:?}");
        }
        for (person, has) in HAS.iter().filter(|(_, has)| !has.is_empty()) {
            let may = right.is_empty() || has.contains(right);
            if streams && may {
                continue;
            }
            let answer = served.ask_as(&tokens[person], (method, &url), sent.as_ref());
            if right.is_empty() {
                assert!(answer.status != 403, "{person} {method} {url}: {answer:?}");
            } else if may {
                assert!(
                    !matches!(answer.status, 401 | 403 | 500..),
                    "{person} {method} {url}: {answer:?}"
                );
            } else {
                assert_eq!(answer.status, 403, "{person} {method} {url}: {answer:?}");
                let rule = answer.json()["rule"].clone();
                assert!(rule == "right-missing" || rule == "unknown-person", "{answer:?}");
            }
        }
    }
    served.house.say("a", "go");
    night.ends(0);
    served.night.kill();
}

#[test]
fn logins_and_tokens_are_told_to_who_may_audit_and_a_token_at_work_is_recorded_once() {
    let served = Served::of(house(), "");
    let (vera, ada) = (served.token("vera", &["read"]), served.token("ada", &["read", "admin"]));
    let port = served.port;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| served_status(port, &vera));
        }
    });
    eventually("an entry", || !served.house.facts("logged-in").is_empty());
    let of_vera = |fact: &serde_json::Value| fact["person"] == "vera";
    assert_eq!(served.house.facts("logged-in").iter().filter(|fact| of_vera(fact)).count(), 1);
    let (reader, auditor) = (told(port, &vera), told(port, &ada));
    assert!(reader.starts_with("HTTP/1.1 200"), "{reader}");
    assert!(!reader.contains("token-made") && !reader.contains("logged-in"), "{reader}");
    assert!(auditor.contains("token-made") && auditor.contains("logged-in"), "{auditor}");
    served.night.kill();
}

/// What there is in the journal, as a token is told of it.
fn told(port: u16, token: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
    let question = format!(
        "GET /api/v1/events?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).unwrap();
    let mut heard = Vec::new();
    // It goes on; what there is comes at once.
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8(heard).unwrap()
}

#[test]
fn what_a_program_has_said_is_told_to_who_may_read_output_and_to_nobody_else() {
    let house = house();
    // What they say is in no file.
    let jobs = "jobs:
  a: {title: A, shell: 'echo WORD=val\"\"ued >> \"$NIGHTRUN_OUT\"'}
  b: {title: B, shell: 'echo spo\"\"ken; exit 1'}
";
    house.batch("night", jobs);
    let served = Served::of(house, "");
    served.house.run(&["run", "night", "--date", "2026-10-30"]).code(1);
    let said = |text: &str| ["valued", "spoken"].map(|word| text.contains(word));
    let (vera, olga) = (served.token("vera", &["read"]), served.token("olga", &["read", "logs"]));
    for url in [
        "/api/v1/status",
        "/api/v1/runs/night@2026-10-30%231",
        "/api/v1/runs/night@2026-10-30%231/jobs",
        "/api/v1/runs/night@2026-10-30%231/jobs/b",
        "/api/v1/incidents/INC-1",
    ] {
        let answer = served.ask_as(&vera, ("GET", url), None).ok();
        assert_eq!(said(&answer.body), [false, false], "{url}: {}", answer.body);
    }
    let report = ("GET", "/api/v1/runs/night@2026-10-30%231/report");
    assert_eq!(said(&served.ask_as(&vera, report, None).ok().body), [false, false]);
    assert!(said(&served.ask_as(&olga, report, None).ok().body)[1]);
    let (reader, operator) = (told(served.port, &vera), told(served.port, &olga));
    assert!(reader.contains("attempt-ended") && said(&reader) == [false, false], "{reader}");
    assert_eq!(said(&operator), [true, true], "{operator}");
    served.night.kill();
}

fn served_status(port: u16, token: &str) {
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let name = format!("Bearer {token}");
    let headers = [("authorization", name.as_str())];
    super::exchange(stream, ("GET", "/api/v1/status"), &headers, None).ok();
}

#[test]
fn a_token_may_less_than_its_person_and_nothing_when_it_is_over() {
    let served = Served::of(house(), "");
    let narrow = served.token("ada", &["read"]);
    let status = ("GET", "/api/v1/status");
    served.ask_as(&narrow, status, None).ok();
    let order = json!({ "batch": "night", "date": "2026-10-30" });
    let refused = served.ask_as(&narrow, ("POST", "/api/v1/runs"), Some(&order));
    assert_eq!((refused.status, &refused.json()["rule"]), (403, &json!("right-missing")));
    // Nor does it make what may more: a token or a password of the same person.
    let all = json!(["read", "admin"]);
    let made = json!({ "credential": "make-token", "person": "ada", "name": "x", "rights": all,
        "expires": "2099-01-01T00:00:00Z", "hash": "ab".repeat(32) });
    let set = json!({ "credential": "set-password", "person": "ada", "hash": "x" });
    for credential in [made, set] {
        let body = json!({ "credential": credential });
        let refused = served.ask_as(&narrow, ("POST", "/api/v1/credentials"), Some(&body));
        assert_eq!((refused.status, &refused.json()["rule"]), (403, &json!("right-missing")));
    }
    let tokens = served.house.json(&["people", "tokens"]);
    let id = tokens[0]["id"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    served.house.run(&["people", "revoke", &id, "--reason", "lost"]).code(0);
    assert_eq!(served.ask_as(&narrow, status, None).status, 401);
    // Whoever leaves the site loses what was made in his name.
    let wide = served.token("olga", &["read"]);
    served.ask_as(&wide, status, None).ok();
    served.house.write("people.yaml", &PEOPLE.replace("  olga:", "  otto:"));
    served.night.signal(rustix::process::Signal::HUP);
    eventually("nobody", || served.ask_as(&wide, status, None).status == 403);
    let gone = served.ask_as(&wide, status, None);
    assert_eq!((gone.status, &gone.json()["rule"]), (403, &json!("unknown-person")), "{gone:?}");
    served.night.kill();
}
