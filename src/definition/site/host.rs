//! A host that jobs run on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::types::{Label, PoolName, Span, Text};

/// A host that jobs run on; `local` is the supervisor's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// How it is reached; `None`: it is the supervisor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Of that host: program, agent, copies and work lie there. Beneath the user's home there when relative.
    pub folder: PathBuf,
    /// What jobs may ask for in place of its name.
    pub labels: BTreeSet<Label>,
    /// Attempts at a time.
    pub max_running: u32,
    /// Resources of this host alone; they take the place of those of the site with the same name.
    pub pools: BTreeMap<PoolName, u32>,
    /// Accounts that jobs may become there.
    pub users: BTreeSet<String>,
    /// Whether runs with a set clock may use it.
    pub trial: bool,
    /// How long it may be away before that is an incident.
    pub away_after: Span,
}

/// What the ssh program is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssh {
    /// A name, an address, or a `Host` of the user's ssh configuration.
    pub address: String,
    /// Whom ssh becomes there; `None`: as ssh itself decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Further words of the program, before all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl Host {
    /// Beneath the home of the user there.
    pub const FOLDER: &'static str = ".nightrun";
    pub const MAX_RUNNING: u32 = 16;
    /// An agent that is replaced comes back sooner.
    pub const AWAY_AFTER: Span = Span::seconds(60);
}

/// As where a file says nothing, and nothing but `max_running` and `trial` was stored before there was more to say.
impl Default for Host {
    fn default() -> Self {
        Self {
            title: None,
            ssh: None,
            folder: PathBuf::from(Self::FOLDER),
            labels: BTreeSet::new(),
            max_running: Self::MAX_RUNNING,
            pools: BTreeMap::new(),
            users: BTreeSet::new(),
            trial: false,
            away_after: Self::AWAY_AFTER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_stored_with_two_keys_is_read() {
        let host: Host = serde_json::from_str(r#"{"trial":true,"max_running":4}"#).unwrap();
        assert_eq!(host, Host { trial: true, max_running: 4, ..Host::default() });
    }
}
