//! What becomes of jobs on another host when that host, or the way to it, fails.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use super::super::disk::Disk;
use super::super::facts::{eventually, is_there};
use super::super::house::House;
use super::host::FarHost;
use super::runs::{PAIR, declare, house, wire};
use crate::ssh_server::SshServer;
use crate::tcp_wire::Way;

#[test]
fn a_host_that_starts_anew_has_lost_what_ran_there() {
    let ssh = SshServer::start();
    ssh.set_env("NIGHTRUN_BOOT_ID=first");
    let (house, db1) = house(PAIR, &ssh, ssh.port, "");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    ssh.set_env("NIGHTRUN_BOOT_ID=second");
    db1.power_fails();
    assert_eq!(night.ended("a")["ending"]["how"], "lost");
    assert!(!is_there(job));
    night.ends(1);
    assert_eq!(house.ran(), ["a 1"]);
    house.nothing_is_lost();
}

#[test]
fn a_host_with_another_key_than_the_known_one_is_not_spoken_to() {
    let ssh = SshServer::start();
    let house = House::new(PAIR);
    let db1 = FarHost::new(&house, "db1");
    declare(&house, &[("db1", &db1)], &ssh.deceived(ssh.port), "");
    house.gates(&["a"]);
    let night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.notice("its host key is not the known one");
    assert!(!db1.agent_dir().exists());
    let why = house.run(&["why", "night.a"]).code(0);
    assert!(why.out.contains("db1"), "{}", why.out);
    night.kill();
}

#[test]
fn a_full_disk_there_puts_the_start_off_until_there_is_room() {
    let ssh = SshServer::start();
    let jobs = "
  first: {title: First, run: [sh, job.sh, wait]}
  a: {title: A, run: [sh, job.sh], host: db1, needs: [first]}
";
    let (house, db1) = house(jobs, &ssh, ssh.port, "");
    house.gates(&["first"]);
    fs::create_dir_all(db1.agent_dir()).unwrap();
    let disk = Disk::mount(&db1.agent_dir(), "1m");
    // The agent begins while there is room, and the copy finds none.
    let mut agent = std::process::Command::new(db1.program());
    agent.args(["agent", "--dir"]).arg(db1.agent_dir()).stdout(std::process::Stdio::null());
    agent.stderr(std::process::Stdio::null());
    let mut agent = agent.spawn().unwrap();
    eventually("an agent", || db1.agent_dir().join("agent.sock").exists());
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("first");
    eventually("a greeting", || db1.agent_dir().join("epoch").exists());
    disk.fill();
    house.say("first", "go");
    night.notice("free some room there");
    disk.free();
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "first 1"]);
    house.nothing_is_lost();
    drop(db1);
    agent.wait().unwrap();
    drop(disk);
}

#[test]
fn an_agent_goes_on_as_a_newer_program_during_a_job() {
    let ssh = SshServer::start();
    let house = House::new(PAIR);
    let db1 = FarHost::bare(&house, "db1");
    fs::copy(env!("CARGO_BIN_EXE_nightrun"), db1.program()).unwrap();
    // Another build of the same release: a byte more at its end.
    let mut other = fs::read(db1.program()).unwrap();
    other.push(0);
    fs::write(db1.folder.join("other"), other).unwrap();
    fs::rename(db1.folder.join("other"), db1.program()).unwrap();
    fs::set_permissions(db1.program(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    declare(&house, &[("db1", &db1)], &ssh.client(ssh.port), "");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    let agent = db1.agent_pid().unwrap();
    let added = house.run(&["host", "add", "db1"]).code(0);
    assert!(added.out.contains("its agent goes on as the new program"), "{}", added.out);
    assert!(db1.agent_pid() == Some(agent) && is_there(job));
    house.say("a", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}

/// Twenty jobs one after the other and side by side, while the link is cut, deaf or silent at moments that nothing is tuned
/// to.
#[test]
fn a_link_that_is_cut_at_every_moment_starts_nothing_twice_and_loses_nothing() {
    let ssh = SshServer::start();
    let wire = wire(&ssh);
    let jobs: String = (0..20)
        .map(|n| {
            let needs = if n % 4 == 0 { String::new() } else { format!("j{}", n - 1) };
            format!("  j{n}: {{title: J, run: [sh, job.sh], host: db1, needs: [{needs}]}}\n")
        })
        .collect();
    let (house, _db1) = house(&jobs, &ssh, wire.port, "");
    let night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    let mut moment = 37;
    for (round, way) in [Way::Cut, Way::NoAnswers, Way::Nothing].iter().cycle().take(9).enumerate()
    {
        std::thread::sleep(Duration::from_millis(moment));
        wire.set(*way);
        std::thread::sleep(Duration::from_millis(150));
        // What is deaf or silent is not left so: a connection that is only slow must not be taken for a good one.
        wire.set(Way::Cut);
        std::thread::sleep(Duration::from_millis(50));
        wire.set(Way::Through);
        moment = 100 + (moment * 7 + round as u64 * 61) % 700;
    }
    night.ends(0);
    let ran = house.ran();
    assert_eq!(ran.len(), 20, "{ran:?}");
    house.nothing_is_lost();
}

#[test]
fn a_host_whose_clock_is_wrong_is_said_so_and_moves_no_time_of_the_night() {
    let ssh = SshServer::start();
    let (house, db1) = house(PAIR, &ssh, ssh.port, "");
    let step = db1.folder.join("step");
    fs::write(&step, "-600\n").unwrap();
    ssh.set_env(&format!("NIGHTRUN_CLOCK_STEP={}", step.display()));
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    night.notice(" s behind this one");
    let list = house.json(&["host", "list"]);
    let ahead = list["items"][0]["clock"]["ahead_ms"].as_i64().unwrap();
    assert!((ahead + 600_000).abs() < 2_000, "{list}");
    house.say("a", "go");
    night.ends(0);
    let at =
        |value: &serde_json::Value| -> jiff::Timestamp { value.as_str().unwrap().parse().unwrap() };
    for fact in house.facts("attempt-ended") {
        for told in ["started", "ended"] {
            let off = at(&fact["noted"]).duration_since(at(&fact["ended"][told]));
            assert!((0.0..60.0).contains(&off.as_secs_f64()), "{fact}");
        }
    }
    house.nothing_is_lost();
}

#[test]
fn a_host_that_is_to_be_reached_in_another_way_is_once_nothing_runs_there() {
    let ssh = SshServer::start();
    let (house, _db1) = house(PAIR, &ssh, ssh.port, "");
    let other = FarHost::new(&house, "other");
    house.gates(&["a"]);
    let mut served = house.spawn(&["serve"]);
    served.notice("serving");
    // Who orders it follows it to its end.
    let first = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    served.started("a");
    declare(&house, &[("db1", &other)], &ssh.client(ssh.port), "");
    served.signal(Signal::HUP);
    served.notice("the job files have changed");
    // Who has never heard of it is not asked what became of it.
    assert!(!other.agent_dir().exists());
    house.say("a", "go");
    assert_eq!(served.ended("a")["ending"]["how"], "exited");
    first.ends(0);
    eventually("an agent in the other place", || other.agent_dir().join("agent.sock").exists());
    let second = house.spawn(&["run", "night", "--date", "2026-10-31"]);
    house.say("a", "go");
    second.ends(0);
    served.signal(Signal::TERM);
    served.ends(0);
    let copies = fs::read_dir(other.agent_dir().join("copies")).unwrap();
    let names: Vec<_> = copies.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_string_lossy().starts_with("night@2026-10-31")));
    assert_eq!(house.ran(), ["a 1", "a 1", "b 1", "b 1"]);
    house.nothing_is_lost();
}
