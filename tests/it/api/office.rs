//! A house with rules for its changes, and everybody of it with a token.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Response, Served};
use crate::night::facts::eventually;
use crate::night::house::{Answer, House};

const SITE: &str = "
version: 1
title: Test Bank
title_zh: 测试银行
zone: Europe/Berlin
calendar: all
mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: report}
targets:
  uat: {title: UAT, sqlite: uat.db, environment: uat}
  prod: {title: Production, sqlite: prod.db, environment: production}
";

pub(super) const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty]}
  wei: {name: Wei Author, roles: [developer]}
  asker: {name: Asker, mail: asker@bank.example, team: custody, roles: [business]}
  mate: {name: Mate, name_zh: 同事, mail: mate@bank.example, language: zh, team: custody, roles: [business]}
  dba: {name: Dba, roles: [dba]}
  dev: {name: Dev Lead, roles: [dev-lead]}
  deputy: {name: Deputy, roles: [dev-deputy]}
  ops: {name: Ops Lead, roles: [operations]}
  ccb-a: {name: First Of Ccb, mail: ccb-a@bank.example, roles: [ccb]}
  ccb-b: {name: Second Of Ccb, mail: ccb-b@bank.example, language: zh, roles: [ccb]}
  pm: {name: Product, mail: pm@bank.example, roles: [product]}
  machine: {name: Redmine, roles: [system]}
";

const RULES: &str = "
version: 1
title: Rules
environments: [uat, production]
deputies: {dev-lead: [dev-deputy]}
steps: {schedule: [operations], close: [operations], archive: [operations], decide: [operations, dba]}
approvals:
  - {environments: [uat], kinds: [normal], review: {role: dba}, roles: [{role: dev-lead}]}
  - {kinds: [emergency], review: {role: dba}, roles: [{role: dev-lead}, {role: ccb, people: 2}]}
  - {review: {role: dba}, roles: [{role: dev-lead}, {role: operations}]}
distinct: [[author, executor, watcher]]
promotion: {classes: [structure]}
emergency: {board: ccb, mail: [ccb], copy: [duty]}
";

pub(super) const CHANGE: &str = "
version: 1
title: Correct the rate
title_zh: 更正费率
class: CLASS
reason: It was that of last year
requester: asker
team: custody
author: wei
product_manager: pm
targets: {uat: uat, production: prod}
rows: {min: 1, max: 1}
verify_takes: 1s
rollback_takes: 1s
";

pub(crate) const SQL: &str = "update fee set rate = 30 where id = 1;\n";

pub(crate) fn folder(house: &House, id: &str, class: &str, sql: &str) {
    house.write(&format!("changes/{id}/change.yaml"), &CHANGE.replace("CLASS", class));
    for (name, text) in [
        ("backup.sql", "create table if not exists fee_before as select * from fee;\n"),
        ("change.sql", sql),
        ("verify.sql", "select 'rate', rate = 30, 'rate ' || rate from fee where id = 1;\n"),
        ("rollback.sql", "update fee set rate = 25 where id = 1;\n"),
    ] {
        house.write(&format!("changes/{id}/{name}"), text);
    }
}

/// A house with two environments, whose databases have one fee each.
pub(super) fn house() -> House {
    let house = House::bare();
    house.write("site.yaml", SITE);
    house.write("people.yaml", PEOPLE);
    house.write("change-rules.yaml", RULES);
    // Around the clock, so that it matters to no test when it runs.
    house.write(
        "shifts.yaml",
        "version: 1\nshifts: {all-day: {title: All day, from: \"00:00\", to: \"00:00\"}}\n",
    );
    let today = jiff::Zoned::now().date();
    let day = |days: i32| today.checked_add(jiff::Span::new().days(days)).unwrap();
    let (from, to) = (day(-7), day(7));
    house.write("roster.yaml", &format!(
        "version: 1\nroster:\n  - {{shift: all-day, from: {from}, to: {to}, people: [ops, wei]}}\n"
    ));
    house.write(
        "night/make.sql",
        "create table fee (id integer primary key, rate int);\ninsert into fee values (1, 25);\n",
    );
    house.batch(
        "setup",
        "jobs:\n  uat: {title: U, sql: make.sql, target: uat}\n  prod: {title: P, sql: make.sql, target: prod}\n",
    );
    folder(&house, "rate", "structure", SQL);
    house.batch("uat", "jobs:\n  rate: {title: R, change: rate, environment: uat}\n");
    house.batch("prod", "jobs:\n  rate: {title: R, change: rate, environment: production}\n");
    house.run(&["run", "setup", "--date", "2026-10-30"]).code(0);
    house
}

/// Everybody with a token, over the network.
pub(super) struct Office {
    pub(super) served: Served,
    pub(super) tokens: BTreeMap<&'static str, String>,
}

const STAFF: [&str; 11] =
    ["wei", "asker", "mate", "dba", "dev", "deputy", "ops", "ccb-a", "ccb-b", "pm", "machine"];

impl Office {
    pub(super) fn of(house: House) -> Self {
        Self::staffed(house, &STAFF)
    }

    /// With the people of a site of its own.
    pub(super) fn staffed(house: House, staff: &[&'static str]) -> Self {
        let served = Served::of(house, "");
        let rights = ["read", "logs", "changes", "second"];
        let token = |person: &&'static str| (*person, served.token(person, &rights));
        let tokens = staff.iter().map(token).collect();
        Self { served, tokens }
    }

    pub(super) fn ask(&self, by: &str, change: &str, step: &str, mut body: Value) -> Response {
        body["reason"] = json!("as agreed");
        let path = format!("/api/v1/changes/{change}/{step}");
        self.served.ask_as(&self.tokens[by], ("POST", &path), Some(&body))
    }

    #[track_caller]
    pub(super) fn done(&self, by: &str, change: &str, step: &str, body: Value) {
        self.ask(by, change, step, body).ok();
    }

    #[track_caller]
    pub(super) fn refused(&self, by: &str, change: &str, step: &str, body: Value, rule: &str) {
        let answer = self.ask(by, change, step, body);
        assert_eq!(answer.json()["rule"], rule, "{by} {step}: {answer:?}");
    }

    /// The command with somebody's token.
    pub(super) fn command(&self, by: &str, words: &[&str]) -> Answer {
        let all = self.words(by, words);
        self.served.house.run(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The arguments of a command with somebody's token.
    pub(super) fn words(&self, by: &str, words: &[&str]) -> Vec<String> {
        let file: PathBuf = self.served.house.state().join(format!("token-{by}"));
        std::fs::write(&file, &self.tokens[by]).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
        let server = format!("http://127.0.0.1:{}", self.served.port);
        let file = file.to_str().unwrap().to_owned();
        let head = ["--server".to_owned(), server, "--token-file".to_owned(), file];
        head.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    pub(super) fn page(&self, change: &str) -> Value {
        let path = format!("/api/v1/changes/{change}");
        let anybody = self.tokens.values().next().unwrap();
        self.served.ask_as(anybody, ("GET", &path), None).ok().json()
    }

    /// Reads changed files, and waits until they are in force.
    pub(super) fn reload(&self, change: &str, holds: impl Fn(&Value) -> bool) {
        self.served.night.signal(Signal::HUP);
        eventually("the changed files", || holds(&self.page(change)));
    }

    pub(super) fn execute(&self, batch: &str) {
        let ordered = self.served.house.spawn(&["run", batch, "--date", "2026-10-30"]);
        self.man(batch);
        ordered.ends(0);
    }

    /// Its changes are released and watched.
    pub(super) fn man(&self, batch: &str) {
        eventually("the release", || self.act("ops", batch, "release-changes").status == 200);
        self.act("dba", batch, "watch-changes").ok();
    }

    /// An action on the run of a batch.
    pub(super) fn act(&self, by: &str, batch: &str, deed: &str) -> Response {
        let path = format!("/api/v1/batches/{batch}/actions");
        let body = json!({ "action": { "do": deed }, "reason": "the list is complete" });
        self.served.ask_as(&self.tokens[by], ("POST", &path), Some(&body))
    }
}

pub(super) fn lacks(page: &Value, environment: &str) -> Vec<String> {
    let places = page["places"].as_array().unwrap();
    let place = places.iter().find(|place| place["environment"] == environment).unwrap();
    let missing = place["missing"].as_array().unwrap();
    missing.iter().map(|line| line["rule"].as_str().unwrap().to_owned()).collect()
}
