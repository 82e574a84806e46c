//! The page of an incident for a browser: whoever follows the link of a mail sees it, signs in, and answers. To look
//! changes nothing, whoever looks: mail scanners press links. Answers come as forms of that page alone.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Api;
use super::caller::End;
use super::incidents::{WantedBody, at_hand, site, taken};
use super::login::{form_token, log_in, log_out};
use super::page::{Form, Named, Posted};
use super::problem::Problem;
use crate::core::forecast;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::token;
use crate::port::Clock;
use crate::port::control::{Caller, Reply};
use crate::render;
use crate::render::incident_page::{Asker, Trouble, style};
use crate::supervisor::{allow, person_of};
use crate::types::{IncidentId, Lang, PersonId, Right, Severity, Span, Zone};
use crate::view::of_incident;
use crate::view::of_job::Around;

/// Where the pages are.
const INCIDENTS: &str = "/incidents/";
const LOGIN: &str = "/login";
const LOGOUT: &str = "/logout";

/// `GET /incidents/{incident}`: the page for browsers; data or words as the API has them for whoever asks for these.
pub(super) async fn page(
    State(api): State<Api>,
    Named(id): Named<String>,
    caller: Caller,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let shown = Shown::of(&format!("{INCIDENTS}{id}"), &headers);
    let answer = looked_at(&api, (id, caller), &headers, &form).await;
    told(answer, shown)
}

async fn looked_at(
    api: &Api,
    (id, caller): (String, Caller),
    headers: &HeaderMap,
    form: &Form,
) -> Result<Response, Problem> {
    let id: IncidentId = id.parse().map_err(Problem::unknown)?;
    let (core, now, site) = at_hand(api, id).await?;
    let ahead = forecast::of_night(&core, now).unwrap_or_default();
    let run = core.state().incidents.get(&id).and_then(|known| known.what.run.as_ref());
    let around = Around { ahead: run.and_then(|run| ahead.runs.get(run)), ..Around::nothing() };
    let view = of_incident::mail((&core, None), id, now, around).map_err(Problem::unknown)?;
    if !form.html {
        let incident = view.incident;
        return form.page(&incident, |lang| render::incident::text(lang, &incident));
    }
    let asker = asker(api, (&core, &site), (id, form.lang), (&caller, headers))?;
    let page = render::incident_page::page(form.lang, &view, &asker).map_err(Problem::failed)?;
    html(StatusCode::OK, page)
}

/// What whoever looks may do about it now.
fn asker(
    api: &Api,
    (core, site): (&Core, &Site),
    (id, lang): (IncidentId, Lang),
    (caller, headers): (&Caller, &HeaderMap),
) -> Result<Asker, Problem> {
    let may = |right| allow(Some(site), &api.0.wiring.own, caller, right).is_ok();
    let person = person_of(Some(site), caller);
    let incident = core.state().incident(id).map_err(Problem::unknown)?;
    // That of the run may have stood still since its end.
    let now = HostClock::new().map_err(Problem::failed)?.now().wall;
    let steps = match may(Right::Respond) {
        true => incident.steps_for(&person, now),
        false => Vec::new(),
    };
    Ok(Asker {
        name: site.people.get(&person).map(|known| known.name.get(lang).to_owned()),
        steps,
        token: form_token(headers).map(|token| token.0),
        sees_output: may(Right::Logs),
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
    State(api): State<Api>,
    Named((id, step)): Named<(String, String)>,
    caller: Caller,
    headers: HeaderMap,
    sent: Result<Posted<StepForm>, Problem>,
) -> Result<Response, Problem> {
    let shown = Shown::of(&format!("{INCIDENTS}{id}/{step}"), &headers);
    let answer = async {
        let Posted(form) = sent?;
        of_this_page(&headers)?;
        proven(&headers, &form.token)?;
        let incident: IncidentId = id.parse().map_err(Problem::unknown)?;
        let body = form.body(&site(&api)?.zone)?;
        match taken(&api, caller, (incident, &step), body).await? {
            Reply::Done(_) => to(&format!("../{incident}")),
            other => Err(Problem::of(other)),
        }
    };
    told(answer.await, shown)
}

/// What the sign-in of the pages sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginForm {
    /// As it was typed.
    person: String,
    password: String,
    incident: Option<String>,
}

/// `POST /login`: a session in a cookie, and the page that was asked for.
pub(super) async fn sign_in(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    headers: HeaderMap,
    sent: Result<Posted<LoginForm>, Problem>,
) -> Result<Response, Problem> {
    let mut shown = Shown::of(LOGIN, &headers);
    let answer = async {
        let Posted(LoginForm { person, password, incident }) = sent?;
        of_this_page(&headers)?;
        let incident: Option<IncidentId> =
            incident.map(|id| id.parse()).transpose().map_err(Problem::unreadable)?;
        if let Some(shown) = &mut shown {
            shown.incident = incident;
        }
        // Keyboards of phones begin with a capital letter and end with a blank. What is no id is nobody's.
        let person = person.trim().to_ascii_lowercase().parse::<PersonId>().ok();
        let (_, cookie) = log_in(&api, &end, (person, password)).await?;
        let mut response = match incident {
            Some(incident) => to(&format!("incidents/{incident}"))?,
            None => StatusCode::NO_CONTENT.into_response(),
        };
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    };
    let answer = answer.await;
    told(answer, shown)
}

/// What the sign-out of the pages sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogoutForm {
    token: String,
    incident: String,
}

/// `POST /logout`: ends the session; the page that it was asked from shows the sign-in then.
pub(super) async fn sign_out(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    caller: Caller,
    headers: HeaderMap,
    sent: Result<Posted<LogoutForm>, Problem>,
) -> Result<Response, Problem> {
    let shown = Shown::of(LOGOUT, &headers);
    let answer = async {
        let Posted(LogoutForm { token, incident }) = sent?;
        of_this_page(&headers)?;
        proven(&headers, &token)?;
        let incident: IncidentId = incident.parse().map_err(Problem::unreadable)?;
        let over = log_out(&api, &end, caller, &headers).await?;
        let mut response = to(&format!("incidents/{incident}"))?;
        response.headers_mut().insert(header::SET_COOKIE, over);
        Ok(response)
    };
    told(answer.await, shown)
}

/// A form that a page of another site has sent is not taken, where the browser says so.
fn of_this_page(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "this form was sent by a page of another site"))
        }
    }
}

/// The form is one that was made for this session.
fn proven(headers: &HeaderMap, sent: &str) -> Result<(), Problem> {
    let good = form_token(headers).is_some_and(|wanted| {
        // Compared by what they hash to, so that the time that it takes tells nothing.
        token::hash_of(&wanted.0) == token::hash_of(sent)
    });
    match good {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this form is not of this session: open the page again",
        )),
    }
}

/// A browser that goes there asks with GET.
fn to(place: &str) -> Result<Response, Problem> {
    let place = HeaderValue::from_str(place).map_err(Problem::failed)?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, place);
    hardened(&mut response)?;
    Ok(response)
}

fn told(answer: Result<Response, Problem>, shown: Option<Shown>) -> Result<Response, Problem> {
    match (answer, shown) {
        (Err(problem), Some(shown)) => shown.trouble(&problem),
        (answer, _) => answer,
    }
}

/// A page in front of a person, who is told in words what could not be done.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    lang: Lang,
    up: &'static str,
    /// At the sign-in itself.
    signs_in: bool,
    incident: Option<IncidentId>,
}

impl Shown {
    /// `None`: it is not one of these pages, or nobody looks at it with a browser.
    pub(super) fn of(path: &str, headers: &HeaderMap) -> Option<Self> {
        let form = Form::of(headers);
        let below = path.strip_prefix(INCIDENTS);
        if !form.html || (below.is_none() && ![LOGIN, LOGOUT].contains(&path)) {
            return None;
        }
        let mut parts = below.unwrap_or_default().split('/');
        let incident = parts.next().and_then(|id| id.parse().ok());
        let up = match (below, parts.next()) {
            (None, _) => "",
            (Some(_), None) => "../",
            (Some(_), Some(_)) => "../../",
        };
        Some(Self { lang: form.lang, up, signs_in: path == LOGIN, incident })
    }

    pub(super) fn trouble(&self, problem: &Problem) -> Result<Response, Problem> {
        let sign_in = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]
            .iter()
            .any(|status| status.as_u16() == problem.status);
        // That there is no session yet is no mistake of anybody's; at the sign-in itself it is one.
        let is_new = problem.status == StatusCode::UNAUTHORIZED.as_u16() && !self.signs_in;
        let detail = Some(problem.detail.as_str()).filter(|_| !is_new);
        let trouble = Trouble { up: self.up, incident: self.incident, detail, sign_in };
        let page = render::incident_page::trouble(self.lang, trouble).map_err(Problem::failed)?;
        let status = StatusCode::from_u16(problem.status).map_err(Problem::failed)?;
        let mut response = html(status, page)?;
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        Ok(response)
    }
}

fn html(status: StatusCode, page: String) -> Result<Response, Problem> {
    let mut response = (status, page).into_response();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    hardened(&mut response)?;
    Ok(response)
}

/// Browsers keep nothing of it, load nothing into it, run nothing in it, and show it in no other page.
fn hardened(response: &mut Response) -> Result<(), Problem> {
    let style = BASE64_STANDARD.encode(Sha256::digest(style()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(&policy).map_err(Problem::failed)?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::VARY, "accept, accept-language, cookie"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_clock_shows_twice_is_refused_and_one_that_it_leaves_out_is_later() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let at = |civil: &str| instant(civil.parse().unwrap(), &zone);
        let twice = at("2026-10-25T02:30").unwrap_err();
        assert_eq!(twice.status, StatusCode::BAD_REQUEST.as_u16());
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
