//! `bulletin`: what happened since the last one, or on a day.

use jiff::civil::Date;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use crate::http;
use crate::render;

pub(super) async fn bulletin(context: &Context, day: Option<Date>) -> Result<u8, Failure> {
    if context.remote.is_some() {
        let day = day.map(|day| format!("?day={day}")).unwrap_or_default();
        return remote::page(context, format!("/api/v1/bulletin{day}")).await;
    }
    let (reader, site) = (context.reader().await?, context.site()?);
    let found = http::bulletin_of_store(&reader, &site, day).await.map_err(Failure::failed)?;
    let view = found.ok_or_else(|| Failure::refused(http::NO_BULLETIN))?;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::bulletin::text(context.lang, &view))?,
    }
    Ok(WELL)
}
