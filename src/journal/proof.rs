//! Proves a journal some of whose runs were archived: their entries have left place and hash behind. The chain goes on over
//! the hashes; that the content is gone by right is itself an entry, which names the file and its digest.

use std::collections::BTreeMap;

use super::chain::{Broken, Head, Sealed};
use super::entry::Entry;
use crate::core::fact::{Fact, RunArchived};

/// Walks a journal from its first entry to its last.
#[derive(Debug, Default)]
pub struct Proof {
    head: Head,
    /// Of each run without content: how many entries, and the last of them.
    without: BTreeMap<String, (u64, u64)>,
    archived: BTreeMap<String, (u64, RunArchived)>,
    unread: u64,
}

/// A journal that has proven itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub head: Head,
    /// Files that hold what is not here any more, in the order of their runs.
    pub archived: Vec<RunArchived>,
    /// Entries whose place and hash alone were proven, because no file was read for them.
    pub unread: u64,
}

impl Proof {
    /// Where it stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Takes the next entry, and gives it back as it is read. `body`: what an archive has for it, where it has no content of
    /// its own; `None` comes back where neither has it.
    pub fn take(&mut self, next: &Sealed, body: Option<&str>) -> Result<Option<Entry>, Broken> {
        if !next.is_archived() {
            let (head, entry) = self.head.check(next)?;
            self.head = head;
            if let Fact::RunArchived(archived) = &entry.fact {
                self.archived
                    .insert(archived.run.to_string(), (next.seq, RunArchived::clone(archived)));
            }
            return Ok(Some(entry));
        }
        let broken = |what: &str| Broken { seq: next.seq, what: what.to_owned() };
        let run = next.run.clone().ok_or_else(|| broken("its content is missing"))?;
        let of_run = self.without.entry(run).or_default();
        *of_run = (of_run.0 + 1, next.seq);
        let (head, entry) = match body {
            Some(body) => {
                let whole = Sealed { body: body.to_owned(), ..next.clone() };
                let (head, entry) = self.head.check(&whole)?;
                (head, Some(entry))
            }
            None => {
                self.unread += 1;
                (self.head.over(next)?, None)
            }
        };
        self.head = head;
        Ok(entry)
    }

    /// The last entry was taken: every content that is missing is in a file that a later entry names.
    pub fn finish(self) -> Result<Proven, Broken> {
        for (run, (entries, last)) in &self.without {
            let broken = |what: String| Broken { seq: *last, what };
            let Some((seq, archived)) = self.archived.get(run) else {
                return Err(broken(format!(
                    "its content is missing, and nothing says that {run} was archived"
                )));
            };
            // Fewer may be: somebody may have archived it while this was read.
            if seq < last || archived.entries < *entries {
                return Err(broken(format!(
                    "{run} was archived by entry {seq} with {} entries, and {entries} have no content",
                    archived.entries
                )));
            }
        }
        let archived = self.archived.into_values().map(|(_, archived)| archived).collect();
        Ok(Proven { head: self.head, archived, unread: self.unread })
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::Chain;
    use super::super::specimens::{at, facts, run};
    use super::*;
    use crate::types::Epoch;

    /// A run's entries without content, and the entry that says so.
    fn archived(entries: u64) -> (Vec<Sealed>, Vec<String>) {
        let mut chain = Chain::after(Head::default());
        let of_run = facts().into_iter().filter(|fact| fact.run() == Some(&run()));
        let mut journal: Vec<Sealed> =
            of_run.map(|fact| chain.seal(Epoch(1), at(), at(), &fact).unwrap()).collect();
        let bodies = journal.iter().map(|sealed| sealed.body.clone()).collect();
        let said = RunArchived {
            run: run(),
            file: "a.json.gz".into(),
            digest: "ab".repeat(32),
            bytes: 1,
            entries: if entries == 0 { journal.len() as u64 } else { entries },
        };
        let fact = Fact::RunArchived(Box::new(said));
        let last = chain.seal(Epoch(1), at(), at(), &fact).unwrap();
        journal.iter_mut().for_each(|sealed| sealed.body.clear());
        journal.push(last);
        (journal, bodies)
    }

    fn prove(journal: &[Sealed], bodies: Option<&[String]>) -> Result<Proven, Broken> {
        let mut proof = Proof::default();
        for (at, sealed) in journal.iter().enumerate() {
            let body = bodies.and_then(|bodies| bodies.get(at)).map(String::as_str);
            proof.take(sealed, body)?;
        }
        proof.finish()
    }

    #[test]
    fn a_chain_goes_on_over_what_was_archived() {
        let (journal, bodies) = archived(0);
        let proven = prove(&journal, None).unwrap();
        assert_eq!(proven.head.hash, journal.last().unwrap().hash);
        assert_eq!((proven.archived.len(), proven.unread), (1, bodies.len() as u64));
        assert_eq!(prove(&journal, Some(&bodies)).unwrap().unread, 0);
    }

    #[test]
    fn what_is_missing_without_a_word_or_altered_in_the_file_is_named() {
        let (whole, mut bodies) = archived(0);
        let broken = prove(&whole[..whole.len() - 1], None).unwrap_err();
        assert!(
            broken.what.contains("nothing says that eod@2026-10-30#1 was archived"),
            "{broken}"
        );
        // The next entry with content proves the hash before it, the file each of them.
        for (at, bodies) in [(whole.len() - 2, None), (2, Some(&bodies[..]))] {
            let mut journal = whole.clone();
            journal[at].hash.replace_range(..1, "x");
            assert!(prove(&journal, bodies).is_err(), "{at}");
        }
        let (journal, _) = archived(0);
        bodies[2] = bodies[2].replacen("2026", "2025", 1);
        assert_eq!(prove(&journal, Some(&bodies)).unwrap_err().seq, 3);
        let (journal, _) = archived(3);
        assert!(prove(&journal, None).unwrap_err().what.contains("with 3 entries"));
    }
}
