//! A mail server for tests that misbehaves as told, one behaviour a connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Accept,
    /// Says this instead of its greeting.
    Greet(&'static str),
    /// Takes the connection and never says a word.
    Mute,
    /// Answers this to the recipient.
    Recipient(&'static str),
    /// Takes the whole message and does not answer.
    HangAfterDot,
    /// Takes the message, answers, and does not answer the farewell.
    HangAtQuit,
    /// Offers STARTTLS, says go ahead, and does not.
    StallTls,
    /// Asks for a password and takes none.
    WrongPassword,
}

/// What one connection gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) commands: Vec<String>,
    /// The message as it was before dot-stuffing.
    pub(crate) message: Option<String>,
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Sink {
    /// Listens on a port of its own; connections beyond the list are accepted with a message each.
    pub(crate) async fn listen(behaviours: &[Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut queue: VecDeque<Behaviour> = behaviours.iter().copied().collect();
        let keep = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = queue.pop_front().unwrap_or(Behaviour::Accept);
                let slot = {
                    let mut heard = keep.lock().unwrap();
                    heard.push(Heard::default());
                    heard.len() - 1
                };
                tokio::spawn(serve(stream, behaviour, Arc::clone(&keep), slot));
            }
        });
        Self { port, heard }
    }

    /// Every connection so far, in the order of their coming.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// `None`: the client is gone.
async fn serve(
    stream: TcpStream,
    behaviour: Behaviour,
    heard: Arc<Mutex<Vec<Heard>>>,
    slot: usize,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    match behaviour {
        Behaviour::Mute => return silence(&mut stream).await,
        Behaviour::Greet(words) => say(&mut stream, words).await?,
        _ => say(&mut stream, "220 sink.example ESMTP").await?,
    }
    loop {
        let line = hear(&mut stream).await?;
        let command = line.trim_end().to_owned();
        heard.lock().unwrap()[slot].commands.push(command.clone());
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match (verb.as_str(), behaviour) {
            ("EHLO", Behaviour::StallTls) => {
                say(&mut stream, "250-sink.example\r\n250 STARTTLS").await?;
            }
            ("EHLO", Behaviour::WrongPassword) => {
                say(&mut stream, "250-sink.example\r\n250 AUTH PLAIN").await?;
            }
            ("EHLO", _) => say(&mut stream, "250 sink.example").await?,
            ("STARTTLS", _) => {
                say(&mut stream, "220 go ahead").await?;
                return silence(&mut stream).await;
            }
            ("AUTH", _) => say(&mut stream, "535 5.7.8 wrong password").await?,
            ("RCPT", Behaviour::Recipient(answer)) => say(&mut stream, answer).await?,
            ("DATA", _) => {
                say(&mut stream, "354 go on").await?;
                let message = body(&mut stream).await?;
                heard.lock().unwrap()[slot].message = Some(message);
                if behaviour == Behaviour::HangAfterDot {
                    return silence(&mut stream).await;
                }
                say(&mut stream, "250 2.0.0 queued as 4711").await?;
            }
            ("QUIT", Behaviour::HangAtQuit) => return silence(&mut stream).await,
            ("QUIT", _) => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn body(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut message = String::new();
    loop {
        let line = hear(stream).await?;
        if line == ".\r\n" {
            return Some(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Reads and says nothing until the client gives up.
async fn silence(stream: &mut BufReader<TcpStream>) -> Option<()> {
    loop {
        hear(stream).await?;
    }
}

async fn hear(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    match stream.read_until(b'\n', &mut line).await {
        Ok(read) if read > 0 => Some(String::from_utf8_lossy(&line).into_owned()),
        _ => None,
    }
}

async fn say(stream: &mut BufReader<TcpStream>, words: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{words}\r\n").as_bytes()).await.ok()
}
