//! Journalled changes on PostgreSQL that stop half way: two people say how each goes on, by the API and by the command.

use serde_json::{Value, json};

use super::office::{CHANGE, Office, house};
use crate::night::facts::eventually;
use crate::night::house::House;
use crate::postgres_server::Server;

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn column(table: &str, column: &str, there: u8) -> String {
    format!(
        "-- done_when: select count(*) = {there} from information_schema.columns where table_name = '{table}' and column_name = '{column}'\n"
    )
}

/// Two columns, the second of a table that is not there yet.
fn folder(house: &House, id: &str) {
    let (note, kind) = (format!("note_{id}"), format!("kind_{id}"));
    let change = CHANGE
        .replace("CLASS", "data")
        .replace("targets: {uat: uat, production: prod}", "target: prod\nmode: journalled")
        .replace("{min: 1, max: 1}", "{min: 0, max: 1}");
    house.write(&format!("changes/{id}/change.yaml"), &change);
    let verify = format!(
        "select 'columns', count(*) = 2, concat(count(*), '') from information_schema.columns \
         where column_name in ('{note}', '{kind}');\n"
    );
    for (name, text) in [
        ("backup.sql", "select count(*) from fee;\n".to_owned()),
        (
            "change.sql",
            format!(
                "{}alter table fee add column {note} text;\n{}alter table tier add column {kind} int;\n",
                column("fee", &note, 1),
                column("tier", &kind, 1)
            ),
        ),
        ("verify.sql", verify),
        (
            "rollback.sql",
            format!("{}alter table fee drop column {note};\n", column("fee", &note, 0)),
        ),
    ] {
        house.write(&format!("changes/{id}/{name}"), &text);
    }
}

const CHANGES: [&str; 3] = ["forth", "back", "asis"];

/// Its production is a database of PostgreSQL.
fn with_postgres(database: &str) -> House {
    let house = house();
    let server = Server::shared();
    // One in doubt keeps its place at the target.
    let target = format!(
        "prod: {{title: Production, postgres: {{host: 127.0.0.1, port: {}, database: {database}, user: postgres, tls: none}}, environment: production, connections: 3}}",
        server.port
    );
    let site = std::fs::read_to_string(house.site().join("site.yaml")).unwrap();
    let file = "prod: {title: Production, sqlite: prod.db, environment: production}";
    assert!(site.contains(file));
    house.write("site.yaml", &site.replace(file, &target));
    std::fs::remove_dir_all(house.site().join("changes/rate")).unwrap();
    std::fs::remove_file(house.site().join("night/uat.yaml")).unwrap();
    for id in CHANGES {
        folder(&house, id);
    }
    let job = |id: &&str| format!("  {id}: {{title: R, change: {id}}}\n");
    let jobs: String = CHANGES.iter().map(job).collect();
    house.batch("prod", &format!("jobs:\n{jobs}"));
    house
}

#[test]
fn two_people_say_how_a_change_that_stopped_half_way_goes_on() {
    let server = Server::shared();
    let database = on(server.database());
    let house = with_postgres(&database);
    let ledger = house.run(&["change", "ledger", "prod"]).code(0).out;
    on(server.meddle(&database, &format!("create table fee (id int primary key); {ledger}")));
    let office = Office::of(house);
    for id in CHANGES {
        office.done("wei", id, "submit", json!({}));
        office.done("dba", id, "review", json!({}));
        for by in ["dev", "ops"] {
            office.done(by, id, "approve", json!({}));
        }
    }
    let ordered = office.served.house.spawn(&["run", "prod", "--date", "2026-10-30"]);
    office.man("prod");
    for id in CHANGES {
        eventually("the doubt", || office.page(id)["stage"] == "in-doubt");
        let ended = ended(&office.page(id));
        assert_eq!(
            (&ended["state"], &ended["progress"]),
            (&json!("partial"), &json!({ "done": 1, "of": 2 }))
        );
    }
    let shown = office.command("asker", &["change", "show", "forth"]).code(0).out;
    let told: Vec<&str> = shown.split_whitespace().collect();
    assert!(told.join(" ").contains("1 of 2 statements done"), "{shown}");

    // Its author cannot, and one alone cannot; the rest is done with the yes of another.
    on(server.meddle(&database, "create table tier (id int)"));
    office.refused("wei", "forth", "decide", json!({ "how": "continue" }), "role-missing");
    let asked = office.ask("ops", "forth", "decide", json!({ "how": "continue" })).ok().json();
    assert!(asked["done"].as_str().unwrap().contains("R-1 waits"), "{asked}");
    assert_eq!(office.page("forth")["stage"], "in-doubt");
    let path = ("POST", "/api/v1/requests/R-1/second");
    let yes = json!({ "reason": "tier is there now" });
    let refused = office.served.ask_as(&office.tokens["ops"], path, Some(&yes));
    assert_eq!(refused.json()["rule"], "second-person", "{refused:?}");
    office.served.ask_as(&office.tokens["dba"], path, Some(&yes)).ok();
    eventually("the rest", || office.page("forth")["stage"] == "executed");

    // By the command: the way back, and what is left as it is.
    let two = |id: &str, how: &str, number: u32| {
        let asked =
            office.command("dba", &["change", "decide", id, how, "--reason", "as agreed"]).code(0);
        assert!(asked.out.contains(&format!("R-{number} waits")), "{}", asked.out);
        let request = format!("R-{number}");
        // Whoever says yes on the host of the target sees what it says, before anything is asked.
        let unknown = office.served.house.run(&["second", &request, "--reason", "x"]);
        assert!(unknown.err.contains("1 of 2"), "{}", unknown.err);
        office.command("ops", &["second", &request, "--reason", "so be it"]).code(0);
    };
    two("back", "roll-back", 2);
    eventually("the way back", || office.page("back")["stage"] == "rolled-back");
    two("asis", "accept", 3);
    eventually("the decision", || office.page("asis")["stage"] == "executed");
    let page = office.page("asis");
    let last = page["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["step"], &last["applied"], &last["accepted"], &last["second"]["id"]),
        (&json!("decided"), &json!(true), &json!(true), &json!("ops"))
    );
    let there = on(async {
        let mut conn = server.connect(&database).await;
        let sql = "select string_agg(column_name, ',' order by column_name) from information_schema.columns where table_name in ('fee', 'tier') and column_name <> 'id'";
        let (names,): (String,) = sqlx::query_as(sql).fetch_one(&mut conn).await.unwrap();
        names
    });
    assert_eq!(there, "kind_forth,note_asis,note_forth");
    let goes: Vec<Value> = office.served.house.facts("change-moved");
    let goes: Vec<&Value> = goes.iter().filter(|fact| fact["step"]["step"] == "goes-on").collect();
    let how: Vec<(&Value, &Value, &Value)> =
        goes.iter().map(|fact| (&fact["step"]["how"], &fact["by"], &fact["second"])).collect();
    assert_eq!(
        how,
        [
            (&json!("continue"), &json!("ops"), &json!("dba")),
            (&json!("roll-back"), &json!("dba"), &json!("ops")),
        ]
    );
    drop(ordered);
    office.served.night.kill();
    office.served.house.nothing_is_lost();
}

/// What came of the last attempt.
fn ended(page: &Value) -> Value {
    let steps = page["steps"].as_array().unwrap();
    let found = steps.iter().rev().find(|step| step["step"] == "ended").unwrap();
    found["ended"].clone()
}
