//! The supervisor's side of the link to the agent of its own host: starts the agent where none is, says `Hello`, passes
//! words in both directions, and comes back whatever happens to the agent.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the agent and waits between two attempts to reach it"
)]

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::socket_path::ShortPath;
use crate::port::{AgentEvent, AgentLink};
use crate::types::{Epoch, HostName};
use crate::wire::{self, AgentProgram, FromAgent, LINE_LIMIT, ToAgent};

const SOONEST: Duration = Duration::from_millis(20);
const LATEST: Duration = Duration::from_secs(2);
/// How long an agent may take to say that it can be connected to. It reads its spool first.
const BEGINS: Duration = Duration::from_secs(30);
/// Bytes of what an agent may say instead.
const WORDS: u64 = 4 * 1024;
/// How long the last words may take.
const CLOSES: Duration = Duration::from_secs(1);
/// How long an agent may take to answer a `Hello`.
const ANSWERS: Duration = Duration::from_secs(5);

/// Where an agent comes from that is not there.
#[derive(Debug, Clone)]
pub struct AgentStart {
    /// The nightrun program that this supervisor is.
    pub program: PathBuf,
    /// Whether an agent is started from it where none listens; else it is waited for.
    pub starts: bool,
}

/// The agent of this host. Dropping it ends the link, not the agent.
pub struct LocalAgent {
    host: HostName,
    words: UnboundedSender<ToAgent>,
    link: JoinHandle<()>,
}

impl LocalAgent {
    /// Begins the link; to be called within a tokio runtime. `dir`: the agent's folder, made where it is not there. An
    /// agent of another release, or whose program was replaced, is told to go on as the program of now. Everything that
    /// is heard goes to `events`, the link's own ups and downs too: see [`AgentEvent`].
    pub fn new(
        host: HostName,
        dir: PathBuf,
        start: AgentStart,
        epoch: Epoch,
        events: UnboundedSender<AgentEvent>,
    ) -> Self {
        let (words, said) = unbounded_channel();
        let link = Link {
            host: host.clone(),
            dir,
            start,
            epoch,
            events,
            said,
            agent: None,
            answered: false,
            asked: None,
            upgrade: None,
            goes_on: false,
        };
        let link = tokio::spawn(link.keep_up());
        Self { host, words, link }
    }
}

impl AgentLink for LocalAgent {
    fn tell(&mut self, host: &HostName, what: ToAgent) {
        if *host == self.host {
            // Its receiver lives as long as this sender.
            let _ = self.words.send(what);
        }
    }

    async fn close(self) {
        drop(self.words);
        // What cannot be passed on is asked for by the next supervisor.
        let _ = tokio::time::timeout(CLOSES, self.link).await;
    }
}

struct Link {
    host: HostName,
    dir: PathBuf,
    start: AgentStart,
    epoch: Epoch,
    events: UnboundedSender<AgentEvent>,
    said: UnboundedReceiver<ToAgent>,
    /// The agent that was started from here, to be waited for when it ends.
    agent: Option<Child>,
    /// Whether anything was heard on this connection.
    answered: bool,
    /// The agent that was told last to go on as another program: one that stays has said why.
    asked: Option<(u32, AgentProgram)>,
    /// To be told on this connection.
    upgrade: Option<ToAgent>,
    /// It was told so on this connection.
    goes_on: bool,
}

/// Why a conversation is over.
enum Over {
    /// Nobody wants the link any more.
    Dropped,
    Away(String),
}

impl Link {
    async fn keep_up(mut self) {
        let mut pause = SOONEST;
        let mut told = String::new();
        loop {
            let why = match self.reach().await {
                Ok(stream) => {
                    self.answered = false;
                    let over = self.converse(stream).await;
                    if self.answered {
                        (pause, told) = (SOONEST, String::new());
                    }
                    match over {
                        Over::Dropped => return,
                        Over::Away(why) => why,
                    }
                }
                Err(why) => why,
            };
            // An agent that cannot be reached for an hour is said once, not each time that it was tried.
            if why != told {
                let event = AgentEvent::Away { host: self.host.clone(), why: why.clone() };
                if self.events.send(event).is_err() {
                    return;
                }
                told = why;
            }
            if !self.rest(pause).await {
                return;
            }
            pause = (pause * 2).min(LATEST);
        }
    }

    /// Waits, and drops what it is told meanwhile; false when nobody wants the link any more.
    async fn rest(&mut self, pause: Duration) -> bool {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                word = self.said.recv() => if word.is_none() { return false },
            }
        }
        true
    }

    /// A connection to the agent, which is started if nobody listens.
    async fn reach(&mut self) -> Result<UnixStream, String> {
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

    async fn converse(&mut self, stream: UnixStream) -> Over {
        let (mut reader, mut writer) = stream.into_split();
        let mut input = Vec::new();
        let hello = ToAgent::hello(self.epoch);
        if let Err(e) = writer.write_all(&lines(&[hello])).await {
            return Over::Away(e.to_string());
        }
        // What was meant for the connection before this one is asked for anew.
        while self.said.try_recv().is_ok() {}
        self.goes_on = false;
        let mut words = Vec::new();
        let patience = tokio::time::sleep(ANSWERS);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                () = &mut patience, if !self.answered => {
                    return Over::Away("the agent does not answer".to_owned());
                }
                read = reader.read_buf(&mut input) => match read {
                    Ok(0) if self.goes_on => {
                        return Over::Away("the agent goes on as another program".to_owned());
                    }
                    Ok(0) => return Over::Away("the agent has left".to_owned()),
                    Err(e) => return Over::Away(e.to_string()),
                    Ok(n) => {
                        self.answered = true;
                        if let Err(over) = self.pass_on(&mut input, n) {
                            return over;
                        }
                        if let Some(upgrade) = self.upgrade.take() {
                            self.goes_on = true;
                            if let Err(e) = writer.write_all(&lines(&[upgrade])).await {
                                return Over::Away(e.to_string());
                            }
                        }
                    }
                },
                count = self.said.recv_many(&mut words, 1_024) => {
                    if count == 0 {
                        return Over::Dropped;
                    }
                    if let Err(e) = writer.write_all(&lines(&words)).await {
                        return Over::Away(e.to_string());
                    }
                    words.clear();
                }
            }
        }
    }

    /// Passes on the whole lines of the input, of which the last `fresh` bytes are new.
    fn pass_on(&mut self, input: &mut Vec<u8>, fresh: usize) -> Result<(), Over> {
        let old = input.len() - fresh;
        let Some(end) = input[old..].iter().rposition(|byte| *byte == b'\n') else {
            if input.len() > LINE_LIMIT {
                return Err(Over::Away("the agent said a line that is too long".to_owned()));
            }
            return Ok(());
        };
        let whole = old + end + 1;
        for line in input[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let what: FromAgent = serde_json::from_slice(line)
                .map_err(|e| Over::Away(format!("the agent said what cannot be read: {e}")))?;
            if let FromAgent::Welcome { version, pid, program, .. } = &what {
                self.upgrade = self.meet(*version, *pid, program.as_ref())?;
            }
            let says = AgentEvent::Says { host: self.host.clone(), what };
            self.events.send(says).map_err(|_| Over::Dropped)?;
        }
        input.drain(..whole);
        Ok(())
    }

    /// Whether this agent is one to talk to, and what it is to be told first.
    fn meet(
        &mut self,
        version: u32,
        pid: u32,
        program: Option<&AgentProgram>,
    ) -> Result<Option<ToAgent>, Over> {
        if wire::agreed(version, version).is_none() {
            return Err(Over::Away(format!(
                "the agent speaks version {version} of the protocol, this release speaks {} to {}: `nightrun agent upgrade` with the newer of the two programs",
                wire::OLDEST,
                wire::VERSION
            )));
        }
        let Some(program) = program.filter(|_| wire::can_upgrade(version)) else { return Ok(None) };
        let of_another = program.release != wire::release();
        let asked = self.asked.as_ref().is_some_and(|(p, asked)| *p == pid && asked == program);
        if asked || !(of_another || program.replaced) {
            return Ok(None);
        }
        self.asked = Some((pid, program.clone()));
        // Where only its file was replaced it knows itself which it is.
        let program = of_another.then(|| self.start.program.clone());
        Ok(Some(ToAgent::Upgrade { program }))
    }
}

fn lines(words: &[ToAgent]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words {
        let from = bytes.len();
        // Plain data with string keys always has a JSON form.
        match serde_json::to_writer(&mut bytes, word) {
            Ok(()) => bytes.push(b'\n'),
            Err(_) => bytes.truncate(from),
        }
    }
    bytes
}

async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let short = ShortPath::of(dir, wire::spool::SOCKET)?;
    UnixStream::connect(short.path()).await
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
