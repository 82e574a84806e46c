//! One connection of a supervisor: lines in, lines out, never waited for.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use super::spool;
use crate::types::Epoch;
use crate::wire::{FromAgent, LINE_LIMIT};

/// Bytes that may wait for a peer that does not read; past it the connection is given up. What it missed is offered on
/// the next.
const WAITING: usize = 64 * 1024 * 1024;

pub(super) struct Peer {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    /// What it said in its `Hello`.
    pub(super) epoch: Option<Epoch>,
    /// A leader commands by it.
    pub(super) is_link: bool,
    /// Why the connection is over, once it is; empty when the peer closed it.
    pub(super) over: Option<String>,
}

impl Peer {
    /// Takes a connection of the agent's own account or of root; everybody else's is closed.
    pub(super) fn accept(stream: UnixStream) -> io::Result<Self> {
        let uid = rustix::net::sockopt::socket_peercred(&stream)?.uid;
        if !uid.is_root() && uid != rustix::process::geteuid() {
            return Err(io::Error::other(format!("uid {} may not command it", uid.as_raw())));
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            output: Vec::new(),
            epoch: None,
            is_link: false,
            over: None,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) fn wants_to_write(&self) -> bool {
        !self.output.is_empty()
    }

    /// Reads what is there, and gives the whole lines of it.
    pub(super) fn read(&mut self) -> Vec<u8> {
        let mut buffer = [0; 16 * 1024];
        // A bound on one turn, so that one peer does not keep the others waiting.
        for _ in 0..64 {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.give_up("");
                    break;
                }
                Ok(n) => {
                    self.input.extend_from_slice(&buffer[..n]);
                    // No more was there; what comes now is told by the next turn's poll.
                    if n < buffer.len() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => {
                    self.give_up(&e.to_string());
                    break;
                }
            }
        }
        let whole = self.input.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = self.input.split_off(whole);
        if rest.len() > LINE_LIMIT {
            self.give_up("it said a line that is too long");
        }
        std::mem::replace(&mut self.input, rest)
    }

    pub(super) fn tell(&mut self, what: &FromAgent) {
        match spool::line(what) {
            Ok(line) => self.tell_line(&line),
            Err(e) => self.give_up(&e.to_string()),
        }
    }

    /// A report that is already written out.
    pub(super) fn tell_line(&mut self, line: &[u8]) {
        self.output.extend_from_slice(line);
        if self.output.len() > WAITING {
            self.give_up("it does not read what it is told");
        }
    }

    /// Writes as much as the peer takes now.
    pub(super) fn flush(&mut self) {
        let mut written = 0;
        while written < self.output.len() {
            match self.stream.write(&self.output[written..]) {
                Ok(n) => written += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => {
                    self.give_up(&e.to_string());
                    break;
                }
            }
        }
        self.output.drain(..written);
    }

    pub(super) fn give_up(&mut self, why: &str) {
        self.over.get_or_insert_with(|| why.to_owned());
    }
}
