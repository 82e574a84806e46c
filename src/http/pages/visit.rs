//! A person who looks at a page, and the page that is made for him.

use axum::extract::{FromRequestParts, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;

use super::{Page, Where, answer, looker, of_this_page, proven};
use crate::http::Api;
use crate::http::page::Body;
use crate::http::problem::Problem;
use crate::port::Stage;
use crate::port::control::Caller;
use crate::render::pages::Looker;
use crate::supervisor::allow;
use crate::types::{Lang, Right};

/// Who looks, at which page, and what he wants to see of it.
pub(crate) struct Visit {
    pub(crate) api: Api,
    pub(crate) caller: Caller,
    pub(crate) looker: Looker,
    at: Where,
    headers: HeaderMap,
    /// What stands behind the `?`.
    query: Vec<(String, String)>,
}

impl FromRequestParts<Api> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let at = Where::of_request(&parts.uri).ok_or_else(|| Problem::unknown("no such page"))?;
        let caller = Caller::from_request_parts(parts, api).await?;
        let query = Query::from_request_parts(parts, api).await?.0;
        let looker = looker(api, &caller, &parts.headers);
        Ok(Self { api: api.clone(), caller, looker, at, headers: parts.headers.clone(), query })
    }
}

impl Visit {
    pub(crate) fn lang(&self) -> Lang {
        self.looker.lang
    }

    /// The way to the folder that all pages lie in.
    pub(crate) fn up(&self) -> &str {
        &self.at.up
    }

    pub(crate) fn may(&self, right: Right) -> bool {
        self.allowed(right).is_ok()
    }

    pub(crate) fn allowed(&self, right: Right) -> Result<(), Problem> {
        let site = self.api.published().site;
        Ok(allow(site.as_deref(), &self.api.0.wiring.own, &self.caller, right)?)
    }

    /// Why nothing can be done here: another supervisor leads, in words; `None`: this one does.
    pub(crate) fn stands_by(&self) -> Option<String> {
        match self.api.published().stage {
            Stage::StandsBy { why } => Some(why),
            Stage::Begins | Stage::Leads { .. } => None,
        }
    }

    /// A form is one that a page of this site has shown in this session.
    pub(crate) fn sent(&self, token: &str) -> Result<(), Problem> {
        of_this_page(&self.headers)?;
        proven(&self.headers, token)
    }

    /// What is wanted by that name; nothing where nobody says so.
    pub(crate) fn wants(&self, name: &str) -> &str {
        let said = self.query.iter().find(|(known, _)| known == name);
        said.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// All that stands behind the `?`.
    pub(crate) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// All that is wanted by that name.
    pub(crate) fn all<'v>(&'v self, name: &'v str) -> impl Iterator<Item = &'v str> {
        let named = self.query.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// A middle that was made a moment ago for whoever wanted the same, or is made now.
    pub(crate) async fn kept(
        &self,
        what: &str,
        make: impl AsyncFnOnce() -> Result<String, Problem>,
    ) -> Result<Body, Problem> {
        let key = format!("{what} {}", self.lang().tag());
        let make = async || Ok::<_, Problem>(Body::html(make().await?));
        self.api.0.recent.bodies.kept(&self.api, key, make).await
    }

    /// The page with a middle that nobody else is shown.
    pub(crate) fn page(
        &self,
        page: &Page<'_>,
        middle: Result<String, askama::Error>,
    ) -> Result<Response, Problem> {
        self.around(page, &Body::html(middle.map_err(Problem::failed)?))
    }

    pub(crate) fn around(&self, page: &Page<'_>, middle: &Body) -> Result<Response, Problem> {
        answer(&self.api, (&self.looker, &self.headers), (&self.at, page), middle)
    }
}
