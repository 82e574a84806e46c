//! The hash chain: each entry's hash covers its bytes and the hash before it, so that whoever knows the head can tell
//! whether anything before it was changed, left out or put in.
//!
//! A chain alone does not stop who can rewrite the whole file; reports print the head, so that paper does.

use std::borrow::Cow;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::blob::hex;
use super::entry::{Entry, NotSealed};
use crate::core::fact::Fact;
use crate::types::{Epoch, RunId};

/// Where a journal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Of the last entry; 0 before the first.
    pub seq: u64,
    /// SHA-256 in hex; 64 zeros before the first entry.
    pub hash: String,
}

/// An entry as it is stored: the body is what counts, the columns beside it are for finding it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub seq: u64,
    /// The run as text; `None` for what belongs to none.
    pub run: Option<String>,
    /// [`Entry::at`] in whole microseconds UTC.
    pub at: i64,
    pub epoch: Epoch,
    pub kind: Cow<'static, str>,
    /// The canonical JSON line.
    pub body: String,
    /// SHA-256 of the former hash (as hex) followed by the body, in hex.
    pub hash: String,
}

/// The first entry at which a journal does not prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {seq}: {what}")]
pub struct Broken {
    pub seq: u64,
    pub what: String,
}

/// The writing end of the chain. Cloned before a turn, it is put back when the commit failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    head: Head,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

impl Chain {
    /// Goes on after `head`, as the store gave it.
    pub fn after(head: Head) -> Self {
        Self { head }
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Makes the next entry of the journal. It counts only once a commit has taken it.
    pub fn seal(
        &mut self,
        epoch: Epoch,
        at: Timestamp,
        recorded: Timestamp,
        fact: &Fact,
    ) -> Result<Sealed, NotSealed> {
        let seq = self.head.seq + 1;
        let body = Entry::encode(seq, (at, recorded), epoch, fact)?;
        let hash = link(&self.head.hash, &body);
        self.head = Head { seq, hash: hash.clone() };
        Ok(Sealed {
            seq,
            run: fact.run().map(ToString::to_string),
            at: at.as_microsecond(),
            epoch,
            kind: Cow::Borrowed(fact.kind()),
            body,
            hash,
        })
    }
}

impl Head {
    /// The head after `next`, if `next` continues from here; its columns are not looked at.
    pub fn then(&self, next: &Sealed) -> Result<Self, Broken> {
        let broken = |what: String| Broken { seq: next.seq, what };
        if next.seq != self.seq + 1 {
            return Err(broken(format!(
                "does not follow entry {}: {} is missing",
                self.seq,
                self.seq + 1
            )));
        }
        if link(&self.hash, &next.body) != next.hash {
            return Err(broken(
                "its hash does not fit its content and the entry before it: one of them was altered"
                    .to_owned(),
            ));
        }
        Ok(Self { seq: next.seq, hash: next.hash.clone() })
    }

    /// As [`Head::check`]; an entry whose content was archived is passed by its hash.
    pub fn check_or_pass(&self, next: &Sealed) -> Result<Self, Broken> {
        if next.is_archived() { self.over(next) } else { self.check(next).map(|(head, _)| head) }
    }

    /// The head after an entry whose content was archived, by its own word for its hash: the next one that has its content
    /// proves it.
    pub(super) fn over(&self, next: &Sealed) -> Result<Self, Broken> {
        if next.seq != self.seq + 1 {
            let what = format!("does not follow entry {}: {} is missing", self.seq, self.seq + 1);
            return Err(Broken { seq: next.seq, what });
        }
        Ok(Self { seq: next.seq, hash: next.hash.clone() })
    }

    /// As [`Head::then`], and the entry can be read and its columns say what its body says.
    pub fn check(&self, next: &Sealed) -> Result<(Self, Entry), Broken> {
        let head = self.then(next)?;
        let entry = next.open()?;
        Ok((head, entry))
    }
}

impl Sealed {
    /// Its content is in a file; place and hash are left.
    pub fn is_archived(&self) -> bool {
        self.body.is_empty()
    }

    /// The entry itself, if its columns agree with it.
    pub fn open(&self) -> Result<Entry, Broken> {
        let broken = |what: String| Broken { seq: self.seq, what };
        let entry = Entry::decode(&self.body).map_err(|why| broken(why.to_string()))?;
        let columns = [
            ("seq", entry.seq == self.seq),
            ("run", same_run(entry.fact.run(), self.run.as_deref())),
            ("at", entry.at.as_microsecond() == self.at),
            ("epoch", entry.epoch == self.epoch),
            ("kind", entry.fact.kind() == self.kind),
        ];
        match columns.into_iter().find(|(_, same)| !same) {
            Some((column, _)) => {
                Err(broken(format!("column `{column}` was altered: it differs from the body")))
            }
            None => Ok(entry),
        }
    }
}

/// Walks a journal from its first entry, or from any known head, and names the first entry that breaks it.
pub fn verify(from: Head, entries: impl IntoIterator<Item = Sealed>) -> Result<Head, Broken> {
    entries.into_iter().try_fold(from, |head, next| head.check(&next).map(|(head, _)| head))
}

fn same_run(run: Option<&RunId>, column: Option<&str>) -> bool {
    match (run, column) {
        (Some(run), Some(column)) => run.is_written(column),
        (None, None) => true,
        _ => false,
    }
}

fn link(former: &str, body: &str) -> String {
    hex(&Sha256::new().chain_update(former).chain_update(body).finalize())
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{at, facts};
    use super::*;

    fn journal() -> Vec<Sealed> {
        let mut chain = Chain::after(Head::default());
        facts().iter().map(|fact| chain.seal(Epoch(3), at(), at(), fact).unwrap()).collect()
    }

    #[test]
    fn every_fact_comes_back_and_is_stored_under_its_own_name() {
        let journal = journal();
        assert_eq!(journal.len(), 69);
        for (sealed, fact) in journal.iter().zip(facts()) {
            assert_eq!(sealed.open().unwrap().fact, fact);
            assert!(
                sealed.body.contains(&format!(r#""fact":"{}""#, sealed.kind)),
                "{}",
                sealed.body
            );
        }
        let head = verify(Head::default(), journal.clone()).unwrap();
        assert_eq!(head.hash, journal[68].hash);
    }

    /// Whoever changes these bytes breaks every journal that is kept: a new form needs a new version.
    #[test]
    fn the_canonical_bytes_stay_as_they_are() {
        let journal = journal();
        assert_eq!(
            journal[3].body,
            r#"{"v":1,"seq":4,"at":"2026-10-30T20:30:00.123456Z","recorded":"2026-10-30T20:30:00.123456Z","epoch":3,"fact":{"fact":"run-reopened","run":"eod@2026-10-30#1"}}"#
        );
        assert_eq!(
            journal[17].hash,
            "556ccf15ee3a6d83a3b152ef33bc27b09b4d0f3d541d7a0040591a927c97d7c6"
        );
        assert_eq!(
            journal[22].hash,
            "de6d9c58f193f35e56289f9d31b1de434f978ae04903916a03d86377201a68c4"
        );
    }

    #[test]
    fn each_altered_entry_is_named() {
        type Alteration = fn(&mut Sealed);
        let alterations: [(Alteration, &str); 7] = [
            (|e| e.body = e.body.replacen("2026", "2025", 1), "its hash"),
            (|e| e.hash.replace_range(..1, "x"), "its hash"),
            (|e| e.seq += 1, "is missing"),
            (|e| e.run = Some("eod@2026-10-30#2".into()), "`run`"),
            (|e| e.at += 1, "`at`"),
            (|e| e.epoch = Epoch(4), "`epoch`"),
            (|e| e.kind = "settled".into(), "`kind`"),
        ];
        for (alter, what) in alterations {
            let mut journal = journal();
            alter(&mut journal[5]);
            let seq = journal[5].seq;
            let broken = verify(Head::default(), journal).unwrap_err();
            assert!(broken.seq == seq && broken.what.contains(what), "{broken}");
        }
        let mut left_out = journal();
        left_out.remove(5);
        assert_eq!(verify(Head::default(), left_out).unwrap_err().seq, 7);
    }

    #[test]
    fn a_rewritten_entry_breaks_the_chain_after_it() {
        let mut journal = journal();
        let mut forger = Chain::after(Head { seq: 5, hash: journal[4].hash.clone() });
        journal[5] = forger.seal(Epoch(3), at(), at(), &facts()[3]).unwrap();
        let broken = verify(Head::default(), journal).unwrap_err();
        assert_eq!(broken.seq, 7);
    }
}
