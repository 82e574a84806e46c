//! nightrun in a file of its own, which is replaced as a package manager does it: a new file takes the place of the old.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a copy of the program says in place of this release: as long as it.
pub(crate) fn next_release() -> String {
    let own = env!("CARGO_PKG_VERSION");
    format!("{}~", &own[..own.len() - 1])
}

pub(crate) struct Installed {
    pub(crate) path: PathBuf,
}

impl Installed {
    /// This release.
    pub(crate) fn at(path: PathBuf) -> Self {
        let installed = Self { path };
        installed.put(&built());
        installed
    }

    /// The next release, made of this one.
    pub(crate) fn upgrade(&self) {
        self.put(&next());
    }

    /// The same release, built anew.
    pub(crate) fn rebuild(&self) {
        self.put(&built());
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        let new = self.path.with_extension("new");
        fs::write(&new, bytes).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, &self.path).unwrap();
    }
}

fn built() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_BIN_EXE_nightrun"))).unwrap()
}

fn next() -> Vec<u8> {
    let own = format!("nightrun release {}", env!("CARGO_PKG_VERSION"));
    let other = format!("nightrun release {}", next_release());
    let mut bytes = built();
    let places = all(&bytes, own.as_bytes());
    assert!(!places.is_empty(), "the program does not say which release it is");
    for at in places {
        bytes[at..at + other.len()].copy_from_slice(other.as_bytes());
    }
    bytes
}

fn all(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let first = wanted[0];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.map(|(at, _)| at).filter(|at| bytes[*at..].starts_with(wanted)).collect()
}
