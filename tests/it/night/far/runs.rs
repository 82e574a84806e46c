//! A night over two hosts, with the link as it should be, and cut.

use std::path::Path;

use nightrun::app::Archivist;
use nightrun::definition::retention::Retention;
use nightrun::driver::folders::StateFolder;
use nightrun::driver::store::{StateReader, StoreAddress};
use serde_json::Value;

use super::super::facts::{eventually, is_there};
use super::super::house::House;
use super::super::post::on_its_own;
use super::host::FarHost;
use crate::ssh_server::SshServer;
use crate::tcp_wire::{Way, Wire};

pub(super) const PAIR: &str = "
  a: {title: A, run: [sh, job.sh, wait], host: db1, runbook: Ask the desk.}
  b: {title: B, run: [sh, job.sh], needs: [a]}
";

/// Writes hosts.yaml: this host, and these, which are reached by the settings of ssh.
pub(super) fn declare(house: &House, hosts: &[(&str, &FarHost)], ssh: &Path, more: &str) {
    let lines: String = hosts.iter().map(|(name, host)| host.line(name, ssh, more)).collect();
    let local = "  local: {trial: true, max_running: 8}\n";
    house.write("hosts.yaml", &format!("version: 1\nhosts:\n{local}{lines}"));
}

/// A wire to the server that can be cut.
pub(super) fn wire(ssh: &SshServer) -> Wire {
    let port = ssh.port;
    on_its_own(async move || Wire::to(port).await)
}

/// A house with a second host, over a port.
pub(super) fn house(jobs: &str, ssh: &SshServer, port: u16, more: &str) -> (House, FarHost) {
    let house = House::new(jobs);
    let db1 = FarHost::new(&house, "db1");
    declare(&house, &[("db1", &db1)], &ssh.client(port), more);
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
    let wire = wire(&ssh);
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
    let wire = wire(&ssh);
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

#[test]
fn jobs_of_another_host_are_killed_and_end_by_their_time_limit_there() {
    let ssh = SshServer::start();
    let jobs = "
  a: {title: A, run: [sh, job.sh, wait], host: db1, grace: 5s, runbook: Ask the desk.}
  b: {title: B, run: [sh, -c, 'sleep 600'], host: db1, time_limit: 1s, grace: 1s, runbook: Ask the desk.}
";
    let (house, _db1) = house(jobs, &ssh, ssh.port, "");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let job = house.number("pid-a");
    assert_eq!(night.ended("b")["ending"]["how"], "timed-out");
    house.run(&["kill", "night.a", "--reason", "it hangs"]).code(0);
    assert_eq!(night.ended("a")["ending"]["how"], "killed");
    night.ends(1);
    assert!(!is_there(job));
    house.nothing_is_lost();
}

#[test]
fn a_log_of_another_host_is_followed_while_it_grows() {
    use std::io::Read;
    let ssh = SshServer::start();
    let jobs = "
  a:
    title: A
    host: db1
    shell: 'for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 0.2; done; head -c 700000 /dev/zero | tr \"\\0\" x; echo; echo last'
";
    let (house, _db1) = house(jobs, &ssh, ssh.port, "");
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut follow = house.command(&["log", "night.a", "--follow"]);
    let mut follow = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    follow.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(follow.wait().unwrap().success());
    assert!(text.starts_with("line 1\nline 2\n") && text.ends_with("x\nlast\n"));
    assert_eq!(text.len(), 8 * 7 + 700_000 + 1 + 5);
    night.ends(0);
}

#[test]
fn many_jobs_on_many_hosts_run_once_each() {
    let ssh = SshServer::start();
    let jobs: String = (0..16)
        .flat_map(|host| (0..50).map(move |n| (host, n)))
        .map(|(host, n)| format!("  j{host}-{n}: {{title: J, run: [sh, job.sh], host: h{host}}}\n"))
        .collect();
    let house = House::new(&jobs);
    let hosts: Vec<(String, FarHost)> =
        (0..16).map(|n| (format!("h{n}"), FarHost::new(&house, &format!("h{n}")))).collect();
    let named: Vec<(&str, &FarHost)> = hosts.iter().map(|(n, host)| (n.as_str(), host)).collect();
    declare(&house, &named, &ssh.client(ssh.port), ", max_running: 4");
    house.spawn(&["run", "night", "--date", "2026-10-30"]).ends(0);
    let ran = house.ran();
    let mut once = ran.clone();
    once.dedup();
    assert_eq!((ran.len(), once.len()), (800, 800));
    house.nothing_is_lost();
}

#[test]
fn a_run_of_which_something_ran_on_another_host_stays_in_the_store() {
    let ssh = SshServer::start();
    let (house, _db1) =
        house("  a: {title: A, run: [sh, job.sh], host: db1}\n", &ssh, ssh.port, "");
    house.batch("here", "jobs:\n  a: {title: A, run: [sh, job.sh]}\n");
    for date in ["2026-10-29", "2026-10-30"] {
        for batch in ["night", "here"] {
            house.spawn(&["run", batch, "--date", date]).ends(0);
        }
    }
    let keep = Some("2d".parse().unwrap());
    let archive = house.state().with_file_name("archive");
    let at = jiff::civil::time(12, 0, 0, 0);
    let retention = Retention { archive, runs: keep, logs: keep, logs_at_most: Some(0), at };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let due = runtime.block_on(async {
        let reader = StateReader::open(&StoreAddress::Folder, &house.state()).await;
        let reader = reader.unwrap().unwrap();
        let state = StateFolder::at(&house.state()).unwrap();
        let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 30);
        Archivist { reader, state, retention }.due(later).await.unwrap()
    });
    let runs = |due: Vec<(nightrun::types::RunId, Vec<_>)>| {
        due.into_iter().map(|(run, _): (_, Vec<nightrun::types::AttemptId>)| run.to_string())
    };
    assert_eq!(runs(due.runs).collect::<Vec<_>>(), ["here@2026-10-29#1"]);
    assert_eq!(runs(due.logs).collect::<Vec<_>>(), ["here@2026-10-30#1"]);
}
