//! `GET /runs/{run}/jobs/{job}`, its log as a file, and what operators do with it.

use axum::body::{Body as Streamed, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Deserialize;

use super::{Page, Visit, to};
use crate::core::access::right_for;
use crate::core::select::{Deed, Which};
use crate::driver::log_files::Stream;
use crate::http::Api;
use crate::http::log::{Log, Piece};
use crate::http::one_job::view_of;
use crate::http::page::{Asked, Named, Posted, TEXT};
use crate::http::problem::Problem;
use crate::port::StoreReader;
use crate::port::control::{Caller, Reply, Request, RunOf};
use crate::render::pages;
use crate::render::pages::job::{Output, SHOWN_KIB, Written};
use crate::types::{JobName, JobRef, Right, RunId};
use crate::view::one_job::JobView;

/// Bytes of its standard error that a page shows.
const ERRORS: u64 = 8 * 1024;
/// Former attempts of the drawing.
const FORMER: u32 = 15;

type Names = (String, String);

fn named((run, job): Names) -> Result<(RunId, JobName), Problem> {
    Ok((run.parse().map_err(Problem::unknown)?, job.parse().map_err(Problem::unknown)?))
}

pub(crate) async fn page(visit: Visit, Named(names): Named<Names>) -> Result<Response, Problem> {
    let (run, job) = named(names)?;
    let (api, lang) = (&visit.api, visit.lang());
    let mut view = view_of(api, visit.caller.clone(), (&run, &job)).await?;
    let stands_by = visit.stands_by();
    // Without a token no form can be sent.
    let can_send = visit.looker.token.is_some() && stands_by.is_none();
    view.deeds.retain(|deed| can_send && visit.may(right_for(deed)));
    let of = JobRef { batch: run.batch.clone(), job: job.clone() };
    let former = api.reader().await?.past_attempts(&of, FORMER).await?;
    let written =
        if visit.may(Right::Logs) { written(api, &view).await? } else { Written::NotForYou };
    let middle = pages::job::middle(lang, &view, &former, written, stands_by.as_deref());
    let title = format!("{job} – {}", view.head.title.get(lang));
    let live = view.head.result.is_none();
    visit.page(&Page { section: None, title: &title, live }, middle)
}

/// The end of what the last attempt has written.
async fn written(api: &Api, view: &JobView) -> Result<Written, Problem> {
    let Ok(log) = Log::of(api, view, None) else { return Ok(Written::Nothing) };
    // A letter that is cut at the end comes whole with what follows.
    let whole = |piece: Piece| {
        let cut = match std::str::from_utf8(&piece.shown) {
            Err(why) if why.error_len().is_none() => piece.shown.len() - why.valid_up_to(),
            _ => 0,
        };
        let kept = piece.shown.len() - cut;
        let shown = piece.shown.get(..kept).unwrap_or_default().to_vec();
        Piece { shown, next: piece.next - cut as u64, ..piece }
    };
    let out = log.last(Stream::Out, u64::from(SHOWN_KIB) * 1_024).await;
    let both = match out {
        Ok(out) => log.last(Stream::Err, ERRORS).await.map(|errors| out.zip(errors)),
        Err(why) => Err(why),
    };
    let both = match both {
        Ok(both) => both,
        // The rest of the page is what people need just then.
        Err(why) => return Ok(Written::NotReached { why: why.detail }),
    };
    let Some(((cut, out), (_, errors))) = both else {
        return Ok(Written::Elsewhere { attempt: log.attempt.number });
    };
    let (out, errors) = (whole(out), whole(errors));
    Ok(Written::Here(Output {
        attempt: log.attempt.number,
        text: String::from_utf8_lossy(&out.shown).into_owned(),
        next: out.next,
        cut,
        ended: out.ended,
        errors: String::from_utf8_lossy(&errors.shown).into_owned(),
    }))
}

/// Which attempt's log.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichAttempt {
    /// Its number; the last where nothing is said.
    attempt: Option<u32>,
}

/// `GET /runs/{run}/jobs/{job}/log.txt`: all that an attempt has written to its standard output so far.
pub(crate) async fn download(
    State(api): State<Api>,
    Named(names): Named<Names>,
    Asked(which): Asked<WhichAttempt>,
    caller: Caller,
) -> Result<Response, Problem> {
    let (run, job) = named(names)?;
    let view = view_of(&api, caller, (&run, &job)).await?;
    let log = Log::of(&api, &view, which.attempt)?;
    // A log that is gone is said before the first byte of an answer.
    let first = log.piece(Stream::Out, 0).await?;
    let name = format!("{}-{job}-{}.log", run.to_string().replace('#', "-"), log.attempt.number);
    let pieces = unfold((log, 0, Some(first)), |(log, from, first)| async move {
        let piece = match first {
            Some(first) => first,
            None => log.piece(Stream::Out, from).await.ok()?,
        };
        (piece.next > from).then(|| {
            let shown = Ok::<_, std::convert::Infallible>(Bytes::from(piece.shown));
            (shown, (log, piece.next, None))
        })
    });
    let mut response = Streamed::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let kept = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    headers.insert(header::CONTENT_DISPOSITION, kept.map_err(Problem::failed)?);
    Ok(response)
}

fn wish(run: &RunId, job: &JobName, (deed, reason, dry_run): (Deed, String, bool)) -> Request {
    let on = RunOf::Run(run.clone());
    Request::Act { on, which: Which::Job(job.clone()), deed, reason, dry_run }
}

fn deed_of(word: &str) -> Result<Deed, Problem> {
    let unknown = || Problem::unknown(format!("nothing is called {word} that is done with a job"));
    pages::act::deed_of(word).ok_or_else(unknown)
}

/// `GET /runs/{run}/jobs/{job}/{deed}`: what would come of it, with the form that does it.
pub(crate) async fn before_act(
    visit: Visit,
    Named((run, job, word)): Named<(String, String, String)>,
) -> Result<Response, Problem> {
    let (run, job) = named((run, job))?;
    let deed = deed_of(&word)?;
    visit.allowed(right_for(&deed))?;
    // Only for this look; what is really done says why.
    let asked = wish(&run, &job, (deed.clone(), "looks at what would come of it".into(), true));
    let tried = match visit.api.ask(visit.caller.clone(), asked).await? {
        Reply::Tried(tried) => tried,
        other => return Err(Problem::of(other)),
    };
    let token = visit.looker.token.as_deref().unwrap_or_default();
    let middle = pages::act::middle(visit.lang(), (&job, &deed), &tried, token);
    let title = pages::act::title(visit.lang(), &job, &deed);
    visit.page(&Page { section: None, title: &title, live: false }, middle)
}

/// What the form of such a page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActForm {
    token: String,
    #[serde(default)]
    reason: String,
}

/// `POST /runs/{run}/jobs/{job}/{deed}`: does it, and goes back to the job.
pub(crate) async fn act(
    visit: Visit,
    Named((run, job, word)): Named<(String, String, String)>,
    // Looked at after the right: who may not do it is told that.
    sent: Result<Posted<ActForm>, Problem>,
) -> Result<Response, Problem> {
    let deed = deed_of(&word)?;
    visit.allowed(right_for(&deed))?;
    let Posted(ActForm { token, reason }) = sent?;
    visit.sent(&token)?;
    let (run, job) = named((run, job))?;
    crate::http::act::said(&reason)?;
    match visit.api.ask(visit.caller, wish(&run, &job, (deed, reason, false))).await? {
        Reply::Done(_) => to(&format!("../{job}")),
        other => Err(Problem::of(other)),
    }
}
