//! Addresses of chat rooms and programs that are told over HTTP (通知渠道).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::types::Lang;

/// A room of a chat, or a program, that takes messages over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub format: WebhookFormat,
    pub url: WebhookUrl,
    /// The file that holds what messages are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// Certificates (PEM) that the server's may be signed by, in place of those that the host trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Of messages to the room; of a person's the person's own counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Lang>,
    /// Whether the last lines that a job has printed are sent too: most services are outside of the house.
    #[serde(default)]
    pub output: bool,
}

/// Where it is. That of a chat's room is its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookUrl {
    Url(String),
    /// The first line of that file.
    File(PathBuf),
}

/// What a webhook understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookFormat {
    /// A robot of a WeCom group (企业微信).
    Wecom,
    /// A robot of a DingTalk group (钉钉).
    Dingtalk,
    /// A robot of a Feishu group (飞书).
    Feishu,
    /// An incoming webhook of Slack.
    Slack,
    /// Any other program.
    Json,
}

impl WebhookFormat {
    /// As files write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Slack => "slack",
            Self::Json => "json",
        }
    }

    /// Whether it has a way to sign what is sent.
    pub fn signs(self) -> bool {
        matches!(self, Self::Dingtalk | Self::Feishu | Self::Json)
    }
}
