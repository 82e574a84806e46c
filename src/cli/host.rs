//! `host`: the hosts that jobs run on.

use clap::Subcommand;

use super::context::Context;
use super::exit::Failure;
use super::host_setup;
use crate::types::HostName;

#[derive(Debug, Subcommand)]
pub(super) enum HostCommand {
    /// Put this nightrun on a host that hosts.yaml declares, or bring it up to date: what runs there goes on
    Add { host: HostName },
    /// Look at a host, or at all that are reached over ssh: program, clock, disk, users, agent, kernel
    Check { host: Option<HostName> },
}

pub(super) async fn host(context: &Context, command: HostCommand) -> Result<u8, Failure> {
    match command {
        HostCommand::Add { host } => host_setup::add(context, &host).await,
        HostCommand::Check { host } => host_setup::check(context, host.as_ref()).await,
    }
}
