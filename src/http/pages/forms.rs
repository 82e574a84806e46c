//! Whether a form is one that a page of this site has shown to whoever sends it.

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::driver::token;
use crate::http::login::form_token;
use crate::http::problem::Problem;

/// A form that a page of another site has sent is not taken, where the browser says so.
pub(super) fn of_this_page(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "this form was sent by a page of another site"))
        }
    }
}

/// The form is one that was made for this session.
pub(super) fn proven(headers: &HeaderMap, sent: &str) -> Result<(), Problem> {
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
