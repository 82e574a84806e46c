//! The name of a shift hand-over (交接): the shift that hands over, and the date on which that shift began.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ShiftName;

/// Written `night@2026-10-30`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandOverId {
    pub shift: ShiftName,
    pub date: Date,
}

/// A text that names no hand-over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no hand-over: write the shift and the date on which it began, `night@2026-10-30`"
)]
pub struct InvalidHandOver(pub String);

impl fmt::Display for HandOverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.shift, self.date)
    }
}

impl FromStr for HandOverId {
    type Err = InvalidHandOver;

    fn from_str(text: &str) -> Result<Self, InvalidHandOver> {
        let parts = text.split_once('@').and_then(|(shift, date)| {
            Some(Self { shift: ShiftName::new(shift).ok()?, date: date.parse().ok()? })
        });
        parts.ok_or_else(|| InvalidHandOver(text.to_owned()))
    }
}

string_schema!(
    HandOverId,
    r"^[a-z][a-z0-9_-]{0,63}@\d{4}-\d{2}-\d{2}$",
    "a hand-over, written `shift@date`"
);

impl Serialize for HandOverId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HandOverId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_is_named_by_its_shift_and_date() {
        let id: HandOverId = "night@2026-10-30".parse().unwrap();
        assert_eq!(id.to_string(), "night@2026-10-30");
        for bad in ["night", "night@", "night@2026-10", "Night@2026-10-30", "@2026-10-30"] {
            assert!(bad.parse::<HandOverId>().is_err(), "{bad}");
        }
    }
}
