//! A mail server for tests that misbehaves as told, one behaviour a connection.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Accept,
    /// Says this instead of its greeting.
    Greet(&'static str),
    /// Takes the connection and never says a word.
    Mute,
    /// Begins its answer to the EHLO and never ends it.
    StallInEhlo,
    /// Says all its words byte by byte, with this many milliseconds between two.
    Trickle(u64),
    /// Answers this to the recipient.
    Recipient(&'static str),
    /// Answers this to DATA.
    Data(&'static str),
    /// Hangs up in the midst of the message.
    CloseInData,
    /// Takes the whole message and answers this.
    Dot(&'static str),
    /// Takes the whole message and does not answer.
    HangAfterDot,
    /// Takes the whole message and hangs up.
    CloseAfterDot,
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
    /// Whether what was said after the greeting was encrypted.
    pub(crate) encrypted: bool,
    pub(crate) over: bool,
    /// Connections that were open at its beginning, itself among them.
    pub(crate) at_once: usize,
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A port whose connections are refused until somebody listens.
pub(crate) struct Closed {
    pub(crate) port: u16,
    socket: TcpSocket,
}

impl Closed {
    pub(crate) fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { port: socket.local_addr().unwrap().port(), socket }
    }
}

/// How a server is encrypted.
#[derive(Clone)]
pub(crate) enum Encryption {
    None,
    /// After STARTTLS, which is offered.
    Offered(TlsAcceptor),
    FromTheStart(TlsAcceptor),
}

/// Makes a certificate for 127.0.0.1 and the authority that signed it, `ca.pem`, in a folder.
pub(crate) fn certificate(folder: &Path) -> TlsAcceptor {
    std::fs::create_dir_all(folder).unwrap();
    let openssl = |arguments: &str| {
        let made = Command::new("openssl")
            .current_dir(folder)
            .args(arguments.split(' '))
            .output()
            .expect("openssl is missing: apt-get install openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("{new} -keyout ca.key -out ca.pem -subj /CN=test-authority"));
    openssl(&format!(
        "{new} -keyout server.key -out server.pem -subj /CN=mail -CA ca.pem -CAkey ca.key \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1"
    ));
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

impl Sink {
    /// Listens on a port of its own; connections beyond the list are accepted with a message each.
    pub(crate) async fn listen(behaviours: &[Behaviour]) -> Self {
        Self::encrypted(behaviours, Encryption::None).await
    }

    pub(crate) async fn encrypted(behaviours: &[Behaviour], encryption: Encryption) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), behaviours, encryption)
    }

    /// Comes back where connections were refused.
    pub(crate) fn open(closed: Closed) -> Self {
        Self::serve(closed.socket.listen(64).unwrap(), &[], Encryption::None)
    }

    fn serve(listener: TcpListener, behaviours: &[Behaviour], encryption: Encryption) -> Self {
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::<Heard>::new()));
        let mut queue: VecDeque<Behaviour> = behaviours.iter().copied().collect();
        let keep = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = queue.pop_front().unwrap_or(Behaviour::Accept);
                let slot = {
                    let mut heard = keep.lock().unwrap();
                    let at_once = 1 + heard.iter().filter(|heard| !heard.over).count();
                    heard.push(Heard { at_once, ..Heard::default() });
                    heard.len() - 1
                };
                let (heard, encryption) = (Arc::clone(&keep), encryption.clone());
                tokio::spawn(async move {
                    let mut served = Connection {
                        stream: Some(BufReader::new(Box::new(stream))),
                        behaviour,
                        heard: Arc::clone(&heard),
                        slot,
                    };
                    served.serve(encryption).await;
                    heard.lock().unwrap()[slot].over = true;
                });
            }
        });
        Self { port, heard }
    }

    /// Every connection so far, in the order of their coming.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Messages so far, in the order of their coming.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.heard().into_iter().filter_map(|heard| heard.message).collect()
    }
}

trait Pipe: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Pipe for T {}

struct Connection {
    /// Taken out while it becomes encrypted.
    stream: Option<BufReader<Box<dyn Pipe>>>,
    behaviour: Behaviour,
    heard: Arc<Mutex<Vec<Heard>>>,
    slot: usize,
}

impl Connection {
    /// `None`: the client is gone, or is hung up on.
    async fn serve(&mut self, encryption: Encryption) -> Option<()> {
        if self.behaviour == Behaviour::Mute {
            return self.silence().await;
        }
        let mut offered = None;
        match encryption {
            Encryption::None => {}
            Encryption::Offered(tls) => offered = Some(tls),
            Encryption::FromTheStart(tls) => self.encrypt(&tls).await?,
        }
        match self.behaviour {
            Behaviour::Greet(words) => self.say(words).await?,
            _ => self.say("220 sink.example ESMTP").await?,
        }
        loop {
            let command = self.hear().await?.trim_end().to_owned();
            self.heard.lock().unwrap()[self.slot].commands.push(command.clone());
            let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match (verb.as_str(), self.behaviour) {
                ("EHLO", Behaviour::StallInEhlo) => {
                    self.stream.as_mut()?.get_mut().write_all(b"250-sink.exa").await.ok()?;
                    return self.silence().await;
                }
                ("EHLO", Behaviour::StallTls) => {
                    self.say("250-sink.example\r\n250 STARTTLS").await?;
                }
                ("EHLO", Behaviour::WrongPassword) => {
                    self.say("250-sink.example\r\n250 AUTH PLAIN").await?;
                }
                ("EHLO", _) if offered.is_some() => {
                    self.say("250-sink.example\r\n250 STARTTLS").await?;
                }
                ("EHLO", _) => self.say("250 sink.example").await?,
                ("STARTTLS", _) => {
                    self.say("220 go ahead").await?;
                    match offered.take() {
                        Some(tls) => self.encrypt(&tls).await?,
                        None => return self.silence().await,
                    }
                }
                ("AUTH", _) => self.say("535 5.7.8 wrong password").await?,
                ("RCPT", Behaviour::Recipient(answer)) | ("DATA", Behaviour::Data(answer)) => {
                    self.say(answer).await?;
                }
                ("DATA", _) => self.message().await?,
                ("QUIT", Behaviour::HangAtQuit) => return self.silence().await,
                ("QUIT", _) => return self.say("221 bye").await,
                _ => self.say("250 ok").await?,
            }
        }
    }

    async fn message(&mut self) -> Option<()> {
        self.say("354 go on").await?;
        if self.behaviour == Behaviour::CloseInData {
            self.hear().await?;
            return None;
        }
        let message = self.body().await?;
        self.heard.lock().unwrap()[self.slot].message = Some(message);
        match self.behaviour {
            Behaviour::HangAfterDot => self.silence().await,
            Behaviour::CloseAfterDot => None,
            Behaviour::Dot(answer) => self.say(answer).await,
            _ => self.say("250 2.0.0 queued as 4711").await,
        }
    }

    async fn encrypt(&mut self, tls: &TlsAcceptor) -> Option<()> {
        let plain = self.stream.take()?.into_inner();
        let stream = tls.accept(plain).await.ok()?;
        self.stream = Some(BufReader::new(Box::new(stream)));
        self.heard.lock().unwrap()[self.slot].encrypted = true;
        Some(())
    }

    async fn body(&mut self) -> Option<String> {
        let mut message = String::new();
        loop {
            let line = self.hear().await?;
            if line == ".\r\n" {
                return Some(message);
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
    }

    /// Reads and says nothing until the client gives up.
    async fn silence(&mut self) -> Option<()> {
        loop {
            self.hear().await?;
        }
    }

    async fn hear(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.stream.as_mut()?.read_until(b'\n', &mut line).await {
            Ok(read) if read > 0 => Some(String::from_utf8_lossy(&line).into_owned()),
            _ => None,
        }
    }

    async fn say(&mut self, words: &str) -> Option<()> {
        let line = format!("{words}\r\n");
        let stream = self.stream.as_mut()?;
        let Behaviour::Trickle(pause) = self.behaviour else {
            stream.get_mut().write_all(line.as_bytes()).await.ok()?;
            return stream.get_mut().flush().await.ok();
        };
        for byte in line.as_bytes() {
            stream.get_mut().write_all(&[*byte]).await.ok()?;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Some(())
    }
}
