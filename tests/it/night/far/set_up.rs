//! `nightrun host add` and `host check` over a real sshd.

use std::fs;

use super::super::house::House;
use super::host::FarHost;
use super::runs::declare;
use crate::ssh_server::SshServer;

const JOB: &str = "  a: {title: A, run: [sh, job.sh], host: db1}\n";

#[test]
fn a_host_without_nightrun_is_said_so_and_gets_it_once() {
    let ssh = SshServer::start();
    let house = House::new(JOB);
    let db1 = FarHost::bare(&house, "db1");
    declare(&house, &[("db1", &db1)], &ssh.client(ssh.port), ", users: [root, nobody-here]");
    let missing = house.run(&["host", "check", "db1"]).code(1);
    assert!(missing.out.contains("`nightrun host add db1` installs it"), "{}", missing.out);

    let added = house.run(&["host", "add", "db1"]).code(1);
    assert!(added.out.contains("was copied"), "{}", added.out);
    // One of the two users is not there; the rest is as it should be.
    assert!(added.out.contains("jobs can become root"), "{}", added.out);
    assert!(added.out.contains("jobs cannot become nobody-here"), "{}", added.out);
    assert!(added.out.contains("the same as here"), "{}", added.out);
    let own = fs::read(env!("CARGO_BIN_EXE_nightrun")).unwrap();
    assert!(fs::read(db1.program()).unwrap() == own);
    assert!(!db1.folder.join("nightrun.new").exists());
    let again = house.run(&["host", "add", "db1", "--lang", "zh"]).code(1);
    assert!(again.out.contains("已在该主机上") && again.out.contains("时钟"), "{}", again.out);

    let json = house.run(&["host", "check", "--format", "json"]).code(1).json();
    assert_eq!(json[0]["host"], "db1");
    assert_eq!(json[0]["seen"][0]["finding"], "reached");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    house.nothing_is_lost();
}

#[test]
fn a_host_that_is_not_declared_or_does_not_answer_is_said_so() {
    let ssh = SshServer::start();
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    let db1 = FarHost::bare(&house, "db1");
    declare(&house, &[("db1", &db1)], &ssh.client(1), "");
    let unknown = house.run(&["host", "add", "db2"]).code(2);
    assert!(unknown.err.contains("hosts.yaml has db1, local"), "{}", unknown.err);
    house.run(&["host", "check", "local"]).refused("is this host");
    let silent = house.run(&["host", "check"]).code(1);
    assert!(silent.out.contains("Connection refused"), "{}", silent.out);
}
