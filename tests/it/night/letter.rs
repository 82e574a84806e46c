//! Mails as their readers see them.

/// A mail as its reader sees it.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) text: String,
    /// The id that all mails of one matter refer to.
    pub(crate) thread: String,
}

impl Letter {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mail = mail_parser::MessageParser::default().parse(bytes).unwrap();
        let to = mail.to().unwrap().first().unwrap().address().unwrap().to_owned();
        Self {
            to,
            subject: mail.subject().unwrap().to_owned(),
            id: mail.message_id().unwrap().to_owned(),
            text: mail.body_text(0).unwrap().into_owned(),
            thread: mail.references().as_text().unwrap_or_default().to_owned(),
        }
    }
}
