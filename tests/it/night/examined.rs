//! A change whose worker died is looked at without being asked for: applied, it is verified; else it is proven clean.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use super::facts::{eventually, is_there, send};
use super::house::House;
use super::restored::{rate, sql};

/// An update that never ends.
const ENDLESS: &str = "update fee set rate = rate + 1 where id = 1 and \
    (with recursive n (i) as (select 1 union all select i + 1 from n) select max(i) from n) > 0;\n";
const UPDATE: &str = "update fee set rate = rate + 1 where id = 1;\n";

fn house(change: &str, retry: &str) -> House {
    let house = House::new(&format!("  fix: {{title: F, change: fix{retry}}}\n"));
    house.write("changes/fix/change.yaml", "version: 1\ntitle: Fix\nclass: data\nreason: r\nrequester: ann\ntarget: bank\nrows: {min: 1, max: 1}\nverify_takes: 1s\nrollback_takes: 1s\n");
    house.write("changes/fix/backup.sql", "create table before_fix as select * from fee;\n");
    house.write("changes/fix/change.sql", change);
    let verify = "select 'rate', rate = 2, rate || '' from fee where id = 1;\n";
    house.write("changes/fix/verify.sql", verify);
    let back = "update fee set rate = rate - 1 where id = 1; drop table before_fix;\n";
    house.write("changes/fix/rollback.sql", back);
    sql(
        &house.work("bank.db"),
        "create table fee (id integer primary key, rate integer); insert into fee values (1, 1)",
    );
    house
}

fn bank(house: &House) -> std::path::PathBuf {
    house.work("bank.db")
}

/// Which attempts only looked.
fn examines(house: &House) -> Vec<bool> {
    let intended = house.facts("attempt-intended");
    intended.iter().map(|fact| fact["examine"] == true).collect()
}

fn state(house: &House, attempt: usize) -> String {
    let work = &house.facts("attempt-ended")[attempt]["ended"]["work"];
    work["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_killed_worker_s_change_is_examined_and_never_applied_twice() {
    for (point, applied) in [("precommit", false), ("committed", true), ("verify", true)] {
        let house = house(UPDATE, "");
        let mut command = house.command(&["run", "night", "--date", "2026-10-30"]);
        command.env("NIGHTRUN_FAULT", format!("worker.{point}"));
        command.env("NIGHTRUN_FAULT_ONCE", house.work("died"));
        let code = command.output().unwrap().status.code();
        assert_eq!(code, Some(i32::from(!applied)), "{point}");
        assert_eq!(rate(&bank(&house)), if applied { 2 } else { 1 }, "{point}");
        assert_eq!(examines(&house), [false, true], "{point}");
        assert_eq!(house.facts("in-doubt").len(), 1, "{point}");
        let found = state(&house, 1);
        assert_eq!(found, if applied { "done" } else { "failed-clean" }, "{point}");
        let ended = &house.facts("attempt-ended")[1];
        let evidence = ended["ended"]["work"]["evidence"].as_array().unwrap();
        let rows = evidence[1]["answer"].as_str().unwrap();
        assert_eq!(rows.contains("fix/1 ready"), applied, "{rows}");
        if !applied {
            house.run(&["retry", "night.fix", "--reason", "nothing was applied"]).code(0);
        }
        assert_eq!(rate(&bank(&house)), 2, "{point}");
        house.nothing_is_lost();
        is_proven(&house, point);
    }
}

/// Without rules of changes nobody has asked for it, and what was done is proven all the same.
fn is_proven(house: &House, point: &str) {
    let proof = house.json(&["change", "proof", "fix"]);
    assert_eq!((&proof["whole"], &proof["stage"]), (&true.into(), &"executed".into()), "{proof:#}");
    let attempts = proof["attempts"].as_array().unwrap();
    let last = attempts.last().unwrap();
    assert_eq!((&last["state"], &last["rows"]), (&"done".into(), &1.into()), "{point}: {last:#}");
    let digest = proof["content"].as_str().unwrap();
    assert_eq!((&last["content"], &last["digest"]), (&digest.into(), &serde_json::Value::Null));
    assert_eq!(attempts[0]["window"]["window"], "unlimited", "{proof:#}");
    assert!(last["after"][0]["ok"] == true && !last["entries"].as_array().unwrap().is_empty());
    let rows = proof["targets"][0]["marked"]["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["step"] == "ready"), "{proof:#}");
    let steps = proof["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| !step["entry"].is_null()), "{proof:#}");
    assert_eq!(proof["head"]["hash"].as_str().map(str::len), Some(64));
    // A target that has lost it is found out.
    sql(&bank(house), "delete from nightrun_change_run");
    house.run(&["change", "check"]).code(1);
}

#[test]
fn a_change_proven_clean_is_tried_again_where_its_file_says_so() {
    let house = house(UPDATE, ", retry: {max: 1, wait: 1s, on: [signal]}");
    let mut command = house.command(&["run", "night", "--date", "2026-10-30"]);
    command.env("NIGHTRUN_FAULT", "worker.guards").env("NIGHTRUN_FAULT_ONCE", house.work("died"));
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    assert_eq!(examines(&house), [false, true, false]);
    assert_eq!((state(&house, 1).as_str(), state(&house, 2).as_str()), ("failed-clean", "done"));
    assert_eq!(rate(&bank(&house)), 2);
}

/// Worker and shim are killed in the middle of a statement, and so is the supervisor; the target is away meanwhile.
#[test]
fn a_doubt_is_examined_when_the_night_goes_on_and_again_when_its_target_is_back() {
    let house = house(ENDLESS, "");
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("fix");
    let worker = house.facts("attempt-started")[0]["pid"].as_i64().unwrap();
    let worker = i32::try_from(worker).unwrap();
    let shim = house.shim_pid("fix", 1);
    night.kill();
    send(shim, Signal::KILL);
    send(worker, Signal::KILL);
    eventually("their end", || !is_there(worker) && !is_there(shim));
    let away = house.work("away");
    move_target(&bank(&house), &away);
    let mut night = house.spawn(&["resume"]);
    night.event("in-doubt", "fix");
    eventually("a look", || house.facts("attempt-ended").len() == 2);
    let looked = &house.facts("attempt-ended")[1]["ended"]["work"];
    assert_eq!((&looked["state"], &looked["unread"]), (&"in-doubt".into(), &true.into()));
    assert!(looked["evidence"].to_string().contains("is not there"), "{looked}");
    move_target(&away, &bank(&house));
    night.ends(1);
    assert_eq!(examines(&house), [false, true, true]);
    assert_eq!((state(&house, 2).as_str(), rate(&bank(&house))), ("failed-clean", 1));
    assert_eq!(house.facts("incident-opened").len(), 1, "one for as long as it is open");
    house.nothing_is_lost();
}

/// With what SQLite keeps beside it.
fn move_target(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let with = |path: &Path| format!("{}{end}", path.display());
        if Path::new(&with(from)).exists() {
            fs::rename(with(from), with(to)).unwrap();
        }
    }
}
