//! Whether the supervisor lives, and whether it can do its work: for monitors.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::Api;
use super::page::Form;
use super::problem::Problem;
use crate::port::control::{Caller, Reply, Request};
use crate::port::{Published, Stage};
use crate::types::LifeSign;

/// A turn may take as long as a disk takes; one that takes longer stands still.
pub(super) const TURN: Duration = Duration::from_secs(10);

/// How the supervisor is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Health {
    /// Whether it leads; else another one does.
    leads: bool,
    /// In words, where it is not as it should be.
    note: Option<String>,
    /// The last life sign, where the site gives some; without the next start, which is for those who may read.
    sign: Option<LifeSign>,
}

/// `GET /healthz`: it turns. Trouble of the store is no reason to kill it.
pub(super) async fn lives(State(api): State<Api>, form: Form) -> Result<Response, Problem> {
    let note = match api.published().stage {
        Stage::Begins => Some("it begins".to_owned()),
        Stage::StandsBy { why } => Some(why),
        Stage::Leads { .. } => {
            let own = Caller::Account(api.0.wiring.own.clone());
            let answer = tokio::time::timeout(TURN, api.ask(own, Request::Alive)).await;
            let still = |_| Problem::not_now(format!("no turn has ended within {TURN:?}"));
            match answer.map_err(still)?? {
                Reply::Failed { what, .. } => Some(what),
                _ => None,
            }
        }
    };
    page(&api, &form, note)
}

/// `GET /readyz`: it leads, and the store takes what is decided.
pub(super) async fn is_ready(State(api): State<Api>, form: Form) -> Result<Response, Problem> {
    match api.published() {
        Published { stage: Stage::Begins, .. } => Err(Problem::not_now("it begins")),
        Published { stage: Stage::StandsBy { why }, .. } => {
            Err(Problem::not_now(format!("it stands by: {why}")))
        }
        Published { trouble: Some(trouble), .. } => Err(Problem::not_now(trouble)),
        _ => page(&api, &form, None),
    }
}

fn page(api: &Api, form: &Form, note: Option<String>) -> Result<Response, Problem> {
    let Published { stage, sign, .. } = api.published();
    let leads = matches!(stage, Stage::Leads { .. });
    let sign = sign.map(|sign| LifeSign { next: None, ..sign });
    let health = Health { leads, note, sign };
    form.page(&health, |_| health.note.clone().unwrap_or_else(|| "ok".to_owned()) + "\n")
}
