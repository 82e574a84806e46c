//! Nights whose store is a PostgreSQL database: killed, stopped, cut off from it; and the way there from a file.

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use super::facts::is_there;
use super::house::House;
use crate::postgres_server::Server;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";
const RUN: [&str; 4] = ["run", "night", "--date", "2026-10-30"];
const ALL_ONCE: [&str; 3] = ["a 1", "b 1", "c 1"];

pub(super) fn database(server: &Server) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let name = runtime.block_on(server.database());
    server.url(&name)
}

fn house(server: &Server) -> House {
    let mut house = House::new(CHAIN);
    house.store = Some(database(server));
    house.gates(&["b"]);
    house
}

/// Outcome and attempts of each job, which are the same wherever the night is kept.
fn outcomes(house: &House) -> Vec<Value> {
    let pages = house.json(&["status"]);
    let jobs = pages["runs"][0]["jobs"].as_array().unwrap();
    jobs.iter().map(|job| serde_json::json!([job["name"], job["state"], job["outcome"]])).collect()
}

#[test]
fn a_killed_night_goes_on_and_comes_out_as_it_does_with_a_file() {
    let on_postgres = house(Server::shared());
    let on_file = House::new(CHAIN);
    on_file.gates(&["b"]);
    for house in [&on_postgres, &on_file] {
        let mut night = house.spawn(&RUN);
        night.started("b");
        let b = house.number("pid-b");
        night.kill();
        assert!(is_there(b));
        let mut night = house.spawn(&["resume"]);
        assert_eq!(night.event("run-resumed", "")["running"], 1);
        house.say("b", "go");
        night.ends(0);
        assert_eq!(house.ran(), ALL_ONCE);
        house.nothing_is_lost();
        house.run(&["report"]).code(0);
    }
    assert_eq!(outcomes(&on_postgres), outcomes(&on_file));
    let kinds = |house: &House| {
        let mut kinds: Vec<String> =
            house.journal().iter().map(|e| e["fact"]["fact"].to_string()).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&on_postgres), kinds(&on_file));
    let runs = on_postgres.run(&["runs"]).code(0);
    assert!(runs.out.contains("night@2026-10-30#1"), "{}", runs.out);
    let doctor = on_postgres.run(&["doctor"]);
    assert!(doctor.out.contains("the journal's end is whole"), "{}", doctor.out);
    assert!(!on_postgres.state().join("nightrun.db").exists());
}

#[test]
fn while_the_database_is_down_what_runs_goes_on_and_nothing_new_starts() {
    let server = Server::start();
    let house = house(&server);
    let mut night = house.spawn(&RUN);
    night.started("b");
    server.signal("QUIT");
    house.say("b", "go");
    house.ended_unwatched("b", 1);
    let known = Timestamp::now();
    night.notice("the store does not take what was decided");
    let status = house.run(&["status"]).code(1);
    assert!(status.err.contains("nothing starts until it does"), "{}", status.err);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    server.start_again();
    night.ends(0);

    assert_eq!(house.ran(), ALL_ONCE);
    house.nothing_is_lost();
    let ended = house.facts("attempt-ended");
    let b = ended.iter().find(|e| e["ended"]["attempt"] == "night@2026-10-30#1/b/1").unwrap();
    let real: Timestamp = b["ended"]["ended"].as_str().unwrap().parse().unwrap();
    assert!(real <= known, "{real} {known}");
}

#[test]
fn who_was_stopped_past_its_lease_starts_nothing_when_another_leads() {
    let server = Server::shared();
    let first = house(server);
    let mut night = first.spawn(&RUN);
    night.started("b");
    night.signal(Signal::STOP);
    let other = House::new(CHAIN);
    let mut flush = other.command(&["mail", "flush"]);
    std::fs::create_dir_all(other.state()).unwrap();
    // It waits until the lease has run out, and leads.
    let led = flush.env("NIGHTRUN_STORE", first.store.as_ref().unwrap()).output().unwrap();
    assert_eq!(led.status.code(), Some(0), "{led:?}");
    first.say("b", "go");
    first.ended_unwatched("b", 1);
    night.signal(Signal::CONT);
    let over = night.ends(1);
    assert!(over.err.iter().any(|line| line.contains("no longer leads")), "{:?}", over.err);
    assert_eq!(first.ran(), ["a 1", "b 1"]);

    // The next leader learns what the stopped one could not write.
    first.spawn(&["resume"]).ends(0);
    assert_eq!(first.ran(), ALL_ONCE);
    first.nothing_is_lost();
}

#[test]
fn a_second_supervisor_of_the_database_is_refused() {
    let first = house(Server::shared());
    let mut night = first.spawn(&RUN);
    night.started("b");
    let mut second = House::new(CHAIN);
    second.store = first.store.clone();
    let refused = second.run(&RUN).refused("process");
    assert!(refused.err.contains(&night.pid().to_string()), "{}", refused.err);
    // Who only reads is answered.
    second.run(&["runs"]).code(0);
    first.say("b", "go");
    night.ends(0);
}

#[test]
fn a_url_that_is_none_or_tells_a_password_is_refused_unsaid() {
    let mut house = House::new(CHAIN);
    for (url, words) in [
        ("postgres://u:s3cret@db.example/bank", "holds a password"),
        ("nightrun.db", "is named by a URL"),
        ("postgres://db.example", "names no database"),
    ] {
        house.store = Some(url.to_owned());
        let refused = house.run(&["status"]).code(2);
        assert!(refused.err.contains(words), "{url}: {}", refused.err);
        assert!(!refused.err.contains("s3cret"), "{}", refused.err);
        house.store = None;
        let refused = house.run(&["store", "copy", "--to", url]).code(2);
        assert!(refused.err.contains(words), "{url}: {}", refused.err);
        assert!(!refused.err.contains("s3cret"), "{}", refused.err);
    }
}

#[test]
fn a_night_that_was_killed_goes_on_in_the_database_that_its_history_was_moved_to() {
    let mut house = House::new(CHAIN);
    house.gates(&["b"]);
    let mut night = house.spawn(&RUN);
    night.started("b");
    let url = database(Server::shared());
    house.run(&["store", "copy", "--to", &url]).refused("a supervisor is at work");
    night.kill();

    let before = house.journal();
    let copied = house.json(&["store", "copy", "--to", &url]);
    assert_eq!(copied["entries"], before.len());
    // The file takes nothing any more, says where to go, and can still be read.
    for command in [&RUN[..], &["resume"], &["mail", "flush"]] {
        house.run(command).refused(&format!("goes on in {url}"));
    }
    assert_eq!(house.journal(), before);
    let old = house.run(&["runs"]).code(0);
    assert!(old.err.contains(&url), "{}", old.err);
    // Once more changes nothing.
    assert_eq!(house.json(&["store", "copy", "--to", &url])["before"], true);
    let elsewhere = database(Server::shared());
    house.run(&["store", "copy", "--to", &elsewhere]).refused(&url);

    house.store = Some(url);
    assert_eq!(house.journal(), before);
    house.say("b", "go");
    house.spawn(&["resume"]).ends(0);
    assert_eq!(house.ran(), ALL_ONCE);
    house.nothing_is_lost();
    house.run(&["report"]).code(0);
}

#[test]
fn a_database_with_a_history_of_its_own_takes_no_other() {
    let server = Server::shared();
    let mut first = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    first.store = Some(database(server));
    first.spawn(&RUN).ends(0);
    let second = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    second.spawn(&RUN).ends(0);
    let copy = ["store", "copy", "--to", first.store.as_ref().unwrap()];
    second.run(&copy).refused("a history of its own");
    // It was not given up.
    second.run(&["run", "night", "--date", "2026-10-31"]).code(0);
}

#[cfg(feature = "faults")]
#[test]
fn a_copy_that_is_killed_at_any_point_leaves_one_store_that_takes_anything() {
    use std::os::unix::process::ExitStatusExt;
    let server = Server::shared();
    for (fault, still_here) in [("copy.arrived", true), ("copy.gone", false)] {
        let mut house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
        house.spawn(&RUN).ends(0);
        let url = database(server);
        let copy = ["store", "copy", "--to", &url];
        let killed = house.command(&copy).env("NIGHTRUN_FAULT", fault).output().unwrap();
        assert_eq!(killed.status.signal(), Some(9), "{fault}: {killed:?}");

        house.store = Some(url.clone());
        house.run(&["run", "night", "--date", "2026-10-31"]).refused("still on its way");
        house.store = None;
        let here = house.run(&["run", "night", "--date", "2026-10-31"]);
        assert_eq!(here.code, Some(if still_here { 0 } else { 3 }), "{fault}: {here:?}");
        let before = house.journal();

        // The same command finishes it, with what was added meanwhile.
        house.run(&copy).code(0);
        house.run(&RUN).refused("goes on in");
        house.store = Some(url);
        assert_eq!(house.journal(), before, "{fault}");
        house.run(&["run", "night", "--date", "2026-11-01"]).code(0);
        house.nothing_is_lost();
    }
}
