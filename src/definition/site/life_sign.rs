//! Where a service says that it lives.

use std::path::PathBuf;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use crate::types::{ChannelName, Role, Span};

/// How the supervisor that leads says so; what `GET /healthz` shows of it is as old as `every` at the most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeSignRule {
    pub every: Span,
    /// Absolute; in a folder that other hosts can read. Replaced each `every`.
    pub file: Option<PathBuf>,
    /// Told each `every`.
    pub webhook: Option<ChannelName>,
    pub mail: Option<SignMail>,
}

/// A mail at set times, by the way that all mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignMail {
    /// Clock times of the site's zone, in order.
    pub at: Vec<Time>,
    /// Everybody with this role gets it.
    pub to: Role,
}
