//! `drill`: when each drill is due, how the last ones came out, and starting one.

use clap::Subcommand;
use serde_json::json;

use super::arguments::{Format, WhyArguments};
use super::context::Context;
use super::exit::{Failure, WELL};
use super::house::carry_out;
use super::incident::known;
use super::remote;
use super::show::host_now;
use crate::core::incident::IncidentOrder;
use crate::port::control::House;
use crate::render;
use crate::types::DrillName;
use crate::view::drill;

#[derive(Debug, Subcommand)]
pub(super) enum DrillCommand {
    /// When each is due, and how the last one came out
    List,
    /// Raise the alarm by arrangement: it goes the way of a real one, marked as a drill
    Start {
        /// Of `drills:` in escalation.yaml
        drill: DrillName,
        #[command(flatten)]
        why: WhyArguments,
    },
}

pub(super) async fn drill(context: &Context, command: DrillCommand) -> Result<u8, Failure> {
    match command {
        DrillCommand::List => list(context).await,
        DrillCommand::Start { drill, why } => {
            let order = Box::new(IncidentOrder::Drill { drill });
            carry_out(context, House::Incident { order }, why.reason, why.dry_run).await
        }
    }
}

async fn list(context: &Context) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::page(context, "/api/v1/drills".to_owned()).await;
    }
    let (site, now) = (context.site()?, host_now()?.wall);
    let lines = drill::list(&known(context).await?, now);
    match context.format {
        Format::Json => print_line!("{}", json!({ "items": lines }))?,
        Format::Text => {
            let text = render::drill::list_text(context.lang, (&site.zone, now), &lines);
            print_line!("{text}")?;
        }
    }
    Ok(WELL)
}
