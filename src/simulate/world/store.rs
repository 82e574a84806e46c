//! The made-up store: what was committed, as it would lie on the disk. Every entry is written, sealed and read back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Breach;
use crate::core::fact::Fact;
use crate::core::night::{Command, Notice};
use crate::journal::{Chain, Head, Sealed, verify};
use crate::types::{Epoch, IncidentId};

#[derive(Debug, Default)]
pub(super) struct Store {
    entries: Vec<Sealed>,
    /// What was read back of them.
    facts: Vec<(Timestamp, Fact)>,
    head: Head,
    commits: usize,
    bytes: usize,
    /// The highest epoch that was claimed.
    leads: Epoch,
    /// Takes anything, whoever leads: to see that it would be noticed.
    unfenced: bool,
    /// Incidents that mail was put into the outbox about.
    mailed: BTreeSet<IncidentId>,
}

impl Store {
    pub(super) fn commits(&self) -> usize {
        self.commits
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn facts(&self) -> &[(Timestamp, Fact)] {
        &self.facts
    }

    pub(super) fn into_entries(self) -> Vec<Sealed> {
        self.entries
    }

    /// From now on lower epochs are refused.
    pub(super) fn claim(&mut self, epoch: Epoch) {
        self.leads = epoch;
    }

    /// Whether the commits of this epoch are refused.
    pub(super) fn refuses(&self, epoch: Epoch) -> bool {
        !self.unfenced && epoch < self.leads
    }

    #[cfg(test)]
    pub(super) fn takes_anything(&mut self) {
        self.unfenced = true;
    }

    /// Makes the entries of one turn. They count once they are committed.
    pub(super) fn seal(
        &self,
        epoch: Epoch,
        facts: &[(Timestamp, Fact)],
    ) -> Result<Vec<Sealed>, Breach> {
        let mut chain = Chain::after(self.head.clone());
        let seal = |(at, fact): &(Timestamp, Fact)| Ok(chain.seal(epoch, *at, *at, fact)?);
        facts.iter().map(seal).collect()
    }

    /// Takes the entries of one turn, and gives back what is read of each.
    pub(super) fn commit(&mut self, sealed: Vec<Sealed>) -> Result<&[(Timestamp, Fact)], Breach> {
        if let Some(stale) = sealed.iter().find(|entry| entry.epoch < self.leads) {
            return Err(Breach::Stale(stale.epoch, self.leads));
        }
        let before = self.facts.len();
        self.commits += 1;
        for entry in sealed {
            let (head, read) = self.head.check(&entry)?;
            self.head = head;
            self.bytes += entry.body.len();
            self.facts.push((read.at, read.fact));
            self.entries.push(entry);
        }
        Ok(self.facts.get(before..).unwrap_or_default())
    }

    /// The mail of a commit, in the same transaction: one about each incident, whoever leads.
    pub(super) fn mail(&mut self, commands: &[Command]) -> Result<(), Breach> {
        for command in commands {
            if let Command::Notify { incident, notice: Notice::Opened, .. } = command
                && !self.mailed.insert(*incident)
            {
                return Err(Breach::MailedTwice(*incident));
            }
        }
        Ok(())
    }

    /// Proves the whole journal from its first byte.
    pub(super) fn verify(&self) -> Result<(), Breach> {
        let head = verify(Head::default(), self.entries.iter().cloned())?;
        if head == self.head { Ok(()) } else { Err(Breach::Head) }
    }
}
