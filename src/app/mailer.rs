//! The way that a site's mail takes.

use std::path::Path;

use crate::definition::site::{Mail, Transport};
use crate::driver::mail::{FolderMailer, LIMIT, SmtpMailer};
use crate::port::{Mailer, SendError};

/// A folder or a server, as the site says.
#[derive(Debug)]
pub enum SiteMailer {
    Folder(FolderMailer),
    Smtp(Box<SmtpMailer>),
}

impl SiteMailer {
    /// `state`: what a relative folder lies beneath.
    pub fn new(mail: &Mail, state: &Path) -> Self {
        match &mail.transport {
            Transport::Folder(folder) => Self::Folder(FolderMailer::new(state.join(folder))),
            Transport::Smtp(server) => Self::Smtp(Box::new(SmtpMailer::new(server.clone(), LIMIT))),
        }
    }
}

impl Mailer for SiteMailer {
    async fn send(&self, from: &str, to: &str, message: &[u8]) -> Result<String, SendError> {
        match self {
            Self::Folder(folder) => folder.send(from, to, message).await,
            Self::Smtp(server) => server.send(from, to, message).await,
        }
    }
}
