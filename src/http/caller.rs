//! Who asks, and whether he may.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::Api;
use super::login::{by_token, forgotten};
use super::pages::Shown;
use super::problem::Problem;
use super::route::Needs;
use crate::driver::api_socket::Peer;
use crate::port::control::Caller;
use crate::supervisor::{allow, is_known};

/// The other end of a connection, which holds a place for as long as it lasts.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// A process of this host.
    Host(Arc<HostEnd>),
    Network {
        from: IpAddr,
        tls: bool,
        _place: Arc<[OwnedSemaphorePermit; 2]>,
    },
}

#[derive(Debug)]
pub(super) struct HostEnd {
    pub(super) peer: Peer,
    pub(super) _place: OwnedSemaphorePermit,
}

/// Lets a request pass whose caller has the right that the route takes.
pub(super) async fn guard(
    State((api, needs)): State<(Api, Needs)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let shown = Shown::of(request.method(), request.uri(), request.headers());
    let forgotten = match request.extensions().get::<End>().filter(|_| needs != Needs::Nobody) {
        Some(end) => forgotten(request.headers(), end)?,
        None => None,
    };
    let mut answer = guarded((api.clone(), needs), request, next).await;
    if shown.is_some()
        && let Ok(response) = &mut answer
        && let Some(problem) = response.extensions_mut().remove::<Problem>()
    {
        answer = Err(problem);
    }
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].map(|s| s.as_u16());
    let is_over = match &answer {
        Err(problem) => refused.contains(&problem.status),
        Ok(response) => refused.contains(&response.status().as_u16()),
    };
    // A person in front of a browser is told in words, and can sign in.
    let answer = match (answer, shown) {
        (Err(problem), Some(shown)) => shown.trouble(&api, problem),
        (answer, _) => answer,
    };
    let mut response = answer.into_response();
    if let Some(forgotten) = forgotten
        && is_over
    {
        response.headers_mut().insert(header::SET_COOKIE, forgotten);
    }
    Ok(response)
}

async fn guarded(
    (api, needs): (Api, Needs),
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if needs != Needs::Nobody {
        let end = request.extensions().get::<End>().cloned();
        let basic = takes_basic(&request);
        let caller = match who(&api, end, (&request.headers().clone(), basic)).await {
            Err(problem) if basic && problem.status == StatusCode::UNAUTHORIZED.as_u16() => {
                return Ok(asks_for_password(problem));
            }
            caller => caller?,
        };
        let (published, own) = (api.once_begun().await?, &api.0.wiring.own);
        let site = published.site.as_deref();
        match needs {
            Needs::Right(right) => allow(site, own, &caller, right)?,
            Needs::Known | Needs::Nobody => is_known(site, own, &caller)?,
        }
        request.extensions_mut().insert(caller);
    }
    // What somebody sent before he gave up (the supervisor stood still) must not be done behind his back later.
    if let Some(End::Host(end)) = request.extensions().get::<End>()
        && end.peer.has_gone()
    {
        return Err(Problem::not_now("nobody waits for the answer"));
    }
    Ok(next.run(request).await)
}

/// Calendar programs know no other way to say who asks. It is for what only reads: a browser sends a password that it knows
/// with what other sites make it ask, too.
fn takes_basic(request: &Request) -> bool {
    request.method() == Method::GET && request.uri().path().ends_with(".ics")
}

/// So that a calendar program asks its user for a password.
fn asks_for_password(problem: Problem) -> Response {
    let mut response = problem.into_response();
    let how = HeaderValue::from_static("Basic realm=\"nightrun\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
    response
}

async fn who(api: &Api, end: Option<End>, headers: (&HeaderMap, bool)) -> Result<Caller, Problem> {
    match end {
        Some(End::Host(end)) => Ok(Caller::Account(end.peer.account.clone())),
        Some(End::Network { from, .. }) => by_token(api, headers, from).await,
        None => Err(unknown()),
    }
}

pub(super) fn unknown() -> Problem {
    let detail =
        "this takes a token (`Authorization: Bearer ...`); `nightrun people token` makes one";
    Problem::new(StatusCode::UNAUTHORIZED, detail)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}
