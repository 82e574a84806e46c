//! Life signs as a file, and what a watcher keeps: each is there whole or not at all.

#![expect(clippy::disallowed_methods, reason = "driver: it writes and reads files")]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Puts a value in the place of what a file held. May take as long as a file system that hangs.
pub fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = File::create(&aside)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

/// `None`: there is no such file.
///
/// # Errors
/// In words.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let bad = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|why| bad(&why)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(bad(&why)),
    }
}
