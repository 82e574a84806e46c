//! The made-up agents: they start each id once, keep endings and offer them until they are in the journal, and lose
//! what ran when their host restarts. What they say arrives late, twice and out of order as the faults have it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::faults::{Fault, Faults};
use super::target::{Targets, Touch};
use crate::core::night::Event;
use crate::definition::site::Site;
use crate::types::{AttemptId, BootId, Ending, Epoch, HostName};
use crate::wire::{Ended, Work};

/// How an attempt goes, by the seed and its id alone.
#[derive(Debug, Clone)]
pub(super) struct Lot {
    pub(super) host: HostName,
    pub(super) takes: Duration,
    pub(super) ending: Ending,
    pub(super) line_found: bool,
    pub(super) work: Option<Work>,
    /// Of a change.
    pub(super) touch: Option<Touch>,
}

/// What reaches the supervisor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Post {
    Up(HostName),
    Away(HostName),
    /// The link breaks, and is made anew at once.
    Breaks(HostName),
    Says(HostName, Event),
}

/// What a spool knows of an attempt.
#[derive(Debug, Clone)]
struct Known {
    lot: Lot,
    started: Timestamp,
    /// When it ends, or has ended; time of the world.
    ends: Duration,
    /// By its host's clock.
    ended: Option<Timestamp>,
    recorded: bool,
}

#[derive(Debug)]
struct Host {
    boot: u32,
    /// The supervisor hears it, and it hears the supervisor.
    linked: bool,
    /// It cannot be reached before.
    down_until: Duration,
    /// The highest epoch that greeted it.
    seen: Epoch,
    /// How often its links have broken.
    breaks: u64,
}

/// Whether an agent hears a supervisor that once was linked to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// The link has broken since, or never was.
    Nothing,
    /// Another leads, as the agent knows.
    Refuses,
    Obeys,
}

#[derive(Debug)]
pub(super) struct Agents {
    hosts: BTreeMap<HostName, Host>,
    spool: BTreeMap<AttemptId, Known>,
    /// Attempts that run, by when they end.
    running: BTreeSet<(Duration, AttemptId)>,
    /// What was ever started in the world, whatever spools remember.
    started: HashSet<AttemptId>,
    /// On their way to the supervisor, by the time of their arrival.
    post: BTreeMap<(Duration, u64), Post>,
    posted: u64,
    pub(super) targets: Targets,
    /// They obey any epoch, whoever leads: to see that it would be noticed.
    unfenced: bool,
}

/// Time of the world, and the wall clock at that time.
pub(super) type At = (Duration, Timestamp);

const SECOND: Duration = Duration::from_secs(1);

impl Agents {
    pub(super) fn new(site: &Site) -> Self {
        let host = || Host {
            boot: 1,
            linked: false,
            down_until: Duration::ZERO,
            seen: Epoch(0),
            breaks: 0,
        };
        Self {
            hosts: site.hosts.keys().map(|name| (name.clone(), host())).collect(),
            spool: BTreeMap::new(),
            running: BTreeSet::new(),
            started: HashSet::new(),
            post: BTreeMap::new(),
            posted: 0,
            targets: Targets::default(),
            unfenced: false,
        }
    }

    #[cfg(test)]
    pub(super) fn obey_anybody(&mut self) {
        self.unfenced = true;
    }

    pub(super) fn hosts(&self) -> Vec<HostName> {
        self.hosts.keys().cloned().collect()
    }

    pub(super) fn boot(&self, host: &HostName) -> BootId {
        BootId(format!("{host}-{}", self.hosts.get(host).map_or(0, |host| host.boot)))
    }

    /// When something arrives or ends next.
    pub(super) fn next(&self) -> Option<Duration> {
        let post = self.post.first_key_value().map(|((at, _), _)| *at);
        let ends = self.running.first().map(|(at, _)| *at);
        post.into_iter().chain(ends).min()
    }

    pub(super) fn arrived(&mut self, now: Duration) -> Option<Post> {
        let first = self.post.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// The links that stand, each by how often its host's have broken.
    pub(super) fn links(&self) -> BTreeMap<HostName, u64> {
        let linked = self.hosts.iter().filter(|(_, host)| host.linked);
        linked.map(|(name, host)| (name.clone(), host.breaks)).collect()
    }

    pub(super) fn knows(&self, id: &AttemptId) -> bool {
        self.spool.contains_key(id)
    }

    /// Whether a host obeys a supervisor of this epoch that had this link to it.
    pub(super) fn hears(&self, host: &HostName, epoch: Epoch, link: Option<u64>) -> Hearing {
        match self.hosts.get(host) {
            Some(state) if link == Some(state.breaks) => match epoch < state.seen {
                true if !self.unfenced => Hearing::Refuses,
                _ => Hearing::Obeys,
            },
            _ => Hearing::Nothing,
        }
    }

    /// The highest epoch that a host knows of.
    pub(super) fn seen(&self, host: &HostName) -> Epoch {
        self.hosts.get(host).map_or(Epoch(0), |state| state.seen)
    }

    fn put(&mut self, at: Duration, post: Post) {
        self.posted += 1;
        self.post.insert((at, self.posted), post);
    }

    /// The supervisor is gone: what was on its way to it is lost. Spools offer it again.
    pub(super) fn unheard(&mut self) {
        self.post.clear();
        self.hosts.values_mut().for_each(|host| host.linked = false);
    }

    /// A supervisor looks for the agents.
    pub(super) fn sought(&mut self, now: Duration, mut takes: impl FnMut() -> Duration) {
        for name in self.hosts() {
            let down_until = self.hosts.get(&name).map_or(now, |host| host.down_until);
            let at = now.max(down_until) + takes();
            self.put(at, Post::Up(name));
        }
    }

    /// A host is reached; its agent offers what the journal may not know. `None` while it is down.
    pub(super) fn reached(
        &mut self,
        host: &HostName,
        now: Duration,
        epoch: Epoch,
    ) -> Option<Event> {
        let state = self.hosts.get_mut(host)?;
        if state.down_until > now {
            return None;
        }
        state.linked = true;
        state.seen = state.seen.max(epoch);
        let unrecorded: Vec<AttemptId> = self
            .spool
            .iter()
            .filter(|(_, known)| known.lot.host == *host)
            .filter(|(_, known)| known.ended.is_some() && !known.recorded)
            .map(|(id, _)| id.clone())
            .collect();
        for id in unrecorded {
            self.tell_end(&id, now + SECOND);
        }
        Some(Event::HostUp { host: host.clone(), boot: self.boot(host) })
    }

    /// A host cannot be reached for a while. What it said last may still arrive.
    pub(super) fn cut(&mut self, host: &HostName, now: Duration, away: Duration, lost: bool) {
        let Some(state) = self.hosts.get_mut(host) else { return };
        state.linked = false;
        state.breaks += 1;
        state.down_until = state.down_until.max(now + away);
        let back = state.down_until;
        if lost {
            self.post.retain(|_, post| !matches!(post, Post::Says(of, _) if of == host));
        }
        self.put(now + SECOND, Post::Away(host.clone()));
        self.put(back.max(now + 2 * SECOND), Post::Up(host.clone()));
    }

    /// The host restarts: what ran is gone. Without power its spool is gone as well.
    pub(super) fn restart(
        &mut self,
        host: &HostName,
        (now, wall): At,
        power: bool,
        mut remembers: impl FnMut() -> bool,
    ) {
        if let Some(state) = self.hosts.get_mut(host) {
            state.boot += 1;
        }
        let (spool, running) = (&mut self.spool, &mut self.running);
        spool.retain(|id, known| {
            if known.lot.host != *host || known.recorded {
                return true;
            }
            let runs = running.remove(&(known.ends, id.clone()));
            if power || runs && !remembers() {
                return false;
            }
            if runs {
                let why = "its host has restarted".to_owned();
                (known.lot.ending, known.lot.work) = (Ending::Lost { why }, None);
                (known.ends, known.ended) = (now, Some(wall));
            }
            true
        });
    }

    /// The host stands still for a while.
    pub(super) fn suspend(&mut self, host: &HostName, by: Duration) {
        let held: Vec<(Duration, AttemptId)> = self
            .running
            .iter()
            .filter(|(_, id)| self.spool.get(id).is_some_and(|known| known.lot.host == *host))
            .cloned()
            .collect();
        for (ends, id) in held {
            self.running.remove(&(ends, id.clone()));
            self.ends(id, ends + by);
        }
    }

    fn ends(&mut self, id: AttemptId, at: Duration) {
        if let Some(known) = self.spool.get_mut(&id) {
            known.ends = at;
            self.running.insert((at, id));
        }
    }

    fn linked(&self, host: &HostName) -> bool {
        self.hosts.get(host).is_some_and(|host| host.linked)
    }

    /// Starts an attempt, once: a known id is answered with what became of it. False: it ran once before.
    pub(super) fn start(
        &mut self,
        faults: &mut Faults,
        (now, wall): At,
        id: AttemptId,
        lot: Lot,
    ) -> bool {
        if !self.linked(&lot.host) {
            return true;
        }
        let runs_once = self.begin((now, wall), &id, lot);
        self.report(faults, now, &id);
        runs_once
    }

    /// Starts an attempt that the spool does not know. False: it ran once before.
    pub(super) fn begin(&mut self, (now, wall): At, id: &AttemptId, mut lot: Lot) -> bool {
        if self.spool.contains_key(id) {
            return true;
        }
        if !self.started.insert(id.clone()) {
            return false;
        }
        self.targets.worked_on(id, &mut lot);
        let ends = now + lot.takes;
        let known = Known { lot, started: wall, ends, ended: None, recorded: false };
        self.spool.insert(id.clone(), known);
        self.ends(id.clone(), ends);
        true
    }

    pub(super) fn kill(&mut self, now: Duration, id: &AttemptId, grace: Duration) {
        let Some(known) = self.spool.get_mut(id) else { return };
        let linked = self.hosts.get(&known.lot.host).is_some_and(|host| host.linked);
        if !linked || known.ended.is_some() || known.ends <= now + grace {
            return;
        }
        self.running.remove(&(known.ends, id.clone()));
        known.lot.ending = Ending::Killed;
        known.lot.work = None;
        self.ends(id.clone(), now + grace);
    }

    pub(super) fn recorded(&mut self, id: &AttemptId) {
        if let Some(known) = self.spool.get_mut(id)
            && self.hosts.get(&known.lot.host).is_some_and(|host| host.linked)
        {
            known.recorded = known.ended.is_some();
        }
    }

    /// Somebody asks what became of attempts.
    pub(super) fn asked(
        &mut self,
        faults: &mut Faults,
        now: Duration,
        host: &HostName,
        attempts: &[AttemptId],
    ) {
        for id in attempts.iter().filter(|_| self.linked(host)).cloned().collect::<Vec<_>>() {
            if self.spool.contains_key(&id) {
                self.report(faults, now, &id);
            } else {
                self.put(now, Post::Says(host.clone(), Event::NotKnown { attempt: id }));
            }
        }
    }

    /// Tells what is known of an attempt: that it runs, or its ending.
    fn report(&mut self, faults: &mut Faults, now: Duration, id: &AttemptId) {
        let Some(known) = self.spool.get(id) else { return };
        if known.ended.is_some() {
            return self.tell_end(id, now);
        }
        let mut at = now + Duration::from_millis(5);
        if faults.strikes(Fault::Late) {
            at += faults.seconds(Fault::Late, 1..1_800);
        }
        if faults.strikes(Fault::Disorder) {
            at = at.max(known.ends + faults.seconds(Fault::Disorder, 1..120));
        }
        let event = Event::Started { attempt: id.clone(), pid: 1, at: known.started };
        let host = known.lot.host.clone();
        self.put(at, Post::Says(host, event));
    }

    fn tell_end(&mut self, id: &AttemptId, at: Duration) {
        let Some(known) = self.spool.get(id).filter(|known| self.linked(&known.lot.host)) else {
            return;
        };
        let Some(ended) = known.ended else { return };
        let lot = &known.lot;
        let event = Event::Ended(Box::new(Ended {
            attempt: id.clone(),
            started: Some(known.started)
                .filter(|_| !matches!(lot.ending, Ending::CouldNotStart { .. })),
            ending: lot.ending.clone(),
            ended,
            usage: Default::default(),
            line_found: lot.line_found,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: lot.work.clone(),
        }));
        let host = lot.host.clone();
        self.put(at, Post::Says(host, event));
    }

    /// What has ended until now is told, as the faults let it.
    pub(super) fn end_due(&mut self, faults: &mut Faults, (now, wall): At) {
        while self.running.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.running.pop_first() else { return };
            let Some(known) = self.spool.get_mut(&id) else { continue };
            known.ended = Some(wall);
            let host = known.lot.host.clone();
            if faults.strikes(Fault::Silent) {
                // It says nothing until the link is made anew.
                let again = now + faults.seconds(Fault::Silent, 60..3_600);
                self.put(again, Post::Breaks(host));
                continue;
            }
            let mut at = now;
            if faults.strikes(Fault::Late) {
                at += faults.seconds(Fault::Late, 1..1_800);
            }
            self.tell_end(&id, at);
            if faults.strikes(Fault::Twice) {
                self.tell_end(&id, at + faults.seconds(Fault::Twice, 0..7_200));
            }
        }
    }
}
