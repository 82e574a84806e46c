//! The API of a supervisor at work: asked as a program would, over its Unix socket and over the network.

pub(crate) mod change_pages;
mod changes;
mod contract;
mod events;
mod half_done;
pub(crate) mod hand_over_page;
mod in_git;
mod incident_page;
mod listed;
mod login;
pub(crate) mod office;
mod pages;
mod people;
mod records;
mod released;
mod rights;
mod sample_releases;
mod second;
mod served;
mod told;
mod tried;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::night::house::House;
use crate::night::watched::Night;

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// By their names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Response {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{self:?}");
        self
    }
}

/// One connection, one question.
pub(crate) fn exchange(
    stream: impl Read + Write,
    question: (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Response {
    let body = body.map(ToString::to_string);
    send(stream, question, headers, body.map(|body| ("application/json", body)))
}

/// The same with a body of any kind.
pub(crate) fn send(
    mut stream: impl Read + Write,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<(&str, String)>,
) -> Response {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some((kind, body)) = &body {
        text += &format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body.as_ref().map(|(_, body)| body.as_str()).unwrap_or_default();
    stream.write_all(text.as_bytes()).unwrap();
    let mut read = BufReader::new(stream);
    let (status, headers) = head(&mut read);
    let mut body = String::new();
    match headers.get("content-length") {
        // What it says then is how long an answer to GET would be.
        Some(_) if method == "HEAD" => {}
        Some(length) => {
            let mut bytes = vec![0; length.parse().unwrap()];
            read.read_exact(&mut bytes).unwrap();
            // A document is told by how it begins.
            body = match headers.get("content-type").is_some_and(|kind| kind.contains("pdf")) {
                true => String::from_utf8_lossy(&bytes).into_owned(),
                false => String::from_utf8(bytes).unwrap(),
            };
        }
        None => drop(read.read_to_string(&mut body).unwrap()),
    }
    Response { status, headers, body }
}

fn head(read: &mut impl BufRead) -> (u16, BTreeMap<String, String>) {
    let mut line = String::new();
    read.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        read.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    (status, headers)
}

/// Over the socket of a supervisor at work.
pub(crate) fn socket(house: &House) -> UnixStream {
    let stream = UnixStream::connect(house.state().join("api.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

pub(crate) fn get(house: &House, path: &str) -> Response {
    exchange(socket(house), ("GET", path), &[], None)
}

pub(crate) fn post(house: &House, path: &str, body: &Value) -> Response {
    exchange(socket(house), ("POST", path), &[], Some(body))
}

/// A stream of events that is read while it lasts.
pub(crate) struct Stream {
    read: BufReader<UnixStream>,
}

/// One of its events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Stream {
    pub(crate) fn of(house: &House, path: &str, after: Option<u64>) -> Self {
        let mut stream = socket(house);
        let after = after.map(|after| format!("last-event-id: {after}\r\n")).unwrap_or_default();
        let text = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{after}\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let mut read = BufReader::new(stream);
        let (status, headers) = head(&mut read);
        assert_eq!(status, 200, "{headers:?}");
        assert_eq!(headers["content-type"], "text/event-stream");
        Self { read }
    }

    /// The next event; `None` when the stream has ended, however it did.
    pub(crate) fn next(&mut self) -> Option<Told> {
        let (mut id, mut kind, mut data) = (None, String::new(), None);
        loop {
            let mut line = String::new();
            if self.read.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end();
            // Lengths of pieces stand between the lines.
            match line.split_once(": ") {
                Some(("id", text)) => id = text.parse().ok(),
                Some(("event", text)) => kind = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).ok(),
                _ => {}
            }
            if line.is_empty()
                && let (Some(id), Some(data)) = (id, data.take())
            {
                return Some(Told { id, kind, data });
            }
        }
    }
}

/// A house that serves on the network too.
pub(crate) struct Served {
    pub(crate) house: House,
    pub(crate) port: u16,
    pub(crate) night: Night,
}

impl Served {
    /// Serves the house with what else its settings say of the API.
    pub(crate) fn of(house: House, tls: &str) -> Self {
        // Free now; whoever takes it meanwhile makes the service fail with these words.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let api = format!("version: 1\napi: {{listen: '127.0.0.1:{port}'{tls}}}\n");
        std::fs::write(house.state().join("settings.yaml"), api).unwrap();
        let night = serve(&house);
        Self { house, port, night }
    }

    pub(crate) fn ask(
        &self,
        question: (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        exchange(stream, question, headers, body)
    }

    /// In somebody's name.
    pub(crate) fn ask_as(
        &self,
        token: &str,
        question: (&str, &str),
        body: Option<&Value>,
    ) -> Response {
        self.ask(question, &[("authorization", &format!("Bearer {token}"))], body)
    }

    /// Gives a person a password.
    pub(crate) fn password(&self, person: &str, password: &str) {
        let mut command = self.house.command(&["people", "password", person]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// The secret of a new token.
    pub(crate) fn token(&self, person: &str, rights: &[&str]) -> String {
        let mut words = vec!["people", "token", person, "--name", "test"];
        words.extend(rights.iter().flat_map(|right| ["--right", right]));
        self.house.json(&words)["secret"].as_str().unwrap().to_owned()
    }
}

/// A service of the house, with the settings that lie in its state folder.
pub(crate) fn serve(house: &House) -> Night {
    let mut command = house.command(&["serve", "--format", "json"]);
    command.arg("--settings").arg(house.state().join("settings.yaml"));
    let night = Night::watch(command);
    night.notice("serving");
    night
}
