//! Incidents: which are open, what was done about one, and the steps of people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::act::{answer, said};
use super::page::{Asked, Form, Named, Sent};
use super::problem::Problem;
use super::store_pages;
use crate::core::incident::{IncidentOrder, Wanted};
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::{Caller, House, Reply, Request};
use crate::render;
use crate::supervisor::{on_call_of, standing};
use crate::types::{IncidentId, IncidentKind, Now, Severity};
use crate::view::incident::{IncidentLine, Which};
use crate::view::of_incident;
use crate::view::of_job::Around;

/// Which incidents.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichIncidents {
    /// `open` where nothing is said.
    #[serde(default)]
    state: Which,
}

/// Incidents, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct IncidentsPage {
    items: Vec<IncidentLine>,
}

/// `GET /api/v1/incidents`.
pub(super) async fn list(
    State(api): State<Api>,
    Asked(which): Asked<WhichIncidents>,
    form: Form,
) -> Result<Response, Problem> {
    let (core, site) = known(&api).await?;
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let page = IncidentsPage { items: of_incident::list(&core, which.state) };
    let zone = (&site.zone, now);
    form.page(&page, |lang| render::incident::list_text(lang, zone, which.state, &page.items))
}

/// `GET /api/v1/incidents/{incident}`.
pub(super) async fn one(
    State(api): State<Api>,
    Named(id): Named<String>,
    form: Form,
) -> Result<Response, Problem> {
    let id: IncidentId = id.parse().map_err(Problem::unknown)?;
    let (core, ..) = at_hand(&api, id).await?;
    let view = of_incident::view(&core, id).map_err(Problem::unknown)?;
    form.page(&view, |lang| render::incident::text(lang, &view))
}

/// `GET /api/v1/incidents/{incident}/report`.
pub(super) async fn report(
    State(api): State<Api>,
    Named(id): Named<String>,
    form: Form,
) -> Result<Response, Problem> {
    let id: IncidentId = id.parse().map_err(Problem::unknown)?;
    let (core, now, _) = at_hand(&api, id).await?;
    let view = of_incident::mail((&core, None), id, now, Around::nothing());
    let view = view.map_err(Problem::unknown)?;
    if form.html {
        let page = render::incident_report::html(form.lang, &view).map_err(Problem::failed)?;
        return Ok(form.as_html(page));
    }
    form.page(&view.incident, |lang| render::incident_report::markdown(lang, &view))
}

/// One of them with its run, as it is recorded.
pub(super) async fn at_hand(api: &Api, id: IncidentId) -> Result<(Core, Now, Arc<Site>), Problem> {
    let site = site(api)?;
    let found = store_pages::of_incident(api.reader().await?, &site, id).await;
    let (core, now) = found.map_err(Problem::failed)?;
    Ok((core, now, site))
}

pub(super) fn site(api: &Api) -> Result<Arc<Site>, Problem> {
    let site = api.published().site;
    site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))
}

pub(super) async fn known(api: &Api) -> Result<(Core, Arc<Site>), Problem> {
    let site = site(api)?;
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(&site));
    standing(api.reader().await?, &mut core, false).await.map_err(Problem::failed)?;
    Ok((core, site))
}

/// A new incident: what a person, or another system, tells of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    pub title: String,
    pub kind: IncidentKind,
    pub severity: Severity,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/incidents`.
pub(super) async fn open(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<OpenBody>,
) -> Result<Response, Problem> {
    let OpenBody { title, kind, severity, dry_run } = body;
    said(&title)?;
    let order = IncidentOrder::Open { title, kind, severity };
    ordered(&api, caller, &form, (order, String::new()), dry_run).await
}

/// A step with an incident; each takes what its description says, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBody {
    /// Needed with `note`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Of `third-party`: who was brought in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// Of `mute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of `grade`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Of `interruption`: what could not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Of `interruption`: its cause, where that is outside the system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outside: String,
    /// Of `resolve`: what it was, and what was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

impl WantedBody {
    pub fn of(wanted: Wanted, reason: String, dry_run: bool) -> Self {
        let body = Self { reason, dry_run, ..Self::default() };
        match wanted {
            Wanted::ThirdParty { whom } => Self { whom: Some(whom), ..body },
            Wanted::Mute { until } => Self { until: Some(until), ..body },
            Wanted::Grade { severity } => Self { severity: Some(severity), ..body },
            Wanted::Interruption { service, from, to, outside } => {
                Self { service: Some(service), from: Some(from), to: Some(to), outside, ..body }
            }
            Wanted::Resolve { cause, measure } => {
                Self { cause: Some(cause), measure: Some(measure), ..body }
            }
            Wanted::Acknowledge
            | Wanted::TakeOver
            | Wanted::Note
            | Wanted::OnSite
            | Wanted::Unmute
            | Wanted::Report => body,
        }
    }

    fn wanted(self, step: &str) -> Result<(Wanted, String, bool), Problem> {
        let Self { reason, dry_run, .. } = self;
        let wanted = match step {
            "ack" => Wanted::Acknowledge,
            "take-over" => Wanted::TakeOver,
            "note" => {
                said(&reason)?;
                Wanted::Note
            }
            "on-site" => Wanted::OnSite,
            "third-party" => Wanted::ThirdParty { whom: worded(self.whom, "whom")? },
            "mute" => Wanted::Mute { until: needed(self.until, "until")? },
            "unmute" => Wanted::Unmute,
            "grade" => Wanted::Grade { severity: needed(self.severity, "severity")? },
            "interruption" => Wanted::Interruption {
                service: worded(self.service, "service")?,
                from: needed(self.from, "from")?,
                to: needed(self.to, "to")?,
                outside: self.outside.trim().to_owned(),
            },
            "resolve" => Wanted::Resolve {
                cause: worded(self.cause, "cause")?,
                measure: worded(self.measure, "measure")?,
            },
            "hand-in" => Wanted::Report,
            other => return Err(Problem::unknown(format!("there is no step `{other}`"))),
        };
        Ok((wanted, reason, dry_run))
    }
}

fn needed<T>(given: Option<T>, key: &str) -> Result<T, Problem> {
    given.ok_or_else(|| Problem::unreadable(format!("`{key}` is missing")))
}

/// Blanks say nothing.
fn worded(given: Option<String>, key: &str) -> Result<String, Problem> {
    needed(given.filter(|words| !words.trim().is_empty()), key)
}

/// `POST /api/v1/incidents/{incident}/{step}`.
pub(super) async fn step(
    State(api): State<Api>,
    Named((incident, step)): Named<(String, String)>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<WantedBody>,
) -> Result<Response, Problem> {
    let incident: IncidentId = incident.parse().map_err(Problem::unknown)?;
    answer(taken(&api, caller, (incident, &step), body).await?, &form)
}

/// A step as a page's form has it.
pub(super) async fn taken(
    api: &Api,
    caller: Caller,
    (incident, step): (IncidentId, &str),
    body: WantedBody,
) -> Result<Reply, Problem> {
    let (wanted, reason, dry_run) = body.wanted(step)?;
    let order = House::Incident { order: Box::new(IncidentOrder::Step { incident, wanted }) };
    api.ask(caller, Request::House { order, reason, dry_run }).await
}

async fn ordered(
    api: &Api,
    caller: Caller,
    form: &Form,
    (order, reason): (IncidentOrder, String),
    dry_run: bool,
) -> Result<Response, Problem> {
    let order = House::Incident { order: Box::new(order) };
    answer(api.ask(caller, Request::House { order, reason, dry_run }).await?, form)
}
