//! How the open runs stand: made once for all who ask before anything happens.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Api;
use super::health::TURN;
use super::page::{Body, Form};
use super::problem::Problem;
use super::store_pages::Recalled;
use crate::port::control::{Caller, Reply, Request};
use crate::port::{Published, Stage, StoreReader};
use crate::render;
use crate::types::{BatchId, Lang, Zone};
use crate::view::status::StatusPage;

/// How old a page may be though nothing has happened: it says for how long jobs have been running.
const AGE: Duration = Duration::from_secs(1);

/// How long a store in trouble may take to be read.
const READ: Duration = Duration::from_secs(3);

/// The page that was made last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    /// Of what was published then.
    head: u64,
    trouble: Option<String>,
    at: Instant,
    page: Arc<StatusPage>,
    bodies: Vec<((bool, Lang), Body)>,
}

/// `GET /api/v1/status`.
pub(super) async fn status(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let mut kept = fresh(&api, caller).await?;
    let Some(made) = kept.as_mut() else { return Err(Problem::failed("no page was made")) };
    let wanted = (form.text, form.lang);
    if let Some((_, body)) = made.bodies.iter().find(|(of, _)| *of == wanted) {
        return Ok(form.answer(body));
    }
    let content = match form.text {
        true => text(form.lang, &made.page),
        false => serde_json::to_string(made.page.as_ref()).map_err(Problem::failed)?,
    };
    let body = Body::new(content, form.text);
    made.bodies.push((wanted, body.clone()));
    Ok(form.answer(&body))
}

/// The page as it is now.
pub(super) async fn page(api: &Api, caller: Caller) -> Result<Arc<StatusPage>, Problem> {
    let kept = fresh(api, caller).await?;
    kept.as_ref().map(|made| Arc::clone(&made.page)).ok_or_else(|| Problem::failed("no page"))
}

/// Holds the place of the page, so that all who come while it is made get the same.
async fn fresh(
    api: &Api,
    caller: Caller,
) -> Result<tokio::sync::MutexGuard<'_, Option<Made>>, Problem> {
    let mut kept = api.0.kept.0.lock().await;
    let Published { head, trouble, .. } = api.published();
    let is_fresh = kept.as_ref().is_some_and(|made| {
        made.head == head && made.trouble == trouble && made.at.elapsed() < AGE
    });
    if !is_fresh {
        let former = kept.as_ref().map(|made| Arc::clone(&made.page));
        let making = tokio::time::timeout(TURN, make(api, caller, former)).await;
        let still = |_| Problem::not_now(format!("no turn has ended within {TURN:?}"));
        let page = Arc::new(making.map_err(still)??);
        *kept = Some(Made { head, trouble, at: Instant::now(), page, bodies: Vec::new() });
    }
    Ok(kept)
}

async fn make(
    api: &Api,
    caller: Caller,
    former: Option<Arc<StatusPage>>,
) -> Result<StatusPage, Problem> {
    if let Stage::StandsBy { .. } = api.published().stage {
        return from_store(api).await;
    }
    match (api.ask(caller, Request::Status).await?, former) {
        (Reply::Status(page), _) => Ok(*page),
        // What was durable is still true; what happens meanwhile nobody can tell.
        (Reply::Failed { what, .. }, Some(former)) => {
            Ok(StatusPage { trouble: Some(what), ..StatusPage::clone(&former) })
        }
        (Reply::Failed { what, defects: false }, None) => {
            match tokio::time::timeout(READ, from_store(api)).await {
                Ok(Ok(page)) => Ok(StatusPage { trouble: Some(what), ..page }),
                _ => Err(Problem::not_now(what)),
            }
        }
        (other, _) => Err(Problem::of(other)),
    }
}

/// On a host that stands by: as the store has it.
async fn from_store(api: &Api) -> Result<StatusPage, Problem> {
    let reader = api.reader().await?;
    let mut runs = Vec::new();
    let (mut now, mut zone) = (Timestamp::UNIX_EPOCH, Zone::utc());
    for row in reader.open_runs().await? {
        let recalled = Recalled::read(reader, row).await.map_err(Problem::failed)?;
        let status = recalled.status().map_err(Problem::failed)?;
        (now, zone) = (recalled.now.wall, status.head.zone.clone());
        runs.push(status);
    }
    Ok(StatusPage { runs, next: None, now, zone, trouble: None })
}

/// The page in words.
pub(super) fn text(lang: Lang, page: &StatusPage) -> String {
    let mut parts: Vec<String> = page.trouble.iter().map(|why| format!("! {why}\n")).collect();
    parts.extend(page.runs.iter().map(|run| render::status::text(lang, run)));
    if let Some(next) = &page.next {
        let next: Vec<(Timestamp, &BatchId)> =
            next.iter().map(|start| (start.at, &start.batch)).collect();
        parts.push(render::starts::next(lang, &page.zone, page.now, &next));
    }
    parts.join("\n")
}
