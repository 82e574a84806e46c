//! Who asks, and whether he may.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::problem::Problem;
use super::route::Needs;
use tokio::sync::OwnedSemaphorePermit;

use crate::driver::api_socket::Peer;
use crate::port::control::Caller;
use crate::supervisor::allow;
use crate::types::Right;

/// The other end of a connection, which holds a place for as long as it lasts.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// A process of this host.
    Host(Arc<HostEnd>),
    Network {
        from: IpAddr,
        _place: Arc<OwnedSemaphorePermit>,
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
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if needs != Needs::Nobody {
        let caller = who(&request)?;
        let right = match needs {
            Needs::Right(right) => right,
            Needs::Known | Needs::Nobody => Right::Read,
        };
        let published = api.published();
        allow(published.site.as_deref(), &api.0.wiring.own, &caller, right)?;
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

fn who(request: &Request) -> Result<Caller, Problem> {
    match request.extensions().get::<End>() {
        Some(End::Host(end)) => Ok(Caller::Account(end.peer.account.clone())),
        Some(End::Network { .. }) | None => Err(unknown()),
    }
}

fn unknown() -> Problem {
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
