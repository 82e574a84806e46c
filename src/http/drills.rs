//! Drills: when each is due, how those that were held came out, and starting one.

use axum::extract::State;
use axum::response::Response;
use axum::routing::MethodRouter;
use schemars::JsonSchema;
use serde::Serialize;

use super::Api;
use super::house::on_named;
use super::incidents::known;
use super::page::Form;
use super::problem::Problem;
use crate::core::incident::IncidentOrder;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::House;
use crate::render;
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
pub(super) fn start() -> MethodRouter<Api> {
    on_named(|drill| House::Incident { order: Box::new(IncidentOrder::Drill { drill }) })
}
