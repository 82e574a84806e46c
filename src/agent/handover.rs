//! What an agent passes on to the program that it becomes: descriptors by their numbers, and what no file says. Process
//! id, children and record locks stay by themselves.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use serde::{Deserialize, Serialize};

use super::kernel;
use crate::types::AttemptId;

/// The form that is written here and can be read.
pub(super) const FORM: u32 = 1;

/// All of it, in a file in memory that the next program is given the number of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HandOver {
    form: u32,
    /// Of the program that passes it on.
    pub(super) release: String,
    pub(super) lock: RawFd,
    pub(super) listener: RawFd,
    pub(super) shims: Vec<PassedShim>,
    pub(super) watched: Vec<PassedAttempt>,
    /// Endings that the spool could not take: the lines that say so.
    pub(super) unkept: BTreeMap<AttemptId, String>,
}

/// A shim of the agent's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PassedShim {
    pub(super) pid: i32,
    pub(super) link: RawFd,
    pub(super) attempt: Option<AttemptId>,
    /// What has come of its next line.
    pub(super) input: Vec<u8>,
    /// What it has not taken yet of its order.
    pub(super) unsent: Vec<u8>,
    pub(super) leaves: bool,
}

/// An attempt that one of them has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PassedAttempt {
    pub(super) attempt: AttemptId,
    pub(super) pid: i32,
    /// The line that says that its program runs.
    pub(super) started: Option<String>,
}

impl HandOver {
    pub(super) fn new(release: &str, lock: RawFd, listener: RawFd) -> Self {
        Self {
            form: FORM,
            release: release.to_owned(),
            lock,
            listener,
            shims: Vec::new(),
            watched: Vec::new(),
            unkept: BTreeMap::new(),
        }
    }

    fn descriptors(&self) -> Vec<RawFd> {
        let links = self.shims.iter().map(|shim| shim.link);
        [self.lock, self.listener].into_iter().chain(links).collect()
    }

    /// Writes it down and lets its descriptors live on across an exec, until what comes back is dropped.
    pub(super) fn pass_on(&self) -> io::Result<Passed> {
        let mut file = File::from(memfd_create("nightrun-hand-over", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(self)?)?;
        let mut passed = Passed { file, kept: Vec::new() };
        for number in [self.descriptors(), vec![passed.file.as_raw_fd()]].concat() {
            passed.kept.push(number);
            fcntl_setfd(open(number)?, FdFlags::empty())?;
        }
        Ok(passed)
    }
}

/// Descriptors that live on across an exec. Where there was none after all they are as they were.
pub(super) struct Passed {
    file: File,
    kept: Vec<RawFd>,
}

impl Passed {
    /// What the next program is given.
    pub(super) fn number(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        for number in &self.kept {
            // Each is open: it could be set before.
            let _ = open(*number).and_then(|fd| Ok(fcntl_setfd(fd, FdFlags::CLOEXEC)?));
        }
    }
}

/// What was passed on to this program.
pub(super) struct Taken {
    pub(super) release: String,
    /// Until the folder has it.
    pub(super) lock: Option<File>,
    pub(super) listener: UnixListener,
    pub(super) shims: Vec<(PassedShim, UnixStream)>,
    pub(super) watched: Vec<PassedAttempt>,
    pub(super) unkept: BTreeMap<AttemptId, String>,
}

/// Takes what was passed on and closes everything else from 3 on, or all of it where it cannot be read: then the agent
/// begins as after a crash. To be called while nothing owns a descriptor.
pub(super) fn take(number: RawFd) -> io::Result<Taken> {
    let read = read(number);
    let kept = read.as_ref().map(HandOver::descriptors).unwrap_or_default();
    kernel::close_all_but(&kept)?;
    let HandOver { release, lock, listener, shims, watched, unkept, form: _ } = read?;
    for number in &kept {
        fcntl_setfd(open(*number)?, FdFlags::CLOEXEC)?;
    }
    let shims = shims.into_iter().map(|shim| {
        let link = UnixStream::from(own(shim.link));
        (shim, link)
    });
    Ok(Taken {
        release,
        lock: Some(File::from(own(lock))),
        listener: UnixListener::from(own(listener)),
        shims: shims.collect(),
        watched,
        unkept,
    })
}

fn read(number: RawFd) -> io::Result<HandOver> {
    if number < 3 {
        return Err(io::Error::other("it is none of the descriptors that are passed on"));
    }
    open(number)?;
    let mut file = File::from(own(number));
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    let read: HandOver = serde_json::from_slice(&text)?;
    if read.form != FORM {
        return Err(io::Error::other(format!("its form is {}, not {FORM}", read.form)));
    }
    let mut numbers = read.descriptors();
    numbers.iter().try_for_each(|number| open(*number).map(drop))?;
    numbers.sort_unstable();
    if numbers.iter().any(|n| *n < 3) || numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(io::Error::other("its descriptors are not what they should be"));
    }
    Ok(read)
}

/// A descriptor that is open, without owning it.
fn open(number: RawFd) -> io::Result<BorrowedFd<'static>> {
    if number < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    #[expect(unsafe_code, reason = "a number from another program, asked after before it is used")]
    // SAFETY: not -1; where it is not open the kernel says so, and it goes no further than this.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(fd.as_fd())?;
    Ok(fd)
}

fn own(number: RawFd) -> OwnedFd {
    #[expect(unsafe_code, reason = "the one owner of what was passed on")]
    // SAFETY: `open` has found it open, no two are the same, and nothing else of this program owns a descriptor yet.
    unsafe {
        OwnedFd::from_raw_fd(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_live_on_only_as_long_as_they_are_passed_on() {
        let (link, other) = UnixStream::pair().unwrap();
        let listener = other.as_raw_fd();
        let lock = tempfile::tempfile().unwrap();
        let mut all = HandOver::new("0.1.0", lock.as_raw_fd(), listener);
        let (input, unsent) = (b"{\"say\":".to_vec(), vec![0xff]);
        let shim = PassedShim {
            pid: 7,
            link: link.as_raw_fd(),
            attempt: None,
            input,
            unsent,
            leaves: false,
        };
        all.shims.push(shim);
        let flags = || fcntl_getfd(&link).unwrap();
        let passed = all.pass_on().unwrap();
        assert_eq!(flags(), FdFlags::empty());
        let number = rustix::io::dup(&passed.file).unwrap();
        // Owned by what reads it.
        assert_eq!(read(std::os::fd::IntoRawFd::into_raw_fd(number)).unwrap(), all);
        drop(passed);
        assert_eq!(flags(), FdFlags::CLOEXEC);
        let twice = HandOver::new("0.1.0", listener, listener).pass_on().unwrap();
        let number = rustix::io::dup(&twice.file).unwrap();
        assert!(read(std::os::fd::IntoRawFd::into_raw_fd(number)).is_err());
        assert!(read(-1).is_err());
    }
}
