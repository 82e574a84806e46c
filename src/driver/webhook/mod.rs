//! Messages to rooms of chats and to programs, over HTTP: one request a message, everything within one time limit. The
//! address of a room is its password: nothing that is told of a try holds it.

mod sign;

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use tokio::time::timeout;

use super::hanging_files::apart;
use super::http_client;
use crate::definition::site::{Webhook, WebhookFormat, WebhookUrl};
use crate::journal::{OutgoingMail, WebhookPost};
use crate::port::{Mailer, SendError};

/// Bytes of an answer that are read.
const MOST: usize = 64 * 1024;
/// Characters of an answer that are kept.
const KEPT: usize = 200;
/// What is shorter than this is no secret, and too common to be hidden wherever it occurs.
const SECRET: usize = 8;

/// Codes in answers of WeCom, DingTalk and Feishu that say "not now": busy, or too many messages in a minute.
const LATER: [i64; 8] = [-1, 45009, 130101, 130103, 410100, 9499, 11232, 11233];

/// Sends to webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSender {
    limit: Duration,
}

impl WebhookSender {
    /// `limit` is for the whole of one message.
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl Mailer for WebhookSender {
    async fn send(&self, mail: &OutgoingMail) -> Result<String, SendError> {
        let post: WebhookPost = serde_json::from_slice(&mail.bytes)
            .map_err(|why| SendError::Never(format!("the message cannot be read: {why}")))?;
        let asked = timeout(self.limit, ask_there(post, &mail.message_id)).await;
        asked.unwrap_or_else(|_| {
            let doubt = "the message may have been taken all the same";
            Err(SendError::Later(format!("no answer in {:?}; {doubt}", self.limit)))
        })
    }
}

/// Looks whether messages could be sent: files are read, nothing is sent.
///
/// # Errors
/// In words, without what the files hold.
pub fn examine(webhook: &Webhook) -> Result<(), String> {
    Place::of(webhook).map(drop)
}

/// Where messages go, and what nobody may read.
struct Place {
    uri: Uri,
    secret: Option<String>,
}

impl Place {
    /// Files are read each time, so that a changed address needs no restart.
    fn of(webhook: &Webhook) -> Result<Self, String> {
        let (text, from) = match &webhook.url {
            WebhookUrl::Url(text) => (text.clone(), "the address".to_owned()),
            WebhookUrl::File(file) => (first_line(file)?, file.display().to_string()),
        };
        let bad = || format!("{from}: this is no address: it begins with https://");
        let uri: Uri = text.parse().map_err(|_| bad())?;
        if uri.host().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad());
        }
        let secret = webhook.secret_file.as_deref().map(first_line).transpose()?;
        Ok(Self { uri, secret })
    }

    /// Without the parts of the address that are secret, wherever an answer repeats them.
    fn hide(&self, text: &str) -> String {
        let path = self.uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
        let parts = path.split(['/', '?', '&', '=']).chain([path]);
        let mut secrets: Vec<&str> = parts.chain(self.secret.as_deref()).collect();
        secrets.retain(|part| part.len() >= SECRET);
        secrets.sort_by_key(|part| std::cmp::Reverse(part.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

#[expect(clippy::disallowed_methods, reason = "driver: addresses and secrets come from files")]
fn first_line(file: &Path) -> Result<String, String> {
    let bad = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let text = std::fs::read_to_string(file).map_err(|why| bad(&why))?;
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(bad(&"the file is empty")),
    }
}

async fn ask_there(post: WebhookPost, id: &str) -> Result<String, SendError> {
    let webhook = post.webhook.clone();
    let file = match &webhook.url {
        WebhookUrl::File(file) => Some(file.clone()),
        WebhookUrl::Url(_) => webhook.secret_file.clone(),
    };
    let place = match file {
        // A folder over the network may hang, and the supervisor's loop with it.
        Some(file) => {
            apart(&file, move || Place::of(&webhook)).await.map_err(|why| why.to_string())
        }
        None => Ok(Place::of(&webhook)),
    };
    let place = place.flatten().map_err(SendError::Later)?;
    let answered = ask(&place, &post, id).await;
    answered.map(|reply| place.hide(&reply)).map_err(|error| match error {
        SendError::Later(why) => SendError::Later(place.hide(&why)),
        SendError::Never(why) => SendError::Never(place.hide(&why)),
    })
}

async fn ask(place: &Place, post: &WebhookPost, id: &str) -> Result<String, SendError> {
    let webhook = &post.webhook;
    let request = request(place, post, id).map_err(SendError::Never)?;
    let answer = http_client::at(&place.uri, webhook.ca.as_deref(), request).await;
    let (status, said) = read(answer.map_err(|why| SendError::Later(why.to_string()))?).await;
    // Before it is cut: of a secret that lies across the end a part would stay.
    judged(webhook.format, status, &place.hide(&said))
}

#[expect(clippy::disallowed_methods, reason = "driver: a signature carries the host's time")]
fn request(place: &Place, post: &WebhookPost, id: &str) -> Result<Request<Full<Bytes>>, String> {
    let now = jiff::Timestamp::now();
    let mut path = place.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut body = post.body.clone();
    let mut signed = None;
    if let Some(secret) = &place.secret {
        let bad = |why: hmac::digest::InvalidLength| why.to_string();
        match post.webhook.format {
            WebhookFormat::Dingtalk => {
                path.push_str(if path.contains('?') { "&" } else { "?" });
                path.push_str(&sign::dingtalk(secret, now).map_err(bad)?);
            }
            WebhookFormat::Feishu => sign::feishu(secret, now, &mut body).map_err(bad)?,
            WebhookFormat::Json => {
                signed = Some(sign::json(secret, now, &body.to_string()).map_err(bad)?);
            }
            WebhookFormat::Wecom | WebhookFormat::Slack => {}
        }
    }
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, http_client::host_of(&place.uri))
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        // The same at every try, so that a receiver can tell a second copy.
        .header("idempotency-key", id);
    if let Some(signed) = signed {
        request = request.header("nightrun-signature", signed);
    }
    // The error of the builder may repeat the path.
    request
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|_| "the address cannot be asked".to_owned())
}

/// What was answered, as far as it is read: a status without a body is an answer too.
async fn read(answer: Response<Incoming>) -> (StatusCode, String) {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    let said = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
    (status, said.unwrap_or_default())
}

/// Whether the message was taken, is to be tried again, or never will be taken.
fn judged(format: WebhookFormat, status: StatusCode, said: &str) -> Result<String, SendError> {
    let words: String =
        said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT).collect();
    let reply = format!("HTTP {} {words}", status.as_u16()).trim_end().to_owned();
    if status.is_server_error()
        || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
    {
        return Err(SendError::Later(reply));
    }
    // A redirect is followed nowhere: what is sent is for the place that the site names.
    if !status.is_success() {
        return Err(SendError::Never(reply));
    }
    match code(format, said) {
        Ok(0) => Ok(reply),
        Ok(code) if LATER.contains(&code) => Err(SendError::Later(reply)),
        Ok(_) => Err(SendError::Never(reply)),
        Err(()) => {
            Err(SendError::Later(format!("{reply}: this is no answer of {}", format.word())))
        }
    }
}

/// The code that a chat's service answers with, 0 where it took the message. `Err`: somebody else has answered, such as
/// the page of a proxy.
fn code(format: WebhookFormat, said: &str) -> Result<i64, ()> {
    let keys: &[&str] = match format {
        WebhookFormat::Wecom | WebhookFormat::Dingtalk => &["errcode"],
        WebhookFormat::Feishu => &["code", "StatusCode"],
        WebhookFormat::Slack | WebhookFormat::Json => return Ok(0),
    };
    let answer: Value = serde_json::from_str(said).map_err(|_| ())?;
    keys.iter().find_map(|key| answer.get(key)?.as_i64()).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_yes_a_no_or_a_later() {
        use WebhookFormat::{Dingtalk, Feishu, Json, Slack, Wecom};
        let (yes, no, later) = ("yes", "no", "later");
        for (format, status, said, expected) in [
            (Json, 200, "", yes),
            (Json, 204, "", yes),
            (Json, 302, "", no),
            (Json, 400, "", no),
            (Json, 408, "", later),
            (Json, 429, "", later),
            (Json, 502, "", later),
            (Slack, 200, "ok", yes),
            (Slack, 404, "no_service", no),
            (Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, yes),
            (Wecom, 200, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, no),
            (Wecom, 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, later),
            (Wecom, 200, "<html>Please sign in</html>", later),
            (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#, no),
            (Dingtalk, 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, later),
            (Feishu, 200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, yes),
            (Feishu, 200, r#"{"code":19021,"msg":"sign match fail"}"#, no),
            (Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#, later),
        ] {
            let judged = judged(format, StatusCode::from_u16(status).unwrap(), said);
            let said_of = match &judged {
                Ok(_) => yes,
                Err(SendError::Never(_)) => no,
                Err(SendError::Later(_)) => later,
            };
            assert_eq!(said_of, expected, "{format:?} {status} {said}: {judged:?}");
        }
    }

    #[test]
    fn what_is_told_of_a_try_has_no_secret() {
        let place = Place {
            uri: "https://hooks.example/send?key=0123456789abcdef&v=2".parse().unwrap(),
            secret: Some("SEC-very-secret".into()),
        };
        let said = "no key 0123456789abcdef (/send?key=0123456789abcdef&v=2), SEC-very-secret, v=2";
        assert_eq!(place.hide(said), "no key *** (***), ***, v=2");
    }
}
