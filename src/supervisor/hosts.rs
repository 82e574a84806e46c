//! Other hosts, as a supervisor knows them: which are linked, where things lie there, what was copied to them, and what
//! their clocks are off by.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Supervisor, World};
use crate::core::launch::Places;
use crate::definition::copy::sha256;
use crate::definition::site::Host;
use crate::port::{AgentLink, Clock, Folders};
use crate::types::{AttemptId, ClockDifference, HostName, RunId};
use crate::wire::{CopyPiece, Here, ToAgent};

/// What their agents have said.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    here: BTreeMap<HostName, Here>,
    clocks: BTreeMap<HostName, ClockDifference>,
    /// Copies that were told on the connection of now.
    copied: BTreeSet<(HostName, RunId)>,
    /// A host is to be reached in another way once nothing runs there.
    put_off: bool,
}

impl Hosts {
    /// A new connection: nothing was told on it.
    pub(super) fn welcome(&mut self, host: &HostName, here: Option<Here>) {
        self.copied.retain(|(of, _)| of != host);
        match here {
            Some(here) => self.here.insert(host.clone(), here),
            None => self.here.remove(host),
        };
    }

    /// Something of the run may be missing there.
    pub(super) fn forget_copy(&mut self, host: &HostName, run: &RunId) {
        self.copied.remove(&(host.clone(), run.clone()));
    }

    pub(super) fn clock(&self, host: &HostName) -> Option<ClockDifference> {
        self.clocks.get(host).copied()
    }

    /// What is worth a word of it.
    fn compare(&mut self, host: &HostName, difference: ClockDifference) -> Option<String> {
        let before = self.clock(host);
        if before.is_some_and(|before| difference.says_less_than(before)) {
            return None;
        }
        self.clocks.insert(host.clone(), difference);
        let was = before.filter(|before| before.matters());
        if !difference.matters() {
            return was.map(|_| format!("the clock of {host} is right again"));
        }
        let said = was.is_some_and(|was| !difference.is_apart_from(was));
        let way = if difference.ahead_ms < 0 { "behind" } else { "ahead of" };
        let seconds = difference.ahead_ms.unsigned_abs() as f64 / 1_000.0;
        (!said).then(|| format!(
            "the clock of {host} is {seconds:.1} s {way} this one's; times of what runs there are told by this one's"
        ))
    }
}

impl<W: World> Supervisor<W> {
    /// Keeps a link to each host of the site that is served, and of the runs that are at hand; as the site of now has it
    /// where it has it.
    pub(super) fn know_hosts(&mut self) {
        let mut hosts: BTreeMap<HostName, Host> = BTreeMap::new();
        for run in self.core.state().runs.values() {
            if let Some(definition) = self.copies.get(&run.opened.definition) {
                hosts.extend(definition.copy.site.hosts.clone());
            }
        }
        if let Some(site) = self.served_site() {
            hosts.extend(site.hosts.clone());
        }
        // Who is asked after what runs there must be the one who was told to start it.
        let mut flying: BTreeMap<HostName, Host> = BTreeMap::new();
        for run in self.core.state().runs.values() {
            for (_, attempt) in run.flying() {
                let declared = run.site.hosts.get(&attempt.host);
                flying.extend(declared.map(|host| (attempt.host.clone(), host.clone())));
            }
        }
        let reach = |host: &Host| (host.ssh.clone(), host.folder.clone());
        self.hosts.put_off =
            flying.iter().any(|(name, host)| hosts.get(name).map(reach) != Some(reach(host)));
        hosts.extend(flying);
        let runs = &self.core.state().runs;
        self.hosts.copied.retain(|(_, run)| runs.contains_key(run));
        self.parts.agent.know(&hosts);
    }

    /// Something has ended: a host may be free to be reached in another way.
    pub(super) fn reconsider_hosts(&mut self) {
        if self.hosts.put_off {
            self.know_hosts();
        }
    }

    /// A time of this host as one would tell it: its times are turned when they are heard.
    pub(super) fn by_host_clock(&self, host: &HostName, at: Timestamp) -> Timestamp {
        let ahead = self.hosts.clock(host).and_then(ClockDifference::known).unwrap_or_default();
        at.checked_add(ahead).unwrap_or(at)
    }

    /// The host that an attempt was given to.
    pub(super) fn host_of(&self, attempt: &AttemptId) -> Option<HostName> {
        let run = self.core.state().runs.get(&attempt.run)?;
        Some(run.attempt(attempt)?.host.clone())
    }

    fn is_far(&self, run: &RunId, host: &HostName) -> bool {
        let run = self.core.state().runs.get(run);
        run.is_some_and(|run| run.site.hosts.get(host).is_some_and(|host| host.ssh.is_some()))
    }

    /// Where things lie on the host of an attempt.
    pub(super) fn places(&self, attempt: &AttemptId, host: &HostName) -> Result<Places, String> {
        let window_left = self.core.window_left(attempt, self.parts.clock.now());
        if !self.is_far(&attempt.run, host) {
            return Ok(Places {
                work: self.parts.folders.work(),
                copy: self.parts.folders.copy_of(&attempt.run),
                told: false,
                path: self.parts.path.clone(),
                home: self.parts.home.clone(),
                window_left,
            });
        }
        let here = self.hosts.here.get(host);
        let here = here.ok_or_else(|| format!("{host} has not said where things lie there"))?;
        Ok(Places {
            work: here.work.clone(),
            copy: here.copies.join(attempt.run.to_string()),
            told: true,
            path: here.path.clone(),
            home: here.home.clone(),
            window_left,
        })
    }

    /// Tells a host the copy of a run, once on each connection.
    pub(super) fn tell_copy(&mut self, host: &HostName, run: &RunId) -> Result<(), String> {
        let key = (host.clone(), run.clone());
        if self.hosts.copied.contains(&key) {
            return Ok(());
        }
        let definition = self.core.state().runs.get(run).map(|run| &run.opened.definition);
        let definition = definition.and_then(|definition| self.copies.get(definition)).cloned();
        let definition = definition.ok_or("the run's definition is not loaded")?;
        for (path, digest) in &definition.copy.files {
            let bytes = self.parts.folders.read_copy(run, path);
            let bytes = bytes.map_err(|why| format!("the run's copy cannot be read: {why}"))?;
            if sha256(&bytes) != *digest {
                return Err(format!("{} of the run's copy was altered", path.display()));
            }
            for piece in CopyPiece::of(run, path, &bytes) {
                self.parts.agent.tell(host, ToAgent::Copy(Box::new(piece)));
            }
        }
        let files = definition.copy.files.len();
        self.parts.agent.tell(host, ToAgent::CopyWhole { run: run.clone(), files });
        self.hosts.copied.insert(key);
        Ok(())
    }

    /// A host's clock was compared.
    pub(super) fn compare_clocks(&mut self, host: &HostName, difference: ClockDifference) {
        if let Some(words) = self.hosts.compare(host, difference) {
            self.notice(self.parts.clock.now().wall, &words);
        }
    }

    /// A time that a host has told, by this host's clock: clocks of other hosts decide nothing.
    pub(super) fn by_own_clock(&self, host: &HostName, at: Timestamp) -> Timestamp {
        let Some(difference) = self.hosts.clock(host) else { return at };
        let at = difference.known().map_or(Ok(at), |ahead| at.checked_sub(ahead)).unwrap_or(at);
        // Nothing that was told has happened after it was.
        at.min(self.parts.clock.real())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_once_and_again_when_it_is_right() {
        let (mut hosts, host) = (Hosts::default(), HostName::new("db1").unwrap());
        let mut compare =
            |ahead_ms, within_ms| hosts.compare(&host, ClockDifference { ahead_ms, within_ms });
        // Less than the asking took, or less than matters.
        assert_eq!(compare(5_000, 6_000), None);
        assert_eq!(compare(1_900, 10), None);
        assert!(compare(90_000, 10).unwrap().contains("90.0 s ahead of"));
        assert_eq!(compare(90_500, 10), None);
        // An answer that came late takes nothing back.
        assert_eq!(compare(84_000, 8_000), None);
        assert!(compare(-30_000, 10).unwrap().contains("30.0 s behind"));
        assert!(compare(0, 10).unwrap().contains("right again"));
        assert_eq!(compare(0, 10), None);
    }
}
