//! `GET /incidents`: what is open, and who is on call.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::incidents::known;
use crate::http::page::Body;
use crate::http::people::now;
use crate::http::problem::Problem;
use crate::port::control::Caller;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::view::incident::Which;
use crate::view::{of_incident, roster};

pub(crate) async fn page(
    State(api): State<Api>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = query.get("state").map(String::as_str);
    let which = [Which::Unfinished, Which::All].into_iter().find(|of| wanted == Some(of.word()));
    let which = which.unwrap_or_default();
    let looker = looker(&api, &caller, &headers);
    let (core, site) = known(&api).await?;
    let now = now()?;
    let duty = roster::of(&site, now);
    let lines = of_incident::list(&core, which);
    let views = lines
        .iter()
        .take(pages::on_call::MOST)
        .map(|line| of_incident::view(&core, line.id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Problem::failed)?;
    let at = Where { up: "./".to_owned(), place: "incidents".to_owned() };
    let (lang, zone) = (looker.lang, &site.zone);
    let middle =
        pages::on_call::middle((lang, &at.up, now), which, (&views, lines.len()), (&duty, zone));
    let middle = Body::html(middle.map_err(Problem::failed)?);
    let title = Pages::OnCall.say(lang);
    let page = Page { at: &at, section: Some(Section::OnCall), title: &title, live: true };
    answer(&api, (&looker, &headers), &page, &middle)
}
