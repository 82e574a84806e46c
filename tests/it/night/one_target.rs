//! What a target lets in: one at a time unless it has more connections, and nothing while it is frozen for maintenance.

use serde_json::Value;

use super::facts::eventually;
use super::house::{House, SITE};
use super::restored::{rate, sql};
use crate::postgres_server::Server;

const NIGHT: [&str; 4] = ["run", "night", "--date", "2026-10-30"];

fn change(house: &House, id: &str, update: &str) {
    let file = |name: &str, text: &str| house.write(&format!("changes/{id}/{name}"), text);
    file(
        "change.yaml",
        "version: 1\ntitle: Fix\nclass: data\nreason: r\nrequester: ann\ntarget: bank\nrows: {min: 1, max: 1}\nverify_takes: 1s\nrollback_takes: 1s\n",
    );
    file("backup.sql", &format!("create table before_{id} as select * from fee;\n"));
    file("change.sql", update);
    let number = if id == "b" { 2 } else { 1 };
    file("verify.sql", &format!("select 'rate', rate = 2, 'x' from fee where id = {number};\n"));
    let back = format!("update fee set rate = 1 where id = {number};\ndrop table before_{id};\n");
    file("rollback.sql", &back);
}

fn attempts(house: &House) -> Vec<Value> {
    house.facts("attempt-intended").iter().map(|fact| fact["attempt"].clone()).collect()
}

/// Two changes on one server, each of which works until the test lets it.
#[test]
fn on_a_server_one_change_works_at_a_time_unless_it_has_more_connections() {
    let server = Server::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (connections, at_once) in [("", 1), (", connections: 2", 2)] {
        let database = runtime.block_on(server.database());
        let house = House::new("  a: {title: A, change: a}\n  b: {title: B, change: b}\n");
        let target = format!(
            "postgres: {{host: 127.0.0.1, port: {}, database: {database}, user: postgres, tls: none}}{connections}",
            server.port
        );
        house.write("site.yaml", &SITE.replace("sqlite: bank.db", &target));
        for (id, number) in [("a", 1), ("b", 2)] {
            let update = format!(
                "update fee set rate = 2 where id = {number} and hold() = {number} - {number};\n"
            );
            change(&house, id, &update);
        }
        let ledger = house.run(&["change", "ledger", "bank"]).code(0).out;
        let made = format!(
            "create table fee (id int primary key, rate int); insert into fee values (1, 1), (2, 1);
             create function hold() returns int language plpgsql volatile as $$ begin
               while not pg_try_advisory_xact_lock_shared(7) loop perform pg_sleep(0.05); end loop;
               return 0; end $$; {ledger}"
        );
        runtime.block_on(server.meddle(&database, &made));
        let mut gate = runtime.block_on(server.connect(&database));
        let close = sqlx::Executor::execute(&mut gate, "select pg_advisory_lock(7)");
        runtime.block_on(close).unwrap();
        let night = house.spawn(&NIGHT);
        let working = || {
            let sql = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like 'update fee%'";
            let mut conn = runtime.block_on(server.connect(&database));
            let (count,): (i64,) =
                runtime.block_on(sqlx::query_as(sql).fetch_one(&mut conn)).unwrap();
            count
        };
        eventually("the statements", || working() == at_once);
        let begun = attempts(&house);
        assert_eq!(begun.len() as i64, at_once, "{begun:?}");
        if at_once == 1 {
            assert_eq!(begun, ["night@2026-10-30#1/a/1"]);
            let why = house.run(&["why", "night.b"]).code(0).out;
            assert!(why.contains("bank") && why.contains("night.a"), "{why}");
        }
        drop(gate);
        night.ends(0);
        // The second one began after the first one's end, or beside it.
        let order: Vec<String> = house
            .journal()
            .iter()
            .map(|entry| entry["fact"]["fact"].as_str().unwrap().to_owned())
            .filter(|kind| kind == "attempt-intended" || kind == "attempt-ended")
            .collect();
        let second = order.iter().rposition(|kind| kind == "attempt-intended").unwrap();
        let first_end = order.iter().position(|kind| kind == "attempt-ended").unwrap();
        assert_eq!(second > first_end, at_once == 1, "{order:?}");
        house.nothing_is_lost();
    }
}

#[test]
fn nothing_starts_on_a_target_that_is_frozen_for_maintenance() {
    let house = House::new(
        "  free: {title: F, run: [sh, job.sh]}\n  a: {title: A, change: a}\n  load: {title: L, sql: load.sql, target: bank}\n",
    );
    change(&house, "a", "update fee set rate = 2 where id = 1;\n");
    house.write("night/load.sql", "create table loaded (x int);\n");
    let bank = house.work("bank.db");
    sql(
        &bank,
        "create table fee (id integer primary key, rate integer); insert into fee values (1, 1)",
    );
    // Until when stands with it, so that nobody forgets it for ever.
    let words = ["freeze", "--scope", "target=bank", "--reason", "new disks"];
    assert!(house.run(&words).err.contains("--until"));
    house.run(&[&words[..], &["--until", "2099-01-01T00:00"]].concat()).code(0);
    let mut night = house.spawn(&NIGHT);
    night.ended("free");
    for job in ["a", "load"] {
        let why = house.run(&["why", &format!("night.{job}")]).code(0).out;
        assert!(why.contains("new disks"), "{job}: {why}");
    }
    assert_eq!(attempts(&house), ["night@2026-10-30#1/free/1"]);
    assert_eq!(rate(&bank), 1);
    house.run(&["unfreeze", "F-1", "--reason", "they are in"]).code(0);
    night.ends(0);
    assert_eq!((rate(&bank), attempts(&house).len()), (2, 3));
}
