//! Orders of batches, and what operators do to runs and their jobs.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::page::{Asked, Form, Named, Sent};
use super::problem::Problem;
use super::runs::OfDate;
use crate::core::select::{Deed, Selector, Which};
use crate::port::control::{Caller, Order, Reply, Request, RunOf};
use crate::render;
use crate::types::{BatchId, RunId};

/// The run that an order has opened, or taken up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ordered {
    pub run: RunId,
    /// What happens in it comes after this entry of the journal: the `Last-Event-ID` to follow it with.
    pub after: u64,
}

/// `POST /api/v1/runs`. What would come of it is answered with 200.
pub(super) async fn order(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(order): Sent<Order>,
) -> Result<Response, Problem> {
    match api.ask(caller, Request::Order(Box::new(order))).await? {
        Reply::Ordered { run, after } => {
            let place = format!("/api/v1/runs/{}", run.to_string().replace('#', "%23"));
            let ordered = Ordered { run, after };
            let page = form.page(&ordered, |_| format!("{} is under way", ordered.run))?;
            let mut response = (StatusCode::ACCEPTED, page).into_response();
            if let Ok(place) = HeaderValue::from_str(&place) {
                response.headers_mut().insert(header::LOCATION, place);
            }
            Ok(response)
        }
        other => answer(other, &form),
    }
}

/// What is to be done to a run, or to jobs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActBody {
    /// `close`, `close+` (with all that follows it), `load-*`; left out: the run itself.
    #[serde(default)]
    pub jobs: Option<String>,
    pub action: Deed,
    pub reason: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/runs/{run}/actions`.
pub(super) async fn on_run(
    State(api): State<Api>,
    Named(run): Named<RunId>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<ActBody>,
) -> Result<Response, Problem> {
    let batch = run.batch.clone();
    act(&api, caller, &form, (RunOf::Run(run), &batch), body).await
}

/// `POST /api/v1/batches/{batch}/actions`: on its last run.
pub(super) async fn on_batch(
    State(api): State<Api>,
    Named(batch): Named<BatchId>,
    Asked(OfDate { date }): Asked<OfDate>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<ActBody>,
) -> Result<Response, Problem> {
    act(&api, caller, &form, (RunOf::Batch { batch: batch.clone(), date }, &batch), body).await
}

async fn act(
    api: &Api,
    caller: Caller,
    form: &Form,
    (on, batch): (RunOf, &BatchId),
    body: ActBody,
) -> Result<Response, Problem> {
    let ActBody { jobs, action, reason, dry_run } = body;
    let which = match jobs {
        None => Which::Run,
        Some(jobs) => {
            let selector: Selector =
                format!("{batch}.{jobs}").parse().map_err(Problem::unreadable)?;
            selector.which
        }
    };
    said(&reason)?;
    let request = Request::Act { on, which, deed: action, reason, dry_run };
    answer(api.ask(caller, request).await?, form)
}

/// Whoever does something says why.
pub(super) fn said(reason: &str) -> Result<(), Problem> {
    match reason.trim().is_empty() {
        true => Err(Problem::unreadable("reason: it must say why")),
        false => Ok(()),
    }
}

/// What was done, or what would come of it.
pub(super) fn answer(reply: Reply, form: &Form) -> Result<Response, Problem> {
    match reply {
        Reply::Done(done) => form.page(&done, |_| done.done.clone()),
        Reply::Tried(tried) => form.page(&tried, |_| render::tried::text(&tried)),
        other => Err(Problem::of(other)),
    }
}
