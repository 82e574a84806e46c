//! `GET /runs/{run}/graph`: the jobs of a run as a drawing, or with `?job=` what is before and after one of
//! them; `fold` and `but` say which groups of jobs are one box.

use axum::response::Response;

use super::{Page, Visit};
use crate::http::page::Named;
use crate::http::problem::Problem;
use crate::http::runs::{recall, status_of};
use crate::render::pages;
use crate::render::words::Pages;
use crate::types::{JobName, RunId};
use crate::view::folding::Folding;
use crate::view::graph;

/// Which groups of jobs are folded. Whatever cannot be read is as if it were not there.
fn folding(visit: &Visit) -> Folding {
    let all = match visit.wants("fold") {
        "all" => Some(true),
        "none" => Some(false),
        _ => None,
    };
    let but = visit.wants("but").split(',').filter(|group| !group.is_empty());
    Folding { all, but: but.map(ToOwned::to_owned).collect() }
}

pub(crate) async fn page(visit: Visit, Named(run): Named<String>) -> Result<Response, Problem> {
    let run: RunId = run.parse().map_err(Problem::unknown)?;
    let wanted = visit.wants("job").parse::<JobName>().ok();
    let folding = folding(&visit);
    let status = status_of(&visit.api, &run, visit.caller.clone()).await?;
    let lang = visit.lang();
    let make = async || {
        let recalled = recall(&visit.api, Some(&run), None, None).await?;
        let state = recalled.core.state().run(&run).map_err(Problem::failed)?;
        let graph = graph::of(state, wanted.as_ref(), folding.clone()).with_states(&status.jobs);
        pages::graph::middle((lang, visit.up()), &status.head, &graph).map_err(Problem::failed)
    };
    let middle = visit.kept(&format!("graph {run} {wanted:?} {folding:?}"), make).await?;
    let title = format!("{} – {}", Pages::Graph.say(lang), status.head.title.get(lang));
    let live = status.head.result.is_none();
    visit.around(&Page { section: None, title: &title, live }, &middle)
}
