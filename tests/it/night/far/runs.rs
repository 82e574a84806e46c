//! A night over two hosts, with the link as it should be, and cut.

use serde_json::Value;

use super::super::facts::{eventually, is_there};
use super::super::house::House;
use super::super::post::on_its_own;
use super::host::FarHost;
use crate::ssh_server::SshServer;
use crate::tcp_wire::{Way, Wire};

const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait], host: db1, runbook: Ask the desk.}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

/// A house with a second host, over a port.
fn house(jobs: &str, ssh: &SshServer, port: u16, more: &str) -> (House, FarHost) {
    let house = House::new(jobs);
    let db1 = FarHost::new(&house, "db1");
    let line = db1.line("db1", &ssh.client(port), more);
    let local = "  local: {trial: true, max_running: 8}\n";
    house.write("hosts.yaml", &format!("version: 1\nhosts:\n{local}{line}"));
    (house, db1)
}

#[test]
fn a_job_of_another_host_runs_there_with_its_files_values_and_log() {
    let ssh = SshServer::start();
    let jobs = "
  a:
    title: A
    host: db1
    shell: |
      cat words.txt
      pwd
      echo 'ROWS=42' > \"$NIGHTRUN_OUT\"
      echo to people >&2
    runbook: Ask the desk.
  b: {title: B, shell: 'echo \"$ROWS rows of $NIGHTRUN_RUN\"; [ \"$ROWS\" = 42 ]', needs: [a]}
";
    let (house, db1) = house(jobs, &ssh, ssh.port, "");
    house.write("night/words.txt", "words beside the batch\n");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    let log = house.run(&["log", "night.a"]).code(0);
    let copy = db1.agent_dir().join("copies/night@2026-10-30#1/night");
    let copy = copy.canonicalize().unwrap();
    assert_eq!(log.out, format!("words beside the batch\n{}\n", copy.display()));
    assert_eq!(log.err, "to people\n");
    assert_eq!(house.job("a")["attempts"][0]["host"], "db1");
    assert_eq!(house.job("b")["attempts"][0]["host"], "local");
    house.nothing_is_lost();
}

#[test]
fn a_link_that_is_cut_while_a_job_runs_changes_nothing_but_when_its_end_is_heard() {
    let ssh = SshServer::start();
    let port = ssh.port;
    let wire = on_its_own(async move || Wire::to(port).await);
    let (house, _db1) = house(PAIR, &ssh, wire.port, "");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    wire.set(Way::Cut);
    house.say("a", "go");
    eventually("the job's end", || !is_there(job));
    std::thread::sleep(std::time::Duration::from_secs(2));
    wire.set(Way::Through);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    // By the host's own clock, not by when it was heard.
    let ended = &house.facts("attempt-ended")[0];
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let heard_after = at(&ended["noted"]).duration_since(at(&ended["ended"]["ended"]));
    assert!(heard_after.as_secs_f64() > 1.5, "{ended}");
    house.nothing_is_lost();
}

#[test]
fn a_supervisor_that_ends_while_the_link_is_cut_is_followed_by_one_that_adopts_the_job() {
    let ssh = SshServer::start();
    let port = ssh.port;
    let wire = on_its_own(async move || Wire::to(port).await);
    let (house, _db1) = house(PAIR, &ssh, wire.port, "");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    wire.set(Way::Cut);
    night.kill();
    let night = house.spawn(&["resume"]);
    house.say("a", "go");
    wire.set(Way::Through);
    night.ends(0);
    assert_eq!(house.ran(), ["a 1", "b 1"]);
    house.nothing_is_lost();
}
