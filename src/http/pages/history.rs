//! `GET /history`: former nights; `GET /compare`: two of them.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::page::Body;
use crate::http::problem::Problem;
use crate::http::runs::{cursor, status_of};
use crate::port::control::Caller;
use crate::port::{RunFilter, StoreReader};
use crate::render::pages::history::Wanted;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::types::{RunId, Zone};

/// Runs on a page.
const ROWS: u32 = 50;

pub(crate) async fn page(
    State(api): State<Api>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let of = |name: &str| query.get(name).cloned().unwrap_or_default();
    let wanted = Wanted { batch: of("batch"), date: of("date"), trial: of("trial").parse().ok() };
    let filter = RunFilter {
        batch: wanted.batch.parse().ok(),
        business_date: wanted.date.parse().ok(),
        trial: wanted.trial,
        // One more tells whether there are older ones.
        limit: Some(ROWS + 1),
        opened_before: cursor(of("cursor").parse().ok())?,
        ..RunFilter::default()
    };
    let mut rows = api.reader().await?.runs(&filter).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let older = rows.last().filter(|_| more).map(|row| row.opened_seq);
    let site = api.published().site;
    let batches = site.iter().flat_map(|site| site.batches.keys().map(ToString::to_string));
    let batches: Vec<String> = batches.collect();
    let zone = site.as_ref().map_or_else(Zone::utc, |site| site.zone.clone());
    let looker = looker(&api, &caller, &headers);
    let at = Where { up: "./".to_owned(), place: "history".to_owned() };
    let lang = looker.lang;
    let middle = pages::history::middle((lang, &at.up, &zone), &batches, &wanted, (&rows, older));
    let middle = Body::html(middle.map_err(Problem::failed)?);
    let title = Pages::Nights.say(lang);
    let page = Page { at: &at, section: Some(Section::History), title: &title, live: false };
    answer(&api, (&looker, &headers), &page, &middle)
}

pub(crate) async fn compare(
    State(api): State<Api>,
    // Each side is called `run`.
    Query(runs): Query<Vec<(String, String)>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let looker = looker(&api, &caller, &headers);
    let lang = looker.lang;
    let runs: Vec<RunId> = runs
        .into_iter()
        .filter(|(name, _)| name == "run")
        .map(|(_, run)| run.parse().map_err(Problem::unknown))
        .collect::<Result<_, _>>()?;
    let [a, b] = runs.as_slice() else {
        return Err(Problem::unreadable(Pages::CompareHint.say(lang)));
    };
    let a = status_of(&api, a, caller.clone()).await?;
    let b = status_of(&api, b, caller).await?;
    let at = Where { up: "./".to_owned(), place: "compare".to_owned() };
    let middle = pages::compare::middle((lang, &at.up), [&a, &b]);
    let middle = Body::html(middle.map_err(Problem::failed)?);
    let title = pages::compare::title(lang, [&a, &b]);
    let page = Page { at: &at, section: Some(Section::History), title: &title, live: false };
    answer(&api, (&looker, &headers), &page, &middle)
}
