//! Mail that was decided and not yet sent.

use jiff::Timestamp;

/// One ready message to one recipient, kept until a server took it. Its bytes never change, so that each try
/// carries the same Message-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Unique in the outbox: `<…@domain>`.
    pub message_id: String,
    /// Envelope sender: the bare address.
    pub from: String,
    /// Envelope recipient: the bare address.
    pub to: String,
    /// RFC 5322, lines ended by CR LF.
    pub bytes: Vec<u8>,
    /// Not sent before this time of the host's own clock (never a trial's).
    pub not_before: Timestamp,
}
