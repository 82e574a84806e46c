//! `GET /calendar`: a month of the site.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;

use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::changes::known;
use crate::http::page::Body;
use crate::http::problem::Problem;
use crate::port::control::Caller;
use crate::render::pages::{self, Section};
use crate::view::month;

pub(crate) async fn page(
    State(api): State<Api>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (site, standing, now) = known(&api).await?;
    let looker = looker(&api, &caller, &headers);
    let today = site.zone.tz().to_datetime(now).date();
    let wanted = query.get("month").and_then(|month| format!("{month}-01").parse::<Date>().ok());
    // Neither calendars nor rosters reach further.
    let wanted = wanted.filter(|date| (2000..2100).contains(&date.year()));
    let ordered: Vec<_> = standing.freezes.values().map(|freeze| freeze.what.clone()).collect();
    let month = month::of(&site, &ordered, wanted.unwrap_or(today));
    let at = Where { up: "./".to_owned(), place: "calendar".to_owned() };
    let middle = pages::calendar::middle(looker.lang, (&site.zone, today), &month);
    let middle = Body::html(middle.map_err(Problem::failed)?);
    let title = pages::calendar::title(looker.lang, month.first);
    let page = Page { at: &at, section: Some(Section::Calendar), title: &title, live: false };
    answer(&api, (&looker, &headers), &page, &middle)
}
