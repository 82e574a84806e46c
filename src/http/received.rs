//! What other systems tell.

use axum::extract::State;
use axum::response::Response;

use super::Api;
use super::page::{Form, Sent};
use super::problem::Problem;
use crate::port::control::{Caller, EventIn, Reply, Request};

/// `POST /api/v1/events`.
pub(super) async fn receive(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(told): Sent<EventIn>,
) -> Result<Response, Problem> {
    match api.ask(caller, Request::Event(Box::new(told))).await? {
        Reply::Received(taken) => form.page(&*taken, |_| taken.done.clone()),
        other => Err(Problem::of(other)),
    }
}
