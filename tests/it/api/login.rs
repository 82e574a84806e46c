//! Coming in over the network: with a password, with a token, over TLS.

use std::io::Write;
use std::process::Stdio;

use rcgen::{CertificateParams, KeyPair};
use serde_json::json;

use super::Served;
use crate::night::house::House;

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty, report]}
  bea: {name: Bea, roles: [duty]}
";

fn house() -> House {
    let house = House::new(
        "  a: {title: A, run: [sh, job.sh, wait]}\n  b: {title: B, run: [sh, job.sh], needs: [a]}\n",
    );
    house.write("people.yaml", PEOPLE);
    house
}

fn set_password(house: &House, person: &str, password: &str) {
    let mut command = house.command(&["people", "password", person]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn login(served: &Served, person: &str, password: &str) -> super::Response {
    let body = json!({ "person": person, "password": password });
    served.ask(("POST", "/api/v1/login"), &[], Some(&body))
}

const PASSWORD: &str = "night 夜班 is long";

#[test]
fn a_password_opens_a_session_until_it_is_ended_and_each_try_is_recorded() {
    let served = Served::of(house(), "");
    set_password(&served.house, "ann", PASSWORD);
    for (person, password) in [("ann", "something else"), ("bea", PASSWORD), ("eve", PASSWORD)] {
        let refused = login(&served, person, password);
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(!refused.headers.contains_key("set-cookie"));
        // Who tries does not learn which of the two was wrong.
        assert_eq!(refused.json()["detail"], login(&served, "mallory", "x").json()["detail"]);
    }
    let session = login(&served, "ann", PASSWORD).ok();
    assert_eq!(session.json()["person"], "ann");
    let cookie = &session.headers["set-cookie"];
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with = |question| served.ask(question, &[("cookie", &cookie)], None);
    with(("GET", "/api/v1/status")).ok();
    assert_eq!(with(("POST", "/api/v1/logout")).status, 204);
    // A browser is told to forget a session that is over, and only then.
    let over = with(("GET", "/api/v1/status"));
    let forget = "nightrun_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
    assert_eq!((over.status, over.headers["set-cookie"].as_str()), (401, forget), "{over:?}");
    let page = [("cookie", cookie.as_str()), ("accept", "text/html")];
    let page = served.ask(("GET", "/incidents/INC-1"), &page, None);
    assert_eq!((page.status, page.headers["set-cookie"].as_str()), (303, forget), "{page:?}");
    let token = [("cookie", cookie.as_str()), ("authorization", "Bearer none")];
    for other in [&token[..], &[]] {
        let refused = served.ask(("GET", "/api/v1/status"), other, None);
        assert!(refused.status == 401 && !refused.headers.contains_key("set-cookie"), "{other:?}");
    }
    let wrong = json!({ "person": "ann", "password": "x" });
    let wrong = served.ask(("POST", "/api/v1/login"), &[("cookie", &cookie)], Some(&wrong));
    assert!(wrong.status == 401 && !wrong.headers.contains_key("set-cookie"), "{wrong:?}");
    let refused = served.house.facts("login-refused");
    let reasons: Vec<_> = refused.iter().map(|fact| fact["why"].clone()).collect();
    for why in ["wrong-password", "no-password", "unknown-person"] {
        assert!(reasons.contains(&json!(why)), "{reasons:?}");
    }
    let logins = served.house.facts("logged-in");
    assert_eq!((logins.len(), &logins[0]["person"]), (1, &json!("ann")));
    // Neither the password nor anything made of it is in the journal.
    let journal = serde_json::to_string(&served.house.journal()).unwrap();
    assert!(!journal.contains(PASSWORD) && !journal.contains("argon2"));
    served.night.kill();
}

#[test]
fn who_tries_too_often_has_to_wait_though_the_password_is_right() {
    let served = Served::of(house(), "");
    set_password(&served.house, "ann", PASSWORD);
    let mut refused = 0;
    while login(&served, "ann", "not this one").status == 401 {
        refused += 1;
        assert!(refused < 20, "never has to wait");
    }
    assert!(refused >= 5, "{refused}");
    let right = login(&served, "ann", PASSWORD);
    assert_eq!(right.status, 429, "{right:?}");
    assert!(right.json()["detail"].to_string().contains("the next one in"));
    // Others are not kept out, and whoever waited comes in.
    set_password(&served.house, "bea", PASSWORD);
    login(&served, "bea", PASSWORD).ok();
    crate::night::facts::eventually("let in again", || {
        login(&served, "ann", PASSWORD).status == 200
    });
    served.night.kill();
}

#[test]
fn the_commands_of_another_host_speak_over_tls_with_a_token() {
    let house = house();
    house.gates(&["a"]);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = |name: &str| house.state().join(name);
    std::fs::write(file("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(file("key.pem"), key.serialize_pem()).unwrap();
    let served = Served::of(house, ", certificate: cert.pem, key: key.pem");
    let house = &served.house;
    std::fs::write(file_in(house, "token"), served.token("ann", &["read", "operate", "order"]))
        .unwrap();
    let server = format!("https://localhost:{}", served.port);
    let remote = |words: &[&str]| {
        let mut command = house.command(words);
        // Nothing of this host's state is at hand there.
        command.arg("--state").arg(house.work("elsewhere")).args(["--server", &server]);
        command.arg("--token-file").arg(file_in(house, "token"));
        command.arg("--ca-file").arg(file_in(house, "cert.pem"));
        command
    };
    let run = |words: &[&str]| {
        let output = remote(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap() + &said)
    };
    let mut night = crate::night::watched::Night::watch(remote(&[
        "run",
        "night",
        "--date",
        "2026-10-30",
        "--format",
        "json",
    ]));
    night.started("a");
    let (code, status) = run(&["status"]);
    assert!(code == 0 && status.contains("night@2026-10-30#1"), "{status}");
    assert_eq!(run(&["hold", "night.b", "--reason", "wait for the desk"]).0, 0);
    let (code, why) = run(&["why", "night.b"]);
    assert!(code == 0 && why.contains("wait for the desk") && why.contains("Ann"), "{why}");
    assert_eq!(run(&["release", "night.b", "--reason", "go on"]).0, 0);
    let (code, refused) = run(&[
        "freeze",
        "--from",
        "now",
        "--until",
        "2099-01-01T00:00",
        "--scope",
        "site",
        "--reason",
        "x",
    ]);
    assert!(code == 3 && refused.contains("right-missing"), "{code} {refused}");
    house.say("a", "go");
    night.ends(0);
    let (code, runs) = run(&["runs"]);
    assert!(code == 0 && runs.contains("night@2026-10-30#1"), "{runs}");
    let (code, report) = run(&["report", "--date", "2026-10-30"]);
    assert!(code == 0 && report.contains("Ann"), "{report}");
    // Its files are not made from a store that happens to be here.
    let (code, refused) = run(&["report", "--date", "2026-10-30", "--pdf", "night.pdf"]);
    assert!(code == 2 && refused.contains("/runs/RUN/report"), "{code} {refused}");
    let (code, refused) = run(&["log", "night.a"]);
    assert!(code == 3 && refused.contains("`logs`"), "{code} {refused}");
    assert!(house.facts("run-opened").iter().all(|opened| opened["by"] == "ann"));
    // Whoever does not know the certificate sends no token.
    let mut command = house.command(&["status", "--server", &server]);
    command.arg("--token-file").arg(file_in(house, "token"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.to_lowercase().contains("certificate"), "{said}");
    house.nothing_is_lost();
    served.night.kill();
}

fn file_in(house: &House, name: &str) -> std::path::PathBuf {
    house.state().join(name)
}
