//! Other hosts are reached by the ssh program of this one: the keys, the settings, the jump hosts and the known hosts of the
//! account that nightrun runs as.
#![expect(clippy::disallowed_methods, reason = "driver: starts ssh")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};

use crate::definition::site::{Host, Ssh};

/// Bytes that are kept of what ssh says when it fails.
const WORDS: u64 = 4 * 1024;
/// How long ssh may take to end once its connection has.
const ENDS: Duration = Duration::from_secs(2);

/// Settings that hold where the site's `ssh:` says nothing else: ssh goes by the first that it is told.
const SETTINGS: [&str; 7] = [
    // Nobody is there to be asked for a password.
    "BatchMode=yes",
    "ConnectTimeout=10",
    // A connection that is cut without a word is noticed after a quarter of a minute.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlMaster=auto",
    "ForwardAgent=no",
    "ForwardX11=no",
];

/// Where connections are shared: a log is read over the connection that its agent is spoken to over.
#[derive(Debug, Clone)]
pub struct SharedConnections(Arc<Lazy>);

#[derive(Debug)]
struct Lazy {
    dir: PathBuf,
    open: OnceLock<Option<File>>,
}

impl SharedConnections {
    /// In the state folder, for the own account alone; made with the first connection.
    pub fn beneath(state: &Path) -> Self {
        Self(Arc::new(Lazy { dir: state.join("ssh"), open: OnceLock::new() }))
    }

    /// Through the folder's descriptor: the path of a socket must be short. Where there can be no folder nothing is shared.
    fn option(&self) -> String {
        let Lazy { dir, open } = &*self.0;
        let made = || {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).ok()?;
            File::open(dir).ok()
        };
        match open.get_or_init(made) {
            Some(dir) => {
                format!("ControlPath=/proc/{}/fd/{}/%C", std::process::id(), dir.as_raw_fd())
            }
            None => "ControlPath=none".to_owned(),
        }
    }
}

/// The way to one host.
#[derive(Debug, Clone)]
pub struct SshWay {
    ssh: Ssh,
    folder: PathBuf,
    shared: SharedConnections,
}

impl SshWay {
    /// `None`: it is this host.
    pub fn to(host: &Host, shared: &SharedConnections) -> Option<Self> {
        let ssh = host.ssh.clone()?;
        Some(Self { ssh, folder: host.folder.clone(), shared: shared.clone() })
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
        command.arg("-T").args(self.settings("-p"));
        command.arg("--").arg(&self.ssh.address).arg(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Copies a file to a path there.
    pub fn copy(&self, from: &Path, to: &str) -> Command {
        let mut command = Command::new("scp");
        command.arg("-q").args(self.settings("-P"));
        // An address with colons would be read as a host and a path.
        let address = match self.ssh.address.contains(':') {
            true => format!("[{}]", self.ssh.address),
            false => self.ssh.address.clone(),
        };
        command.arg("--").arg(from).arg(format!("{address}:{to}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Of ssh and scp, which name the port differently.
    fn settings(&self, port: &str) -> Vec<String> {
        let mut words = self.ssh.options.clone();
        let mut say = |key: &str, value: String| words.extend([key.to_owned(), value]);
        for setting in SETTINGS {
            say("-o", setting.to_owned());
        }
        say("-o", self.shared.option());
        if let Some(user) = &self.ssh.user {
            say("-o", format!("User={user}"));
        }
        if let Some(number) = self.ssh.port {
            say(port, number.to_string());
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
    if said.contains("Permission denied") {
        return format!("it does not let this account in: {last}");
    }
    let no_program = ["No such file", "not found", "Permission denied", "cannot execute"];
    if said.contains("nightrun") && no_program.iter().any(|words| said.contains(words)) {
        return format!(
            "there is no nightrun there: `nightrun host add {host}` installs it ({last})"
        );
    }
    last.to_owned()
}

/// How an ssh has ended, by what it has said; waits for its end.
pub(super) async fn end_of(mut child: Child, said: Option<ChildStderr>) -> Option<String> {
    let mut words = Vec::new();
    let ending = async {
        if let Some(said) = said {
            // What was said until then counts.
            let _ = said.take(WORDS).read_to_end(&mut words).await;
        }
        child.wait().await.ok()
    };
    let status = tokio::time::timeout(ENDS, ending).await.ok().flatten();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    match (words.is_empty(), status) {
        (false, _) => Some(words),
        (true, Some(status)) if !status.success() => Some(format!("ssh ended with {status}")),
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
