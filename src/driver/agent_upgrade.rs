//! Tells the agent of this host to go on as another program, and waits until it has.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::agent_health::{Talk, connect, kept_epoch};
use crate::types::Epoch;
use crate::wire::{self, AgentProgram, FromAgent, ToAgent};

/// Of an agent that went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    pub pid: u32,
    pub was: String,
    pub is: String,
    pub program: PathBuf,
}

/// Tells the agent of this folder to go on as `program`, by default as what stands now where its own stood. All of it
/// takes at most `limit`. The error says what to do; the agent is then as it was.
pub async fn upgrade(
    dir: &Path,
    program: Option<PathBuf>,
    limit: Duration,
) -> Result<Upgraded, String> {
    let told = tokio::time::timeout(limit, tell(dir, program)).await;
    told.map_err(|_| {
        let log = dir.join(wire::spool::LOG);
        format!("the agent does not answer in {limit:?}; its log: {}", log.display())
    })?
}

async fn tell(dir: &Path, program: Option<PathBuf>) -> Result<Upgraded, String> {
    let epoch = kept_epoch(dir)?;
    let (mut talk, before) = meet(dir, epoch).await?;
    let Some(was) = before.program.filter(|_| wire::can_upgrade(before.version)) else {
        return Err(format!(
            "the agent (pid {pid}) is of a release that cannot go on as another: end it with `kill {pid}`; what runs goes on, and the next agent takes it over",
            pid = before.pid
        ));
    };
    talk.say(&ToAgent::Upgrade { program }).await?;
    // It closes the connection when it goes on; whatever else it says is for a supervisor.
    while let Some(said) = talk.hear().await? {
        if let FromAgent::NotUpgraded { why } = said {
            return Err(why);
        }
    }
    let (_, after) = meet(dir, epoch).await?;
    let is = after.program.ok_or("the agent does not say any more what it is")?;
    if after.pid != before.pid {
        return Err(format!("the agent (pid {}) has ended; another has begun", before.pid));
    }
    Ok(Upgraded { pid: after.pid, was: was.release, is: is.release, program: is.path })
}

struct Met {
    version: u32,
    pid: u32,
    program: Option<AgentProgram>,
}

async fn meet(dir: &Path, epoch: Epoch) -> Result<(Talk, Met), String> {
    let stream = connect(dir).await.map_err(|why| match why.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            format!("no agent listens in {}: there is nothing to upgrade", dir.display())
        }
        _ => format!("{}: {why}", dir.join(wire::spool::SOCKET).display()),
    })?;
    let mut talk = Talk::with(stream);
    // The highest epoch that it has kept: it obeys, and nobody is overtaken.
    talk.say(&ToAgent::hello(epoch)).await?;
    match talk.hear().await? {
        Some(FromAgent::Welcome { version, pid, program, .. }) => {
            Ok((talk, Met { version, pid, program }))
        }
        Some(FromAgent::Stale { .. }) => {
            Err("another supervisor has just taken the lead: try again".to_owned())
        }
        Some(other) => Err(format!("the agent answers a greeting with {other:?}")),
        None => Err("the agent obeys its own account and root alone".to_owned()),
    }
}
