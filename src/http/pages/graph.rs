//! `GET /runs/{run}/graph`: the jobs of a run as a drawing, or with `?job=` what is before and after one of them.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::page::{Body, Named};
use crate::http::problem::Problem;
use crate::http::runs::{recall, status_of};
use crate::port::control::Caller;
use crate::render::pages;
use crate::render::words::Pages;
use crate::types::{JobName, RunId};
use crate::view::graph;

pub(crate) async fn page(
    State(api): State<Api>,
    uri: Uri,
    Named(run): Named<String>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run: RunId = run.parse().map_err(Problem::unknown)?;
    let wanted = query.get("job").and_then(|job| job.parse::<JobName>().ok());
    let at = Where::of(uri.path()).ok_or_else(|| Problem::unknown("no such page"))?;
    let looker = looker(&api, &caller, &headers);
    let status = status_of(&api, &run, caller).await?;
    let lang = looker.lang;
    let key = format!("graph {run} {wanted:?} {}", lang.tag());
    let middle = match api.0.recent.bodies.get(&api, &key) {
        Some(middle) => middle,
        None => {
            let recalled = recall(&api, Some(&run), None, None).await?;
            let state = recalled.core.state().run(&run).map_err(Problem::failed)?;
            let graph = graph::of(state, wanted.as_ref()).with_states(&status.jobs);
            let middle = pages::graph::middle((lang, &at.up), &status.head, &graph);
            let middle = Body::html(middle.map_err(Problem::failed)?);
            api.0.recent.bodies.put(&api, key, middle.clone());
            middle
        }
    };
    let title = format!("{} – {}", Pages::Graph.say(lang), status.head.title.get(lang));
    let live = status.head.result.is_none();
    answer(
        &api,
        (&looker, &headers),
        &Page { at: &at, section: None, title: &title, live },
        &middle,
    )
}
