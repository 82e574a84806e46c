//! The four scripts of a change, read from the run's copy of its folder.

use std::path::Path;

use crate::agent::worker::script::refused;
use crate::agent::worker::source::{self, SourceError};
use crate::definition::site::ChangeMode;
use crate::sql::lexer::Lexer;
use crate::sql::lint::{self, ChangeScripts, Mode, Part};
use crate::sql::{Dialect, Script, split};

pub(super) struct Scripts {
    dialect: Dialect,
    mode: Mode,
    backup: String,
    change: String,
    verify: String,
    rollback: String,
}

impl Scripts {
    pub(super) fn read(
        folder: &Path,
        dialect: Dialect,
        mode: ChangeMode,
    ) -> Result<Self, SourceError> {
        let mode = match mode {
            ChangeMode::Transactional => Mode::OneTransaction,
            ChangeMode::Journalled => Mode::Journalled,
        };
        let read = |part: Part| source::read(&folder.join(part.file()));
        Ok(Self {
            dialect,
            mode,
            backup: read(Part::Backup)?,
            change: read(Part::Change)?,
            verify: read(Part::Verify)?,
            rollback: read(Part::Rollback)?,
        })
    }

    /// Tells what is wrong with them; true where that stops the change.
    pub(super) fn refused(&self) -> bool {
        let Self { dialect, mode, backup, change, verify, rollback } = self;
        let scripts = ChangeScripts { backup, change, verify, rollback };
        refused(&lint::change(*dialect, *mode, &scripts), "")
    }

    /// Whether a name stands in one of the scripts that write.
    pub(super) fn name(&self, name: &str) -> bool {
        [&self.backup, &self.change, &self.rollback].into_iter().any(|text| {
            Lexer::new(self.dialect, text)
                .any(|token| token.name().is_some_and(|other| other.eq_ignore_ascii_case(name)))
        })
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
