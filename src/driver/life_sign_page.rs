//! The life sign that a service shows over HTTP: of `GET /healthz`, or a file that a web server hands out.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri, header};
use serde_json::Value;
use tokio::time::timeout;

use super::http_client;
use crate::types::LifeSign;

/// Bytes of an answer that are read.
const MOST: usize = 64 * 1024;

/// Asks for it. `ca`: the file of the certificates that count there, in place of those that the host trusts. `limit` is for
/// all of it.
///
/// # Errors
/// In words.
pub async fn ask(url: &str, ca: Option<&Path>, limit: Duration) -> Result<LifeSign, String> {
    let asked = timeout(limit, ask_there(url, ca)).await;
    let asked = asked.unwrap_or_else(|_| Err(format!("no answer in {limit:?}")));
    asked.map_err(|why| format!("{url}: {why}"))
}

async fn ask_there(url: &str, ca: Option<&Path>) -> Result<LifeSign, String> {
    let uri: Uri = url.parse().map_err(|_| "this is no address".to_owned())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .uri(path)
        .header(header::HOST, http_client::host_of(&uri))
        .header(header::ACCEPT, "application/json")
        .body(Full::new(Bytes::new()))
        .map_err(|why| why.to_string())?;
    let answer = http_client::at(&uri, ca, request).await.map_err(|why| why.to_string())?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    let body = body.map_err(|why| why.to_string())?.to_bytes();
    if status != 200 {
        let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        return Err(format!("HTTP {status} {said}").trim_end().to_owned());
    }
    let page: Value = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
    match page.get("sign") {
        Some(Value::Null) => {
            Err("it gives no life sign: it stands by, or its site asks for none".to_owned())
        }
        Some(sign) => serde_json::from_value(sign.clone()).map_err(|why| why.to_string()),
        None => serde_json::from_value(page).map_err(|why| why.to_string()),
    }
}
