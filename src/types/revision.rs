//! The commit that job files came from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which content of a git repository a site was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The full id of the commit, in hex.
    pub commit: String,
    /// `Name <address>`, as the commit says. Anybody can write anything there: it is shown, and proves nothing.
    pub author: String,
    pub committed: Timestamp,
    /// The site's files differed from the commit when they were read.
    pub dirty: bool,
}

/// Whom a commit names as its author or its committer. Anybody can write anything there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The full id of the commit, in hex.
    pub commit: String,
    pub mail: String,
}

impl Revision {
    /// The first twelve digits, as people read them; `+` where the files differed.
    pub fn short(&self) -> String {
        let digits: String = self.commit.chars().take(12).collect();
        if self.dirty { digits + "+" } else { digits }
    }
}
