//! The page of an incident for a browser: whoever follows the link of a mail sees it, signs in, and answers. To look
//! changes nothing, whoever looks: mail scanners press links. Answers come as forms of that page alone.

use axum::response::Response;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::incidents::{WantedBody, at_hand, site, taken};
use super::page::{Form, Named, Posted};
use super::pages::{self, Page, Visit};
use super::problem::Problem;
use crate::core::forecast;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::port::control::Reply;
use crate::render;
use crate::render::incident_page::Asker;
use crate::supervisor::person_of;
use crate::types::{IncidentId, Right, Severity, Span, Zone};
use crate::view::of_incident;
use crate::view::of_job::Around;

/// `GET /incidents/{incident}`: the page for browsers; data or words as the API has them for whoever asks for these.
pub(super) async fn page(
    visit: Visit,
    Named(id): Named<String>,
    form: Form,
) -> Result<Response, Problem> {
    let id: IncidentId = id.parse().map_err(Problem::unknown)?;
    let (core, now, site) = at_hand(&visit.api, id).await?;
    let ahead = forecast::of_night(&core, now).unwrap_or_default();
    let run = core.state().incidents.get(&id).and_then(|known| known.what.run.as_ref());
    let around = Around { ahead: run.and_then(|run| ahead.runs.get(run)), ..Around::nothing() };
    let view = of_incident::mail((&core, None), id, now, around).map_err(Problem::unknown)?;
    if !form.html {
        let incident = view.incident;
        return form.page(&incident, |lang| render::incident::text(lang, &incident));
    }
    let asker = asker(&visit, (&core, &site), id)?;
    let middle = render::incident_page::middle(visit.lang(), &view, &asker);
    let title = render::incident_page::title(visit.lang(), &view);
    visit.page(&Page { section: None, title: &title, live: false }, middle)
}

/// What whoever looks may do about it now.
fn asker(visit: &Visit, (core, site): (&Core, &Site), id: IncidentId) -> Result<Asker, Problem> {
    let person = person_of(Some(site), &visit.caller);
    let incident = core.state().incident(id).map_err(Problem::unknown)?;
    // That of the run may have stood still since its end.
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let steps = match visit.may(Right::Respond) {
        true => incident.steps_for(&person, now),
        false => Vec::new(),
    };
    Ok(Asker {
        steps,
        token: visit.looker.token.clone(),
        sees_output: visit.may(Right::Logs),
        stands_by: visit.stands_by(),
    })
}

/// What a form of the page sends: what its step asks for, as a browser writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepForm {
    token: String,
    #[serde(default)]
    reason: String,
    whom: Option<String>,
    /// For how long it is muted.
    lasts: Option<Span>,
    severity: Option<Severity>,
    service: Option<String>,
    /// By the site's wall clock.
    from: Option<DateTime>,
    to: Option<DateTime>,
    cause: Option<String>,
    measure: Option<String>,
}

impl StepForm {
    fn body(self, zone: &Zone) -> Result<WantedBody, Problem> {
        let Self { token: _, reason, whom, lasts, severity, service, from, to, cause, measure } =
            self;
        let at = |civil: Option<DateTime>| civil.map(|civil| instant(civil, zone)).transpose();
        let (from, to, until) = (at(from)?, at(to)?, lasts.map(from_now).transpose()?);
        let dry_run = false;
        Ok(WantedBody { reason, whom, until, severity, service, from, to, cause, measure, dry_run })
    }
}

/// A local time as an instant; in the hour that daylight saving leaves out as much later as the clock jumps. In the hour that
/// comes twice nobody knows which one is meant, and an hour more or less of an interruption is in reports to authorities.
fn instant(civil: DateTime, zone: &Zone) -> Result<Timestamp, Problem> {
    let known = zone.tz().to_ambiguous_timestamp(civil);
    if matches!(known.offset(), AmbiguousOffset::Fold { .. }) {
        return Err(Problem::unreadable(format!(
            "the clock shows {} twice that day: `nightrun incident interruption` takes a time with its offset",
            civil.strftime("%Y-%m-%d %H:%M")
        )));
    }
    known.compatible().map_err(Problem::unreadable)
}

fn from_now(lasts: Span) -> Result<Timestamp, Problem> {
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let lasts = SignedDuration::try_from(lasts.get()).map_err(Problem::unreadable)?;
    now.checked_add(lasts).map_err(Problem::unreadable)
}

/// `POST /incidents/{incident}/{step}`: a form of the page; the page once more where it was done.
pub(super) async fn step(
    visit: Visit,
    Named((id, step)): Named<(String, String)>,
    Posted(form): Posted<StepForm>,
) -> Result<Response, Problem> {
    visit.sent(&form.token)?;
    let incident: IncidentId = id.parse().map_err(Problem::unknown)?;
    let body = form.body(&site(&visit.api)?.zone)?;
    match taken(&visit.api, visit.caller, (incident, &step), body).await? {
        Reply::Done(_) => pages::to(&format!("../{incident}")),
        other => Err(Problem::of(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_clock_shows_twice_is_refused_and_one_that_it_leaves_out_is_later() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let at = |civil: &str| instant(civil.parse().unwrap(), &zone);
        let twice = at("2026-10-25T02:30").unwrap_err();
        assert_eq!(twice.status, 400);
        assert!(twice.detail.contains("shows 2026-10-25 02:30 twice"), "{}", twice.detail);
        for (civil, instant) in [
            ("2026-10-25T01:59", "2026-10-24T23:59:00Z"),
            ("2026-10-25T03:00", "2026-10-25T02:00:00Z"),
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(at(civil).unwrap(), instant.parse::<Timestamp>().unwrap(), "{civil}");
        }
    }
}
