//! `webhooks:` of `site.yaml`.

use super::leaf::Word;
use super::record::record;
use crate::definition::site::WebhookFormat;
use crate::types::Lang;

record! {
    /// A room of a chat, or a program, that is told over HTTP.
    pub(crate) struct WebhookRecord {
        /// wecom, dingtalk, feishu, slack, or json for any other program.
        required format: WebhookFormat,
        /// The absolute path of the file whose first line is the address: that of a chat's room is its password, and never
        /// in a job file.
        optional url_file: Word,
        /// The address, with format: json.
        optional url: Word,
        /// The absolute path of the file that holds what messages are signed with, with dingtalk, feishu and json.
        optional secret_file: Word,
        /// The absolute path of a file of certificates (PEM) that the server's may be signed by, in place of those that
        /// the host trusts.
        optional ca: Word,
        /// Of messages to the room: en or zh; the site's by default. A person is told in that person's.
        optional language: Lang,
        /// Whether the last lines that a job has printed are sent too. Default: false.
        optional output: bool,
    }
}
