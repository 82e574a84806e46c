//! The agent of another host: spoken to through a bridge there, over ssh.

use std::process::Stdio;

use tokio::process::Child;
use tokio::task::JoinHandle;

use super::super::ssh::{SshWay, end_of, explained, hear};
use super::link::Stream;
use crate::types::HostName;

pub(super) struct SshAgent {
    host: HostName,
    way: SshWay,
    /// The ssh of this connection, and what it complains of.
    bridge: Option<(Child, JoinHandle<Vec<u8>>)>,
}

impl SshAgent {
    pub(super) fn new(host: HostName, way: SshWay) -> Self {
        Self { host, way, bridge: None }
    }

    /// The bridge; whether it comes to the agent is heard from the agent.
    pub(super) async fn reach(&mut self) -> Result<Stream, String> {
        let dir = self.way.there("agent");
        let mut command = self.way.nightrun(&["agent", "bridge", "--dir", &dir]);
        let mut bridge = command.stdin(Stdio::piped()).spawn().map_err(|why| {
            format!("the ssh program cannot be started: {why}; apt-get install openssh-client")
        })?;
        let (input, output) = (bridge.stdin.take(), bridge.stdout.take());
        let said = hear(bridge.stderr.take());
        let (Some(writer), Some(reader)) = (input, output) else {
            return Err("ssh was started without its pipes".to_owned());
        };
        self.bridge = Some((bridge, said));
        Ok(Stream { reader: Box::pin(reader), writer: Box::pin(writer) })
    }

    /// In ssh's or the bridge's words. Ends the ssh.
    pub(super) async fn ended(&mut self) -> Option<String> {
        let (bridge, said) = self.bridge.take()?;
        let said = end_of(bridge, said).await?;
        Some(explained(&said, &self.host))
    }
}
