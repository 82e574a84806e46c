//! Signals of the agent and its shims. What a shim must not miss is blocked before it is forked, and read from a
//! descriptor: so a request that comes right after the fork waits for it.

use std::mem::offset_of;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

/// What a shim is woken for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Woken {
    /// Processes that ask for an end, of which only the agent may; how is in `kill.json`.
    pub(super) kill_asked_by: Vec<u32>,
    /// Something was written in the attempt's folder: see [`super::kernel::tell_when_written`].
    pub(super) written: bool,
}

/// Default actions for everything that was inherited, except for SIGPIPE, which stays ignored: a peer that went away is
/// an error of `write`. SIGUSR1, the request to a shim, is blocked for all that is forked from here.
pub(super) fn prepare_agent() {
    #[expect(unsafe_code, reason = "signal dispositions and masks are only in libc")]
    // SAFETY: plain calls on a zeroed set that lives on this stack; no handler is installed.
    unsafe {
        for signal in 1..32 {
            if signal != libc::SIGPIPE {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Blocks every signal in the shim and gives the descriptor that tells of a child's end, of a kill request and of output.
/// TERM to a shim does nothing: it goes when its job is over.
pub(super) fn prepare_shim() -> std::io::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "signalfd and masks are only in libc")]
    // SAFETY: plain calls on sets that live on this stack; the descriptor is new and owned by nobody else.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGCHLD, libc::SIGUSR1, libc::SIGIO] {
            libc::sigaddset(&raw mut set, signal);
        }
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Empties the descriptor of [`prepare_shim`].
pub(super) fn drain(signals: &OwnedFd) -> Woken {
    const INFO: usize = size_of::<libc::signalfd_siginfo>();
    let mut woken = Woken::default();
    let mut buffer = [0_u8; INFO * 4];
    while let Ok(n) = rustix::io::read(signals.as_fd(), &mut buffer) {
        for info in buffer[..n].chunks_exact(INFO) {
            let field = |at: usize| {
                info[at..].first_chunk().copied().map(u32::from_ne_bytes).unwrap_or_default()
            };
            match field(offset_of!(libc::signalfd_siginfo, ssi_signo)).cast_signed() {
                libc::SIGUSR1 => {
                    let sender = field(offset_of!(libc::signalfd_siginfo, ssi_pid));
                    woken.kill_asked_by.push(sender);
                }
                libc::SIGIO => woken.written = true,
                _ => {}
            }
        }
        if n < buffer.len() {
            break;
        }
    }
    woken
}
