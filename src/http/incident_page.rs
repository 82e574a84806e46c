//! The page of an incident for a browser: whoever follows the link of a mail sees it, signs in, and answers. To look
//! changes nothing, whoever looks: mail scanners press links. Answers come as forms of that page alone.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;

use super::Api;
use super::incidents::{at_hand, said_of_step};
use super::page::{Body, Form, Named, Posted};
use super::pages::{self, Page, Shown, Where, of_this_page, proven, told};
use super::problem::Problem;
use crate::core::forecast;
use crate::core::incident::Wanted;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::{Caller, Reply};
use crate::render;
use crate::render::incident_page::Asker;
use crate::render::pages::Looker;
use crate::supervisor::{allow, person_of};
use crate::types::{IncidentId, Right};
use crate::view::of_incident;
use crate::view::of_job::Around;

/// `GET /incidents/{incident}`: the page for browsers; data or words as the API has them for whoever asks for these.
pub(super) async fn page(
    State(api): State<Api>,
    uri: Uri,
    Named(id): Named<String>,
    caller: Caller,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let shown = Shown::of(uri.path(), &headers);
    let answer = looked_at(&api, (&uri, id, caller), &headers, &form).await;
    told(&api, answer, shown)
}

async fn looked_at(
    api: &Api,
    (uri, id, caller): (&Uri, String, Caller),
    headers: &HeaderMap,
    form: &Form,
) -> Result<Response, Problem> {
    let id: IncidentId = id.parse().map_err(Problem::unknown)?;
    let (core, now, site) = at_hand(api, id).await?;
    let ahead = forecast::of_night(&core, now).unwrap_or_default();
    let run = core.state().incidents.get(&id).and_then(|known| known.what.run.as_ref());
    let around = Around { ahead: run.and_then(|run| ahead.runs.get(run)), ..Around::nothing() };
    let view = of_incident::mail(&core, id, now, around).map_err(Problem::unknown)?;
    if !form.html {
        let incident = view.incident;
        return form.page(&incident, |lang| render::incident::text(lang, &incident));
    }
    let looker = pages::looker(api, &caller, headers);
    let asker = asker(api, (&core, &site), (id, &looker), &caller)?;
    let middle = render::incident_page::middle(looker.lang, &view, &asker);
    let middle = Body::html(middle.map_err(Problem::failed)?);
    let at = Where::of(uri.path()).ok_or_else(|| Problem::unknown("no such page"))?;
    let title = render::incident_page::title(looker.lang, &view);
    let page = Page { at: &at, section: None, title: &title, live: true };
    pages::answer(api, (&looker, headers), &page, &middle)
}

/// What whoever looks may do about it now.
fn asker(
    api: &Api,
    (core, site): (&Core, &Site),
    (id, looker): (IncidentId, &Looker),
    caller: &Caller,
) -> Result<Asker, Problem> {
    let may = |right| allow(Some(site), &api.0.wiring.own, caller, right).is_ok();
    let person = person_of(Some(site), caller);
    let mut steps = Vec::new();
    if may(Right::Respond) {
        let incident = core.state().incident(id).map_err(Problem::unknown)?;
        let now = HostClock::new().map_err(Problem::failed)?.now().wall;
        steps.extend([Wanted::Acknowledge, Wanted::TakeOver, Wanted::Note]);
        // Whoever may acknowledge it need not take it from anybody.
        let is_free = incident.owner.is_none();
        steps.retain(|step| !(is_free && *step == Wanted::TakeOver));
        steps.retain(|step| incident.refuses(&person, step, now).is_ok());
    }
    Ok(Asker { steps, token: looker.token.clone(), sees_output: may(Right::Logs) })
}

/// What a form of the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepForm {
    token: String,
    #[serde(default)]
    reason: String,
}

/// `POST /incidents/{incident}/{step}`: a form of the page; the page once more where it was done.
pub(super) async fn step(
    State(api): State<Api>,
    uri: Uri,
    Named((id, step)): Named<(String, String)>,
    caller: Caller,
    headers: HeaderMap,
    sent: Result<Posted<StepForm>, Problem>,
) -> Result<Response, Problem> {
    let shown = Shown::of(uri.path(), &headers);
    let answer = async {
        let Posted(StepForm { token, reason }) = sent?;
        of_this_page(&headers)?;
        proven(&headers, &token)?;
        let incident: IncidentId = id.parse().map_err(Problem::unknown)?;
        match said_of_step(&api, caller, (incident, &step), reason).await? {
            Reply::Done(_) => pages::to(&format!("../{incident}")),
            other => Err(Problem::of(other)),
        }
    };
    told(&api, answer.await, shown)
}
