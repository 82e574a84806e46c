//! The agent's folder: one agent at a time, its log, and the few facts that it must keep: the highest epoch, the
//! spool's id, the last boot of the host.
#![expect(clippy::disallowed_methods, reason = "the agent keeps its own files and reads the clock")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::types::{BootId, Epoch};
use crate::wire::spool;

const LOG_LIMIT: u64 = 4 * 1024 * 1024;

/// Why an agent cannot use its folder.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    #[error("another agent already serves {0}: use that one, or end it first")]
    InUse(PathBuf),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("{path} does not hold {what}: put it back from a copy; it must not be guessed")]
    Damaged { path: PathBuf, what: &'static str },
}

/// The folder, held by this process until it ends.
pub(super) struct AgentFolder {
    pub(super) dir: PathBuf,
    /// Held for its lock. No other code of this process may open this file: closing any descriptor of it would give up
    /// the lock.
    lock: File,
    /// Kernel boot id and spool id, as told to supervisors.
    pub(super) boot: BootId,
    /// Whether the host has restarted since the spool was last looked through.
    pub(super) other_boot: bool,
    /// The highest epoch seen.
    pub(super) epoch: Epoch,
    log: Log,
}

/// Lines with their time, for people.
#[derive(Debug, Clone)]
pub(super) struct Log(PathBuf);

impl Log {
    /// For tests that log nothing.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self(PathBuf::from("/dev/null"))
    }

    pub(super) fn line(&self, words: &str) {
        let line = format!("{} {words}\n", jiff::Timestamp::now());
        // Nowhere is left to say that the log itself cannot be written.
        let _ = self.append(line.as_bytes());
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(&self.0);
        let mut file = open()?;
        // An agent may live for years.
        if file.metadata()?.len() > LOG_LIMIT {
            self.begin_anew()?;
            file = open()?;
        }
        file.write_all(line)
    }

    /// Keeps what was written as the one older log.
    fn begin_anew(&self) -> io::Result<()> {
        fs::rename(&self.0, self.0.with_extension("log.1"))
    }
}

impl AgentFolder {
    /// Makes the folder where there is none, and holds it. `held`: the lock of the program that this one goes on for,
    /// which has the same process id.
    pub(super) fn open(dir: &Path, held: Option<File>) -> Result<Self, FolderError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| FolderError::Io { path: path.clone(), error }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
        let dir = fs::canonicalize(dir).map_err(at(dir))?;
        let lock_path = dir.join(spool::LOCK);
        let open = || {
            let mut how = OpenOptions::new();
            how.write(true).create(true).truncate(false).mode(0o600).open(&lock_path)
        };
        let lock = held.map_or_else(open, Ok).map_err(at(&lock_path))?;
        rustix::fs::fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| FolderError::InUse(dir.clone()))?;
        for name in [spool::SPOOL, spool::LIVE] {
            let path = dir.join(name);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(at(&path)(e)),
                _ => {}
            }
        }
        let log_path = dir.join(spool::LOG);
        let kernel = kernel_boot().map_err(at(Path::new(BOOT)))?;
        let spool_id = spool_id(&dir)?;
        let other_boot = match fs::read_to_string(dir.join("boot")) {
            Ok(last) => last.trim() != kernel,
            Err(_) => true,
        };
        let epoch = read_epoch(&dir.join("epoch"))?;
        let boot = BootId(format!("{kernel}:{spool_id}"));
        Ok(Self { boot, other_boot, epoch, log: Log(log_path), lock, dir })
    }

    /// Of the descriptor that holds the folder.
    pub(super) fn lock_number(&self) -> RawFd {
        self.lock.as_raw_fd()
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Keeps a higher epoch, durably, before anybody is told that it was taken.
    pub(super) fn raise_epoch(&mut self, epoch: Epoch) -> io::Result<()> {
        write_durably(&self.dir, "epoch", &format!("{}\n", epoch.0))?;
        self.epoch = epoch;
        Ok(())
    }

    /// The spool has been looked through since the host started. Not synced: where a crash of the host takes it, or half
    /// of it, the host has another boot id by then, and the spool is looked through again.
    pub(super) fn note_boot(&self) -> io::Result<()> {
        let new = self.dir.join("boot.tmp");
        fs::write(&new, format!("{}\n", self.kernel_boot()))?;
        fs::rename(new, self.dir.join("boot"))
    }

    /// Jobs that run as other accounts must reach the files that they are given; they still cannot list any folder.
    pub(super) fn let_others_pass(&self) -> io::Result<()> {
        for path in [self.dir.clone(), self.dir.join(spool::SPOOL)] {
            fs::set_permissions(path, Permissions::from_mode(0o711))?;
        }
        Ok(())
    }

    /// The kernel's part of `boot`.
    pub(super) fn kernel_boot(&self) -> &str {
        self.boot.0.split(':').next().unwrap_or_default()
    }
}

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

fn kernel_boot() -> io::Result<String> {
    #[cfg(feature = "faults")]
    if let Ok(given) = std::env::var("NIGHTRUN_BOOT_ID") {
        return Ok(given);
    }
    Ok(fs::read_to_string(BOOT)?.trim().to_owned())
}

/// 128 random bits, in hex: tells this spool from one that was made anew in its place.
fn spool_id(dir: &Path) -> Result<String, FolderError> {
    let path = dir.join("spool-id");
    let io = |error| FolderError::Io { path: path.clone(), error };
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() == 32 => return Ok(text.trim().to_owned()),
        Ok(_) => return Err(FolderError::Damaged { path, what: "a spool's id" }),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(e)),
        Err(_) => {}
    }
    let mut random = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut random))
        .map_err(io)?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    write_durably(dir, "spool-id", &format!("{id}\n")).map_err(io)?;
    Ok(id)
}

fn read_epoch(path: &Path) -> Result<Epoch, FolderError> {
    match fs::read_to_string(path) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Epoch)
            .map_err(|_| FolderError::Damaged { path: path.to_owned(), what: "an epoch" }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Epoch(0)),
        Err(error) => Err(FolderError::Io { path: path.to_owned(), error }),
    }
}

fn write_durably(dir: &Path, name: &str, text: &str) -> io::Result<()> {
    let tmp = dir.join(format!("{name}.tmp"));
    let mut file = File::create(&tmp)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&tmp, dir.join(name))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_has_grown_begins_anew_and_one_older_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log(dir.path().join("agent.log"));
        fs::write(&log.0, "x".repeat(LOG_LIMIT as usize + 1)).unwrap();
        log.line("first");
        log.line("second");
        assert_eq!(fs::read_to_string(&log.0).unwrap().lines().count(), 2);
        assert_eq!(fs::metadata(dir.path().join("agent.log.1")).unwrap().len(), LOG_LIMIT + 1);
    }
}
