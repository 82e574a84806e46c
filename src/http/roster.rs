//! The roster: who is on shift, the table of a month, what is open, and the feed for calendar programs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::page::{Asked, Form};
use super::people::{now, site_of};
use super::problem::Problem;
use crate::core::roster::HoursUnknown;
use crate::definition::site::Site;
use crate::render;
use crate::types::PersonId;
use crate::view;
use crate::view::{roster_feed, roster_sheet};

/// When.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// A time of the site's zone (`2026-10-30T21:30`), or an instant; now where nothing is said.
    at: Option<String>,
}

/// `GET /api/v1/roster`.
pub(super) async fn roster(
    State(api): State<Api>,
    Asked(When { at }): Asked<When>,
    form: Form,
) -> Result<Response, Problem> {
    let site = site_of(&api)?;
    let at = match at {
        Some(text) => site.zone.instant(&text).map_err(Problem::unreadable)?,
        None => now()?,
    };
    let view = view::roster::of(&site, at);
    form.page(&view, |lang| render::roster::text(lang, &site.zone, &view))
}

/// Shifts or turns that no calendar knows.
fn unknown(why: HoursUnknown) -> Problem {
    Problem::new(StatusCode::CONFLICT, why)
}

/// Which dates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichDates {
    /// The first date.
    from: Option<Date>,
    /// The last date, 366 days from the first at the most.
    to: Option<Date>,
}

/// `GET /api/v1/roster/sheet`: of this month where nothing is said.
pub(super) async fn sheet(
    State(api): State<Api>,
    Asked(WhichDates { from, to }): Asked<WhichDates>,
    form: Form,
) -> Result<Response, Problem> {
    let site = site_of(&api)?;
    let dates = roster_sheet::month_span(today(&site)?, (from, to)).map_err(Problem::unreadable)?;
    let view = roster_sheet::of(&site, dates);
    if form.csv {
        return Ok(form.as_csv(render::roster_sheet::csv(form.lang, &view)));
    }
    form.page(&view, |lang| render::roster_sheet::text(lang, &site.zone, &view))
}

/// `GET /api/v1/roster/gaps`: of the next month where nothing is said.
pub(super) async fn gaps(
    State(api): State<Api>,
    Asked(WhichDates { from, to }): Asked<WhichDates>,
    form: Form,
) -> Result<Response, Problem> {
    let site = site_of(&api)?;
    let dates = roster_sheet::ahead_span(today(&site)?, (from, to)).map_err(Problem::unreadable)?;
    let view = roster_sheet::gaps_of(&site, dates).map_err(unknown)?;
    form.page(&view, |lang| render::roster_sheet::gaps(lang, &site.zone, &view))
}

/// Whose shifts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhoseShifts {
    /// Of one person; of all where nothing is said.
    person: Option<PersonId>,
}

/// `GET /api/v1/roster.ics`: in the language of the person, or of the site.
pub(super) async fn feed(
    State(api): State<Api>,
    Asked(WhoseShifts { person }): Asked<WhoseShifts>,
    form: Form,
) -> Result<Response, Problem> {
    let site = site_of(&api)?;
    if let Some(unknown) = person.as_ref().filter(|person| !site.people.contains_key(person)) {
        return Err(Problem::unknown(format!("there is no `{unknown}` in people.yaml")));
    }
    let today = today(&site)?;
    let events = roster_feed::of(&site, roster_feed::span(today), person.as_ref());
    let text = render::roster_feed::of_site(&site, (today, person.as_ref()), &events);
    Ok(form.as_calendar(text))
}

fn today(site: &Site) -> Result<Date, Problem> {
    Ok(site.zone.tz().to_datetime(now()?).date())
}
