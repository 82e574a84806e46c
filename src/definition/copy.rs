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

/// Whether a change may do without one of its scripts: where nightrun keeps the rows, and puts them back.
pub fn may_lack(script: &str, change: &Change) -> bool {
    change.backup.is_some() && matches!(script, "backup.sql" | "rollback.sql")
}

/// The content digest of a change by the SHA-256 of its four scripts, each in hex; empty for one that is left out.
pub(super) fn content_digest(scripts: &[&str], change: &Change) -> String {
    let mut text = String::new();
    for (name, content) in CHANGE_SCRIPTS.iter().zip(scripts) {
        text.push_str(&format!("{name} {content}\n"));
    }
    let Change { mode, rows, class, backup, .. } = change;
    text.push_str(&format!("{} {} {} {class:?}", mode.name(), rows.min, rows.max));
    if let Some(backup) = backup {
        text.push_str(&format!("\nbackup {}", serde_json::json!(backup)));
    }
    sha256(text.as_bytes())
}

/// In hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl RunCopy {
    /// Content digest of a change: SHA-256 over its four scripts, mode, row limits, class and `backup:`, in hex. `None` when
    /// a script is not there. Promotion from environment to environment compares it.
    pub fn content_digest(&self, change: &Change) -> Option<String> {
        let mut scripts = Vec::with_capacity(CHANGE_SCRIPTS.len());
        for script in CHANGE_SCRIPTS {
            let digest = self.files.get(&change.folder.join(script)).map(String::as_str);
            scripts.push(digest.or_else(|| may_lack(script, change).then_some(""))?);
        }
        Some(content_digest(&scripts, change))
    }

    /// Whether a file of the site belongs to a run of a batch: it lies in the folder of the batch's file, or in that of
    /// a change that the run may execute.
    pub fn wants(site: &Site, batch_folder: &Path, file: &Path) -> bool {
        file.starts_with(batch_folder)
            || site.changes.values().any(|change| file.starts_with(&change.folder))
    }
}
