//! Signing in and out, and how the pages look in this browser.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{LANG, Shown, THEME, Where, of_this_page, proven, stranger, to};
use crate::http::Api;
use crate::http::caller::End;
use crate::http::login::{log_in, log_out};
use crate::http::page::Posted;
use crate::http::problem::Problem;
use crate::port::control::Caller;
use crate::render::pages::Theme;
use crate::render::pages::trouble::Trouble;
use crate::types::{Lang, PersonId};

/// How long a browser keeps what was chosen in it; seconds.
const YEAR: u32 = 365 * 86_400;

/// The page that was asked for, from the folder that all pages lie in; the night's where it is none of them.
fn place(wanted: &str) -> String {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%/@+:,*?&=".contains(&byte);
    let fits = wanted.bytes().all(letter) && Where::of(&format!("/{wanted}")).is_some();
    format!("./{}", if fits { wanted } else { "" })
}

/// `GET /login`: the form of the sign-in.
pub(crate) async fn asks_in(
    State(api): State<Api>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = asked.get("to").map(String::as_str).unwrap_or_default();
    let at = Where { up: "./".to_owned(), place: "login".to_owned(), query: String::new() };
    let looker = stranger(&headers);
    let mut shown = Shown { at, looker, part: false, wanted: None, looks: true };
    shown.asked_for(place);
    shown.page(&api, Trouble { up: "./", place, detail: None, sign_in: true })
}

/// What the sign-in of the pages sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginForm {
    /// As it was typed.
    person: String,
    password: String,
    to: Option<String>,
}

/// `POST /login`: a session in a cookie, and the page that was asked for.
pub(crate) async fn sign_in(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    headers: HeaderMap,
    sent: Result<Posted<LoginForm>, Problem>,
) -> Result<Response, Problem> {
    let mut shown = Shown::of(&Method::POST, &Uri::from_static("/login"), &headers);
    let answer = async {
        let Posted(LoginForm { person, password, to: wanted }) = sent?;
        of_this_page(&headers)?;
        if let (Some(shown), Some(wanted)) = (&mut shown, &wanted) {
            shown.asked_for(wanted);
        }
        // Keyboards of phones begin with a capital letter and end with a blank. What is no id is nobody's.
        let person = person.trim().to_ascii_lowercase().parse::<PersonId>().ok();
        let (_, cookie) = log_in(&api, &end, (person, password)).await?;
        let mut response = match wanted {
            Some(wanted) => to(&place(&wanted))?,
            None => StatusCode::NO_CONTENT.into_response(),
        };
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    };
    // The form comes again with the page that it is for.
    match (answer.await, shown) {
        (Err(problem), Some(shown)) => shown.trouble(&api, problem),
        (answer, _) => answer,
    }
}

/// What the sign-out of the pages sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutForm {
    token: String,
}

/// `POST /logout`: ends the session; the first page shows the sign-in then.
pub(crate) async fn sign_out(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    caller: Caller,
    headers: HeaderMap,
    Posted(LogoutForm { token }): Posted<LogoutForm>,
) -> Result<Response, Problem> {
    of_this_page(&headers)?;
    proven(&headers, &token)?;
    let over = log_out(&api, &end, caller, &headers).await?;
    let mut response = to("./")?;
    response.headers_mut().insert(header::SET_COOKIE, over);
    Ok(response)
}

/// What somebody chooses for this browser.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnForm {
    lang: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    to: String,
}

/// `POST /own`: language and theme, kept by the browser alone.
pub(crate) async fn own(
    headers: HeaderMap,
    Posted(OwnForm { lang, theme, to: wanted }): Posted<OwnForm>,
) -> Result<Response, Problem> {
    of_this_page(&headers)?;
    let lang = lang.and_then(|lang| Lang::of_tag(&lang)).map(|lang| (LANG, lang.tag()));
    let theme = theme.and_then(|theme| Theme::of_word(&theme)).map(|theme| (THEME, theme.word()));
    let mut response = to(&place(&wanted))?;
    for (name, value) in [lang, theme].into_iter().flatten() {
        let cookie = format!("{name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict");
        let cookie = HeaderValue::from_str(&cookie).map_err(Problem::failed)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site_after_the_sign_in() {
        for (wanted, goes) in [
            ("", "./"),
            ("incidents/INC-3", "./incidents/INC-3"),
            ("runs/eod@2026-10-30%231/jobs/close", "./runs/eod@2026-10-30%231/jobs/close"),
            (
                "runs/eod@2026-10-30%231?show=trouble&q=a%20b",
                "./runs/eod@2026-10-30%231?show=trouble&q=a%20b",
            ),
            ("?show=trouble", "./?show=trouble"),
            ("login?to=runs/x", "./login?to=runs/x"),
            ("//evil.example", "./"),
            ("?q=\"><script>", "./"),
            ("evil.example?to=runs", "./"),
            ("https://evil.example/", "./"),
            ("runs/../../evil\\example", "./"),
            ("api/v1/status", "./"),
            ("runs/x\r\nset-cookie: a=b", "./"),
        ] {
            assert_eq!(place(wanted), goes, "{wanted}");
        }
    }
}
