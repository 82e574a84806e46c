//! The agent's one loop: it waits for supervisors, for shims and for ends; what supervisors want is in `obey`.
#![expect(
    clippy::disallowed_methods,
    reason = "the agent keeps its socket and measures how long it idles"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, WaitOptions};

use super::folder::AgentFolder;
use super::peer::Peer;
use super::settings::AgentSettings;
use super::shim;
use super::spool::{self, Places, Running};
use super::verdict::{self, Known};
use crate::types::{AttemptId, Ending};
use crate::wire::{self, Ended, FromAgent};

/// Serves until nothing is left to do.
pub(super) fn serve(folder: AgentFolder, settings: &AgentSettings) -> io::Result<()> {
    let mut agent = Agent::new(folder, settings)?;
    agent.log(&format!("agent {} is here, {}", std::process::id(), agent.counts()));
    announce();
    while !agent.turn()? {}
    agent.log(&format!("agent {} leaves", std::process::id()));
    Ok(())
}

/// Tells whoever started it, by its standard output, that it can be connected to.
fn announce() {
    use std::io::Write;
    let mut out = io::stdout();
    // Nobody need listen.
    let _ = out.write_all(b"ready\n").and_then(|()| out.flush());
    if let Ok(null) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

pub(super) struct Agent<'a> {
    pub(super) folder: AgentFolder,
    pub(super) settings: &'a AgentSettings,
    listener: UnixListener,
    /// Where shims say that their program runs.
    fifo: OwnedFd,
    /// What has come of a line that is not whole.
    heard: Vec<u8>,
    pub(super) peers: Vec<Peer>,
    pub(super) watched: BTreeMap<AttemptId, Watched>,
    /// Ended, and not known to be in the journal.
    pub(super) unrecorded: BTreeSet<AttemptId>,
    /// Endings that the spool could not take.
    pub(super) unkept: BTreeMap<AttemptId, Ended>,
    pub(super) leaving: bool,
    idle_since: Option<Instant>,
}

/// A shim that lives.
pub(super) struct Watched {
    pub(super) pid: Pid,
    pub(super) pidfd: OwnedFd,
    /// The program, once it is known to run.
    pub(super) running: Option<Running>,
}

impl<'a> Agent<'a> {
    fn new(folder: AgentFolder, settings: &'a AgentSettings) -> io::Result<Self> {
        if !settings.allow_users.is_empty() {
            folder.let_others_pass()?;
        }
        // Relative, because the path of a socket must be short.
        std::env::set_current_dir(&folder.dir)?;
        // The lock is held: whoever left this socket is gone.
        match fs::remove_file(wire::spool::SOCKET) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(wire::spool::SOCKET)?;
        fs::set_permissions(wire::spool::SOCKET, PermissionsExt::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        // Before the spool is read: what a shim says from now on waits in the pipe.
        let fifo = folder.fifo()?;
        let _ = rustix::pipe::fcntl_setpipe_size(&fifo, 1024 * 1024);
        let mut agent = Self {
            folder,
            settings,
            listener,
            fifo,
            heard: Vec::new(),
            peers: Vec::new(),
            watched: BTreeMap::new(),
            unrecorded: BTreeSet::new(),
            unkept: BTreeMap::new(),
            leaving: false,
            idle_since: None,
        };
        agent.adopt()?;
        Ok(agent)
    }

    /// Takes over what runs and what has ended unrecorded. After a restart of the host the whole spool is looked
    /// through, once: a crash may have lost the marks of what ran.
    fn adopt(&mut self) -> io::Result<()> {
        for attempt in spool::live_attempts(&self.folder.dir)? {
            if let Err(e) = self.take_over(&attempt) {
                self.log(&format!("{attempt}: {e}"));
            }
        }
        if self.folder.other_boot {
            for attempt in spool::all_attempts(&self.folder.dir)? {
                let places = Places::of(&self.folder.dir, &attempt);
                let known = self.watched.contains_key(&attempt)
                    || places.folder.join(wire::spool::ENDED).exists();
                if !known {
                    self.take_over(&attempt)?;
                }
            }
            self.folder.note_boot()?;
            self.folder.other_boot = false;
        }
        Ok(())
    }

    fn take_over(&mut self, attempt: &AttemptId) -> io::Result<()> {
        match verdict::look_up(&self.folder, attempt, None)? {
            // Its folder was removed by hand.
            Known::Never => fs::remove_file(Places::of(&self.folder.dir, attempt).live)?,
            Known::Ended(_) => {
                self.unrecorded.insert(attempt.clone());
            }
            Known::Watched { pid, pidfd } => {
                let running = Places::of(&self.folder.dir, attempt).record().running;
                self.watched.insert(attempt.clone(), Watched { pid, pidfd, running });
            }
        }
        Ok(())
    }

    pub(super) fn log(&self, words: &str) {
        self.folder.log().line(words);
    }

    fn counts(&self) -> String {
        format!("{} running, {} endings to tell", self.watched.len(), self.unrecorded.len())
    }

    /// Waits for something and serves it; true when the agent is to leave.
    fn turn(&mut self) -> io::Result<bool> {
        if self.leaving && self.watched.is_empty() {
            return Ok(true);
        }
        let now = Instant::now();
        let idle = self.peers.is_empty() && self.watched.is_empty();
        self.idle_since = if idle { self.idle_since.or(Some(now)) } else { None };
        let wait = match (self.idle_since, self.settings.linger) {
            (Some(since), Some(linger)) => Some((since + linger).saturating_duration_since(now)),
            _ => None,
        };
        if wait == Some(Duration::ZERO) {
            return Ok(true);
        }
        let ready = self.wait(wait)?;
        // Shims first say that a program runs, and end later: in that order it is passed on.
        if ready.fifo {
            self.hear();
        }
        for attempt in ready.gone {
            self.shim_gone(&attempt);
        }
        for index in ready.peers {
            for what in self.peers[index].read() {
                self.obey(index, what);
            }
        }
        if ready.listener {
            self.accept();
        }
        self.peers.iter_mut().for_each(Peer::flush);
        for peer in self.peers.extract_if(.., |peer| peer.over.is_some()) {
            if let Some(why) = peer.over.filter(|why| !why.is_empty()) {
                self.folder.log().line(&format!("a connection is closed: {why}"));
            }
        }
        Ok(false)
    }

    fn wait(&self, timeout: Option<Duration>) -> io::Result<Ready> {
        let mut fds = vec![
            PollFd::new(&self.listener, PollFlags::IN),
            PollFd::new(&self.fifo, PollFlags::IN),
        ];
        for peer in &self.peers {
            let write = if peer.wants_to_write() { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(peer.fd(), PollFlags::IN | write));
        }
        fds.extend(self.watched.values().map(|w| PollFd::new(&w.pidfd, PollFlags::IN)));
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: wait.as_secs() as i64,
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let listener = ready.next().unwrap_or_default();
        let fifo = ready.next().unwrap_or_default();
        let peers = (0..self.peers.len()).filter(|_| ready.next().unwrap_or_default()).collect();
        let gone = self.watched.keys().zip(ready).filter(|(_, r)| *r).map(|(a, _)| a.clone());
        Ok(Ready { listener, fifo, peers, gone: gone.collect() })
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => match Peer::accept(stream) {
                    Ok(peer) => self.peers.push(peer),
                    Err(e) => self.log(&format!("a connection is refused: {e}")),
                },
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) => {
                    // Out of descriptors: it would be ready again at once, and for nothing.
                    self.log(&format!("a connection cannot be taken: {e}"));
                    let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 }));
                    return;
                }
            }
        }
    }

    /// What shims have said: `<attempt's folder> <pid> <microseconds>` a line.
    fn hear(&mut self) {
        let mut buffer = [0; 4 * 1024];
        while let Ok(n @ 1..) = rustix::io::read(self.fifo.as_fd(), &mut buffer) {
            self.heard.extend_from_slice(&buffer[..n]);
        }
        let whole = self.heard.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.heard.drain(..whole).collect();
        for line in String::from_utf8_lossy(&lines).lines() {
            if let Some((attempt, running)) = heard(line)
                && let Some(watched) = self.watched.get_mut(&attempt)
                && watched.running.is_none()
            {
                watched.running = Some(running);
                self.report(&started(&attempt, running));
            }
        }
    }

    fn shim_gone(&mut self, attempt: &AttemptId) {
        let Some(watched) = self.watched.remove(attempt) else { return };
        // Adopted shims are no children of this agent: somebody else waits for them.
        let status = rustix::process::waitpid(Some(watched.pid), WaitOptions::NOHANG);
        let code = status.ok().flatten().and_then(|(_, status)| status.exit_status());
        let failed = code.and_then(shim::failure);
        match verdict::look_up(&self.folder, attempt, failed.as_deref()) {
            Ok(Known::Ended(ended)) => self.ended(*ended),
            Ok(Known::Watched { pid, pidfd }) => {
                self.watched.insert(attempt.clone(), Watched { pid, pidfd, ..watched });
            }
            Ok(Known::Never) => self.lose(attempt, "its folder was removed while it ran"),
            // It never had its lock, without which nothing is started.
            Err(_) if !Places::of(&self.folder.dir, attempt).live.exists() => {
                let why = verdict::not_begun(failed.as_deref());
                self.end_unkept(verdict::bare(attempt, Ending::CouldNotStart { why }));
            }
            Err(e) => self.lose(attempt, &format!("the spool cannot be read or written: {e}")),
        }
    }

    /// The ending is not to be had from the spool, and cannot be kept there.
    pub(super) fn lose(&mut self, attempt: &AttemptId, why: &str) {
        self.end_unkept(verdict::bare(attempt, Ending::Unknown { why: why.to_owned() }));
    }

    /// Told from memory as long as this agent lives.
    pub(super) fn end_unkept(&mut self, ended: Ended) {
        self.unkept.insert(ended.attempt.clone(), ended.clone());
        self.ended(ended);
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        self.unrecorded.insert(ended.attempt.clone());
        self.report(&FromAgent::Ended(Box::new(ended)));
    }

    /// To every connection of the highest epoch.
    fn report(&mut self, what: &FromAgent) {
        let Ok(line) = serde_json::to_vec(what) else { return };
        let seen = Some(self.folder.epoch);
        self.peers.iter_mut().filter(|peer| peer.epoch == seen).for_each(|p| p.tell_line(&line));
    }
}

struct Ready {
    listener: bool,
    fifo: bool,
    peers: Vec<usize>,
    gone: Vec<AttemptId>,
}

pub(super) fn started(attempt: &AttemptId, running: Running) -> FromAgent {
    FromAgent::Started { attempt: attempt.clone(), pid: running.pid, at: running.at }
}

fn heard(line: &str) -> Option<(AttemptId, Running)> {
    let mut words = line.split(' ');
    let attempt = wire::spool::attempt_of(words.next()?)?;
    let pid = words.next()?.parse().ok()?;
    let at = Timestamp::from_microsecond(words.next()?.parse().ok()?).ok()?;
    Some((attempt, Running { pid, at }))
}
