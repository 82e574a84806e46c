//! What the pages load: a style sheet and a script, under names that change with what is in them, so that a browser may
//! keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use crate::journal::address;
use crate::render::pages::{AssetNames, SCRIPT, STYLE};

static NAMES: LazyLock<AssetNames> =
    LazyLock::new(|| AssetNames { style: named(&STYLE, "css"), script: named(SCRIPT, "js") });

fn named(content: &str, kind: &str) -> String {
    let digest = address(content.as_bytes());
    format!("{}.{kind}", digest.get(..16).unwrap_or(&digest))
}

pub(super) fn names() -> &'static AssetNames {
    &NAMES
}

/// `GET /assets/{name}`.
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let (kind, content) = match &*NAMES {
        names if name == names.style => ("text/css; charset=utf-8", STYLE.as_str()),
        names if name == names.script => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return Err(Problem::unknown(format!("there is no {name}: load the page again"))),
    };
    let mut response = content.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
