//! `GET /changes/{change}`: where it stands, what who looks may do with it, its scripts and its life.

use std::sync::Arc;

use axum::response::Response;

use super::changes::{NEAR, Viewer};
use super::{Page, Visit};
use crate::core::change::ChangeStep;
use crate::core::state::Standing;
use crate::definition::site::Site;
use crate::http::change_records::{nothing, scripts_now};
use crate::http::changes::known;
use crate::http::page::Named;
use crate::http::problem::Problem;
use crate::http::store_changes::texts;
use crate::render::clock::Clock;
use crate::render::pages::change_scripts::Scripts;
use crate::render::pages::{self, Section};
use crate::sql::Dialect;
use crate::types::{ChangeId, Right};
use crate::view::change_desk;
use crate::view::change_diff::{self, Since};

pub(crate) async fn page(visit: Visit, Named(id): Named<String>) -> Result<Response, Problem> {
    let id: ChangeId = id.parse().map_err(Problem::unknown)?;
    let (viewer, sees_scripts) = (Viewer::of(&visit), visit.may(Right::Logs));
    let stands_by = visit.stands_by();
    let make = async || {
        let (site, standing, now) = known(&visit.api).await?;
        let desk = change_desk::of(&site, &standing, (&id, now), viewer.eyes());
        let desk = desk.ok_or_else(|| nothing(&id))?;
        let scripts = match sees_scripts {
            true => Some(scripts(&visit, (site.clone(), standing.clone()), &id).await?),
            false => None,
        };
        let clock = Clock::new(&site.zone, now - NEAR);
        let around = (visit.lang(), visit.up(), &site.zone);
        let told = (&desk, stands_by.as_deref());
        pages::change::middle(around, &clock, told, scripts).map_err(Problem::failed)
    };
    let middle =
        visit.kept(&format!("change {id} {viewer:?} {sees_scripts} {stands_by:?}"), make).await?;
    let site = visit.api.published().site;
    let declared = site.as_ref().and_then(|site| site.changes.get(&id));
    let title = declared.map(|change| format!("{id} – {}", change.title.get(visit.lang())));
    let title = title.unwrap_or_else(|| id.to_string());
    let page = Page { section: Some(Section::Changes), title: &title, live: true };
    visit.around(&page, &middle)
}

/// As they are now, with what differs from what was approved last, or handed in where nothing was approved.
async fn scripts(
    visit: &Visit,
    (site, standing): (Arc<Site>, Arc<Standing>),
    id: &ChangeId,
) -> Result<Scripts, Problem> {
    let declared = site.changes.get(id);
    let steps = standing.changes.get(id).into_iter().flat_map(|life| &life.steps);
    let approved = steps.into_iter().any(|of| matches!(of.step, ChangeStep::Approved { .. }));
    let since = if approved { Since::Approval } else { Since::Submission };
    let now: Vec<String> = declared
        .iter()
        .flat_map(|change| change.scripts.iter().filter(|digest| !digest.is_empty()).cloned())
        .collect();
    let wanted = change_diff::wanted(&site, &standing, id, since).into_iter().chain(now.clone());
    let mut texts = texts(visit.api.reader().await?, wanted).await?;
    // What was handed in is kept; what was not yet is asked for, and is not at hand where nobody leads.
    if now.iter().any(|digest| !texts.contains_key(digest)) {
        let asked = scripts_now(&visit.api, visit.caller.clone(), vec![id.clone()]).await;
        texts.extend(asked.unwrap_or_default());
    }
    let first = declared.and_then(|change| change.places(&site).into_iter().next());
    let target = first.and_then(|(_, target)| site.targets.get(target));
    let dialect = target.map_or(Dialect::Sqlite, |target| target.engine.dialect());
    // On a thread of its own: long scripts take a while to compare, in which others are answered.
    let (lang, up, of) = (visit.lang(), visit.up().to_owned(), id.clone());
    let making = tokio::task::spawn_blocking(move || {
        let diff = change_diff::of(&site, &standing, &of, since, &texts)?;
        Some(pages::change_scripts::of((lang, &up), dialect, (&diff, since), &texts))
    });
    making.await.map_err(Problem::failed)?.ok_or_else(|| nothing(id))
}
