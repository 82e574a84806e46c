//! Changes: who asks for them, where they stand, and the steps of people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Api;
use super::act::{answer, said};
use super::page::{Asked, Form, Named, Sent};
use super::problem::Problem;
use super::runs::limit;
use crate::core::change::{ChangeRequest, HalfDone, Stage, Wish};
use crate::core::night::Core;
use crate::core::state::Standing;
use crate::definition::site::{ChangeClass, Site};
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::{Caller, ChangeAsked, Request};
use crate::render;
use crate::supervisor::standing;
use crate::types::{ChangeId, CheckName, EventKey, PersonId, Role, TeamName};
use crate::view::change::{self, ChangesPage, Month, WhichChanges};
use crate::view::signoff;

/// Which changes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    stage: Option<Stage>,
    environment: Option<String>,
    team: Option<TeamName>,
    class: Option<ChangeClass>,
    /// Only those whose last step was taken in this month, such as `2026-10`.
    month: Option<Month>,
    /// At most so many: 50 where nothing is said, 1,000 at the most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<ChangeId>,
}

/// `GET /api/v1/changes`.
pub(super) async fn list(
    State(api): State<Api>,
    Asked(which): Asked<Which>,
    form: Form,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)? as usize;
    let (site, standing, _) = known(&api).await?;
    let Which { stage, environment, team, class, month, cursor, .. } = which;
    let which = WhichChanges { stage, environment, team, class, month };
    let lines = change::list(&site, &standing, &which);
    let mut items = lines.into_iter().filter(|line| cursor.as_ref().is_none_or(|c| line.id > *c));
    let page: Vec<_> = items.by_ref().take(limit).collect();
    let next = items.next().and_then(|_| page.last()).map(|line| line.id.clone());
    let page = ChangesPage { items: page, next };
    form.page(&page, |lang| render::change::list_text(lang, &site.zone, &page.items))
}

/// Which lists.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichLists {
    /// All by default.
    environment: Option<String>,
}

/// `GET /api/v1/changes/lists`.
pub(super) async fn lists(
    State(api): State<Api>,
    Asked(which): Asked<WhichLists>,
    form: Form,
) -> Result<Response, Problem> {
    let (site, standing, now) = known(&api).await?;
    let page = signoff::page(&site, &standing, which.environment.as_deref(), now);
    let page = page?;
    form.page(&page, |lang| render::signoff::text(lang, &page))
}

/// `GET /api/v1/changes/{change}`.
pub(super) async fn one(
    State(api): State<Api>,
    Named(id): Named<ChangeId>,
    form: Form,
) -> Result<Response, Problem> {
    let (site, standing, now) = known(&api).await?;
    let page = change::one(&site, &standing, &id, now);
    let page = page.ok_or_else(|| Problem::unknown(format!("there is no change {id}")))?;
    form.page(&page, |lang| render::change::page_text(lang, &site.zone, &page))
}

/// What stands is read once for all who look at the same.
pub(super) async fn known(api: &Api) -> Result<(Arc<Site>, Arc<Standing>, Timestamp), Problem> {
    let site = api.published().site;
    let site = site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))?;
    let read = async || {
        let mut core = Core::new(1);
        standing(api.reader().await?, &mut core, false).await.map_err(Problem::failed)?;
        Ok::<_, Problem>(Arc::new(core.state().standing.clone()))
    };
    let standing = api.0.recent.standing.kept(api, (), read).await?;
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    Ok((site, standing, now))
}

/// A change that another system, or a person, asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBody {
    /// Its folder beneath `changes/`, which may come later.
    pub change: ChangeId,
    /// What makes it one and the same: the same key again creates nothing, and is answered as the first time.
    #[serde(default)]
    pub key: Option<EventKey>,
    pub request: ChangeRequest,
    pub reason: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/changes`.
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<CreateBody>,
) -> Result<Response, Problem> {
    let CreateBody { change, key, request, reason, dry_run } = body;
    let wish = Wish::Create { request: Box::new(request) };
    ask(&api, caller, &form, ChangeAsked { change, wish, key }, (reason, dry_run)).await
}

/// A step with a change. Each step takes some of these; what it does not take is refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBody {
    #[serde(skip_serializing)]
    pub reason: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default, skip_serializing)]
    pub dry_run: bool,
    /// Of submit, approve, confirm, schedule, lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of assign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// Of submit: the day of its acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Date>,
    /// Of submit: what is confirmed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Vec<CheckName>>,
    /// Of review and approve: warnings that were seen, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Vec<String>>,
    /// Of approve: the role that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Of confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<CheckName>,
    /// Of schedule: the day of its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
    /// Of decide: what was found at the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<bool>,
    /// Of decide: how a change that stopped half way goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<HalfDone>,
}

impl StepBody {
    /// The wish that this is, of a step by its name.
    pub fn wish(&self, step: &str) -> Result<Wish, serde_json::Error> {
        let mut wish = serde_json::to_value(self)?;
        if let Value::Object(fields) = &mut wish {
            fields.insert("do".to_owned(), Value::from(step));
        }
        serde_json::from_value(wish)
    }
}

/// `POST /api/v1/changes/{change}/{step}`.
pub(super) async fn step(
    State(api): State<Api>,
    Named((change, step)): Named<(ChangeId, String)>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<StepBody>,
) -> Result<Response, Problem> {
    let wish = body.wish(&step).map_err(|why| Problem::unreadable(format!("{step}: {why}")))?;
    let StepBody { reason, dry_run, .. } = body;
    ask(&api, caller, &form, ChangeAsked { change, wish, key: None }, (reason, dry_run)).await
}

async fn ask(
    api: &Api,
    caller: Caller,
    form: &Form,
    asked: ChangeAsked,
    (reason, dry_run): (String, bool),
) -> Result<Response, Problem> {
    said(&reason)?;
    let request = Request::Change { asked: Box::new(asked), reason, dry_run };
    answer(api.ask(caller, request).await?, form)
}
