//! The way that messages take.

use jiff::Timestamp;

use crate::journal::OutgoingMail;

/// A message before it is put into the form that travels (see `driver::mail::compose`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub from: Party,
    pub to: Party,
    /// Line ends in it become blanks.
    pub subject: String,
    /// Our own, `<…@domain>`: one message to one recipient, the same at every try.
    pub message_id: String,
    /// The made-up id `<…@domain>` that all messages of one matter refer to, so that programs show one thread.
    pub thread: String,
    pub date: Timestamp,
    pub text: String,
    pub html: String,
    /// What the HTML shows within itself.
    pub pictures: Vec<Picture>,
    pub attachments: Vec<Attachment>,
}

/// A person or a service with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub name: Option<String>,
    /// The bare address, `name@domain`.
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub file_name: String,
    /// Such as `text/html; charset=utf-8`.
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// A picture (PNG) that the HTML of a letter shows as `cid:` and this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub id: String,
    pub bytes: Vec<u8>,
}

/// A message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again later: refused for now, no answer, no connection. After the final dot without an answer it may have
    /// been delivered all the same, which the same Message-ID makes harmless.
    #[error("{0}")]
    Later(String),
    /// It will never be accepted.
    #[error("{0}")]
    Never(String),
}

pub trait Mailer {
    /// Sends one ready message to one recipient, within a total time limit of 30 s. Returns the server's own words.
    fn send(&self, mail: &OutgoingMail) -> impl Future<Output = Result<String, SendError>> + Send;
}
