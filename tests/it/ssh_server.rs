//! An sshd of the tests' own on this host, and what a client needs to come in.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::server_process::{ServerProcess, folder, free_port, program};

pub(crate) struct SshServer {
    folder: PathBuf,
    pub(crate) port: u16,
    process: ServerProcess,
}

impl SshServer {
    pub(crate) fn start() -> Self {
        let sshd = program("sshd", ["/usr/sbin".into()].into_iter(), "openssh-server");
        program("ssh", std::iter::empty(), "openssh-client");
        let (folder, port) = (folder(None), free_port());
        // Where sshd, as root, keeps a process without rights.
        fs::create_dir_all("/run/sshd").ok();
        for key in ["host", "client"] {
            make_key(&folder.join(key));
        }
        fs::copy(folder.join("client.pub"), folder.join("authorized")).unwrap();
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\n\
             AuthorizedKeysFile {at}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nMaxStartups 200\nMaxSessions 200\nInclude {at}/more\n"
        );
        fs::write(folder.join("config"), config).unwrap();
        fs::write(folder.join("more"), "").unwrap();
        let words = [sshd.display().to_string(), "-D".into(), "-e".into(), "-f".into()];
        let words = [&words[..], &[format!("{at}/config")]].concat();
        let process = ServerProcess::start(&folder, &words);
        let server = Self { folder, port, process };
        server.know_host("known", &server.folder.join("host.pub"), port);
        server.wait();
        server
    }

    fn wait(&self) {
        let begun = std::time::Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed().as_secs() < 20, "sshd does not listen: {}", log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Sessions have these variables from now on.
    pub(crate) fn set_env(&self, pairs: &str) {
        fs::write(self.folder.join("more"), format!("SetEnv {pairs}\n")).unwrap();
        self.process.tell("TERM");
        self.process.tell("start");
        self.wait();
    }

    /// Adds a host to a file of known ones.
    fn know_host(&self, file: &str, key: &Path, port: u16) {
        let key = fs::read_to_string(key).unwrap();
        let mut words = key.split_whitespace();
        let (kind, key) = (words.next().unwrap(), words.next().unwrap());
        let mut known =
            OpenOptions::new().append(true).create(true).open(self.folder.join(file)).unwrap();
        writeln!(known, "[127.0.0.1]:{port} {kind} {key}").unwrap();
    }

    /// Settings of the ssh program that come in over a port: this server's, or that of a wire to it.
    pub(crate) fn client(&self, port: u16) -> PathBuf {
        self.know_host("known", &self.folder.join("host.pub"), port);
        self.settings(port, "known")
    }

    /// As [`client`](Self::client), of one who knows another key of this host.
    pub(crate) fn deceived(&self, port: u16) -> PathBuf {
        make_key(&self.folder.join("other"));
        self.know_host("wrong", &self.folder.join("other.pub"), port);
        self.settings(port, "wrong")
    }

    fn settings(&self, port: u16, known: &str) -> PathBuf {
        let (at, path) = (self.folder.display(), self.folder.join(format!("ssh-{port}-{known}")));
        let text = format!(
            "Host *\n  Port {port}\n  IdentityFile {at}/client\n  IdentitiesOnly yes\n  UserKnownHostsFile {at}/{known}\n\
             \x20 GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n"
        );
        let how = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
        how.open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    }
}

fn make_key(path: &Path) {
    let mut make = Command::new("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).stdin(Stdio::null());
    let made = make.status().expect("ssh-keygen is missing: apt-get install openssh-client");
    assert!(made.success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
