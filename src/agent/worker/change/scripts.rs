//! The four scripts of a change, read from the run's copy of its folder.

use std::path::Path;

use crate::agent::worker::script::refused;
use crate::agent::worker::source::{self, SourceError};
use crate::definition::site::{Backup, ChangeMode};
use crate::sql::lexer::Lexer;
use crate::sql::lint::{self, ChangeScripts, Mode, Part};
use crate::sql::{Dialect, Script, split};

pub(super) struct Scripts {
    dialect: Dialect,
    mode: Mode,
    /// `None`: nightrun keeps the rows itself.
    backup: Option<String>,
    change: String,
    verify: String,
    /// `None`: nightrun puts the kept rows back.
    rollback: Option<String>,
    kept: Vec<String>,
}

impl Scripts {
    pub(super) fn read(
        folder: &Path,
        dialect: Dialect,
        mode: ChangeMode,
        backup: Option<&Backup>,
    ) -> Result<Self, SourceError> {
        let mode = match mode {
            ChangeMode::Transactional => Mode::OneTransaction,
            ChangeMode::Journalled => Mode::Journalled,
        };
        let read = |part: Part| source::read(&folder.join(part.file()));
        let kept = backup.map(|backup| backup.tables.iter().map(|table| table.table.clone()));
        let puts_back = backup.is_some() && !folder.join(Part::Rollback.file()).exists();
        Ok(Self {
            dialect,
            mode,
            backup: if backup.is_some() { None } else { Some(read(Part::Backup)?) },
            change: read(Part::Change)?,
            verify: read(Part::Verify)?,
            rollback: if puts_back { None } else { Some(read(Part::Rollback)?) },
            kept: kept.into_iter().flatten().collect(),
        })
    }

    /// Tells what is wrong with them; true where that stops the change.
    pub(super) fn refused(&self) -> bool {
        let Self { dialect, mode, backup, change, verify, rollback, kept } = self;
        let (backup, rollback) = (backup.as_deref(), rollback.as_deref());
        let scripts = ChangeScripts { backup, change, verify, rollback, kept };
        refused(&lint::change(*dialect, *mode, &scripts), "")
    }

    /// Whether a name stands in one of the scripts that write.
    pub(super) fn name(&self, name: &str) -> bool {
        Part::ALL.into_iter().filter(|part| *part != Part::Verify).any(|part| {
            Lexer::new(self.dialect, self.text(part))
                .any(|token| token.name().is_some_and(|other| other.eq_ignore_ascii_case(name)))
        })
    }

    /// Empty where nightrun does the work itself.
    pub(super) fn text(&self, part: Part) -> &str {
        match part {
            Part::Backup => self.backup.as_deref().unwrap_or_default(),
            Part::Change => &self.change,
            Part::Verify => &self.verify,
            Part::Rollback => self.rollback.as_deref().unwrap_or_default(),
        }
    }

    pub(super) fn is_there(&self, part: Part) -> bool {
        match part {
            Part::Backup => self.backup.is_some(),
            Part::Rollback => self.rollback.is_some(),
            Part::Change | Part::Verify => true,
        }
    }

    pub(super) fn split(&self, part: Part) -> Script<'_> {
        split(self.dialect, self.text(part))
    }
}
