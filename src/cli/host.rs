//! `host`: the hosts that jobs run on, and whether they take new attempts.

use clap::Subcommand;
use serde_json::json;

use super::arguments::{Format, WhyArguments};
use super::asking::{ask, get, print};
use super::context::Context;
use super::exit::{Failure, WELL};
use super::host_setup;
use super::house::{carry_out, unknown};
use super::show::host_now;
use crate::port::control::House;
use crate::render;
use crate::types::HostName;
use crate::view::hosts;

#[derive(Debug, Subcommand)]
pub(super) enum HostCommand {
    /// Put this nightrun on a host that hosts.yaml declares, or bring it up to date: what runs there goes on
    Add { host: HostName },
    /// Look at a host, or at all that are reached over ssh: program, clock, disk, users, agent, kernel
    Check { host: Option<HostName> },
    /// Each host: whether it is reached, what runs there, whether it takes new attempts
    List,
    /// Let no new attempt begin on a host; what runs there goes on
    Drain {
        host: HostName,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Let new attempts begin there again
    Undrain {
        host: HostName,
        #[command(flatten)]
        why: WhyArguments,
    },
}

pub(super) async fn host(context: &Context, command: HostCommand) -> Result<u8, Failure> {
    match command {
        HostCommand::Add { host } => host_setup::add(context, &host).await,
        HostCommand::Check { host } => host_setup::check(context, host.as_ref()).await,
        HostCommand::List => list(context).await,
        HostCommand::Drain { host, why } => {
            if context.remote.is_none() {
                let site = context.site()?;
                if !site.hosts.contains_key(&host) {
                    let known = site.hosts.keys().map(HostName::as_str);
                    return Err(unknown("host", host.as_str(), known));
                }
            }
            let order = House::Drain { host, drain: true };
            carry_out(context, order, why.reason, why.dry_run).await
        }
        // One that is gone from the files may be drained still.
        HostCommand::Undrain { host, why } => {
            let order = House::Drain { host, drain: false };
            carry_out(context, order, why.reason, why.dry_run).await
        }
    }
}

/// Of whoever supervises; where nobody does, as the files and the store have it.
async fn list(context: &Context) -> Result<u8, Failure> {
    if let Some(mut client) = context.client().await? {
        let question = get(context, "/api/v1/hosts".to_owned());
        return print(context, ask(context, &mut client, &question).await?);
    }
    let (site, standing) = (context.site()?, context.standing().await?);
    let page = hosts::page(&site, (&standing, None), host_now()?.wall);
    match context.format {
        Format::Json => print_line!("{}", json!(page))?,
        Format::Text => print_line!("{}", render::hosts::text(context.lang, &page))?,
    }
    Ok(WELL)
}
