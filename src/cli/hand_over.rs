//! `hand-over`: what a shift leaves to the next, and the steps of people.

use clap::Subcommand;
use serde_json::json;

use super::arguments::Format;
use super::asking::{self, get};
use super::context::Context;
use super::exit::{Failure, WELL};
use super::house::carry_out;
use super::remote;
use super::show::host_now;
use crate::core::hand_over::{HandOverOrder, HandOverWish};
use crate::core::night::Core;
use crate::http;
use crate::port::control::House;
use crate::render;
use crate::supervisor::{on_call_of, standing};
use crate::types::HandOverId;
use crate::view::hand_over::HandOverLine;
use crate::view::of_hand_over;

#[derive(Debug, Subcommand)]
pub(super) enum HandOverCommand {
    /// Hand-overs that nobody has accepted, the shift that ended last first
    List {
        /// Those that are over too
        #[arg(long)]
        all: bool,
    },
    /// What one leaves to the next shift: as it stands now, or as it was accepted
    Show {
        /// Such as night@2026-10-30; by default the open one whose shift ends last, else the last of all
        hand_over: Option<HandOverId>,
    },
    /// Add words to what your shift leaves
    Note { hand_over: HandOverId, words: String },
    /// Hand your shift over: you are ready
    Give {
        hand_over: HandOverId,
        /// What the record does not say
        #[arg(long, value_name = "TEXT", default_value = "")]
        words: String,
    },
    /// Take over: from here on it is the next shift's
    Accept {
        hand_over: HandOverId,
        #[arg(long, value_name = "TEXT", default_value = "")]
        remark: String,
    },
}

pub(super) async fn hand_over(context: &Context, command: HandOverCommand) -> Result<u8, Failure> {
    let (hand_over, wish, words) = match command {
        HandOverCommand::List { all } => return list(context, all).await,
        HandOverCommand::Show { hand_over } => return show(context, hand_over).await,
        HandOverCommand::Note { hand_over, words } => (hand_over, HandOverWish::Note, words),
        HandOverCommand::Give { hand_over, words } => (hand_over, HandOverWish::Give, words),
        HandOverCommand::Accept { hand_over, remark } => (hand_over, HandOverWish::Accept, remark),
    };
    let order = Box::new(HandOverOrder { hand_over, wish, noted: Vec::new() });
    carry_out(context, House::HandOver { order }, words, false).await
}

async fn known(context: &Context, all: bool) -> Result<Vec<HandOverLine>, Failure> {
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(&context.site()?));
    let reader = context.reader().await?;
    standing(&reader, &mut core, false).await.map_err(Failure::failed)?;
    Ok(of_hand_over::list(&core, all))
}

async fn list(context: &Context, all: bool) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::page(context, format!("/api/v1/hand-overs?all={all}")).await;
    }
    let lines = known(context, all).await?;
    let (site, now) = (context.site()?, host_now()?.wall);
    match context.format {
        Format::Json => print_line!("{}", json!({ "items": lines }))?,
        Format::Text => print_line!(
            "{}",
            render::hand_over::list_text(context.lang, (&site.zone, now), all, &lines)
        )?,
    }
    Ok(WELL)
}

async fn show(context: &Context, named: Option<HandOverId>) -> Result<u8, Failure> {
    if context.remote.is_some() {
        let id = match named {
            Some(id) => id.to_string(),
            None => last_of(context).await?,
        };
        return remote::page(context, format!("/api/v1/hand-overs/{id}")).await;
    }
    let id = match named {
        Some(id) => id,
        None => {
            let open = known(context, false).await?.into_iter().next();
            let last = match open {
                Some(open) => Some(open),
                None => known(context, true).await?.into_iter().next(),
            };
            last.map(|line| line.id).ok_or_else(none)?
        }
    };
    let reader = context.reader().await?;
    let found = http::hand_over_of_store(&reader, &context.site()?, &id).await;
    let view = found.map_err(Failure::failed)?;
    let view = view.ok_or_else(|| Failure::refused(format!("no hand-over {id} is known here")))?;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::hand_over::text(context.lang, &view))?,
    }
    Ok(WELL)
}

/// The same, of another host.
async fn last_of(context: &Context) -> Result<String, Failure> {
    let Some(mut client) = context.client().await? else { return Err(none()) };
    for all in [false, true] {
        let path = format!("/api/v1/hand-overs?all={all}");
        let question =
            crate::driver::api_client::Ask { accept: "application/json", ..get(context, path) };
        let answer = asking::good(asking::ask(context, &mut client, &question).await?)?;
        let page: serde_json::Value =
            serde_json::from_str(&answer.body).map_err(Failure::failed)?;
        if let Some(id) = page["items"][0]["id"].as_str() {
            return Ok(id.to_owned());
        }
    }
    Err(none())
}

fn none() -> Failure {
    Failure::refused("no shift was handed over here yet")
}
