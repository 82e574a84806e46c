//! A store that nobody can be writing, in a folder that cannot be written: on a disk that is mounted read-only, or of
//! another account. SQLite in WAL mode makes files beside its own even to read, which it cannot there.

#![expect(clippy::disallowed_methods, reason = "driver: it looks at the store's own files")]

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, FlockOperation, accessat, flock};

use super::file;
use super::open::FILE;

/// Leave to read the file alone and as it lies (`immutable`), without locks and without files beside it. As long as it
/// is held no supervisor can take the store's lock: a folder that one account cannot write, another one may.
#[derive(Debug)]
pub(super) struct Still {
    _lock: Option<File>,
}

impl Still {
    /// `None`: the store may change, or not all of it is in its file; SQLite is to read it in its own way.
    pub(super) fn of(state: &Path) -> Option<Self> {
        if is_writable(state) {
            return None;
        }
        let lock = match File::open(state.join("store.lock")) {
            Ok(lock) => {
                flock(&lock, FlockOperation::NonBlockingLockShared).ok()?;
                Some(lock)
            }
            // A copy of the file alone: no supervisor was ever here.
            Err(why) if why.kind() == ErrorKind::NotFound => None,
            Err(_) => return None,
        };
        // Looked for under the lock: whoever had it may have left something.
        (!has_wal(&state.join(FILE))).then_some(Self { _lock: lock })
    }
}

/// Whether files can be made in a folder, by this account and on this mount.
pub(super) fn is_writable(folder: &Path) -> bool {
    accessat(CWD, folder, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

/// Whether there is anything beside the file that a closing connection would fold into it.
pub(super) fn has_wal(path: &Path) -> bool {
    std::fs::metadata(file::beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0)
}
