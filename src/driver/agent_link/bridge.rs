//! The other end of a link over ssh: passes words between ssh and the agent of this host. It goes with its ssh; the agent
//! does not.

use std::path::PathBuf;

use tokio::io::{self, AsyncWriteExt};

use super::local::{AgentStart, LocalAgent};

/// Passes on until one of the two sides ends. An agent is started where none is.
///
/// # Errors
/// Why the agent cannot be reached, in words.
pub async fn bridge(dir: PathBuf, start: AgentStart) -> Result<(), String> {
    let mut agent = LocalAgent::new(dir, start);
    let (mut from_agent, mut to_agent) = agent.reach().await?.into_split();
    let (mut input, mut output) = (io::stdin(), io::stdout());
    let there = async {
        io::copy(&mut input, &mut to_agent).await?;
        to_agent.shutdown().await
    };
    // Flushes when the agent is silent.
    let back = async {
        io::copy(&mut from_agent, &mut output).await?;
        output.flush().await
    };
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
    }
    .map_err(|why| why.to_string())
}
