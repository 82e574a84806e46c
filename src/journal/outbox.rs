//! Messages that were decided and not yet sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::site::Webhook;
use crate::types::ChannelName;

/// Before the name of a webhook, where a mail has its address. No address begins so: it has an `@`.
const WEBHOOK: &str = "webhook:";

/// One ready message to one recipient, kept until a server took it. Its bytes never change, so that each try
/// carries the same Message-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Unique in the outbox: `<…@domain>`.
    pub message_id: String,
    /// Envelope sender: the bare address.
    pub from: String,
    /// Envelope recipient: the bare address, or `webhook:NAME`.
    pub to: String,
    /// RFC 5322, lines ended by CR LF; of a webhook a [`WebhookPost`] as JSON.
    pub bytes: Vec<u8>,
    /// Not sent before this time of the host's own clock (never a trial's).
    pub not_before: Timestamp,
}

/// A message to a webhook, with everything that sending it takes but secrets: whoever sends it, after a kill or an edit
/// of the job files, needs no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookPost {
    pub webhook: Webhook,
    pub body: serde_json::Value,
}

impl OutgoingMail {
    pub fn to_webhook(
        (message_id, from): (String, String),
        name: &ChannelName,
        post: &WebhookPost,
        not_before: Timestamp,
    ) -> serde_json::Result<Self> {
        let bytes = serde_json::to_vec(post)?;
        Ok(Self { message_id, from, to: format!("{WEBHOOK}{name}"), bytes, not_before })
    }

    pub fn is_to_webhook(&self) -> bool {
        self.to.starts_with(WEBHOOK) && !self.to.contains('@')
    }
}
