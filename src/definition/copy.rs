//! What a run goes by to its end: its part of the site, and the files beside it by their content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::site::{Change, Site};

/// Definition and scripts of a run, as stored under the digest that the run names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCopy {
    pub site: Site,
    /// Files that belong to it: path from the site's folder → SHA-256 of the content, in hex.
    pub files: BTreeMap<PathBuf, String>,
}

/// The four scripts of a change, in the order in which they are digested.
pub const CHANGE_SCRIPTS: [&str; 4] = ["backup.sql", "change.sql", "verify.sql", "rollback.sql"];

impl RunCopy {
    /// Content digest of a change: SHA-256 over its four scripts, mode, row limits and class, in hex. `None` when a
    /// script is not there. Promotion from environment to environment compares it.
    pub fn content_digest(&self, change: &Change) -> Option<String> {
        let mut hasher = Sha256::new();
        for script in CHANGE_SCRIPTS {
            let content = self.files.get(&change.folder.join(script))?;
            hasher.update(format!("{script} {content}\n"));
        }
        let rows =
            format!("transactional {} {} {:?}", change.rows.min, change.rows.max, change.class);
        hasher.update(rows);
        Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether a file of the site belongs to a run of a batch: it lies in the folder of the batch's file, or in that of
    /// a change that the run may execute.
    pub fn wants(site: &Site, batch_folder: &Path, file: &Path) -> bool {
        file.starts_with(batch_folder)
            || site.changes.values().any(|change| file.starts_with(&change.folder))
    }
}
