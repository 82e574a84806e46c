//! `GET /incidents`: what is open, and who is on call.

use axum::response::Response;

use super::{Page, Visit};
use crate::http::incidents::known;
use crate::http::people::now;
use crate::http::problem::Problem;
use crate::render::pages::Section;
use crate::render::pages::on_call::{Duty, MOST, middle};
use crate::render::words::Pages;
use crate::view::incident::Which;
use crate::view::{of_hand_over, of_incident, roster};

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
        .take(MOST)
        .map(|line| of_incident::view(&core, line.id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Problem::failed)?;
    let (lang, zone) = (visit.lang(), &site.zone);
    let hand_overs = of_hand_over::list(&core, false);
    let hands_over = site.duty.hand_over.is_some();
    let duty = Duty { roster: &duty, hands_over, hand_overs: &hand_overs };
    let shown = (views.as_slice(), lines.len());
    let middle = middle((lang, visit.up(), now), which, shown, &duty, zone);
    let title = Pages::OnCall.say(lang);
    visit.page(&Page { section: Some(Section::OnCall), title: &title, live: true }, middle)
}
