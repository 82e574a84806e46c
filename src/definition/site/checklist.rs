//! Items of the checklist of changes: what people confirm, before what, and when that counts.

use serde::{Deserialize, Serialize};

use super::ChangeScope;
use crate::types::{CheckName, MarketName, Role, Span, Text};

/// One item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRule {
    pub title: Text,
    pub scope: ChangeScope,
    /// Only of changes that name one of them; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<MarketName>,
    /// Only of changes that a branch office asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub branches: bool,
    pub role: Role,
    #[serde(default, skip_serializing_if = "is_start")]
    pub before: Before,
    /// Another item, which is confirmed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CheckName>,
    /// For how long it counts before a start; `None`: as long as the scripts are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Before a closing: it counts from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Before a closing: from then on it is missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// What waits for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// Those who handle and approve a request before its scripts are handed in (D3).
    Submission,
    #[default]
    Start,
    /// What is done after an execution (D10, D12).
    Close,
}

impl Before {
    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Start => "start",
            Self::Close => "close",
        }
    }
}

fn is_start(before: &Before) -> bool {
    *before == Before::Start
}

/// A time after an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The next opening of the markets of the change.
    Open,
    After(Span),
}
