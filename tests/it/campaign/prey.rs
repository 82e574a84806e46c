//! Processes of one state folder, and of no other: what a campaign may kill.

use std::collections::BTreeMap;
use std::fs;

use nightrun::wire::spool;
use rustix::process::Signal;
use serde_json::Value;

use crate::night::facts::send;
use crate::night::house::House;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Agent,
    Shim,
    Worker,
    /// A process of a job that is a program.
    Program,
}

#[derive(Debug, Clone)]
pub(super) struct Prey {
    pub(super) pid: i32,
    pub(super) role: Role,
    /// What it works on; `None` for the agent, and where a shim has not said so yet.
    pub(super) attempt: Option<String>,
    /// First of its session: the program itself and not what it has started.
    pub(super) leads: bool,
}

impl Prey {
    pub(super) fn kill(&self) {
        send(self.pid, Signal::KILL);
    }
}

/// Everything that lives and belongs to the folder, but the supervisor, which is the test's own child.
pub(super) fn of(house: &House) -> Vec<Prey> {
    let dir = house.state().join("agent");
    let shims = shims(house);
    let agent = house.agent_pid();
    let argument = format!("\0agent\0--dir\0{}\0", dir.display());
    let mark = format!("NIGHTRUN_OUT={}/spool/", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // Any of these may be gone by now, or another account's.
        let text = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let command = text("cmdline");
        let leads = session(&text("stat")) == Some(pid);
        if command.contains(&argument) {
            let role = if Some(pid) == agent { Role::Agent } else { Role::Shim };
            let attempt = shims.get(&pid).cloned();
            found.push(Prey { pid, role, attempt, leads });
        } else if let Some((_, rest)) = text("environ").split_once(&mark) {
            let name = rest.split('/').next().unwrap_or_default();
            let worker = command.contains("\0__worker\0");
            let role = if worker { Role::Worker } else { Role::Program };
            found.push(Prey { pid, role, attempt: Some(attempt_of(name)), leads });
        }
    }
    found
}

/// From the name of an attempt's folder to its id.
pub(super) fn attempt_of(folder: &str) -> String {
    folder.replace('~', "/")
}

/// Names of attempts whose endings may not be in the journal yet.
pub(super) fn live(house: &House) -> Vec<String> {
    let live = fs::read_dir(house.state().join("agent").join(spool::LIVE)).into_iter();
    live.flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Whether the attempt of this folder has come to an end, as its record has it.
pub(super) fn has_ended(house: &House, folder: &str) -> bool {
    let attempt = spool::attempt_of(folder).unwrap();
    let records = spool::records(&house.state().join("agent"), &attempt);
    let record = records.iter().find_map(|path| fs::read(path).ok()).unwrap_or_default();
    spool::ended_line(&record).is_some()
}

/// Shims and the attempts that they watch, as the records have it.
fn shims(house: &House) -> BTreeMap<i32, String> {
    let mut known = BTreeMap::new();
    for name in live(house) {
        let path = house.state().join("agent").join(spool::LIVE).join(&name);
        let record = fs::read_to_string(path).unwrap_or_default();
        let lines = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let shim = lines.filter_map(|line| line["shim"].as_i64()).next();
        if let Some(shim) = shim.filter(|_| spool::ended_line(record.as_bytes()).is_none()) {
            known.insert(shim as i32, attempt_of(&name));
        }
    }
    known
}

fn session(stat: &str) -> Option<i32> {
    // After the name, which may hold anything: state, parent, group, session.
    stat.rsplit_once(") ")?.1.split(' ').nth(3)?.parse().ok()
}
