//! What commands show of another host's runs, asked of its API (`--server`).

use std::io::Write;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value;

use super::arguments::{Format, LogArguments};
use super::asking::{ask, ask_patiently, get, gone, good, in_path, print};
use super::audit::AuditArguments;
use super::context::Context;
use super::exit::{DEFECTS, Failure, WELL};
use super::output;
use crate::driver::api_client::{Answer, Ask, Client};
use crate::types::{BatchId, BusinessDate, Period, PersonId, RunId};
use crate::view::operations::OperationsView;

/// How often a log that is followed is asked for.
const PAUSE: Duration = Duration::from_millis(500);

/// `runs`.
pub(super) async fn runs(
    context: &Context,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
    limit: u32,
) -> Result<u8, Failure> {
    let path = format!("/api/v1/runs?limit={}{}", limit.clamp(1, 1_000), filter(batch, date));
    print(context, answered(context, &get(context, path)).await?)
}

/// `report`.
pub(super) async fn report(
    context: &Context,
    run: Option<RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<u8, Failure> {
    let run = find(context, run, batch, date).await?;
    let path = format!("/api/v1/runs/{}/report", in_path(&run));
    print(context, answered(context, &get(context, path)).await?)
}

/// `report --week`, `--month`, `--quarter`: as data, to be written in any form here.
pub(super) async fn operations(
    context: &Context,
    period: Period,
) -> Result<OperationsView, Failure> {
    let question = get(context, format!("/api/v1/operations/{period}"));
    let question = Ask { accept: "application/json", ..question };
    let answer = good(answered(context, &question).await?)?;
    serde_json::from_str(&answer.body).map_err(Failure::failed)
}

/// `log`: both streams, one after the other; with `--follow` until the attempt has ended.
pub(super) async fn log(context: &Context, arguments: LogArguments) -> Result<u8, Failure> {
    let LogArguments { job, date, run, attempt, follow } = arguments;
    let run = find(context, run, Some(&job.batch), date).await?;
    let attempt = attempt.map(|number| format!("&attempt={number}")).unwrap_or_default();
    for stream in ["out", "err"] {
        let mut from = 0;
        loop {
            let path = format!(
                "/api/v1/runs/{}/jobs/{}/log?stream={stream}&from={from}{attempt}",
                in_path(&run),
                job.job
            );
            let answer = good(answered(context, &get(context, path)).await?)?;
            let written = std::io::stdout().write_all(answer.body.as_bytes());
            written.and_then(|()| std::io::stdout().flush()).map_err(Failure::failed)?;
            let next = answer.log_next.unwrap_or(from);
            if next == from {
                if answer.log_ended || !follow {
                    break;
                }
                let never = std::future::pending::<()>();
                let _ = tokio::time::timeout(PAUSE, never).await;
            }
            from = next;
        }
    }
    Ok(WELL)
}

/// `people list`.
pub(super) async fn people(context: &Context) -> Result<u8, Failure> {
    let question = get(context, "/api/v1/people".to_owned());
    print_items(context, answered(context, &question).await?)
}

/// One page as it is.
pub(super) async fn page(context: &Context, path: String) -> Result<u8, Failure> {
    print(context, answered(context, &get(context, path)).await?)
}

/// `roster who`.
pub(super) async fn roster(context: &Context, at: Option<&str>) -> Result<u8, Failure> {
    let path = format!("/api/v1/roster{}", asked(&[("at", at)]));
    print(context, answered(context, &get(context, path)).await?)
}

/// `roster show`.
pub(super) async fn roster_sheet(
    context: &Context,
    dates: Option<(Date, Date)>,
) -> Result<u8, Failure> {
    let path = format!("/api/v1/roster/sheet{}", asked_dates(dates.unzip()));
    print(context, answered(context, &get(context, path)).await?)
}

/// `roster gaps`.
pub(super) async fn roster_gaps(
    context: &Context,
    dates: (Option<Date>, Option<Date>),
) -> Result<u8, Failure> {
    let path = format!("/api/v1/roster/gaps{}", asked_dates(dates));
    let data = Ask { accept: "application/json", ..get(context, path.clone()) };
    let data = good(answered(context, &data).await?)?;
    let view: Value = serde_json::from_str(&data.body).map_err(Failure::failed)?;
    let none = view["gaps"].as_array().is_some_and(Vec::is_empty) && view["ruled"] == true;
    print(context, answered(context, &get(context, path)).await?)?;
    Ok(if none { WELL } else { DEFECTS })
}

/// `roster export`.
pub(super) async fn roster_export(
    context: &Context,
    dates: (Option<Date>, Option<Date>),
) -> Result<u8, Failure> {
    let path = format!("/api/v1/roster/sheet{}", asked_dates(dates));
    let question = Ask { accept: "text/csv", ..get(context, path) };
    output::whole(&good(answered(context, &question).await?)?.body)?;
    Ok(WELL)
}

/// `roster ics`.
pub(super) async fn roster_feed(
    context: &Context,
    person: Option<&PersonId>,
) -> Result<u8, Failure> {
    let path = asked(&[("person", person.map(PersonId::as_str))]);
    let question = get(context, format!("/api/v1/roster.ics{path}"));
    let question = Ask { accept: "text/calendar", ..question };
    output::whole(&good(answered(context, &question).await?)?.body)?;
    Ok(WELL)
}

/// `audit`.
pub(super) async fn audit(context: &Context, arguments: &AuditArguments) -> Result<u8, Failure> {
    let AuditArguments { from, to, person, csv, access } = arguments;
    let person = ("person", person.as_ref().map(PersonId::as_str));
    if let Some(date) = access {
        let date = date.to_string();
        let path = format!("/api/v1/people{}", asked(&[("date", Some(&date)), person]));
        return print_items(context, answered(context, &get(context, path)).await?);
    }
    let which = [("from", from.as_deref()), ("to", to.as_deref()), person];
    long(context, format!("/api/v1/audit{}", asked(&which)), *csv).await
}

/// What takes as long as the journal is long, because the whole of it is proven there.
pub(super) async fn long(context: &Context, path: String, csv: bool) -> Result<u8, Failure> {
    let question = get(context, path);
    let mut client = Client::remote(context.remote.clone().ok_or_else(gone)?);
    if csv {
        let question = Ask { accept: "text/csv", ..question };
        let answer = good(ask_patiently(context, &mut client, &question).await?)?;
        print_line!("{}", answer.body.trim_end())?;
        return Ok(WELL);
    }
    print(context, ask_patiently(context, &mut client, &question).await?)
}

/// `archive list`.
pub(super) async fn archives(context: &Context, limit: u32) -> Result<u8, Failure> {
    let question = get(context, format!("/api/v1/archives?limit={limit}"));
    print_items(context, answered(context, &question).await?)
}

/// Prints an answer as it came; of a page as data what it lists, as the command on the host does.
fn print_items(context: &Context, answer: Option<Answer>) -> Result<u8, Failure> {
    if context.format == Format::Text {
        return print(context, answer);
    }
    let answer = good(answer)?;
    let page: Value = serde_json::from_str(&answer.body).map_err(Failure::failed)?;
    let items = serde_json::to_string_pretty(&page["items"]).map_err(Failure::failed)?;
    print_line!("{items}")?;
    Ok(WELL)
}

/// What stands behind the `?`.
fn asked(which: &[(&str, Option<&str>)]) -> String {
    let given = which.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let parts: Vec<String> = given
        .map(|(name, value)| format!("{name}={}", in_path(&value).replace('&', "%26")))
        .collect();
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

fn asked_dates((from, to): (Option<Date>, Option<Date>)) -> String {
    let (from, to) = (from.map(|from| from.to_string()), to.map(|to| to.to_string()));
    asked(&[("from", from.as_deref()), ("to", to.as_deref())])
}

/// The run that is meant: by its id, or the one opened last of a batch and date.
async fn find(
    context: &Context,
    run: Option<RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<RunId, Failure> {
    if let Some(run) = run {
        return Ok(run);
    }
    let path = format!("/api/v1/runs?limit=1{}", filter(batch, date));
    let question = Ask { accept: "application/json", ..get(context, path) };
    let answer = good(answered(context, &question).await?)?;
    let page: Value = serde_json::from_str(&answer.body).map_err(Failure::failed)?;
    let run = page["items"][0]["run"].as_str();
    let none = || Failure::refused("there is no such run; `nightrun runs` lists all runs");
    run.ok_or_else(none)?.parse().map_err(Failure::failed)
}

fn filter(batch: Option<&BatchId>, date: Option<BusinessDate>) -> String {
    let batch = batch.map(|batch| format!("&batch={batch}")).unwrap_or_default();
    let date = date.map(|date| format!("&date={date}")).unwrap_or_default();
    batch + &date
}

async fn answered(context: &Context, question: &Ask) -> Result<Option<Answer>, Failure> {
    let remote = context.remote.clone().ok_or_else(gone)?;
    ask(context, &mut Client::remote(remote), question).await
}
