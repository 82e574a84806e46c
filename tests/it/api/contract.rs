//! The described API and the served one are the same: schemathesis makes up questions from the description and holds the
//! answers to it.

use std::process::Command;

use super::Served;
use crate::night::house::House;

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

#[test]
fn no_question_that_fits_the_description_is_answered_otherwise_than_described() {
    let house = House::new(PAIR);
    let people = std::fs::read_to_string(house.site().join("people.yaml")).unwrap();
    house.write("people.yaml", &(people + "  ada: {name: Ada Admin, roles: [admin]}\n"));
    house.gates(&["a"]);
    let served = Served::of(house, "");
    let mut night = served.house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let everything = ["read", "logs", "operate", "order", "house", "second", "events"];
    hold(&served, &served.token("ann", &everything), &[]);
    // What only an administrator sees; the same token could make the others end.
    hold(&served, &served.token("ada", &["read", "logs", "admin"]), &["--include-method", "GET"]);
    served.house.say("a", "go");
    served.night.kill();
}

fn hold(served: &Served, token: &str, more: &[&str]) {
    let program = std::env::var("NIGHTRUN_SCHEMATHESIS").unwrap_or("schemathesis".to_owned());
    let output = Command::new(program)
        .arg("run")
        .arg(format!("http://127.0.0.1:{}/api/v1/openapi.json", served.port))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // A stream does not end, and a login would be asked to wait.
        .args([
            "--exclude-operation-id-regex",
            "^(get-.*events|get-live|post-.*login|post-.*logout)$",
        ])
        .args(["--checks", "all", "--exclude-checks", "ignored_auth,positive_data_acceptance"])
        .args(["--max-examples", "25", "--seed", "1", "--no-color", "--workers", "1"])
        .args(more)
        .current_dir(served.house.state())
        .output()
        .expect("no schemathesis; install it with: pip install schemathesis==4.32.5");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
