//! `GET /runs/{run}`: one run, as it stands or as it was.

use axum::response::Response;

use super::tonight::wanted;
use super::{Page, Visit};
use crate::http::page::Named;
use crate::http::problem::Problem;
use crate::http::runs::status_of;
use crate::render::pages::tonight;
use crate::types::RunId;
use crate::view::status::StatusPage;

pub(crate) async fn page(visit: Visit, Named(run): Named<String>) -> Result<Response, Problem> {
    let run: RunId = run.parse().map_err(Problem::unknown)?;
    let (lang, wanted) = (visit.lang(), wanted(&visit));
    let view = status_of(&visit.api, &run, visit.caller.clone()).await?;
    let title = format!("{} {}", view.head.title.get(lang), view.head.business_date);
    let live = view.head.result.is_none();
    let make = async || {
        let (now, zone) = (view.head.now, view.head.zone.clone());
        let (runs, incidents) = (vec![view], Vec::new());
        let night = StatusPage { runs, incidents, next: None, now, zone, trouble: None };
        let about = tonight::About::Run { title: &title };
        tonight::middle((lang, visit.up()), &night, about, &wanted).map_err(Problem::failed)
    };
    let middle = visit.kept(&format!("run {run} {wanted:?}"), make).await?;
    visit.around(&Page { section: None, title: &title, live }, &middle)
}
