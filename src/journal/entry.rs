//! One line of the journal: what was decided or observed, when, and under whose leadership.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::fact::Fact;
use crate::types::Epoch;

/// Version of the stored form. A journal that holds a newer one is left to a newer nightrun.
pub const VERSION: u32 = 1;

/// Bytes that most entries have room in.
const USUAL: usize = 400;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counted from 1 without a gap, over the whole site.
    pub seq: u64,
    /// The wall time that the decision was given; the set clock's in a trial.
    pub at: Timestamp,
    /// The host's real time when it was written. Equal to `at` but for trials.
    pub recorded: Timestamp,
    /// The leadership that wrote it.
    pub epoch: Epoch,
    pub fact: Fact,
}

/// A fact could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("entry {seq} cannot be written: {why}")]
pub struct NotSealed {
    pub seq: u64,
    pub why: String,
}

/// A stored entry could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// A newer nightrun wrote it; this one must not guess what it means.
    #[error(
        "written by a newer nightrun (form {0}; this program reads up to form {VERSION}): use that one"
    )]
    Newer(u32),
    #[error("not a journal entry: {0}")]
    NotAnEntry(String),
}

/// The canonical form: these fields in this order.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    seq: u64,
    at: Timestamp,
    recorded: Timestamp,
    epoch: Epoch,
    fact: &'a Fact,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    seq: u64,
    at: Timestamp,
    recorded: Timestamp,
    epoch: Epoch,
    fact: Fact,
}

/// Read alone where the whole cannot be read, so that a newer form is told from a damaged one.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl Entry {
    /// The canonical bytes that are stored and hashed: one line of JSON, fields in a fixed order.
    pub(super) fn encode(
        seq: u64,
        (at, recorded): (Timestamp, Timestamp),
        epoch: Epoch,
        fact: &Fact,
    ) -> Result<String, NotSealed> {
        let written = Written { v: VERSION, seq, at, recorded, epoch, fact };
        let mut body = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut body, &written)
            .map_err(|why| why.to_string())
            .and_then(|()| String::from_utf8(body).map_err(|why| why.to_string()))
            .map_err(|why| NotSealed { seq, why })
    }

    /// Reads a stored body.
    pub fn decode(body: &str) -> Result<Self, Undecodable> {
        let not = |why: serde_json::Error| Undecodable::NotAnEntry(why.to_string());
        let read: Result<Read, _> = serde_json::from_str(body);
        let version = match &read {
            Ok(read) => read.v,
            Err(_) => serde_json::from_str::<Version>(body).map_err(not)?.v,
        };
        if version > VERSION {
            return Err(Undecodable::Newer(version));
        }
        let Read { seq, at, recorded, epoch, fact, .. } = read.map_err(not)?;
        Ok(Self { seq, at, recorded, epoch, fact })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_form_is_told_from_a_damaged_one() {
        let newer = Entry::decode(r#"{"v":2,"what":"nobody knows yet"}"#);
        assert_eq!(newer, Err(Undecodable::Newer(2)));
        for damaged in ["", "{", r#"{"seq":1}"#, r#"{"v":1,"seq":1}"#] {
            let read = Entry::decode(damaged);
            assert!(matches!(read, Err(Undecodable::NotAnEntry(_))), "{damaged}: {read:?}");
        }
    }
}
