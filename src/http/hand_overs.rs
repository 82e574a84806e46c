//! Hand-overs of shifts: which are open, what one leaves to the next shift, and the steps of people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::act::{answer, said};
use super::page::{Asked, Form, Named, Sent};
use super::problem::Problem;
use crate::core::hand_over::{HandOverOrder, HandOverWish};
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::store::StateReader;
use crate::port::Clock;
use crate::port::control::{Caller, House, Request};
use crate::render;
use crate::supervisor::{Fatal, night_as_stored, noted_since, on_call_of, standing};
use crate::types::HandOverId;
use crate::view::hand_over::{HandOverLine, HandOverView};
use crate::view::of_hand_over;

/// Which hand-overs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichHandOvers {
    /// Those that are over too; open ones alone where nothing is said.
    #[serde(default)]
    all: bool,
}

/// Hand-overs, the shift that ended last first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct HandOversPage {
    items: Vec<HandOverLine>,
}

/// `GET /api/v1/hand-overs`.
pub(super) async fn list(
    State(api): State<Api>,
    Asked(WhichHandOvers { all }): Asked<WhichHandOvers>,
    form: Form,
) -> Result<Response, Problem> {
    let site = served(&api)?;
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(&site));
    standing(api.reader().await?, &mut core, false).await.map_err(Problem::failed)?;
    let page = HandOversPage { items: of_hand_over::list(&core, all) };
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let zone = (&site.zone, now);
    form.page(&page, |lang| render::hand_over::list_text(lang, zone, all, &page.items))
}

/// `GET /api/v1/hand-overs/{hand_over}`.
pub(super) async fn one(
    State(api): State<Api>,
    Named(id): Named<String>,
    form: Form,
) -> Result<Response, Problem> {
    let id: HandOverId = id.parse().map_err(Problem::unknown)?;
    let site = served(&api)?;
    let found = of_store(api.reader().await?, &site, &id).await.map_err(Problem::failed)?;
    let view = found.ok_or_else(|| Problem::unknown(format!("no hand-over {id} is known here")))?;
    form.page(&view, |lang| render::hand_over::text(lang, &view))
}

/// A hand-over as the store has it; `None`: there is none of that name.
pub async fn of_store(
    reader: &StateReader,
    site: &Arc<Site>,
    id: &HandOverId,
) -> Result<Option<HandOverView>, Fatal> {
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(site));
    standing(reader, &mut core, false).await?;
    Ok(at_hand(reader, core, site, id).await?.map(|(_, view)| view))
}

/// The same with the night that it was made of. `core`: with what stands.
pub(super) async fn at_hand(
    reader: &StateReader,
    core: Core,
    site: &Arc<Site>,
    id: &HandOverId,
) -> Result<Option<(Core, HandOverView)>, Fatal> {
    let host = HostClock::new()?;
    let known = core.state().standing.hand_overs.get(id);
    // What was accepted is kept as it stood: nothing of the night is read for it.
    if known.is_none_or(|known| known.accepted().is_some()) {
        let view = of_hand_over::view(&core, id, &[], host.now());
        return Ok(view.map(|view| (core, view)));
    }
    let core = night_as_stored(reader, site, &host.boot()).await?;
    let known = core.state().standing.hand_overs.get(id);
    let Some((since, _)) = known.map(|known| known.span()) else { return Ok(None) };
    let noted = noted_since(reader, &core, since).await?;
    let view = of_hand_over::view(&core, id, &noted, host.now());
    Ok(view.map(|view| (core, view)))
}

fn served(api: &Api) -> Result<Arc<Site>, Problem> {
    let site = api.published().site;
    site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))
}

/// A step with a hand-over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverBody {
    /// What the person says; needed with `note`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

/// The step that is called so; a note says something.
pub(super) fn wish_of(step: &str, words: &str) -> Result<HandOverWish, Problem> {
    let unknown = || Problem::unknown(format!("there is no step `{step}`"));
    let wish = HandOverWish::of_word(step).ok_or_else(unknown)?;
    if wish == HandOverWish::Note {
        said(words)?;
    }
    Ok(wish)
}

/// `POST /api/v1/hand-overs/{hand_over}/{step}`.
pub(super) async fn step(
    State(api): State<Api>,
    Named((id, step)): Named<(String, String)>,
    caller: Caller,
    form: Form,
    Sent(HandOverBody { words, dry_run }): Sent<HandOverBody>,
) -> Result<Response, Problem> {
    let hand_over: HandOverId = id.parse().map_err(Problem::unknown)?;
    let wish = wish_of(&step, &words)?;
    let order = Box::new(HandOverOrder { hand_over, wish, noted: Vec::new() });
    let request = Request::House { order: House::HandOver { order }, reason: words, dry_run };
    answer(api.ask(caller, request).await?, &form)
}
