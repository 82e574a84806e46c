//! One job of a run: as the supervisor has it in hand, or as it is recorded.

use axum::extract::State;
use axum::response::Response;

use super::Api;
use super::page::{Form, Named};
use super::problem::Problem;
use super::runs::recall;
use crate::core::refused::Rule;
use crate::port::Stage;
use crate::port::control::{Caller, Reply, Request};
use crate::render;
use crate::types::{JobName, RunId};
use crate::view::one_job::JobView;

/// `GET /api/v1/runs/{run}/jobs/{job}`.
pub(super) async fn one(
    State(api): State<Api>,
    Named((run, job)): Named<(RunId, JobName)>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let view = view_of(&api, caller, (&run, &job)).await?;
    form.page(&view, |lang| render::one_job::text(lang, &view))
}

pub(super) async fn view_of(
    api: &Api,
    caller: Caller,
    (run, job): (&RunId, &JobName),
) -> Result<JobView, Problem> {
    let key = (run.clone(), job.clone());
    api.0.recent.jobs.kept(api, key, async || found(api, caller, (run, job)).await).await
}

async fn found(
    api: &Api,
    caller: Caller,
    (run, job): (&RunId, &JobName),
) -> Result<JobView, Problem> {
    if let Stage::Leads { .. } | Stage::Begins = api.published().stage {
        match api.ask(caller, Request::Job { run: run.clone(), job: job.clone() }).await? {
            Reply::Job(view) => return Ok(*view),
            // A run that this supervisor does not have, or a store that takes nothing now: what is recorded is there.
            Reply::Refused { rule: Some(Rule::NoSuchRun), .. } | Reply::Failed { .. } => {}
            other => return Err(Problem::of(other)),
        }
    }
    let recalled = recall(api, Some(run), None, None).await?;
    let view = recalled.job(job).map_err(Problem::failed)?;
    view.ok_or_else(|| Problem::unknown(format!("{run} has no job {job}")))
}
