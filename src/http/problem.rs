//! What could not be done, as problem details (RFC 9457).

use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::refused::{Refused, Rule};
use crate::port::StoreError;
use crate::port::control::Reply;

/// The media type of a problem.
pub(super) const PROBLEM: &str = "application/problem+json";

/// Problem details.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The status code once more.
    pub status: u16,
    /// What kind of problem it is, always the same words for the same status.
    pub title: String,
    /// What was not done and why, and often what to do.
    pub detail: String,
    /// The rule that says no, where it has a name; explained in the format reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl ToString) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem").to_owned();
        Self { status: status.as_u16(), title, detail: detail.to_string(), rule: None }
    }

    /// There is no such thing.
    pub(super) fn unknown(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// What was sent cannot be read.
    pub(super) fn unreadable(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// It cannot be answered now; later it may.
    pub(super) fn not_now(detail: impl ToString) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The supervisor ends: what was asked of it is not done, and the next one may be asked.
    pub(super) fn gone() -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "the supervisor is stopping")
    }

    /// The supervisor has ended in the midst of it.
    pub(super) fn unconfirmed() -> Self {
        let detail = "the supervisor has ended before it answered: what was asked may have been done; `nightrun journal show --last 50` has it once it was";
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    pub(super) fn failed(detail: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// An answer of the supervisor that is not what was asked for.
    pub(super) fn of(reply: Reply) -> Self {
        match reply {
            Reply::Refused { what, rule } => Self::by_rule(what, rule),
            Reply::Failed { what, defects: true } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
            }
            Reply::Failed { what, defects: false } => Self::not_now(what),
            other => Self::failed(format!("the supervisor answered something else: {other:?}")),
        }
    }

    fn by_rule(what: String, rule: Option<Rule>) -> Self {
        let status = match rule {
            Some(Rule::NoSuchRun | Rule::NoSuchJob | Rule::NoSuchThing) => StatusCode::NOT_FOUND,
            Some(Rule::UnknownPerson | Rule::RightMissing | Rule::RoleMissing) => {
                StatusCode::FORBIDDEN
            }
            _ => StatusCode::CONFLICT,
        };
        Self { rule, ..Self::new(status, what) }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::by_rule(refused.to_string(), refused.rule)
    }
}

impl From<StoreError> for Problem {
    fn from(why: StoreError) -> Self {
        match why {
            StoreError::Trouble(_) => Self::not_now(why),
            other => Self::failed(other),
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(why: JsonRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}

impl From<FormRejection> for Problem {
    fn from(why: FormRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(why: PathRejection) -> Self {
        // A name that is none names nothing.
        Self::unknown(why.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(why: QueryRejection) -> Self {
        Self::unreadable(why.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        // For the guard, which shows it as a page to a person in front of a browser.
        response.extensions_mut().insert(self);
        let kind = HeaderValue::from_static(PROBLEM);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
