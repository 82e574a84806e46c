//! `GET /`: the night as it stands.

use axum::response::Response;

use super::{Page, Visit};
use crate::http::page::Body;
use crate::http::problem::Problem;
use crate::http::status::kept_body;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::view;
use crate::view::night_rows::{Group, Wanted};

/// What is wanted of a list of jobs. Whatever cannot be read is as if it were not there.
pub(super) fn wanted(visit: &Visit) -> Wanted {
    Wanted {
        group: Group::of_word(visit.wants("show")).unwrap_or_default(),
        batch: visit.wants("batch").parse().ok(),
        team: visit.wants("team").parse().ok(),
        text: visit.wants("q").trim().to_owned(),
        page: visit.wants("page").parse::<usize>().map_or(0, |page| page.saturating_sub(1)),
    }
}

pub(crate) async fn page(visit: Visit) -> Result<Response, Problem> {
    let (lang, wanted) = (visit.lang(), wanted(&visit));
    let site = visit.api.published().site;
    let hands_over = site.as_ref().is_some_and(|site| site.duty.hand_over.is_some());
    let make = |night: &_| {
        let night: &view::status::StatusPage = night;
        let duty = site.as_ref().map(|site| view::roster::of(site, night.now));
        let about = pages::tonight::About::Night { duty: duty.as_ref(), hands_over };
        let middle = pages::tonight::middle((lang, visit.up()), night, about, &wanted);
        middle.map(|middle| Some(Body::html(middle))).map_err(Problem::failed)
    };
    let key = (format!("tonight {wanted:?}"), false, lang);
    let middle = kept_body(&visit.api, visit.caller.clone(), key, make).await?;
    let middle = middle.ok_or_else(|| Problem::failed("no page was made"))?;
    let title = Pages::Tonight.say(lang);
    visit.around(&Page { section: Some(Section::Tonight), title: &title, live: true }, &middle)
}
