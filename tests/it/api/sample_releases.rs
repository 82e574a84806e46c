//! The sample of changes, played from its first step to its last by its own people on a real PostgreSQL server.

use std::path::Path;

use serde_json::{Value, json};

use super::office::{Office, lacks};
use crate::night::facts::eventually;
use crate::night::house::House;
use crate::postgres_server::Server;

const STAFF: [&str; 7] =
    ["wu-hao", "chen-jing", "lin-tao", "anna-schmidt", "marta-kowalska", "li-wei", "sun-yan"];
const DATABASES: [(&str, &str); 3] =
    [("bank-uat", "bank_uat"), ("bank-pre", "bank_pre"), ("bank-prod", "bank_prod")];

fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/releases"))
}

/// The sample as it lies there, but for the port of its server.
fn copied(house: &House, port: u16) {
    let copy = std::process::Command::new("cp")
        .arg("-r")
        .arg(sample().join("."))
        .arg(house.site())
        .status();
    assert!(copy.unwrap().success());
    let site = std::fs::read_to_string(sample().join("site.yaml")).unwrap();
    assert!(site.contains("port: 5432"));
    house.write("site.yaml", &site.replace("port: 5432", &format!("port: {port}")));
}

/// The three databases, as its README makes them.
async fn banks(server: &Server, house: &House) {
    server.meddle("postgres", "create role nightrun login").await;
    let bank = std::fs::read_to_string(sample().join("setup/create-bank.sql")).unwrap();
    for (target, database) in DATABASES {
        server.meddle("postgres", &format!("create database {database} owner nightrun")).await;
        server.meddle(database, &format!("set role nightrun;\n{bank}")).await;
        let ledger = house.run(&["change", "ledger", target]).code(0).out;
        server.meddle(database, &ledger).await;
    }
}

/// Submitted and reviewed.
fn handed_in(office: &Office, change: &str) {
    office.done("wu-hao", change, "submit", json!({}));
    office.done("chen-jing", change, "review", json!({}));
}

/// Approved for an environment, put on its list, and executed by it.
fn executed(office: &Office, change: &str, (environment, list): (&str, &str), by: &[&str]) {
    for person in by {
        office.done(person, change, "approve", json!({ "environment": environment }));
    }
    office.done("li-wei", change, "schedule", json!({ "environment": environment }));
    assert_eq!(lacks(&office.page(change), environment), Vec::<String>::new());
    let ordered = office.served.house.spawn(&["run", list]);
    eventually("the release", || office.act("li-wei", list, "release-changes").status == 200);
    office.act("sun-yan", list, "watch-changes").ok();
    ordered.ends(0);
    eventually("the stage", || office.page(change)["stage"] == "executed");
}

fn outcomes(page: &Value) -> Vec<String> {
    let places = page["places"].as_array().unwrap();
    places.iter().map(|place| place["state"].to_string()).collect()
}

#[tokio::test]
async fn the_sample_goes_through_its_environments() {
    let server = Server::shared();
    let house = House::empty();
    copied(&house, server.port);
    banks(server, &house).await;
    house.run(&["check"]).code(0);
    let office = Office::staffed(house, &STAFF);

    handed_in(&office, "fee-floor");
    let later = json!({ "environment": "pre-production" });
    let leads = ["lin-tao", "anna-schmidt", "marta-kowalska"];
    executed(&office, "fee-floor", ("uat", "uat"), &leads[..1]);
    // Changed, taken back and changed again, by itself.
    let page = office.page("fee-floor");
    let steps = page["places"][0]["rehearsal"].as_array().unwrap();
    let told: Vec<String> =
        steps.iter().map(|step| format!("{} {}", step["did"], step["rows"])).collect();
    let done = [("changed", 3), ("verified", 0), ("rolled-back", 0), ("former-verified", 0)];
    assert_eq!(told, done.map(|(did, rows)| format!("\"{did}\" {rows}")));
    office.refused("li-wei", "fee-floor", "schedule", later, "not-approved");
    executed(&office, "fee-floor", ("pre-production", "pre-production"), &leads);
    let item = json!({ "environment": "production", "item": "former-environments" });
    office.refused("lin-tao", "fee-floor", "confirm", item.clone(), "role-missing");
    office.done("anna-schmidt", "fee-floor", "confirm", item);
    executed(&office, "fee-floor", ("production", "production"), &leads);
    assert_eq!(outcomes(&office.page("fee-floor")), ["\"done\"", "\"done\"", "\"done\""]);

    handed_in(&office, "fee-correction");
    executed(&office, "fee-correction", ("production", "data"), &["lin-tao", "marta-kowalska"]);

    // What an auditor asks for, read back from the target.
    let house = &office.served.house;
    for (change, rows) in [("fee-floor", 3), ("fee-correction", 11)] {
        let proof = house.json(&["change", "proof", change, "--environment", "production"]);
        assert_eq!(proof["whole"], true, "{proof:#}");
        assert_eq!(proof["attempts"][0]["rows"], rows, "{proof:#}");
    }
    let proof = house.run(&["change", "proof", "fee-floor", "--environment", "uat"]).code(0).out;
    for said in [
        "rehearsed: changed 3 rows at",
        "changed again: 3 rows, verified (1 of 1",
        "rehearsal-former",
    ] {
        assert!(proof.contains(said), "{said}: {proof}");
    }
    let zh = house.run(&["--lang", "zh", "change", "show", "fee-floor"]).code(0).out;
    assert!(zh.contains("已演练：") && zh.contains("再次变更 3 行"), "{zh}");

    // As SQL, by whoever looks into the databases.
    for (_, database) in DATABASES {
        let right = if database == "bank_prod" { 0 } else { 10 };
        let wrong = format!(
            "do $$ begin
               assert (select count(*) from fee_schedule where minimum_fee = 500) = 3, 'floor';
               assert (select count(*) from custody_fee f join fee_agreement a using (tier)
                       where f.year_bp <> a.year_bp) = {right}, 'fees';
             end $$"
        );
        server.meddle(database, &wrong).await;
    }
}
