//! How the open runs stand: made once for all who ask before anything happens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Api;
use super::health::TURN;
use super::page::{Body, Form};
use super::problem::Problem;
use super::store_pages::Recalled;
use crate::driver::clock::HostClock;
use crate::port::control::{Caller, Reply, Request};
use crate::port::{Clock, Published, Stage, StoreReader};
use crate::render;
use crate::types::{Lang, Zone};
use crate::view::of_incident;
use crate::view::status::{StatusPage, StatusView};

/// How old a page may be though nothing has happened: it says for how long jobs have been running.
const AGE: Duration = Duration::from_secs(1);

/// A page of so many jobs takes the supervisor's time: it is shown for so many times as long as it took to make, and no
/// longer than any, though something has happened meanwhile, unless somebody has done something over this API.
const LARGE: usize = 1_000;
const TIMES: u32 = 5;

/// Answers that are kept of one page.
const BODIES: usize = 32;

/// How long a store in trouble may take to be read.
const READ: Duration = Duration::from_secs(3);

/// The page that was made last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    /// Of what was published then.
    of: Of,
    at: Instant,
    /// How long it is shown though something has happened meanwhile.
    shown_for: Duration,
    page: Arc<StatusPage>,
    /// What was answered from it: by what was asked for, and its form.
    bodies: Vec<((String, bool, Lang), Body)>,
}

/// What a page is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Of {
    /// The last entry, of what was published then.
    head: u64,
    trouble: Option<String>,
    /// What was done over this API.
    acted: u64,
}

/// Whether a page of `made` need not be made again.
fn is_fresh((made, shown_for): (&Of, Duration), now: &Of, age: Duration) -> bool {
    if (&made.trouble, made.acted) != (&now.trouble, now.acted) {
        return false;
    }
    age < AGE && (made.head == now.head || age < shown_for)
}

/// `GET /api/v1/status`.
pub(super) async fn status(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let body =
        |page: &StatusPage| form.body(page, |lang| render::status::page(lang, page)).map(Some);
    let answer = kept(&api, caller, String::new(), &form, body).await?;
    answer.ok_or_else(|| Problem::failed("no page was made"))
}

/// What is made from the page, once for all who ask for the same before it is made again; `None`: nothing can be.
pub(super) async fn kept(
    api: &Api,
    caller: Caller,
    asked: String,
    form: &Form,
    make: impl FnOnce(&StatusPage) -> Result<Option<Body>, Problem>,
) -> Result<Option<Response>, Problem> {
    let body = kept_body(api, caller, (asked, form.text, form.lang), make).await?;
    Ok(body.map(|body| form.answer(&body)))
}

/// As [`kept`], of whatever form; what is made in another form is asked for in other words.
pub(super) async fn kept_body(
    api: &Api,
    caller: Caller,
    wanted: (String, bool, Lang),
    make: impl FnOnce(&StatusPage) -> Result<Option<Body>, Problem>,
) -> Result<Option<Body>, Problem> {
    let mut kept = fresh(api, caller).await?;
    let Some(made) = kept.as_mut() else { return Ok(None) };
    if let Some((_, body)) = made.bodies.iter().find(|(of, _)| *of == wanted) {
        return Ok(Some(body.clone()));
    }
    let Some(body) = make(&made.page)? else { return Ok(None) };
    if made.bodies.len() < BODIES {
        made.bodies.push((wanted, body.clone()));
    }
    Ok(Some(body))
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
    let of = Of { head, trouble, acted: api.0.acted.load(Ordering::Relaxed) };
    let is_fresh = kept
        .as_ref()
        .is_some_and(|made| is_fresh((&made.of, made.shown_for), &of, made.at.elapsed()));
    if !is_fresh {
        let former = kept.as_ref().map(|made| Arc::clone(&made.page));
        let begun = Instant::now();
        let making = tokio::time::timeout(TURN, make(api, caller, former)).await;
        let still = |_| Problem::not_now(format!("no turn has ended within {TURN:?}"));
        let page = Arc::new(making.map_err(still)??);
        let at = Instant::now();
        let jobs: usize = page.runs.iter().map(|run| run.jobs.len()).sum();
        let times = if jobs < LARGE { 0 } else { TIMES };
        let shown_for = (at - begun).saturating_mul(times);
        *kept = Some(Made { of, at, shown_for, page, bodies: Vec::new() });
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
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let mut zone = api.published().site.map(|site| site.zone.clone());
    for row in reader.open_runs().await? {
        let recalled = Recalled::read(reader, row).await.map_err(Problem::failed)?;
        let status = recalled.status().map_err(Problem::failed)?;
        zone.get_or_insert_with(|| status.head.zone.clone());
        runs.push(status);
    }
    // Who is told of them is named by the job files; without these the runs are shown all the same.
    let core = super::incidents::known(api).await.ok();
    let shown = runs.iter().map(|run: &StatusView| &run.head.run);
    let incidents = core.map(|(core, _)| of_incident::besides(&core, shown)).unwrap_or_default();
    let zone = zone.unwrap_or_else(Zone::utc);
    Ok(StatusPage { runs, incidents, next: None, now, zone, trouble: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_made_again_when_something_has_happened_and_a_costly_one_not_at_once() {
        let of = |head, acted| Of { head, trouble: None, acted };
        let ms = Duration::from_millis;
        let made = of(7, 1);
        let fresh = |shown_for, now: &Of, age| is_fresh((&made, shown_for), now, age);
        for (shown_for, now, age, expected) in [
            (ms(0), of(7, 1), ms(900), true),
            (ms(0), of(7, 1), ms(1_000), false),
            (ms(0), of(8, 1), ms(0), false),
            // Of a night of thousands of jobs.
            (ms(500), of(8, 1), ms(499), true),
            (ms(500), of(8, 1), ms(500), false),
            (ms(9_000), of(8, 1), ms(1_000), false),
            // Who does something sees it.
            (ms(500), of(8, 2), ms(0), false),
            (ms(500), Of { trouble: Some("disk full".into()), ..of(7, 1) }, ms(0), false),
        ] {
            assert_eq!(fresh(shown_for, &now, age), expected, "{shown_for:?} {now:?} {age:?}");
        }
    }
}
