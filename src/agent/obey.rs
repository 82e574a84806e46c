//! What supervisors tell the agent to do, and what it answers.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::serve::{Agent, Watched, started};
use super::shim::{self, Shim};
use super::spool::{KillRequest, Places};
use super::verdict::{self, Known};
use crate::types::{AttemptId, Ending, Epoch};
use crate::wire::{self, FromAgent, Start, ToAgent};

impl Agent<'_> {
    pub(super) fn obey(&mut self, index: usize, what: ToAgent) {
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
            // An agent that is to stay for ever was not started by a supervisor, and does not go with one.
            ToAgent::Leave => self.leaving = self.settings.linger.is_some(),
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
        // Somebody needs it after all.
        self.leaving = false;
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
        let places = Places::of(&self.folder.dir, attempt);
        let here = self.watched.contains_key(attempt) || self.unkept.contains_key(attempt);
        let claimed = if here { Ok(false) } else { places.claim() };
        match claimed.and_then(|new| new.then(|| self.fork_shim(start, &places)).transpose()) {
            // A child of this process: its pid is its own until it is waited for.
            Ok(Some(pid)) => match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(pidfd) => {
                    self.watched.insert(attempt.clone(), Watched { pid, pidfd, running: None });
                }
                Err(e) => {
                    self.log(&format!("{attempt}: its watcher cannot be watched: {e}"));
                    self.answer_known(index, attempt);
                }
            },
            Ok(None) => self.answer_known(index, attempt),
            Err(e) => self.not_begun(attempt, &places, &e),
        }
    }

    /// Of an attempt whose folder was there a moment ago.
    fn answer_known(&mut self, index: usize, attempt: &AttemptId) {
        if !self.answer(index, attempt) {
            self.lose(attempt, "its folder was removed");
        }
    }

    /// No process was made for it.
    fn not_begun(&mut self, attempt: &AttemptId, places: &Places, error: &io::Error) {
        let why = verdict::not_begun(Some(&error.to_string()));
        self.log(&format!("{attempt}: {why}"));
        let ended = verdict::bare(attempt, Ending::CouldNotStart { why });
        match places.write_ended(&ended).and_then(|()| places.lock()) {
            Ok(_) => self.ended(ended),
            Err(e) => {
                self.log(&format!("{attempt}: its ending cannot be kept: {e}"));
                self.end_unkept(ended);
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
        if let Err(e) = places.write_kill_request(KillRequest { grace_ms }) {
            // What fills a disk must be killable all the same; its own grace holds then.
            self.log(&format!("{attempt}: the grace of its end cannot be written: {e}"));
        }
        // The second for a shim that was stopped, by its own job perhaps: it goes on, and finds the first.
        for signal in [Signal::USR1, Signal::CONT] {
            match pidfd_send_signal(&watched.pidfd, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
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
        match verdict::look_up(&self.folder, attempt, None) {
            Ok(Known::Never) => false,
            Ok(Known::Ended(ended)) => {
                // A verdict that was given just now is not in the journal yet.
                if Places::of(&self.folder.dir, attempt).live.exists() {
                    self.unrecorded.insert(attempt.clone());
                }
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
}
