//! Nights whose jobs run in Slurm: what it does with them, and what becomes of them when something of it is lost.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::facts::{eventually, send};
use super::house::House;
use crate::slurm_cluster::SlurmCluster;

/// A job in Slurm: `what` it runs, and `more` of its engine.
fn job(cluster: &SlurmCluster, name: &str, what: &str, more: &str) -> String {
    let conf = cluster.conf().display().to_string();
    format!(
        "  {name}:\n    title: {name}\n    {what}\n    engine: {{slurm: {{every: 500ms, {more}}}}}\n    env: {{SLURM_CONF: \"{conf}\"}}\n    runbook: Ask the desk.\n"
    )
}

const WAITS: &str = "run: [sh, job.sh, wait]";
const NIGHT: [&str; 4] = ["run", "night", "--date", "2026-10-30"];

fn work(house: &House, attempt: usize) -> Value {
    house.facts("attempt-ended")[attempt]["ended"]["work"].clone()
}

/// Kills the worker of the attempt that was started last, as the kernel would.
fn kill_worker(house: &House) {
    let started = house.facts("attempt-started");
    let pid = started.last().unwrap()["pid"].as_i64().unwrap();
    send(i32::try_from(pid).unwrap(), Signal::KILL);
}

/// What the log of a job's latest attempt has; nothing where there is none yet.
fn log(house: &House, job: &str) -> String {
    let log = house.run(&["log", &format!("night.{job}")]);
    log.out + &log.err
}

#[test]
fn a_job_in_slurm_is_as_any_other() {
    let cluster = SlurmCluster::start();
    let odd = r#"shell: |
      echo "begun on $SLURM_JOB_NODELIST"
      echo "to stderr" >&2
      printf '%s\n' "$ODD"
      echo KEY=value >> "$NIGHTRUN_OUT""#;
    let first = job(&cluster, "first", odd, "partition: main, tasks: 2, memory: 10MiB")
        .replace("env: {", "env: {ODD: \"a 'quoted' $HOME `id` \\\\\", ");
    let second = job(&cluster, "second", "shell: '[ \"$KEY\" = value ] && exit 7'", "")
        + "    needs: [first]\n";
    let house = House::new(&(first + &second));
    house.spawn(&NIGHT).ends(1);
    let log = log(&house, "first");
    assert!(log.contains(&format!("begun on {}", cluster.node())), "{log}");
    assert!(log.contains("to stderr") && log.contains("a 'quoted' $HOME `id` \\\n"), "{log}");
    let ended = house.facts("attempt-ended");
    assert_eq!(ended[1]["ended"]["ending"]["code"], 7, "{ended:?}");
    let work = work(&house, 1);
    assert_eq!(work["end"]["state"], "FAILED");
    assert_eq!(work["end"]["nodes"], cluster.node());
    let notes = &ended[1]["ended"]["notes"][0];
    assert!(notes.as_str().unwrap().starts_with("Slurm: FAILED (NonZeroExitCode), job"), "{notes}");
    assert_eq!(
        cluster.jobs(),
        ["night@2026-10-30#1/first/1 COMPLETED", "night@2026-10-30#1/second/1 FAILED"]
    );
    house.nothing_is_lost();
}

#[test]
fn an_array_is_good_when_all_of_its_tasks_are() {
    let cluster = SlurmCluster::start();
    let what =
        "shell: 'echo \"part $SLURM_ARRAY_TASK_ID\"; [ \"$SLURM_ARRAY_TASK_ID\" != \"$BAD\" ]'";
    let good = job(&cluster, "good", what, "array: 0-3");
    let bad = job(&cluster, "bad", what, "array: '0-3%2'").replace("env: {", "env: {BAD: '2', ");
    let house = House::new(&(good.replace("env: {", "env: {BAD: none, ") + &bad));
    house.spawn(&NIGHT).ends(1);
    let log = log(&house, "good");
    for task in 0..4 {
        assert!(log.contains(&format!("{task}: part {task}")), "{log}");
    }
    assert_eq!(house.job("good")["state"]["state"], "succeeded");
    let ended = house.facts("attempt-ended");
    let bad = ended.iter().find(|fact| fact["good"] == false).unwrap();
    let end = &bad["ended"]["work"]["end"];
    assert_eq!((&end["tasks"], &end["well"], &end["task"]), (&4.into(), &3.into(), &2.into()));
}

#[test]
fn a_killed_job_is_cancelled_in_slurm() {
    let cluster = SlurmCluster::start();
    let house = House::new(&job(&cluster, "load", WAITS, ""));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    house.run(&["kill", "night.load", "--reason", "it hangs"]).code(0);
    night.ends(1);
    assert_eq!(cluster.jobs(), ["night@2026-10-30#1/load/1 CANCELLED"]);
    assert_eq!(house.facts("attempt-ended")[0]["ended"]["ending"]["how"], "killed");
    assert_eq!(work(&house, 0)["end"]["state"], "CANCELLED");
}

#[test]
fn a_controller_that_was_killed_loses_no_job_and_no_ending() {
    let cluster = SlurmCluster::start();
    let house = House::new(&job(&cluster, "load", WAITS, ""));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    // Its state is saved every few seconds: the one after this was made while the job ran.
    let begun = std::time::SystemTime::now();
    eventually("saved state", || {
        let saved = std::fs::metadata(cluster.conf().with_file_name("state/job_state"));
        saved.is_ok_and(|saved| saved.modified().unwrap() > begun)
    });
    cluster.controller.tell("KILL");
    house.say("load", "go");
    eventually("the worker's word", || log(&house, "load").contains("waiting for an answer"));
    cluster.controller.tell("start");
    night.ends(0);
    assert_eq!(house.ran(), ["load 1"]);
    assert_eq!(work(&house, 0)["end"]["state"], "COMPLETED");
    house.nothing_is_lost();
}

#[test]
fn the_job_of_a_lost_worker_is_taken_up_by_the_next_attempt() {
    let cluster = SlurmCluster::start();
    let house = House::new(&job(&cluster, "load", WAITS, ""));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    for attempt in 1..3 {
        kill_worker(&house);
        eventually("the next attempt", || house.facts("attempt-started").len() == attempt + 1);
    }
    house.say("load", "go");
    night.ends(0);
    assert_eq!(house.ran(), ["load 1"], "it ran once");
    assert_eq!(cluster.jobs(), ["night@2026-10-30#1/load/1 COMPLETED"]);
    assert!(log(&house, "load").contains("the test says go"));
    house.nothing_is_lost();
}

#[test]
fn a_node_that_goes_down_leaves_a_doubt_that_people_decide() {
    let cluster = SlurmCluster::start();
    let house = House::new(&job(&cluster, "load", WAITS, ""));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    let node = format!("nodename={}", cluster.node());
    cluster.ask(&["scontrol", "update", &node, "state=down", "reason=test"]);
    night.ends(1);
    let ended = &house.facts("attempt-ended")[0]["ended"];
    assert_eq!(ended["work"]["end"]["state"], "NODE_FAIL", "{ended}");
    assert_eq!(ended["ending"]["how"], "lost");
    assert_eq!(house.job("load")["state"]["state"], "unknown");
}

#[test]
fn an_ending_that_only_the_accounts_know_is_waited_for() {
    let cluster = SlurmCluster::with_accounts();
    let house = House::new(&job(&cluster, "load", WAITS, ""));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    // The supervisor goes with its agent's word, so that nobody looks while the job ends and is forgotten.
    night.kill();
    kill_worker(&house);
    house.say("load", "go");
    eventually("it in the accounts", || {
        let of = ["sacct", "-X", "-n", "-P", "--name=night@2026-10-30#1/load/1", "-o", "State"];
        cluster.ask(&of).trim() == "COMPLETED"
    });
    eventually("a controller that has forgotten it", || cluster.jobs().is_empty());
    let accounts = cluster.accounts.as_ref().unwrap();
    accounts.tell("KILL");
    let night = house.spawn(&["resume"]);
    eventually("the worker's word", || {
        log(&house, "load").contains("waiting for an answer: sacct")
    });
    accounts.tell("start");
    night.ends(0);
    assert_eq!(house.ran(), ["load 1"]);
    assert_eq!(house.facts("attempt-ended").len(), 2);
}

#[test]
fn what_nobody_in_slurm_knows_any_more_runs_again_only_by_a_persons_word() {
    let cluster = SlurmCluster::forgetful();
    let house = House::new(&job(&cluster, "load", WAITS, "patience: 1s"));
    house.gates(&["load"]);
    let mut night = house.spawn(&NIGHT);
    night.started("load");
    house.number("pid-load");
    night.kill();
    kill_worker(&house);
    house.say("load", "no");
    eventually("a controller that has forgotten it", || cluster.jobs().is_empty());
    house.spawn(&["resume"]).ends(1);
    assert_eq!(house.job("load")["state"]["state"], "unknown");
    assert_eq!(house.ran(), ["load 1"], "nothing was submitted");
    house.say("load", "go");
    house.run(&["retry", "night.load", "--reason", "looked at the node"]).code(0);
    assert_eq!(house.ran(), ["load 1", "load 3"]);
    assert_eq!(house.job("load")["state"]["state"], "succeeded");
}

#[test]
fn what_slurm_will_not_take_or_never_start_could_not_start() {
    let cluster = SlurmCluster::start();
    let refused = job(&cluster, "refused", "shell: 'true'", "partition: none-such");
    let never = job(&cluster, "never", "shell: 'true'", "tasks: 99, patience: 1s");
    let house = House::new(&(refused + &never));
    house.spawn(&NIGHT).ends(1);
    let ended = house.facts("attempt-ended");
    let why = |name: &str| {
        let of = |fact: &&Value| fact["ended"]["attempt"].as_str().unwrap().contains(name);
        let ending = &ended.iter().find(of).unwrap()["ended"]["ending"];
        assert_eq!(ending["how"], "could-not-start", "{ending}");
        ending["why"].as_str().unwrap().to_owned()
    };
    assert!(why("refused").contains("Invalid partition name"), "{}", why("refused"));
    assert!(why("never").contains("PENDING (PartitionConfig)"), "{}", why("never"));
    assert_eq!(cluster.jobs(), ["night@2026-10-30#1/never/1 CANCELLED"]);
}

/// The worker dies at each of its steps: the job runs once, whatever Slurm had heard.
#[cfg(feature = "faults")]
#[test]
fn a_worker_that_dies_at_any_step_lets_no_job_run_twice() {
    let cluster = SlurmCluster::start();
    for point in ["submitting", "sbatch", "submitted", "seen", "over"] {
        let house = House::new(&job(&cluster, "load", "run: [sh, job.sh]", ""));
        let once = house.work("killed");
        let mut command: Command = house.command(&NIGHT);
        command.env("NIGHTRUN_FAULT", format!("worker.{point}")).env("NIGHTRUN_FAULT_ONCE", &once);
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{point}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(once.exists(), "{point}: nothing died");
        assert_eq!(house.ran().len(), 1, "{point}: {:?}", house.ran());
        assert_eq!(house.facts("attempt-ended").len(), 2, "{point}");
        house.nothing_is_lost();
    }
}
