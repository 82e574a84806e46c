//! `audit`: what people did in a time, and who could do what on a date.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use super::show::host_now;
use crate::http::store_access;
use crate::render;
use crate::types::{PersonId, Right};

#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// From this date or time (of the site's zone); from the first entry by default
    #[arg(long, value_name = "DATE|TIME")]
    pub(super) from: Option<String>,
    /// To the end of this date, or to this time; until now by default
    #[arg(long, value_name = "DATE|TIME")]
    pub(super) to: Option<String>,
    /// Only what this person did, or what was done to this person's access
    #[arg(long)]
    pub(super) person: Option<PersonId>,
    /// Comma-separated values instead of a table
    #[arg(long)]
    pub(super) csv: bool,
    /// Who could do what at the end of this date instead
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to", "csv"])]
    pub(super) access: Option<Date>,
}

pub(super) async fn audit(context: &Context, asked: AuditArguments) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::audit(context, &asked).await;
    }
    context.may(Right::Admin)?;
    if let Some(date) = asked.access {
        return access(context, date, asked.person.as_ref()).await;
    }
    let zone = &context.site()?.zone;
    let from = asked.from.map_or(Ok(Timestamp::MIN), |text| zone.begin(&text));
    let to = asked.to.map_or(Ok(Timestamp::MAX), |text| zone.end(&text));
    let time = (from.map_err(Failure::defects)?, to.map_err(Failure::defects)?);
    let reader = context.reader().await?;
    let archives = context.retention.as_ref().map(|retention| retention.archive.as_path());
    let audited = store_access::audit(&reader, archives, time).await;
    let (mut lines, proof) = audited.map_err(Failure::failed)?;
    store_access::about(&mut lines, asked.person.as_ref());
    match context.format {
        _ if asked.csv => {
            print_line!("{}", render::audit::csv(context.lang, &lines, &proof).trim_end())?;
        }
        Format::Json => print_line!("{}", json!({ "lines": lines, "proof": proof }))?,
        Format::Text => {
            let text = render::audit::text(context.lang, zone, &lines, &proof);
            print_line!("{text}")?;
        }
    }
    Ok(WELL)
}

/// The list of access as it was at the end of a date.
async fn access(context: &Context, date: Date, person: Option<&PersonId>) -> Result<u8, Failure> {
    let current = context.site()?;
    let until = current.zone.end_of(date).map_err(Failure::defects)?;
    let (reader, now) = (context.reader_if_any().await?, host_now()?.wall);
    let access = store_access::access_at(reader.as_ref(), &current, (until, now)).await;
    let (site, mut lines) = access.map_err(Failure::failed)?.ok_or_else(|| {
        Failure::refused(format!(
            "no run had begun by the end of {date}, so the job files of then are not known"
        ))
    })?;
    lines.retain(|line| person.is_none_or(|person| line.id == *person));
    match context.format {
        Format::Json => print_line!("{}", json!(lines))?,
        Format::Text => {
            let text = render::access::people(context.lang, &site.zone, &lines);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}
