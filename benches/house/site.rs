//! A site with one batch, and the program at work on it in a state folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with a site in it, and a state folder as soon as something has run.
pub(crate) struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// `jobs`: the lines beneath `jobs:` of the one batch; `HERE` in them is the folder that `path` speaks of.
    pub(crate) fn new(max_running: usize, jobs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = jobs.replace("HERE", folder.path().to_str().unwrap());
        let site = folder.path().join("site");
        std::fs::create_dir_all(site.join("calendars")).unwrap();
        let settings = "version: 1\ntitle: Benchmark\nzone: UTC\ncalendar: days\n\
             mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}\n";
        std::fs::write(site.join("site.yaml"), settings).unwrap();
        let hosts =
            format!("version: 1\nhosts:\n  local: {{trial: true, max_running: {max_running}}}\n");
        std::fs::write(site.join("hosts.yaml"), hosts).unwrap();
        let days =
            "version: 1\ntitle: Every day\nweekly: mon-sun\ncovers: 2025-01-01..2035-12-31\n";
        std::fs::write(site.join("calendars/days.yaml"), days).unwrap();
        let batch = format!(
            "version: 1\nbatch: bench\ntitle: Benchmark\nschedule: {{on: every day, at: [\"21:30\"]}}\njobs:\n{jobs}"
        );
        std::fs::write(site.join("bench.yaml"), batch).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `nightrun` with these words, silent unless told otherwise.
    pub(crate) fn nightrun(&self, words: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_nightrun")));
        command.current_dir(self.folder.path()).args(["--site", "site", "--state", "state"]);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}
