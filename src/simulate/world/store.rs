//! The made-up store: what was committed, as it would lie on the disk. Every entry is written, sealed and read back.

use jiff::Timestamp;

use super::Breach;
use crate::core::fact::Fact;
use crate::journal::{Chain, Head, Sealed, verify};
use crate::types::Epoch;

#[derive(Debug, Default)]
pub(super) struct Store {
    entries: Vec<Sealed>,
    /// What was read back of them.
    facts: Vec<(Timestamp, Fact)>,
    head: Head,
    commits: usize,
    bytes: usize,
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

    /// Proves the whole journal from its first byte.
    pub(super) fn verify(&self) -> Result<(), Breach> {
        let head = verify(Head::default(), self.entries.iter().cloned())?;
        if head == self.head { Ok(()) } else { Err(Breach::Head) }
    }
}
