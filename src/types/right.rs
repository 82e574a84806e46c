//! What people may do: a right, and a set of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that somebody may do (权限).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// See how the night stands: status, why, plan, report.
    Read,
    /// Read what jobs print: it may hold what not everybody should see.
    Logs,
    /// Act on runs and jobs that there are.
    Operate,
    /// Start batches.
    Order,
    /// Freezes, sizes of pools, drills, and figures of service levels.
    House,
    /// Say yes: as the second person, and to a job that asks.
    Second,
    /// Post what other systems have to tell.
    Events,
    /// Acknowledge incidents and record what was done about them; open one.
    Respond,
    /// Take part in database changes, as far as the rules of changes let one.
    Changes,
    /// Passwords and tokens of others, and the audit.
    Admin,
}

impl Right {
    /// Every right, in the order of the format reference.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Logs,
        Self::Operate,
        Self::Order,
        Self::House,
        Self::Second,
        Self::Events,
        Self::Respond,
        Self::Changes,
        Self::Admin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Logs => "logs",
            Self::Operate => "operate",
            Self::Order => "order",
            Self::House => "house",
            Self::Second => "second",
            Self::Events => "events",
            Self::Respond => "respond",
            Self::Changes => "changes",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that is no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no right: one of read, logs, operate, order, house, second, events, respond, changes, admin"
)]
pub struct UnknownRight(pub String);

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        let found = Self::ALL.into_iter().find(|right| right.name() == text);
        found.ok_or_else(|| UnknownRight(text.to_owned()))
    }
}

/// A set of rights; stored as a list of their names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self((1 << Right::ALL.len()) - 1);

    /// All but this one.
    pub fn without(self, right: Right) -> Self {
        Self(self.0 & !right.bit())
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both: what a token may do of what its person may.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of the format reference.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, |all, right| Self(all.0 | right.bit()))
    }
}

/// Names with a comma between them; nothing where there is none.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Right::name).collect();
        f.pad(&names.join(", "))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl schemars::JsonSchema for Rights {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rights".into()
    }

    fn json_schema(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<Right>::json_schema(schemas)
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<Right>::deserialize(d)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_stored_under_the_name_that_is_printed() {
        for right in Right::ALL {
            assert_eq!(serde_json::to_value(right).unwrap(), right.name());
            assert_eq!(right.name().parse(), Ok(right));
        }
        assert!("root".parse::<Right>().unwrap_err().to_string().contains("one of read, logs"));
    }

    #[test]
    fn a_set_is_a_list_of_names_and_keeps_what_was_put_in() {
        let some: Rights = [Right::Order, Right::Read].into_iter().collect();
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"["read","order"]"#);
        assert_eq!(serde_json::from_str::<Rights>(r#"["order","read","read"]"#).unwrap(), some);
        assert!(some.has(Right::Order) && !some.has(Right::Admin));
        assert_eq!(Rights::ALL.iter().count(), Right::ALL.len());
        assert_eq!(Rights::ALL.without(Right::Admin).within(some), some);
        assert!(!Rights::ALL.without(Right::Admin).has(Right::Admin));
        assert_eq!(some.with(Rights::NONE).to_string(), "read, order");
    }
}
