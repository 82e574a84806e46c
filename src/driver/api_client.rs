//! Asking the API: over the Unix socket of a supervisor of this host, or over HTTP(S) with a token.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, header};
use tokio::net::UnixStream;

use super::api_socket::NAME;
use super::http_client::{Trust, exchange, gone, over_tcp};
use super::socket_path::ShortPath;

/// Where the API is, of another host: `https://night.bank.example:8420`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAddress {
    tls: bool,
    host: String,
    port: u16,
}

impl FromStr for ApiAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no address: write https://HOST:PORT");
        let (scheme, rest) = text.trim_end_matches('/').split_once("://").ok_or_else(bad)?;
        let (tls, usual) = match scheme {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return Err(bad()),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => {
                (host, port.parse().map_err(|_| bad())?)
            }
            _ => (rest, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '@', '?']) {
            return Err(bad());
        }
        Ok(Self { tls, host: host.to_owned(), port })
    }
}

/// How one is known to another host.
#[derive(Debug, Clone)]
pub struct Remote {
    pub address: ApiAddress,
    pub token: String,
    /// Certificates to trust, in place of the host's.
    pub trusted: Option<PathBuf>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: Method,
    /// With its query, such as `/api/v1/status`.
    pub path: String,
    /// `text/plain`, `application/json` or `text/event-stream`.
    pub accept: &'static str,
    pub language: &'static str,
    pub body: Option<serde_json::Value>,
    /// The last event that was seen, of a stream.
    pub after: Option<u64>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// Of a piece of a log: where the next begins, and whether nothing is added any more.
    pub log_next: Option<u64>,
    pub log_ended: bool,
}

/// Who is asked.
#[derive(Debug)]
enum Server {
    Socket(PathBuf),
    Remote(Box<Remote>),
}

/// The asking end.
#[derive(Debug)]
pub struct Client {
    server: Server,
    /// Connected already, for the first request.
    first: Option<UnixStream>,
    pid: Option<i32>,
}

impl Client {
    /// To the supervisor of a state folder. `None`: none is at work there.
    pub async fn connect(state: &Path) -> io::Result<Option<Self>> {
        let Some(stream) = connect(state).await? else { return Ok(None) };
        let pid = stream.peer_cred()?.pid();
        Ok(Some(Self { server: Server::Socket(state.to_owned()), first: Some(stream), pid }))
    }

    pub fn remote(remote: Remote) -> Self {
        Self { server: Server::Remote(Box::new(remote)), first: None, pid: None }
    }

    /// The process at the other end, where the kernel names it.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// Asks, and waits for the whole answer. `None`: the supervisor has gone.
    pub async fn ask(&mut self, ask: &Ask) -> io::Result<Option<Answer>> {
        let Some(response) = self.send(ask).await? else { return Ok(None) };
        let status = response.status().as_u16();
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let log_next = header("log-next").and_then(|next| next.parse().ok());
        let log_ended = header("log-ended") == Some("true");
        let Some(body) = gone(response.into_body().collect().await)? else { return Ok(None) };
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Some(Answer { status, body, log_next, log_ended }))
    }

    /// Asks for a stream of events; the answer where it is none.
    pub async fn listen(&mut self, ask: &Ask) -> io::Result<Option<Result<Events, Answer>>> {
        let Some(response) = self.send(ask).await? else { return Ok(None) };
        let status = response.status();
        let mut events = Events { body: response.into_body(), read: Vec::new() };
        if status.is_success() {
            return Ok(Some(Ok(events)));
        }
        while events.more().await? {}
        let body = String::from_utf8_lossy(&events.read).into_owned();
        let status = status.as_u16();
        Ok(Some(Err(Answer { status, body, log_next: None, log_ended: false })))
    }

    async fn send(&mut self, ask: &Ask) -> io::Result<Option<Response<Incoming>>> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(header::ACCEPT, ask.accept)
            .header(header::ACCEPT_LANGUAGE, ask.language);
        if let Some(after) = ask.after {
            request = request.header("last-event-id", after);
        }
        let body = match &ask.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let host = match &self.server {
            Server::Socket(_) => "localhost".to_owned(),
            Server::Remote(remote) => {
                let token = format!("Bearer {}", remote.token);
                request = request.header(header::AUTHORIZATION, token);
                remote.address.host.clone()
            }
        };
        let request = request.header(header::HOST, host).body(Full::new(body));
        let request = request.map_err(io::Error::other)?;
        match &self.server {
            Server::Socket(state) => {
                let stream = match self.first.take() {
                    Some(stream) => stream,
                    None => match connect(state).await? {
                        Some(stream) => stream,
                        None => return Ok(None),
                    },
                };
                exchange(stream, request).await
            }
            Server::Remote(remote) => {
                let ApiAddress { tls, host, port } = &remote.address;
                let trusted = remote.trusted.as_deref();
                let tls = tls.then_some(Trust(trusted));
                over_tcp((host, *port), tls, request).await
            }
        }
    }
}

/// `None`: no supervisor works on this state folder.
async fn connect(state: &Path) -> io::Result<Option<UnixStream>> {
    let short = ShortPath::of(state, NAME)?;
    match UnixStream::connect(short.path()).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if matches!(
                error.kind(),
                // Reset: it has gone between the call and its answer.
                io::ErrorKind::NotFound
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    read: Vec<u8>,
}

/// One of a stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `None`: it has no place in the order of events.
    pub id: Option<u64>,
    pub data: String,
}

impl Events {
    /// The next one; `None` when the stream has ended.
    pub async fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(event) = event(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    async fn more(&mut self) -> io::Result<bool> {
        let Some(frame) = self.body.frame().await else { return Ok(false) };
        let Some(frame) = gone(frame)? else { return Ok(false) };
        if let Ok(data) = frame.into_data() {
            self.read.extend_from_slice(&data);
        }
        Ok(true)
    }
}

/// What a block of lines says; `None` for a comment, which keeps the connection alive.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>()
    };
    let data = field("data:");
    let id = field("id:").first().and_then(|id| id.parse().ok());
    (!data.is_empty()).then(|| Event { id, data: data.join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        let read = |text: &str| text.parse::<ApiAddress>();
        let of = |tls, host: &str, port| Ok(ApiAddress { tls, host: host.to_owned(), port });
        assert_eq!(read("https://night.example:8420"), of(true, "night.example", 8420));
        assert_eq!(read("https://night.example/"), of(true, "night.example", 443));
        assert_eq!(read("http://[::1]:8420"), of(false, "::1", 8420));
        assert_eq!(read("http://[::1]"), of(false, "::1", 80));
        for bad in ["night.example", "ftp://x", "https://", "https://a@b", "http://x:port"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_block_of_lines_is_an_event_or_a_comment() {
        let one = Event { id: Some(7), data: "{\"a\":\n1}".to_owned() };
        assert_eq!(event("event: entry\nid: 7\ndata: {\"a\":\ndata: 1}\n\n"), Some(one));
        assert_eq!(event(":\n\n"), None);
    }
}
