//! Drills: when each is due, how those that were held came out, and starting one.

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::Api;
use super::house::{ReasonBody, ordered};
use super::incidents::known;
use super::page::{Form, Named, Sent};
use super::problem::Problem;
use crate::core::incident::IncidentOrder;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::{Caller, House};
use crate::render;
use crate::types::DrillName;
use crate::view::drill::{self, DrillLine};

/// Drills, by name.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct DrillsPage {
    items: Vec<DrillLine>,
}

/// `GET /api/v1/drills`.
pub(super) async fn list(State(api): State<Api>, form: Form) -> Result<Response, Problem> {
    let (core, site) = known(&api).await?;
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let page = DrillsPage { items: drill::list(&core, now) };
    form.page(&page, |lang| render::drill::list_text(lang, (&site.zone, now), &page.items))
}

/// `POST /api/v1/drills/{drill}`.
pub(super) async fn start(
    State(api): State<Api>,
    Named(drill): Named<String>,
    caller: Caller,
    form: Form,
    Sent(why): Sent<ReasonBody>,
) -> Result<Response, Problem> {
    let drill: DrillName = drill.parse().map_err(Problem::unknown)?;
    let order = Box::new(IncidentOrder::Drill { drill });
    ordered(&api, caller, &form, House::Incident { order }, why).await
}
