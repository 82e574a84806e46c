//! The agent's one loop: it waits for supervisors, for shims and for ends; what supervisors want is in `obey`.
#![expect(
    clippy::disallowed_methods,
    reason = "the agent keeps its socket and measures how long it idles"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use super::copies::Copies;
use super::folder::AgentFolder;
use super::handover::Taken;
use super::peer::Peer;
use super::retire::Retired;
use super::room::Room;
use super::settings::AgentSettings;
use super::shim::Given;
use super::shims::{Heard, Shims};
use super::spool::{self, Places};
use super::upgrade::Program;
use super::verdict::{self, Known};
use crate::fault;
use crate::types::{AttemptId, Ending};
use crate::wire::{self, Ended};

/// Serves until nothing is left to do.
pub(super) fn serve(
    folder: AgentFolder,
    settings: &AgentSettings,
    taken: Option<Taken>,
) -> io::Result<()> {
    let was = taken.as_ref().map(|taken| format!(", was {}", taken.release)).unwrap_or_default();
    let mut agent = Agent::new(folder, settings, taken)?;
    let release = wire::release();
    let counts = agent.counts();
    agent.log(&format!("agent {} is here, release {release}{was}, {counts}", std::process::id()));
    announce();
    while !agent.turn()? {}
    agent.log(&format!("agent {} leaves", std::process::id()));
    Ok(())
}

/// The socket anew: the lock is held, so whoever left it is gone.
fn listen() -> io::Result<UnixListener> {
    match fs::remove_file(wire::spool::SOCKET) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(wire::spool::SOCKET)?;
    fs::set_permissions(wire::spool::SOCKET, PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
    pub(super) listener: UnixListener,
    pub(super) program: Program,
    pub(super) peers: Vec<Peer>,
    pub(super) watched: BTreeMap<AttemptId, Watched>,
    /// Ended, and not known to be in the journal.
    pub(super) unrecorded: BTreeSet<AttemptId>,
    /// Endings that the spool could not take: the lines that say so.
    pub(super) unkept: BTreeMap<AttemptId, Vec<u8>>,
    pub(super) shims: Shims,
    /// When attempts of an earlier agent were last looked at.
    pub(super) looked: Instant,
    pub(super) room: Room,
    pub(super) retired: Retired,
    pub(super) copies: Copies,
    pub(super) leaving: bool,
    idle_since: Option<Instant>,
}

/// An attempt that a shim has.
pub(super) struct Watched {
    /// The shim's.
    pub(super) pid: Pid,
    pub(super) shim: Shim,
    /// The line that says that its program runs, once it is known to.
    pub(super) started: Option<Vec<u8>>,
}

pub(super) enum Shim {
    /// A child of this agent, which says everything by itself.
    Own,
    /// Forked by an agent before this one. A pidfd tells of its end where the kernel has such a thing.
    Adopted { pidfd: Option<OwnedFd> },
}

impl<'a> Agent<'a> {
    fn new(
        folder: AgentFolder,
        settings: &'a AgentSettings,
        taken: Option<Taken>,
    ) -> io::Result<Self> {
        if !settings.allow_users.is_empty() {
            folder.let_others_pass()?;
        }
        // Relative, because the path of a socket must be short.
        std::env::set_current_dir(&folder.dir)?;
        let listener = match &taken {
            Some(taken) => taken.listener.try_clone()?,
            None => listen()?,
        };
        let given = Given {
            agent_dir: folder.dir.clone(),
            boot: folder.kernel_boot().to_owned(),
            allow_users: settings.allow_users.clone(),
            log: folder.log().clone(),
        };
        let retired = Retired::read(&folder.dir)?;
        let copies = Copies::beneath(&folder.dir);
        let mut agent = Self {
            folder,
            settings,
            listener,
            program: Program::own(),
            peers: Vec::new(),
            watched: BTreeMap::new(),
            unrecorded: BTreeSet::new(),
            unkept: BTreeMap::new(),
            shims: Shims::new(given),
            looked: Instant::now(),
            room: Room::default(),
            retired,
            copies,
            leaving: false,
            idle_since: None,
        };
        if let Some(taken) = taken {
            agent.go_on_with(taken);
        }
        agent.adopt()?;
        Ok(agent)
    }

    /// Takes over what runs and what has ended unrecorded. After a restart of the host the whole spool is looked
    /// through, once: a crash may have lost the marks of what ran.
    fn adopt(&mut self) -> io::Result<()> {
        for attempt in spool::live_attempts(&self.folder.dir)? {
            // Of a program before this one, which has told all there is to know of it.
            if self.watched.contains_key(&attempt) {
                continue;
            }
            if let Err(e) = self.take_over(&attempt) {
                self.log(&format!("{attempt}: {e}"));
            }
        }
        if self.folder.other_boot {
            for attempt in spool::all_attempts(&self.folder.dir)? {
                let places = Places::of(&self.folder.dir, &attempt);
                // One whose ending is in the journal is no question any more.
                let known = self.watched.contains_key(&attempt)
                    || self.unrecorded.contains(&attempt)
                    || places.kept().exists();
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
            Known::Watched(holder) => {
                self.adopt_one(attempt, holder);
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
        let over = self.idle_since.zip(self.settings.linger).map(|(since, linger)| since + linger);
        if over.is_some_and(|over| over <= now) {
            return Ok(true);
        }
        // Where somebody is there who may want something started at any time.
        let at_work = !idle && !self.leaving;
        self.shims.dismiss(now, at_work);
        let spare = at_work && self.shims.lacks_spare(now);
        let due = [over, self.shims.next_dismissal(at_work), self.next_look(), self.room.due()];
        let wait = due.into_iter().flatten().min().map(|due| due.saturating_duration_since(now));
        let ready = self.wait(if spare { Some(Duration::ZERO) } else { wait })?;
        if spare && ready.nothing {
            if let Err(e) = self.shims.fork_spare(now) {
                self.log(&format!("no watcher can be made ahead: {e}"));
            }
            return Ok(false);
        }
        self.serve_ready(ready);
        Ok(false)
    }

    fn serve_ready(&mut self, ready: Ready) {
        let now = Instant::now();
        for heard in self.shims.read(&ready.shims, now) {
            match heard {
                Heard::Started(attempt, line) => self.started(&attempt, line),
                Heard::Ended(attempt, line) => {
                    self.watched.remove(&attempt);
                    fault::point("agent.heard-end");
                    self.ended(&attempt, &line);
                }
                Heard::Notice(line) => self.report(&line),
                Heard::Lost(attempt, failed) => self.shim_gone(&attempt, failed.as_deref()),
            }
        }
        self.look(now);
        self.give_back(now);
        for attempt in ready.gone {
            self.shim_gone(&attempt, None);
        }
        for index in ready.peers {
            let said = self.peers[index].read();
            for line in said.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() > 1) {
                self.obey(index, line);
                if self.peers[index].over.as_ref().is_some_and(|why| !why.is_empty()) {
                    break;
                }
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
    }

    fn wait(&self, timeout: Option<Duration>) -> io::Result<Ready> {
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        for peer in &self.peers {
            let write = if peer.wants_to_write() { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(peer.fd(), PollFlags::IN | write));
        }
        fds.extend(self.shims.poll_fds());
        let adopted = || {
            self.watched.iter().filter_map(|(attempt, watched)| match &watched.shim {
                Shim::Adopted { pidfd: Some(pidfd) } => Some((attempt, pidfd)),
                _ => None,
            })
        };
        fds.extend(adopted().map(|(_, pidfd)| PollFd::new(pidfd, PollFlags::IN)));
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: wait.as_secs() as i64,
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        let nothing = match poll(&mut fds, timeout.as_ref()) {
            Ok(count) => count == 0,
            Err(rustix::io::Errno::INTR) => true,
            Err(e) => return Err(e.into()),
        };
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let listener = ready.next().unwrap_or_default();
        let mut among =
            |many: usize| (0..many).filter(|_| ready.next().unwrap_or_default()).collect();
        let (peers, shims) = (among(self.peers.len()), among(self.shims.count()));
        let gone =
            adopted().zip(ready).filter(|(_, r)| *r).map(|((attempt, _), _)| attempt.clone());
        Ok(Ready { nothing, listener, peers, shims, gone: gone.collect() })
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

    pub(super) fn started(&mut self, attempt: &AttemptId, line: Vec<u8>) {
        if let Some(watched) = self.watched.get_mut(attempt) {
            watched.started = Some(line.clone());
            self.report(&line);
        }
    }

    /// `failed`: why the shim failed, where that is known.
    pub(super) fn shim_gone(&mut self, attempt: &AttemptId, failed: Option<&str>) {
        if self.watched.remove(attempt).is_none() {
            return;
        }
        match verdict::look_up(&self.folder, attempt, failed) {
            Ok(Known::Ended(line)) => self.ended(attempt, &line),
            Ok(Known::Watched(holder)) => {
                self.adopt_one(attempt, holder);
            }
            Ok(Known::Never) => self.lose(attempt, "its folder was removed while it ran"),
            // It never had its lock, without which nothing is started.
            Err(_) if !Places::of(&self.folder.dir, attempt).live.exists() => {
                let why = verdict::not_begun(failed);
                self.end_unkept(&verdict::bare(attempt, Ending::CouldNotStart { why }));
            }
            Err(e) => self.lose(attempt, &format!("the spool cannot be read or written: {e}")),
        }
    }

    /// The ending is not to be had from the spool, and cannot be kept there.
    pub(super) fn lose(&mut self, attempt: &AttemptId, why: &str) {
        self.end_unkept(&verdict::bare(attempt, Ending::Unknown { why: why.to_owned() }));
    }

    /// Told from memory as long as this agent lives.
    pub(super) fn end_unkept(&mut self, ended: &Ended) {
        // Plain data with string keys always has a JSON form.
        if let Ok(line) = verdict::ended_line(ended) {
            self.unkept.insert(ended.attempt.clone(), line.clone());
            self.ended(&ended.attempt, &line);
        }
    }

    /// The line that says how.
    pub(super) fn ended(&mut self, attempt: &AttemptId, line: &[u8]) {
        self.unrecorded.insert(attempt.clone());
        self.report(line);
    }

    /// To every connection of the highest epoch.
    pub(super) fn report(&mut self, line: &[u8]) {
        let seen = Some(self.folder.epoch);
        self.peers.iter_mut().filter(|peer| peer.epoch == seen).for_each(|p| p.tell_line(line));
    }
}

/// What there is to do.
struct Ready {
    nothing: bool,
    listener: bool,
    peers: Vec<usize>,
    shims: Vec<usize>,
    /// Adopted shims that have ended.
    gone: Vec<AttemptId>,
}
