//! One supervisor per store: a lock that the kernel frees when its holder dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::port::StoreError;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `<state>/store.lock`, and leaves the number of this process in it for whoever is refused.
    pub(super) fn take(state: &Path) -> Result<Self, StoreError> {
        let path = state.join("store.lock");
        let trouble =
            |why: std::io::Error| StoreError::Trouble(format!("{}: {why}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(trouble)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(StoreError::InUse(holder(&mut file, &path))),
            Err(why) => return Err(trouble(why.into())),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(trouble)?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File, path: &Path) -> String {
    let mut pid = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut pid));
    match (read, pid.trim()) {
        (Ok(_), pid) if !pid.is_empty() => format!(" (process {pid} holds {})", path.display()),
        _ => format!(" (a process that is just starting holds {})", path.display()),
    }
}
