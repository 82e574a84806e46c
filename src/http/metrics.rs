//! Figures for Prometheus, in the OpenMetrics text format.

use std::sync::atomic::{AtomicI64, AtomicU64};

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Api;
use super::problem::Problem;
use super::status::page;
use crate::port::control::Caller;
use crate::port::{Stage, StoreReader};
use crate::view::status::{StatusPage, StatusView};

/// The media type of the figures.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Count = Gauge<i64, AtomicI64>;
type Seconds = Gauge<f64, AtomicU64>;

/// `GET /metrics`.
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let published = api.published();
    let mut registry = Registry::with_prefix("nightrun");
    let leads = matches!(published.stage, Stage::Leads { .. });
    count(&mut registry, "leads", "1 where this supervisor leads", i64::from(leads));
    if let Stage::Leads { epoch } = published.stage {
        let epoch = epoch.0.cast_signed();
        count(&mut registry, "epoch", "The number of the lead", epoch);
    }
    let trouble = i64::from(published.trouble.is_some());
    count(&mut registry, "store_in_trouble", "1 while the store takes nothing", trouble);
    let head = published.head.cast_signed();
    count(&mut registry, "journal_entries", "Entries of the journal", head);
    let meters = &api.0.wiring.meters;
    let what = "Seconds from the first event that was taken to the last answer";
    registry.register("turn_seconds", what, meters.turn.clone());
    let what = "Seconds until the store had taken what was decided";
    registry.register("commit_seconds", what, meters.commit.clone());
    // A supervisor that has nothing in hand, or cannot say, has no such figures.
    let own = Caller::Account(api.0.wiring.own.clone());
    if let Ok(status) = page(&api, own).await {
        of_runs(&mut registry, &status);
    }
    if let Ok(reader) = api.reader().await
        && let Ok(unsent) = reader.outbox_counted().await
    {
        let unsent = i64::from(unsent.all);
        count(&mut registry, "outbox_unsent", "Messages that have not left", unsent);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Problem::failed)?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static(OPENMETRICS);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn count(registry: &mut Registry, name: &str, what: &str, value: i64) {
    let gauge = Count::default();
    gauge.set(value);
    registry.register(name, what, gauge);
}

fn of_runs(registry: &mut Registry, page: &StatusPage) {
    let open: Vec<&StatusView> = page.runs.iter().filter(|run| run.head.result.is_none()).collect();
    let runs = open.len().try_into().unwrap_or(i64::MAX);
    count(registry, "runs_open", "Runs that are under way", runs);
    let jobs = Family::<[(&str, String); 1], Count>::default();
    for job in open.iter().flat_map(|run| &run.jobs) {
        // The word that data has for it.
        let state = serde_json::to_value(job.state.word()).unwrap_or_default();
        let state = state.as_str().unwrap_or_default().to_owned();
        jobs.get_or_create(&[("state", state)]).inc();
    }
    registry.register("jobs", "Jobs of open runs by their state", jobs);
    let late = Family::<[(&str, String); 1], Seconds>::default();
    for run in &open {
        let by = run.head.must_complete_by.map_or(0.0, |due| overdue(due, page.now));
        late.get_or_create(&[("batch", run.head.batch.to_string())]).set(by);
    }
    registry.register("late_seconds", "Seconds that a run is past its must-complete-by", late);
    let of_runs = page.runs.iter().map(|run| run.incidents.len()).sum::<usize>();
    let incidents = of_runs + page.incidents.len();
    let incidents = incidents.try_into().unwrap_or(i64::MAX);
    count(registry, "incidents_open", "Incidents that are not closed", incidents);
}

fn overdue(due: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(due).as_secs_f64().max(0.0)
}
