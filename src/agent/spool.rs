//! The spool: what the agent and its shims keep of every attempt. Nothing here is fsynced: an id that an agent of
//! another boot does not know is `lost`, never "not started".
//!
//! The protocol between a shim and whoever might take it for dead: the shim holds the lock on `live/<attempt>` from
//! before it starts anything until its process is gone, and a verdict is written in its place only under that lock. A
//! shim that gets the lock late finds the verdict and starts nothing.
#![expect(clippy::disallowed_methods, reason = "the agent keeps its own files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::FlockOperation;
use rustix::process::{Flock, FlockType, Pid, PidfdFlags, fcntl_getlk, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::types::AttemptId;
use crate::wire::{Ended, Start, spool};

/// The files of one attempt.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Everything that is kept of it.
    pub(super) folder: PathBuf,
    /// Its lock and record; gone when its ending is in the journal.
    pub(super) live: PathBuf,
}

impl Places {
    pub(super) fn of(agent_dir: &Path, attempt: &AttemptId) -> Self {
        let name = spool::folder_name(attempt);
        Self {
            folder: agent_dir.join(spool::SPOOL).join(&name),
            live: agent_dir.join("live").join(&name),
        }
    }

    pub(super) fn out(&self) -> PathBuf {
        self.folder.join(spool::OUT)
    }

    pub(super) fn err(&self) -> PathBuf {
        self.folder.join(spool::ERR)
    }

    /// What the job hands on: the path that `NIGHTRUN_OUT` names.
    pub(super) fn values(&self) -> PathBuf {
        self.folder.join("values")
    }

    /// How the attempt is to be ended; `None` where that could not be written.
    pub(super) fn kill_request(&self) -> Option<KillRequest> {
        serde_json::from_slice(&fs::read(self.folder.join("kill.json")).ok()?).ok()
    }

    /// Makes the attempt's folder: the claim that it is started by this call and never again. False: it is known.
    pub(super) fn claim(&self) -> io::Result<bool> {
        match fs::DirBuilder::new().mode(0o700).create(&self.folder) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Opens the record and takes its lock; `None` when another process has it.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        let file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.live)?;
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The shim, when it lives, and a descriptor that tells of its end.
    pub(super) fn shim(&self) -> io::Result<Option<(Pid, OwnedFd)>> {
        let Some(pid) = self.holder()? else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // Asked again: between the two calls the pid could have gone to somebody else.
            Ok(pidfd) if self.holder()? == Some(pid) => Ok(Some((pid, pidfd))),
            Ok(_) | Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The process that holds the lock, as the kernel names it.
    fn holder(&self) -> io::Result<Option<Pid>> {
        let file = match OpenOptions::new().read(true).write(true).open(&self.live) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
        Ok(held.and_then(|lock| lock.pid))
    }

    /// How it ended; `None` while that is not written (or not readable, after a crash of the host).
    pub(super) fn ended(&self) -> Option<Ended> {
        let bytes = fs::read(self.folder.join(spool::ENDED)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(super) fn write_ended(&self, ended: &Ended) -> io::Result<()> {
        self.put(spool::ENDED, &serde_json::to_vec(ended)?)
    }

    /// Asks the shim for an end; it is read when SIGUSR1 reaches the shim.
    pub(super) fn write_kill_request(&self, request: KillRequest) -> io::Result<()> {
        self.put("kill.json", &serde_json::to_vec(&request)?)
    }

    /// A whole file or none, for whoever reads at the same time.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let tmp = self.folder.join(format!("{name}.tmp"));
        write_new(&tmp, bytes)?;
        fs::rename(tmp, self.folder.join(name))
    }

    pub(super) fn record(&self) -> Record {
        Record::read(&fs::read_to_string(&self.live).unwrap_or_default())
    }

    /// The ending is in the journal: it is not offered again. The record moves to the rest; it is not deleted, because
    /// ext4 makes files slowly where others were deleted within seconds.
    pub(super) fn forget(&self) -> io::Result<()> {
        match fs::rename(&self.live, self.folder.join("record")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// A file of the attempt, readable by the agent's account only.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

/// Attempts whose endings are not known to be in the journal, or that run.
pub(super) fn live_attempts(agent_dir: &Path) -> io::Result<Vec<AttemptId>> {
    attempts_in(&agent_dir.join("live"))
}

/// Every attempt that the spool has a folder of.
pub(super) fn all_attempts(agent_dir: &Path) -> io::Result<Vec<AttemptId>> {
    attempts_in(&agent_dir.join(spool::SPOOL))
}

fn attempts_in(folder: &Path) -> io::Result<Vec<AttemptId>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.extend(entry?.file_name().to_str().and_then(spool::attempt_of));
    }
    Ok(found)
}

/// How a person or a supervisor wants an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KillRequest {
    pub(super) grace_ms: u64,
}

/// Second line of a record, after the `Start` itself; written under the lock before the program is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watched {
    pub(super) shim: u32,
    pub(super) boot: String,
}

/// Third line, written after `exec` has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) at: Timestamp,
}

/// What a shim has said of its attempt, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) watched: Option<Watched>,
    pub(super) running: Option<Running>,
}

impl Record {
    fn read(text: &str) -> Self {
        let mut lines = text.lines().skip(1);
        let watched = lines.next().and_then(|line| serde_json::from_str(line).ok());
        let running = lines.next().and_then(|line| serde_json::from_str(line).ok());
        Self { watched, running }
    }
}

/// What the program is, and that it may have been started from here on: in one write, so that it costs no file more.
pub(super) fn begin_record(record: &mut File, start: &Start, watched: &Watched) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(start)?;
    bytes.push(b'\n');
    serde_json::to_writer(&mut bytes, watched)?;
    bytes.push(b'\n');
    record.write_all(&bytes)
}

pub(super) fn add_running(record: &mut File, running: &Running) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(running)?;
    bytes.push(b'\n');
    record.write_all(&bytes)
}
