//! The agent's one loop: what supervisors say, what shims say, what ends.
#![expect(
    clippy::disallowed_methods,
    reason = "the agent keeps its socket and measures how long it idles"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal};

use super::folder::AgentFolder;
use super::peer::Peer;
use super::settings::AgentSettings;
use super::shim::{self, Shim};
use super::spool::{self, KillRequest, Places, Running};
use super::verdict::{self, Known};
use crate::types::{AttemptId, Ending, Epoch};
use crate::wire::{self, Ended, FromAgent, Start, ToAgent};

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
    if let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

struct Agent<'a> {
    folder: AgentFolder,
    settings: &'a AgentSettings,
    listener: UnixListener,
    /// Where shims say that their program runs.
    fifo: OwnedFd,
    /// What has come of a line that is not whole.
    heard: Vec<u8>,
    peers: Vec<Peer>,
    watched: BTreeMap<AttemptId, Watched>,
    /// Ended, and not known to be in the journal.
    unrecorded: BTreeSet<AttemptId>,
    /// Endings that the spool could not take.
    unkept: BTreeMap<AttemptId, Ended>,
    leaving: bool,
    idle_since: Option<Instant>,
}

/// A shim that lives.
struct Watched {
    pid: Pid,
    pidfd: OwnedFd,
    /// The program, once it is known to run.
    running: Option<Running>,
}

impl<'a> Agent<'a> {
    fn new(folder: AgentFolder, settings: &'a AgentSettings) -> io::Result<Self> {
        if !settings.allow_users.is_empty() {
            folder.let_others_pass()?;
        }
        // Relative, because the path of a socket must be short.
        std::env::set_current_dir(&folder.dir)?;
        // The lock is held: whoever left this socket is gone.
        match std::fs::remove_file(wire::spool::SOCKET) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(wire::spool::SOCKET)?;
        std::fs::set_permissions(wire::spool::SOCKET, PermissionsExt::from_mode(0o600))?;
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
        match verdict::look_up(&self.folder, attempt)? {
            Known::Never => Places::of(&self.folder.dir, attempt).forget()?,
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

    fn log(&self, words: &str) {
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
        while let Ok((stream, _)) = self.listener.accept() {
            match Peer::accept(stream) {
                Ok(peer) => self.peers.push(peer),
                Err(e) => self.log(&format!("a connection is refused: {e}")),
            }
        }
    }

    fn obey(&mut self, index: usize, what: ToAgent) {
        if let ToAgent::Hello { version, epoch } = what {
            return self.greet(index, version, epoch);
        }
        let Some(epoch) = self.peers[index].epoch else {
            return self.peers[index].give_up("its first word was no Hello");
        };
        if epoch < self.folder.epoch && !matches!(what, ToAgent::Ask { .. }) {
            let seen = self.folder.epoch;
            return self.peers[index].tell(&FromAgent::Stale { seen });
        }
        match what {
            ToAgent::Hello { .. } => {}
            ToAgent::Start(start) => self.start(index, &start),
            ToAgent::Kill { attempt, grace } => {
                if let Err(e) = self.kill(&attempt, grace.get()) {
                    self.log(&format!("{attempt}: its end cannot be asked for: {e}"));
                }
            }
            ToAgent::Ask { attempts } => {
                for attempt in attempts {
                    if !self.answer(index, &attempt) {
                        self.peers[index].tell(&FromAgent::NotKnown { attempt });
                    }
                }
            }
            ToAgent::Recorded { attempts } => {
                for attempt in attempts {
                    self.recorded(&attempt);
                }
            }
            ToAgent::Leave => self.leaving = true,
        }
    }

    fn greet(&mut self, index: usize, version: u32, epoch: Epoch) {
        let seen = self.folder.epoch;
        self.peers[index].epoch = Some(epoch);
        if epoch < seen {
            return self.peers[index].tell(&FromAgent::Stale { seen });
        }
        if epoch > seen
            && let Err(e) = self.folder.raise_epoch(epoch)
        {
            // Not durable, so not taken: another agent could obey an older leader after this one.
            return self.peers[index].give_up(&format!("its epoch cannot be kept: {e}"));
        }
        self.peers[index].tell(&FromAgent::Welcome {
            version: version.min(wire::VERSION),
            boot: self.folder.boot.clone(),
            pid: std::process::id(),
        });
        for attempt in self.unrecorded.clone() {
            self.answer(index, &attempt);
        }
    }

    fn start(&mut self, index: usize, start: &Start) {
        let attempt = &start.attempt;
        if self.answer(index, attempt) {
            return;
        }
        let places = Places::of(&self.folder.dir, attempt);
        let forked = places.claim().and_then(|_| self.fork_shim(start, &places));
        match forked {
            // A child of this process: its pid is its own until it is waited for.
            Ok(pid) => match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(pidfd) => {
                    self.watched.insert(attempt.clone(), Watched { pid, pidfd, running: None });
                }
                Err(e) => {
                    self.log(&format!("{attempt}: its watcher cannot be watched: {e}"));
                    if !self.answer(index, attempt) {
                        self.lose(attempt, "its folder was removed as it began");
                    }
                }
            },
            Err(e) => {
                let why = format!("the agent could not begin it: {e}");
                self.log(&format!("{attempt}: {why}"));
                let ended = verdict::bare(attempt, Ending::CouldNotStart { why });
                if let Err(e) = places.write_ended(&ended).and_then(|()| places.lock()) {
                    self.log(&format!("{attempt}: its ending cannot be kept: {e}"));
                    self.unkept.insert(attempt.clone(), ended.clone());
                }
                self.ended(ended);
            }
        }
    }

    fn fork_shim(&self, start: &Start, places: &Places) -> io::Result<Pid> {
        #[expect(unsafe_code, reason = "fork is only in libc")]
        // SAFETY: the agent has one thread, so the child may do everything; `shim::run` never comes back, so that
        // nothing of the agent's is dropped twice.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            let boot = self.folder.boot.0.split(':').next().unwrap_or_default();
            shim::run(&Shim {
                start,
                places,
                agent_dir: &self.folder.dir,
                boot,
                allow_users: &self.settings.allow_users,
                log: self.folder.log(),
            });
        }
        Pid::from_raw(forked).filter(|_| forked > 0).ok_or_else(io::Error::last_os_error)
    }

    fn kill(&mut self, attempt: &AttemptId, grace: Duration) -> io::Result<()> {
        let Some(watched) = self.watched.get(attempt) else { return Ok(()) };
        let places = Places::of(&self.folder.dir, attempt);
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        places.write_kill_request(KillRequest { grace_ms })?;
        match pidfd_send_signal(&watched.pidfd, Signal::USR1) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Tells one peer what is known of an attempt; false when nothing is. Of one whose program is just being started
    /// nothing is said now: the report follows by itself.
    fn answer(&mut self, index: usize, attempt: &AttemptId) -> bool {
        if let Some(watched) = self.watched.get(attempt) {
            if let Some(running) = watched.running {
                self.peers[index].tell(&started(attempt, running));
            }
            return true;
        }
        if let Some(ended) = self.unkept.get(attempt) {
            self.peers[index].tell(&FromAgent::Ended(Box::new(ended.clone())));
            return true;
        }
        match verdict::look_up(&self.folder, attempt) {
            Ok(Known::Never) => false,
            Ok(Known::Ended(ended)) => {
                self.peers[index].tell(&FromAgent::Ended(ended));
                true
            }
            Ok(Known::Watched { pid, pidfd }) => {
                let running = Places::of(&self.folder.dir, attempt).record().running;
                self.watched.insert(attempt.clone(), Watched { pid, pidfd, running });
                running.inspect(|r| self.peers[index].tell(&started(attempt, *r)));
                true
            }
            Err(e) => {
                // Never "not known": it might be. The supervisor asks again on its next connection.
                self.log(&format!("{attempt}: the spool cannot be read: {e}"));
                self.peers[index].give_up("the spool cannot be read");
                true
            }
        }
    }

    fn recorded(&mut self, attempt: &AttemptId) {
        self.unkept.remove(attempt);
        if self.watched.contains_key(attempt) {
            return;
        }
        match Places::of(&self.folder.dir, attempt).forget() {
            Ok(()) => {
                self.unrecorded.remove(attempt);
            }
            Err(e) => self.log(&format!("{attempt}: its mark cannot be removed: {e}")),
        }
    }

    /// What shims have said: `<attempt's folder> <pid> <microseconds>` a line.
    fn hear(&mut self) {
        let mut buffer = [0; 64 * 1024];
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
        let _ = rustix::process::waitpid(Some(watched.pid), WaitOptions::NOHANG);
        match verdict::look_up(&self.folder, attempt) {
            Ok(Known::Ended(ended)) => self.ended(*ended),
            Ok(Known::Watched { pid, pidfd }) => {
                self.watched.insert(attempt.clone(), Watched { pid, pidfd, ..watched });
            }
            Ok(Known::Never) => self.lose(attempt, "its folder was removed while it ran"),
            Err(e) => self.lose(attempt, &format!("the spool cannot be read or written: {e}")),
        }
    }

    /// The ending is not to be had from the spool, and cannot be kept there.
    fn lose(&mut self, attempt: &AttemptId, why: &str) {
        let ended = verdict::bare(attempt, Ending::Unknown { why: why.to_owned() });
        self.unkept.insert(attempt.clone(), ended.clone());
        self.ended(ended);
    }

    fn ended(&mut self, ended: Ended) {
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

fn started(attempt: &AttemptId, running: Running) -> FromAgent {
    FromAgent::Started { attempt: attempt.clone(), pid: running.pid, at: running.at }
}

fn heard(line: &str) -> Option<(AttemptId, Running)> {
    let mut words = line.split(' ');
    let attempt = wire::spool::attempt_of(words.next()?)?;
    let pid = words.next()?.parse().ok()?;
    let at = Timestamp::from_microsecond(words.next()?.parse().ok()?).ok()?;
    Some((attempt, Running { pid, at }))
}
