//! `inspections`: how many rounds there were on some days, and what they found.

use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use crate::http;
use crate::render;

#[derive(Debug, Args)]
pub(super) struct InspectionsArguments {
    /// One day; today by default
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    day: Option<Date>,
    /// The first of several days
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last one
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
}

pub(super) async fn inspections(
    context: &Context,
    arguments: &InspectionsArguments,
) -> Result<u8, Failure> {
    let (from, to) = (arguments.day.or(arguments.from), arguments.to);
    http::check_inspections(from, to).map_err(Failure::refused)?;
    if context.remote.is_some() {
        let from = from.map(|from| format!("?from={from}")).unwrap_or_default();
        let to = to.map(|to| format!("&to={to}")).unwrap_or_default();
        return remote::page(context, format!("/api/v1/inspections{from}{to}")).await;
    }
    let (reader, site) = (context.reader().await?, context.site()?);
    let view = http::inspections_of_store(&reader, &site, (from, to)).await;
    let view = view.map_err(Failure::failed)?;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::inspection::text(context.lang, &view))?,
    }
    Ok(WELL)
}
