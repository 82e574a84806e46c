//! How far each log was read, kept on its host from one round to the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::log_lines::Mark;
use crate::types::{AttemptId, CheckName, RunId};

/// What the rounds before have left.
pub(super) struct Memory {
    /// `None`: nothing is kept.
    file: Option<PathBuf>,
    kept: Kept,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// The run that read last.
    run: Option<RunId>,
    /// Where it began: another attempt of the same run begins there too, so that what one has seen is not lost with it.
    before: BTreeMap<CheckName, Mark>,
    /// Where it ended.
    after: BTreeMap<CheckName, Mark>,
}

impl Memory {
    /// # Errors
    /// In words, where what was kept cannot be read: then nobody knows which lines are new.
    #[expect(clippy::disallowed_methods, reason = "the worker keeps how far it has read")]
    pub(super) fn open(file: Option<&Path>, attempt: Option<&AttemptId>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self { file: None, kept: Kept::default() }) };
        let bad = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        let mut kept: Kept = match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|why| bad(&why))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(bad(&error)),
        };
        let run = attempt.map(|attempt| attempt.run.clone());
        if kept.run.is_none() || kept.run != run {
            kept.before.clone_from(&kept.after);
            kept.run = run;
        }
        Ok(Self { file: Some(file.to_owned()), kept })
    }

    /// Where this round begins to read; `None`: there was none before.
    pub(super) fn since(&self, check: &CheckName) -> Option<Mark> {
        self.kept.before.get(check).copied()
    }

    /// A first round of a log begins where it stood then, for its other attempts too.
    pub(super) fn remember(&mut self, check: CheckName, (from, to): (Mark, Mark)) {
        self.kept.before.entry(check.clone()).or_insert(from);
        self.kept.after.insert(check, to);
    }

    /// Whole or not at all.
    #[expect(clippy::disallowed_methods, reason = "the worker keeps how far it has read")]
    pub(super) fn keep(self) -> Result<(), String> {
        let Some(file) = self.file.filter(|_| !self.kept.after.is_empty()) else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let draft = file.with_extension(format!("{}.tmp", std::process::id()));
            std::fs::write(&draft, serde_json::to_vec(&self.kept)?)?;
            std::fs::rename(&draft, &file)
        };
        write().map_err(|why| format!("{}: {why}", file.display()))
    }
}
