//! From a letter to the bytes that travel. The same letter gives the same bytes: nothing is taken from clock or chance.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, message};

use crate::journal::{OutgoingMail, address};
use crate::port::{Letter, Party, Picture};

/// A letter that no message can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mail `{subject}` cannot be written: {why}")]
pub struct NotComposed {
    pub subject: String,
    pub why: String,
}

/// Makes the message (RFC 5322, text and HTML as alternatives, pictures within
/// the HTML, attachments beside them), to be sent from `not_before`
/// on, a time of the host's own clock.
pub fn compose(letter: &Letter, not_before: Timestamp) -> Result<OutgoingMail, NotComposed> {
    build(letter, not_before).map_err(|why| NotComposed { subject: one_line(&letter.subject), why })
}

fn build(letter: &Letter, not_before: Timestamp) -> Result<OutgoingMail, String> {
    let (from, to) = (mailbox(&letter.from)?, mailbox(&letter.to)?);
    let (id, thread) = (message_id(&letter.message_id)?, message_id(&letter.thread)?);
    let message = Message::builder()
        .from(from)
        .to(to)
        .date(SystemTime::from(letter.date))
        .subject(one_line(&letter.subject))
        .message_id(Some(id.to_owned()))
        .in_reply_to(thread.to_owned())
        .references(thread.to_owned())
        .header(AutoSubmitted)
        .multipart(body(letter)?)
        .map_err(|why| why.to_string())?;
    Ok(OutgoingMail {
        message_id: id.to_owned(),
        from: letter.from.address.clone(),
        to: letter.to.address.clone(),
        bytes: message.formatted(),
        not_before,
    })
}

fn body(letter: &Letter) -> Result<MultiPart, String> {
    // lettre would draw boundaries by lot; the Message-ID's hash cannot occur in a body that was written before it.
    let mark = &address(letter.message_id.as_bytes())[..32];
    let words = MultiPart::alternative()
        .boundary(format!("{mark}-words"))
        .singlepart(SinglePart::plain(letter.text.clone()));
    let html = SinglePart::html(letter.html.clone());
    let words = match letter.pictures.as_slice() {
        [] => words.singlepart(html),
        pictures => words.multipart(shown(html, pictures, mark)?),
    };
    if letter.attachments.is_empty() {
        return Ok(words);
    }
    let whole = MultiPart::mixed().boundary(format!("{mark}-whole")).multipart(words);
    letter.attachments.iter().try_fold(whole, |whole, attached| {
        let kind = ContentType::parse(&attached.content_type)
            .map_err(|why| format!("attachment type `{}`: {why}", attached.content_type))?;
        let part = Attachment::new(one_line(&attached.file_name));
        Ok(whole.singlepart(part.body(message::Body::new(attached.bytes.clone()), kind)))
    })
}

/// The page with the pictures that it shows (RFC 2387).
fn shown(html: SinglePart, pictures: &[Picture], mark: &str) -> Result<MultiPart, String> {
    let page = MultiPart::related().boundary(format!("{mark}-shown")).singlepart(html);
    let png = ContentType::parse("image/png").map_err(|why| why.to_string())?;
    Ok(pictures.iter().fold(page, |page, picture| {
        let part = Attachment::new_inline(one_line(&picture.id));
        page.singlepart(part.body(message::Body::new(picture.bytes.clone()), png.clone()))
    }))
}

fn mailbox(party: &Party) -> Result<Mailbox, String> {
    let address: Address =
        party.address.parse().map_err(|why| format!("address `{}`: {why}", party.address))?;
    Ok(Mailbox::new(party.name.as_deref().map(one_line), address))
}

/// Nothing in it may end the header line or the id.
fn message_id(id: &str) -> Result<&str, String> {
    let inner = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let good = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>');
    match inner.and_then(|inner| inner.split_once('@')) {
        Some((left, right))
            if !left.is_empty() && !right.is_empty() && id[1..id.len() - 1].chars().all(good) =>
        {
            Ok(id)
        }
        _ => Err(format!("message id `{id}` is not `<…@domain>`")),
    }
}

/// Job names and error texts come into headers: no line end may come with them.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// RFC 3834: keeps out-of-office replies away.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
