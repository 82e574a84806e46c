//! A host of its own, as far as nightrun can tell: a folder that is reached over ssh, with an agent of its own.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};

use super::super::facts::{eventually, is_there, send};
use super::super::house::{House, record_number};

pub(crate) struct FarHost {
    pub(crate) folder: PathBuf,
}

impl FarHost {
    /// In a folder of a house; nightrun is installed there. Its jobs work in the work folder of the house, so that what they
    /// leave is found where a test looks.
    pub(crate) fn new(house: &House, name: &str) -> Self {
        let host = Self::bare(house, name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nightrun"), host.program()).unwrap();
        host
    }

    /// Nothing is installed there.
    pub(crate) fn bare(house: &House, name: &str) -> Self {
        let folder = house.state().parent().unwrap().join(name);
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(house.work(""), folder.join("work")).unwrap();
        Self { folder }
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("nightrun")
    }

    pub(crate) fn agent_dir(&self) -> PathBuf {
        self.folder.join("agent")
    }

    /// A line of hosts.yaml.
    pub(crate) fn line(&self, name: &str, ssh_config: &Path, more: &str) -> String {
        let (folder, config) = (self.folder.display(), ssh_config.display());
        format!(
            "  {name}: {{address: 127.0.0.1, ssh: [-F, '{config}'], folder: '{folder}', trial: true{more}}}\n"
        )
    }

    pub(crate) fn agent_pid(&self) -> Option<i32> {
        let log = fs::read_to_string(self.agent_dir().join("agent.log")).ok()?;
        let word =
            log.lines().rev().find_map(|line| line.split_once(" agent ")?.1.split(' ').next());
        word?.parse().ok()
    }

    /// All that it runs is killed, as when its power fails.
    pub(crate) fn power_fails(&self) {
        let dir = self.agent_dir().to_string_lossy().into_owned();
        let is_its = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&dir)
        };
        if let Some(agent) = self.agent_pid().filter(is_its) {
            send(agent, Signal::KILL);
            eventually("its end", || !is_there(agent));
        }
        for entry in fs::read_dir(self.agent_dir().join("live")).into_iter().flatten().flatten() {
            let record = fs::read_to_string(entry.path()).unwrap_or_default();
            for (line, key) in [(1, "shim"), (2, "pid")] {
                let pid = record_number(&record, line, key).filter(|pid| is_there(*pid));
                if let Some(pid) = pid.and_then(Pid::from_raw) {
                    let _ = match key {
                        "shim" => rustix::process::kill_process(pid, Signal::KILL),
                        _ => kill_process_group(pid, Signal::KILL),
                    };
                }
            }
        }
    }
}

impl Drop for FarHost {
    /// Nothing outlives its test, however that ended.
    fn drop(&mut self) {
        self.power_fails();
    }
}
