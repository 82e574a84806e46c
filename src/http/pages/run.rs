//! `GET /runs/{run}`: one run, as it stands or as it was.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::tonight::wanted;
use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::page::{Body, Named};
use crate::http::problem::Problem;
use crate::http::runs::status_of;
use crate::port::control::Caller;
use crate::render::pages::tonight;
use crate::types::RunId;
use crate::view::status::{StatusPage, StatusView};

pub(crate) async fn page(
    State(api): State<Api>,
    uri: Uri,
    Named(run): Named<String>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run: RunId = run.parse().map_err(Problem::unknown)?;
    let at = Where::of(uri.path()).ok_or_else(|| Problem::unknown("no such page"))?;
    let looker = looker(&api, &caller, &headers);
    let (lang, wanted) = (looker.lang, wanted(&query));
    let page = |view: &StatusView| {
        let title = format!("{} {}", view.head.title.get(lang), view.head.business_date);
        (title, view.head.result.is_none())
    };
    let make = |view: StatusView| {
        let (title, _) = page(&view);
        let (now, zone) = (view.head.now, view.head.zone.clone());
        let (runs, incidents) = (vec![view], Vec::new());
        let night = StatusPage { runs, incidents, next: None, now, zone, trouble: None };
        let about = tonight::About::Run { title: &title };
        let middle = tonight::middle((lang, &at.up), &night, about, &wanted);
        middle.map(Body::html).map_err(Problem::failed)
    };
    let key = format!("run {run} {wanted:?} {}", lang.tag());
    let view = status_of(&api, &run, caller).await?;
    let (title, live) = page(&view);
    let middle = match api.0.recent.bodies.get(&api, &key) {
        Some(middle) => middle,
        None => {
            let middle = make(view)?;
            api.0.recent.bodies.put(&api, key, middle.clone());
            middle
        }
    };
    answer(
        &api,
        (&looker, &headers),
        &Page { at: &at, section: None, title: &title, live },
        &middle,
    )
}
