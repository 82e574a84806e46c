//! Slurm's commands, each with a limit: what they say is read elsewhere.
#![expect(clippy::disallowed_methods, reason = "Slurm is spoken to by its own commands")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::decide::Told;
use super::said::{self, Row};
use crate::types::AttemptId;

/// How long one command may take: longer than Slurm's own patience with a controller that does not answer.
const LIMIT: Duration = Duration::from_secs(60);
/// How far back the accounts are searched for a name.
const SINCE: &str = "--starttime=now-30days";

/// What a command left behind.
pub(super) struct Ran {
    pub(super) good: bool,
    pub(super) out: String,
    /// What it complained of, in one line.
    pub(super) complaint: String,
}

/// The cluster, as its commands reach it.
#[derive(Default)]
pub(super) struct Cluster {
    /// Whether it keeps accounts, once it has said so.
    accounts: Option<bool>,
}

impl Cluster {
    /// What the controller has of a job. By number it is asked first, where there is one: by name it looks through all jobs.
    pub(super) async fn controller(&self, number: Option<u64>, name: &AttemptId) -> Told {
        if let Some(number) = number {
            let ran = queue(&format!("--jobs={number}")).await;
            let rows = ran.good.then(|| named(said::queue(&ran.out), name)).flatten();
            if let Some(rows) = rows.filter(|rows| !rows.is_empty()) {
                return Told::Rows(rows);
            }
        }
        let ran = queue(&format!("--name={name}")).await;
        told("squeue", &ran, said::queue(&ran.out), name)
    }

    /// What the accounts have of it; `None`: the cluster keeps none.
    pub(super) async fn accounting(&mut self, name: &AttemptId) -> Option<Told> {
        if self.accounts.is_none() {
            let ran = run(&["scontrol", "show", "config"]).await;
            self.accounts = ran.good.then(|| said::keeps_accounts(&ran.out)).flatten();
            if self.accounts.is_none() {
                return Some(Told::Away(format!("scontrol: {}", ran.complaint)));
            }
        }
        if self.accounts == Some(false) {
            return None;
        }
        let (format, of) = (format!("--format={}", said::ACCOUNTING), format!("--name={name}"));
        let ran = run(&["sacct", "-X", "-n", "-P", SINCE, &format, &of]).await;
        Some(told("sacct", &ran, said::accounting(&ran.out), name))
    }

    /// Ends a job: TERM, and after Slurm's own grace KILL; `now`: KILL.
    pub(super) async fn cancel(&self, number: u64, now: bool) -> Ran {
        let number = number.to_string();
        match now {
            false => run(&["scancel", &number]).await,
            true => run(&["scancel", "--signal=KILL", "--full", &number]).await,
        }
    }
}

/// Gives a script to Slurm. Nothing of this process's environment goes with it but what Slurm's own commands need.
pub(super) async fn submit(options: &[String], script: &Path) -> Ran {
    let mut command = Command::new("sbatch");
    command.args(options).arg(script).env_clear();
    let kept = |name: &str| matches!(name, "PATH" | "HOME" | "LANG" | "SLURM_CONF");
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(kept)));
    end_of("sbatch", command).await
}

async fn queue(of: &str) -> Ran {
    let format = format!("--Format={}", said::QUEUE);
    run(&["squeue", "--noheader", "--array", "--states=all", &format, of]).await
}

async fn run(words: &[&str]) -> Ran {
    let [program, arguments @ ..] = words else { return failed("no command") };
    let mut command = Command::new(program);
    command.args(arguments);
    end_of(program, command).await
}

async fn end_of(program: &str, mut command: Command) -> Ran {
    command.stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(LIMIT, command.output()).await {
        Err(_) => failed(&format!("{program} did not answer within {} s", LIMIT.as_secs())),
        Ok(Err(why)) => failed(&format!("{program} could not be started: {why}")),
        Ok(Ok(output)) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let lines = complaint.lines().map(str::trim).filter(|line| !line.is_empty());
            Ran {
                good: output.status.success(),
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                complaint: lines.collect::<Vec<_>>().join("; "),
            }
        }
    }
}

fn failed(why: &str) -> Ran {
    Ran { good: false, out: String::new(), complaint: why.to_owned() }
}

fn told(program: &str, ran: &Ran, rows: Option<Vec<Row>>, name: &AttemptId) -> Told {
    match named(rows, name) {
        _ if !ran.good => Told::Away(format!("{program}: {}", ran.complaint)),
        Some(rows) => Told::Rows(rows),
        None => Told::Away(format!("{program} says what cannot be read: {}", ran.out.trim())),
    }
}

/// Those of this name: a number can be another job's by now.
fn named(rows: Option<Vec<Row>>, name: &AttemptId) -> Option<Vec<Row>> {
    let name = name.to_string();
    rows.map(|rows| rows.into_iter().filter(|row| row.name == name).collect())
}
