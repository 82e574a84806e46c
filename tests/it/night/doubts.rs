//! What a job in doubt took is kept from other runs, by a supervisor too that has never seen that job's run.

use rustix::process::Signal;
use serde_json::json;

use super::facts::{eventually, is_there, send};
use super::house::House;
use super::restored::sql;

const NIGHT: &[&str] = &["run", "night", "--date", "2026-10-30"];
/// A statement without an end.
const LONG: &str =
    "with recursive n (i) as (select 1 union all select i + 1 from n) select max(i) from n;\n";

/// `night.load` works on the target `bank`, and its watcher was killed: the night has ended, and nobody knows whether
/// the statement still works.
fn in_doubt() -> House {
    let house = House::new("  load: {title: L, sql: long.sql, target: bank}\n");
    house.write("night/long.sql", LONG);
    house.write("night/one.sql", "create table one (a integer);\n");
    house.batch(
        "other",
        "jobs:\n  post: {title: P, sql: one.sql, target: bank}\n  free: {title: F, run: [sh, job.sh]}\n",
    );
    let mut night = house.spawn(NIGHT);
    night.started("load");
    send(house.shim_pid("load", 1), Signal::KILL);
    let over = night.ends(1);
    assert_eq!(over.events("in-doubt", "load").len(), 1);
    house
}

/// Ends the worker that nobody watches any more, as an operator would before he decides.
fn end_the_worker(house: &House) {
    let pid = house.facts("attempt-started")[0]["pid"].as_i64().unwrap();
    let pid = i32::try_from(pid).unwrap();
    send(pid, Signal::KILL);
    eventually("the worker's end", || !is_there(pid));
}

/// A new process with another run: what does not need the target goes on, what does waits.
fn other_waits(house: &House) -> super::watched::Night {
    let mut other = house.spawn(&["run", "other", "--date", "2026-10-30"]);
    other.ended("free");
    other.notice("nothing moves by itself any more");
    let intended = house.facts("attempt-intended");
    assert!(
        intended.iter().all(|fact| fact["attempt"] != "other@2026-10-30#1/post/1"),
        "{intended:?}"
    );
    let why = house.run(&["why", "other.post"]).code(0).out;
    assert!(why.contains("night.load"), "{why}");
    other
}

#[test]
fn a_new_process_starts_nothing_on_a_target_that_a_doubt_keeps() {
    let house = in_doubt();
    let mut other = other_waits(&house);
    // Not after a kill of that one either.
    other.event("started", "free");
    other.kill();
    let mut other = house.spawn(&["resume"]);
    other.event("run-resumed", "");
    other.notice("nothing moves by itself any more");
    end_the_worker(&house);
    let skip = ["skip", "night.load", "--reason", "its worker was killed by hand"];
    house.run(&skip).code(0);
    other.ended("post");
    other.ends(0);
    house.nothing_is_lost();
    // Decided once, it keeps nothing any more.
    house.spawn(&["run", "other", "--date", "2026-10-31"]).ends(1);
    assert_eq!(house.facts("attempt-intended").len(), 5);
}

#[test]
fn a_doubt_of_a_former_run_of_the_same_date_can_be_decided() {
    let house = in_doubt();
    house.write("night/long.sql", "select 1;\n");
    let mut again = house.spawn(&[NIGHT, &["--rerun"]].concat());
    again.event("run-opened", "");
    again.notice("nothing moves by itself any more");
    end_the_worker(&house);
    let former = ["skip", "night.load", "--run", "night@2026-10-30#1", "--reason", "looked at it"];
    let done = house.run(&former).code(0).out;
    assert!(done.contains("night@2026-10-30#1"), "{done}");
    again.ended("load");
    again.ends(0);
    house.run(&["skip", "night.load", "--run", "other@2026-10-30#1", "--reason", "x"]).code(2);
}

/// Two columns, the second of a table that is not there.
fn columns() -> House {
    let house = House::new(
        "  make: {title: M, sql: make.sql, target: bank}\n  columns: {title: C, change: columns, needs: [make]}\n",
    );
    house.write("night/make.sql", "create table fee (id integer);\n");
    let change = |name: &str, text: &str| house.write(&format!("changes/columns/{name}"), text);
    change(
        "change.yaml",
        "version: 1\ntitle: Columns\nclass: structure\nreason: Two columns\ntarget: bank\nmode: journalled\n\
         rows: {min: 0, max: 0}\nverify_takes: 1s\nrollback_takes: 1s\n",
    );
    change("backup.sql", "select count(*) from fee;\n");
    change(
        "change.sql",
        "-- done_when: select count(*) = 1 from pragma_table_info('fee') where name = 'note'\n\
         alter table fee add column note text;\n\
         -- done_when: select count(*) = 1 from pragma_table_info('later') where name = 'note'\n\
         alter table later add column note text;\n",
    );
    change(
        "verify.sql",
        "select 'notes', count(*) = 1, count(*) || '' from pragma_table_info('later') where name = 'note'\n",
    );
    change(
        "rollback.sql",
        "-- done_when: select count(*) = 0 from pragma_table_info('fee') where name = 'note'\n\
         alter table fee drop column note;\n",
    );
    house
}

#[test]
fn a_change_that_stopped_half_way_goes_on_when_a_person_has_it_tried_again() {
    let house = columns();
    house.spawn(NIGHT).ends(1);
    let work = |ended: &serde_json::Value| ended["ended"]["work"]["state"].clone();
    let ended = house.facts("attempt-ended");
    assert_eq!(work(ended.last().unwrap()), "partial", "{ended:?}");
    // Somebody sees to what was lacking.
    sql(&house.work("bank.db"), "create table later (id integer)");
    house.run(&["retry", "night.columns", "--reason", "the table is there now"]).code(0);
    let ended = house.facts("attempt-ended");
    assert_eq!(work(ended.last().unwrap()), "done", "{ended:?}");
}

/// It is not verified, and its rollback is refused at the second statement.
#[test]
fn a_rollback_that_stopped_half_way_goes_on_when_a_person_has_it_tried_again() {
    let house = columns();
    let change = |name: &str, text: &str| house.write(&format!("changes/columns/{name}"), text);
    let first = std::fs::read_to_string(house.site().join("changes/columns/change.sql")).unwrap();
    let (first, _) = first.split_once(";\n").unwrap();
    change("change.sql", first);
    let back = "alter table fee drop column note;\ninsert into later (id) values (1);\n";
    let probe =
        "-- done_when: select count(*) = 0 from pragma_table_info('fee') where name = 'note'\n";
    change("rollback.sql", &format!("{probe}{back}"));
    house.spawn(NIGHT).ends(1);
    let work = |house: &House| {
        let ended = house.facts("attempt-ended");
        let work = &ended.last().unwrap()["ended"]["work"];
        (work["state"].clone(), work["progress"].clone())
    };
    let failed = (json!("rollback-failed"), json!({"done": 1, "of": 2}));
    assert_eq!(work(&house), failed);
    let why = house.run(&["why", "night.columns"]).out;
    assert!(why.contains("its rollback failed: 1 of 2 statements of it are done"), "{why}");
    sql(&house.work("bank.db"), "create table later (id integer)");
    house.run(&["retry", "night.columns", "--reason", "the table is there now"]);
    assert_eq!(work(&house), (json!("rolled-back"), json!(null)));
}
