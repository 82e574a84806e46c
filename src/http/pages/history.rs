//! `GET /history`: former nights; `GET /compare`: two of them.

use axum::response::Response;

use super::{Page, Visit};
use crate::http::problem::Problem;
use crate::http::runs::{cursor, status_of};
use crate::port::{RunFilter, StoreReader};
use crate::render::pages::history::Wanted;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::types::{RunId, Zone};

/// Runs on a page.
const ROWS: u32 = 50;

pub(crate) async fn page(visit: Visit) -> Result<Response, Problem> {
    let of = |name| visit.wants(name).to_owned();
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
    let mut rows = visit.api.reader().await?.runs(&filter).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let older = rows.last().filter(|_| more).map(|row| row.opened_seq);
    let site = visit.api.published().site;
    let batches = site.iter().flat_map(|site| site.batches.keys().map(ToString::to_string));
    let batches: Vec<String> = batches.collect();
    let zone = site.as_ref().map_or_else(Zone::utc, |site| site.zone.clone());
    let by = (visit.lang(), visit.up(), &zone);
    let middle = pages::history::middle(by, &batches, &wanted, (&rows, older));
    let title = Pages::Nights.say(visit.lang());
    visit.page(&Page { section: Some(Section::History), title: &title, live: false }, middle)
}

/// Each side is called `run`.
pub(crate) async fn compare(visit: Visit) -> Result<Response, Problem> {
    let lang = visit.lang();
    let runs: Vec<RunId> = visit
        .all("run")
        .map(|run| run.parse().map_err(Problem::unknown))
        .collect::<Result<_, _>>()?;
    let [a, b] = runs.as_slice() else {
        return Err(Problem::unreadable(Pages::CompareHint.say(lang)));
    };
    let a = status_of(&visit.api, a, visit.caller.clone()).await?;
    let b = status_of(&visit.api, b, visit.caller.clone()).await?;
    let middle = pages::compare::middle((lang, visit.up()), [&a, &b]);
    let title = pages::compare::title(lang, [&a, &b]);
    visit.page(&Page { section: Some(Section::History), title: &title, live: false }, middle)
}
