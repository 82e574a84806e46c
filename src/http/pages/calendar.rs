//! `GET /calendar`: a month of the site.

use axum::response::Response;
use jiff::civil::Date;

use super::{Page, Visit};
use crate::http::changes::known;
use crate::http::problem::Problem;
use crate::render::pages::{self, Section};
use crate::view::month;

pub(crate) async fn page(visit: Visit) -> Result<Response, Problem> {
    let (site, standing, now) = known(&visit.api).await?;
    let today = site.zone.tz().to_datetime(now).date();
    let wanted = format!("{}-01", visit.wants("month")).parse::<Date>().ok();
    // Neither calendars nor rosters reach further.
    let wanted = wanted.filter(|date| (2000..2100).contains(&date.year()));
    let ordered: Vec<_> = standing.freezes.values().map(|freeze| freeze.what.clone()).collect();
    let month = month::of(&site, &ordered, wanted.unwrap_or(today));
    let middle = pages::calendar::middle(visit.lang(), (&site.zone, today), &month);
    let title = pages::calendar::title(visit.lang(), month.first);
    let page = Page { section: Some(Section::Calendar), title: &title, live: false };
    visit.page(&page, middle)
}
