//! What supervisors tell the agent to do, and what it answers.
#![expect(clippy::disallowed_methods, reason = "shims that idle are told apart by since when")]

use std::io;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::copies::Laid;
use super::room;
use super::serve::{Agent, Shim, Watched};
use super::spool::{KillRequest, Places};
use super::verdict::{self, Known};
use crate::fault;
use crate::types::{AttemptId, Ending, Epoch};
use crate::wire::{self, FromAgent, Here, ToAgent};

/// As much of a line as is needed to know whether it is passed on to a shim as it is.
#[derive(Deserialize)]
struct Word {
    say: Say,
    attempt: Option<AttemptId>,
    /// Of an order to start.
    #[serde(default)]
    copy: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Say {
    Start,
    #[serde(other)]
    Another,
}

impl Agent<'_> {
    /// A line of a peer, with its end. An order to start is not read any further than to its attempt: that is for the
    /// shim.
    pub(super) fn obey(&mut self, index: usize, line: &[u8]) {
        let said = match serde_json::from_slice(line) {
            Ok(Word { say: Say::Start, attempt: Some(attempt), copy }) => {
                if self.may_command(index) {
                    self.start(index, &attempt, copy, line);
                }
                return;
            }
            Ok(Word { .. }) => serde_json::from_slice(line),
            Err(e) => Err(e),
        };
        match said {
            Ok(ToAgent::Hello { version, epoch, oldest, link }) => {
                if link {
                    self.replace_link(index, epoch);
                }
                self.greet(index, oldest..=version, epoch);
            }
            Ok(ToAgent::Ask { attempts }) if self.peers[index].epoch.is_some() => {
                for attempt in attempts {
                    if !self.answer(index, &attempt) {
                        self.peers[index].tell(&FromAgent::NotKnown { attempt });
                    }
                }
            }
            Ok(ToAgent::Upgrade { program }) => {
                if self.may_command(index) {
                    self.upgrade(index, program);
                }
            }
            Ok(ToAgent::Retire { runs, logs_only }) => {
                if self.may_command(index) {
                    self.retire(index, runs, logs_only);
                }
            }
            Ok(ToAgent::Clock) => {
                self.peers[index].tell(&FromAgent::Clock { at: verdict::now() });
            }
            Ok(what) => {
                if self.may_command(index) {
                    self.carry_out(what);
                }
            }
            Err(e) => self.peers[index].give_up(&format!("it said what cannot be read: {e}")),
        }
    }

    /// Whether the peer has said who it is, and no later leader was seen. It is told if not.
    fn may_command(&mut self, index: usize) -> bool {
        let seen = self.folder.epoch;
        match self.peers[index].epoch {
            None => self.peers[index].give_up("its first word was no Hello"),
            Some(epoch) if epoch < seen => self.peers[index].tell(&FromAgent::Stale { seen }),
            Some(_) => return true,
        }
        false
    }

    fn carry_out(&mut self, what: ToAgent) {
        match what {
            // Answered by whoever knows the peer.
            ToAgent::Hello { .. }
            | ToAgent::Start(_)
            | ToAgent::Ask { .. }
            | ToAgent::Upgrade { .. }
            | ToAgent::Retire { .. }
            | ToAgent::Clock => {}
            ToAgent::Copy(piece) => self.copies.lay(&piece),
            ToAgent::CopyWhole { run, files } => self.copies.whole(&run, files),
            ToAgent::Kill { attempt, grace } => {
                if let Err(e) = self.kill(&attempt, grace.get()) {
                    self.log(&format!("{attempt}: its end cannot be asked for: {e}"));
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

    /// What an earlier link of the same leader has said last may come after it was given up: it counts for nothing then.
    fn replace_link(&mut self, index: usize, epoch: Epoch) {
        for (other, peer) in self.peers.iter_mut().enumerate() {
            if other != index && peer.is_link && peer.epoch == Some(epoch) {
                peer.give_up("its supervisor has come over another connection");
            }
        }
        self.peers[index].is_link = true;
    }

    fn greet(&mut self, index: usize, versions: RangeInclusive<u32>, epoch: Epoch) {
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
        // Who led before hears of nothing any more: without this word he would wait for ever.
        let taken = self.folder.epoch;
        for peer in self.peers.iter_mut().filter(|peer| peer.epoch.is_some_and(|e| e < taken)) {
            peer.tell(&FromAgent::Stale { seen: taken });
        }
        // Somebody needs it after all.
        self.leaving = false;
        let here = self.here();
        self.peers[index].tell(&FromAgent::Welcome {
            // Where there is none it says so, and goes.
            version: wire::agreed(*versions.start(), *versions.end()).unwrap_or(wire::VERSION),
            boot: self.folder.boot.clone(),
            pid: std::process::id(),
            program: Some(self.program.said()),
            here,
        });
        for attempt in self.unrecorded.clone() {
            self.answer(index, &attempt);
        }
    }

    fn here(&self) -> Option<Here> {
        let variable = |name, otherwise: &str| std::env::var(name).unwrap_or(otherwise.to_owned());
        Some(Here {
            copies: self.copies.dir().to_owned(),
            work: self.copies.work()?,
            path: variable("PATH", "/usr/local/bin:/usr/bin:/bin"),
            home: variable("HOME", "/"),
        })
    }

    /// `copy`: it goes by one.
    fn start(&mut self, index: usize, attempt: &AttemptId, copy: bool, line: &[u8]) {
        if self.answer_retired(index, attempt) {
            return;
        }
        let places = Places::of(&self.folder.dir, attempt);
        let here = self.watched.contains_key(attempt) || self.unkept.contains_key(attempt);
        match if here { Ok(false) } else { self.claim(&places) } {
            Ok(true) => {}
            Ok(false) => return self.answer_known(index, attempt),
            Err(e) if room::may_come_back(&e) => return self.put_off(attempt, &e),
            Err(e) => return self.not_begun(attempt, &places, &e),
        }
        if copy && let Some(why) = self.lacks_copy(attempt) {
            return match why {
                Laid::Failed(e) if !room::may_come_back(&e) || places.unclaim().is_err() => {
                    self.not_begun(attempt, &places, &e)
                }
                Laid::Failed(e) => self.put_off(attempt, &e),
                _ => match places.unclaim() {
                    // So it is told again, with its copy.
                    Ok(()) => {
                        self.peers[index].tell(&FromAgent::NotKnown { attempt: attempt.clone() })
                    }
                    Err(e) => self.not_begun(attempt, &places, &e),
                },
            };
        }
        fault::point("agent.claimed");
        match self.shims.order(attempt, line, Instant::now()) {
            Ok(pid) => {
                fault::point("agent.ordered");
                let watched = Watched { pid, shim: Shim::Own, started: None };
                self.watched.insert(attempt.clone(), watched);
                self.room_is_back();
            }
            // No shim has heard of it.
            Err(e) if room::may_come_back(&e) && places.unclaim().is_ok() => {
                self.put_off(attempt, &e);
            }
            Err(e) => self.not_begun(attempt, &places, &e),
        }
    }

    fn lacks_copy(&mut self, attempt: &AttemptId) -> Option<Laid> {
        Some(self.copies.state(&attempt.run)).filter(|laid| !matches!(laid, Laid::Whole))
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
        let kept = verdict::ended_line(&ended).and_then(|line| {
            match places.lock()? {
                Some(mut record) => record.append(&line)?,
                None => return Err(io::Error::other("its record is locked")),
            }
            Ok(line)
        });
        match kept {
            Ok(line) => self.ended(attempt, &line),
            Err(e) => {
                self.log(&format!("{attempt}: its ending cannot be kept: {e}"));
                self.end_unkept(&ended);
            }
        }
    }

    fn kill(&mut self, attempt: &AttemptId, grace: Duration) -> io::Result<()> {
        let Some(watched) = self.watched.get(attempt) else { return Ok(()) };
        let places = Places::of(&self.folder.dir, attempt);
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        if let Err(e) = places.write_kill_request(KillRequest { grace_ms }) {
            // What fills a disk must be killable all the same; its own grace holds then.
            self.log(&format!("{attempt}: the grace of its end cannot be written: {e}"));
        }
        watched.ask_for_end(&places)
    }

    /// Tells one peer what is known of an attempt; false when nothing is. Of one whose program is just being started
    /// nothing is said now: the report follows by itself.
    fn answer(&mut self, index: usize, attempt: &AttemptId) -> bool {
        if self.answer_retired(index, attempt) {
            return true;
        }
        if let Some(watched) = self.watched.get(attempt) {
            if let Some(line) = &watched.started {
                self.peers[index].tell_line(line);
            }
            return true;
        }
        if let Some(line) = self.unkept.get(attempt) {
            self.peers[index].tell_line(line);
            return true;
        }
        match verdict::look_up(&self.folder, attempt, None) {
            Ok(Known::Never) => false,
            Ok(Known::Ended(line)) => {
                // A verdict that was given just now is not in the journal yet.
                if Places::of(&self.folder.dir, attempt).live.exists() {
                    self.unrecorded.insert(attempt.clone());
                }
                self.peers[index].tell_line(&line);
                true
            }
            Ok(Known::Watched(holder)) => {
                let started = self.adopt_one(attempt, holder).started.clone();
                started.inspect(|line| self.peers[index].tell_line(line));
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
                fault::point("agent.forgot");
            }
            Err(e) => self.log(&format!("{attempt}: its mark cannot be removed: {e}")),
        }
    }
}
