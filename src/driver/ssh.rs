//! Other hosts are reached by the ssh program of this one: the keys, the settings, the jump hosts and the known hosts of the
//! account that nightrun runs as.
#![expect(clippy::disallowed_methods, reason = "driver: starts ssh")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use crate::definition::site::{Host, Ssh};

/// Bytes that are kept of what ssh says when it fails.
const WORDS: usize = 4 * 1024;
/// How long ssh may take to end once its connection has.
const ENDS: Duration = Duration::from_secs(2);

/// Settings that hold where the site's `ssh:` says nothing else: ssh goes by the first that it is told.
const SETTINGS: [&str; 8] = [
    // Nobody is there to be asked for a password.
    "BatchMode=yes",
    "ConnectTimeout=10",
    // A connection that is cut without a word is noticed after a quarter of a minute.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    // A connection of its own: what shares one goes with it, and two hosts behind two jump hosts may look like one to ssh.
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
];

/// The way to one host.
#[derive(Debug, Clone)]
pub struct SshWay {
    ssh: Ssh,
    folder: PathBuf,
}

impl SshWay {
    /// `None`: it is this host.
    pub fn to(host: &Host) -> Option<Self> {
        let ssh = host.ssh.clone()?;
        Some(Self { ssh, folder: host.folder.clone() })
    }

    /// A path beneath nightrun's folder there.
    pub fn there(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// The nightrun of that host, with these words.
    pub fn nightrun(&self, words: &[&str]) -> Command {
        let program = self.there("nightrun");
        let words: Vec<String> =
            [program.as_str()].iter().chain(words).map(|word| quoted(word)).collect();
        self.shell(&words.join(" "))
    }

    /// A line for the shell of that host.
    pub fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-T").args(self.settings());
        command.arg("--").arg(&self.ssh.address).arg(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C at a terminal is for the supervisor, which still has something to say.
        command.process_group(0).kill_on_drop(true);
        command
    }

    fn settings(&self) -> Vec<String> {
        let mut words = self.ssh.options.clone();
        let mut say = |key: &str, value: String| words.extend([key.to_owned(), value]);
        for setting in SETTINGS {
            say("-o", setting.to_owned());
        }
        if let Some(user) = &self.ssh.user {
            say("-o", format!("User={user}"));
        }
        if let Some(number) = self.ssh.port {
            say("-p", number.to_string());
        }
        words
    }
}

/// A word as the shell of the other host reads it back.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What is put right by whom, where ssh's own words do not say it.
pub fn explained(said: &str, host: &crate::types::HostName) -> String {
    let said = said.trim();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(said).trim();
    if said.contains("Host key verification failed") || said.contains("REMOTE HOST IDENTIFICATION")
    {
        return format!(
            "its host key is not the known one, or none is known: compare it with that of the host, then `ssh-keygen -R` and `ssh-keyscan` (ssh says: {last})"
        );
    }
    let of_program = |line: &&str| {
        let no_program = ["No such file", "not found", "Permission denied", "cannot execute"];
        line.contains("/nightrun:") && no_program.iter().any(|words| line.contains(words))
    };
    if let Some(line) = said.lines().find(of_program) {
        let line = line.trim();
        return format!(
            "there is no nightrun there: `nightrun host add {host}` installs it ({line})"
        );
    }
    if said.contains("Permission denied (") {
        return format!("it does not let this account in: {last}");
    }
    last.to_owned()
}

/// Reads what an ssh complains of as long as it runs, so that it never waits for a reader, and keeps the end of it.
pub(super) fn hear(complaints: Option<ChildStderr>) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let Some(mut complaints) = complaints else { return kept };
        let mut piece = [0; 1024];
        // An error ends it like an end does.
        while let Ok(read @ 1..) = complaints.read(&mut piece).await {
            kept.extend_from_slice(&piece[..read]);
            kept.drain(..kept.len().saturating_sub(WORDS));
        }
        kept
    })
}

/// How an ssh has ended, by what it has complained of; waits for its end.
pub(super) async fn end_of(mut child: Child, heard: JoinHandle<Vec<u8>>) -> Option<String> {
    let ending = async {
        let words = heard.await.unwrap_or_default();
        (words, child.wait().await.ok())
    };
    let (words, status) = tokio::time::timeout(ENDS, ending).await.ok()?;
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    match (words.is_empty(), status.filter(|status| !status.success())) {
        (false, Some(_)) => Some(words),
        (true, Some(status)) => Some(format!("ssh ended with {status}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_shell_of_another_host_as_they_are() {
        assert_eq!(quoted("a b'c$(x)"), r"'a b'\''c$(x)'");
    }

    #[test]
    fn what_ssh_says_becomes_what_is_to_be_done() {
        let host = crate::types::HostName::new("db1").unwrap();
        for (said, part) in [
            ("@@@\nHost key verification failed.\n", "ssh-keyscan"),
            ("x@y: Permission denied (publickey).\n", "does not let this account in"),
            (
                "bash: line 1: .nightrun/nightrun: No such file or directory\n",
                "nightrun host add db1",
            ),
            ("ssh: connect to host db1 port 22: Connection refused\n", "Connection refused"),
        ] {
            assert!(explained(said, &host).contains(part), "{said}");
        }
    }
}
