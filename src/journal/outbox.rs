//! Messages that were decided and not yet sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::site::{Site, Webhook};
use crate::types::ChannelName;

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
/// of the job files, needs no more; where the job files still have the webhook, they say where it is.
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
        Ok(Self { message_id, from, to: name.recipient(), bytes, not_before })
    }

    /// With the address that a site declares for its webhook now: one that was mended counts for what waits. Where the site
    /// has none of the name and form any more it stays as it was decided.
    pub fn readdressed(self, site: &Site) -> Self {
        let Some(name) = self.webhook() else { return self };
        let Some(webhook) = site.webhooks.get(&name) else { return self };
        let post = serde_json::from_slice::<WebhookPost>(&self.bytes).ok();
        let post = post.filter(|post| post.webhook.format == webhook.format);
        let Some(WebhookPost { body, .. }) = post else { return self };
        match serde_json::to_vec(&WebhookPost { webhook: webhook.clone(), body }) {
            Ok(bytes) => Self { bytes, ..self },
            Err(_) => self,
        }
    }

    /// The webhook that it goes to; `None`: it is a mail.
    pub fn webhook(&self) -> Option<ChannelName> {
        ChannelName::of_recipient(&self.to)
    }
}
