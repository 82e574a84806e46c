//! The ways that a site's messages take.

use std::path::Path;

use crate::definition::site::{Mail, Transport};
use crate::driver::mail::{FolderMailer, LIMIT, SmtpMailer};
use crate::driver::webhook::WebhookSender;
use crate::journal::OutgoingMail;
use crate::port::{Mailer, SendError};

/// A folder or a server for mail, as the site says, and HTTP for webhooks.
#[derive(Debug)]
pub struct SiteMailer {
    mail: MailWay,
    webhooks: WebhookSender,
}

#[derive(Debug)]
enum MailWay {
    Folder(FolderMailer),
    Smtp(Box<SmtpMailer>),
}

impl SiteMailer {
    /// `state`: what a relative folder lies beneath.
    pub fn new(mail: &Mail, state: &Path) -> Self {
        let mail = match &mail.transport {
            Transport::Folder(folder) => MailWay::Folder(FolderMailer::new(state.join(folder))),
            Transport::Smtp(server) => {
                MailWay::Smtp(Box::new(SmtpMailer::new(server.clone(), LIMIT)))
            }
        };
        Self { mail, webhooks: WebhookSender::new(LIMIT) }
    }
}

impl Mailer for SiteMailer {
    async fn send(&self, mail: &OutgoingMail) -> Result<String, SendError> {
        match &self.mail {
            _ if mail.webhook().is_some() => self.webhooks.send(mail).await,
            MailWay::Folder(folder) => folder.send(mail).await,
            MailWay::Smtp(server) => server.send(mail).await,
        }
    }
}
