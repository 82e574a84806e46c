//! The made-up agents: they start each id once, keep endings, answer late, twice and out of order, and lose what ran when
//! their host restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::dice::Dice;
use crate::core::night::Event;
use crate::definition::site::Site;
use crate::types::{AttemptId, BootId, Ending, HostName};
use crate::wire::Ended;

/// What an agent knows of an attempt.
#[derive(Debug, Clone)]
struct Known {
    host: HostName,
    started: Timestamp,
    ends: Timestamp,
    ending: Ending,
}

#[derive(Debug)]
pub(super) struct Agents {
    boots: BTreeMap<HostName, u32>,
    spool: BTreeMap<AttemptId, Known>,
    /// On their way to the supervisor, by the time of their arrival.
    post: BTreeMap<(Timestamp, u64), Event>,
    posted: u64,
}

impl Agents {
    pub(super) fn new(site: &Site) -> Self {
        Self {
            boots: site.hosts.keys().map(|host| (host.clone(), 1)).collect(),
            spool: BTreeMap::new(),
            post: BTreeMap::new(),
            posted: 0,
        }
    }

    pub(super) fn hosts(&self) -> Vec<HostName> {
        self.boots.keys().cloned().collect()
    }

    pub(super) fn boot(&self, host: &HostName) -> BootId {
        BootId(format!("{host}-{}", self.boots.get(host).copied().unwrap_or(0)))
    }

    /// When the next report arrives.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.post.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn arrived(&mut self, now: Timestamp) -> Option<Event> {
        let first = self.post.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// Everything that was on its way to a supervisor that is gone. Spools offer it again when asked.
    pub(super) fn lose_post(&mut self) {
        self.post.clear();
    }

    pub(super) fn post(&mut self, at: Timestamp, event: Event) {
        self.posted += 1;
        self.post.insert((at, self.posted), event);
    }

    /// Starts an attempt, once: a known id is answered with what became of it.
    pub(super) fn start(
        &mut self,
        dice: &mut Dice,
        now: Timestamp,
        attempt: AttemptId,
        (host, takes, ending): (HostName, Duration, Ending),
    ) {
        if !self.spool.contains_key(&attempt) {
            let ends = now.checked_add(takes).unwrap_or(now);
            self.spool.insert(attempt.clone(), Known { host, started: now, ends, ending });
        }
        self.report(dice, now, &attempt);
    }

    pub(super) fn kill(&mut self, dice: &mut Dice, now: Timestamp, attempt: &AttemptId) {
        if let Some(known) = self.spool.get_mut(attempt).filter(|known| known.ends > now) {
            known.ends = now;
            known.ending = Ending::Killed;
            self.post.retain(|_, event| match event {
                Event::Ended(ended) => ended.attempt != *attempt,
                _ => true,
            });
        }
        self.report(dice, now, attempt);
    }

    /// Tells what is known of an attempt: now that it runs, and its end when that has come.
    pub(super) fn report(&mut self, dice: &mut Dice, now: Timestamp, attempt: &AttemptId) {
        let late = |dice: &mut Dice, at: Timestamp| {
            at.checked_add(Duration::from_secs(dice.of(0..20))).unwrap_or(at)
        };
        let Some(known) = self.spool.get(attempt).cloned() else {
            let at = late(dice, now);
            return self.post(at, Event::NotKnown { attempt: attempt.clone() });
        };
        let started = Event::Started { attempt: attempt.clone(), pid: 1, at: known.started };
        let ended = Event::Ended(Box::new(Ended {
            attempt: attempt.clone(),
            started: Some(known.started).filter(|_| known.ending.is_certain()),
            ending: known.ending,
            ended: known.ends,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: BTreeMap::new(),
            notes: Vec::new(),
            work: None,
        }));
        let at = late(dice, now);
        self.post(at, started);
        for _ in 0..=u64::from(dice.percent(10)) {
            let at = late(dice, known.ends.max(now));
            self.post(at, ended.clone());
        }
    }

    /// The host restarts: what ran is gone, and so is all memory of it.
    pub(super) fn restart(&mut self, host: &HostName, now: Timestamp) {
        if let Some(boot) = self.boots.get_mut(host) {
            *boot += 1;
        }
        self.spool.retain(|_, known| known.host != *host || known.ends <= now);
        let spool = &self.spool;
        self.post.retain(|_, event| match event {
            Event::Ended(ended) => spool.contains_key(&ended.attempt),
            _ => true,
        });
    }
}
