//! What the agent would like of the kernel and can do without: each is tried, and has another way beside it.
//!
//! With the feature `faults`, `NIGHTRUN_WITHOUT=pidfd,close_range,dnotify` makes the named ones absent, so that tests walk the
//! other ways on any kernel.
#![expect(clippy::disallowed_methods, reason = "looks at the kernel's own files")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Something of the kernel that not every host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelFeature {
    pub name: &'static str,
    pub present: bool,
    /// What is done where it is absent.
    pub without: &'static str,
}

const PIDFD: &str = "pidfd";
const CLOSE_RANGE: &str = "close_range";
const DNOTIFY: &str = "dnotify";
const CGROUP: &str = "cgroup v2";

/// What this host's kernel offers of what the agent asks for; nothing of it is required.
pub fn kernel_features() -> Vec<KernelFeature> {
    let mine = rustix::process::getpid();
    vec![
        KernelFeature {
            name: PIDFD,
            present: pidfd(mine).is_ok_and(|found| found.is_some()),
            without: "a watcher that an earlier agent started is looked at once a second, by the lock on its record",
        },
        KernelFeature {
            name: CLOSE_RANGE,
            // No process has this many descriptors: nothing is closed.
            present: close_range(i32::MAX as u32, i32::MAX as u32),
            without: "what a process inherits is closed one by one, as /proc/self/fd names it",
        },
        KernelFeature {
            name: DNOTIFY,
            // Of nothing, which is taken back at once.
            present: dnotify(io::stderr().as_fd(), 0),
            without: "the size of each running job's output is looked at once a second",
        },
        KernelFeature {
            name: CGROUP,
            present: !told_to_do_without(CGROUP)
                && Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
            without: "nothing is lost: what a job leaves behind is found among its watcher's descendants",
        },
    ]
}

/// A descriptor that tells of the process's end; `None` where the kernel has none, or does not allow them here.
pub(super) fn pidfd(pid: Pid) -> io::Result<Option<OwnedFd>> {
    use rustix::io::Errno;
    if told_to_do_without(PIDFD) {
        return Ok(None);
    }
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(Errno::NOSYS | Errno::PERM) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// SIGIO comes once, when something in this folder is written or cut; false where the kernel tells of no such thing. It
/// is told so until the descriptor is closed, and at each call once more.
pub(super) fn tell_when_written(folder: BorrowedFd<'_>) -> bool {
    const DN_MODIFY: libc::c_int = 2;
    dnotify(folder, DN_MODIFY)
}

fn dnotify(folder: BorrowedFd<'_>, what: libc::c_int) -> bool {
    if told_to_do_without(DNOTIFY) {
        return false;
    }
    #[expect(unsafe_code, reason = "F_NOTIFY is only in libc")]
    // SAFETY: a plain call on an open descriptor.
    unsafe {
        libc::fcntl(folder.as_raw_fd(), libc::F_NOTIFY, what) == 0
    }
}

/// Closes every descriptor of this process from `first` to `last`. Only for a process in which nothing owns one of
/// them, or never uses it again.
pub(super) fn close_from_to(first: u32, last: u32) -> io::Result<()> {
    if !close_range(first, last) {
        close_one_by_one(first, last)?;
    }
    Ok(())
}

/// Closes every descriptor from 3 on but these; as [`close_from_to`].
pub(super) fn close_all_but(kept: &[i32]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|number| number.cast_unsigned()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for number in kept {
        if first < number {
            close_from_to(first, number - 1)?;
        }
        first = number + 1;
    }
    close_from_to(first, u32::MAX)
}

/// False where the kernel has no such call (before 5.9), or does not allow it here.
fn close_range(first: u32, last: u32) -> bool {
    if told_to_do_without(CLOSE_RANGE) {
        return false;
    }
    #[expect(unsafe_code, reason = "close_range has no safe form: it closes what others may own")]
    // SAFETY: see `close_from_to`, whose caller vouches for it.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, last, 0_u32) == 0
    }
}

fn close_one_by_one(first: u32, last: u32) -> io::Result<()> {
    // Collected first: the descriptor of the listing itself is among them, and closed by then.
    let open: Vec<u32> = std::fs::read_dir("/proc/self/fd")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        #[expect(unsafe_code, reason = "as close_range")]
        // SAFETY: see `close_from_to`, whose caller vouches for it.
        unsafe {
            libc::close(fd as i32);
        }
    }
    Ok(())
}

#[cfg(feature = "faults")]
fn told_to_do_without(name: &str) -> bool {
    std::env::var("NIGHTRUN_WITHOUT").is_ok_and(|names| names.split(',').any(|n| n == name))
}

#[cfg(not(feature = "faults"))]
#[inline(always)]
fn told_to_do_without(_name: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_told_once_with_what_is_done_without() {
        let names: Vec<&str> = kernel_features().iter().map(|feature| feature.name).collect();
        assert_eq!(names, [PIDFD, CLOSE_RANGE, DNOTIFY, CGROUP]);
        assert!(kernel_features().iter().all(|feature| !feature.without.is_empty()));
    }

    #[test]
    fn only_the_descriptors_that_are_named_are_closed() {
        use rustix::pipe::{PipeFlags, pipe_with};
        use std::os::fd::IntoRawFd;
        let kept = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let number = writer.into_raw_fd() as u32;
        close_one_by_one(number, number).unwrap();
        // A pipe that nobody can write to is at its end; one that somebody can is only empty.
        let mut byte = [0];
        assert_eq!(rustix::io::read(&reader, &mut byte), Ok(0));
        assert_eq!(rustix::io::read(&kept.0, &mut byte), Err(rustix::io::Errno::AGAIN));
    }
}
