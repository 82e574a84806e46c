//! Records of changes: proofs, what has changed since they were submitted, and figures.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::changes::known;
use super::page::{Asked, Form, Named};
use super::problem::Problem;
use super::store_changes;
use crate::definition::copy::sha256;
use crate::port::control::{Caller, Reply, Request};
use crate::render;
use crate::supervisor::prints;
use crate::types::{ChangeId, Zone};
use crate::view::change_diff::{self, Since, Texts};
use crate::view::change_proof::{self, Said};
use crate::view::change_stats::{self, StatsAsked, StatsBy};
use crate::view::environments;

/// Of where.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfPlace {
    /// Only what was done in this environment.
    environment: Option<String>,
}

/// `GET /api/v1/changes/{change}/proof`. No target is read: the service holds no session of its own with one.
pub(super) async fn proof(
    State(api): State<Api>,
    Named(change): Named<ChangeId>,
    Asked(OfPlace { environment }): Asked<OfPlace>,
    form: Form,
) -> Result<Response, Problem> {
    let (site, standing, now) = known(&api).await?;
    environments::check(&site, &standing.changes, environment.as_deref())?;
    // One after the other: each reads the whole journal.
    let _alone = api.0.auditing.lock().await;
    let (reader, archives) = (api.reader().await?, api.0.wiring.archives.as_deref());
    let only = BTreeSet::from([change.clone()]);
    let recorded = store_changes::recorded(reader, archives, &standing, &only).await?;
    let environment = environment.as_deref();
    let life = standing.changes.get(&change);
    let places = life.map_or(0, |life| change_proof::tried_in(life, environment).len());
    let asked = change_proof::Asked { change: &change, environment, now };
    let said = vec![Said::NotAsked; places];
    let proof = change_proof::of((&site, &standing), asked, &recorded, said);
    let proof = proof.ok_or_else(|| nothing(&change))?;
    if form.html {
        let page = render::change_proof_html::page(form.lang, &site.zone, &proof);
        return Ok(form.as_html(page.map_err(Problem::failed)?));
    }
    form.page(&proof, |lang| render::change_proof::text(lang, &site.zone, &proof))
}

pub(super) fn nothing(change: &ChangeId) -> Problem {
    Problem::unknown(format!("there is no change {change}"))
}

/// What is compared.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    /// With the submission (default), or what it was when it was approved last.
    #[serde(default)]
    since: Since,
    /// With the scripts of this change, as they are now.
    with: Option<ChangeId>,
}

/// `GET /api/v1/changes/{change}/diff`.
pub(super) async fn diff(
    State(api): State<Api>,
    Named(change): Named<ChangeId>,
    caller: Caller,
    Asked(Compared { since, with }): Asked<Compared>,
    form: Form,
) -> Result<Response, Problem> {
    let (site, standing, _) = known(&api).await?;
    let changes = std::iter::once(change.clone()).chain(with.clone()).collect();
    let now = scripts_now(&api, caller, changes).await?;
    let wanted = change_diff::wanted(&site, &standing, &change, since);
    let mut texts = store_changes::texts(api.reader().await?, wanted).await?;
    texts.extend(now);
    let diff = match &with {
        Some(with) => change_diff::between(&site, &change, with, &texts),
        None => change_diff::of(&site, &standing, &change, since, &texts),
    };
    let diff = diff.ok_or_else(|| nothing(&change))?;
    form.page(&diff, |lang| render::change::diff_text(lang, &site.zone, &diff))
}

/// The scripts of changes as they are in force.
pub(super) async fn scripts_now(
    api: &Api,
    caller: Caller,
    changes: Vec<ChangeId>,
) -> Result<Texts, Problem> {
    let scripts = match api.ask(caller, Request::Scripts { changes }).await? {
        Reply::Scripts(scripts) => scripts,
        other => return Err(Problem::of(other)),
    };
    let text = |bytes: Vec<u8>| (sha256(&bytes), String::from_utf8_lossy(&bytes).into_owned());
    Ok(scripts.into_iter().map(text).collect())
}

/// Which time, and by what.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichFigures {
    /// From this date or time of the site's zone, or this instant; from the first change where nothing is said.
    from: Option<String>,
    /// To the end of this date, or to this time.
    to: Option<String>,
    #[serde(default)]
    by: StatsBy,
    /// Only what was executed there.
    environment: Option<String>,
}

/// `GET /api/v1/changes/stats`.
pub(super) async fn stats(
    State(api): State<Api>,
    Asked(which): Asked<WhichFigures>,
    form: Form,
) -> Result<Response, Problem> {
    let (site, standing, now) = known(&api).await?;
    let WhichFigures { from, to, by, environment } = which;
    environments::check(&site, &standing.changes, environment.as_deref())?;
    let bound = |text: Option<String>, read: fn(&Zone, &str) -> Result<_, _>, otherwise| {
        let read = text.map(|text| read(&site.zone, &text)).transpose();
        read.map(|read| read.unwrap_or(otherwise)).map_err(Problem::unreadable)
    };
    let executions = change_stats::executions(&site, &standing);
    let first = executions.first().map_or(now, |first| first.ended);
    let from = bound(from, Zone::begin, first)?;
    let to = bound(to, Zone::end, now)?;
    let asked = StatsAsked { from, to, by, environment, limits: site.statistics() };
    let prints = prints(api.reader().await?, &executions, &asked).await?;
    let month = |at: Timestamp| at.to_zoned(site.zone.tz().clone()).strftime("%Y-%m").to_string();
    let stats = change_stats::stats(&executions, &prints, &asked, month);
    if form.csv {
        return Ok(form.as_csv(render::change_stats::csv(&stats)));
    }
    form.page(&stats, |lang| render::change_stats::text(lang, &site.zone, &stats))
}
