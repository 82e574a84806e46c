//! `/changes/{change}/{step}`: what people do with a change, first shown, then done; and the yes of a second person.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::changes::Viewer;
use super::{Page, Visit, to};
use crate::core::change::Wish;
use crate::definition::site::Site;
use crate::http::act::said;
use crate::http::change_records::nothing;
use crate::http::changes::{StepBody, known};
use crate::http::page::{Named, Posted};
use crate::http::problem::Problem;
use crate::port::control::{ChangeAsked, House, Reply, Request};
use crate::render::pages::change_turns::{SEEN, address};
use crate::render::pages::{self, Section};
use crate::types::{ChangeId, RequestId};
use crate::view::change_desk::{self, OfferLine, SecondLine};

/// Why it is asked what would come of something; what is really done says why.
const LOOKS: &str = "looks at what would come of it";

/// What a form sends.
pub(crate) type Sent = Result<Posted<Vec<(String, String)>>, Problem>;

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> &'p str {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// What is sent by that name, as the API reads it; nothing where the field is empty.
fn read<T: DeserializeOwned>(pairs: &[(String, String)], name: &str) -> Result<Option<T>, Problem> {
    let text = value(pairs, name);
    if text.is_empty() {
        return Ok(None);
    }
    let value = match name {
        "applied" => Value::from(text == "true"),
        _ => Value::from(text),
    };
    let read = serde_json::from_value(value);
    read.map(Some).map_err(|why| Problem::unreadable(format!("{name}: {why}")))
}

fn read_all<T: DeserializeOwned>(
    pairs: &[(String, String)],
    name: &str,
) -> Result<Option<Vec<T>>, Problem> {
    let all = pairs.iter().filter(|(known, _)| known == name);
    let all: Vec<Value> = all.map(|(_, value)| Value::from(value.as_str())).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_value(Value::from(all));
    read.map(Some).map_err(|why| Problem::unreadable(format!("{name}: {why}")))
}

/// What the API is sent for the same.
fn body(pairs: &[(String, String)]) -> Result<StepBody, Problem> {
    Ok(StepBody {
        reason: value(pairs, "reason").to_owned(),
        dry_run: false,
        environment: read(pairs, "environment")?,
        to: read(pairs, "to")?,
        accepted: read(pairs, "accepted")?,
        confirm: read_all(pairs, "confirm")?,
        tick: read_all(pairs, "tick")?,
        role: None,
        item: read(pairs, "item")?,
        on: read(pairs, "on")?,
        applied: read(pairs, "applied")?,
        how: read(pairs, "how")?,
    })
}

fn wish(step: &str, body: &StepBody) -> Result<Wish, Problem> {
    body.wish(step).map_err(|why| Problem::unreadable(format!("{step}: {why}")))
}

async fn ask(
    visit: &Visit,
    change: &ChangeId,
    wish: Wish,
    (reason, dry_run): (String, bool),
) -> Result<Reply, Problem> {
    let asked = Box::new(ChangeAsked { change: change.clone(), wish, key: None });
    visit.api.ask(visit.caller.clone(), Request::Change { asked, reason, dry_run }).await
}

/// Whether it is said of a step which scripts were read before it.
fn needs_seen(step: &str) -> bool {
    matches!(step, "review" | "approve")
}

/// Whoever signs has read the scripts that are there now, and no others (D5).
fn as_read(visit: &Visit, (change, step): (&ChangeId, &str), seen: &str) -> Result<(), Problem> {
    if !needs_seen(step) {
        return Ok(());
    }
    if seen.is_empty() {
        let what = format!("{step}: `{SEEN}` is missing, the digest of the scripts that were read");
        return Err(Problem::unreadable(what));
    }
    let site = visit.api.published().site;
    let now = site.as_ref().and_then(|site| site.changes.get(change));
    match now.is_some_and(|now| now.content == seen) {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("the scripts of {change} are not those that you were shown: read them again"),
        )),
    }
}

/// Whether an offer is the one that the address means.
fn is_meant(visit: &Visit, step: &str, offer: &OfferLine) -> bool {
    let Some((word, query)) = address(&offer.wish) else { return false };
    let names = ["environment", "item", "applied", "how"];
    let of = |name: &str| query.iter().find(|(known, _)| *known == name);
    let same = |name: &str| visit.wants(name) == of(name).map_or("", |(_, value)| value.as_str());
    word == step && names.into_iter().all(same)
}

/// `GET /changes/{change}/{step}`. Who has not read the scripts that he would sign is led to them.
pub(crate) async fn before(
    visit: Visit,
    Named((id, step)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let id: ChangeId = id.parse().map_err(Problem::unknown)?;
    let seen = visit.wants(SEEN);
    if needs_seen(&step) && seen.is_empty() {
        return to(&format!("../{id}"));
    }
    as_read(&visit, (&id, &step), seen)?;
    let (site, standing, now) = known(&visit.api).await?;
    let viewer = Viewer::of(&visit);
    let desk = change_desk::of(&site, &standing, (&id, now), viewer.eyes());
    let desk = desk.ok_or_else(|| nothing(&id))?;
    let offer = desk.offers.iter().find(|offer| is_meant(&visit, &step, offer));
    let wished = match offer {
        Some(offer) => offer.wish.clone(),
        None => wish(&step, &body(visit.query())?)?,
    };
    match ask(&visit, &id, wished, (LOOKS.to_owned(), true)).await? {
        Reply::Tried(_) => {}
        other => return Err(Problem::of(other)),
    }
    let offer = offer.ok_or_else(|| Problem::not_now("open the page of the change again"))?;
    let then = change_desk::then(&site, &standing, (&id, now), (&viewer.person, &offer.step));
    let people = site.people.iter();
    let people: Vec<(String, String)> = people
        .map(|(person, of)| (person.to_string(), of.name.get(visit.lang()).to_owned()))
        .collect();
    let token = visit.looker.token.as_deref().unwrap_or_default();
    let around = (visit.lang(), &site.zone, token);
    let middle = pages::change_step::middle(around, (id.as_str(), seen), (offer, &then), &people);
    let title = pages::change_step::title(visit.lang(), id.as_str(), offer);
    let page = Page { section: Some(Section::Changes), title: &title, live: false };
    visit.page(&page, middle)
}

/// `POST /changes/{change}/{step}`: takes it, and goes back to the change.
pub(crate) async fn take(
    visit: Visit,
    Named((id, step)): Named<(String, String)>,
    sent: Sent,
) -> Result<Response, Problem> {
    let id: ChangeId = id.parse().map_err(Problem::unknown)?;
    let Posted(pairs) = sent?;
    visit.sent(value(&pairs, "token"))?;
    as_read(&visit, (&id, &step), value(&pairs, SEEN))?;
    let body = body(&pairs)?;
    said(&body.reason)?;
    match ask(&visit, &id, wish(&step, &body)?, (body.reason, false)).await? {
        Reply::Done(_) => to(&format!("../{id}")),
        other => Err(Problem::of(other)),
    }
}

fn named((id, request): (String, String)) -> Result<(ChangeId, RequestId), Problem> {
    Ok((id.parse().map_err(Problem::unknown)?, request.parse().map_err(Problem::unknown)?))
}

fn yes(request: RequestId, reason: String, dry_run: bool) -> Request {
    Request::House { order: House::Second { request }, reason, dry_run }
}

/// What waits for a second person's yes to a change, and the site.
async fn waiting(
    visit: &Visit,
    id: &ChangeId,
    request: RequestId,
) -> Result<(Arc<Site>, SecondLine), Problem> {
    let (site, standing, now) = known(&visit.api).await?;
    let viewer = Viewer::of(visit);
    let desk = change_desk::of(&site, &standing, (id, now), viewer.eyes());
    let asked = desk.ok_or_else(|| nothing(id))?.asked;
    let asked = asked.into_iter().find(|of| of.request == request);
    let unknown = || Problem::unknown(format!("{request} does not wait for anybody's yes to {id}"));
    Ok((site, asked.ok_or_else(unknown)?))
}

/// `GET /changes/{change}/requests/{request}`.
pub(crate) async fn before_second(
    visit: Visit,
    Named(names): Named<(String, String)>,
) -> Result<Response, Problem> {
    let (id, request) = named(names)?;
    let (site, asked) = waiting(&visit, &id, request).await?;
    match visit.api.ask(visit.caller.clone(), yes(request, LOOKS.to_owned(), true)).await? {
        Reply::Tried(_) => {}
        other => return Err(Problem::of(other)),
    }
    let token = visit.looker.token.as_deref().unwrap_or_default();
    let around = (visit.lang(), &site.zone, token);
    let middle = pages::change_step::second(around, id.as_str(), &asked);
    let title = pages::change_step::second_title(visit.lang(), id.as_str());
    let page = Page { section: Some(Section::Changes), title: &title, live: false };
    visit.page(&page, middle)
}

/// `POST /changes/{change}/requests/{request}`: says yes, and goes back to the change.
pub(crate) async fn second(
    visit: Visit,
    Named(names): Named<(String, String)>,
    sent: Sent,
) -> Result<Response, Problem> {
    let (id, request) = named(names)?;
    let Posted(pairs) = sent?;
    visit.sent(value(&pairs, "token"))?;
    let reason = value(&pairs, "reason").to_owned();
    said(&reason)?;
    waiting(&visit, &id, request).await?;
    match visit.api.ask(visit.caller.clone(), yes(request, reason, false)).await? {
        Reply::Done(_) => to(&format!("../../{id}")),
        other => Err(Problem::of(other)),
    }
}
