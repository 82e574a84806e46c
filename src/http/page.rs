//! One page in two forms: data for programs, text for people.

use std::time::Duration;

use axum::extract::{FromRequest, Json};
use axum::extract::{FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::journal::address;
use crate::types::Lang;

/// How an answer is wanted.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) text: bool,
    /// As comma-separated values, where a page has them.
    pub(super) csv: bool,
    /// As a page for people, where there is one.
    pub(super) html: bool,
    pub(super) lang: Lang,
    /// The entity tag that the asker has already.
    known: Option<HeaderValue>,
}

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepts = |kind| header(headers, header::ACCEPT).contains(kind);
        let chinese = header(headers, header::ACCEPT_LANGUAGE).starts_with("zh");
        Self {
            csv: accepts("text/csv") && !accepts("application/json"),
            html: accepts("text/html") && !accepts("application/json"),
            text: accepts("text/plain") && !accepts("application/json"),
            lang: if chinese { Lang::Zh } else { Lang::En },
            known: headers.get(header::IF_NONE_MATCH).cloned(),
        }
    }

    /// The page as it is wanted, with its entity tag; without a body where the asker has it already.
    pub(super) fn page<T: Serialize>(
        &self,
        data: &T,
        text: impl FnOnce(Lang) -> String,
    ) -> Result<Response, Problem> {
        Ok(self.answer(&self.body(data, text)?))
    }

    /// The page as it is wanted.
    pub(super) fn body<T: Serialize>(
        &self,
        data: &T,
        text: impl FnOnce(Lang) -> String,
    ) -> Result<Body, Problem> {
        let content = match self.text {
            true => text(self.lang),
            false => serde_json::to_string(data).map_err(Problem::failed)?,
        };
        Ok(Body::new(content, self.text))
    }

    pub(super) fn as_csv(&self, content: String) -> Response {
        self.answer(&Body { kind: CSV, ..Body::new(content, true) })
    }

    pub(super) fn as_html(&self, content: String) -> Response {
        self.answer(&Body::html(content))
    }

    pub(super) fn as_calendar(&self, content: String) -> Response {
        self.answer(&Body { kind: CALENDAR, ..Body::new(content, true) })
    }

    pub(super) fn answer(&self, body: &Body) -> Response {
        let known = self.known.as_ref().and_then(|known| known.to_str().ok());
        let same = known.is_some_and(|known| {
            known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == body.tag)
        });
        let mut response = match same {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => body.content.clone().into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(body.kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language"));
        if let Ok(tag) = HeaderValue::from_str(&body.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// What is sent, made once for all who ask for the same.
#[derive(Debug, Clone)]
pub(super) struct Body {
    content: axum::body::Bytes,
    kind: &'static str,
    /// With its quotes.
    tag: String,
}

impl Body {
    pub(super) fn new(content: String, text: bool) -> Self {
        let mut digest = address(content.as_bytes());
        digest.truncate(20);
        let kind = if text { TEXT } else { JSON };
        Self { content: content.into(), kind, tag: format!("\"{digest}\"") }
    }

    /// A page for browsers, or a part of one.
    pub(super) fn html(content: String) -> Self {
        Self { kind: HTML, ..Self::new(content, true) }
    }

    pub(super) fn content(&self) -> &axum::body::Bytes {
        &self.content
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }
}

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const CALENDAR: &str = "text/calendar; charset=utf-8";
pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JSON: &str = "application/json";

fn header(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let form = Self::of(&parts.headers);
        // What is done is answered whether or not the answer is known.
        let known = form.known.filter(|_| parts.method == Method::GET);
        Ok(Self { known, ..form })
    }
}

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(30);

/// What is sent, whatever is wrong with it told as a problem.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = tokio::time::timeout(BODY, Json::from_request(request, state)).await;
        Ok(Self(read.map_err(late)??.0))
    }
}

/// What a form of a page sends, whatever is wrong with it told as a problem.
pub(super) struct Posted<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = tokio::time::timeout(BODY, axum::Form::from_request(request, state)).await;
        Ok(Self(read.map_err(late)??.0))
    }
}

fn late(_: tokio::time::error::Elapsed) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
}

/// What stands behind the `?`.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Query::from_request_parts(parts, state).await?.0))
    }
}

/// What the path names.
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Path::from_request_parts(parts, state).await?.0))
    }
}
