//! The shim: the process that watches attempts, one after the other, one at a time. Forked by the agent, from which it
//! has its orders; while it watches one it needs nobody.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

use super::attempt::{self, After};
use super::folder::Log;
use super::kernel;
use super::link::Link;
use super::signals;
use crate::fault;
use crate::wire::Start;

/// What every shim is given by its agent.
pub(super) struct Given {
    pub(super) agent_dir: PathBuf,
    /// Boot id of the kernel.
    pub(super) boot: String,
    pub(super) allow_users: Vec<String>,
    pub(super) log: Log,
}

/// The whole life of a shim, from right after the fork. Never comes back, so that nothing of the agent's is dropped.
/// Its exit code is 0, or the number of the system's error for [`failure`].
pub(super) fn run(given: &Given, agent: &UnixStream) -> ! {
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live(given, agent)));
    let code = match lived {
        Ok(Ok(())) => 0,
        Ok(Err(e)) => e.raw_os_error().unwrap_or(FAILED),
        Err(_) => {
            given.log.line("a watcher panicked");
            FAILED
        }
    };
    #[expect(unsafe_code, reason = "leaves without running the agent's exit handlers")]
    // SAFETY: ends this process; nothing runs after it.
    unsafe {
        libc::_exit(code)
    }
}

/// No error of the system has this number.
const FAILED: i32 = 255;

/// What a shim's exit code says of why it failed.
pub(super) fn failure(code: i32) -> Option<String> {
    match code {
        0 => None,
        FAILED => Some("its watcher failed; see agent.log".to_owned()),
        errno => Some(io::Error::from_raw_os_error(errno).to_string()),
    }
}

fn live(given: &Given, agent: &UnixStream) -> io::Result<()> {
    let (mut link, signals) = prepare(agent)
        .inspect_err(|e| given.log.line(&format!("a watcher could not be prepared: {e}")))?;
    while let Some(order) = link.order() {
        let order = order.to_owned();
        let start: Start = serde_json::from_slice(&order)
            .inspect_err(|e| given.log.line(&format!("an order cannot be read: {e}")))?;
        fault::point("shim.ordered");
        // What was asked of the attempt before, and came too late for it.
        signals::drain(&signals);
        let watched = attempt::watch(given, &start, &order, &mut link, &signals);
        match watched.inspect_err(|e| {
            given.log.line(&format!("{}: its watcher failed: {e}", start.attempt));
        })? {
            After::Ready => {}
            After::Leaves => break,
        }
    }
    Ok(())
}

fn prepare(agent: &UnixStream) -> io::Result<(Link, OwnedFd)> {
    let link = Link::new(keep_only(agent)?);
    // Out of the agent's group. The session may be the agent's, which has no terminal: one of its own costs a scheduling
    // group, and the program gets one.
    rustix::process::setpgid(None, None)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok((link, signals::prepare_shim()?))
}

/// Descriptors of the agent, its connections above all, must not live on here. 0, 1 and 2 become `/dev/null`, 3 the
/// link to the agent.
fn keep_only(agent: &UnixStream) -> io::Result<OwnedFd> {
    const LINK: i32 = 3;
    if agent.as_raw_fd() != LINK {
        #[expect(
            unsafe_code,
            reason = "puts the link where everything else can be closed around it"
        )]
        // SAFETY: this process has just been forked, and whatever of the agent's owns 3 is never used or dropped here.
        let put = unsafe { libc::dup3(agent.as_raw_fd(), LINK, libc::O_CLOEXEC) };
        if put < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // Nor are the owners of these.
    kernel::close_from_to(0, LINK as u32 - 1)?;
    kernel::close_from_to(LINK as u32 + 1, u32::MAX)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
    std::mem::forget([rustix::io::dup(&null)?, rustix::io::dup(&null)?, null]);
    #[expect(unsafe_code, reason = "the one owner of the link from here on")]
    // SAFETY: open, and the stream that was given is never used or dropped in this process.
    Ok(unsafe { OwnedFd::from_raw_fd(LINK) })
}
