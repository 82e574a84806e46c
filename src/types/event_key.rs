//! The key that makes an event one and the same, however often it is sent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest key, in characters.
const LONGEST: usize = 200;

/// Text of the sender that he gives to no other event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct EventKey(#[schemars(length(min = 1, max = 200))] String);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key is a text of 1 to 200 characters, none of them a control character")]
pub struct BadEventKey;

impl EventKey {
    pub fn new(text: &str) -> Result<Self, BadEventKey> {
        let fits = !text.trim().is_empty() && text.chars().take(LONGEST + 1).count() <= LONGEST;
        match fits && !text.chars().any(char::is_control) {
            true => Ok(Self(text.to_owned())),
            false => Err(BadEventKey),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventKey {
    type Err = BadEventKey;

    fn from_str(text: &str) -> Result<Self, BadEventKey> {
        Self::new(text)
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_short_text_without_control_characters() {
        for good in ["a", "positions 2026-10-30 #1", "日终/2026-10-30", &"é".repeat(200)] {
            assert_eq!(EventKey::new(good).map(|key| key.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "  ", "a\nb", "a\0", &"a".repeat(201)] {
            assert_eq!(EventKey::new(bad), Err(BadEventKey), "{bad:?}");
        }
    }
}
