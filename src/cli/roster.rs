//! `roster`: who is on shift.

use clap::Subcommand;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use super::run::instant;
use super::show::host_now;
use crate::{render, view};

#[derive(Debug, Subcommand)]
pub(super) enum RosterCommand {
    /// Who is on shift, and when that changes next
    Who {
        /// At this time (of the site's zone), such as 2026-10-30T21:30; now by default
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
}

pub(super) async fn roster(context: &Context, command: RosterCommand) -> Result<u8, Failure> {
    let RosterCommand::Who { at } = command;
    if context.remote.is_some() {
        return remote::roster(context, at.as_deref()).await;
    }
    let site = context.site()?;
    let at = match at {
        Some(text) => instant(&text, &site)?,
        None => host_now()?.wall,
    };
    let view = view::roster::of(&site, at).map_err(Failure::refused)?;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::roster::text(context.lang, &site.zone, &view))?,
    }
    Ok(WELL)
}
