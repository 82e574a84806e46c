//! Inspections of some days.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::page::{Asked, Form};
use super::problem::Problem;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::store::StateReader;
use crate::port::Clock;
use crate::render;
use crate::supervisor::{Fatal, inspections_of, standing};
use crate::view::inspection::InspectionsView;

/// Days that are shown at once.
const MOST: i32 = 92;

/// Of which days.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichInspections {
    /// The first day; today by default.
    from: Option<Date>,
    /// The last day; the first by default. At most 92 days.
    to: Option<Date>,
}

/// `GET /api/v1/inspections`.
pub(super) async fn inspections(
    State(api): State<Api>,
    Asked(WhichInspections { from, to }): Asked<WhichInspections>,
    form: Form,
) -> Result<Response, Problem> {
    let site = api.published().site;
    let site = site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))?;
    check(from, to).map_err(Problem::unreadable)?;
    let view = of_store(api.reader().await?, &site, (from, to)).await.map_err(Problem::failed)?;
    form.page(&view, |lang| render::inspection::text(lang, &view))
}

/// Whether so many days are shown at once.
///
/// # Errors
/// In words.
pub fn check(from: Option<Date>, to: Option<Date>) -> Result<(), String> {
    let days = match (from, to) {
        (Some(from), Some(to)) => from.until(to).map_or(MOST, |span| span.get_days()),
        (None, Some(_)) => return Err("`to` goes with `from`".to_owned()),
        _ => 0,
    };
    match (0..MOST).contains(&days) {
        true => Ok(()),
        false => Err(format!("give 1 to {MOST} days, the first one first")),
    }
}

/// Inspections as the store has them.
///
/// # Errors
/// The store cannot be read, or does not fit what it should be.
pub async fn of_store(
    reader: &StateReader,
    site: &Arc<Site>,
    (from, to): (Option<Date>, Option<Date>),
) -> Result<InspectionsView, Fatal> {
    let now = HostClock::new()?.now().wall;
    let today = site.zone.tz().to_datetime(now).date();
    let from = from.unwrap_or(today);
    let to = to.unwrap_or(from);
    let mut core = Core::new(1);
    standing(reader, &mut core, false).await?;
    inspections_of(reader, (&core, site), ((from, to), now)).await
}
