//! The hosts that jobs run on: how they stand, and whether they take new attempts.

use axum::extract::State;
use axum::response::Response;
use axum::routing::MethodRouter;

use super::Api;
use super::house::on_named;
use super::page::Form;
use super::problem::Problem;
use crate::port::control::{Caller, House, Reply, Request};
use crate::render;

/// `GET /api/v1/hosts`.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    match api.ask(caller, Request::Hosts).await? {
        Reply::Hosts(page) => form.page(&*page, |lang| render::hosts::text(lang, &page)),
        other => Err(Problem::of(other)),
    }
}

/// `POST /api/v1/hosts/{host}/drain`.
pub(super) fn drain() -> MethodRouter<Api> {
    on_named(|host| House::Drain { host, drain: true })
}

/// `POST /api/v1/hosts/{host}/undrain`.
pub(super) fn undrain() -> MethodRouter<Api> {
    on_named(|host| House::Drain { host, drain: false })
}
