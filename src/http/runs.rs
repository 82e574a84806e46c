//! Runs, as they are recorded.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::page::{Asked, Body, Form, Named};
use super::problem::Problem;
use super::store_pages::{Recalled, find};
use crate::core::fact::RunResult;
use crate::core::refused::Rule;
use crate::journal::RunRow;
use crate::port::control::{Caller, Reply, Request};
use crate::port::{RunFilter, Stage, StoreReader};
use crate::render;
use crate::supervisor::{allow, on_call_of};
use crate::types::{BatchId, BusinessDate, JobName, JobRef, Right, RunId, Zone};
use crate::view::job::{JobLine, StateWord};
use crate::view::report::ReportView;
use crate::view::status::{StatusPage, StatusView};
use crate::view::why::WhyView;

/// Entries of a page, where nothing is said.
const USUAL: u32 = 50;
/// Entries of a page at the most.
const MOST: u32 = 1_000;

/// Which runs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichRuns {
    batch: Option<BatchId>,
    /// Their business date.
    date: Option<BusinessDate>,
    /// Only trials, or only real runs.
    trial: Option<bool>,
    /// At most so many: 50 where nothing is said, 1,000 at the most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_u64))]
    cursor: Option<u64>,
}

/// A page of runs, the last opened first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct RunsPage {
    items: Vec<ListedRun>,
    /// The `cursor` of the next page; `null` where this is the last.
    next: Option<u64>,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ListedRun {
    pub run: RunId,
    pub business_date: BusinessDate,
    pub trial: bool,
    pub opened: Timestamp,
    pub ended: Option<Timestamp>,
    pub result: Option<RunResult>,
    /// The file of the archive that it has gone to.
    pub archived: Option<String>,
}

impl From<&RunRow> for ListedRun {
    fn from(row: &RunRow) -> Self {
        Self {
            run: row.run.clone(),
            business_date: row.business_date,
            trial: row.trial,
            opened: row.opened,
            ended: row.ended,
            result: row.result,
            archived: row.archived.clone(),
        }
    }
}

/// `GET /api/v1/runs`.
pub(super) async fn list(
    State(api): State<Api>,
    Asked(which): Asked<WhichRuns>,
    form: Form,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    let filter = RunFilter {
        batch: which.batch,
        business_date: which.date,
        trial: which.trial,
        // One more tells whether there is a next page.
        limit: Some(limit + 1),
        opened_before: cursor(which.cursor)?,
        ..RunFilter::default()
    };
    let mut rows = api.reader().await?.runs(&filter).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.opened_seq);
    let page = RunsPage { items: rows.iter().map(ListedRun::from).collect(), next };
    let zone = api.published().site.map_or_else(Zone::utc, |site| site.zone.clone());
    form.page(&page, |lang| render::runs::text(lang, &rows, &zone))
}

/// `GET /api/v1/runs/{run}`.
pub(super) async fn one(
    State(api): State<Api>,
    Named(run): Named<RunId>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let view = status_of(&api, &run, caller).await?;
    form.page(&view, |lang| render::status::text(lang, &view))
}

/// Which jobs of a run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichJobs {
    /// Only those in this state, such as `running`.
    state: Option<StateWord>,
    /// At most so many: 50 where nothing is said, 1,000 at the most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<JobName>,
}

/// A page of jobs, in the order of the file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct JobsPage {
    items: Vec<JobLine>,
    /// The `cursor` of the next page; `null` where this is the last.
    next: Option<JobName>,
}

/// `GET /api/v1/runs/{run}/jobs`.
pub(super) async fn jobs(
    State(api): State<Api>,
    Named(run): Named<RunId>,
    Asked(which): Asked<WhichJobs>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)? as usize;
    let asked = format!("{run} {which:?}");
    let of_one_in_hand = |page: &StatusPage| {
        let view = page.runs.iter().find(|view| view.head.run == run);
        // Of a large run only what is shown is copied.
        view.map(|view| jobs_of(view, &which, limit, &form)).transpose()
    };
    if let Some(answer) = super::status::kept(&api, caller, asked, &form, of_one_in_hand).await? {
        return Ok(answer);
    }
    let recalled = recall(&api, Some(&run), None, None).await?;
    let view = recalled.status().map_err(Problem::failed)?;
    Ok(form.answer(&jobs_of(&view, &which, limit, &form)?))
}

fn jobs_of(
    view: &StatusView,
    which: &WhichJobs,
    limit: usize,
    form: &Form,
) -> Result<Body, Problem> {
    let begin = match &which.cursor {
        None => 0,
        Some(after) => {
            let at = view.jobs.iter().position(|job| job.name == *after);
            let unknown = || Problem::unknown(format!("{} has no job {after}", view.head.run));
            at.ok_or_else(unknown)? + 1
        }
    };
    let of_state = |job: &&JobLine| which.state.is_none_or(|state| job.state.word() == state);
    let mut wanted = view.jobs.iter().skip(begin).filter(of_state);
    let items: Vec<JobLine> = wanted.by_ref().take(limit).cloned().collect();
    let more = wanted.next().is_some();
    let next = items.last().filter(|_| more).map(|job| job.name.clone());
    let page = JobsPage { items, next };
    form.body(&page, |lang| {
        let shown = StatusView {
            head: view.head.clone(),
            totals: view.totals,
            jobs: page.items.clone(),
            incidents: view.incidents.clone(),
            stopping: view.stopping,
            unsent_mail: view.unsent_mail,
            standing: view.standing.clone(),
        };
        render::status::text(lang, &shown)
    })
}

/// `GET /api/v1/runs/{run}/report`.
pub(super) async fn report(
    State(api): State<Api>,
    Named(run): Named<RunId>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let view = report_of(&api, &run, &caller).await?;
    form.page(&view, |lang| render::report_text::text(lang, &view))
}

/// With who was on shift by the files as they are now, and with output for who may read it.
pub(super) async fn report_of(
    api: &Api,
    run: &RunId,
    caller: &Caller,
) -> Result<ReportView, Problem> {
    let mut recalled = recall(api, Some(run), None, None).await?;
    if let Some(site) = &api.published().site {
        recalled.core.have_on_call(on_call_of(site));
    }
    let view = recalled.report(api.reader().await?).await.map_err(Problem::failed)?;
    let site = api.published().site;
    Ok(match allow(site.as_deref(), &api.0.wiring.own, caller, Right::Logs) {
        Ok(()) => view,
        Err(_) => view.without_output(),
    })
}

/// Which run of a batch.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfDate {
    /// The last run of this business date; the last of all where nothing is said.
    pub(super) date: Option<BusinessDate>,
}

/// `GET /api/v1/batches/{batch}/jobs/{job}/why`.
pub(super) async fn why(
    State(api): State<Api>,
    Named((batch, job)): Named<(BatchId, JobName)>,
    Asked(OfDate { date }): Asked<OfDate>,
    caller: Caller,
    form: Form,
) -> Result<Response, Problem> {
    let job = JobRef { batch, job };
    let view = match api.published().stage {
        Stage::StandsBy { .. } => why_from_store(&api, &job, date).await?,
        Stage::Leads { .. } | Stage::Begins => {
            match api.ask(caller, Request::Why { job: job.clone(), date }).await? {
                Reply::Why(view) => *view,
                // A run that this supervisor does not have: the store knows.
                Reply::Refused { rule: Some(Rule::NoSuchRun), .. } => {
                    why_from_store(&api, &job, date).await?
                }
                other => return Err(Problem::of(other)),
            }
        }
    };
    form.page(&view, |lang| render::why::text(lang, &view))
}

async fn why_from_store(
    api: &Api,
    job: &JobRef,
    date: Option<BusinessDate>,
) -> Result<WhyView, Problem> {
    let recalled = recall(api, None, Some(&job.batch), date).await?;
    let view = recalled.why(&job.job).map_err(Problem::failed)?;
    let run = &recalled.row.run;
    view.ok_or_else(|| Problem::unknown(format!("{run} has no job {}", job.job)))
}

/// A run as it stands: in the supervisor's hands, or as it is recorded.
pub(super) async fn status_of(
    api: &Api,
    run: &RunId,
    caller: Caller,
) -> Result<StatusView, Problem> {
    let page = super::status::page(api, caller).await?;
    if let Some(view) = page.runs.iter().find(|view| view.head.run == *run) {
        return Ok(view.clone());
    }
    recall(api, Some(run), None, None).await?.status().map_err(Problem::failed)
}

pub(super) async fn recall(
    api: &Api,
    run: Option<&RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<Recalled, Problem> {
    let reader = api.reader().await?;
    let row = find(reader, run, batch, date).await?;
    let row = row.ok_or_else(|| match run {
        Some(run) => Problem::unknown(format!("there is no run {run}")),
        None => Problem::unknown("there is no such run"),
    })?;
    at_hand(&row)?;
    Recalled::read(reader, row).await.map_err(Problem::failed)
}

/// What was archived, or lost, is named and not shown.
pub(super) fn at_hand(row: &RunRow) -> Result<(), Problem> {
    row.not_at_hand().map_or(Ok(()), |why| Err(Problem::new(StatusCode::GONE, why)))
}

pub(super) fn limit(given: Option<u32>) -> Result<u32, Problem> {
    match given {
        None => Ok(USUAL),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::unreadable(format!("limit: from 1 to {MOST}"))),
    }
}

/// A number of the journal's entries, as every database can count them.
pub(super) fn cursor(given: Option<u64>) -> Result<Option<u64>, Problem> {
    match given {
        Some(seq) if i64::try_from(seq).is_err() => {
            Err(Problem::unreadable(format!("cursor: from 0 to {}", i64::MAX)))
        }
        given => Ok(given),
    }
}
