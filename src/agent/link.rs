//! A shim's end of the pair of sockets between it and its agent: orders come in, what is in a record goes out. While a
//! program runs nothing here ever waits for the agent.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// What a shim says before the ending of its last attempt: it takes no more, because something of this one is still
/// there.
pub(super) const LEAVES: &[u8] = b"leaves\n";

/// Bytes of an order's buffer that an idle shim keeps.
const KEPT: usize = 16 * 1024;

pub(super) struct Link {
    socket: OwnedFd,
    /// What has come of the next order.
    heard: Vec<u8>,
    /// What the agent has not taken yet.
    unsaid: Vec<u8>,
}

impl Link {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, heard: Vec::new(), unsaid: Vec::new() }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Waits for the next order, a line with its end; `None` when the agent is gone or wants no more. The agent gives
    /// one only when it has heard the ending of the one before, so that nothing stands behind it.
    pub(super) fn order(&mut self) -> Option<&[u8]> {
        self.heard.clear();
        self.heard.shrink_to(KEPT);
        let mut buffer = [0; 8 * 1024];
        while self.heard.last() != Some(&b'\n') {
            match recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((n, _)) if n > 0 => self.heard.extend_from_slice(&buffer[..n]),
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return None,
            }
        }
        Some(&self.heard)
    }

    /// Says this line, or as much of it as the agent takes now.
    pub(super) fn say(&mut self, line: &[u8]) {
        self.unsaid.extend_from_slice(line);
        self.say_on();
    }

    /// Whether something is left to say.
    pub(super) fn wants_to_say(&self) -> bool {
        !self.unsaid.is_empty()
    }

    pub(super) fn say_on(&mut self) {
        self.send(SendFlags::DONTWAIT);
    }

    /// Says this line too, and waits until all is said or the agent is gone.
    pub(super) fn finish(&mut self, line: &[u8]) {
        self.unsaid.extend_from_slice(line);
        self.send(SendFlags::empty());
    }

    fn send(&mut self, how: SendFlags) {
        while !self.unsaid.is_empty() {
            match send(&self.socket, &self.unsaid, how | SendFlags::NOSIGNAL) {
                Ok(n) => drop(self.unsaid.drain(..n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // The agent is gone: the next one reads the record.
                Err(_) => self.unsaid.clear(),
            }
        }
    }
}
