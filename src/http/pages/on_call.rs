//! `GET /incidents`: what is open, and who is on call.

use axum::response::Response;

use super::{Page, Visit};
use crate::http::incidents::known;
use crate::http::people::now;
use crate::http::problem::Problem;
use crate::render::pages::{self, Section};
use crate::render::words::Pages;
use crate::view::incident::Which;
use crate::view::{of_incident, roster};

pub(crate) async fn page(visit: Visit) -> Result<Response, Problem> {
    let wanted = visit.wants("state");
    let which = [Which::Unfinished, Which::All].into_iter().find(|of| wanted == of.word());
    let which = which.unwrap_or_default();
    let (core, site) = known(&visit.api).await?;
    let now = now()?;
    let duty = roster::of(&site, now);
    let lines = of_incident::list(&core, which);
    let views = lines
        .iter()
        .take(pages::on_call::MOST)
        .map(|line| of_incident::view(&core, line.id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Problem::failed)?;
    let (lang, zone) = (visit.lang(), &site.zone);
    let middle = pages::on_call::middle(
        (lang, visit.up(), now),
        which,
        (&views, lines.len()),
        (&duty, zone),
    );
    let title = Pages::OnCall.say(lang);
    visit.page(&Page { section: Some(Section::OnCall), title: &title, live: true }, middle)
}
