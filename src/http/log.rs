//! What attempts have written.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::page::{Asked, Named, TEXT};
use super::problem::Problem;
use super::runs::recall;
use crate::driver::log_files::Stream;
use crate::types::{AttemptId, JobName, RunId};

/// Which part of a log.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Its number; the last where nothing is said.
    attempt: Option<u32>,
    #[serde(default)]
    stream: StreamWord,
    /// The first byte: `log-next` of the answer before.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_u64))]
    from: u64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StreamWord {
    #[default]
    Out,
    Err,
}

/// Where the next piece begins.
const NEXT: HeaderName = HeaderName::from_static("log-next");
/// Whether the attempt has ended, so that nothing is added any more.
const ENDED: HeaderName = HeaderName::from_static("log-ended");

/// `GET /api/v1/runs/{run}/jobs/{job}/log`: at most 256 KiB from a byte on.
pub(super) async fn log(
    State(api): State<Api>,
    Named((run, job)): Named<(RunId, JobName)>,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let recalled = recall(&api, Some(&run), None, None).await?;
    let state = recalled.core.state().run(&run).map_err(Problem::failed)?;
    let index = state.index(&job);
    let index = index.ok_or_else(|| Problem::unknown(format!("{run} has no job {job}")))?;
    let attempts = &state.jobs[index].attempts;
    let found = match which.attempt {
        Some(number) => attempts.iter().find(|attempt| attempt.number == number),
        None => attempts.last(),
    };
    let number = found.map(|attempt| attempt.number).ok_or_else(|| {
        Problem::unknown(format!("{job} of {run} has {} attempts", attempts.len()))
    })?;
    let attempt = AttemptId { run, job, number };
    let stream = match which.stream {
        StreamWord::Out => Stream::Out,
        StreamWord::Err => Stream::Err,
    };
    let logs = &api.0.wiring.logs;
    // First: what is added afterwards is not taken for missing.
    let ended = logs.has_ended(&attempt);
    let bytes = logs.read(&attempt, stream, which.from).map_err(Problem::failed)?;
    let next = which.from.saturating_add(bytes.len() as u64);
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(NEXT, next.into());
    headers.insert(ENDED, HeaderValue::from_static(if ended { "true" } else { "false" }));
    Ok(response)
}
