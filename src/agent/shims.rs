//! The agent's side of its shims: forked ahead, given one attempt after the other, let go when they are not needed.
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests begin at some instant; the shims are given their own"
    )
)]

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, WaitOptions};

use super::handover::PassedShim;
use super::link::LEAVES;
use super::shim::{self, Given};
use crate::types::AttemptId;
use crate::wire;

/// How long a shim stays that nothing is given to.
const STAYS: Duration = Duration::from_secs(5);
/// Attempts after which a shim goes: nothing that one has lived through weighs on all that follow.
const SERVES: u32 = 1_000;

/// What a shim has said, or that it is gone.
pub(super) enum Heard {
    /// The line that says so.
    Started(AttemptId, Vec<u8>),
    Ended(AttemptId, Vec<u8>),
    /// For people; the line that says it.
    Notice(Vec<u8>),
    /// It has gone in the midst of this attempt; why, where its exit code says so.
    Lost(AttemptId, Option<String>),
}

pub(super) struct Shims {
    given: Given,
    all: Vec<Shim>,
    /// After a fork that failed none is made ahead before this.
    no_spare_until: Option<Instant>,
}

/// A child of this process, whose pid is its own until it is waited for here.
struct Shim {
    pid: Pid,
    stream: UnixStream,
    input: Vec<u8>,
    /// What it has not taken yet of its order.
    unsent: Vec<u8>,
    attempt: Option<AttemptId>,
    served: u32,
    /// It takes no more orders, and goes by itself.
    leaves: bool,
    /// Its end of the link is closed.
    gone: bool,
    idle_since: Instant,
}

impl Shims {
    pub(super) fn new(given: Given) -> Self {
        Self { given, all: Vec::new(), no_spare_until: None }
    }

    /// Shims that the program before this one had. Each goes when what it has is over: what is new is for watchers of
    /// this release.
    pub(super) fn take_over(&mut self, passed: Vec<(PassedShim, UnixStream)>, now: Instant) {
        for (PassedShim { pid, attempt, input, unsent, leaves, link: _ }, stream) in passed {
            let Some(pid) = Pid::from_raw(pid) else { continue };
            let mut shim = Shim {
                pid,
                stream,
                input,
                unsent,
                attempt,
                served: SERVES,
                leaves,
                gone: false,
                idle_since: now,
            };
            if shim.is_idle() {
                shim.dismiss();
            }
            self.all.push(shim);
        }
    }

    /// For the program that goes on for this one.
    pub(super) fn pass_on(&self) -> Vec<PassedShim> {
        let passed = self.all.iter().map(|shim| PassedShim {
            pid: shim.pid.as_raw_nonzero().get(),
            link: shim.stream.as_raw_fd(),
            attempt: shim.attempt.clone(),
            input: shim.input.clone(),
            unsent: shim.unsent.clone(),
            leaves: shim.leaves,
        });
        passed.collect()
    }

    /// Gives an attempt to an idle shim, or to one that is made for it. An error: no shim has it, nothing is begun.
    pub(super) fn order(
        &mut self,
        attempt: &AttemptId,
        line: &[u8],
        now: Instant,
    ) -> io::Result<Pid> {
        while let Some(index) = self.idle() {
            // One that was killed while it had nothing to do has left its work to another.
            if let Ok(pid) = self.all[index].order(attempt, line) {
                return Ok(pid);
            }
        }
        let index = self.fork(now)?;
        self.all[index].order(attempt, line)
    }

    /// The one that was idle for the shortest: the others are not needed.
    fn idle(&self) -> Option<usize> {
        let idle = self.all.iter().enumerate().filter(|(_, shim)| shim.is_idle());
        idle.max_by_key(|(_, shim)| shim.idle_since).map(|(index, _)| index)
    }

    /// Whether one should be made while there is nothing else to do, so that the next attempt need not wait for it.
    pub(super) fn lacks_spare(&self, now: Instant) -> bool {
        self.no_spare_until.is_none_or(|until| now >= until) && self.idle().is_none()
    }

    pub(super) fn fork_spare(&mut self, now: Instant) -> io::Result<()> {
        let made = self.fork(now);
        self.no_spare_until = made.is_err().then_some(now + STAYS);
        made.map(|_| ())
    }

    fn fork(&mut self, now: Instant) -> io::Result<usize> {
        let (stream, its) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        #[expect(unsafe_code, reason = "fork is only in libc")]
        // SAFETY: the agent has one thread, so the child may do everything; `shim::run` never comes back, so that
        // nothing of the agent's is dropped twice.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            shim::run(&self.given, &its);
        }
        let pid =
            Pid::from_raw(forked).filter(|_| forked > 0).ok_or_else(io::Error::last_os_error)?;
        self.all.push(Shim {
            pid,
            stream,
            input: Vec::new(),
            unsent: Vec::new(),
            attempt: None,
            served: 0,
            leaves: false,
            gone: false,
            idle_since: now,
        });
        Ok(self.all.len() - 1)
    }

    /// What to poll for, one for each shim, in the order of [`Shims::read`]'s numbers.
    pub(super) fn poll_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.all.iter().map(|shim| {
            let write = if shim.unsent.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            PollFd::from_borrowed_fd(shim.fd(), PollFlags::IN | write)
        })
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// What these shims have said, each in its order.
    pub(super) fn read(&mut self, ready: &[usize], now: Instant) -> Vec<Heard> {
        let mut heard = Vec::new();
        for index in ready {
            self.all[*index].read(now, &mut heard);
        }
        self.all.retain_mut(|shim| !shim.is_gone(&mut heard));
        heard
    }

    /// Lets those go that were not needed for long; all but one where there may be work at any time.
    pub(super) fn dismiss(&mut self, now: Instant, keep_one: bool) {
        while let Some((index, due)) = self.least_needed(keep_one)
            && due <= now
        {
            self.all[index].dismiss();
        }
    }

    /// When [`Shims::dismiss`] has something to do.
    pub(super) fn next_dismissal(&self, keep_one: bool) -> Option<Instant> {
        self.least_needed(keep_one).map(|(_, due)| due)
    }

    fn least_needed(&self, keep_one: bool) -> Option<(usize, Instant)> {
        let idle = || self.all.iter().enumerate().filter(|(_, shim)| shim.is_idle());
        if keep_one && idle().nth(1).is_none() {
            return None;
        }
        let (index, shim) = idle().min_by_key(|(_, shim)| shim.idle_since)?;
        Some((index, shim.idle_since + STAYS))
    }
}

impl Shim {
    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn is_idle(&self) -> bool {
        self.attempt.is_none() && !self.leaves
    }

    fn order(&mut self, attempt: &AttemptId, line: &[u8]) -> io::Result<Pid> {
        self.unsent.extend_from_slice(line);
        match self.send() {
            Ok(()) => {
                self.attempt = Some(attempt.clone());
                Ok(self.pid)
            }
            Err(e) => {
                self.unsent.clear();
                self.leaves = true;
                Err(e)
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// It reads the end of its orders, and goes.
    fn dismiss(&mut self) {
        self.leaves = true;
        // Of one that has gone by itself nothing is wanted.
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    fn read(&mut self, now: Instant, heard: &mut Vec<Heard>) {
        // A shim that has gone is heard to its last word below.
        let _ = self.send();
        let mut buffer = [0; 8 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(n @ 1..) => {
                    self.input.extend_from_slice(&buffer[..n]);
                    if n < buffer.len() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.gone = true;
                    break;
                }
            }
        }
        let whole = self.input.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.input.split_off(whole);
        let said = std::mem::replace(&mut self.input, rest);
        for line in said.split_inclusive(|byte| *byte == b'\n') {
            self.hear(line, now, heard);
        }
    }

    fn hear(&mut self, line: &[u8], now: Instant, heard: &mut Vec<Heard>) {
        if line == LEAVES {
            self.leaves = true;
        } else if wire::says_notice(line) {
            heard.push(Heard::Notice(line.to_owned()));
        } else if !wire::says_ended(line) {
            heard.extend(self.attempt.clone().map(|a| Heard::Started(a, line.to_owned())));
        } else if let Some(attempt) = self.attempt.take() {
            heard.push(Heard::Ended(attempt, line.to_owned()));
            (self.idle_since, self.served) = (now, self.served + 1);
            if self.served >= SERVES {
                self.dismiss();
            }
        }
    }

    /// Whether it has ended; then it is waited for.
    fn is_gone(&mut self, heard: &mut Vec<Heard>) -> bool {
        if self.gone {
            // It closes its end when it goes or dies: this takes no time, and then its locks are free.
            let status = rustix::process::waitpid(Some(self.pid), WaitOptions::empty());
            let code = status.ok().flatten().and_then(|(_, status)| status.exit_status());
            let failed = code.and_then(shim::failure);
            heard.extend(self.attempt.take().map(|attempt| Heard::Lost(attempt, failed)));
        }
        self.gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was never forked, and its end of the link.
    fn shim(idle_since: Instant, served: u32) -> (Shim, UnixStream) {
        let (stream, its) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let (input, unsent) = (Vec::new(), Vec::new());
        let pid = rustix::process::getpid();
        let [leaves, gone] = [false; 2];
        let attempt = None;
        (Shim { pid, stream, input, unsent, attempt, served, leaves, gone, idle_since }, its)
    }

    fn shims(all: Vec<Shim>) -> Shims {
        let agent_dir = "/nowhere".into();
        let log = super::super::folder::Log::nowhere();
        let given = Given { agent_dir, boot: String::new(), allow_users: Vec::new(), log };
        Shims { given, all, no_spare_until: None }
    }

    #[test]
    fn a_shim_takes_no_order_after_its_last() {
        let now = Instant::now();
        let attempt: AttemptId = "a@b#1/c/1".parse().unwrap();
        for (served, stays) in [(0, true), (SERVES - 1, false)] {
            let (mut shim, mut its) = shim(now, served);
            shim.order(&attempt, b"go\n").unwrap();
            its.write_all(b"{\"say\":\"started\"}\n{\"say\":\"ended\",").unwrap();
            let mut heard = Vec::new();
            shim.read(now, &mut heard);
            assert!(matches!(&heard[..], [Heard::Started(a, _)] if *a == attempt));
            assert!(!shim.is_idle());
            its.write_all(b"}\n").unwrap();
            shim.read(now, &mut heard);
            assert!(matches!(&heard[1..], [Heard::Ended(_, line)] if line.ends_with(b",}\n")));
            assert_eq!(shim.is_idle(), stays);
            // After its order it reads the end, or has to wait.
            its.set_nonblocking(true).unwrap();
            let mut buffer = [0; 8];
            assert_eq!(its.read(&mut buffer).unwrap(), 3);
            assert_eq!(its.read(&mut buffer).is_ok_and(|n| n == 0), !stays);
        }
    }

    #[test]
    fn the_one_that_was_idle_for_the_longest_goes_first_and_the_last_one_may_stay() {
        let now = Instant::now();
        let (older, _its) = shim(now, 0);
        let (newer, _its) = shim(now + Duration::from_secs(1), 0);
        let mut shims = shims(vec![older, newer]);
        assert_eq!(shims.idle(), Some(1));
        assert_eq!(shims.next_dismissal(true), Some(now + STAYS));
        shims.dismiss(now + STAYS - Duration::from_millis(1), true);
        assert!(shims.all[0].is_idle());
        shims.dismiss(now + STAYS * 2, true);
        assert!(!shims.all[0].is_idle() && shims.all[1].is_idle());
        assert_eq!(shims.next_dismissal(true), None);
        assert!(!shims.lacks_spare(now));
        shims.dismiss(now + STAYS * 2, false);
        assert!(shims.lacks_spare(now));
    }
}
