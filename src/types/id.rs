//! Names that people write in job files, each a type of its own so that none is taken for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name that breaks the one rule for names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter")]
pub struct InvalidName(pub String);

fn check(name: &str) -> Result<(), InvalidName> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    let rest =
        bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if first && rest && name.len() <= 64 { Ok(()) } else { Err(InvalidName(name.to_owned())) }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name after the check of its form: 1 to 64 of `a-z 0-9 - _`, a letter first.
            pub fn new(name: &str) -> Result<Self, InvalidName> {
                check(name)?;
                Ok(Self(name.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(s: &str) -> Result<Self, InvalidName> {
                Self::new(s)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        string_schema!($type, "^[a-z][a-z0-9_-]{0,63}$", "a name");

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::new(&name).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(/** A batch (批次). */ BatchId);
name!(/** A job (作业) within its batch. */ JobName);
name!(/** A calendar (日历). */ CalendarName);
name!(/** A class of execution windows (时间窗口), such as `night-change`. */ WindowClass);
name!(/** A counted resource of the whole site; a mutex is a pool of one. */ PoolName);
name!(/** A database that SQL runs against (目标库). */ TargetName);
name!(/** A host that an agent runs on. */ HostName);
name!(/** What hosts have in common that a job may ask for. */ Label);
name!(/** A person's stable id: never a display name. */ PersonId);
name!(/** Something that another system tells of. */ EventName);
name!(/** A team. */ TeamName);
name!(/** A shift (班次) of the roster. */ ShiftName);
name!(/** Who is told of an incident, and when. */ PolicyName);
name!(/** A drill (演练) that is held at set intervals. */ DrillName);
name!(/** A figure of the service levels (服务级别指标), or a part that one is reckoned from. */ FigureName);
name!(/** A role of people, such as `duty`. */ Role);
name!(/** Something that somebody confirms of a change, or that an inspection looks at. */ CheckName);
name!(/** A market (市场) whose functions a change touches, such as `us`. */ MarketName);
name!(/** A line of products, with a director of its own (产品线). */ ProductLine);
name!(/** A way to tell people something beside mail, such as a webhook (通知渠道). */ ChannelName);
name!(/** A database change (变更): the name of its folder. */ ChangeId);

impl HostName {
    /// The supervisor's own host.
    pub const LOCAL: &str = "local";

    pub fn local() -> Self {
        Self(Self::LOCAL.into())
    }

    pub fn is_local(&self) -> bool {
        &*self.0 == Self::LOCAL
    }
}

impl ChannelName {
    /// Before the name of a channel, where a mail has its address. No address begins so: it has an `@`.
    const RECIPIENT: &str = "webhook:";

    /// As the recipient of a message.
    pub fn recipient(&self) -> String {
        format!("{}{self}", Self::RECIPIENT)
    }

    /// The channel that a message goes to; `None`: it goes to a mail address.
    pub fn of_recipient(text: &str) -> Option<Self> {
        Self::new(text.strip_prefix(Self::RECIPIENT)?).ok()
    }
}

/// `batch.job`: a job seen from outside its batch.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobRef {
    pub batch: BatchId,
    pub job: JobName,
}

impl fmt::Display for JobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.batch, self.job)
    }
}

impl fmt::Debug for JobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for JobRef {
    type Err = InvalidName;
    fn from_str(s: &str) -> Result<Self, InvalidName> {
        let (batch, job) = s.split_once('.').ok_or_else(|| InvalidName(s.to_owned()))?;
        Ok(Self { batch: BatchId::new(batch)?, job: JobName::new(job)? })
    }
}

string_schema!(JobRef, r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$", "a job, written `batch.job`");

impl Serialize for JobRef {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

/// A number of the site that is written with letters before it, and never reused.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $letters:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letters, "-{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(s: &str) -> Result<Self, InvalidName> {
                let number = s.strip_prefix(concat!($letters, "-")).and_then(|n| n.parse().ok());
                number.map(Self).ok_or_else(|| InvalidName(s.to_owned()))
            }
        }
    };
}

numbered! {
    /// An incident's number, written `INC-7`. Counted per site.
    IncidentId, "INC"
}

numbered! {
    /// A freeze that an operator ordered, written `F-1`.
    FreezeId, "F"
}

numbered! {
    /// An action that waits for a second person, written `R-1`.
    RequestId, "R"
}

numbered! {
    /// A token of the API, written `T-1`.
    TokenId, "T"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_thing_is_written_with_its_letters() {
        assert_eq!(FreezeId(7).to_string(), "F-7");
        assert_eq!("R-12".parse::<RequestId>().unwrap(), RequestId(12));
        for bad in ["R12", "F-1", "R-", "R-x"] {
            assert!(bad.parse::<RequestId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_lower_case_and_begins_with_a_letter() {
        for good in ["a", "load-rates", "eod_2", "x9"] {
            assert!(JobName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "9a", "Load", "a.b", "a b", "日终", &"a".repeat(65)] {
            assert!(JobName::new(bad).is_err(), "{bad}");
        }
        let job: JobRef = "eod.close".parse().unwrap();
        assert_eq!(job.to_string(), "eod.close");
        assert!("eod".parse::<JobRef>().is_err());
    }
}
