//! One change at a time on a target: a lock file beside the database, held as long as the worker lives.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::agent::worker::log::say;

/// How long a change waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// The lock. The kernel lets go of it when the process ends, however it ends; the file stays.
pub(super) struct TargetLock {
    _file: File,
}

/// Takes the lock of a target.
#[expect(clippy::disallowed_methods, reason = "the kernel has no lock that waits with a limit")]
pub(super) fn take(target: &Path) -> Result<TargetLock, String> {
    let mut path = target.as_os_str().to_owned();
    path.push(".nightrun-lock");
    let path = Path::new(&path);
    let options = File::options().create(true).truncate(false).write(true).open(path);
    let file = options.map_err(|error| format!("{} cannot be opened: {error}", path.display()))?;
    let mut waited = Duration::ZERO;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(TargetLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) if waited < PATIENCE => {
                if waited.is_zero() {
                    say!("another change works on the target; waiting for it");
                }
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(format!(
                    "another change still works on the target ({})",
                    path.display()
                ));
            }
            Err(error) => return Err(format!("{} cannot be locked: {error}", path.display())),
        }
    }
}
