//! Runs and attempts: what has happened once and must be named for ever.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BatchId, InvalidName, JobName};

/// What makes a run of a batch one and the same: its scheduled instant, or the key of the order that
/// asked for it (the business date where nobody gave another). Letters, digits, `-`, `:`, `_`, `+`, `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey(Arc<str>);

impl RunKey {
    pub fn new(key: &str) -> Result<Self, InvalidName> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-:_+.".contains(&b);
        if key.is_empty() || key.len() > 64 || !key.bytes().all(good) {
            return Err(InvalidName(key.to_owned()));
        }
        Ok(Self(key.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One execution of a batch (批次执行), written `eod@2026-10-30#1`. The business date is an attribute of the
/// run, not part of its name; a whole rerun is the next number of the same key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    pub batch: BatchId,
    pub key: RunKey,
    /// Counted from 1 for each (batch, key).
    pub number: u32,
}

/// One try of a job in a run, written `eod@2026-10-30#1/load-rates/2`. The id exists, durably, before anything
/// is started, and an agent never starts the same id twice.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId {
    pub run: RunId,
    pub job: JobName,
    /// Counted from 1 for each job of the run.
    pub number: u32,
}

impl AttemptId {
    /// Whether it is the other one, or a later one of the same job of the same run.
    pub fn is_since(&self, other: &Self) -> bool {
        self.run == other.run && self.job == other.job && self.number >= other.number
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In every entry, row and message: piece by piece it takes half as long as by one format.
        f.write_str(self.batch.as_str())?;
        f.write_str("@")?;
        f.write_str(self.key.as_str())?;
        write!(f, "#{}", self.number)
    }
}

impl RunId {
    /// Whether a text is this id, as it is written.
    pub fn is_written(&self, text: &str) -> bool {
        let number = text
            .strip_prefix(self.batch.as_str())
            .and_then(|rest| rest.strip_prefix('@'))
            .and_then(|rest| rest.strip_prefix(self.key.as_str()))
            .and_then(|rest| rest.strip_prefix('#'));
        // A number has one way of being written, and others that read back as it.
        number.is_some_and(|number| {
            number.parse() == Ok(self.number)
                && number.starts_with(|first: char| first.is_ascii_digit())
                && (!number.starts_with('0') || number.len() == 1)
        })
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.run.fmt(f)?;
        f.write_str("/")?;
        f.write_str(self.job.as_str())?;
        write!(f, "/{}", self.number)
    }
}

impl FromStr for RunKey {
    type Err = InvalidName;
    fn from_str(s: &str) -> Result<Self, InvalidName> {
        Self::new(s)
    }
}

impl FromStr for RunId {
    type Err = InvalidName;
    fn from_str(s: &str) -> Result<Self, InvalidName> {
        let bad = || InvalidName(s.to_owned());
        let (batch, rest) = s.split_once('@').ok_or_else(bad)?;
        let (key, number) = rest.rsplit_once('#').ok_or_else(bad)?;
        Ok(Self {
            batch: BatchId::new(batch)?,
            key: RunKey::new(key)?,
            number: number.parse().map_err(|_| bad())?,
        })
    }
}

impl FromStr for AttemptId {
    type Err = InvalidName;
    fn from_str(s: &str) -> Result<Self, InvalidName> {
        let bad = || InvalidName(s.to_owned());
        let (rest, number) = s.rsplit_once('/').ok_or_else(bad)?;
        let (run, job) = rest.rsplit_once('/').ok_or_else(bad)?;
        Ok(Self {
            run: run.parse()?,
            job: JobName::new(job)?,
            number: number.parse().map_err(|_| bad())?,
        })
    }
}

macro_rules! as_string {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_string!(RunKey, RunId, AttemptId);
string_schema!(
    RunKey,
    "^[A-Za-z0-9_.:+-]{1,64}$",
    "what a run is for: its start of the schedule, or the key of an order"
);
string_schema!(RunId, "^[^@/]+@[^/]+#[0-9]+$", "a run, written `batch@key#number`");
string_schema!(
    AttemptId,
    "^[^@/]+@[^/]+#[0-9]+/[^/]+/[0-9]+$",
    "an attempt, written `run/job/number`"
);

/// The fencing number of a leadership: every write and every command to an agent carries it, and a lower one
/// than the highest seen is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// What an attempt used, its children included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time in user mode, microseconds.
    pub user_us: u64,
    /// Processor time in the kernel, microseconds.
    pub system_us: u64,
    /// Largest resident size of one process, KiB.
    pub max_rss_kib: u64,
}

impl Usage {
    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.user_us + self.system_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written() {
        for text in ["eod@2026-10-30#1/load-rates/2", "a@20261030T203000Z#12/b/1"] {
            let id: AttemptId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(id.run.to_string(), text.split('/').next().unwrap());
            assert!(id.run.is_written(&id.run.to_string()));
        }
        let run: RunId = "eod@2026-10-30#1".parse().unwrap();
        let others = ["", "eod@2026-10-30", "eod@2026-10-30#", "eod@2026-10-30#2"];
        let written_otherwise = ["eod@2026-10-30#01", "eod@2026-10-30#+1", "eod@2026-10-30#1 "];
        for other in others.into_iter().chain(written_otherwise) {
            assert!(!run.is_written(other), "{other}");
        }
        for bad in ["eod", "eod@x", "eod@x#y", "eod@a/b#1", "@x#1", "eod@#1"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
