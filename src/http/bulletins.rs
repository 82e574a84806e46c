//! Bulletins: what happened since the last one, or on a day.

use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::page::{Asked, Form};
use super::problem::Problem;
use crate::core::bulletin;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::store::StateReader;
use crate::port::Clock;
use crate::render;
use crate::supervisor::{Fatal, bulletin_of, on_call_of, standing};
use crate::view::bulletin::BulletinView;

/// Of which day.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichBulletin {
    /// What the bulletins of this day tell of; what happened since the last one where nothing is said.
    day: Option<Date>,
}

/// `GET /api/v1/bulletin`.
pub(super) async fn bulletin(
    State(api): State<Api>,
    Asked(WhichBulletin { day }): Asked<WhichBulletin>,
    form: Form,
) -> Result<Response, Problem> {
    let site = api.published().site;
    let site = site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))?;
    let found = of_store(api.reader().await?, &site, day).await.map_err(Problem::failed)?;
    let view = found.ok_or_else(|| Problem::unknown(NONE))?;
    form.page(&view, |lang| render::bulletin::text(lang, &view))
}

/// Why there is none of a day.
pub const NONE: &str = "shifts.yaml names no times of bulletins (`bulletin:`)";

/// A bulletin as the store has it; `None`: of a day, where the site names no times.
pub async fn of_store(
    reader: &StateReader,
    site: &std::sync::Arc<Site>,
    day: Option<Date>,
) -> Result<Option<BulletinView>, Fatal> {
    let now = HostClock::new()?.now().wall;
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(site));
    standing(reader, &mut core, false).await?;
    let time = match day {
        Some(day) => bulletin::of_day(site, day).map(|(from, to)| (from.min(now), to.min(now))),
        None => Some((bulletin::since(site, core.state().standing.bulletin.as_ref(), now), now)),
    };
    let Some(time) = time else { return Ok(None) };
    bulletin_of(reader, &core, time).await
}
