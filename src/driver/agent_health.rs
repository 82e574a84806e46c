//! What is found of the agent of this host, without starting one or telling it anything that counts.

#![expect(clippy::disallowed_methods, reason = "driver: it reads the agent's folder")]

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::socket_path::ShortPath;
use crate::types::Epoch;
use crate::view::health::Finding;
use crate::wire::{self, AgentProgram, FromAgent, ToAgent, spool};

/// Asks the agent of a folder who it is, for at most so long.
/// `awaited`: its own unit starts it.
pub async fn examine(dir: &Path, limit: Duration, awaited: bool) -> Finding {
    match look(dir, limit).await {
        Ok(Finding::NoAgent { .. }) if awaited => Finding::AgentAwaited,
        Ok(found) => found,
        Err(why) => Finding::AgentUnusable { why },
    }
}

async fn look(dir: &Path, limit: Duration) -> Result<Finding, String> {
    let epoch = kept_epoch(dir)?;
    check_spool_id(dir)?;
    let (running, unrecorded) = attempts(dir)?;
    let stream = match connect(dir).await {
        Ok(stream) => stream,
        Err(why) if matches!(why.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(Finding::NoAgent { attempts: running + unrecorded });
        }
        Err(why) => return Err(format!("{}: {why}", dir.join(spool::SOCKET).display())),
    };
    let log = dir.join(spool::LOG);
    let said = tokio::time::timeout(limit, greet(stream, epoch))
        .await
        .map_err(|_| format!("it does not answer in {limit:?}; its log: {}", log.display()))??;
    match said {
        FromAgent::Welcome { version, .. } if wire::agreed(version, version).is_none() => {
            Ok(Finding::AgentSpeaksOther { version, own: wire::VERSION })
        }
        FromAgent::Welcome { pid, version, program, .. } if is_outdated(program.as_ref()) => {
            let release = program.map(|program| program.release);
            let own = wire::release().to_owned();
            Ok(Finding::AgentOutdated { pid, version, release, own, running })
        }
        FromAgent::Welcome { version, boot, pid, .. } => {
            let (release, boot) = (wire::release().to_owned(), boot.0);
            Ok(Finding::AgentHere { pid, version, release, boot, running, unrecorded })
        }
        other => Err(format!("it answers a greeting with {other:?}; its log: {}", log.display())),
    }
}

/// Whether it is another program than the one that is installed.
fn is_outdated(program: Option<&AgentProgram>) -> bool {
    program.is_none_or(|program| program.replaced || program.release != wire::release())
}

/// With the highest epoch that the agent has kept: it obeys, and nobody is overtaken by it.
async fn greet(stream: UnixStream, epoch: Epoch) -> Result<FromAgent, String> {
    let mut talk = Talk::with(stream);
    talk.say(&ToAgent::hello(epoch)).await?;
    let said = talk.hear().await?;
    said.ok_or_else(|| {
        "it closes the connection: it obeys its own account and root alone".to_owned()
    })
}

/// A connection to an agent, for a few words.
pub(super) struct Talk {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Talk {
    pub(super) fn with(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer }
    }

    pub(super) async fn say(&mut self, what: &ToAgent) -> Result<(), String> {
        let mut line = serde_json::to_vec(what).map_err(|why| why.to_string())?;
        line.push(b'\n');
        self.writer.write_all(&line).await.map_err(|why| why.to_string())
    }

    /// The next line; `None` when it has closed the connection.
    pub(super) async fn hear(&mut self) -> Result<Option<FromAgent>, String> {
        let mut said = String::new();
        let read = self.reader.read_line(&mut said).await.map_err(|why| why.to_string())?;
        if read == 0 {
            return Ok(None);
        }
        let said = serde_json::from_str(&said);
        said.map(Some).map_err(|why| format!("it said what cannot be read: {why}"))
    }
}

pub(super) async fn connect(dir: &Path) -> std::io::Result<UnixStream> {
    let short = ShortPath::of(dir, spool::SOCKET)?;
    UnixStream::connect(short.path()).await
}

pub(super) fn kept_epoch(dir: &Path) -> Result<Epoch, String> {
    let path = dir.join("epoch");
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(Epoch).map_err(|_| damaged(&path, "an epoch")),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(Epoch(0)),
        Err(why) => Err(format!("{}: {why}", path.display())),
    }
}

fn check_spool_id(dir: &Path) -> Result<(), String> {
    let path = dir.join("spool-id");
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() == 32 => Ok(()),
        Ok(_) => Err(damaged(&path, "a spool's id")),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
        Err(why) => Err(format!("{}: {why}", path.display())),
    }
}

fn damaged(path: &Path, what: &str) -> String {
    format!(
        "{} does not hold {what}: put it back from a copy; it must not be guessed",
        path.display()
    )
}

/// Attempts whose ending is not in the journal: those that have none yet, and those that have one.
fn attempts(dir: &Path) -> Result<(u64, u64), String> {
    let live = dir.join(spool::LIVE);
    let entries = match std::fs::read_dir(&live) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok((0, 0)),
        Err(why) => return Err(format!("{}: {why}", live.display())),
    };
    let (mut running, mut ended) = (0, 0);
    for entry in entries {
        let entry = entry.map_err(|why| format!("{}: {why}", live.display()))?;
        match std::fs::read(entry.path()) {
            Ok(record) if spool::ended_line(&record).is_some() => ended += 1,
            // It went between the two looks: its ending is in the journal now.
            Err(why) if why.kind() == ErrorKind::NotFound => {}
            _ => running += 1,
        }
    }
    Ok((running, ended))
}
