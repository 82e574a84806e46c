//! The agent of this host: connected to, and started where none is.
#![expect(clippy::disallowed_methods, reason = "starts the agent")]

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::super::socket_path::ShortPath;
use crate::wire;

/// How long an agent may take to say that it can be connected to. It reads its spool first.
const BEGINS: Duration = Duration::from_secs(30);
/// Bytes of what an agent may say instead.
const WORDS: u64 = 4 * 1024;

/// Where an agent comes from that is not there.
#[derive(Debug, Clone)]
pub struct AgentStart {
    /// The nightrun program that this supervisor is.
    pub program: PathBuf,
    /// Whether an agent is started from it where none listens; else it is waited for.
    pub starts: bool,
}

/// The agent of a folder of this host.
pub(super) struct LocalAgent {
    dir: PathBuf,
    pub(super) start: AgentStart,
    /// The agent that was started from here, to be waited for when it ends.
    agent: Option<Child>,
}

impl LocalAgent {
    pub(super) fn new(dir: PathBuf, start: AgentStart) -> Self {
        Self { dir, start, agent: None }
    }

    /// A connection to the agent, which is started if nobody listens.
    pub(super) async fn reach(&mut self) -> Result<UnixStream, String> {
        let words = |e: io::Error| format!("the agent's folder {}: {e}", self.dir.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(words)?;
        match connect(&self.dir).await {
            Ok(stream) => return Ok(stream),
            Err(e) if nobody_listens(&e) && !self.start.starts => {
                return Err(format!(
                    "nobody listens in {}: this host's settings say that its own unit starts the agent (systemctl status nightrun-agent)",
                    self.dir.display()
                ));
            }
            Err(e) if nobody_listens(&e) => {}
            Err(e) => return Err(format!("the agent's socket: {e}")),
        }
        let ended = self.last_agent();
        self.start_agent().await.map_err(|e| format!("the agent cannot be started: {e}"))?;
        connect(&self.dir).await.map_err(|e| {
            let log = self.dir.join(wire::spool::LOG);
            let ended = ended.or_else(|| self.last_agent()).unwrap_or_default();
            format!("the agent does not listen ({e}){ended}; its log: {}", log.display())
        })
    }

    /// How the agent that was started from here has ended, in words.
    fn last_agent(&mut self) -> Option<String> {
        let status = self.agent.as_mut()?.try_wait().ok()??;
        self.agent = None;
        Some(format!("; the last one ended with {status}"))
    }

    /// Starts an agent and waits until it says that it can be connected to, or ends.
    async fn start_agent(&mut self) -> io::Result<()> {
        let path = self.dir.join(wire::spool::LOG);
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", path.display())))?;
        // It leaves this session by itself, and must not end with this process.
        let mut agent = Command::new(&self.start.program)
            // The store is none of its business, nor of what it starts; and nobody is to be told for this process.
            .env_remove("PGPASSWORD")
            .env_remove("NIGHTRUN_STORE_PASSWORD_FILE")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .arg("agent")
            .arg("--dir")
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut said = Vec::new();
        if let Some(out) = agent.stdout.take() {
            // "ready", or why it cannot serve; where it says neither the next connect tells.
            let mut out = out.take(WORDS);
            let word = async {
                while !said.contains(&b'\n') && out.read_buf(&mut said).await? > 0 {}
                Ok::<_, io::Error>(())
            };
            let _ = tokio::time::timeout(BEGINS, word).await;
        }
        self.agent = Some(agent);
        let said = String::from_utf8_lossy(&said);
        match said.trim() {
            "" | "ready" => Ok(()),
            why => Err(io::Error::other(why.to_owned())),
        }
    }
}

async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let short = ShortPath::of(dir, wire::spool::SOCKET)?;
    UnixStream::connect(short.path()).await
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
