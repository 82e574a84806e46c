//! `GET /runs/{run}`: one run, as it stands or as it was.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::tonight::wanted;
use super::{Page, Shown, Where, answer, looker, told};
use crate::http::Api;
use crate::http::page::{Body, Named};
use crate::http::problem::Problem;
use crate::http::runs::status_of;
use crate::port::control::Caller;
use crate::render::pages;
use crate::types::RunId;
use crate::view::status::StatusPage;

pub(crate) async fn page(
    State(api): State<Api>,
    uri: axum::http::Uri,
    Named(run): Named<String>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = Shown::of(uri.path(), &headers);
    told(&api, looked_at(&api, (&uri, run), &query, (caller, &headers)).await, shown)
}

async fn looked_at(
    api: &Api,
    (uri, run): (&axum::http::Uri, String),
    query: &BTreeMap<String, String>,
    (caller, headers): (Caller, &HeaderMap),
) -> Result<Response, Problem> {
    let run: RunId = run.parse().map_err(Problem::unknown)?;
    let at = Where::of(uri.path()).ok_or_else(|| Problem::unknown("no such page"))?;
    let looker = looker(api, &caller, headers);
    let view = status_of(api, &run, caller).await?;
    let (head, lang) = (&view.head, looker.lang);
    let title = format!("{} {}", head.title.get(lang), head.business_date);
    let live = head.result.is_none();
    let (now, zone) = (head.now, head.zone.clone());
    let (runs, incidents) = (vec![view], Vec::new());
    let night = StatusPage { runs, incidents, next: None, now, zone, trouble: None };
    let middle = pages::tonight::middle((lang, &at.up), &night, None, &wanted(query));
    let middle = Body::html(middle.map_err(Problem::failed)?);
    answer(api, (&looker, headers), &Page { at: &at, section: None, title: &title, live }, &middle)
}
