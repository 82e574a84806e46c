//! Unix sockets in folders with long names: a socket's path may have 107 bytes, a folder's more.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// A short way to a socket, through its folder's descriptor. Good for as long as it lives.
pub(super) struct ShortPath {
    _folder: File,
    path: PathBuf,
}

impl ShortPath {
    pub(super) fn of(folder: &Path, name: &str) -> io::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "driver: a folder is opened to name a socket in it"
        )]
        let folder = File::open(folder)?;
        let path = format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()).into();
        Ok(Self { _folder: folder, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
