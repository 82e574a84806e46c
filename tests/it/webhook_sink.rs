//! A server that takes messages over HTTP and misbehaves as told, one behaviour a request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Status and body.
    Answer(u16, &'static str),
    /// Status with a header, its line as it is.
    Headed(u16, &'static str),
    /// Repeats the request line, as a careless server may.
    Echo(u16),
    /// Takes the request and never answers.
    Hang,
    /// Takes the request and hangs up.
    HangUp,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path with its query.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.body))
    }
}

pub(crate) struct WebhookSink {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl WebhookSink {
    /// Behaviours one after the other; then `otherwise`, for ever.
    pub(crate) async fn listen(behaviours: &[Behaviour], otherwise: Behaviour) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), behaviours, otherwise)
    }

    pub(crate) fn serve(
        listener: TcpListener,
        behaviours: &[Behaviour],
        otherwise: Behaviour,
    ) -> Self {
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut queue: VecDeque<Behaviour> = behaviours.iter().copied().collect();
        let keep = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = queue.pop_front().unwrap_or(otherwise);
                tokio::spawn(answer(stream, behaviour, Arc::clone(&keep)));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, behaviour: Behaviour, keep: Arc<Mutex<Vec<Asked>>>) {
    let Some(asked) = read(&mut stream).await else { return };
    let line = asked.line.clone();
    keep.lock().unwrap().push(asked);
    let (status, header, body) = match behaviour {
        Behaviour::Answer(status, body) => (status, String::new(), body.to_owned()),
        Behaviour::Headed(status, header) => (status, format!("{header}\r\n"), String::new()),
        Behaviour::Echo(status) => (status, String::new(), format!("bad request: {line}")),
        Behaviour::Hang => return tokio::time::sleep(Duration::from_secs(3600)).await,
        Behaviour::HangUp => return,
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{header}\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect();
            let long = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let long: usize = long.and_then(|(_, long)| long.parse().ok()).unwrap_or(0);
            let body = &bytes[head.len() + 4..];
            if body.len() >= long {
                let body = String::from_utf8(body.to_vec()).ok()?;
                return Some(Asked { line, headers, body });
            }
        }
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
    }
}
