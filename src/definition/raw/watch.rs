//! The settings of a watcher: `nightrun watch FILE`.

use super::leaf::Word;
use super::record::record;
use super::site::{SmtpRecord, Version};
use super::webhook::WebhookRecord;
use super::{List, OneOrMore};
use crate::types::{Lang, Span, Zone};

record! {
    /// What a watcher of another host looks at, and how it raises the alarm.
    pub(crate) struct WatchFile {
        /// The format of the file: 1.
        required version: Version,
        /// The file of life signs, from this file's folder; or
        optional sign: Word,
        /// where the service shows the last one, such as https://night.bank.example:8420/healthz. Of several the newest
        /// counts: a pair has two.
        optional url: OneOrMore<Word>,
        /// The absolute path of a file of certificates (PEM) that theirs may be signed by, in place of those that this host
        /// trusts.
        optional ca: Word,
        /// The file that keeps what was said, from this file's folder.
        required memory: Word,
        /// How old the last sign may be. Default: 15m, at least 2m.
        optional after: Span,
        /// How long after an alarm it is raised again. Default: 30m, at least 1m.
        optional repeat: Span,
        /// How long messages may wait. Default: 30m.
        optional waiting: Span,
        /// How far ahead of this host's clock a sign may be. Default: 2m.
        optional ahead: Span,
        /// Of what is said: en (default) or zh.
        optional language: Lang,
        /// Of the times in it. Default: UTC.
        optional zone: Zone,
        optional mail: AlarmMailRecord,
        optional webhook: WebhookRecord,
        /// A program and its arguments; what is said comes by its input.
        optional command: List<Word>,
    }
}

record! {
    /// Mail by a way of its own: not that of the supervisor.
    pub(crate) struct AlarmMailRecord {
        /// Sender's address.
        required from: Word,
        required to: List<Word>,
        required smtp: SmtpRecord,
    }
}
