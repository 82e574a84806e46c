//! Mail through a server: one connection a message, everything within one time limit.

#![expect(
    clippy::disallowed_methods,
    reason = "driver: it reads the files of the password and the certificates"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use crate::definition::site::{Smtp, Tls};
use crate::journal::OutgoingMail;
use crate::port::{Mailer, SendError};

/// For one message from the first packet to the server's answer.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A farewell is only polite; the message is delivered already.
const FAREWELL: Duration = Duration::from_secs(1);

/// Sends through one SMTP server.
#[derive(Debug, Clone)]
pub struct SmtpMailer {
    server: Smtp,
    limit: Duration,
}

impl SmtpMailer {
    /// `limit` is for the whole of one message: [`LIMIT`] but in tests.
    pub fn new(server: Smtp, limit: Duration) -> Self {
        Self { server, limit }
    }

    /// Connected, encrypted and authenticated as the site says.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let Smtp { host, port, tls, user, ca: _, password_file: _ } = &self.server;
        let hello = ClientId::default();
        let parameters = match tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some(self.encryption()?),
        };
        let (at_once, after_hello) = match tls {
            Tls::Implicit => (parameters, None),
            Tls::None | Tls::StartTls => (None, parameters),
        };
        let address = (host.as_str(), *port);
        let mut server =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.limit), &hello, at_once, None)
                .await
                .map_err(hindered)?;
        if let Some(parameters) = after_hello {
            // A server that does not offer it is an error: nothing is sent in the clear.
            server.starttls(parameters, &hello).await.map_err(hindered)?;
        }
        if let Some(user) = user {
            let credentials = Credentials::new(user.clone(), self.password()?);
            server
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                .map_err(|why| SendError::Later(format!("signing in as {user}: {why}")))?;
        }
        Ok(server)
    }

    /// Whom to trust; the file is read each time, so that a new certificate needs no restart.
    fn encryption(&self) -> Result<TlsParameters, SendError> {
        let mut wanted = TlsParameters::builder(self.server.host.clone());
        if let Some(file) = &self.server.ca {
            let bad = |why: &dyn ToString| {
                SendError::Later(format!("{}: {}", file.display(), why.to_string()))
            };
            let pem = std::fs::read(file).map_err(|why| bad(&why))?;
            wanted =
                wanted.add_root_certificate(Certificate::from_pem(&pem).map_err(|why| bad(&why))?);
        }
        wanted.build().map_err(hindered)
    }

    /// Connects, encrypts and signs in as for a message, and sends none.
    pub async fn greet(&self) -> Result<(), SendError> {
        let mut server = timeout(self.limit, self.connect()).await.map_err(|_| self.mute(""))??;
        timeout(FAREWELL, server.quit()).await.ok();
        Ok(())
    }

    fn mute(&self, doubt: &str) -> SendError {
        let Smtp { host, port, .. } = &self.server;
        SendError::Later(format!("{host}:{port} did not answer in {:?}{doubt}", self.limit))
    }

    /// Read each time, so that a changed password needs no restart.
    fn password(&self) -> Result<String, SendError> {
        let Some(file) = &self.server.password_file else {
            return Ok(String::new());
        };
        let text = std::fs::read_to_string(file)
            .map_err(|why| SendError::Later(format!("{}: {why}", file.display())))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl Mailer for SmtpMailer {
    async fn send(&self, mail: &OutgoingMail) -> Result<String, SendError> {
        let envelope = envelope(&mail.from, &mail.to)?;
        // lettre ends the last line again before its dot: without this the message would grow by an empty line.
        let message = mail.bytes.strip_suffix(b"\r\n").unwrap_or(&mail.bytes);
        let handing_over = AtomicBool::new(false);
        // lettre bounds only the connecting.
        let sent = timeout(self.limit, async {
            let mut server = self.connect().await?;
            handing_over.store(true, Ordering::Relaxed);
            let answer = server.send(&envelope, message).await.map_err(answered)?;
            Ok((server, answer))
        });
        let (mut server, answer) = sent.await.unwrap_or_else(|_| {
            let handed_over = handing_over.load(Ordering::Relaxed);
            let doubt = "; the message may have been taken all the same";
            Err(self.mute(if handed_over { doubt } else { "" }))
        })?;
        timeout(FAREWELL, server.quit()).await.ok();
        let words: Vec<&str> = answer.message().collect();
        Ok(format!("{} {}", answer.code(), words.join(" ")))
    }
}

fn envelope(from: &str, to: &str) -> Result<Envelope, SendError> {
    let address = |text: &str| {
        let bad = |why| SendError::Never(format!("address `{text}`: {why}"));
        text.parse::<Address>().map_err(bad)
    };
    let (from, to) = (address(from)?, address(to)?);
    Envelope::new(Some(from), vec![to]).map_err(|why| SendError::Never(why.to_string()))
}

/// Whatever hinders the conversation is for the site to mend, and the message waits: no connection, no encryption, a
/// wrong password, a server that is closed for good.
fn hindered(why: Error) -> SendError {
    SendError::Later(why.to_string())
}

/// Only a server's "never" to this very message is believed; everything else may be otherwise in a while.
fn answered(why: Error) -> SendError {
    let must_sign_in = why.status().is_some_and(|code| code.to_string() == "530");
    if why.is_permanent() && !must_sign_in {
        SendError::Never(why.to_string())
    } else {
        SendError::Later(why.to_string())
    }
}
