//! The four scripts of a change, read from the run's copy of its folder.

use std::path::Path;

use crate::agent::worker::script::refused;
use crate::agent::worker::source::{self, SourceError};
use crate::sql::lint::{self, ChangeScripts, Mode, Part};
use crate::sql::{Dialect, Script, split};

pub(super) struct Scripts {
    dialect: Dialect,
    backup: String,
    change: String,
    verify: String,
    rollback: String,
}

impl Scripts {
    pub(super) fn read(folder: &Path, dialect: Dialect) -> Result<Self, SourceError> {
        let read = |part: Part| source::read(&folder.join(part.file()));
        Ok(Self {
            dialect,
            backup: read(Part::Backup)?,
            change: read(Part::Change)?,
            verify: read(Part::Verify)?,
            rollback: read(Part::Rollback)?,
        })
    }

    /// Tells what is wrong with them; true where that stops the change.
    pub(super) fn refused(&self) -> bool {
        let Self { dialect, backup, change, verify, rollback } = self;
        let scripts = ChangeScripts { backup, change, verify, rollback };
        refused(&lint::change(*dialect, Mode::OneTransaction, &scripts), "")
    }

    pub(super) fn text(&self, part: Part) -> &str {
        match part {
            Part::Backup => &self.backup,
            Part::Change => &self.change,
            Part::Verify => &self.verify,
            Part::Rollback => &self.rollback,
        }
    }

    pub(super) fn split(&self, part: Part) -> Script<'_> {
        split(self.dialect, self.text(part))
    }
}
