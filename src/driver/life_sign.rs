//! Life signs as a file, and what a watcher keeps: each is there whole or not at all.

#![expect(clippy::disallowed_methods, reason = "driver: it writes and reads files")]

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Puts a value in the place of what a file held. May take as long as a file system that hangs.
pub fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let aside = beside(path, "new");
    let mut file = File::create(&aside)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

/// A name of its own for each file of a folder, whatever their endings are.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

/// Puts a file that cannot be read out of the way, for people to look at. Returns where it is now.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = beside(path, "damaged");
    std::fs::rename(path, &aside).map(|()| aside)
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
