//! People, duty, deeds and archives over the API: the same as by command on the host.

use std::process::Command;

use serde_json::json;

use super::{Served, exchange, get, socket};
use crate::night::facts::{account, eventually};
use crate::night::house::{House, SITE};

fn house() -> House {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    let me = account();
    house.write("people.yaml", &format!(
        "version: 1\npeople:\n  \
         ada: {{name: Ada Admin, name_zh: 艾达, mail: ada@bank.example, team: operations, roles: [admin, duty, report], unix_user: {me}}}\n  \
         vera: {{name: Vera Viewer, mail: vera@bank.example, roles: [viewer]}}\n"
    ));
    house.write("site.yaml", &format!("{SITE}rights: {{viewer: [read]}}\n"));
    house.write(
        "shifts.yaml",
        "version: 1\nshifts:\n  night: {title: Night, from: \"21:30\", to: \"08:30\"}\n",
    );
    house.write(
        "roster.yaml",
        "version: 1\nroster:\n  - {shift: night, from: 2026-10-26, to: 2026-11-01, people: [ada]}\n",
    );
    house
}

fn said(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let (out, err) = (output.stdout, output.stderr);
    let text = String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn what_the_commands_show_on_the_host_they_show_from_elsewhere() {
    let house = house();
    house.run(&["run", "night", "--date", "2026-10-30", "--reason", "a, \"quoted\" one"]).code(0);
    let served = Served::of(house, "");
    let house = &served.house;
    let token = served.token("ada", &["read", "admin"]);
    std::fs::write(house.state().join("token"), &token).unwrap();
    let server = format!("http://localhost:{}", served.port);
    let remote = |words: &[&str]| {
        let mut command = house.command(words);
        // Neither this host's state nor its job files are at hand there.
        command.arg("--state").arg(house.work("elsewhere")).args(["--server", &server]);
        command.arg("--site").arg(house.work("elsewhere"));
        command.arg("--token-file").arg(house.state().join("token"));
        said(command)
    };
    // The first use of a token is an entry too.
    assert_eq!(remote(&["runs"]).0, 0);
    eventually("an entry", || !house.facts("logged-in").is_empty());
    let tomorrow = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow();
    let tomorrow = tomorrow.unwrap().to_string();
    let asked: [&[&str]; 12] = [
        &["people", "list"],
        &["roster", "who", "--at", "2026-10-31T02:00"],
        &["roster", "who", "--at", "2026-10-31T02:00:00+02:00"],
        &["roster", "show", "--month", "2026-10"],
        &["roster", "export", "--from", "2026-10-30", "--to", "2026-11-02"],
        &["roster", "ics"],
        &["audit"],
        &["audit", "--person", "ada", "--from", "2020-01-01", "--to", &tomorrow],
        &["audit", "--csv"],
        &["audit", "--to", "2020-01-01T00:00"],
        &["audit", "--access", &tomorrow, "--person", "vera"],
        &["archive", "list"],
    ];
    for words in asked {
        for more in [&[][..], &["--lang", "zh"], &["--format", "json"]] {
            let words = [words, more].concat();
            let (here, there) = (said(house.command(&words)), remote(&words));
            assert_eq!((here.0, there.0), (0, 0), "{words:?}\n{here:?}\n{there:?}");
            let data = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            let one_form = ["--csv", "export", "ics"].iter().any(|word| words.contains(word));
            match words.contains(&"json") && !one_form {
                true => assert!(
                    data(&here.1).is_some() && data(&here.1) == data(&there.1),
                    "{words:?}\n{here:?}\n{there:?}"
                ),
                false => assert_eq!(here, there, "{words:?}"),
            }
        }
    }
    for (words, part) in [
        (&["audit", "--access", "2020-01-01"][..], "no run had begun"),
        (&["audit", "--from", "yesterday"], "is not a time"),
        (&["roster", "who", "--at", "25:00"], "is not a time"),
    ] {
        let refused = remote(words);
        assert!(refused.0 != 0 && refused.1.contains(part), "{words:?}: {refused:?}");
    }
    served.night.kill();
}

#[test]
fn people_are_told_without_secrets_and_deeds_with_their_proof() {
    let served = Served::of(house(), "");
    let house = &served.house;
    let token = served.token("ada", &["read", "admin"]);
    served.token("vera", &["read"]);
    let ask = |path: &str| served.ask_as(&token, ("GET", path), None).ok();
    let people = ask("/api/v1/people");
    assert!(!people.body.contains("nr_") && !people.body.contains("hash"), "{people:?}");
    let page = people.json();
    let of = |at: usize| {
        let line = &page["items"][at];
        let tokens: Vec<_> = line["tokens"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
        json!([line["id"], line["team"], line["roles"], line["password"], tokens])
    };
    let ada = json!(["ada", "operations", ["admin", "duty", "report"], false, ["T-1"]]);
    assert_eq!((of(0), of(1)), (ada, json!(["vera", null, ["viewer"], false, ["T-2"]])));
    let one = ask("/api/v1/people?person=vera").json();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);

    eventually("the token's first use", || !house.facts("logged-in").is_empty());
    let audit = ask("/api/v1/audit").json();
    let journal = house.json(&["journal", "verify"]);
    assert_eq!(audit["proof"]["head"]["hash"], journal["head"]);
    assert_eq!(audit["proof"]["unread_runs"], 0);
    assert!(audit["lines"].as_array().unwrap().iter().any(|line| line["did"] == "make-token"));
    let csv = [("accept", "text/csv")];
    let csv = exchange(socket(house), ("GET", "/api/v1/audit"), &csv, None).ok();
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.body.starts_with("time,person,second,what,reason,entry,hash\r\n"), "{csv:?}");
    for (path, status) in [
        ("/api/v1/audit?from=x", 400),
        ("/api/v1/audit?limit=3", 400),
        ("/api/v1/people?date=2020-01-01", 404),
        ("/api/v1/people?date=9999-12-31", 400),
        ("/api/v1/roster?at=x", 400),
        ("/api/v1/archives?limit=0", 400),
    ] {
        let answer = get(house, path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    // Nothing has happened meanwhile: it is not sent again.
    let roster = "/api/v1/roster?at=2026-10-31T02:00";
    let first = get(house, roster).ok();
    let known = [("if-none-match", first.headers["etag"].as_str())];
    assert_eq!(exchange(socket(house), ("GET", roster), &known, None).status, 304);
    served.night.kill();
}

#[test]
fn a_calendar_program_reads_shifts_with_a_token_for_a_password_and_nothing_else() {
    let house = house();
    house.write(
        "roster-rules.yaml",
        "version: 1\ntitle: R\ncover:\n  - {shift: night, days: every day}\n",
    );
    let served = Served::of(house, "");
    let token = served.token("vera", &["read"]);
    let basic = |user: &str, password: &str| {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
    };
    let ask = |question: (&str, &str), name: &str| {
        let stream = std::net::TcpStream::connect(("127.0.0.1", served.port)).unwrap();
        exchange(stream, question, &[("authorization", name)], None)
    };
    let feed = ("GET", "/api/v1/roster.ics?person=ada");
    let good = ask(feed, &basic("vera", &token)).ok();
    assert_eq!(good.headers["content-type"], "text/calendar; charset=utf-8");
    assert!(good.body.starts_with("BEGIN:VCALENDAR\r\n"), "{good:?}");
    assert!(good.body.ends_with("END:VCALENDAR\r\n"), "{good:?}");
    // The same all day long: it is not sent again.
    let known = [
        ("authorization", format!("Bearer {token}")),
        ("if-none-match", good.headers["etag"].clone()),
    ];
    let known = known.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stream = std::net::TcpStream::connect(("127.0.0.1", served.port)).unwrap();
    assert_eq!(exchange(stream, feed, &known, None).status, 304);
    // Who has no password is asked for one.
    for wrong in [basic("vera", "nr_00"), "Basic ?".to_owned(), "Digest x".to_owned()] {
        let refused = ask(feed, &wrong);
        assert_eq!(refused.status, 401, "{wrong}: {refused:?}");
        assert!(refused.headers["www-authenticate"].starts_with("Basic "), "{refused:?}");
    }
    // A browser would send it with what other sites make it ask.
    for other in [("GET", "/api/v1/roster"), ("POST", "/api/v1/runs")] {
        let refused = ask(other, &basic("vera", &token));
        assert_eq!((refused.status, refused.headers["www-authenticate"].as_str()), (401, "Bearer"));
    }
    assert_eq!(served.ask_as(&token, ("GET", "/api/v1/roster.ics?person=bo"), None).status, 404);
    for dates in ["from=2026-11-02&to=2026-11-01", "from=2026-01-01&to=2027-01-02", "from=x"] {
        let path = format!("/api/v1/roster/sheet?{dates}");
        assert_eq!(served.ask_as(&token, ("GET", &path), None).status, 400, "{dates}");
    }
    // What is open, with the exit code that says so, here and from elsewhere.
    let house = &served.house;
    std::fs::write(house.state().join("token"), &token).unwrap();
    let server = format!("http://localhost:{}", served.port);
    for (dates, code) in [(["2026-10-26", "2026-11-01"], 0), (["2026-10-26", "2026-11-02"], 2)] {
        let words = ["roster", "gaps", "--from", dates[0], "--to", dates[1]];
        let here = said(house.command(&words));
        let mut there = house.command(&words);
        there.args(["--server", &server, "--token-file"]).arg(house.state().join("token"));
        assert_eq!((here.0, said(there)), (code, here.clone()), "{here:?}");
    }
    served.night.kill();
}
