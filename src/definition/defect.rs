//! What is wrong with a site's files, and where.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::source::Lines;

/// A stretch of one line, counted in characters. Lines and columns count from 1; line 0 means the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Place {
    pub line: u32,
    pub column: u32,
    pub length: u32,
}

impl Place {
    pub const WHOLE_FILE: Self = Self { line: 0, column: 0, length: 0 };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The site cannot be used.
    Error,
    /// It can; somebody should know.
    Warning,
}

/// One thing that is wrong. Serialised as `--format json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    pub severity: Severity,
    /// From the site's folder.
    pub file: PathBuf,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// In characters, from 1; 0 where the whole file is meant.
    pub column: u32,
    /// Characters that the caret underlines.
    pub length: u32,
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_line: Option<String>,
}

impl Defect {
    /// A finding in a file, with the line that it points at.
    pub fn of(file: &Path, lines: &Lines<'_>, finding: Finding) -> Self {
        let Finding { severity, at, what, hint } = finding;
        Self {
            severity,
            file: file.to_path_buf(),
            line: at.line,
            column: at.column,
            length: at.length,
            what,
            hint,
            source_line: lines.get(at.line),
        }
    }

    /// What defects are listed by: file, line, column; then what they say.
    pub fn order(&self) -> impl Ord + '_ {
        (&self.file, self.line, self.column, self.severity, &self.what)
    }
}

/// A defect that does not yet know its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub at: Place,
    pub what: String,
    pub hint: Option<String>,
}

impl Finding {
    pub fn error(at: Place, what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, at, what: what.into(), hint: None }
    }

    pub fn warning(at: Place, what: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(at, what) }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    pub fn maybe_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }
}
