//! Tells the agent of this host that what it keeps of some runs is in an archive.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::socket_path::ShortPath;
use super::witness;
use crate::types::RunId;
use crate::wire::{FromAgent, ToAgent, spool};

/// For an agent that has many folders to remove.
const ANSWERS: Duration = Duration::from_secs(120);

/// The runs of which nothing (or, `logs_only`, no output) is kept any more. An agent that is older than this knows no such
/// word and closes the connection.
pub async fn retire(dir: &Path, runs: Vec<RunId>, logs_only: bool) -> Result<Vec<RunId>, String> {
    // Who leads now: nobody is overtaken by it.
    let epoch = witness::epoch(dir).map_err(|why| why.to_string())?;
    let short = ShortPath::of(dir, spool::SOCKET).map_err(|why| why.to_string())?;
    let stream = UnixStream::connect(short.path()).await.map_err(|why| why.to_string())?;
    let (reader, mut writer) = stream.into_split();
    let words = [ToAgent::hello(epoch), ToAgent::Retire { runs, logs_only }];
    for word in words {
        let mut line = serde_json::to_vec(&word).map_err(|why| why.to_string())?;
        line.push(b'\n');
        writer.write_all(&line).await.map_err(|why| why.to_string())?;
    }
    let mut lines = BufReader::new(reader).lines();
    let answer = async {
        while let Some(line) = lines.next_line().await.map_err(|why| why.to_string())? {
            match serde_json::from_str(&line) {
                Ok(FromAgent::Retired { runs }) => return Ok(runs),
                Ok(FromAgent::Stale { .. }) => return Err("another supervisor leads".to_owned()),
                // News of attempts, for whoever supervises them.
                Ok(_) => {}
                Err(why) => return Err(why.to_string()),
            }
        }
        Err("the agent closes the connection; its log says why".to_owned())
    };
    let silent = |_| "the agent does not answer".to_owned();
    tokio::time::timeout(ANSWERS, answer).await.map_err(silent)?
}
