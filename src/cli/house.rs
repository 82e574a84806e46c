//! What operators order for the whole site: freezes, sizes of pools, and the second person's yes.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::civil::Time;

use super::act::answered;
use super::arguments::{Format, WhyArguments};
use super::asking;
use super::change_evidence;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::run::{act_and_go_on, instant, led_for_site};
use super::show::host_now;
use crate::app::own_account;
use crate::core::deadline::first_at_or_after;
use crate::core::fact::Proposed;
use crate::core::incident::IncidentOrder;
use crate::core::night::Event;
use crate::definition::nearest;
use crate::definition::site::{Freeze, FreezeScope, Site};
use crate::driver::api_client::Ask;
use crate::http::{
    CredentialBody, FigureBody, FreezeBody, HandOverBody, OpenBody, PoolBody, ReasonBody,
    WantedBody,
};
use crate::port::control::House;
use crate::port::{RunFilter, StoreReader};
use crate::render::{self, clock::Clock};
use crate::types::{FreezeId, PoolName, RequestId, Text};
use crate::view::of_standing;

/// `pool`.
pub(super) async fn pool(
    context: &Context,
    pool: PoolName,
    size: u32,
    until: Option<&str>,
    why: WhyArguments,
) -> Result<u8, Failure> {
    let site = context.site()?;
    if !site.pools.contains_key(&pool) {
        return Err(unknown("pool", pool.as_str(), site.pools.keys().map(PoolName::as_str)));
    }
    let now = host_now()?.wall;
    let until = match until {
        Some(text) => instant(text, &site)?,
        // The night is over at noon.
        None => first_at_or_after(now, Time::constant(12, 0, 0, 0), &site.zone),
    };
    carry_out(context, House::SizePool { pool, size, until }, why.reason, why.dry_run).await
}

/// `freeze`.
pub(super) async fn freeze(
    context: &Context,
    (from, until): (&str, &str),
    scope: &[String],
    why: WhyArguments,
) -> Result<u8, Failure> {
    let site = context.site()?;
    let from = if from == "now" { host_now()?.wall } else { instant(from, &site)? };
    let to = instant(until, &site)?;
    let (reason, scope) = (Text::en(&why.reason), scope_of(&site, scope)?);
    let what = Box::new(Freeze { reason, from, to, scope });
    carry_out(context, House::Freeze { what }, why.reason, why.dry_run).await
}

/// `unfreeze`.
pub(super) async fn unfreeze(
    context: &Context,
    freeze: FreezeId,
    why: WhyArguments,
) -> Result<u8, Failure> {
    carry_out(context, House::Unfreeze { freeze }, why.reason, why.dry_run).await
}

/// `freezes`.
pub(super) async fn freezes(context: &Context) -> Result<u8, Failure> {
    let site = context.site()?;
    let now = host_now()?.wall;
    let standing = context.standing().await?;
    let mut freezes = of_standing::declared(&site, now);
    freezes.extend(of_standing::standing(&standing, &site, now).freezes);
    match context.format {
        Format::Json => print_line!("{}", serde_json::json!(freezes))?,
        Format::Text if freezes.is_empty() => print_line!("nothing is frozen")?,
        Format::Text => {
            let clock = Clock::new(&site.zone, now);
            for freeze in &freezes {
                print_line!("{}", render::standing::freeze_line(context.lang, &clock, freeze))?;
            }
        }
    }
    Ok(WELL)
}

/// `second`. What was asked of a run is carried out by whoever supervises it, or by taking it up. Whoever is to say yes to
/// what was found of a change sees the evidence first, as the first person did.
pub(super) async fn second(
    context: &Context,
    request: RequestId,
    why: WhyArguments,
) -> Result<u8, Failure> {
    let standing = context.standing().await?;
    let asked = standing.requests.get(&request).map(|asked| &asked.what);
    if let Some(Proposed::Change { change, .. }) = asked.filter(|_| !why.dry_run) {
        change_evidence::shown_before(context, change).await;
    }
    let run = standing.run_of(request).cloned();
    let supervised = context.is_supervised().await?;
    if let Some(run) = run
        && !supervised
        && !why.dry_run
    {
        let filter = RunFilter { batch: Some(run.batch.clone()), ..RunFilter::default() };
        let rows = context.reader().await?.runs(&filter).await.map_err(Failure::failed)?;
        let row = rows.into_iter().find(|row| row.run == run);
        let row = row.ok_or_else(|| Failure::refused(format!("there is no run {run}")))?;
        let reason = why.reason;
        let event = move |by, known| Event::Second { request, by, known, reason };
        return answered(context, act_and_go_on(context, &row, event).await);
    }
    carry_out(context, House::Second { request }, why.reason, why.dry_run).await
}

/// Through the supervisor that is at work; else the store is taken, and left again. Prints what was done.
pub(super) async fn carry_out(
    context: &Context,
    order: House,
    reason: String,
    dry_run: bool,
) -> Result<u8, Failure> {
    let done = done(context, order, reason, dry_run).await;
    let printed = done.and_then(|(said, data)| {
        match context.format {
            Format::Text => print_line!("{said}")?,
            Format::Json => print_line!("{data}")?,
        }
        Ok(WELL)
    });
    answered(context, printed)
}

/// What was done, in words or as data, as the command was asked for.
pub(super) async fn done(
    context: &Context,
    order: House,
    reason: String,
    dry_run: bool,
) -> Result<(String, serde_json::Value), Failure> {
    if let Some(mut client) = context.client().await? {
        let question = question(context, order, reason, dry_run)?;
        let answer = asking::good(asking::ask(context, &mut client, &question).await?)?;
        return match context.format {
            Format::Text => Ok((answer.body.trim_end().to_owned(), serde_json::Value::Null)),
            Format::Json => {
                let data = serde_json::from_str(&answer.body).map_err(Failure::failed)?;
                Ok((String::new(), data))
            }
        };
    }
    if dry_run {
        let tried = super::tried::house(context, order, reason).await?;
        return Ok((render::tried::text(&tried), serde_json::json!(tried)));
    }
    let (mut led, site) = led_for_site(context).await?;
    let said = led.supervisor.house(&own_account(), Some(&site), order, reason).await;
    led.supervisor.leave().await;
    let said = said.map_err(Failure::failed)?.map_err(|refused| Failure::by_rule(&refused))?;
    let data = serde_json::json!({ "done": said });
    Ok((said, data))
}

/// The same over the API.
fn question(
    context: &Context,
    order: House,
    reason: String,
    dry_run: bool,
) -> Result<Ask, Failure> {
    match order {
        House::Freeze { what } => {
            let Freeze { from, to, scope, .. } = *what;
            let body = FreezeBody { from, to, scope, reason, dry_run };
            asking::post(context, "/api/v1/freezes".to_owned(), &body)
        }
        House::Unfreeze { freeze } => {
            let path = format!("/api/v1/freezes/{freeze}/lift");
            asking::post(context, path, &ReasonBody { reason, dry_run })
        }
        House::SizePool { pool, size, until } => {
            let path = format!("/api/v1/pools/{pool}");
            asking::post(context, path, &PoolBody { size, until, reason, dry_run })
        }
        House::Drain { host, drain } => {
            let word = if drain { "drain" } else { "undrain" };
            let path = format!("/api/v1/hosts/{host}/{word}");
            asking::post(context, path, &ReasonBody { reason, dry_run })
        }
        House::Second { request } => {
            let path = format!("/api/v1/requests/{request}/second");
            asking::post(context, path, &ReasonBody { reason, dry_run })
        }
        House::Incident { order } => incident_question(context, *order, reason, dry_run),
        House::Figure { order } => {
            let path = format!("/api/v1/figures/{}", order.figure);
            asking::post(context, path, &FigureBody::of(*order, reason, dry_run))
        }
        House::HandOver { order } => {
            let path = format!("/api/v1/hand-overs/{}/{}", order.hand_over, order.wish.word());
            asking::post(context, path, &HandOverBody { words: reason, dry_run })
        }
        House::Credential { what } => {
            let body = CredentialBody { credential: *what, reason };
            asking::post(context, "/api/v1/credentials".to_owned(), &body)
        }
    }
}

fn incident_question(
    context: &Context,
    order: IncidentOrder,
    reason: String,
    dry_run: bool,
) -> Result<Ask, Failure> {
    match order {
        IncidentOrder::Open { title, kind, severity } => {
            let body = OpenBody { title, kind, severity, dry_run };
            asking::post(context, "/api/v1/incidents".to_owned(), &body)
        }
        IncidentOrder::Drill { drill } => {
            let path = format!("/api/v1/drills/{drill}");
            asking::post(context, path, &ReasonBody { reason, dry_run })
        }
        IncidentOrder::Step { incident, wanted } => {
            let path = format!("/api/v1/incidents/{incident}/{}", wanted.word());
            asking::post(context, path, &WantedBody::of(wanted, reason, dry_run))
        }
    }
}

/// `site`, or names of what is stopped.
fn scope_of(site: &Site, texts: &[String]) -> Result<FreezeScope, Failure> {
    let mut scope = FreezeScope::default();
    for text in texts {
        if text == "site" {
            continue;
        }
        let (kind, name) = text.split_once('=').ok_or_else(|| not_a_scope(text))?;
        match kind {
            "batch" => scope.batches.push(known(kind, name, &site.batches)?),
            "class" => scope.windows.push(known(kind, name, &site.windows)?),
            "target" => scope.targets.push(known(kind, name, &site.targets)?),
            "host" => scope.hosts.push(known(kind, name, &site.hosts)?),
            _ => return Err(not_a_scope(text)),
        }
    }
    let whole = scope == FreezeScope::default();
    if texts.iter().any(|text| text == "site") && !whole {
        return Err(Failure::defects("`--scope site` is the whole site: leave the others out"));
    }
    Ok(scope)
}

/// One of the names that the site declares.
fn known<K: Clone + Display, V>(
    kind: &str,
    name: &str,
    declared: &BTreeMap<K, V>,
) -> Result<K, Failure> {
    let found = declared.keys().find(|known| known.to_string() == name);
    found.cloned().ok_or_else(|| {
        let names: Vec<String> = declared.keys().map(ToString::to_string).collect();
        unknown(kind, name, names.iter().map(String::as_str))
    })
}

pub(super) fn unknown<'a>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Failure {
    let hint = nearest::hint(name, known).map(|hint| format!("; {hint}")).unwrap_or_default();
    Failure::defects(format!("the site declares no {kind} `{name}`{hint}"))
}

fn not_a_scope(text: &str) -> Failure {
    Failure::defects(format!(
        "`{text}` is no scope: write site, batch=NAME, class=NAME, target=NAME or host=NAME"
    ))
}
