//! What goes beyond one run: freezes, sizes of pools, and the second person's yes.

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::act::{answer, said};
use super::page::{Form, Named, Sent};
use super::problem::Problem;
use crate::core::night::Core;
use crate::definition::site::{Freeze, FreezeScope};
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::{Caller, House, Request};
use crate::render::{self, clock::Clock as WallClock};
use crate::supervisor::standing;
use crate::types::{PoolName, Text};
use crate::view::of_standing;
use crate::view::standing::StandingView;

/// `GET /api/v1/standing`: freezes (declared ones too), pools of another size, and what waits for a second person.
pub(super) async fn list(State(api): State<Api>, form: Form) -> Result<Response, Problem> {
    let site = api.published().site;
    let site = site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))?;
    let mut core = Core::new(1);
    standing(api.reader().await?, &mut core, false).await.map_err(Problem::failed)?;
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let ordered = of_standing::standing(&core.state().standing, &site, now);
    let mut freezes = of_standing::declared(&site, now);
    freezes.extend(ordered.freezes);
    let view = StandingView { freezes, ..ordered };
    form.page(&view, |lang| {
        render::standing::lines(lang, &WallClock::new(&site.zone, now), &view).join("\n")
    })
}

/// A freeze that is ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeBody {
    pub from: Timestamp,
    pub to: Timestamp,
    /// What is stopped; the whole site where nothing is said.
    #[serde(default)]
    pub scope: FreezeScope,
    pub reason: String,
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/freezes`.
pub(super) async fn freeze(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<FreezeBody>,
) -> Result<Response, Problem> {
    let FreezeBody { from, to, scope, reason, dry_run } = body;
    let what = Box::new(Freeze { reason: Text::en(&reason), from, to, scope });
    ordered(&api, caller, &form, House::Freeze { what }, ReasonBody { reason, dry_run }).await
}

/// Why something is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    pub reason: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// An order about what the path names, with a reason.
pub(super) fn on_named<T>(order: fn(T) -> House) -> MethodRouter<Api>
where
    T: FromStr<Err: ToString> + 'static,
{
    let handler = async move |State(api): State<Api>,
                              Named(name): Named<String>,
                              caller: Caller,
                              form: Form,
                              Sent(why): Sent<ReasonBody>| {
        let named = name.parse().map_err(Problem::unknown)?;
        ordered(&api, caller, &form, order(named), why).await
    };
    post(handler)
}

/// `POST /api/v1/freezes/{freeze}/lift`.
pub(super) fn lift() -> MethodRouter<Api> {
    on_named(|freeze| House::Unfreeze { freeze })
}

/// `POST /api/v1/requests/{request}/second`.
pub(super) fn second() -> MethodRouter<Api> {
    on_named(|request| House::Second { request })
}

/// Another size of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolBody {
    pub size: u32,
    pub until: Timestamp,
    pub reason: String,
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/pools/{pool}`.
pub(super) async fn pool(
    State(api): State<Api>,
    Named(pool): Named<PoolName>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<PoolBody>,
) -> Result<Response, Problem> {
    let PoolBody { size, until, reason, dry_run } = body;
    let order = House::SizePool { pool, size, until };
    ordered(&api, caller, &form, order, ReasonBody { reason, dry_run }).await
}

async fn ordered(
    api: &Api,
    caller: Caller,
    form: &Form,
    order: House,
    why: ReasonBody,
) -> Result<Response, Problem> {
    let ReasonBody { reason, dry_run } = why;
    said(&reason)?;
    answer(api.ask(caller, Request::House { order, reason, dry_run }).await?, form)
}
