//! Pages for browsers: who looks, what stands around a page, and what is told where there is none. Each page's middle is
//! made by [`crate::render::pages`]; a script that follows the night asks for the middle alone.

mod assets;
mod calendar;
mod change;
mod change_step;
mod changes;
mod forms;
mod graph;
mod hand_overs;
mod history;
mod job;
mod live;
mod on_call;
mod report;
mod run;
mod session;
mod tonight;
mod visit;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

pub(super) use assets::asset;
pub(super) use calendar::page as calendar;
pub(super) use change::page as change;
pub(super) use change_step::{before as before_step, before_second, second, take};
pub(super) use changes::{lists, page as changes};
use forms::{of_this_page, proven};
pub(super) use graph::page as graph;
pub(super) use hand_overs::{due as hand_over_due, one as hand_over, step as hand_over_step};
pub(super) use history::{compare, page as history};
pub(super) use job::{WhichAttempt, act, before_act, download, page as job};
pub(super) use live::live;
pub(super) use on_call::page as on_call;
pub(super) use report::{file as report_file, read as report};
pub(super) use run::page as run;
pub(super) use session::{asks_in, own, sign_in, sign_out};
pub(super) use tonight::page as tonight;
pub(super) use visit::Visit;

use super::Api;
use super::login::form_token;
use super::page::{Body, Form, HTML};
use super::problem::Problem;
use crate::port::control::Caller;
use crate::render::pages::trouble::{self, Trouble};
use crate::render::pages::{Frame, Looker, Section, Theme, framed, in_query};
use crate::supervisor::person_of;
use crate::types::Lang;

/// What a script asks for the middle of a page with.
const PART: &str = "x-part";
const LANG: &str = "nightrun_lang";
const THEME: &str = "nightrun_theme";
/// The first folders of pages; the page of the night itself has none.
const FOLDERS: [&str; 10] = [
    "",
    "runs",
    "incidents",
    "hand-overs",
    "changes",
    "calendar",
    "history",
    "compare",
    "login",
    "logout",
];

/// Where a page is.
#[derive(Debug, Clone)]
struct Where {
    /// The way to the folder that all pages lie in: `./`, `../`.
    up: String,
    /// The way from there to the page, as an address has it.
    place: String,
    /// What stands behind it, with its `?`; empty where nothing does.
    query: String,
}

impl Where {
    /// From a path with what stands behind it. `None`: no page has such a path.
    fn of(address: &str) -> Option<Self> {
        let (path, query) = address.split_at(address.find('?').unwrap_or(address.len()));
        let place = path.strip_prefix('/')?;
        let first = place.split('/').next().unwrap_or_default();
        if !FOLDERS.contains(&first) || (first.is_empty() && !place.is_empty()) {
            return None;
        }
        let up = match place.matches('/').count() {
            0 => "./".to_owned(),
            deep => "../".repeat(deep),
        };
        Some(Self { up, place: place.to_owned(), query: query.to_owned() })
    }

    fn of_request(uri: &Uri) -> Option<Self> {
        Self::of(uri.path_and_query()?.as_str())
    }

    /// What a form is sent to stands for the page that it is asked for on: what it was asked for with does not come along.
    fn of_form(self) -> Self {
        let parts: Vec<&str> = self.place.splitn(3, '/').collect();
        match parts.as_slice() {
            ["changes", id, _] => {
                let place = format!("changes/{id}");
                Self { place, query: String::new(), ..self }
            }
            _ => self,
        }
    }

    /// Where to go back to from what could not be done: a step is asked for on the page of its change.
    fn to_go_back_to(&self) -> String {
        let parts: Vec<&str> = self.place.splitn(3, '/').collect();
        match parts.as_slice() {
            ["changes", id, _] => format!("changes/{id}"),
            _ => self.to_look_at(),
        }
    }

    /// Where to go on after a form: an answer to an incident is given below its page. A sign-in goes on where it was asked for.
    fn to_look_at(&self) -> String {
        let parts: Vec<&str> = self.place.splitn(3, '/').collect();
        match parts.as_slice() {
            [folder @ ("incidents" | "hand-overs"), id, _] => format!("{folder}/{id}"),
            ["login" | "compare"] if self.query.is_empty() => String::new(),
            ["logout"] => String::new(),
            _ => format!("{}{}", self.place, self.query),
        }
    }
}

/// The cookie of a choice.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    let mut named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// How somebody looks who is not known (yet): as was chosen in this browser, else in its language.
fn stranger(headers: &HeaderMap) -> Looker {
    let chosen = cookie(headers, LANG).and_then(Lang::of_tag);
    let lang = chosen.unwrap_or_else(|| Form::of(headers).lang);
    let theme = cookie(headers, THEME).and_then(Theme::of_word).unwrap_or_default();
    Looker { lang, theme, name: None, token: None }
}

/// How a person looks: as was chosen in this browser, else in the person's language, else in the browser's.
fn looker(api: &Api, caller: &Caller, headers: &HeaderMap) -> Looker {
    let looker = stranger(headers);
    let site = api.published().site;
    let id = person_of(site.as_deref(), caller);
    let person = site.as_ref().and_then(|site| site.people.get(&id));
    let chosen = cookie(headers, LANG).is_some();
    let own = person.and_then(|person| person.language).filter(|_| !chosen);
    let lang = own.unwrap_or(looker.lang);
    let name = person.map(|person| person.name.get(lang).to_owned());
    Looker { lang, name, token: form_token(headers).map(|token| token.0), ..looker }
}

/// What makes a page out of a middle.
pub(super) struct Page<'a> {
    pub(super) section: Option<Section>,
    pub(super) title: &'a str,
    /// Whether it is redrawn as things happen.
    pub(super) live: bool,
}

/// The page around a middle, or the middle alone for a script that asks for it; nothing where it has that already.
fn answer(
    api: &Api,
    (looker, headers): (&Looker, &HeaderMap),
    (at, page): (&Where, &Page<'_>),
    middle: &Body,
) -> Result<Response, Problem> {
    let mut response = if headers.contains_key(PART) {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        match known == Some(middle.tag()) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => middle.content().clone().into_response(),
        }
    } else {
        let middle =
            (std::str::from_utf8(middle.content()).map_err(Problem::failed)?, middle.tag());
        whole(api, looker, (at, page), middle)?.into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(middle.tag()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    hardened(&mut response);
    Ok(response)
}

fn whole(
    api: &Api,
    looker: &Looker,
    (at, page): (&Where, &Page<'_>),
    (middle, tag): (&str, &str),
) -> Result<String, Problem> {
    let site = api.published().site;
    let frame = Frame {
        looker,
        assets: assets::names(),
        up: &at.up,
        place: &at.to_look_at(),
        section: page.section,
        site: site.as_ref().map_or("nightrun", |site| site.title.get(looker.lang)),
        zone: site.as_ref().map(|site| &site.zone),
        title: page.title,
        tag,
        live: page.live,
    };
    framed(&frame, middle).map_err(Problem::failed)
}

/// Browsers keep nothing of it, load nothing into it from elsewhere, run nothing but its own script, and show it in no
/// other page.
fn hardened(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, HTML),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::VARY, "accept, accept-language, cookie, x-part"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A browser that goes there asks with GET.
pub(super) fn to(place: &str) -> Result<Response, Problem> {
    let place = HeaderValue::from_str(place).map_err(Problem::failed)?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    hardened(&mut response);
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// A page in front of a person, who is told in words what could not be done.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    at: Where,
    looker: Looker,
    /// A script that wants the middle alone is told by the status.
    part: bool,
    /// The page that a sign-in is for, where that is another than this one.
    wanted: Option<String>,
    /// A page is looked at, and no form is sent.
    looks: bool,
}

impl Shown {
    /// `None`: it is no page, or nobody looks at it with a browser.
    pub(super) fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let at = Where::of_request(uri).filter(|_| Form::of(headers).html)?;
        let (looker, looks) = (stranger(headers), method.is_safe());
        let at = if looks { at } else { at.of_form() };
        Some(Self { at, looker, part: headers.contains_key(PART), wanted: None, looks })
    }

    /// The page that a sign-in is for.
    fn asked_for(&mut self, place: &str) {
        if !place.is_empty() {
            self.at.query = format!("?to={}", in_query(place));
        }
        self.wanted = Some(place.to_owned());
    }

    pub(super) fn trouble(&self, api: &Api, problem: Problem) -> Result<Response, Problem> {
        if self.part {
            return Err(problem);
        }
        let sign_in = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]
            .iter()
            .any(|status| status.as_u16() == problem.status);
        // That there is no session yet is no mistake of anybody's; at the sign-in itself it is one.
        let is_new =
            problem.status == StatusCode::UNAUTHORIZED.as_u16() && self.at.place != "login";
        if is_new && self.looks {
            let place = in_query(&self.at.to_look_at());
            return to(&format!("{}login?to={place}", self.at.up));
        }
        let back = || if sign_in { self.at.to_look_at() } else { self.at.to_go_back_to() };
        let place = self.wanted.clone().unwrap_or_else(back);
        let place = place.as_str();
        let detail = Some(problem.detail.as_str()).filter(|_| !is_new);
        let trouble = Trouble { up: &self.at.up, place, detail, sign_in };
        let mut response = self.page(api, trouble)?;
        *response.status_mut() = StatusCode::from_u16(problem.status).map_err(Problem::failed)?;
        Ok(response)
    }

    fn page(&self, api: &Api, trouble: Trouble<'_>) -> Result<Response, Problem> {
        let lang = self.looker.lang;
        let title = trouble::title(lang, &trouble);
        let middle = Body::html(trouble::middle(lang, trouble).map_err(Problem::failed)?);
        let page = Page { section: None, title: &title, live: false };
        answer(api, (&self.looker, &HeaderMap::new()), (&self.at, &page), &middle)
    }
}
