//! `event`: tells the supervisor at work what another system would tell it.

use std::collections::BTreeMap;

use clap::Args;

use super::act::answered;
use super::asking;
use super::context::Context;
use super::exit::Failure;
use crate::port::control::EventIn;
use crate::types::{BusinessDate, EventKey, EventName};

#[derive(Debug, Args)]
pub(super) struct EventArguments {
    /// As the job files name it (`wait: {event: NAME}`, `on_event: NAME`)
    event: EventName,
    /// What makes it one and the same: the same key again does nothing
    #[arg(long)]
    key: EventKey,
    /// Its business date; that of the run that waits for it, where there is one only
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<BusinessDate>,
    /// A parameter of the batch that it orders; may be given several times
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = super::arguments::key_value)]
    parameters: Vec<(String, String)>,
    /// Why you tell it by hand; recorded with your name
    #[arg(long)]
    reason: String,
}

pub(super) async fn event(context: &Context, arguments: EventArguments) -> Result<u8, Failure> {
    let EventArguments { event, key, date, parameters, reason } = arguments;
    let parameters: BTreeMap<String, String> = parameters.into_iter().collect();
    let told = EventIn { key, event, business_date: date, parameters, reason: Some(reason) };
    answered(context, tell(context, &told).await)
}

async fn tell(context: &Context, told: &EventIn) -> Result<u8, Failure> {
    let Some(mut client) = context.client().await? else {
        return Err(Failure::refused(
            "no supervisor is at work here that could take an event\n  \
             `nightrun serve` or `nightrun resume` starts one; send the event again then, with the same key",
        ));
    };
    let question = asking::post(context, "/api/v1/events".to_owned(), told)?;
    let answer = asking::ask_patiently(context, &mut client, &question).await?;
    asking::print(context, answer)
}
