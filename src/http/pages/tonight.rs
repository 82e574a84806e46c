//! `GET /`: the night as it stands.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Page, Where, answer, looker};
use crate::http::Api;
use crate::http::page::Body;
use crate::http::problem::Problem;
use crate::http::status::kept_body;
use crate::port::control::Caller;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::view;
use crate::view::night_rows::{Group, Wanted};

/// What stands behind the `?` of a list of jobs. Whatever cannot be read is as if it were not there.
pub(super) fn wanted(query: &BTreeMap<String, String>) -> Wanted {
    let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    Wanted {
        group: Group::of_word(of("show")).unwrap_or_default(),
        batch: of("batch").parse().ok(),
        team: of("team").parse().ok(),
        text: of("q").trim().to_owned(),
        page: of("page").parse::<usize>().map_or(0, |page| page.saturating_sub(1)),
    }
}

pub(crate) async fn page(
    State(api): State<Api>,
    Query(query): Query<BTreeMap<String, String>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let looker = looker(&api, &caller, &headers);
    let at = Where { up: "./".to_owned(), place: String::new() };
    let (lang, wanted) = (looker.lang, wanted(&query));
    let site = api.published().site;
    let make = |night: &_| {
        let night: &view::status::StatusPage = night;
        let duty = site.as_ref().map(|site| view::roster::of(site, night.now));
        let about = pages::tonight::About::Night { duty: duty.as_ref() };
        let middle = pages::tonight::middle((lang, &at.up), night, about, &wanted);
        middle.map(|middle| Some(Body::html(middle))).map_err(Problem::failed)
    };
    let middle =
        kept_body(&api, caller, (format!("tonight {wanted:?}"), false, lang), make).await?;
    let middle = middle.ok_or_else(|| Problem::failed("no page was made"))?;
    let title = Pages::Tonight.say(lang);
    let page = Page { at: &at, section: Some(Section::Tonight), title: &title, live: true };
    answer(&api, (&looker, &headers), &page, &middle)
}
