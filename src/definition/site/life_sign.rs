//! Where a service says that it lives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::types::Span;

/// A file that the supervisor that leads replaces now and then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeSignRule {
    /// Absolute; in a folder that other hosts can read.
    pub file: PathBuf,
    pub every: Span,
}
