//! `GET /hand-overs`: the hand-over of shifts that is due, with all others; `/hand-overs/{hand_over}`: one of them; and what
//! its forms send.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;

use super::{Page, Visit, to};
use crate::core::hand_over::HandOverOrder;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::http::hand_overs::{at_hand, wish_of};
use crate::http::incidents::known;
use crate::http::page::{Named, Posted};
use crate::http::people::now;
use crate::http::problem::Problem;
use crate::port::control::{House, Reply, Request};
use crate::render::pages::Section;
use crate::render::pages::hand_over::{Asker, Others, Shown, middle, title};
use crate::supervisor::{bulletin_of, inspections_of, person_of};
use crate::types::{HandOverId, Right};
use crate::view::bulletin::BulletinView;
use crate::view::of_hand_over;

pub(crate) async fn due(visit: Visit) -> Result<Response, Problem> {
    let (core, site) = known(&visit.api).await?;
    let id = next(&visit, &core, &site)?;
    page(&visit, (core, &site), id).await
}

pub(crate) async fn one(visit: Visit, Named(id): Named<String>) -> Result<Response, Problem> {
    let id: HandOverId = id.parse().map_err(Problem::unknown)?;
    let (core, site) = known(&visit.api).await?;
    page(&visit, (core, &site), Some(id)).await
}

/// The open one whose shift ends first; before it one that whoever looks may do something about.
fn next(visit: &Visit, core: &Core, site: &Site) -> Result<Option<HandOverId>, Problem> {
    let mut open = of_hand_over::list(core, false);
    open.reverse();
    let mut all = open.iter().map(|line| &line.id);
    let mut own = None;
    for line in &open {
        if !asker(visit, (core, site), &line.id)?.steps.is_empty() {
            own = Some(&line.id);
            break;
        }
    }
    Ok(own.or_else(|| all.next()).cloned())
}

/// What whoever looks may do about it now.
fn asker(visit: &Visit, (core, site): (&Core, &Site), id: &HandOverId) -> Result<Asker, Problem> {
    let person = person_of(Some(site), &visit.caller);
    let now = now()?;
    let known = core.state().standing.hand_overs.get(id).zip(core.on_call());
    let steps = known.filter(|_| visit.may(Right::Respond));
    let steps = steps.map(|(known, on_call)| known.steps_for(on_call, &person, now));
    Ok(Asker {
        steps: steps.unwrap_or_default(),
        token: visit.looker.token.clone(),
        stands_by: visit.stands_by(),
    })
}

async fn page(
    visit: &Visit,
    (core, site): (Core, &Arc<Site>),
    id: Option<HandOverId>,
) -> Result<Response, Problem> {
    let now = now()?;
    let lines = of_hand_over::list(&core, true);
    let shown = match &id {
        Some(id) => Some(shown(visit, (core, site), id).await?),
        None => None,
    };
    let others = Others { lines: &lines, declared: site.duty.hand_over.is_some() };
    let lang = visit.lang();
    let middle = middle((lang, visit.up()), (&site.zone, now), shown.as_ref(), others);
    let title = title(lang, shown.as_ref());
    // As it stood when it was asked for: to draw it again takes the whole night.
    visit.page(&Page { section: Some(Section::OnCall), title: &title, live: false }, middle)
}

async fn shown(
    visit: &Visit,
    (core, site): (Core, &Arc<Site>),
    id: &HandOverId,
) -> Result<Shown, Problem> {
    let (reader, now) = (visit.api.reader().await?, now()?);
    let found = at_hand(reader, core, site, id).await.map_err(Problem::failed)?;
    let (core, view) =
        found.ok_or_else(|| Problem::unknown(format!("no hand-over {id} is known here")))?;
    let date = |at| site.zone.tz().to_datetime(at).date();
    let days = (date(view.began), date(view.line.ends.min(now)).max(date(view.began)));
    let inspections = inspections_of(reader, (&core, site), (days, now)).await;
    let bulletin = match view.line.closed {
        None => last_bulletin(visit, &core).await?,
        Some(_) => None,
    };
    Ok(Shown {
        inspections: inspections.map_err(Problem::failed)?,
        bulletin,
        asker: asker(visit, (&core, site), id)?,
        view,
    })
}

/// `None`: there was none yet.
async fn last_bulletin(visit: &Visit, core: &Core) -> Result<Option<BulletinView>, Problem> {
    let last = core.state().standing.bulletin.as_ref();
    let Some(time) = last.filter(|last| last.from < last.to).map(|last| (last.from, last.to))
    else {
        return Ok(None);
    };
    let reader = visit.api.reader().await?;
    bulletin_of(reader, core, time).await.map_err(Problem::failed)
}

/// What a form of the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepForm {
    token: String,
    #[serde(default)]
    words: String,
}

/// `POST /hand-overs/{hand_over}/{step}`: takes the step, and shows the hand-over once more.
pub(crate) async fn step(
    visit: Visit,
    Named((id, step)): Named<(String, String)>,
    Posted(StepForm { token, words }): Posted<StepForm>,
) -> Result<Response, Problem> {
    visit.sent(&token)?;
    let hand_over: HandOverId = id.parse().map_err(Problem::unknown)?;
    let wish = wish_of(&step, &words)?;
    let order = HandOverOrder { hand_over, wish, noted: Vec::new() };
    let order = House::HandOver { order: Box::new(order) };
    let request = Request::House { order, reason: words, dry_run: false };
    match visit.api.ask(visit.caller, request).await? {
        Reply::Done(_) => to(&format!("../{id}")),
        other => Err(Problem::of(other)),
    }
}
