//! The spool: what the agent and its shims keep of every attempt. Nothing here is fsynced: an id that an agent of
//! another boot does not know is `lost`, never "not started".
//!
//! The protocol between a shim and whoever might take it for dead: the shim holds the lock on `live/<attempt>` from
//! before it starts anything until the ending is in the record, and a verdict is written in its place only under that
//! lock. A shim that gets the lock late finds the verdict and starts nothing.
#![expect(clippy::disallowed_methods, reason = "the agent keeps its own files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::FlockOperation;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use serde::{Deserialize, Serialize};

use super::kernel;
use crate::types::AttemptId;
use crate::wire::{Ended, FromAgent, spool};

/// The files of one attempt.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Everything that is kept of it.
    pub(super) folder: PathBuf,
    /// Its lock and record; gone when its ending is in the journal.
    pub(super) live: PathBuf,
}

/// The process that holds an attempt's lock.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) pid: Pid,
    /// Tells of its end, where the kernel has such a thing.
    pub(super) pidfd: Option<OwnedFd>,
}

impl Places {
    pub(super) fn of(agent_dir: &Path, attempt: &AttemptId) -> Self {
        let name = spool::folder_name(attempt);
        Self {
            folder: agent_dir.join(spool::SPOOL).join(&name),
            live: agent_dir.join(spool::LIVE).join(&name),
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

    /// Takes a claim back that nobody was told of: as if it had never been.
    pub(super) fn unclaim(&self) -> io::Result<()> {
        fs::remove_dir(&self.folder)
    }

    /// Opens the record and takes its lock; `None` when another process has it.
    pub(super) fn lock(&self) -> io::Result<Option<RecordFile>> {
        let file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.live)?;
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => RecordFile::of(file).map(Some),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The shim, when it lives.
    pub(super) fn shim(&self) -> io::Result<Option<Holder>> {
        let Some(pid) = self.holder()? else { return Ok(None) };
        match kernel::pidfd(pid) {
            // Asked again: between the two calls the pid could have gone to somebody else.
            Ok(pidfd) if self.holder()? == Some(pid) => Ok(Some(Holder { pid, pidfd })),
            Ok(_) => Ok(None),
            Err(e) if e.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The process that holds the lock, as the kernel names it.
    pub(super) fn holder(&self) -> io::Result<Option<Pid>> {
        lock_holder(&self.live)
    }

    /// The line that says how it ended; `None` while that is not written (or not readable, after a crash of the host).
    pub(super) fn ended(&self) -> Option<Vec<u8>> {
        [&self.live, &self.kept()].into_iter().find_map(|path| ended_line(&fs::read(path).ok()?))
    }

    /// The record, once the ending is in the journal.
    pub(super) fn kept(&self) -> PathBuf {
        self.folder.join(spool::RECORD)
    }

    /// Asks the shim for an end; it is read when SIGUSR1 reaches the shim.
    pub(super) fn write_kill_request(&self, request: KillRequest) -> io::Result<()> {
        // A whole file or none, for whoever reads at the same time.
        let tmp = self.folder.join("kill.json.tmp");
        write_new(&tmp, &serde_json::to_vec(&request)?)?;
        fs::rename(tmp, self.folder.join("kill.json"))
    }

    pub(super) fn record(&self) -> Record {
        Record::read(&fs::read(&self.live).unwrap_or_default())
    }

    /// The ending is in the journal: it is not offered again. The record moves to the rest; it is not deleted, because
    /// ext4 makes files slowly where others were deleted within seconds.
    pub(super) fn forget(&self) -> io::Result<()> {
        match fs::rename(&self.live, self.kept()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// The process that holds the lock on this file; never asked by that process itself, which would give it up so.
pub(super) fn lock_holder(path: &Path) -> io::Result<Option<Pid>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
    Ok(held.and_then(|lock| lock.pid))
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
    attempts_in(&agent_dir.join(spool::LIVE))
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

fn ended_line(record: &[u8]) -> Option<Vec<u8>> {
    let line = spool::ended_line(record)?;
    serde_json::from_slice::<Ended>(line).ok()?;
    Some(line.to_owned())
}

/// A record that this process has locked. The lock goes with it, and also when this process closes any other descriptor
/// of the file: what it holds is read here, never from the path.
pub(super) struct RecordFile {
    file: File,
    /// What it held when it was locked.
    text: Vec<u8>,
    /// Bytes of its whole lines.
    whole: u64,
    /// Whether something stands behind them that was not written to its end.
    torn: bool,
}

impl RecordFile {
    fn of(mut file: File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self { file, text: Vec::new(), whole: 0, torn: false });
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Ok(Self { file, whole: whole as u64, torn: whole < text.len(), text })
    }

    /// What its shim had said when it was locked.
    pub(super) fn record(&self) -> Record {
        Record::read(&self.text)
    }

    /// The ending that was there when it was locked.
    pub(super) fn ended(&self) -> Option<Vec<u8>> {
        ended_line(&self.text)
    }

    /// Nobody has begun the attempt, and nobody has given a verdict.
    pub(super) fn is_empty(&self) -> bool {
        self.whole == 0
    }

    /// Adds these whole lines, or nothing: what a full disk takes of them is cut off again.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.whole)?;
            self.torn = false;
        }
        if let Err(e) = self.file.write_all(lines) {
            self.torn = self.file.set_len(self.whole).is_err();
            return Err(e);
        }
        self.whole += lines.len() as u64;
        Ok(())
    }
}

/// One line of a record, or of the protocol.
pub(super) fn line(what: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(line)
}

/// The program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) at: Timestamp,
}

impl Running {
    /// As it is kept and told.
    pub(super) fn line(self, attempt: &AttemptId) -> io::Result<Vec<u8>> {
        line(&FromAgent::Started { attempt: attempt.clone(), pid: self.pid, at: self.at })
    }
}

/// The lines of a record that the agent reads back, beside its ending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "say")]
pub(super) enum Line {
    /// Follows the order; written under the lock before the program is started.
    Watched { shim: u32, boot: String },
    /// Written after `exec` has succeeded.
    Started(Running),
    #[serde(other)]
    Another,
}

/// What a shim has said of its attempt, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// Boot of the host in which the program may have been started.
    pub(super) boot: Option<String>,
    pub(super) running: Option<Running>,
}

impl Record {
    fn read(text: &[u8]) -> Self {
        let mut record = Self::default();
        let whole = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        for line in text[..whole].split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Line::Watched { boot, .. }) => record.boot = Some(boot),
                Ok(Line::Started(running)) => record.running = Some(running),
                Ok(Line::Another) | Err(_) => {}
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(places: &Places) -> Option<String> {
        places.ended().map(|line| String::from_utf8(line).unwrap())
    }

    #[test]
    fn a_torn_line_counts_as_not_written_and_is_cut_off_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let attempt: AttemptId = "a@b#1/c/1".parse().unwrap();
        let places = Places::of(dir.path(), &attempt);
        fs::create_dir(dir.path().join("live")).unwrap();
        fs::create_dir_all(&places.folder).unwrap();
        let at = Timestamp::from_second(1).unwrap();
        let mut file = places.lock().unwrap().unwrap();
        assert!(file.is_empty());
        file.append(&line(&Line::Watched { shim: 7, boot: "x".to_owned() }).unwrap()).unwrap();
        file.append(&Running { pid: 8, at }.line(&attempt).unwrap()).unwrap();
        let how = super::super::verdict::bare(&attempt, crate::types::Ending::Killed);
        let ended = line(&FromAgent::Ended(Box::new(how))).unwrap();
        file.file.write_all(&ended[..ended.len() - 1]).unwrap();
        drop(file);
        assert_eq!(ending(&places), None);
        let record = Record { boot: Some("x".to_owned()), running: Some(Running { pid: 8, at }) };
        assert_eq!(places.record(), record);
        let mut file = places.lock().unwrap().unwrap();
        assert!(!file.is_empty() && file.ended().is_none());
        assert_eq!(file.record(), record);
        file.append(&ended).unwrap();
        assert_eq!(ending(&places).unwrap().into_bytes(), ended);
        assert_eq!(places.record(), record);
        places.forget().unwrap();
        assert_eq!(ending(&places).unwrap().into_bytes(), ended);
    }
}
