//! What lets nightrun in at a server: the password from its file, and whom it trusts.

use std::path::Path;

use super::answer::DbError;
use crate::definition::site::Server;

/// The password, read each time, so that a changed one needs no restart.
#[expect(
    clippy::disallowed_methods,
    reason = "the worker reads its password itself: no order holds it"
)]
pub(super) fn password(server: &Server) -> Result<Option<String>, DbError> {
    let Some(file) = &server.password_file else { return Ok(None) };
    let text = std::fs::read_to_string(file).map_err(|why| unreadable(file, &why))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Names a file of certificates that cannot be read; sqlx does not.
#[expect(clippy::disallowed_methods, reason = "the worker reads whom it trusts")]
pub(super) fn trusted(file: &Path) -> Result<(), DbError> {
    std::fs::File::open(file).map(drop).map_err(|why| unreadable(file, &why))
}

pub(super) fn unreadable(file: &Path, why: &dyn std::fmt::Display) -> DbError {
    DbError::refused(format!("{}: {why}", file.display()))
}
